"""Alembic environment: online only, one connection of the owner role, guarded by timeouts and an advisory lock."""

from alembic import context
from sqlalchemy import Connection, text

from app.models import metadata
from tenants.base import SCHEMA

# One deployer at a time: a second one waits here instead of racing.
MIGRATION_LOCK = 7_302_114_001


def include_name(name: str | None, type_: str, parent_names: object) -> bool:
    """Look at our schema only."""
    return name == SCHEMA if type_ == "schema" else True


def run(connection: Connection | None) -> None:
    """Configure and run; without a connection the SQL is printed (offline mode)."""
    context.configure(
        connection=connection,
        dialect_name="postgresql" if connection is None else None,
        literal_binds=connection is None,
        target_metadata=metadata,
        include_schemas=True,
        include_name=include_name,
        version_table="alembic_version",
        version_table_schema=SCHEMA,
        transaction_per_migration=True,
        compare_type=True,
    )
    if connection is not None:
        connection.execute(text("SET lock_timeout = '3s'"))
        connection.execute(text("SET statement_timeout = '5min'"))
        connection.execute(text("SET search_path = pg_catalog"))
        connection.execute(text('SET "citus.enable_local_reference_table_foreign_keys" = off'))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        connection.commit()
    with context.begin_transaction():
        context.run_migrations()
    if connection is not None:
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()


run(context.config.attributes.get("connection"))
