"""Alembic environment: one connection of the owner role, or printed SQL, guarded by timeouts and an advisory lock."""

from alembic import context
from sqlalchemy import Connection, text

from app.models import metadata
from migrations.guards import AFTER, BEFORE
from tenants.base import SCHEMA


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
    for statement in BEFORE:
        _do(connection, statement)
    with context.begin_transaction():
        context.run_migrations()
    _do(connection, AFTER)


def _do(connection: Connection | None, statement: str) -> None:
    """Run a statement outside the migrations' transactions, or print it."""
    if connection is None:
        context.get_context().impl.static_output(f"{statement};")
    else:
        connection.commit()  # looking for the version has begun a transaction
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(statement))
        connection.commit()
        connection.execution_options(isolation_level=connection.default_isolation_level)


run(context.config.attributes.get("connection"))
