"""Tables of the directory: CQC locations, a tenant's relation to them, employers, learners, employment."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import (
    SCHEMA,
    Base,
    TenantOwned,
    reference_table,
    tenant_index,
    tenant_table,
    tenant_unique,
    to_tenant,
)

SETTINGS = (
    "care_home_with_nursing",
    "care_home_without_nursing",
    "extra_care",
    "supported_living",
    "domiciliary",
    "shared_lives",
    "other",
)


class CqcProvider(Base):
    """A provider registered with the Care Quality Commission. The id is CQC's, upper case, opaque."""

    __tablename__ = "cqc_provider"
    __table_args__ = reference_table()

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    updated_at: Mapped[datetime]


class CqcLocation(Base):
    """A location registered with the Care Quality Commission, shared by all tenants. The id is CQC's, upper case."""

    __tablename__ = "cqc_location"
    __table_args__ = reference_table(
        Index(None, "provider_id"), Index(None, "uprn"), Index(None, "local_authority", "id"), Index(None, "icb_code")
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    original_id: Mapped[str]
    name: Mapped[str]
    provider_id: Mapped[str | None] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_provider.id"))
    brand_id: Mapped[str | None]
    brand_name: Mapped[str | None]
    ods_code: Mapped[str | None]
    care_home: Mapped[bool | None]
    dormant: Mapped[bool | None]
    beds: Mapped[int | None]
    location_type: Mapped[str | None]
    primary_setting: Mapped[str | None]
    service_types: Mapped[list[Any]]
    user_bands: Mapped[list[Any]]
    regulated_activities: Mapped[list[Any]]
    latest_rating: Mapped[str | None]
    rating_published_on: Mapped[date | None]
    registered_on: Mapped[date | None]
    deregistered_on: Mapped[date | None]
    region: Mapped[str | None]
    nhs_region: Mapped[str | None]
    local_authority: Mapped[str | None]
    icb_code: Mapped[str | None]
    icb_name: Mapped[str | None]
    address: Mapped[str | None]
    postcode: Mapped[str | None]
    uprn: Mapped[str | None]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    telephone: Mapped[str | None]
    web_address: Mapped[str | None]
    dual_registered: Mapped[bool | None]
    primary_location_id: Mapped[str | None]
    updated_at: Mapped[datetime]


class JobRole(Base):
    """A main job role of the Adult Social Care Workforce Data Set, by its bulk-upload code."""

    __tablename__ = "job_role"
    __table_args__ = reference_table()

    code: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str]


class TenantLocation(TenantOwned, Base):
    """A tenant's own relationship to a CQC location."""

    __tablename__ = "tenant_location"
    __table_args__ = tenant_table(
        tenant_unique("location_id"),
        CheckConstraint("relationship in ('in_area', 'commissioned', 'former')", name="relationship"),
    )

    location_id: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.cqc_location.id"))
    relationship: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]
    created_at: Mapped[datetime]


class ProviderGroup(TenantOwned, Base):
    """Several locations under one manager or brand."""

    __tablename__ = "provider_group"
    __table_args__ = tenant_table(tenant_unique("name"))

    name: Mapped[str]
    created_at: Mapped[datetime]


class ProviderGroupLocation(TenantOwned, Base):
    """A location's membership of a provider group."""

    __tablename__ = "provider_group_location"
    __table_args__ = tenant_table(
        to_tenant("provider_group_id", "provider_group"),
        to_tenant("tenant_location_id", "tenant_location"),
        tenant_unique("provider_group_id", "tenant_location_id"),
    )

    provider_group_id: Mapped[UUID]
    tenant_location_id: Mapped[UUID]


class Employer(TenantOwned, Base):
    """Who employs learners: a care provider's site, an agency, a council, a person with a personal assistant."""

    __tablename__ = "employer"
    __table_args__ = tenant_table(
        to_tenant("tenant_location_id", "tenant_location"),
        CheckConstraint("kind in ('care_provider', 'agency', 'council', 'individual')", name="kind"),
        tenant_index("tenant_location_id"),
        tenant_index("name", "id"),
    )

    name: Mapped[str]
    kind: Mapped[str]
    tenant_location_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class EmployerName(TenantOwned, Base):
    """A spelling under which an employer appears in files; branches of one company may share a `key`."""

    __tablename__ = "employer_name"
    __table_args__ = tenant_table(
        to_tenant("employer_id", "employer"), tenant_unique("employer_id", "key"), tenant_index("key")
    )

    employer_id: Mapped[UUID]
    name: Mapped[str]
    key: Mapped[str]


class LearnerRegister(TenantOwned, Base):
    """One row a tenant, locked while learners are placed, so that two imports cannot make one person twice."""

    __tablename__ = "learner_register"
    __table_args__ = tenant_table(CheckConstraint("id = tenant_id", name="single"))


class Learner(TenantOwned, Base):
    """A person who learns. Learning belongs to the learner; employers come and go."""

    __tablename__ = "learner"
    __table_args__ = tenant_table(
        to_tenant("merged_into_id", "learner"),
        tenant_index("name_key", "id"),
        tenant_index("created_at", "id"),
        tenant_index("merged_into_id"),
    )

    display_name: Mapped[str]
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    name_key: Mapped[str]
    merged_into_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class LearnerIdentifier(TenantOwned, Base):
    """What points to a learner in a source: an e-mail address or an account. A shared mailbox points to several.

    `undeliverable_since`: mail to the address came back for good, so nothing more is sent there.
    """

    __tablename__ = "learner_identifier"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        CheckConstraint("kind in ('email', 'account')", name="kind"),
        tenant_unique("kind", "value", "learner_id"),
        tenant_index("learner_id"),
    )

    learner_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[str]
    shared: Mapped[bool]
    created_at: Mapped[datetime]
    undeliverable_since: Mapped[datetime | None]


class Employment(TenantOwned, Base):
    """A learner's time with an employer; two at once are possible, and leavers keep theirs."""

    __tablename__ = "employment"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        CheckConstraint("ended_on is null or ended_on >= started_on", name="dates"),
        tenant_unique("learner_id", "employer_id", "started_on"),
        tenant_index("employer_id", "started_on", "id"),
    )

    learner_id: Mapped[UUID]
    employer_id: Mapped[UUID]
    job_role_code: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.job_role.code"))
    job_title: Mapped[str | None]
    setting: Mapped[str | None]
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    created_at: Mapped[datetime]


class LearnerMerge(TenantOwned, Base):
    """Two records found to be one person. `moved` lists the rows that changed hands, so that it can be undone."""

    __tablename__ = "learner_merge"
    __table_args__ = tenant_table(
        to_tenant("kept_learner_id", "learner"),
        to_tenant("merged_learner_id", "learner"),
        tenant_index("kept_learner_id"),
        tenant_index("merged_learner_id"),
    )

    kept_learner_id: Mapped[UUID]
    merged_learner_id: Mapped[UUID]
    reason: Mapped[str]
    moved: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
