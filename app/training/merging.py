"""Merging learners with what follows: what both have attended is weighed together, and nobody is booked twice."""

from uuid import UUID

from sqlalchemy import select, union

from app.directory import merging
from app.directory.models import LearnerMerge
from app.training.attendance import decide_attendance
from app.training.booking.models import AttendanceMark
from app.training.booking.operations import settle_double_bookings
from app.training.funding.operations import settle_double_seats
from app.training.models import AttendanceEvidence
from app.training.requirements import standing
from app.webhooks.events import EventType, announce
from tenants.outbox import Topic
from tenants.session import UnitOfWork


async def merge_learners(work: UnitOfWork, kept_id: UUID, merged_id: UUID, reason: str) -> UUID:
    """Two records are one person; gives the merge. Raises as `app.directory.merging.merge_learners`."""
    await settle_double_bookings(work, kept_id, merged_id)
    await settle_double_seats(work, kept_id, merged_id)
    merge = await merging.merge_learners(work, kept_id, merged_id, reason)
    await _decide_anew(work, merge)
    announce(work, EventType.LEARNERS_MERGED, f"LearnerMerge:{merge.id}")
    return merge.id


async def undo_merge(work: UnitOfWork, merge_id: UUID) -> None:
    """The two records were two people after all. Raises as `app.directory.merging.undo_merge`."""
    await _decide_anew(work, await merging.undo_merge(work, merge_id))
    announce(work, EventType.LEARNERS_MERGE_UNDONE, f"LearnerMerge:{merge_id}")


async def _decide_anew(work: UnitOfWork, merge: LearnerMerge) -> None:
    both = (merge.kept_learner_id, merge.merged_learner_id)
    sessions = await work.session.scalars(
        union(
            select(AttendanceEvidence.session_id).where(AttendanceEvidence.learner_id.in_(both)),
            select(AttendanceMark.session_id).where(AttendanceMark.learner_id.in_(both)),
        )
    )
    for session_id in sorted(sessions):
        await decide_attendance(work, session_id, both)
    key = f"merge:{merge.id}:{merge.undone_at is not None}"
    work.emit(Topic.FIGURES_REFRESH, key, merge_id=merge.id)
    for learner_id in both:
        standing.request(work, learner_id, key)
