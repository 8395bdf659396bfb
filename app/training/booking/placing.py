"""Making bookings: for whom, from which reserves, and placing them in order. For use under a session's lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import and_, select

from app.directory.models import CqcLocation, Employer, ProviderGroupLocation, TenantLocation
from app.training.booking.models import Booking, PlaceReserve
from app.training.booking.places import Bookable, give_places, new_reference, standing_of, take_numbers
from app.training.booking.rules import Waiting, next_in_order
from app.training.errors import Reason, TrainingRefusal
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import SCHEMA, among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

PARTY_AT_MOST = 50
"""People booked together."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who is to be booked for what. `booked_by` is learner, manager or team; a manager names the employer.

    `wait`: take a place in the waiting list if there is no other. `together`: all get a place or none.
    """

    session_id: UUID
    learner_ids: tuple[UUID, ...]
    booked_by: str
    employer_id: UUID | None = None
    wait: bool = True
    together: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A booking about to be made, for one learner."""

    id: UUID
    session_id: UUID
    learner_id: UUID
    employer_id: UUID | None
    party_id: UUID | None
    reserves: frozenset[UUID]
    booked_by: str
    booked_at: datetime
    state: str = "waiting"
    reserve_id: UUID | None = None
    follows_id: UUID | None = None


_AT_WORK = f"""
    SELECT l.id, e.employer_id FROM {SCHEMA}.learner l
      LEFT JOIN {SCHEMA}.employment e
             ON e.tenant_id = l.tenant_id AND e.learner_id = l.id AND e.started_on <= $3
            AND (e.ended_on IS NULL OR e.ended_on >= $3)
     WHERE l.tenant_id = $1 AND l.id = ANY($2::uuid[]) AND l.merged_into_id IS NULL
"""
"""Sent with every booking, so it is not built anew each time."""


def nobody_twice(booked: Mapping[UUID, str]) -> None:
    """Raise TrainingRefusal `ALREADY_BOOKED` if anybody is."""
    reasons = [
        Reason("ALREADY_BOOKED", f"This learner's booking of the session is {state}.", None, learner_id)
        for learner_id, state in booked.items()
    ]
    if reasons:
        raise TrainingRefusal(
            "ALREADY_BOOKED",
            "Somebody named is booked for this session already. Leave them out, or look at their booking.",
            "learners",
            reasons,
        )


async def employers_of(work: UnitOfWork, learner_ids: Sequence[UUID], request: Request) -> dict[UUID, UUID | None]:
    """The employer that each learner is booked for: the one named, or the only one they have."""
    rows = await work.fetch(_AT_WORK, list(learner_ids), london_date(work.now))
    at_work: dict[UUID, set[UUID]] = {}
    for learner_id, employer_id in rows:
        at_work.setdefault(learner_id, set()).update({employer_id} - {None})
    if missing := [learner_id for learner_id in learner_ids if learner_id not in at_work]:
        raise TrainingRefusal(
            "NO_SUCH_LEARNER",
            "There is no such learner, or the record was merged into another. Choose from the list.",
            "learners",
            [Reason("NO_SUCH_LEARNER", "There is no such learner.", None, learner_id) for learner_id in missing],
        )
    if request.booked_by == "manager":
        strangers = [learner_id for learner_id in learner_ids if request.employer_id not in at_work[learner_id]]
        if request.employer_id is None or strangers:
            raise TrainingRefusal(
                "NOT_YOUR_STAFF",
                "A manager books people who work for the employer named today. Name the employer, or ask the "
                "programme's team to enter who works there.",
                "learners",
                [Reason("NOT_YOUR_STAFF", "Does not work there today.", None, learner_id) for learner_id in strangers],
            )
    return {
        learner_id: request.employer_id or (next(iter(at_work[learner_id])) if len(at_work[learner_id]) == 1 else None)
        for learner_id in learner_ids
    }


