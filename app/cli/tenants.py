"""Commands about tenants."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import select

from app.cli.console_output import fail, out, say
from app.cli.opened import at_the_command_line, owner_database, tenant_named
from app.settings import load_settings
from app.training.operations import create_programme
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.identifiers import new_id
from tenants.models import OrganisationCode, Tenant
from tenants.registry import TenantRefusal, change_status, create_tenant

tenant = typer.Typer(no_args_is_help=True)


@tenant.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Short name in lower case with hyphens.")],
    name: Annotated[str, typer.Argument(help="Full name.")],
    kind: Annotated[str, typer.Option(help="icb or council.")],
    code: Annotated[str | None, typer.Option(help="ODS or ONS code of the organisation, such as QHG.")] = None,
    programme: Annotated[str, typer.Option(help="Name of its first training programme.")] = "Medicines training",
) -> None:
    """Make a tenant with its settings and a programme of three tiers."""
    asyncio.run(_create(slug, name, kind, code, programme))


async def _create(slug: str, name: str, kind: str, code: str | None, programme: str) -> None:
    async with owner_database(load_settings()) as database:
        context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
        try:
            async with database.unit_of_work(context) as work:
                organisation = None
                if code is not None:
                    found = select(OrganisationCode.organisation_id).where(OrganisationCode.code == code.upper())
                    organisation = (await work.session.scalars(found)).first()
                    if organisation is None:
                        fail(f"No organisation has the code {code!r}. Run “medstead migrate”, or correct the code.")
                await create_tenant(work, slug, name, kind, organisation)
                await create_programme(work, programme)
        except TenantRefusal as refusal:
            fail(refusal.message)
    say(f"Made the tenant {slug}.")


@tenant.command("list")
def list_tenants() -> None:
    """List the tenants."""
    asyncio.run(_list())


async def _list() -> None:
    async with owner_database(load_settings()) as database:
        async with database.session(PlatformContext("list tenants", read_only=True)) as session:
            tenants = (await session.scalars(select(Tenant).order_by(Tenant.slug))).all()
    table = Table()
    for name in ("Slug", "Name", "Kind", "Status", "Id"):
        table.add_column(name, no_wrap=name in ("Slug", "Id"))
    for row in tenants:
        table.add_row(row.slug, row.name, row.kind, row.status, str(row.id))
    out.print(table)


@tenant.command("status")
def status(
    slug: Annotated[str, typer.Argument()],
    to: Annotated[str, typer.Argument(help="onboarding, live, suspended or closed.")],
) -> None:
    """Change a tenant's status."""
    if to not in ("onboarding", "live", "suspended", "closed"):
        fail(f"{to!r} is no status. Use onboarding, live, suspended or closed.")
    asyncio.run(_status(slug, to))


async def _status(slug: str, to: str) -> None:
    async with owner_database(load_settings()) as database:
        row = await tenant_named(database, slug)
        try:
            async with database.unit_of_work(at_the_command_line(row)) as work:
                await change_status(work, to)
        except TenantRefusal as refusal:
            fail(refusal.message)
    say(f"{slug} is {to}.")
