"""The database's own wall, as migrations write it: row-level security, grants and, on Citus, distribution."""

from collections.abc import Iterator, Sequence

from tenants.base import SCHEMA
from tenants.provision import APP

POLICY = "tenant_wall"
PREDICATE = "(tenant_id = current_setting('app.tenant_id')::uuid)"


def wall(table: str, grants: Sequence[str] = ("SELECT", "INSERT", "UPDATE", "DELETE")) -> Iterator[str]:
    """Statements that put a tenant-owned table behind the wall and grant the runtime role `grants` on it."""
    name = f"{SCHEMA}.{table}"
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield f"CREATE POLICY {POLICY} ON {name} USING {PREDICATE} WITH CHECK {PREDICATE}"
    yield f"GRANT {', '.join(grants)} ON {name} TO {APP}"


def open_table(table: str, grants: Sequence[str]) -> Iterator[str]:
    """Statements that grant the runtime role `grants` on a reference or local table."""
    yield f"GRANT {', '.join(grants)} ON {SCHEMA}.{table} TO {APP}"


def distribute(table: str) -> str:
    """Distribute a table by tenant where Citus is installed; does nothing on plain PostgreSQL."""
    return (
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN "
        f"PERFORM create_distributed_table('{SCHEMA}.{table}', 'tenant_id', colocate_with => 'default'); "
        "END IF; END $$"
    )


def replicate(table: str) -> str:
    """Make a reference table where Citus is installed; does nothing on plain PostgreSQL."""
    return (
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN "
        f"PERFORM create_reference_table('{SCHEMA}.{table}'); END IF; END $$"
    )
