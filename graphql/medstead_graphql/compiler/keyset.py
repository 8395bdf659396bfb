"""Ordering and keyset cursors: a cursor is the sort values of its row, so paging is steady while rows come and go."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    cast,
    false,
    func,
    or_,
)
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler.errors import Refusal


class CursorShapeChanged(Exception):
    """A cached plan met a cursor with nulls in other places than the one it was compiled for."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One sort column: ascending puts nulls last, descending puts them first, as PostgreSQL does by default."""

    name: str
    descending: bool
    nullable: bool
    type: TypeEngine[Any]


def order_by(keys: Sequence[SortKey], row: Any, *, reverse: bool) -> list[ColumnElement[Any]]:
    """ORDER BY clauses over `row`."""
    return [row.c[key.name].desc() if key.descending != reverse else row.c[key.name].asc() for key in keys]


def cursor(keys: Sequence[SortKey], row: Any) -> ColumnElement[str]:
    """The row's cursor as SQL: base64 of a JSON array of the sort values as text."""
    values = func.json_build_array(*[cast(row.c[key.name], Text) for key in keys])
    return func.translate(func.encode(func.convert_to(cast(values, Text), "UTF8"), "base64"), "\n", "")


_CONVERT: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (Uuid, UUID),
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (Integer, int),
    (Boolean, lambda text: text == "true"),
    (Numeric, Decimal),
)


def decode(text: str, keys: Sequence[SortKey], path: Sequence[str | int]) -> list[Any]:
    """The sort values in a cursor. Raises Refusal `INVALID_CURSOR` if it is none of this ordering."""
    message = "That cursor does not belong to this connection and order. Use one from the same query."
    refusal = Refusal("INVALID_CURSOR", message, [*path])
    try:
        values = orjson.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise refusal from error
    if not isinstance(values, list) or len(values) != len(keys):
        raise refusal
    return [_convert(value, key, refusal) for value, key in zip(values, keys, strict=True)]


def _convert(value: Any, key: SortKey, refusal: Refusal) -> Any:
    if value is None and key.nullable:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise refusal
    for kind, convert in _CONVERT:
        if isinstance(key.type, kind):
            try:
                return convert(value)
            except (ValueError, ArithmeticError) as error:
                raise refusal from error
    return value


def beyond(
    keys: Sequence[SortKey], row: Any, values: Sequence[ColumnElement[Any] | None], *, before: bool
) -> ColumnElement[bool]:
    """The rows that sort strictly after (or before) the given values; None stands for a null sort value."""
    if not before and all(not key.descending and not key.nullable for key in keys):
        # A row comparison can be answered by one range of the index.
        return func.row(*[row.c[key.name] for key in keys]) > func.row(*values)
    steps: list[ColumnElement[bool]] = []
    for position, (key, value) in enumerate(zip(keys, values, strict=True)):
        equal = [
            row.c[earlier.name].is_(None) if earlier_value is None else row.c[earlier.name] == earlier_value
            for earlier, earlier_value in zip(keys[:position], values[:position], strict=True)
        ]
        steps.append(and_(*equal, _past(row.c[key.name], key, value, ascending=key.descending == before)))
    return or_(*steps)


def _past(
    column: ColumnElement[Any], key: SortKey, value: ColumnElement[Any] | None, *, ascending: bool
) -> ColumnElement[bool]:
    """Strictly past `value` when walking up (nulls are the greatest) or down."""
    if ascending:
        if value is None:
            return false()
        return or_(column > value, column.is_(None)) if key.nullable else column > value
    if value is None:
        return column.is_not(None)
    return column < value
