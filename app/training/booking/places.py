"""The lock of a session's places, what stands behind it, and the giving of places that are free.

Protocol (docs/adr/0012): whoever changes bookings or capacity first locks the `session_places` rows concerned, in the
order of the sessions' ids, once; reads what is taken after that; and only then writes. Nothing else is locked before.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from asyncpg.exceptions import LockNotAvailableError
from sqlalchemy import select, update

from app.training.booking.models import HOLDS_A_PLACE, LIVE, Booking, PlaceOffer
from app.training.booking.rules import Gate, Reserve, Room, Waiting, gives_places_on, next_in_order
from app.training.errors import TrainingRefusal
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import SCHEMA, among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

LOCK_SECONDS = 3
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Bookable:
    """A session with its places, as it stands."""

    session_id: UUID
    state: str
    starts_at: datetime
    tier_id: UUID | None
    capacity: int
    waiting_list: str
    offer_hours: int | None
    opens_at: datetime | None
    closes_at: datetime
    cancel_until: datetime
    next_number: int
    has_reserves: bool

    @property
    def gate(self) -> Gate:
        """When it can be booked."""
        return Gate(self.state, self.starts_at, self.opens_at, self.closes_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is taken at a locked session, whether somebody waits, and which of the people asked about are booked."""

    room: Room
    somebody_waits: bool
    booked: dict[UUID, str]


_LOOK = f"""
    SELECT s.id AS session_id, s.state, s.starts_at, s.tier_id, p.capacity, p.waiting_list, p.offer_hours, p.opens_at,
           p.closes_at, p.cancel_until, p.next_number,
           EXISTS (SELECT FROM {SCHEMA}.place_reserve r WHERE r.tenant_id = $1 AND r.session_id = s.id) AS has_reserves
      FROM {SCHEMA}.session_places p
      JOIN {SCHEMA}.training_session s ON s.tenant_id = p.tenant_id AND s.id = p.session_id
     WHERE p.tenant_id = $1 AND p.session_id = ANY($2::uuid[])
"""
# Both rows are locked: a row that is only joined would be read as it was before the wait for the lock.
_LOCK = f"{_LOOK} ORDER BY p.session_id FOR NO KEY UPDATE OF p, s"
_STANDING = f"""
    SELECT p.capacity,
           (SELECT count(*) FROM {SCHEMA}.booking b
             WHERE b.tenant_id = $1 AND b.session_id = $2 AND b.state IN {HOLDS_A_PLACE}) AS taken,
           (SELECT json_agg(json_build_array(r.id, r.places,
                     (SELECT count(*) FROM {SCHEMA}.booking b
                       WHERE b.tenant_id = $1 AND b.reserve_id = r.id AND b.state IN {HOLDS_A_PLACE})) ORDER BY r.id)
              FROM {SCHEMA}.place_reserve r
             WHERE r.tenant_id = $1 AND r.session_id = $2 AND r.until > $3)::text AS reserves,
           EXISTS (SELECT FROM {SCHEMA}.booking b
                    WHERE b.tenant_id = $1 AND b.session_id = $2 AND b.state = 'waiting') AS somebody_waits,
           (SELECT json_agg(json_build_array(b.learner_id, b.state)) FROM {SCHEMA}.booking b
             WHERE b.tenant_id = $1 AND b.session_id = $2 AND b.learner_id = ANY($4::uuid[])
               AND b.state IN {LIVE})::text AS booked
      FROM {SCHEMA}.session_places p WHERE p.tenant_id = $1 AND p.session_id = $2
"""
_TAKE_NUMBERS = f"""
    UPDATE {SCHEMA}.session_places SET next_number = next_number + $3 WHERE tenant_id = $1 AND session_id = $2
"""
"""Sent with every booking, so they are not built anew each time."""


def new_reference() -> str:
    """Eight letters and digits that are not taken for each other; 4e11 of them, so that none is found by guessing."""
    return "".join(secrets.choice(_LETTERS) for _ in range(REFERENCE_LENGTH))


def _no_such_session() -> TrainingRefusal:
    return TrainingRefusal(
        "NO_SUCH_SESSION", "There is no such session that can be booked. Choose one from the list.", "session"
    )


async def look(work: UnitOfWork, session_id: UUID) -> Bookable:
    """A session that can be booked, without a lock. Raises TrainingRefusal `NO_SUCH_SESSION`."""
    found = await work.fetch(_LOOK, [session_id])
    if not found:
        raise _no_such_session()
    return Bookable(**dict(found[0]))


async def lock(work: UnitOfWork, session_ids: Collection[UUID]) -> dict[UUID, Bookable]:
    """Lock the places of sessions, in the order of their ids, and give them as they stand now.

    Raises TrainingRefusal `NO_SUCH_SESSION`, or `BUSY` when others hold a lock for longer than three seconds.
    """
    wanted = sorted(set(session_ids))
    try:
        await (await work.driver()).execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        rows = await work.fetch(_LOCK, wanted)
    except LockNotAvailableError as error:
        raise TrainingRefusal(
            "BUSY", "Many people are booking at this moment. Nothing was changed; try again in a few seconds."
        ) from error
    if len(rows) != len(wanted):
        raise _no_such_session()
    return {row["session_id"]: Bookable(**dict(row)) for row in rows}


