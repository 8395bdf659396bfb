"""The command line `medstead`: one small module for each family of commands."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.api import list_documents, release_contract, tell_usage
from app.cli.audit import audit
from app.cli.console_output import fail, say
from app.cli.imports import import_file
from app.cli.postcodes import postcodes
from app.cli.providers import provider
from app.cli.staff import staff
from app.cli.tenants import tenant
from app.settings import SettingsError, load_settings
from tenants.outbox import Pool

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Medicines training and reviews in adult social care.",
)
cli.add_typer(tenant, name="tenant", help="Tenants: make, list, change.")
cli.add_typer(staff, name="staff", help="People who may sign in to the console.")
cli.add_typer(provider, name="provider", help="Sign-in by a tenant's own identity provider.")
cli.add_typer(audit, name="audit", help="The audit trail.")
cli.command("import")(import_file)
cli.command()(postcodes)

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "graphql" / "schema.graphql"


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    processes: Annotated[int, typer.Option(help="How many processes share the port.")] = 1,
) -> None:
    """Serve the API and the console."""
    import uvicorn

    load_settings()
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=host,
        port=port,
        workers=processes,
        proxy_headers=False,
        access_log=False,
        timeout_graceful_shutdown=10,
    )


@cli.command()
def worker(
    pool: Annotated[
        list[Pool] | None, typer.Option(help="Work for this pool alone; may be given several times. None: for all.")
    ] = None,
) -> None:
    """Run a worker: it does what waits, sends what is due, and looks at the calendar."""
    import uvloop

    from workers.main import run

    uvloop.run(run(load_settings(), pools=tuple(pool or Pool)))


@cli.command()
def migrate(
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL of all migrations and change nothing.")] = False,
) -> None:
    """Bring the database up to date and load the reference data; needs DATABASE_OWNER_URL."""
    from app.reference import load_reference_data
    from migrations import runner

    if sql:
        sys.stdout.write(runner.offline_sql())
        return
    owner = load_settings().database_owner_url
    if not owner:
        fail("Set DATABASE_OWNER_URL to the address of the owner role, then try again.")
    runner.upgrade(owner)
    asyncio.run(load_reference_data(owner))
    say("The database is up to date.")


@cli.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help="Write the committed contract instead of printing.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Make the committed contract the released one.")] = False,
) -> None:
    """Print the GraphQL schema."""
    from medstead_graphql.schema import schema as served

    text = served.as_str() + "\n"
    if release:
        release_contract(SCHEMA_FILE, text)
    elif write:
        SCHEMA_FILE.write_text(text, encoding="utf-8")
        say(f"Wrote {SCHEMA_FILE.name}.")
    else:
        sys.stdout.write(text)


@cli.command()
def documents() -> None:
    """List the trusted documents: name, points with their example variables, and the id that they are asked for by."""
    list_documents()


@cli.command()
def usage(
    field: Annotated[str | None, typer.Option(help="One field, such as Learner.displayName.")] = None,
) -> None:
    """Tell which clients of which tenants use which fields, and until when."""
    asyncio.run(tell_usage(load_settings(), field))


@cli.command()
def dev(
    port: Annotated[int | None, typer.Option(help="Port of the API and the console; 8000 if it is free.")] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Make and load the demonstration tenants.")] = True,
    reset: Annotated[bool, typer.Option("--reset", help="Throw all local data away first.")] = False,
) -> None:
    """Start everything on this machine: servers, API, console, worker, mail. `./run` calls it."""
    from app.cli.dev import run_everything

    raise typer.Exit(run_everything(port, demo=demo, reset=reset))


def main() -> None:
    """Entry point; errors that a person can mend are one sentence, not a trace."""
    try:
        cli()
    except SettingsError as error:
        fail(str(error))


if __name__ == "__main__":
    main()
