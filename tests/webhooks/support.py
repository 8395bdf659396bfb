"""What tests of webhooks share: endpoints, and the work of a relay and a worker done here, one message at a time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.services import Services
from app.webhooks.endpoints import NewEndpoint, create_endpoint
from app.webhooks.events import SUBSCRIBABLE, EventType, announce
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tenants import delivery
from tenants.audit import Action, AuditEvent
from tenants.outbox import Pool
from tests.support import Installation
from workers.handlers import deliver

LEASE = timedelta(seconds=60)
SUBJECT = "Import:019a0000-0000-7000-8000-000000000001"


async def make_endpoint(
    installation: Installation, url: str, tenant_id: UUID | None = None, types: Sequence[str] = tuple(SUBSCRIBABLE)
) -> NewEndpoint:
    """An endpoint, of the north if no tenant is named."""
    async with installation.database.unit_of_work(installation.context(tenant_id or installation.north)) as work:
        return await create_endpoint(
            work, installation.services.vault, url=url, description="", event_types=types, allow_loopback=True
        )


async def happen(
    installation: Installation, tenant_id: UUID | None = None, kind: EventType = EventType.IMPORT_FINISHED
) -> None:
    """Have an event happen."""
    async with installation.database.unit_of_work(installation.context(tenant_id or installation.north)) as work:
        announce(work, kind, SUBJECT)


async def work_off(
    installation: Installation, tenant_id: UUID | None = None, services: Services | None = None, room: int = 10
) -> int:
    """Do what relay and worker do until nothing is due; gives how many messages were begun on."""
    tenant, begun = tenant_id or installation.north, 0
    while True:
        async with installation.database.unit_of_work(installation.context(tenant)) as work:
            claims = await delivery.visit(work, dict.fromkeys(Pool, room), LEASE)
        if not claims:
            return begun
        begun += len(claims)
        await asyncio.gather(*[deliver(services or installation.services, tenant, claim) for claim in claims])


async def deliveries(installation: Installation, tenant_id: UUID | None = None) -> list[WebhookDelivery]:
    """All deliveries, in the order in which they were made."""
    async with installation.database.session(installation.context(tenant_id or installation.north)) as session:
        return list(await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


async def the_delivery(installation: Installation) -> WebhookDelivery:
    """The one delivery that there is in the north."""
    (found,) = await deliveries(installation)
    return found


async def attempts(installation: Installation, tenant_id: UUID | None = None) -> list[WebhookAttempt]:
    """All attempts, in the order in which they were made."""
    async with installation.database.session(installation.context(tenant_id or installation.north)) as session:
        return list(await session.scalars(select(WebhookAttempt).order_by(WebhookAttempt.id)))


async def events(installation: Installation, tenant_id: UUID | None = None) -> list[WebhookEvent]:
    """All events, in their order."""
    async with installation.database.session(installation.context(tenant_id or installation.north)) as session:
        return list(await session.scalars(select(WebhookEvent).order_by(WebhookEvent.id)))


async def endpoint(installation: Installation, endpoint_id: UUID) -> WebhookEndpoint:
    """An endpoint of the north as it stands."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return await session.get_one(WebhookEndpoint, (installation.north, endpoint_id))


async def trail(installation: Installation, action: Action) -> list[AuditEvent]:
    """Rows of the north's trail with this action."""
    async with installation.database.session(installation.context(installation.north)) as session:
        found = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.sequence)
        return list(await session.scalars(found))