async def standing_of(work: UnitOfWork, session_id: UUID, learner_ids: Collection[UUID] = ()) -> Standing:
    """What is taken at a session now; reserves that have ended keep nothing. Under its lock it stays so."""
    (row,) = await work.fetch(_STANDING, session_id, work.now, list(learner_ids))
    reserves = orjson.loads(row["reserves"] or "[]")
    return Standing(
        Room(
            row["capacity"],
            row["taken"],
            tuple(Reserve(UUID(reserve_id), places, taken) for reserve_id, places, taken in reserves),
        ),
        row["somebody_waits"],
        {UUID(learner_id): state for learner_id, state in orjson.loads(row["booked"] or "[]")},
    )


async def take_numbers(work: UnitOfWork, bookable: Bookable, count: int) -> range:
    """The next numbers of a locked session."""
    await (await work.driver()).execute(_TAKE_NUMBERS, work.tenant_id, bookable.session_id, count)
    return range(bookable.next_number, bookable.next_number + count)


async def waiting_of(work: UnitOfWork, session_id: UUID, limit: int | None = None) -> list[Waiting]:
    """Who waits at a session, in order."""
    rows = await work.session.execute(
        select(Booking.id, Booking.number, Booking.party_id, Booking.reserves)
        .where(Booking.session_id == session_id, Booking.state == "waiting")
        .order_by(Booking.number)
        .limit(limit)
    )
    return [
        Waiting(row.id, row.number, row.party_id or row.id, frozenset(UUID(value) for value in row.reserves))
        for row in rows
    ]


async def next_waiting(work: UnitOfWork, session_id: UUID, room: Room) -> list[tuple[Waiting, UUID | None]]:
    """Who gets the free places of a locked session. The whole list is read only if somebody must be passed."""
    if room.free == 0:
        return []
    first = await waiting_of(work, session_id, room.free)
    simple = not room.reserves and all(item.party == item.id for item in first)
    return next_in_order(room, first if simple else await waiting_of(work, session_id))


async def give_places(work: UnitOfWork, bookable: Bookable, room: Room | None = None) -> int:
    """Give the free places of a locked session to those who wait, as its policy says; how many were given."""
    if bookable.waiting_list == "none" or not gives_places_on(bookable.gate, work.now):
        return 0
    await work.session.flush()
    chosen = await next_waiting(work, bookable.session_id, room or (await standing_of(work, bookable.session_id)).room)
    if chosen:
        await _give(work, bookable, chosen)
    return len(chosen)


async def _give(work: UnitOfWork, bookable: Bookable, chosen: Sequence[tuple[Waiting, UUID | None]]) -> None:
    offers = bookable.waiting_list == "offer"
    bookings = {
        booking.id: booking
        for booking in await work.session.scalars(
            select(Booking).where(among(Booking.id, [item.id for item, _ in chosen]))
        )
    }
    for item, reserve_id in chosen:
        booking = bookings[item.id]
        booking.reserve_id = reserve_id
        if not offers:
            confirm(work, booking)
            continue
        hours = bookable.offer_hours or 0
        offer = PlaceOffer(
            tenant_id=work.tenant_id,
            id=new_id(),
            booking_id=booking.id,
            state="open",
            offered_at=work.now,
            expires_at=min(work.now + timedelta(hours=hours), bookable.closes_at),
            decided_at=None,
        )
        work.add(offer)
        booking.state = "offered"
        note(work, booking, "waiting")
        announce(work, EventType.BOOKING_OFFERED, f"Booking:{booking.id}")
        work.emit(Topic.PLACE_OFFER_EXPIRE, str(offer.id), at=offer.expires_at, offer_id=offer.id)
    await work.session.flush()


def confirm(work: UnitOfWork, booking: Booking) -> None:
    """Give a booking its place for good."""
    before = booking.state
    booking.state, booking.confirmed_at = "confirmed", work.now
    note(work, booking, before)
    announce(work, EventType.BOOKING_CONFIRMED, f"Booking:{booking.id}")


def note(work: UnitOfWork, booking: Booking, before: str) -> None:
    """The audit row of a booking's new state."""
    after: dict[str, Any] = {"state": booking.state, "session": str(booking.session_id)}
    if booking.ended_because is not None:
        after["because"] = booking.ended_because
    work.record(Action.BOOKING_CHANGED, "booking", booking.id, before={"state": before}, after=after)


async def end(work: UnitOfWork, bookings: Iterable[Booking], state: str, because: str, *, late: bool = False) -> None:
    """End bookings of a locked session; offers that are open close with them."""
    ended = list(bookings)
    for booking in ended:
        before = booking.state
        booking.state, booking.ended_at, booking.ended_because, booking.late = state, work.now, because, late
        booking.reserve_id = None
        note(work, booking, before)
        announce(work, EventType.BOOKING_ENDED, f"Booking:{booking.id}")
    offer_state = state if state in ("declined", "expired") else "withdrawn"
    await work.session.execute(
        update(PlaceOffer)
        .where(among(PlaceOffer.booking_id, [booking.id for booking in ended]), PlaceOffer.state == "open")
        .values(state=offer_state, decided_at=work.now)
        .execution_options(synchronize_session="fetch")
    )
    await work.session.flush()
