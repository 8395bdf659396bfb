"""What a connection can be filtered and ordered by, and the GraphQL input types made from that."""

import enum
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import strawberry
from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, Uuid

from tenants.base import Base, table_of


@strawberry.input(description="Conditions on a text; all that are given must hold.")
class StringFilter:
    """Conditions on a text."""

    equals: str | None = None
    one_of: list[str] | None = None
    starts_with: str | None = None
    contains: str | None = None
    is_null: bool | None = None


@strawberry.input(description="Conditions on an id; all that are given must hold.")
class IDFilter:
    """Conditions on an id."""

    equals: strawberry.ID | None = None
    one_of: list[strawberry.ID] | None = None
    is_null: bool | None = None


@strawberry.input(description="Conditions on a whole number; all that are given must hold.")
class IntFilter:
    """Conditions on a whole number."""

    equals: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    is_null: bool | None = None


@strawberry.input(description="Conditions on a decimal number; all that are given must hold.")
class DecimalFilter:
    """Conditions on a decimal number."""

    equals: Decimal | None = None
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    is_null: bool | None = None


@strawberry.input(description="Condition on a yes-or-no value.")
class BooleanFilter:
    """Condition on a yes-or-no value."""

    equals: bool | None = None
    is_null: bool | None = None


@strawberry.input(description="Conditions on a moment: from `from` (included) until `before` (excluded).")
class DateTimeFilter:
    """Conditions on a moment."""

    from_: datetime | None = strawberry.field(name="from", default=None)
    before: datetime | None = None
    is_null: bool | None = None


@strawberry.input(description="Conditions on a date: from `from` (included) until `before` (excluded).")
class DateFilter:
    """Conditions on a date."""

    from_: date | None = strawberry.field(name="from", default=None)
    before: date | None = None
    is_null: bool | None = None


@dataclass(frozen=True)
class Listing:
    """How rows of a type are listed: what they are filtered and ordered by. Its name is the type's."""

    name: str
    table: type[Base]
    filters: tuple[str, ...]
    orders: tuple[str, ...]
    default_order: tuple[str, ...]
    """Columns; `-` before one: descending."""
    links: Mapping[str, str]
    """Fields that lead to one row → the type whose filter applies to it."""
    lists: Mapping[str, str]
    """Connections → the type whose filter applies to some, none or every row."""
    filter_type: Any
    order_type: Any
    scopes: Mapping[str, str]
    """Scopes that filtering or ordering by a column needs: either would tell what the column holds."""

    def column(self, name: str) -> "Column[Any]":
        """The table's column of that name."""
        return table_of(self.table).c[name]


_listings: dict[str, Listing] = {}


def listing_of(name: str) -> Listing:
    """The listing of a type."""
    return _listings[name]


def _filter_for(column: "Column[Any]") -> Any:
    kind = column.type
    for sql_type, filter_type in (
        (Boolean, BooleanFilter),
        (DateTime, DateTimeFilter),
        (Date, DateFilter),
        (Integer, IntFilter),
        (Numeric, DecimalFilter),
        (Uuid, IDFilter),
    ):
        if isinstance(kind, sql_type):
            return filter_type
    return StringFilter


def listing(
    name: str,
    table: type[Base],
    *,
    filters: tuple[str, ...] = (),
    orders: tuple[str, ...] = (),
    default_order: tuple[str, ...] = (),
    links: Mapping[str, str] = MappingProxyType({}),
    lists: Mapping[str, str] = MappingProxyType({}),
    scopes: Mapping[str, str] = MappingProxyType({}),
) -> Listing:
    """Make a listing and its GraphQL types `<name>Filter`, `<name>ListFilter` and `<name>Order`.

    `links` and `lists` name fields of the type and the types they lead to, which have listings of their own.
    """
    filter_name = f"{name}Filter"
    columns = table_of(table).c
    annotations: dict[str, Any] = {field: _filter_for(columns[field]) | None for field in filters}
    annotations |= {snake(field): f"{target}Filter | None" for field, target in links.items()}
    annotations |= {snake(field): f"{target}ListFilter | None" for field, target in lists.items()}
    annotations |= {
        "and_": f"list[{filter_name}] | None",
        "or_": f"list[{filter_name}] | None",
        "not_": f"{filter_name} | None",
    }
    filter_type = _input(filter_name, annotations, f"Conditions on rows of {name}; all that are given must hold.")
    _input(
        f"{name}ListFilter",
        dict.fromkeys(("some", "none", "every"), f"{filter_name} | None"),
        f"Conditions on a list of {name}: on some row of it, on none, on every one.",
    )
    members = {
        f"{field}_{way}".upper(): f"{sign}{field}" for field in orders for way, sign in (("asc", ""), ("desc", "-"))
    }
    orders_of: type[enum.Enum] = enum.Enum(  # type: ignore[misc]
        f"{name}Order", members or {"ID_ASC": "id"}, module=__name__
    )
    order_type = strawberry.enum(orders_of, description=f"Orders of {name}.")
    made = Listing(name, table, filters, orders, default_order, links, lists, filter_type, order_type, scopes)
    _listings[name] = made
    return made


def _input(name: str, annotations: dict[str, Any], description: str) -> Any:
    """An input type whose members may all be left out, known to the others by its name."""
    body: dict[str, Any] = dict.fromkeys(annotations)
    for word in ("and", "or", "not"):
        if f"{word}_" in annotations:
            body[f"{word}_"] = strawberry.field(name=word, default=None)
    body |= {"__annotations__": annotations, "__module__": __name__}
    made = strawberry.input(type(name, (), body), description=description)
    setattr(sys.modules[__name__], name, made)
    return made


def snake(name: str) -> str:
    """The column, or the Python name, of a GraphQL field."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


__all__ = ["Listing", "listing", "listing_of", "snake"]
