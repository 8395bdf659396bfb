"""Settling a registration: who it is, the place that it asks for, the presence that it tells. Each step commits alone.

A step reads what is there and does what is missing, so that it can be done again at any time, by two jobs at once.
Locks are taken in the order of the bookings: the session's places, then the register of learners.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select, update

from app.directory.employers import EmployerInFile, place_employers
from app.directory.employment import AtWork, bear_witness, job_role_codes
from app.directory.placement import PersonInFile, lock_register, place_learners
from app.directory.rules import Candidate
from app.imports.formats.values import location_id_of
from app.imports.people import main_reason, sentence_of
from app.outside.coming import MOVED_ON, told_by
from app.outside.connections import Office
from app.outside.models import OutsideEvent, OutsideRegistration
from app.outside.registrations import Wanted, Who, same_person, wants
from app.training.booking.check_in import Seen, mark
from app.training.booking.models import LIVE, Booking
from app.training.booking.operations import book, cancel
from app.training.booking.places import lock
from app.training.booking.placing import Request
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.requirements import standing
from app.training.sessions.rules import half_at
from tenants.clock import london_date
from tenants.session import UnitOfWork

TRIES = 4
_TOO_LATE = ("SESSION_BEGUN", "ENDED_ALREADY", "NO_SUCH_BOOKING")
ENDED_HERE = (
    "ENDED_HERE",
    "The booking was ended here, and the person is still registered. Book again here, or cancel the registration.",
)
CANCELLED_HERE = (
    "CANCELLED_HERE",
    "The session was cancelled here, and the person is still registered. Cancel the event there too: they should hear.",
)
Done = TypeVar("Done")


async def settle(office: Office, registration_id: UUID) -> None:
    """Do what a registration asks for; what cannot be done now is kept with its reason, for the next look."""
    await _step(office, part, registration_id)
    if not await _step(office, identify, registration_id):
        return
    for step in (follow, see):
        try:
            await _step(office, step, registration_id)
        except TrainingRefusal as refusal:
            async with office.work() as work:
                await office.renew(work)
                await _keep_problem(work, registration_id, refusal.code, refusal.message)


async def _step(office: Office, step: Callable[[UnitOfWork, UUID], Awaitable[Done]], registration_id: UUID) -> Done:
    """One step in a transaction of its own, again after a moment when many people are booking."""
    for left in reversed(range(TRIES)):
        try:
            async with office.work() as work:
                await office.renew(work)
                return await step(work, registration_id)
        except TrainingRefusal as refusal:
            if refusal.code != "BUSY" or not left:
                raise
        await asyncio.sleep(1)
    raise AssertionError("a step ends or raises")


async def _read(work: UnitOfWork, registration_id: UUID) -> tuple[OutsideRegistration, OutsideEvent, Wanted]:
    row = await work.session.get_one(OutsideRegistration, (work.tenant_id, registration_id), populate_existing=True)
    event = await work.session.get_one(OutsideEvent, (work.tenant_id, row.event_id))
    if row.left_out:
        return row, event, Wanted(place=False, present=row.marked_part is not None)
    return row, event, wants(told_by(row), gone=row.gone_at is not None)


async def part(work: UnitOfWork, registration_id: UUID) -> None:
    """Where another name stands on a registration, somebody else comes: what was done for the former is undone."""
    row, event, _ = await _read(work, registration_id)
    if row.learner_id is None or same_person(row.placed_name or "", told_by(row).who):
        return
    await lock(work, [event.session_id])
    row, event, _ = await _read(work, registration_id)
    if row.learner_id is None or same_person(row.placed_name or "", told_by(row).who):
        return
    await _end_booking(work, row)
    await _unmark(work, row, event)
    row.learner_id = row.placed_name = row.employer_id = None
    row.pending, row.left_out = True, False


async def identify(work: UnitOfWork, registration_id: UUID) -> bool:
    """Find or make the learner of a registration that asks for something; False if a person has to say who it is."""
    row, _, wanted = await _read(work, registration_id)
    if row.learner_id is not None or not (wanted.place or wanted.present):
        return True
    await lock_register(work)
    row, _, wanted = await _read(work, registration_id)  # whoever held the register may have changed it
    if row.learner_id is not None or not (wanted.place or wanted.present):
        return True
    who = told_by(row).who
    employer_id = await employer_named(work, who)
    person = person_of(who, employer_id)
    (placed,) = await place_learners(work, [person])
    if placed.learner_id is None:
        code = main_reason(placed.decision)
        row.problem, row.problem_text, row.pending = code, sentence_of(code), True
        row.candidates = [
            {"learner_id": str(learner), "score": score} for learner, score in placed.decision.suggestions
        ]
        return False
    await keep_learner(work, row, placed.learner_id, employer_id if placed.decision.kind == "new" else None)
    return True


def person_of(who: Who, employer_id: UUID | None) -> PersonInFile:
    """A registration's person as the directory weighs them."""
    candidate = Candidate(None, who.email, who.key, str(employer_id) if employer_id else "")
    return PersonInFile(candidate, who.given_name or None, who.family_name or None, who.name or None)


