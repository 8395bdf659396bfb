"""Invented rows of every tenant table for two tenants, with nulls and ties wherever a column allows them."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, get_type_hints
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Numeric, SmallInteger, Table
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import metadata
from tenants.base import REFERENCE, SCHEMA, TENANT, Base
from tenants.context import bind_statement
from tenants.engine import create_engine, plain_url
from tests.support import NOW, Installation
from tests.wall.rows import LISTED, linking_column, tenant_tables

Row = dict[str, Any]
Rows = dict[str, list[Row]]
"""Rows by table name."""

ROWS_OF_A_TABLE = {
    "tier": 4,
    "training_session": 12,
    "learner": 30,
    "completion": 45,
    "attendance": 40,
    **dict.fromkeys(("programme", "programme_origin", "topic", "guidance_document"), 40),
}
ELSE_ROWS = 16
TRIES = 3
"""How often a row is tried, on average: what checks and ties do not allow is made anew."""
MORE_TRIES = {"training_session": 12, "message": 12}
"""Of a table whose checks few rows that are made by chance pass."""
CQC_LOCATIONS = 14
TEMPLATES = 10
TEXTS = ("", "Anna", "anna", "ÉCLAIR", "éclair", "50% off_\\", "ΟΔΟΣ", "İzmir", "a\n'b\"", "Zoë 🙂", "z" * 90)
NUMBERS = (0, 1, 2, 2, 3, 60, 2_147_483_647)
MOMENTS = tuple(
    NOW + timedelta(days=days, microseconds=microseconds)
    for days, microseconds in ((-400, 0), (-30, 1), (-30, 2), (-30, 500_000), (-1, 120_000), (0, 0), (0, 999_999))
)
DAYS = tuple(date(2026, 3, 28) + timedelta(days=days) for days in (0, 1, 1, 2, 30))
DOCUMENTS: tuple[dict[str, Any], ...] = ({}, {"b": [1, None, {"c": "é"}], "a": True}, {"text": '\u2028 \\ "'})
_HINTS = {
    mapper.local_table.name: get_type_hints(mapper.class_)
    for mapper in Base.registry.mappers
    if isinstance(mapper.local_table, Table)
}


@dataclass(frozen=True)
class World:
    """What each tenant sees: its own rows and the shared ones, by table."""

    seen: Mapping[UUID, Rows]


async def make_world(installation: Installation, seed: int) -> World:
    """Write the rows as the owner, then read every table as each tenant by a plain statement."""
    chance = random.Random(seed)
    engine = create_engine(installation.urls.owner)
    tenants = (installation.north, installation.south)
    try:
        async with engine.begin() as connection:
            shared = {"cqc_provider": 4, "job_role": 0, "cqc_location": CQC_LOCATIONS, "programme_template": TEMPLATES}
            for name, count in shared.items():
                await _shared(connection, metadata.tables[f"{SCHEMA}.{name}"], count, chance)
            for tenant_id in tenants:
                await _owned(connection, tenant_id, chance)
    finally:
        await engine.dispose()
    return World({tenant_id: await _read(installation.urls.app, tenant_id) for tenant_id in tenants})


async def add_rows(owner_url: str, tenant_id: UUID, seed: int, at_most: int = ELSE_ROWS) -> None:
    """Write some more rows into every table of the tenant, as the owner, in one transaction."""
    engine = create_engine(owner_url)
    try:
        async with engine.begin() as connection:
            await _owned(connection, tenant_id, random.Random(seed), at_most)
    finally:
        await engine.dispose()


async def _shared(connection: AsyncConnection, table: Table, count: int, chance: random.Random) -> None:
    for number in range(count):
        row = {column.name: _value(table, column, chance) for column in table.columns}
        row["id"] = _uuid(chance) if table.c.id.type.python_type is UUID else f"1-{table.name.upper()}-{number}"
        if "version" in row:
            row["version"] = number  # of one name and publisher there is one of each
        for key in in_order(table):
            (element,) = key.elements
            row[element.parent.name] = await _reference(connection, element.column, chance)
        await connection.execute(insert(table).values(row))


def in_order(table: Table) -> list[ForeignKeyConstraint]:
    """The foreign keys of a table in an order that is the same in every process: SQLAlchemy keeps them as a set."""
    return sorted(table.foreign_key_constraints, key=lambda key: tuple(key.column_keys))


async def _reference(connection: AsyncConnection, target: Column[Any], chance: random.Random) -> Any:
    found = (await connection.execute(target.table.select().order_by(target))).mappings().all()
    return chance.choice(found)[target.name]


async def _owned(
    connection: AsyncConnection, tenant_id: UUID, chance: random.Random, at_most: int | None = None
) -> None:
    made: dict[str, list[UUID]] = {}
    for table in tenant_tables():
        made[table.name] = []
        single = any(isinstance(c, CheckConstraint) and str(c.sqltext) == "id = tenant_id" for c in table.constraints)
        if single or table.name.startswith(("audit", "outbox", "import_part", "import_chunk")):
            continue
        wanted = at_most or ROWS_OF_A_TABLE.get(table.name, ELSE_ROWS)
        for _ in range(wanted * MORE_TRIES.get(table.name, TRIES)):
            row = {column.name: _value(table, column, chance) for column in table.columns}
            row |= {"tenant_id": tenant_id, "id": _uuid(chance)}
            try:
                for key in in_order(table):
                    await _link(connection, key, row, made, chance)
                async with connection.begin_nested():
                    await connection.execute(insert(table), row)  # as its own text, which is kept
            except (IntegrityError, IndexError):
                continue  # a check, a tie where none may be, a link to a table of which there is no row
            made[table.name].append(row["id"])
            if len(made[table.name]) == wanted:
                break


async def _link(
    connection: AsyncConnection, key: ForeignKeyConstraint, row: Row, made: dict[str, list[UUID]], chance: random.Random
) -> None:
    if key.referred_table.info["kind"] == TENANT:
        column = key.parent.c[linking_column(key)]
        optional = column.nullable and chance.random() < 0.4
        row[column.name] = None if optional else chance.choice(made[key.referred_table.name])
    elif key.referred_table.name != "tenant":
        (element,) = key.elements
        optional = element.parent.nullable and chance.random() < 0.4
        row[element.parent.name] = None if optional else await _reference(connection, element.column, chance)


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


@cache
def _listed(table: Table, name: str) -> list[str]:
    """The words that a check allows in a column; none if no check lists them."""
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            listed = LISTED.match(str(constraint.sqltext))
            if listed and listed["column"] == name:
                return str(constraint.sqltext).split("'")[1::2]
    return []


def _value(table: Table, column: Column[Any], chance: random.Random) -> Any:
    if column.nullable and chance.random() < 0.3:
        return None
    if listed := _listed(table, column.name):
        return chance.choice(listed)
    if isinstance(column.type, JSONB):
        if "list" in str(_HINTS[table.name][column.name]):
            return chance.choice(([], ["option"], ["é", "a"]))
        return chance.choice(DOCUMENTS)
    if isinstance(column.type, Numeric):
        return Decimal(chance.choice(("0", "-1.5", "90", "90.00", "33.33")))
    kind = column.type.python_type
    unique = column.name in {"slug", "key", "location_key", "respondent_key", "external_key", "source_key"}
    unique = unique or column.name in {"reference", "check_in_code", "verification_code", "issue_key"}
    choices: dict[type, Any] = {
        UUID: _uuid(chance),
        str: str(_uuid(chance)) if unique else chance.choice(TEXTS),
        bool: chance.random() < 0.5,
        bytes: b"",
        date: chance.choice(DAYS),
        time: chance.choice((time(8), time(20, 30))),
        type(NOW): chance.choice(MOMENTS),
        int: chance.choice([n for n in NUMBERS if n < 2**15] if isinstance(column.type, SmallInteger) else NUMBERS),
    }
    return choices[kind]


async def _read(url: str, tenant_id: UUID) -> Rows:
    connection = await asyncpg.connect(plain_url(url))
    seen: Rows = {}
    try:
        for table in metadata.sorted_tables:
            if table.info["kind"] not in (TENANT, REFERENCE):
                continue
            async with connection.transaction():
                await connection.execute(bind_statement(tenant_id))
                if table.info["kind"] == TENANT:
                    found = await connection.fetch(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)
                else:
                    found = await connection.fetch(f"SELECT * FROM {table}")
            documents = [column.name for column in table.columns if isinstance(column.type, JSONB)]
            seen[table.name] = [
                dict(row) | {name: orjson.loads(row[name] or b"null") for name in documents} for row in found
            ]
    finally:
        await connection.close()
    return seen
