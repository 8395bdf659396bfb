"""Who came: by the code in the room, by scanning a booking, from the list, or by an override. Twice harms nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Learner
from app.training.attendance import decide_attendance
from app.training.booking.models import AttendanceMark, Booking
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.requirements import standing
from app.training.sessions.rules import half_at
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

OPENS_BEFORE = timedelta(minutes=60)
CLOSES_AFTER = timedelta(minutes=60)
"""Around a session, when people can check in by themselves."""

_REFRESH_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Seen:
    """A learner was seen, or not, in a half of a session; `part` None overrides the whole and needs a reason."""

    learner_id: UUID
    part: int | None
    present: bool
    booking_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """What checking in came to: `already` if the same was known before."""

    session: TrainingSession
    part: int
    already: bool


async def session_by_code(work: UnitOfWork, code: str) -> TrainingSession:
    """The session whose poster has this code. Raises TrainingRefusal `NO_SUCH_CODE`."""
    plain = "".join(code.split()).upper()
    found = (await work.session.scalars(select(TrainingSession).where(TrainingSession.check_in_code == plain))).first()
    if found is None or found.state != "published":
        raise TrainingRefusal("NO_SUCH_CODE", "There is no session with that code. Look at the poster again.", "code")
    return found


async def check_in_by_oneself(work: UnitOfWork, code: str, reference: str) -> CheckedIn:
    """Somebody in the room checks in with the reference of their booking.

    Raises TrainingRefusal `NO_SUCH_CODE`, `NOT_NOW`, `NO_SUCH_REFERENCE` or `NO_PLACE`.
    """
    session = await session_by_code(work, code)
    if not session.starts_at - OPENS_BEFORE <= work.now <= session.ends_at + CLOSES_AFTER:
        raise TrainingRefusal(
            "NOT_NOW", "You can check in from an hour before the session until an hour after it. Ask a facilitator."
        )
    return await _check_in(work, session, reference, "self")


async def scan(work: UnitOfWork, session_id: UUID, reference: str) -> CheckedIn:
    """A facilitator scans or types a booking's reference. Raises as `check_in_by_oneself`, or `NO_SUCH_SESSION`."""
    session = await work.session.get(TrainingSession, (work.tenant_id, session_id))
    if session is None:
        raise TrainingRefusal("NO_SUCH_SESSION", "There is no such session. Choose one from the list.", "session")
    return await _check_in(work, session, reference, "scan")


async def mark(work: UnitOfWork, session_id: UUID, seen: Sequence[Seen], method: str, reason: str | None = None) -> int:
    """Record who was seen; what is known already is not recorded again. How many marks are new.

    Raises TrainingRefusal `NO_SUCH_SESSION`, `NO_SUCH_LEARNER`, `NO_SUCH_HALF` or `REASON_MISSING`.
    """
    session = await work.session.get(TrainingSession, (work.tenant_id, session_id), with_for_update={"key_share": True})
    if session is None:
        raise TrainingRefusal("NO_SUCH_SESSION", "There is no such session. Choose one from the list.", "session")
    words = " ".join((reason or "").split()) or None
    known = await _latest(work, session_id, {item.learner_id for item in seen})
    new = []
    for item in seen:
        if item.part is not None and not 1 <= item.part <= session.parts:
            raise TrainingRefusal("NO_SUCH_HALF", f"The session has {session.parts} part(s). Choose one.", "part")
        if item.part is None and words is None:
            raise TrainingRefusal(
                "REASON_MISSING", "Say why you decide by hand; it is kept with the decision.", "reason"
            )
        if item.part is not None and known.get((item.learner_id, item.part)) == item.present:
            continue
        new.append(item)
    for learner_id in {item.learner_id for item in new}:
        learner = await work.session.get(Learner, (work.tenant_id, learner_id))
        if learner is None or learner.merged_into_id is not None:
            raise TrainingRefusal(
                "NO_SUCH_LEARNER", "There is no such learner, or it was merged. Choose from the list.", "learner"
            )
    for item in new:
        row = AttendanceMark(
            tenant_id=work.tenant_id,
            id=new_id(),
            session_id=session_id,
            learner_id=item.learner_id,
            booking_id=item.booking_id,
            part=item.part,
            present=item.present,
            method="override" if item.part is None else method,
            reason=words,
            marked_at=work.now,
            actor_kind=work.context.actor_kind.value,
            actor_id=work.context.actor_id,
        )
        work.add(row)
        work.record(
            Action.ATTENDANCE_MARKED,
            "training_session",
            session_id,
            after={
                "learner": str(item.learner_id),
                "part": item.part,
                "present": item.present,
                "method": row.method,
                "reason": words,
            },
        )
    if new:
        await work.session.flush()
        await decide_attendance(work, session_id, {item.learner_id for item in new})
        for learner_id in {item.learner_id for item in new}:
            standing.request(work, learner_id, f"attended:{session_id}:{work.context.request_id}")
        announce(work, EventType.ATTENDANCE_CHANGED, f"Session:{session_id}")
        due = work.now + _REFRESH_AFTER
        work.emit(Topic.FIGURES_REFRESH, f"marks:{session_id}:{due:%Y%m%d%H}", at=due, session_id=session_id)
    return len(new)


async def _check_in(work: UnitOfWork, session: TrainingSession, reference: str, method: str) -> CheckedIn:
    plain = "".join(reference.split()).upper()
    booking = (
        await work.session.scalars(select(Booking).where(Booking.reference == plain, Booking.session_id == session.id))
    ).first()
    if booking is None:
        raise TrainingRefusal(
            "NO_SUCH_REFERENCE", "No booking of this session has that reference. Look at the confirmation.", "reference"
        )
    if booking.state != "confirmed":
        raise TrainingRefusal(
            "NO_PLACE", f"That booking has no place: it is {booking.state}. Speak to a facilitator.", "reference"
        )
    part = half_at(session.second_part_at, work.now)
    new = await mark(work, session.id, [Seen(booking.learner_id, part, True, booking.id)], method)
    return CheckedIn(session, part, already=new == 0)


async def _latest(work: UnitOfWork, session_id: UUID, learners: set[UUID]) -> dict[tuple[UUID, int | None], bool]:
    rows = await work.session.execute(
        select(AttendanceMark.learner_id, AttendanceMark.part, AttendanceMark.present)
        .where(AttendanceMark.session_id == session_id, among(AttendanceMark.learner_id, learners))
        .order_by(AttendanceMark.marked_at, AttendanceMark.id)
    )
    return {(row.learner_id, row.part): row.present for row in rows}