async def keep_learner(work: UnitOfWork, row: OutsideRegistration, learner_id: UUID, employer_id: UUID | None) -> None:
    """A registration is a learner's. `employer_id`: where somebody new says that they work.

    The employment of somebody known is not touched: a form that anybody can fill in proves nothing about it.
    """
    who = told_by(row).who
    row.learner_id, row.placed_name, row.employer_id = learner_id, who.key, employer_id
    row.problem = row.problem_text = None
    row.candidates = []
    await work.session.flush()
    if employer_id is not None:
        at_work = AtWork(learner_id, employer_id, london_date(work.now), who.job_role or None)
        await bear_witness(work, [at_work], await job_role_codes(work))
        standing.request(work, learner_id, f"outside:{row.id}")


async def employer_named(work: UnitOfWork, who: Who) -> UUID | None:
    """The employer that a registration names, if it names one."""
    if not who.workplace:
        return None
    location_id = location_id_of(who.workplace)
    wanted = EmployerInFile(None if location_id else who.workplace, location_id)
    return (await place_employers(work, [wanted]))[wanted].id


async def follow(work: UnitOfWork, registration_id: UUID) -> None:
    """Book the place that a registration asks for, or end its booking. Raises TrainingRefusal as `book`."""
    _, event, _ = await _read(work, registration_id)
    session_state = (await lock(work, [event.session_id]))[event.session_id].state
    row, event, wanted = await _read(work, registration_id)
    revision, problem = row.revision, None
    if not wanted.place:
        await _end_booking(work, row)
    elif row.learner_id is not None:
        cancelled = session_state == "cancelled"
        problem = CANCELLED_HERE if cancelled else await _hold_place(work, row, event, row.learner_id)
    await work.session.flush()
    code, sentence = problem or (None, None)
    await work.session.execute(
        update(OutsideRegistration)
        .where(OutsideRegistration.id == registration_id, OutsideRegistration.revision == revision)
        .values(pending=problem is not None, problem=code, problem_text=sentence)
        .execution_options(synchronize_session=False)
    )


async def _hold_place(
    work: UnitOfWork, row: OutsideRegistration, event: OutsideEvent, learner_id: UUID
) -> tuple[str, str] | None:
    before = None if row.booking_id is None else await work.session.get(Booking, (work.tenant_id, row.booking_id))
    if before is not None and (before.state in LIVE or before.state in MOVED_ON):
        return None
    live = select(Booking.id).where(
        Booking.session_id == event.session_id, Booking.learner_id == learner_id, Booking.state.in_(LIVE)
    )
    found = (await work.session.scalars(live)).first()
    if found is not None:
        row.booking_id, row.booked_here = found, False
        return None
    if before is not None:
        return ENDED_HERE
    (made,) = await book(work, Request(event.session_id, (learner_id,), "team", row.employer_id))
    row.booking_id, row.booked_here = made, True
    return None


async def _end_booking(work: UnitOfWork, row: OutsideRegistration) -> None:
    """End the booking that was made for a registration, unless another one of the person stands for it still."""
    if row.booking_id is None:
        return
    booking_id, made = row.booking_id, row.booked_here
    row.booking_id, row.booked_here = None, False
    await work.session.flush()
    if not made:
        return
    heirs = await work.session.scalars(
        select(OutsideRegistration)
        .where(
            OutsideRegistration.booking_id == booking_id,
            OutsideRegistration.state == "registered",
            OutsideRegistration.gone_at.is_(None),
            OutsideRegistration.left_out.is_(False),
        )
        .order_by(OutsideRegistration.id)
    )
    heir = heirs.first()
    if heir is not None:
        heir.booked_here = True
        return
    try:
        await cancel(work, booking_id, "the registration was cancelled")
    except TrainingRefusal as refusal:
        if refusal.code not in _TOO_LATE:
            raise


async def see(work: UnitOfWork, registration_id: UUID) -> None:
    """Note whom the outside system saw at the door, and take that back if it does."""
    row, event, wanted = await _read(work, registration_id)
    if row.learner_id is None or wanted.present == (row.marked_part is not None):
        return
    await lock(work, [event.session_id])
    row, event, wanted = await _read(work, registration_id)  # another job may have marked it meanwhile
    if row.learner_id is None:
        return
    if not wanted.present:
        await _unmark(work, row, event)
    elif row.marked_part is None:
        session = await work.session.get_one(TrainingSession, (work.tenant_id, event.session_id))
        assert row.checked_in_at is not None
        half = half_at(session.second_part_at, row.checked_in_at)
        await mark(work, event.session_id, [Seen(row.learner_id, half, True, row.booking_id)], "scan")
        row.marked_part = half


async def _unmark(work: UnitOfWork, row: OutsideRegistration, event: OutsideEvent) -> None:
    """Take the check-in back from the half that it was marked in, whenever that is learned."""
    if row.marked_part is None or row.learner_id is None:
        return
    await mark(work, event.session_id, [Seen(row.learner_id, row.marked_part, False, row.booking_id)], "scan")
    row.marked_part = None


async def _keep_problem(work: UnitOfWork, registration_id: UUID, code: str, sentence: str) -> None:
    await work.session.execute(
        update(OutsideRegistration)
        .where(OutsideRegistration.id == registration_id)
        .values(pending=code not in _TOO_LATE, problem=code, problem_text=sentence)
        .execution_options(synchronize_session=False)
    )
