"""Engines for the runtime roles, and the refusal to run under a role that could walk through the wall."""

from urllib.parse import urlsplit, urlunsplit

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tenants.base import SCHEMA


class UnsafeRole(RuntimeError):
    """The database login of the application could bypass row-level security. The message says how to mend it."""


def async_url(url: str) -> str:
    """A plain `postgresql://` address as SQLAlchemy's asyncpg dialect wants it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


def plain_url(url: str) -> str:
    """The same address as asyncpg itself wants it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme="postgresql"))


def _dump(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def create_engine(url: str, *, pool_size: int = 5, behind_pgbouncer: bool = False) -> AsyncEngine:
    """An engine for the runtime role. Behind PgBouncer no statement may be kept prepared between transactions."""
    address = async_url(url)
    arguments: dict[str, object] = {}
    if behind_pgbouncer:
        address += ("&" if "?" in address else "?") + "prepared_statement_cache_size=0"
        arguments["statement_cache_size"] = 0
    return create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args=arguments,
        json_serializer=_dump,
        json_deserializer=orjson.loads,
    )


async def refuse_unsafe_role(engine: AsyncEngine, *, allow_bypass: bool = False) -> None:
    """Raise UnsafeRole if the login is a superuser, bypasses row-level security or owns a table of ours.

    `allow_bypass` is for the second run of the test suite, which proves that every statement names its tenant.
    """
    question = text(
        """
        SELECT current_user AS name, r.rolsuper, r.rolbypassrls,
               EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE n.nspname = :schema AND pg_has_role(c.relowner, 'MEMBER')) AS owns
          FROM pg_roles r WHERE r.rolname = current_user
        """
    )
    async with engine.connect() as connection:
        role = (await connection.execute(question, {"schema": SCHEMA})).one()
    faults = [
        fault
        for fault, present in (
            ("is a superuser", role.rolsuper),
            ("has BYPASSRLS", role.rolbypassrls and not allow_bypass),
            ("owns tables of Medstead or is a member of the role that does", role.owns and not role.rolsuper),
        )
        if present
    ]
    if faults:
        raise UnsafeRole(
            f"The database login {role.name!r} {' and '.join(faults)}, so tenants would not be kept apart. "
            "Set DATABASE_URL to the runtime role (medstead_app) and DATABASE_OWNER_URL to the owner."
        )
