"""Two learner records found to be one person, and the way back: every row that changed hands is remembered."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table

from app.directory.errors import DirectoryRefusal
from app.directory.models import Learner, LearnerMerge
from app.directory.placement import lock_register
from tenants.audit import Action
from tenants.handover import counts, give_back, hand_over, links_to
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

_STAY = frozenset({"learner", "learner_merge"})


def links_to_learners() -> Iterator[tuple[Table, Column[Any]]]:
    """Every tenant-owned column that points to a learner, of this and of later parts of the domain."""
    return links_to("learner", _STAY)


async def merge_learners(work: UnitOfWork, kept_id: UUID, merged_id: UUID, reason: str) -> LearnerMerge:
    """Give everything of one learner to another. What both have (the same completion twice) is kept once.

    Raises DirectoryRefusal `SAME_LEARNER`, `NO_SUCH_LEARNER`, `MERGED_ALREADY` or `REASON_MISSING`.
    """
    words = " ".join(reason.split())
    if not words:
        raise DirectoryRefusal("REASON_MISSING", "Say why the two records are one person.")
    if kept_id == merged_id:
        raise DirectoryRefusal("SAME_LEARNER", "That is one record already. Choose two different ones.")
    await lock_register(work)
    kept, merged = await _learner(work, kept_id), await _learner(work, merged_id)
    handed = await hand_over(work, list(links_to_learners()), kept_id, merged_id)
    merged.merged_into_id = kept.id
    merge = LearnerMerge(
        tenant_id=work.tenant_id,
        id=new_id(),
        kept_learner_id=kept_id,
        merged_learner_id=merged_id,
        reason=words,
        moved=handed,
        merged_at=work.now,
        undone_at=None,
    )
    work.add(merge)
    await work.session.flush()
    work.record(
        Action.LEARNERS_MERGED,
        "learner",
        kept_id,
        after={
            "merged": str(merged_id),
            "merge": str(merge.id),
            "moved": counts(handed),
        },
    )
    return merge


async def undo_merge(work: UnitOfWork, merge_id: UUID) -> LearnerMerge:
    """Give back what changed hands. What came to the kept learner after the merge stays there.

    Raises DirectoryRefusal `NO_SUCH_MERGE`, `UNDONE_ALREADY` or `MERGED_ONWARDS`.
    """
    await lock_register(work)
    merge = await work.session.get(LearnerMerge, (work.tenant_id, merge_id), with_for_update=True)
    if merge is None:
        raise DirectoryRefusal("NO_SUCH_MERGE", "There is no such merge. Look at the learner's history.")
    if merge.undone_at is not None:
        raise DirectoryRefusal("UNDONE_ALREADY", "The merge was undone already. Nothing was changed.")
    kept = await work.session.get_one(Learner, (work.tenant_id, merge.kept_learner_id))
    if kept.merged_into_id is not None:
        raise DirectoryRefusal("MERGED_ONWARDS", "The kept record was merged into another. Undo that merge first.")
    await give_back(work, list(links_to_learners()), merge.moved, merge.kept_learner_id, merge.merged_learner_id)
    merged = await work.session.get_one(Learner, (work.tenant_id, merge.merged_learner_id))
    merged.merged_into_id = None
    merge.undone_at = work.now
    work.record(
        Action.LEARNER_MERGE_UNDONE,
        "learner",
        merge.kept_learner_id,
        after={"parted": str(merge.merged_learner_id), "merge": str(merge.id)},
    )
    return merge


async def _learner(work: UnitOfWork, learner_id: UUID) -> Learner:
    learner = await work.session.get(Learner, (work.tenant_id, learner_id), with_for_update=True)
    if learner is None:
        raise DirectoryRefusal("NO_SUCH_LEARNER", "There is no such learner. Choose one from the list.")
    if learner.merged_into_id is not None:
        raise DirectoryRefusal("MERGED_ALREADY", "That record was merged into another already. Choose the kept one.")
    return learner
