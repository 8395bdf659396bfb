"""Two entries found to be one course, and the way back. Locked exercises keep what they said."""

from uuid import UUID

from sqlalchemy import Column, Table, select

from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, words
from app.training.mapping.models import CourseMerge, MappingCell, MappingExercise
from app.training.models import Course
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import table_of
from tenants.handover import Moved, counts, give_back, hand_over, links_to
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

_STAY = frozenset({"course", "course_merge"})
_CELLS = table_of(MappingCell).name


def _links() -> list[tuple[Table, Column[UUID]]]:
    return list(links_to("course", _STAY))


async def merge_courses(work: UnitOfWork, kept_id: UUID, merged_id: UUID, reason: str) -> UUID:
    """Give completions and all else of one course to another; gives the merge.

    Raises TrainingRefusal `SAME_COURSE`, `NO_SUCH_COURSE`, `MERGED_ALREADY` or `TEXT_MISSING`.
    """
    why = words(reason, "reason", "why the two are one course", 1000)
    if kept_id == merged_id:
        raise TrainingRefusal("SAME_COURSE", "That is one course already. Choose two different ones.", "merge")
    kept, merged = [
        await found(work, Course, row_id, "course", field, lock=True)
        for row_id, field in sorted([(kept_id, "keep"), (merged_id, "merge")])
    ]
    if kept.id != kept_id:
        kept, merged = merged, kept
    if "merged" in (kept.status, merged.status):
        raise TrainingRefusal("MERGED_ALREADY", "One of them was merged already. Choose the course that was kept.")
    drafts = table_of(MappingCell).c.exercise_id.in_(
        select(MappingExercise.id).where(MappingExercise.tenant_id == work.tenant_id, MappingExercise.status == "draft")
    )
    handed = await hand_over(work, _links(), kept_id, merged_id, {_CELLS: drafts})
    handed["status"] = merged.status
    merged.status, merged.merged_into_id = "merged", kept_id
    kept.revision += 1
    merged.revision += 1
    merge = CourseMerge(
        tenant_id=work.tenant_id,
        id=new_id(),
        kept_course_id=kept_id,
        merged_course_id=merged_id,
        reason=why,
        moved=handed,
        merged_at=work.now,
        undone_at=None,
    )
    work.add(merge)
    after = {"merged": str(merged_id), "merge": str(merge.id), "moved": counts(handed)}
    work.record(Action.COURSES_MERGED, "course", kept_id, after=after)
    announce(work, EventType.COURSES_MERGED, f"CourseMerge:{merge.id}")
    work.emit(Topic.FIGURES_REFRESH, f"course-merge:{merge.id}", merge_id=merge.id)
    return merge.id


async def undo_course_merge(work: UnitOfWork, merge_id: UUID) -> None:
    """Give back what changed hands; cells of exercises that were locked since stay as they are.

    Raises TrainingRefusal `NO_SUCH_COURSE_MERGE`, `UNDONE_ALREADY` or `MERGED_ONWARDS`.
    """
    merge = await found(work, CourseMerge, merge_id, "course merge", lock=True)
    if merge.undone_at is not None:
        raise TrainingRefusal("UNDONE_ALREADY", "The merge was undone already. Nothing was changed.")
    kept = await found(work, Course, merge.kept_course_id, "course", lock=True)
    merged = await found(work, Course, merge.merged_course_id, "course", lock=True)
    if kept.status == "merged":
        raise TrainingRefusal("MERGED_ONWARDS", "The kept course was merged into another. Undo that merge first.")
    await give_back(work, _links(), await _without_locked(work, merge.moved), kept.id, merged.id)
    merged.status, merged.merged_into_id = merge.moved["status"], None
    kept.revision += 1
    merged.revision += 1
    merge.undone_at = work.now
    after = {"parted": str(merged.id), "merge": str(merge.id)}
    work.record(Action.COURSE_MERGE_UNDONE, "course", kept.id, after=after)
    announce(work, EventType.COURSES_MERGE_UNDONE, f"CourseMerge:{merge.id}")
    work.emit(Topic.FIGURES_REFRESH, f"course-merge:{merge.id}:undone", merge_id=merge.id)


async def _without_locked(work: UnitOfWork, handed: Moved) -> Moved:
    """What may be given back: not the cells of exercises that are locked now."""
    drafts = set(await work.session.scalars(select(MappingExercise.id).where(MappingExercise.status == "draft")))
    column = f"{_CELLS}.course_id"
    moved, removed = dict(handed["moved"]), dict(handed["removed"])
    if column in moved:
        still = select(MappingCell.id).where(MappingCell.exercise_id.in_(drafts))
        cells = {str(row_id) for row_id in await work.session.scalars(still)}
        moved[column] = [row_id for row_id in moved[column] if row_id in cells]
    if _CELLS in removed:
        removed[_CELLS] = [row for row in removed[_CELLS] if UUID(row["exercise_id"]) in drafts]
    return {"moved": moved, "removed": removed}
