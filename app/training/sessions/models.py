"""Tables of sessions beside the session itself: venues, team members, series, facilitators, agenda."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

PROFESSIONS = ("pharmacist", "pharmacy_technician", "nurse", "dietitian", "care_professional", "other")
TEAM_ROLES = ("lead", "facilitator", "reviewer", "administrator")
SESSION_KINDS = ("training", "champions_day", "forum")


class Venue(TenantOwned, Base):
    """A place for face-to-face sessions. `day_cost` is in pounds for a whole day; 0 is free, null is not known."""

    __tablename__ = "venue"
    __table_args__ = tenant_table(
        CheckConstraint("capacity is null or capacity > 0", name="capacity"),
        CheckConstraint("day_cost is null or day_cost >= 0", name="day_cost"),
        tenant_unique("name"),
    )

    name: Mapped[str]
    address: Mapped[str | None]
    postcode: Mapped[str | None]
    local_authority: Mapped[str | None]
    capacity: Mapped[int | None]
    access_features: Mapped[list[Any]]
    day_cost: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    version: Mapped[int]
    created_at: Mapped[datetime]


class TeamMember(TenantOwned, Base):
    """Somebody of the programme team: lead, facilitator or reviewer, with profession and registration."""

    __tablename__ = "team_member"
    __table_args__ = tenant_table(
        CheckConstraint(f"profession in {PROFESSIONS}", name="profession"),
        CheckConstraint("whole_time_equivalent is null or whole_time_equivalent between 0 and 1", name="wte"),
        CheckConstraint("ended_on is null or ended_on >= started_on", name="dates"),
        tenant_index("name", "id"),
    )

    name: Mapped[str]
    profession: Mapped[str]
    roles: Mapped[list[Any]]
    whole_time_equivalent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    registration_body: Mapped[str | None]
    registration_number: Mapped[str | None]
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class SessionSeries(TenantOwned, Base):
    """Sessions that recur: an RRULE of iCalendar over a local start, which stays the same across clock changes.

    `excluded` lists local dates on which there is none. What a new session of the series gets stands here too.
    """

    __tablename__ = "session_series"
    __table_args__ = tenant_table(
        to_tenant("tier_id", "tier"),
        to_tenant("venue_id", "venue"),
        CheckConstraint("minutes > 0", name="minutes"),
        CheckConstraint(f"kind in {SESSION_KINDS}", name="kind"),
        CheckConstraint("online_mode in ('meeting', 'webinar', 'town_hall', 'none')", name="online_mode"),
        tenant_index("created_at", "id"),
    )

    title: Mapped[str]
    kind: Mapped[str]
    tier_id: Mapped[UUID | None]
    venue_id: Mapped[UUID | None]
    online_mode: Mapped[str]
    first_day: Mapped[date]
    local_time: Mapped[str]
    minutes: Mapped[int]
    rrule: Mapped[str]
    excluded: Mapped[list[Any]]
    version: Mapped[int]
    created_at: Mapped[datetime]


class SessionFacilitator(TenantOwned, Base):
    """Who leads a session."""

    __tablename__ = "session_facilitator"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("team_member_id", "team_member"),
        tenant_unique("session_id", "team_member_id"),
        tenant_index("team_member_id"),
    )

    session_id: Mapped[UUID]
    team_member_id: Mapped[UUID]


class AgendaItem(TenantOwned, Base):
    """A part of a session's day: when it begins, how long, in which half, and whether it is group work."""

    __tablename__ = "agenda_item"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        CheckConstraint("part in (1, 2)", name="part"),
        CheckConstraint("minutes > 0", name="minutes"),
        tenant_unique("session_id", "position"),
    )

    session_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    part: Mapped[int] = mapped_column(SmallInteger)
    minutes: Mapped[int]
    group_work: Mapped[bool]


class SessionTopic(TenantOwned, Base):
    """A topic that a session teaches."""

    __tablename__ = "session_topic"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("topic_id", "topic"),
        tenant_unique("session_id", "topic_id"),
        tenant_index("topic_id"),
    )

    session_id: Mapped[UUID]
    topic_id: Mapped[UUID]


class SessionGuidance(TenantOwned, Base):
    """A guidance document that a session goes through; past its review date, somebody should look before."""

    __tablename__ = "session_guidance"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("guidance_document_id", "guidance_document"),
        tenant_unique("session_id", "guidance_document_id"),
        tenant_index("guidance_document_id"),
    )

    session_id: Mapped[UUID]
    guidance_document_id: Mapped[UUID]
