"""Tables of reports: requests with their progress, what was counted, schedules with their readers, success stories."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

REPORT_KINDS = ("impact", "board", "coverage", "actions", "evidence_pack", "stories")
RHYTHMS = ("week", "month", "quarter")


class ReportSchedule(TenantOwned, Base):
    """A report that is asked for after each week, month or quarter in England.

    `next_first_day` is the first day of the period that is to be reported next.
    """

    __tablename__ = "report_schedule"
    __table_args__ = tenant_table(
        CheckConstraint(f"kind in {REPORT_KINDS}", name="kind"),
        CheckConstraint(f"every in {RHYTHMS}", name="every"),
        tenant_index("created_at", "id"),
    )

    kind: Mapped[str]
    cqc_provider_id: Mapped[str | None] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_provider.id"))
    named: Mapped[bool]
    every: Mapped[str]
    next_first_day: Mapped[date]
    active: Mapped[bool]
    version: Mapped[int]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class ReportReader(TenantOwned, Base):
    """Somebody of the staff for whom a schedule's reports are made."""

    __tablename__ = "report_reader"
    __table_args__ = tenant_table(
        to_tenant("schedule_id", "report_schedule"),
        to_tenant("staff_member_id", "staff_member"),
        tenant_unique("schedule_id", "staff_member_id"),
        tenant_index("staff_member_id"),
    )

    schedule_id: Mapped[UUID]
    staff_member_id: Mapped[UUID]


class ReportSnapshot(TenantOwned, Base):
    """A report that was asked for, and how far it is. What it tells stands in `report_content` once it is ready.

    Of a provider (`cqc_provider_id`), of the locations of a manager's group (`provider_group_id`), or of the whole
    tenant. `named`: it names learners. Its files can be downloaded until `files_until`. `error`: a class and a code.
    """

    __tablename__ = "report_snapshot"
    __table_args__ = tenant_table(
        to_tenant("provider_group_id", "provider_group"),
        to_tenant("schedule_id", "report_schedule"),
        CheckConstraint(f"kind in {REPORT_KINDS}", name="kind"),
        CheckConstraint("state in ('waiting', 'building', 'ready', 'failed')", name="state"),
        CheckConstraint("last_day >= first_day", name="period"),
        tenant_unique("schedule_id", "first_day"),
        tenant_index("requested_at", "id"),
        tenant_index("provider_group_id"),
    )

    kind: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    cqc_provider_id: Mapped[str | None] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_provider.id"))
    provider_group_id: Mapped[UUID | None]
    named: Mapped[bool]
    state: Mapped[str]
    steps_done: Mapped[int]
    steps_total: Mapped[int]
    error: Mapped[str | None]
    schedule_id: Mapped[UUID | None]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
    files_until: Mapped[datetime | None]


class ReportContent(TenantOwned, Base):
    """What a report tells: every figure, and of every table its columns and the hashes of its rows. Never changed.

    `sha256` is of `data`, written canonically. `as_of`: when the rows were read. `location_ids` are the tenant's
    locations that it covers; empty for the whole tenant.
    """

    __tablename__ = "report_content"
    __table_args__ = tenant_table(to_tenant("snapshot_id", "report_snapshot"), tenant_unique("snapshot_id"))

    snapshot_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    as_of: Mapped[datetime]
    location_ids: Mapped[list[Any]]


class ReportRows(TenantOwned, Base):
    """Some consecutive rows of a table of a report, from 0; never changed."""

    __tablename__ = "report_rows"
    __table_args__ = tenant_table(
        to_tenant("snapshot_id", "report_snapshot"), tenant_unique("snapshot_id", "table_key", "number")
    )

    snapshot_id: Mapped[UUID]
    table_key: Mapped[str]
    number: Mapped[int]
    rows: Mapped[list[Any]]


class SuccessStory(TenantOwned, Base):
    """Something that went well, told with the consent of whom it is about, and approved by a second person.

    The consent says who gave it, on which day, and where the signed paper is. Once approved, the words stay.
    """

    __tablename__ = "success_story"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        CheckConstraint("state in ('draft', 'approved', 'withdrawn')", name="state"),
        CheckConstraint("approved_by is null or approved_by <> written_by", name="second_person"),
        CheckConstraint(
            "state <> 'approved' or (approved_by is not null and consent_recorded_at is not null "
            "and consent_withdrawn_at is null)",
            name="consent",
        ),
        tenant_index("learner_id"),
        tenant_index("created_at", "id"),
    )

    title: Mapped[str]
    text: Mapped[str]
    learner_id: Mapped[UUID | None]
    state: Mapped[str]
    written_by: Mapped[UUID]
    consent_given_by: Mapped[str | None]
    consent_given_on: Mapped[date | None]
    consent_document: Mapped[str | None]
    consent_recorded_by: Mapped[UUID | None]
    consent_recorded_at: Mapped[datetime | None]
    consent_withdrawn_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
