"""Tables of places: a session's capacity and rules, reserves, bookings, offers, and marks of attendance."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

LIVE = ("confirmed", "waiting", "offered")
"""States of a booking that is still on: at most one for a learner and session."""

HOLDS_A_PLACE = ("confirmed", "offered")

ENDED = ("cancelled", "declined", "expired", "transferred", "swapped")

RESERVE_KINDS = ("setting", "provider_group", "local_authority")


class SessionPlaces(TenantOwned, Base):
    """How many places a session has and how they are given. Its row is the lock: see docs/adr/0012.

    `next_number` is the number that the next booking gets; the order of numbers is the order of the waiting list.
    """

    __tablename__ = "session_places"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("waiting_list in ('none', 'promote', 'offer')", name="waiting_list"),
        CheckConstraint("(waiting_list = 'offer') = (offer_hours is not null)", name="offer_hours"),
        tenant_unique("session_id"),
    )

    session_id: Mapped[UUID]
    capacity: Mapped[int]
    waiting_list: Mapped[str]
    offer_hours: Mapped[int | None]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime]
    cancel_until: Mapped[datetime]
    next_number: Mapped[int]


class PlaceReserve(TenantOwned, Base):
    """Places kept for some until a moment: for a setting, a provider group or a local authority."""

    __tablename__ = "place_reserve"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        CheckConstraint(f"kind in {RESERVE_KINDS}", name="kind"),
        CheckConstraint("places >= 1", name="places"),
        tenant_unique("session_id", "kind", "value"),
    )

    session_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[str]
    places: Mapped[int]
    until: Mapped[datetime]


class Booking(TenantOwned, Base):
    """A learner's place at a session, or the wish for one.

    `number` is its place in the order of the session. Bookings of one `party_id` are given places together or not at
    all. `reserves` lists the reserves that it may draw on, `reserve_id` the one that it does. `reference` is what the
    learner shows or types to check in. `follows_id` is the booking that it came from, by transfer or swap.
    """

    __tablename__ = "booking"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        to_tenant("reserve_id", "place_reserve"),
        to_tenant("follows_id", "booking"),
        CheckConstraint(f"state in {(*LIVE, *ENDED)}", name="state"),
        CheckConstraint("booked_by in ('learner', 'manager', 'team')", name="booked_by"),
        CheckConstraint(f"(ended_at is null) = (state in {LIVE})", name="ended"),
        tenant_unique("session_id", "number"),
        tenant_unique("reference"),
        tenant_index(
            "session_id",
            "learner_id",
            name="booking_live_learner_index",
            unique=True,
            where=f"state in {LIVE}",
        ),
        tenant_index("session_id", "state", "number"),
        tenant_index("learner_id", "booked_at", "id"),
        tenant_index("employer_id"),
        tenant_index("party_id"),
        tenant_index("booked_at", "id"),
        tenant_index("follows_id"),
        tenant_index("reserve_id"),
    )

    session_id: Mapped[UUID]
    learner_id: Mapped[UUID]
    employer_id: Mapped[UUID | None]
    state: Mapped[str]
    number: Mapped[int]
    party_id: Mapped[UUID | None]
    reserves: Mapped[list[Any]]
    reserve_id: Mapped[UUID | None]
    reference: Mapped[str]
    booked_by: Mapped[str]
    booked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    asked_again_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    work_group: Mapped[int | None] = mapped_column(SmallInteger)
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    late: Mapped[bool]
    follows_id: Mapped[UUID | None]


class PlaceOffer(TenantOwned, Base):
    """A place offered to somebody who waited; it holds the place while it is open."""

    __tablename__ = "place_offer"
    __table_args__ = tenant_table(
        to_tenant("booking_id", "booking"),
        CheckConstraint("state in ('open', 'accepted', 'declined', 'expired', 'withdrawn')", name="state"),
        CheckConstraint("(decided_at is null) = (state = 'open')", name="decided"),
        tenant_index("booking_id", name="place_offer_open_index", unique=True, where="state = 'open'"),
        tenant_index("booking_id", "offered_at"),
    )

    booking_id: Mapped[UUID]
    state: Mapped[str]
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class AttendanceMark(TenantOwned, Base):
    """Somebody was seen, or not seen, at a half of a session. Marks are added, never changed; the last one counts.

    `part` is the half-day: 1, or 2 in a session of two. An override has no part and says why the session counts.
    """

    __tablename__ = "attendance_mark"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("learner_id", "learner"),
        to_tenant("booking_id", "booking"),
        CheckConstraint("method in ('self', 'scan', 'list', 'override')", name="method"),
        CheckConstraint("(part is null) = (method = 'override')", name="part"),
        CheckConstraint("method <> 'override' or reason is not null", name="reason"),
        tenant_index("session_id", "learner_id", "marked_at", "id"),
        tenant_index("learner_id"),
        tenant_index("booking_id"),
    )

    session_id: Mapped[UUID]
    learner_id: Mapped[UUID]
    booking_id: Mapped[UUID | None]
    part: Mapped[int | None] = mapped_column(SmallInteger)
    present: Mapped[bool]
    method: Mapped[str]
    reason: Mapped[str | None]
    marked_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
