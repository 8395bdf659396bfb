"""The database for a command: opened, used and closed again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import select

import app.models  # noqa: F401 - a foreign key into another part of the domain resolves only when its tables are known
from app.cli.console_output import fail
from app.settings import Settings
from tenants.clock import system_clock
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.engine import create_engine, refuse_unsafe_role
from tenants.models import Tenant
from tenants.session import Database


@asynccontextmanager
async def owner_database(settings: Settings) -> AsyncIterator[Database]:
    """The owner role's database, for what only it may change."""
    if not settings.database_owner_url:
        fail("Set DATABASE_OWNER_URL to the address of the owner role, then try again.")
    database = Database(create_engine(settings.database_owner_url), system_clock)
    try:
        yield database
    finally:
        await database.dispose()


@asynccontextmanager
async def runtime_database(settings: Settings) -> AsyncIterator[Database]:
    """The runtime role's database."""
    engine = create_engine(settings.database_url, behind_pgbouncer=settings.behind_pgbouncer)
    database = Database(engine, system_clock)
    try:
        await refuse_unsafe_role(engine)
        yield database
    finally:
        await database.dispose()


async def tenant_named(database: Database, slug: str) -> Tenant:
    """The tenant of this slug; ends the command with a sentence if there is none."""
    async with database.session(PlatformContext("find a tenant by its slug", read_only=True)) as session:
        tenants = {tenant.slug: tenant for tenant in await session.scalars(select(Tenant))}
    if slug not in tenants:
        fail(f"There is no tenant {slug!r}. There are: {', '.join(sorted(tenants)) or 'none yet'}.")
    return tenants[slug]


def at_the_command_line(tenant: Tenant) -> TenantContext:
    """The context of a command in a tenant."""
    return TenantContext(tenant.id, ActorKind.COMMAND_LINE)
