"""What guards a migration while it runs: a lock against a second deployer, and time-outs against queues of waiters."""

from tenants.base import SCHEMA

# One deployer at a time: a second one waits here instead of racing.
MIGRATION_LOCK = 7_302_114_001
BEFORE = (
    # Before lock_timeout is set, for waiting on another deployer is right and waiting on a table is not.
    f"SELECT pg_advisory_lock({MIGRATION_LOCK})",
    "SET lock_timeout = '3s'",
    "SET statement_timeout = '5min'",
    "SET search_path = pg_catalog",
    'SET "citus.enable_local_reference_table_foreign_keys" = off',
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
)
AFTER = f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"
