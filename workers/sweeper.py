"""The sweeper: has the relay look into every tenant now and then, whatever the bookkeeping says.

A visit of the relay takes back expired leases where it knows of them. This is for what nothing knows of: a marker
lost in a restore, or a message written by hand.
"""

from tenants import delivery
from tenants.context import ActorKind, PlatformContext
from tenants.session import Database

SWEEP_SECONDS = 600.0


async def sweep(database: Database) -> None:
    """Mark every tenant due."""
    async with database.unit_of_work(PlatformContext("sweep of all tenants", ActorKind.WORKER)) as work:
        await delivery.mark_every_tenant_due(work.session, work.now)
