"""What guards a migration while it runs: a lock against a second deployer, and time-outs against queues of waiters."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

from tenants.base import SCHEMA

MIGRATION_LOCK = 7_302_114_001
LIMITS = ("SET lock_timeout = '3s'", "SET statement_timeout = '5min'")
BEFORE = (
    # One deployer at a time: a second one waits instead of racing. It asks again and again, for a statement that waits
    # for a lock holds a snapshot, and an index made concurrently waits for all snapshots.
    f"DO $$ BEGIN WHILE NOT pg_try_advisory_lock({MIGRATION_LOCK}) LOOP "
    "COMMIT; PERFORM pg_sleep(0.2); COMMIT; END LOOP; END $$",
    # After it, for waiting on another deployer is right and waiting on a table is not.
    *LIMITS,
    "SET search_path = pg_catalog",
    'SET "citus.enable_local_reference_table_foreign_keys" = off',
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
)
AFTER = f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"


@contextmanager
def beside_the_service() -> Iterator[None]:
    """For indexes made concurrently: no transaction, and as much time as the table takes. Nothing waits for them."""
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '10min'")
        op.execute("SET statement_timeout = 0")
        yield
        for statement in LIMITS:
            op.execute(statement)
