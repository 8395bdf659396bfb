"""Runs migrations as the owner role: upgrade, downgrade, drift check, offline SQL."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.models import metadata
from tenants.base import SCHEMA
from tenants.engine import async_url

FOLDER = Path(__file__).resolve().parent


def _configuration(connection: Connection | None, output: io.StringIO | None = None) -> Config:
    configuration = Config(output_buffer=output)
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    return configuration


def _run(owner_url: str, work: Callable[[Connection], object]) -> None:
    async def go() -> None:
        engine = create_async_engine(async_url(owner_url))
        try:
            async with engine.connect() as connection:
                await connection.run_sync(work)
        finally:
            await engine.dispose()

    asyncio.run(go())


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Bring the database to `revision`. Safe to repeat, and safe while another process does the same."""
    _run(owner_url, lambda connection: command.upgrade(_configuration(connection), revision))


def downgrade(owner_url: str, revision: str) -> None:
    """Go back to `revision`; `base` empties the schema."""
    _run(owner_url, lambda connection: command.downgrade(_configuration(connection), revision))


def drift(owner_url: str) -> list[object]:
    """Differences between the models and the migrated database; none if the migrations are complete."""
    found: list[object] = []

    def look(connection: Connection) -> None:
        migration = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_schemas": True,
                "include_name": lambda name, type_, parents: name == SCHEMA if type_ == "schema" else True,
                "version_table_schema": SCHEMA,
            },
        )
        found.extend(compare_metadata(migration, metadata))

    _run(owner_url, look)
    return found


def offline_sql() -> str:
    """The SQL of all migrations, for a linter or a careful administrator."""
    output = io.StringIO()
    command.upgrade(_configuration(None, output), "head", sql=True)
    return output.getvalue()
