"""What e-learning throws away: statements older than their learning system keeps them; completions stay."""

from datetime import timedelta

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import aliased

from app.training.elearning.models import LearningSystem, XapiStatement
from tenants.session import UnitOfWork


async def forget_old_statements(work: UnitOfWork) -> None:
    """Delete them in the bound tenant, but no voiding statement before what it voids."""
    systems = select(LearningSystem.id, LearningSystem.keep_days).where(LearningSystem.keep_days.is_not(None))
    target = aliased(XapiStatement)
    still = exists().where(target.tenant_id == XapiStatement.tenant_id, target.id == XapiStatement.voids_id)
    for system_id, days in (await work.session.execute(systems)).all():
        assert days is not None
        old = delete(XapiStatement).where(
            XapiStatement.learning_system_id == system_id,
            XapiStatement.stored_at < work.now - timedelta(days=days),
            XapiStatement.derived_at.is_not(None),
            or_(XapiStatement.voids_id.is_(None), ~still),
        )
        await work.session.execute(old.execution_options(synchronize_session=False))
