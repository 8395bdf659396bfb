"""Commands about the audit trail: whether it was altered, cut or added to outside the application."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import Progress
from sqlalchemy import func, select

from app.cli.console_output import err, say
from app.cli.opened import tenant_named
from app.settings import load_settings
from tenants.audit import AuditEvent, AuditHead, ChainFault, verify
from tenants.clock import system_clock
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.engine import create_engine
from tenants.models import Tenant
from tenants.session import Database

audit = typer.Typer(no_args_is_help=True)


@audit.callback()
def _group() -> None:
    """Keeps `verify` a command of its own while it is the only one."""


@dataclass
class Trail:
    """What was found in a tenant's trail. `end` is the last hash in hexadecimal digits."""

    slug: str
    rows: int = 0
    end: str = ""
    faults: list[ChainFault] = field(default_factory=list)


@audit.command("verify")
def verify_trails(
    tenant: Annotated[str | None, typer.Option(help="Slug of one tenant; all of them without it.")] = None,
) -> None:
    """Walk the trails and print what does not hold; exit code 1 if anything does not.

    Keep the printed end of each trail somewhere else: a later one must still hold that row.
    """
    settings = load_settings()
    trails = asyncio.run(_walk(settings.database_owner_url or settings.database_url, tenant))
    for trail in trails:
        for fault in trail.faults:
            say(f"{trail.slug}: row {fault.sequence}: {fault.problem}")
        verdict = f"{len(trail.faults)} faults" if trail.faults else "the trail holds"
        say(f"{trail.slug}: {trail.rows} rows, {verdict}, end {trail.end or 'unknown'}")
    if any(trail.faults for trail in trails):
        raise typer.Exit(1)


async def _walk(url: str, slug: str | None) -> list[Trail]:
    """The trails of all tenants, or of the one called `slug`, each as it stood at one moment."""
    engine = create_engine(url, pool_size=1).execution_options(isolation_level="REPEATABLE READ")
    database = Database(engine, system_clock)
    try:
        if slug is not None:
            tenants = [await tenant_named(database, slug)]
        else:
            context = PlatformContext("verify the audit trails", ActorKind.COMMAND_LINE, read_only=True)
            async with database.unit_of_work(context) as work:
                tenants = list((await work.session.scalars(select(Tenant).order_by(Tenant.slug))).all())
        with Progress(console=err, transient=True) as progress:
            every = progress.add_task("tenants", total=len(tenants))
            trails = []
            for tenant in tenants:
                trails.append(await _walk_tenant(database, tenant.id, tenant.slug, progress))
                progress.advance(every)
        return trails
    finally:
        await database.dispose()


async def _walk_tenant(database: Database, tenant_id: UUID, slug: str, progress: Progress) -> Trail:
    trail = Trail(slug)
    async with database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE, read_only=True)) as work:
        trail.rows = (await work.session.scalars(select(func.count()).select_from(AuditEvent))).one()
        rows = progress.add_task(slug, total=trail.rows)
        async for fault in verify(work.session, tenant_id, lambda: progress.advance(rows)):
            trail.faults.append(fault)
        head = await work.session.get(AuditHead, (tenant_id, tenant_id))
        trail.end = head.hash.hex() if head else ""
        progress.remove_task(rows)
    return trail
