"""The sweeper: has the relay look into every tenant now and then, and throws old traces away.

A visit of the relay takes back expired leases where it knows of them. This is for what nothing knows of: a marker
lost in a restore, or a message written by hand.
"""

from sqlalchemy import select

from app.identity.tidying import forget_old_sign_ins, forget_old_traces_of_clients
from app.training.elearning.tidying import forget_old_statements
from app.webhooks.tidying import forget_old_webhooks
from tenants import delivery
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.models import Tenant
from tenants.session import Database

SWEEP_SECONDS = 600.0
TIDY_SECONDS = 3600.0


async def sweep(database: Database) -> None:
    """Mark every tenant due."""
    async with database.unit_of_work(PlatformContext("sweep of all tenants", ActorKind.WORKER)) as work:
        await delivery.mark_every_tenant_due(work.session, work.now)


async def tidy(database: Database) -> None:
    """Throw away what nobody needs any more."""
    async with database.unit_of_work(PlatformContext("tidy up", ActorKind.WORKER)) as work:
        await forget_old_sign_ins(work)
        tenants = (await work.session.scalars(select(Tenant.id).order_by(Tenant.id))).all()
    for tenant_id in tenants:
        async with database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
            await forget_old_webhooks(work)
            await forget_old_traces_of_clients(work)
            await delivery.forget_done(work)
            await forget_old_statements(work)
