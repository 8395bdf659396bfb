"""Registry of tenants and organisations: codes with dates, names, and succession many to many."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, reference_table, tenant_table


class Organisation(Base):
    """A body such as an ICB or a council, current or historic. Never renamed away: names and codes have dates."""

    __tablename__ = "organisation"
    __table_args__ = reference_table(CheckConstraint("kind in ('icb', 'council', 'stp')", name="kind"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    established_on: Mapped[date | None]
    abolished_on: Mapped[date | None]


class OrganisationCode(Base):
    """A code of an organisation in a scheme: `ods` (3 or 5 characters), `ons_gss` (letter and 8 digits)."""

    __tablename__ = "organisation_code"
    __table_args__ = reference_table(
        UniqueConstraint("scheme", "code", "valid_from"),
        CheckConstraint("scheme in ('ods', 'ons_gss')", name="scheme"),
        CheckConstraint("valid_to is null or valid_to > valid_from", name="dates"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.organisation.id"), primary_key=True)
    scheme: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]


class OrganisationSuccession(Base):
    """Which organisation took over (part of) which other, and when. Many to many: ICBs have been split."""

    __tablename__ = "organisation_succession"
    __table_args__ = reference_table(
        CheckConstraint("kind in ('merge', 'split', 'boundary_change')", name="kind"),
        Index(None, "successor_id"),
    )

    predecessor_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.organisation.id"), primary_key=True)
    successor_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.organisation.id"), primary_key=True)
    happened_on: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str]


class Tenant(Base):
    """A customer: an ICB or a council. The id is internal and for ever; codes belong to the organisation."""

    __tablename__ = "tenant"
    __table_args__ = reference_table(
        CheckConstraint("kind in ('icb', 'council')", name="kind"),
        CheckConstraint("status in ('onboarding', 'live', 'suspended', 'closed')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.organisation.id"))
    created_at: Mapped[datetime]


class TenantSettings(TenantOwned, Base):
    """What a tenant has chosen; one row, whose `id` equals `tenant_id`. `version` guards against lost updates."""

    __tablename__ = "tenant_settings"
    __table_args__ = tenant_table(
        CheckConstraint("id = tenant_id", name="single"),
        CheckConstraint("attendance_threshold_percent between 0 and 100", name="attendance_threshold_percent"),
        CheckConstraint("meeting_people_at_most >= 1", name="meeting_people_at_most"),
    )

    version: Mapped[int]
    attendance_threshold_percent: Mapped[int]
    count_unknown_durations: Mapped[bool]
    meeting_people_at_most: Mapped[int] = mapped_column(server_default="250")
    column_mappings: Mapped[dict[str, Any]]
    work_paused_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
