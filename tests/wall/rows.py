"""Makes one row of every tenant table for each tenant, from the models alone, with the same business keys in each."""

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, get_type_hints
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import metadata
from tenants.base import TENANT, Base
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tests.support import NOW

Row = dict[str, Any]
LISTED = re.compile(r"^(?P<column>\w+) in \('(?P<first>[^']*)'")
ABSENT = {
    "training_session.second_part_at",
    "session_places.offer_hours",
    "booking.ended_at",
    "place_offer.decided_at",
    "licence_enrolment.released_at",
}
"""Columns that a check keeps empty beside the values that the others get."""
INSTEAD = {
    "provider_contact.employer_id": "tenant_location_id",
    "message_objection.contact_id": "learner_id",
    "reminder_rule.series_id": "session_id",
    "message.contact_id": "learner_id",
    "message.staff_member_id": "learner_id",
    "message.campaign_id": "template_id",
}
"""Links that stand instead of another one of their row: they are empty, for the other is there."""
_ANNOTATIONS = {
    mapper.local_table.name: get_type_hints(mapper.class_)
    for mapper in Base.registry.mappers
    if isinstance(mapper.local_table, Table)
}


def tenant_tables() -> list[Table]:
    """Tables of tenants, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.info["kind"] == TENANT]


def links(table: Table) -> list[ForeignKeyConstraint]:
    """Foreign keys of a table to tables of tenants."""
    return [key for key in table.foreign_key_constraints if key.referred_table.info["kind"] == TENANT]


def linking_column(key: ForeignKeyConstraint) -> str:
    """The column of a foreign key beside tenant_id."""
    (name,) = [column.name for column in key.columns if column.name != "tenant_id"]
    return name


def is_instead(key: ForeignKeyConstraint) -> str | None:
    """The column that a link stands instead of, if it does."""
    return None if key.referred_table.name == "tenant" else INSTEAD.get(f"{key.table.name}.{linking_column(key)}")


async def fill(owner_url: str, tenants: Iterable[UUID]) -> dict[UUID, dict[str, Row]]:
    """Write the rows as the owner; gives them by tenant and table. Where a tenant has one row only, that is taken."""
    engine = create_engine(owner_url)
    made: dict[UUID, dict[str, Row]] = {}
    try:
        for tenant_id in tenants:
            rows = made[tenant_id] = {}
            for table in tenant_tables():
                async with engine.begin() as connection:
                    rows[table.name] = await _row(connection, table, tenant_id, rows)
    finally:
        await engine.dispose()
    return made


async def _row(connection: AsyncConnection, table: Table, tenant_id: UUID, rows: dict[str, Row]) -> Row:
    single = any(isinstance(c, CheckConstraint) and str(c.sqltext) == "id = tenant_id" for c in table.constraints)
    if single:
        existing = (await connection.execute(select(table).where(table.c.tenant_id == tenant_id))).mappings().first()
        if existing is not None:
            return dict(existing)
    row = {column.name: value(table, column) for column in table.columns}
    row |= {"tenant_id": tenant_id, "id": tenant_id if single else new_id()}
    for key in table.foreign_key_constraints:
        if key.referred_table is table or is_instead(key):
            row[linking_column(key)] = None
        elif key.referred_table.info["kind"] == TENANT:
            row[linking_column(key)] = rows[key.referred_table.name]["id"]
        elif key.referred_table.name != "tenant":
            (element,) = key.elements
            row[element.parent.name] = await _of_reference(connection, element.column)
    await connection.execute(table.insert().values(row))
    return row


async def _of_reference(connection: AsyncConnection, target: Column[Any]) -> Any:
    """The key of some row of a reference table, made if there is none."""
    found = (await connection.execute(select(target).limit(1))).scalar_one_or_none()
    if found is not None:
        return found
    row = {column.name: value(target.table, column) for column in target.table.columns}
    for key in target.table.foreign_key_constraints:
        (element,) = key.elements
        row[element.parent.name] = await _of_reference(connection, element.column)
    await connection.execute(target.table.insert().values(row))
    return row[target.name]


def value(table: Any, column: Column[Any]) -> Any:
    """A value that the column's type and checks allow; the same for every tenant unless it is a uuid."""
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            listed = LISTED.match(str(constraint.sqltext))
            if listed and listed["column"] == column.name:
                return listed["first"]
    if f"{table.name}.{column.name}" in ABSENT:
        return None
    kind = column.type.python_type
    if isinstance(column.type, JSONB):
        return ["option"] if "list" in str(_ANNOTATIONS[table.name][column.name]) else {}
    if kind is int:
        return 1000 if column.name == "sequence" else 1
    values: dict[type, Any] = {
        UUID: new_id(),
        str: f"the same {column.name}",
        bool: True,
        bytes: b"the same",
        Decimal: Decimal(1),
        date: NOW.date(),
        time: time(12),
        type(NOW): NOW + timedelta(hours=column.name.startswith("end")),
    }
    return values[kind]
