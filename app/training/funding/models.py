"""Tables of money: funding streams, licence pools and who is charged to them, rates, time logged. Pounds, pence."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from app.training.sessions.models import PROFESSIONS
from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

ACTIVITIES = ("preparation", "delivery", "administration")
HELD = ("charged", "waiting")
"""States of an enrolment that is still on: at most one for a learner and pool."""


class FundingStream(TenantOwned, Base):
    """Money of a funder for a period. `eligible_settings`: whose staff it is for; empty: everybody's.

    The courses that it is for stand in `funded_course`; none: all.
    """

    __tablename__ = "funding_stream"
    __table_args__ = tenant_table(
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        tenant_unique("name"),
        tenant_index("starts_on", "id"),
    )

    name: Mapped[str]
    funder: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    eligible_settings: Mapped[list[Any]]
    version: Mapped[int]
    created_at: Mapped[datetime]


class FundedCourse(TenantOwned, Base):
    """A course that a stream pays for."""

    __tablename__ = "funded_course"
    __table_args__ = tenant_table(
        to_tenant("stream_id", "funding_stream"),
        to_tenant("course_id", "course"),
        tenant_unique("stream_id", "course_id"),
        tenant_index("course_id"),
    )

    stream_id: Mapped[UUID]
    course_id: Mapped[UUID]


class LicencePool(TenantOwned, Base):
    """Seats bought of a course. Its row is the lock: whoever gives or frees a seat locks it first, then counts.

    `beyond`: who comes when all seats are charged is refused, or waits. `cost_per_seat` null: not known.
    """

    __tablename__ = "licence_pool"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        to_tenant("stream_id", "funding_stream"),
        CheckConstraint("seats >= 0", name="seats"),
        CheckConstraint("beyond in ('refuse', 'wait')", name="beyond"),
        CheckConstraint("cost_per_seat is null or cost_per_seat >= 0", name="cost"),
        CheckConstraint("ends_on >= starts_on", name="dates"),
        tenant_unique("name"),
        tenant_index("course_id"),
        tenant_index("stream_id"),
        tenant_index("starts_on", "id"),
    )

    name: Mapped[str]
    course_id: Mapped[UUID]
    stream_id: Mapped[UUID | None]
    seats: Mapped[int]
    beyond: Mapped[str]
    cost_per_seat: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    next_number: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]


class LicenceEnrolment(TenantOwned, Base):
    """A learner's seat of a pool, or the wish for one; `number` is the order of those who wait."""

    __tablename__ = "licence_enrolment"
    __table_args__ = tenant_table(
        to_tenant("pool_id", "licence_pool"),
        to_tenant("learner_id", "learner"),
        CheckConstraint("state in ('charged', 'waiting', 'released')", name="state"),
        CheckConstraint("(state = 'released') = (released_at is not null)", name="released"),
        tenant_unique("pool_id", "number"),
        tenant_index(
            "pool_id", "learner_id", name="licence_enrolment_live_index", unique=True, where=f"state in {HELD}"
        ),
        tenant_index("pool_id", "state", "number"),
        tenant_index("learner_id"),
        tenant_index("enrolled_at", "id"),
    )

    pool_id: Mapped[UUID]
    learner_id: Mapped[UUID]
    state: Mapped[str]
    number: Mapped[int]
    enrolled_at: Mapped[datetime]
    charged_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]


class StaffRate(TenantOwned, Base):
    """What an hour of a profession costs from a day on."""

    __tablename__ = "staff_rate"
    __table_args__ = tenant_table(
        CheckConstraint(f"profession in {PROFESSIONS}", name="profession"),
        CheckConstraint("hourly_rate > 0", name="hourly_rate"),
        tenant_unique("profession", "valid_from"),
        tenant_index("valid_from", "id"),
    )

    profession: Mapped[str]
    hourly_rate: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    valid_from: Mapped[date]
    created_at: Mapped[datetime]


class TimeLog(TenantOwned, Base):
    """Minutes that somebody of the team spent on a session, by kind of work; one row for each kind."""

    __tablename__ = "time_log"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("team_member_id", "team_member"),
        CheckConstraint(f"activity in {ACTIVITIES}", name="activity"),
        CheckConstraint("minutes > 0", name="minutes"),
        tenant_unique("session_id", "team_member_id", "activity"),
        tenant_index("team_member_id"),
        tenant_index("logged_at", "id"),
    )

    session_id: Mapped[UUID]
    team_member_id: Mapped[UUID]
    activity: Mapped[str]
    minutes: Mapped[int]
    logged_at: Mapped[datetime]
