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
    func,
    literal_column,
)
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler.errors import Refusal


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
    encoded = func.encode(func.convert_to(cast(values, Text), literal_column("'UTF8'")), literal_column("'base64'"))
    return func.translate(encoded, literal_column("E'\\n'"), literal_column("''"))


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


Bound = Sequence[ColumnElement[Any] | None]
"""The sort values of a cursor; None stands for a null."""


def beyond(keys: Sequence[SortKey], row: Any, bound: Bound, *, before: bool) -> list[ColumnElement[bool]]:
    """The rows that sort strictly after (or before) the bound, as conditions of which each row meets at most one.

    Each is one range of an index on the keys, so that a page costs the same wherever it begins.
    """
    return _ranges(keys, row, bound, before=before, with_bound=False)


def up_to(keys: Sequence[SortKey], row: Any, bound: Bound, *, before: bool) -> list[ColumnElement[bool]]:
    """All other rows: the bound's own and those on its far side, likewise."""
    return _ranges(keys, row, bound, before=not before, with_bound=True)


def _ranges(
    keys: Sequence[SortKey], row: Any, bound: Bound, *, before: bool, with_bound: bool
) -> list[ColumnElement[bool]]:
    descending = {key.descending for key in keys}
    if len(descending) == 1 and not any(key.nullable for key in keys):
        # A row comparison is one range of the index.
        ours, theirs = func.row(*[row.c[key.name] for key in keys]), func.row(*bound)
        if descending.pop() == before:
            return [ours >= theirs if with_bound else ours > theirs]
        return [ours <= theirs if with_bound else ours < theirs]
    ranges: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for key, value in zip(keys, bound, strict=True):
        column = row.c[key.name]
        ranges += [and_(*equal, past) for past in _past(column, key, value, ascending=key.descending == before)]
        equal.append(column.is_(None) if value is None else column == value)
    return [*ranges, and_(*equal)] if with_bound else ranges


def _past(
    column: ColumnElement[Any], key: SortKey, value: ColumnElement[Any] | None, *, ascending: bool
) -> list[ColumnElement[bool]]:
    """Strictly past `value` when walking up (nulls are the greatest) or down."""
    if ascending:
        if value is None:
            return []
        return [column > value, column.is_(None)] if key.nullable else [column > value]
    return [column.is_not(None)] if value is None else [column < value]
