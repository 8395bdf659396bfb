"""Roles and databases: the owner that migrates, the runtime role that owns nothing, the benchmark reader."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

OWNER, APP, BENCHMARK = "medstead_owner", "medstead_app", "medstead_benchmark"


@dataclass(frozen=True, slots=True)
class RolePasswords:
    """Passwords of the three logins."""

    owner: str
    app: str
    benchmark: str


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Plain `postgresql://` addresses of one database, one for each role."""

    app: str
    owner: str
    benchmark: str


def with_login(url: str, user: str, password: str, database: str) -> str:
    """`url` with another login and database."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}", path=f"/{database}"))


def _literal(value: str) -> str:
    """A string literal for statements that take no parameters."""
    if "\0" in value:
        raise ValueError("a password cannot hold a NUL character")
    return "'" + value.replace("'", "''") + "'"


async def prepare_roles(connection: asyncpg.Connection, passwords: RolePasswords) -> None:
    """Create or update the three logins. Needs a login that may create roles; BYPASSRLS needs a superuser.

    The owner bypasses row-level security because an owner bound by FORCE cannot move shards safely on Citus.
    """
    superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    for name, password, options in (
        (OWNER, passwords.owner, "BYPASSRLS" if superuser else ""),
        (APP, passwords.app, "NOBYPASSRLS" if superuser else ""),
        (BENCHMARK, passwords.benchmark, "NOBYPASSRLS" if superuser else ""),
    ):
        exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        verb = "ALTER" if exists else "CREATE"
        await connection.execute(f"{verb} ROLE {name} LOGIN {options} PASSWORD {_literal(password)}")
    # Limits sit on the role because PgBouncer drops them as start-up parameters.
    await connection.execute(f"ALTER ROLE {APP} SET statement_timeout = '30s'")
    await connection.execute(f"ALTER ROLE {APP} SET lock_timeout = '10s'")
    await connection.execute(f"ALTER ROLE {APP} SET idle_in_transaction_session_timeout = '120s'")


async def create_database(connection: asyncpg.Connection, database: str) -> None:
    """Create the database if it is not there, owned by the owner role and closed to everybody else."""
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
        await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
        await connection.execute(f'CREATE DATABASE "{database}" OWNER {OWNER}')
    await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {APP}, {BENCHMARK}')


async def prepare_database(superuser_url: str, database: str, passwords: RolePasswords) -> DatabaseUrls:
    """Roles and database in one call; harmless when repeated."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await prepare_roles(connection, passwords)
        await create_database(connection, database)
    finally:
        await connection.close()
    return DatabaseUrls(
        app=with_login(superuser_url, APP, passwords.app, database),
        owner=with_login(superuser_url, OWNER, passwords.owner, database),
        benchmark=with_login(superuser_url, BENCHMARK, passwords.benchmark, database),
    )
