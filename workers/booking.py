"""Jobs of booking: offers that run out, and places that come free because a reserve has ended."""

from app.training.booking.operations import expire_offer, release
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import OneTransaction, WorkerContext, register


async def _expire(context: WorkerContext, work: UnitOfWork) -> None:
    await expire_offer(work, context.refs["offer_id"])


async def _release(context: WorkerContext, work: UnitOfWork) -> None:
    await release(work, context.refs["session_id"])


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.PLACE_OFFER_EXPIRE, OneTransaction(_expire))
    register(Topic.PLACES_RELEASE, OneTransaction(_release))
