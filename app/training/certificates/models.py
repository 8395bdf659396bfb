"""Tables of certificates: templates, the register of numbers, runs, certificates, and the keys that sign badges."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

EXPIRY_RULES = ("tier", "months", "never")


class CertificateTemplate(TenantOwned, Base):
    """What a tenant's certificates say of their issuer. A change adds a version; the highest counts for new ones.

    `expiry_rule`: a certificate is valid as long as its tier says, or for `validity_months`, or for ever. The
    disclaimer stands on guidance too. `colour` is #rrggbb.
    """

    __tablename__ = "certificate_template"
    __table_args__ = tenant_table(
        CheckConstraint(f"expiry_rule in {EXPIRY_RULES}", name="expiry_rule"),
        tenant_unique("version"),
        tenant_index("version", "id"),
    )

    version: Mapped[int]
    issuer_name: Mapped[str]
    signatory_name: Mapped[str]
    signatory_role: Mapped[str]
    disclaimer: Mapped[str]
    expiry_rule: Mapped[str]
    validity_months: Mapped[int | None]
    colour: Mapped[str]
    logo_text: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class CertificateRegister(TenantOwned, Base):
    """One row a tenant: the serial that the next certificate gets. It only grows, so no number is used twice."""

    __tablename__ = "certificate_register"
    __table_args__ = tenant_table(CheckConstraint("id = tenant_id", name="single"))

    next_serial: Mapped[int]


class CertificateRun(TenantOwned, Base):
    """Certificates for everybody who attended a session, or completed a course within days; with its progress.

    `failures` lists learner and code of those who could not get one.
    """

    __tablename__ = "certificate_run"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("course_id", "course"),
        to_tenant("template_id", "certificate_template"),
        CheckConstraint("state in ('waiting', 'running', 'finished')", name="state"),
        tenant_index("requested_at", "id"),
        tenant_index("session_id"),
        tenant_index("course_id"),
        tenant_index("template_id"),
    )

    session_id: Mapped[UUID | None]
    course_id: Mapped[UUID | None]
    completed_from: Mapped[date | None]
    completed_until: Mapped[date | None]
    template_id: Mapped[UUID]
    state: Mapped[str]
    wanted: Mapped[int]
    done: Mapped[int]
    failed: Mapped[int]
    failures: Mapped[list[Any]]
    requested_at: Mapped[datetime]
    requested_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class Certificate(TenantOwned, Base):
    """What was certified, as it was on the day of issue: nothing but `state` and what tells of revoking changes.

    `issue_key` says what it is for, so that nobody gets two for one thing. `follows_id` is the certificate that it was
    issued anew for. `accreditation` lists awarding body, reference and level as of `achieved_on`. `serial` is its
    place in the tenant's register. Days are English; `valid_until` is the last one, null: for ever.
    """

    __tablename__ = "certificate"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("session_id", "training_session"),
        to_tenant("course_id", "course"),
        to_tenant("run_id", "certificate_run"),
        to_tenant("template_id", "certificate_template"),
        to_tenant("follows_id", "certificate"),
        CheckConstraint("state in ('issued', 'revoked', 'superseded')", name="state"),
        tenant_unique("serial"),
        tenant_unique("number"),
        tenant_unique("verification_code"),
        tenant_unique("issue_key"),
        tenant_index("learner_id", "achieved_on", "id"),
        tenant_index("session_id", "learner_id"),
        tenant_index("course_id", "achieved_on", "id"),
        tenant_index("achieved_on", "id"),
        tenant_index("issued_at", "id"),
        tenant_index("valid_until", "id"),
        tenant_index("run_id"),
        tenant_index("template_id"),
        tenant_index("follows_id"),
    )

    learner_id: Mapped[UUID]
    session_id: Mapped[UUID | None]
    course_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]
    template_id: Mapped[UUID]
    follows_id: Mapped[UUID | None]
    serial: Mapped[int]
    number: Mapped[str]
    verification_code: Mapped[str]
    issue_key: Mapped[str]
    state: Mapped[str]
    learner_name: Mapped[str]
    title: Mapped[str]
    tier_name: Mapped[str | None]
    minutes: Mapped[int | None]
    achieved_on: Mapped[date]
    valid_until: Mapped[date | None]
    issuer_name: Mapped[str]
    signatory_name: Mapped[str]
    signatory_role: Mapped[str]
    disclaimer: Mapped[str]
    accreditation: Mapped[list[Any]]
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None]
    reissued_because: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class IssuerKey(TenantOwned, Base):
    """An Ed25519 key that signs a tenant's badges. The private part is encrypted; retired ones stay published."""

    __tablename__ = "issuer_key"
    __table_args__ = tenant_table(
        tenant_index(name="issuer_key_current_index", unique=True, where="retired_at is null"),
        tenant_index("created_at", "id"),
    )

    public_jwk: Mapped[dict[str, Any]]
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
