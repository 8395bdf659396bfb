"""Declarative base and the three kinds of table: tenant-owned, reference and local."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "medstead"

TENANT, REFERENCE, LOCAL = "tenant", "reference", "local"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    },
)


class Base(DeclarativeBase):
    """Every table lives in one schema and says its kind in `info`."""

    metadata = metadata
    type_annotation_map = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


def table_of(model: type[Base] | type["TenantOwned"]) -> Table:
    """The table of a model, for statements outside the ORM."""
    table = getattr(model, "__table__", None)
    assert isinstance(table, Table)
    return table


_DRIVER = "medstead_driver"


async def driver_of(session: AsyncSession) -> Any:
    """The driver's connection of the session's transaction, which it begins if there is none.

    It is kept for the transaction: asking for it anew costs as much as a short statement.
    """
    transaction, driver = session.info.get(_DRIVER, (None, None))
    if transaction is None or transaction is not session.sync_session.get_transaction():
        connection = await session.connection()
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        session.info[_DRIVER] = (session.sync_session.get_transaction(), driver)
    return driver


class TenantOwned:
    """Mixin of all tables that a tenant owns: `(tenant_id, id)` is the primary key."""

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"), primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)


def tenant_table(*arguments: Any) -> tuple[Any, ...]:
    """`__table_args__` of a tenant-owned table."""
    return (*arguments, {"info": {"kind": TENANT}})


def reference_table(*arguments: Any) -> tuple[Any, ...]:
    """`__table_args__` of a small shared list that a migration or a command writes."""
    return (*arguments, {"info": {"kind": REFERENCE}})


def local_table(*arguments: Any) -> tuple[Any, ...]:
    """`__table_args__` of a table that stays on the coordinator: login directory, relay bookkeeping."""
    return (*arguments, {"info": {"kind": LOCAL}})


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """`column` is one of `values`, which go as one array: the statement's text is the same for any number of them."""
    found: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(column.type)))
    return found


def to_tenant(column: str, target: str) -> ForeignKeyConstraint:
    """A foreign key to another tenant-owned table, aligned on `tenant_id`, so that no link can cross the wall."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{SCHEMA}.{target}.tenant_id", f"{SCHEMA}.{target}.id"])


def tenant_index(*columns: str, name: str | None = None, unique: bool = False, where: str | None = None) -> Index:
    """An index of a tenant-owned table; `tenant_id` always comes first."""
    return Index(name, "tenant_id", *columns, unique=unique, postgresql_where=None if where is None else text(where))


def tenant_unique(*columns: str) -> UniqueConstraint:
    """A unique constraint of a tenant-owned table; `tenant_id` always comes first."""
    return UniqueConstraint("tenant_id", *columns)
