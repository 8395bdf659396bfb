"""The lock of a session's places, what stands behind it, and the giving of places that are free.

Protocol (docs/adr/0011): whoever changes bookings or capacity first locks the `session_places` rows concerned, in the
order of the sessions' ids, once; reads what is taken after that; and only then writes. Nothing else is locked before.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError

from app.training.booking.models import HOLDS_A_PLACE, Booking, PlaceOffer, PlaceReserve, SessionPlaces
from app.training.booking.rules import Gate, Reserve, Room, Waiting, gives_places_on, next_in_order
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

LOCK_SECONDS = 3
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Bookable:
    """A session with its places, as it stands."""

    session: TrainingSession
    places: SessionPlaces

    @property
    def gate(self) -> Gate:
        """When it can be booked."""
        return Gate(self.session.state, self.session.starts_at, self.places.opens_at, self.places.closes_at)


def new_reference() -> str:
    """Eight letters and digits that are not taken for each other; 4e11 of them, so that none is found by guessing."""
    return "".join(secrets.choice(_LETTERS) for _ in range(REFERENCE_LENGTH))


def _no_such_session() -> TrainingRefusal:
    return TrainingRefusal(
        "NO_SUCH_SESSION", "There is no such session that can be booked. Choose one from the list.", "session"
    )


async def look(work: UnitOfWork, session_id: UUID) -> Bookable:
    """A session that can be booked, without a lock. Raises TrainingRefusal `NO_SUCH_SESSION`."""
    found = (
        await work.session.execute(
            select(TrainingSession, SessionPlaces)
            .join(
                SessionPlaces,
                (SessionPlaces.tenant_id == TrainingSession.tenant_id)
                & (SessionPlaces.session_id == TrainingSession.id),
            )
            .where(TrainingSession.id == session_id)
        )
    ).first()
    if found is None:
        raise _no_such_session()
    return Bookable(found[0], found[1])


async def lock(work: UnitOfWork, session_ids: Collection[UUID]) -> dict[UUID, Bookable]:
    """Lock the places of sessions, in the order of their ids, and give them as they stand now.

    Raises TrainingRefusal `NO_SUCH_SESSION`, or `BUSY` when others hold a lock for longer than three seconds.
    """
    wanted = sorted(set(session_ids))
    try:
        await work.session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        rows = await work.session.scalars(
            select(SessionPlaces)
            .where(among(SessionPlaces.session_id, wanted))
            .order_by(SessionPlaces.session_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        places = {row.session_id: row for row in rows}
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise TrainingRefusal(
                "BUSY", "Many people are booking at this moment. Nothing was changed; try again in a few seconds."
            ) from error
        raise
    sessions = await work.session.scalars(
        select(TrainingSession).where(among(TrainingSession.id, list(places))).execution_options(populate_existing=True)
    )
    found = {session.id: Bookable(session, places[session.id]) for session in sessions}
    if len(found) != len(wanted):
        raise _no_such_session()
    return found


async def room_of(work: UnitOfWork, bookable: Bookable) -> Room:
    """The places of a locked session as they are taken now, with the reserves that are still kept."""
    counted = await work.session.execute(
        select(Booking.reserve_id, func.count().label("people"))
        .where(Booking.session_id == bookable.session.id, Booking.state.in_(HOLDS_A_PLACE))
        .group_by(Booking.reserve_id)
    )
    taken = {row.reserve_id: row.people for row in counted}
    reserves = await work.session.execute(
        select(PlaceReserve.id, PlaceReserve.places)
        .where(PlaceReserve.session_id == bookable.session.id, PlaceReserve.until > work.now)
        .order_by(PlaceReserve.id)
    )
    return Room(
        bookable.places.capacity,
        sum(taken.values()),
        tuple(Reserve(row.id, row.places, taken.get(row.id, 0)) for row in reserves),
    )


def next_number(bookable: Bookable) -> int:
    """The next number of a locked session."""
    number = bookable.places.next_number
    bookable.places.next_number = number + 1
    return number


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
    if bookable.places.waiting_list == "none" or not gives_places_on(bookable.gate, work.now):
        return 0
    await work.session.flush()
    chosen = await next_waiting(work, bookable.session.id, room or await room_of(work, bookable))
    if chosen:
        await _give(work, bookable, chosen)
    return len(chosen)


async def _give(work: UnitOfWork, bookable: Bookable, chosen: Sequence[tuple[Waiting, UUID | None]]) -> None:
    offers = bookable.places.waiting_list == "offer"
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
        hours = bookable.places.offer_hours or 0
        offer = PlaceOffer(
            tenant_id=work.tenant_id,
            id=new_id(),
            booking_id=booking.id,
            state="open",
            offered_at=work.now,
            expires_at=min(work.now + timedelta(hours=hours), bookable.places.closes_at),
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


def note(work: UnitOfWork, booking: Booking, before: str | None) -> None:
    """The audit row of a booking's new state."""
    after: dict[str, Any] = {"state": booking.state, "session": str(booking.session_id)}
    if booking.ended_because is not None:
        after["because"] = booking.ended_because
    work.record(
        Action.BOOKING_MADE if before is None else Action.BOOKING_CHANGED,
        "booking",
        booking.id,
        before=None if before is None else {"state": before},
        after=after,
    )


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
