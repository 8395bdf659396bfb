"""Two rows found to be one thing: what points to the one is given to the other, remembered, and can be given back."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Table,
    UniqueConstraint,
    and_,
    delete,
    exists,
    insert,
    select,
    true,
    update,
)

from tenants.base import SCHEMA, among, metadata
from tenants.session import UnitOfWork

Moved = dict[str, Any]
"""`moved`: ids by `table.column`; `removed`: whole rows by table, of which the other side had an equal one."""


def links_to(target: str, stay: Collection[str]) -> Iterator[tuple[Table, Column[Any]]]:
    """Every tenant-owned column that points to `target`, of this and of later parts, but those of tables that stay."""
    for table in metadata.sorted_tables:
        if table.name in stay:
            continue
        for column in table.columns:
            if any(key.target_fullname == f"{SCHEMA}.{target}.id" for key in column.foreign_keys):
                yield table, column


async def hand_over(
    work: UnitOfWork,
    links: Collection[tuple[Table, Column[Any]]],
    kept_id: UUID,
    merged_id: UUID,
    only: Mapping[str, ColumnElement[bool]] | None = None,
) -> Moved:
    """Give everything of one row to another; what both have is kept once. `only` says of a table which rows move."""
    moved: dict[str, list[str]] = {}
    removed: dict[str, list[dict[str, Any]]] = {}
    for table, column in links:
        condition = and_(table.c.tenant_id == work.tenant_id, column == merged_id)
        if only is not None and table.name in only:
            condition = and_(condition, only[table.name])
        twice = await _twice(work, table, column, condition, kept_id)
        if twice:
            removed[f"{table.name}"] = removed.get(f"{table.name}", []) + [_plain(row) for row in twice]
            gone = [row["id"] for row in twice]
            await work.session.execute(
                delete(table).where(table.c.tenant_id == work.tenant_id, among(table.c.id, gone))
            )
        changed = await work.session.execute(
            update(table).where(condition).values({column.name: kept_id}).returning(table.c.id)
        )
        identifiers = sorted(str(identifier) for identifier in changed.scalars())
        if identifiers:
            moved[f"{table.name}.{column.name}"] = identifiers
    return {"moved": moved, "removed": removed}


async def give_back(
    work: UnitOfWork, links: Collection[tuple[Table, Column[Any]]], handed: Moved, kept_id: UUID, merged_id: UUID
) -> None:
    """Give back what changed hands. What came to the kept row afterwards stays there."""
    tables = {table.name: table for table, _ in links}
    for place, identifiers in handed["moved"].items():
        name, _, column = place.partition(".")
        table = tables[name]
        await work.session.execute(
            update(table)
            .where(
                table.c.tenant_id == work.tenant_id,
                among(table.c.id, [UUID(identifier) for identifier in identifiers]),
                table.c[column] == kept_id,
            )
            .values({column: merged_id})
        )
    for name, rows in handed["removed"].items():
        if rows:
            await work.session.execute(insert(tables[name]), [_typed(tables[name], row) for row in rows])


def counts(handed: Moved) -> dict[str, int]:
    """How many rows changed hands, by `table.column`."""
    return {key: len(ids) for key, ids in handed["moved"].items()}


async def _twice(
    work: UnitOfWork, table: Table, column: Column[Any], condition: ColumnElement[bool], kept_id: UUID
) -> list[Mapping[str, Any]]:
    """Rows that would stand beside an equal one of the kept row."""
    found: dict[UUID, Mapping[str, Any]] = {}
    for constraint in table.constraints:
        if not isinstance(constraint, UniqueConstraint) or column.name not in constraint.columns:
            continue
        others = [other.name for other in constraint.columns if other.name not in ("tenant_id", column.name)]
        equal = table.alias()
        same = and_(true(), *[equal.c[name] == table.c[name] for name in others])
        rows = await work.session.execute(
            select(table).where(
                condition,
                exists().where(equal.c.tenant_id == work.tenant_id, equal.c[column.name] == kept_id, same),
            )
        )
        found |= {row["id"]: dict(row) for row in rows.mappings()}
    for index in table.indexes:
        if index.unique and column.name in index.columns:
            found |= await _twice_by(work, table, index, column, condition, kept_id)
    return list(found.values())


async def _twice_by(
    work: UnitOfWork, table: Table, index: Index, column: Column[Any], condition: ColumnElement[bool], kept_id: UUID
) -> dict[UUID, Mapping[str, Any]]:
    """The same by an index that allows one such row among those that it is about."""
    about = index.dialect_options["postgresql"]["where"]
    others = [other.name for other in index.columns if other.name not in ("tenant_id", column.name)]
    kept = await work.session.execute(
        select(*[table.c[name] for name in others]).where(table.c.tenant_id == work.tenant_id, column == kept_id, about)
    )
    taken = {tuple(row) for row in kept}
    rows = (await work.session.execute(select(table).where(condition, about))).mappings()
    return {row["id"]: dict(row) for row in rows if tuple(row[name] for name in others) in taken}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    # Names of columns are a kind of text of their own, which the serializer does not take for keys.
    parsed: dict[str, Any] = orjson.loads(orjson.dumps({f"{name}": value for name, value in row.items()}, default=str))
    return parsed


_FROM_TEXT: Mapping[type, Any] = defaultdict(
    lambda: lambda value: value,
    {UUID: UUID, datetime: datetime.fromisoformat, date: date.fromisoformat, Decimal: Decimal},
)


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if value is None else _FROM_TEXT[table.c[name].type.python_type](value)
        for name, value in row.items()
    }
