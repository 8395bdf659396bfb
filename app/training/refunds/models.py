"""Tables of refunds: courses that the LDSS pays for, and one claim for each learner, employer and completion."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

STATES = ("to_claim", "claimed", "paid", "refused", "not_claimed")


class LdssCourse(TenantOwned, Base):
    """A course that can be claimed for while it was completed between two days (included; null: it goes on).

    `amount` is in pounds, for each learner; `learning_code` is the scheme's own.
    """

    __tablename__ = "ldss_course"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("eligible_until is null or eligible_until >= eligible_from", name="days"),
        tenant_unique("course_id", "eligible_from"),
    )

    course_id: Mapped[UUID]
    learning_code: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    eligible_from: Mapped[date]
    eligible_until: Mapped[date | None]
    created_at: Mapped[datetime]


class LdssClaim(TenantOwned, Base):
    """What an employer can claim for a learner's completion, until `due_on` (included). Days are English.

    `version` guards against lost updates.
    """

    __tablename__ = "ldss_claim"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        to_tenant("course_id", "course"),
        CheckConstraint(f"state in {STATES}", name="state"),
        tenant_unique("learner_id", "employer_id", "course_id", "completed_on"),
        tenant_index("employer_id"),
        tenant_index("course_id"),
        tenant_index("due_on", "id"),
    )

    learner_id: Mapped[UUID]
    employer_id: Mapped[UUID]
    course_id: Mapped[UUID]
    completed_on: Mapped[date]
    due_on: Mapped[date]
    learning_code: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    state: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
