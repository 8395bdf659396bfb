"""Commands about the API: trusted documents, and who uses which field.

The schema is made where it is needed: making it takes longer than all else that a command does.
"""

from pathlib import Path

from rich.table import Table
from sqlalchemy import select

from app.cli.console_output import fail, out, say
from app.cli.opened import at_the_command_line, runtime_database
from app.identity.usage import uses
from app.settings import Settings
from tenants.clock import london_date, system_clock
from tenants.context import ActorKind, PlatformContext
from tenants.models import Tenant


def list_documents() -> None:
    """Print name, points and id of each; ends with 1 if one of them is not valid."""
    from medstead_graphql.schema import Asked, schema
    from medstead_graphql.trusted import trusted_documents

    for document in trusted_documents():
        asked = schema.ask(document.text, document.variables, None)
        if not isinstance(asked, Asked):
            fail(f"{document.name} is not valid: {(asked.errors or [])[0].message}")
        say(f"{document.name:<32} {asked.price.points:>6} points  {document.id}")


def release_contract(committed: Path, served: str) -> None:
    """Copy the committed contract to `released.graphql`, unless it breaks what was released before."""
    from medstead_graphql.contract import compare

    if committed.read_text(encoding="utf-8") != served:
        fail("The committed contract is not the served one. Run “medstead schema --write” and look at the difference.")
    released = committed.with_name("released.graphql")
    if released.exists():
        found = compare(released.read_text(encoding="utf-8"), served, london_date(system_clock()))
        for sentence in found.dangerous:
            say(f"Mind: {sentence}")
        if found.forbidden:
            fail("\n".join(("This would break callers:", *found.forbidden)))
    released.write_text(served, encoding="utf-8")
    say(f"Wrote {released.name}.")


async def tell_usage(settings: Settings, field: str | None) -> None:
    """Print a row for each client and field, tenant by tenant, each seen within its own wall."""
    table = Table()
    for name in ("Tenant", "Application", "Field", "Operations", "Last day"):
        table.add_column(name, no_wrap=name in ("Field", "Last day"))
    async with runtime_database(settings) as database:
        context = PlatformContext("tell the use of fields", ActorKind.COMMAND_LINE, read_only=True)
        async with database.session(context) as session:
            tenants = (await session.scalars(select(Tenant).order_by(Tenant.slug))).all()
        for tenant in tenants:
            async with database.session(at_the_command_line(tenant)) as session:
                for use in await uses(session, field=field):
                    table.add_row(
                        tenant.slug, use.client_name, use.field, str(use.operations), use.last_day.isoformat()
                    )
    if not table.row_count:
        say(f"No client used {field}." if field else "No client used any field yet.")
        return
    out.print(table)
