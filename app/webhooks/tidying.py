"""What webhooks throw away: events, deliveries and attempts that nobody looks into any more."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import aliased

from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEvent
from tenants.base import among
from tenants.session import UnitOfWork

KEPT = timedelta(days=30)


async def forget_old_webhooks(work: UnitOfWork) -> int:
    """Delete what is so old in the bound tenant; gives how many deliveries went.

    A first delivery stays as long as a replay of it does, and an event as long as a delivery of it.
    """
    before = work.now - KEPT
    replay = aliased(WebhookDelivery)
    replayed_since = (
        select(replay.id).where(replay.replay_of_id == WebhookDelivery.id, replay.created_at >= before).exists()
    )
    found = select(WebhookDelivery.id).where(WebhookDelivery.created_at < before, ~replayed_since)
    old = (await work.session.scalars(found)).all()
    owed = select(WebhookDelivery.id).where(WebhookDelivery.event_id == WebhookEvent.id).exists()
    for statement in (
        delete(WebhookAttempt).where(among(WebhookAttempt.delivery_id, old)),
        delete(WebhookDelivery).where(among(WebhookDelivery.id, old)),
        delete(WebhookEvent).where(WebhookEvent.occurred_at < before, ~owed),
    ):
        await work.session.execute(statement.execution_options(synchronize_session=False))
    return len(old)
