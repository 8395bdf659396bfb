"""Rules of places: who gets one now, who is next, and why somebody has none. Pure functions."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.training.errors import Reason


@dataclass(frozen=True, slots=True)
class Reserve:
    """Places kept for some: how many there are and how many of them are taken."""

    id: UUID
    places: int
    taken: int

    @property
    def free(self) -> int:
        """Places of it that nobody has."""
        return max(0, self.places - self.taken)


@dataclass(frozen=True, slots=True)
class Room:
    """The places of a session at one moment: all, taken (confirmed or offered), and the reserves still kept."""

    capacity: int
    taken: int
    reserves: tuple[Reserve, ...] = ()

    @property
    def free(self) -> int:
        """Places that nobody has, kept or not."""
        return max(0, self.capacity - self.taken)

    @property
    def open_to_all(self) -> int:
        """Places that nobody has and that are kept for nobody."""
        return max(0, self.free - sum(reserve.free for reserve in self.reserves))


def seat(room: Room, people: Sequence[Collection[UUID]]) -> tuple[Room, tuple[UUID | None, ...]] | None:
    """Give each of `people` (the reserves each may draw on) a place, or nobody: the reserve that each draws on.

    A reserve is drawn on before the open places, the fullest first, so that open places last for those who have none.
    """
    drawn: list[UUID | None] = []
    for allowed in people:
        if room.free == 0:
            return None
        usable = [reserve for reserve in room.reserves if reserve.id in allowed and reserve.free > 0]
        if usable:
            chosen = min(usable, key=lambda reserve: (reserve.free, reserve.id))
            reserves = tuple(
                Reserve(reserve.id, reserve.places, reserve.taken + (reserve is chosen)) for reserve in room.reserves
            )
            room, found = Room(room.capacity, room.taken + 1, reserves), chosen.id
        elif room.open_to_all > 0:
            room, found = Room(room.capacity, room.taken + 1, room.reserves), None
        else:
            return None
        drawn.append(found)
    return room, tuple(drawn)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A booking that waits: its place in the order, its party (its own id if alone), the reserves it may draw on."""

    id: UUID
    number: int
    party: UUID
    reserves: frozenset[UUID]


def next_in_order(room: Room, waiting: Iterable[Waiting]) -> list[tuple[Waiting, UUID | None]]:
    """Who of `waiting`, in order, gets a place now, with the reserve that each draws on.

    A party stands where its first member stands and gets places for all of it or none. Somebody is passed only if no
    place is free that they may have: a party that is too large, or all that is free being kept for others.
    """
    parties: dict[UUID, list[Waiting]] = {}
    for item in sorted(waiting, key=lambda item: item.number):
        parties.setdefault(item.party, []).append(item)
    placed: list[tuple[Waiting, UUID | None]] = []
    for members in parties.values():
        if room.free == 0:
            break
        found = seat(room, [member.reserves for member in members])
        if found is not None:
            room, drawn = found
            placed.extend(zip(members, drawn, strict=True))
    return placed


@dataclass(frozen=True, slots=True)
class Gate:
    """When a session can be booked: its state and its times."""

    state: str
    starts_at: datetime
    opens_at: datetime | None
    closes_at: datetime


def closed_because(gate: Gate, now: datetime, *, by_team: bool) -> Reason | None:
    """Why nobody can book now; the programme's team may until the session begins."""
    if gate.state == "draft":
        return Reason("NOT_PUBLISHED", "The session is not published yet. Ask the programme's team when it will be.")
    if gate.state == "cancelled":
        return Reason("SESSION_CANCELLED", "The session was cancelled. Choose another one.")
    if now >= gate.starts_at:
        return Reason("SESSION_BEGUN", "The session has begun. Choose another one.")
    if by_team:
        return None
    if gate.opens_at is not None and now < gate.opens_at:
        return Reason("NOT_OPEN_YET", "Booking has not opened yet. Look at when it opens, and come back then.")
    if now >= gate.closes_at:
        return Reason("BOOKING_CLOSED", "Booking has closed. Ask the programme's team, or choose another session.")
    return None


def gives_places_on(gate: Gate, now: datetime) -> bool:
    """Whether places that come free still go to those who wait: until booking closes, at a session that is on."""
    return gate.state == "published" and now < gate.closes_at and now < gate.starts_at


def why_no_place(
    room: Room, waiting: Sequence[Waiting], mine: Sequence[Waiting], *, policy: str, still_given: bool
) -> list[Reason]:
    """Why a booking that waits has no place, in words: everything that stands in the way, the plainest first."""
    ahead = len({item.party for item in waiting if item.number < mine[0].number} - {mine[0].party})
    reasons = []
    if not still_given:
        reasons.append(
            Reason("BOOKING_CLOSED", "Booking has closed, so places are given by the programme's team only. Ask them.")
        )
    if room.free == 0:
        reasons.append(Reason("FULL", f"All {room.capacity} places are taken. One comes free when somebody cancels."))
    if ahead:
        people = "1 booking waits" if ahead == 1 else f"{ahead} bookings wait"
        reasons.append(Reason("OTHERS_FIRST", f"{people} before this one. Places are given in that order."))
    if room.free and len(mine) > room.free:
        reasons.append(
            Reason(
                "PARTY_TOO_LARGE",
                f"{len(mine)} people are booked together and {room.free} places are free. "
                "They get places together, or none; book some of them apart to go ahead.",
            )
        )
    kept = room.free - room.open_to_all
    if kept > 0 and seat(room, [item.reserves for item in mine]) is None and len(mine) <= room.free:
        reasons.append(
            Reason("KEPT_FOR_OTHERS", f"{kept} free places are kept for others for now. They open to all later.")
        )
    if not reasons:
        word = "offered" if policy == "offer" else "given"
        reasons.append(Reason("NEXT", f"A place is free and is being {word}. Look again in a moment."))
    return reasons


def capacity_refusal(capacity: int, taken: int) -> Reason | None:
    """Why a session cannot have this capacity: people have been given places."""
    if capacity >= taken:
        return None
    over = taken - capacity
    return Reason(
        "PLACES_TAKEN", f"{taken} places are taken. Move or cancel {over} bookings first, or choose {taken} or more."
    )
