"""Tables of progression: a tenant's steps, and when learners reached them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

ROLE_CATEGORIES = {
    "new_to_care": "New to care",
    "care_or_support_worker": "Care or support worker",
    "enhanced_care_worker": "Enhanced care worker",
    "supervisor_or_leader": "Supervisor or leader",
    "practice_leader": "Practice leader",
    "deputy_manager": "Deputy manager",
    "registered_manager": "Registered manager",
}
"""Role categories of the Care Workforce Pathway, in order."""


class PathwayStep(TenantOwned, Base):
    """A step of the tenant's progression pathway, from 1, with the Care Workforce Pathway category it belongs to."""

    __tablename__ = "pathway_step"
    __table_args__ = tenant_table(
        CheckConstraint(f"role_category in {tuple(ROLE_CATEGORIES)}", name="role_category"),
        CheckConstraint("position >= 1", name="position"),
        tenant_unique("position"),
        tenant_index("position", "id"),
    )

    position: Mapped[int]
    name: Mapped[str]
    role_category: Mapped[str]
    created_at: Mapped[datetime]


class LearnerStep(TenantOwned, Base):
    """A learner reached a step on a day."""

    __tablename__ = "learner_step"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("step_id", "pathway_step"),
        tenant_unique("learner_id", "step_id"),
        tenant_index("step_id"),
        tenant_index("reached_on", "id"),
    )

    learner_id: Mapped[UUID]
    step_id: Mapped[UUID]
    reached_on: Mapped[date]
    recorded_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
