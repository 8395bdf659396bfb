"""Jobs of evidence: refreshing a tenant's monthly figures."""

from app.evidence.operations import refresh_figures
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import OneTransaction, WorkerContext, register


async def _refresh(_: WorkerContext, work: UnitOfWork) -> None:
    await refresh_figures(work)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.FIGURES_REFRESH, OneTransaction(_refresh))
