"""Answers as text: pieces of JSON, constant or computed, that one `concat` joins.

PostgreSQL's own JSON functions look every argument's type up again for every row; joining text takes about half their
time. What a column holds is written by `to_json`, but for kinds of values that need no quoting.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLEnumType, GraphQLNamedType
from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, Integer, Text, Uuid, case, cast, func, literal_column
from sqlalchemy.dialects.postgresql import aggregate_order_by

Piece = str | ColumnElement[Any]

MOST_ARGUMENTS = 90
"""PostgreSQL functions take at most 100."""


class Json:
    """A JSON value as pieces of text: constant ones of our own, and SQL that yields text and is never null."""

    __slots__ = ("pieces",)

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = pieces

    def sql(self) -> ColumnElement[Any]:
        """The whole value as one text."""
        arguments = [_constant(piece) if isinstance(piece, str) else piece for piece in _merged(self.pieces)]
        while len(arguments) > MOST_ARGUMENTS:
            starts = range(0, len(arguments), MOST_ARGUMENTS)
            arguments = [func.concat(*arguments[start : start + MOST_ARGUMENTS]) for start in starts]
        return arguments[0] if len(arguments) == 1 else func.concat(*arguments)


NULL = Json("null")


def typename(name: str) -> Json:
    """The name of a type."""
    return Json(f'"{name}"')


def json_object(values: Mapping[str, Json]) -> Json:
    """An object of response keys, which GraphQL's grammar keeps free of anything to escape."""
    pieces: list[Piece] = []
    for key, value in values.items():
        pieces += [f'{"," if pieces else "{"}"{key}":', *value.pieces]
    return Json(*pieces, "}") if pieces else Json("{}")


def json_list(texts: ColumnElement[Any]) -> Json:
    """A list from an aggregate that joins its members by commas, null where there are none."""
    return Json("[", texts, "]")


def joined(texts: ColumnElement[Any], order: ColumnElement[Any] | None = None) -> Any:
    """Aggregate: members of a list, in an order or as the rows come."""
    comma: Any = literal_column("','", Text())
    return func.string_agg(texts, comma if order is None else aggregate_order_by(comma, order))


def json_or_null(value: ColumnElement[Any]) -> Json:
    """The text of a sub-select, or null where that finds no row."""
    return Json(func.coalesce(value, literal_column("'null'", Text())))


def json_value(column: ColumnElement[Any], named: GraphQLNamedType, owner: str) -> Json:
    """A leaf: enums by member name, decimals as text, ids behind the name of `owner`, all else as it is."""
    if named.name == "ID":
        if isinstance(column.type, Uuid):
            return Json(f'"{owner}:', column, '"')
        return Json(func.to_json(literal_column(f"'{owner}:'", Text()).concat(cast(column, Text))))
    if named.name == "Decimal":
        return _perhaps(column, func.to_json(cast(column, Text)))
    if isinstance(named, GraphQLEnumType):
        return _perhaps(column, func.to_json(_member(column, named)))
    if isinstance(column.type, Integer | BigInteger | Boolean):
        return _perhaps(column, cast(column, Text))
    return _perhaps(column, func.to_json(column))


def _member(column: ColumnElement[Any], named: GraphQLEnumType) -> ColumnElement[Any]:
    """The name of the member whose value the column holds: the value in capitals, unless it is named otherwise."""
    stored = {name: str(getattr(one.value, "value", one.value)) for name, one in named.values.items()}
    others = [(column == _constant(value), _constant(name)) for name, value in stored.items() if value.upper() != name]
    return case(*others, else_=func.upper(column)) if others else func.upper(column)


def _perhaps(column: ColumnElement[Any], written: ColumnElement[Any]) -> Json:
    if isinstance(column, Column) and column.nullable is False:
        return Json(written)
    return Json(func.coalesce(written, literal_column("'null'")))


def _merged(pieces: Iterable[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return merged


def _constant(text: str) -> ColumnElement[Any]:
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text())
