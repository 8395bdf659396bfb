"""How far learners have come with e-learning, as learning systems tell; what was completed stays so until corrected."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.training.errors import TrainingRefusal
from app.training.models import Completion, Course
from app.training.requirements.finding import row_of, said, standing_learner
from app.training.requirements.models import CourseProgress
from app.training.requirements.rules import PROGRESS, next_progress
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class ProgressTold:
    """What a source told of one learner and course at a moment."""

    learner_id: UUID
    course_id: UUID
    state: str
    told_at: datetime
    source: str


async def record_progress(work: UnitOfWork, told: Sequence[ProgressTold]) -> int:
    """Keep what is new; how many states changed. Neither an older report nor a lesser state takes anything back."""
    latest: dict[tuple[UUID, UUID], ProgressTold] = {}
    for item in sorted(told, key=lambda item: item.told_at):
        before = latest.get((item.learner_id, item.course_id))
        state = next_progress(before.state if before else None, item.state)
        latest[item.learner_id, item.course_id] = ProgressTold(
            item.learner_id, item.course_id, state, item.told_at, item.source
        )
    present = {
        (row.learner_id, row.course_id): row
        for row in await work.session.scalars(
            select(CourseProgress).where(among(CourseProgress.learner_id, {key[0] for key in latest}))
        )
    }
    finished = await _completed(work, latest.keys() - present.keys())
    written, changed = [], 0
    for key, item in sorted(latest.items()):
        row = present.get(key)
        if row is not None and item.told_at < row.told_at:
            continue
        state = next_progress(row.state if row else ("completed" if key in finished else None), item.state)
        written.append((new_id(), *key, state, item.source, item.told_at))
        changed += row is None or row.state != state
    await work.insert_rows(
        CourseProgress,
        ("id", "learner_id", "course_id", "state", "source", "told_at"),
        written,
        on_conflict=(
            "ON CONFLICT (tenant_id, learner_id, course_id) DO UPDATE SET state = excluded.state, "
            "source = excluded.source, told_at = excluded.told_at, corrected_because = CASE WHEN "
            "course_progress.state = excluded.state THEN course_progress.corrected_because END"
        ),
    )
    return changed


async def _completed(work: UnitOfWork, pairs: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those learners and courses of which there is a completion, whatever a learning system says of progress."""
    learners = {learner_id for learner_id, _ in pairs}
    rows = await work.session.execute(
        select(Completion.learner_id, Completion.course_id).where(among(Completion.learner_id, learners))
    )
    return {(learner_id, course_id) for learner_id, course_id in rows} & set(pairs)


async def followed(work: UnitOfWork, pairs: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those learners and courses whose progress is kept."""
    learners = {learner_id for learner_id, _ in pairs}
    rows = await work.session.execute(
        select(CourseProgress.learner_id, CourseProgress.course_id).where(among(CourseProgress.learner_id, learners))
    )
    return {(learner_id, course_id) for learner_id, course_id in rows} & set(pairs)


async def correct_progress(work: UnitOfWork, learner_id: UUID, course_id: UUID, state: str, reason: str) -> UUID:
    """Say what the state is, whatever it was, for a reason; gives the row.

    Raises TrainingRefusal `REASON_MISSING`, `UNKNOWN_STATE`, `NO_SUCH_LEARNER` or `NO_SUCH_COURSE`.
    """
    why = said(reason, "REASON_MISSING", "Say why the state is corrected.", "reason")
    if state not in PROGRESS:
        raise TrainingRefusal("UNKNOWN_STATE", f"Choose among {', '.join(PROGRESS)}.", "state")
    await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "courseId")
    learner_id = await standing_learner(work, learner_id)
    found = await work.session.scalars(
        select(CourseProgress)
        .where(CourseProgress.learner_id == learner_id, CourseProgress.course_id == course_id)
        .with_for_update()
    )
    row = found.first()
    before = None if row is None else {"state": row.state}
    if row is None:
        row = CourseProgress(tenant_id=work.tenant_id, id=new_id(), learner_id=learner_id, course_id=course_id)
        work.add(row)
    row.state, row.source, row.told_at, row.corrected_because = state, "correction", work.now, why
    await work.session.flush()
    after = {"state": state, "learner": str(learner_id), "course": str(course_id)}
    work.record(Action.PROGRESS_CORRECTED, "course_progress", row.id, before=before, after=after)
    return row.id