async def _reserves(
    work: UnitOfWork, bookable: Bookable, learner_ids: Sequence[UUID], employers: Mapping[UUID, UUID | None]
) -> dict[UUID, list[UUID]]:
    """The reserves of a session that each learner may draw on, by where they work."""
    allowed: dict[UUID, list[UUID]] = {learner_id: [] for learner_id in learner_ids}
    if not bookable.has_reserves:
        return allowed
    kept = (
        await work.session.scalars(select(PlaceReserve).where(PlaceReserve.session_id == bookable.session_id))
    ).all()
    marks: dict[UUID, set[tuple[str, str | None]]] = {}
    rows = await work.session.execute(
        select(
            Employer.id,
            CqcLocation.primary_setting,
            CqcLocation.local_authority,
            ProviderGroupLocation.provider_group_id,
        )
        .join(
            TenantLocation,
            and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(
            ProviderGroupLocation,
            and_(
                ProviderGroupLocation.tenant_id == TenantLocation.tenant_id,
                ProviderGroupLocation.tenant_location_id == TenantLocation.id,
            ),
        )
        .where(among(Employer.id, {employer_id for employer_id in employers.values() if employer_id}))
    )
    for employer_id, setting, authority, group_id in rows:
        marks.setdefault(employer_id, set()).update(
            {("setting", setting), ("local_authority", authority), ("provider_group", str(group_id))}
        )
    for learner_id in learner_ids:
        employer = employers[learner_id]
        own = marks.get(employer, set()) if employer else set()
        allowed[learner_id] = [reserve.id for reserve in kept if (reserve.kind, reserve.value) in own]
    return allowed


async def people_for(
    work: UnitOfWork,
    bookable: Bookable,
    learner_ids: Sequence[UUID],
    employers: Mapping[UUID, UUID | None],
    booked_by: str,
    party_id: UUID | None = None,
) -> list[Person]:
    """Bookings to be made, which wait until they are given places."""
    reserves = await _reserves(work, bookable, learner_ids, employers)
    return [
        Person(
            id=new_id(),
            session_id=bookable.session_id,
            learner_id=learner_id,
            employer_id=employers[learner_id],
            party_id=party_id,
            reserves=frozenset(reserves[learner_id]),
            booked_by=booked_by,
            booked_at=work.now,
        )
        for learner_id in learner_ids
    ]


async def place(work: UnitOfWork, bookable: Bookable, people: Sequence[Person], *, wait: bool) -> list[UUID]:
    """Store new bookings, confirmed if there is room after those who wait. Raises TrainingRefusal `FULL`."""
    standing = await standing_of(work, bookable.session_id, [person.learner_id for person in people])
    nobody_twice(standing.booked)
    room = standing.room
    if room.free and standing.somebody_waits:
        # Whoever waited comes first, as when a reserve has ended this moment and nobody has looked yet.
        await give_places(work, bookable, room)
        room = (await standing_of(work, bookable.session_id)).room
    numbers = await take_numbers(work, bookable, len(people))
    waiting = [
        Waiting(person.id, number, person.party_id or person.id, person.reserves)
        for person, number in zip(people, numbers, strict=True)
    ]
    placed = {item.id: reserve_id for item, reserve_id in next_in_order(room, waiting)}
    nobody_waits = bookable.waiting_list == "none"
    if len(placed) < len(people) and (nobody_waits or not wait):
        raise TrainingRefusal(
            "FULL",
            f"{_free_places(room.free)} and {'there is no waiting list' if nobody_waits else 'you chose not to wait'}. "
            "Choose another session.",
            "session",
        )
    made = [
        replace(person, state="confirmed", reserve_id=placed[person.id]) if person.id in placed else person
        for person in people
    ]
    await store(work, made, numbers)
    return [person.id for person in made]


async def store(work: UnitOfWork, people: Sequence[Person], numbers: Sequence[int]) -> None:
    """Write bookings with their numbers, and tell of them."""
    await work.insert_rows(
        Booking,
        (
            "id", "session_id", "learner_id", "employer_id", "state", "number", "party_id", "reserves", "reserve_id",
            "reference", "booked_by", "booked_at", "confirmed_at", "late", "follows_id",
        ),
        (
            (
                person.id, person.session_id, person.learner_id, person.employer_id, person.state, number,
                person.party_id, orjson.dumps(sorted(map(str, person.reserves))).decode(), person.reserve_id,
                new_reference(), person.booked_by, person.booked_at,
                work.now if person.state == "confirmed" else None, False, person.follows_id,
            )
            for person, number in zip(people, numbers, strict=True)
        ),
    )  # fmt: skip
    for person in people:
        told = {"state": person.state, "session": str(person.session_id)}
        work.record(Action.BOOKING_MADE, "booking", person.id, after=told)
        confirmed = person.state == "confirmed"
        kind = EventType.BOOKING_CONFIRMED if confirmed else EventType.BOOKING_WAITING
        announce(work, kind, f"Booking:{person.id}")


def _free_places(count: int) -> str:
    return "No place is free" if count == 0 else f"Not enough places are free for this booking ({count})"
