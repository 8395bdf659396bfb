"""The command that imports a file as an upload would, with its progress."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.console_output import fail, out, say
from app.cli.opened import at_the_command_line, runtime_database, tenant_named
from app.imports.errors import ImportRefusal
from app.imports.models import ImportRun
from app.imports.receiving import Incoming, receive
from app.settings import load_settings
from tenants.context import TenantContext
from tenants.session import Database

ENDS = ("ready", "finished", "failed", "cancelled")


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    tenant: Annotated[str, typer.Option(help="Slug of the tenant.")],
    format_code: Annotated[
        str | None, typer.Option("--format", help="Format of the file; found out when left out.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="What is known of the file, as name=value.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply it when it is read; else it waits for you.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait, with progress; a worker must run.")] = True,
) -> None:
    """Import a file: completions, attendance, feedback, champions or the CQC directory."""
    asyncio.run(_import(file, tenant, Incoming(file.name, format_code, _options(option or []), apply), wait=wait))


def _options(given: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for item in given:
        name, found, value = item.partition("=")
        if not found:
            fail(f"{item!r} is no option. Write name=value.")
        try:
            options[name] = orjson.loads(value) if value[:1] in "[{" else value
        except orjson.JSONDecodeError:
            fail(f"The value of {name} is not JSON. Correct it.")
    return options


async def _import(file: Path, slug: str, said: Incoming, *, wait: bool) -> None:
    settings = load_settings()
    async with runtime_database(settings) as database:
        context = at_the_command_line(await tenant_named(database, slug))
        try:
            received = await receive(database, context, pieces_of(file), said, settings.data_dir / "uploads")
        except ImportRefusal as refusal:
            fail(f"{refusal.message} [{refusal.code}]")
        if received.already:
            say("The same file came before; nothing was added.")
        run = await _follow(database, context, received.import_id) if wait else None
    say(f"Import {received.import_id}" + (f": {run.state}." if run else " is being read."))
    if run is not None:
        for name, count in sorted(run.counts.get("result" if run.state == "finished" else "preview", {}).items()):
            say(f"  {name.replace('_', ' ')}: {count:,}")
        if run.state == "failed":
            fail(f"{run.error_message} [{run.error_code}]")


async def pieces_of(file: Path) -> AsyncIterator[bytes]:
    """The content of a file, a piece at a time."""
    with file.open("rb") as content:
        while piece := await asyncio.to_thread(content.read, 1024 * 1024):
            yield piece


async def _follow(database: Database, context: TenantContext, import_id: UUID) -> ImportRun:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task("reading", total=None)
        while True:
            async with database.session(context) as session:
                run = await session.get_one(ImportRun, (context.tenant_id, import_id))
            applied = run.state in ("applying", "finished")
            progress.update(
                task,
                description=run.state,
                completed=run.rows_done if applied else run.rows_staged,
                total=run.rows_total,
            )
            if run.state in ENDS:
                return run
            await asyncio.sleep(0.3)
