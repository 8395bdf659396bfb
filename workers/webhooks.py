"""Jobs of webhooks: owing an event to the endpoints that asked for it, and sending one delivery until it has ended."""

from datetime import timedelta

import structlog

from app.messaging.occasions import tell
from app.webhooks.deliveries import begin_attempt, end_attempt, stand_back
from app.webhooks.events import fan_out
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import ManyTransactions, OneTransaction, TryLater, WorkerContext, register

DELIVERY_SECONDS = 60.0

log = structlog.get_logger()


async def _fan_out(context: WorkerContext, work: UnitOfWork) -> None:
    """The one place where events are heard of: partners' endpoints are owed them, and people are written to."""
    await fan_out(work, context.refs["event_id"])
    await tell(work, context.refs["event_id"])


async def _deliver(context: WorkerContext) -> None:
    """Make one attempt; the message comes back for the next one. Nothing is held open while the receiver thinks."""
    services = context.services
    with services.webhooks.place() as free:
        async with services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            delivery_id = context.refs["delivery_id"]
            begun = await (begin_attempt(work, services.vault, delivery_id) if free else stand_back(work))
        if isinstance(begun, timedelta):
            raise TryLater(begun.total_seconds())
        if begun is None:
            return
        answer = await services.webhooks.send(begun.outgoing)
        log.info(
            "webhook attempt",
            tenant_id=str(context.tenant.tenant_id),
            endpoint_id=str(begun.endpoint_id),
            delivery_id=str(begun.delivery_id),
            request_id=str(context.request_id),
            attempt=begun.number,
            status=answer.status,
            error=answer.error,
            duration_ms=answer.duration_ms,
        )
        disable_after = timedelta(days=services.settings.webhook_disable_after_days)
        async with services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            wait = await end_attempt(work, begun, answer, disable_after)
    if wait is not None:
        raise TryLater(wait.total_seconds())


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.WEBHOOK_FAN_OUT, OneTransaction(_fan_out))
    register(Topic.WEBHOOK_DELIVER, ManyTransactions(_deliver, seconds=DELIVERY_SECONDS))
