"""What others ask of the mapping before they go on."""

from sqlalchemy import select

from app.training.mapping.models import MappingExercise
from tenants.session import UnitOfWork


async def has_locked_exercise(work: UnitOfWork) -> bool:
    """Whether the tenant has mapped before it builds: at least one exercise is locked."""
    locked = select(MappingExercise.id).where(MappingExercise.status == "locked").limit(1)
    return (await work.session.scalars(locked)).first() is not None
