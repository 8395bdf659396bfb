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
    """How rows of `table` are listed: filter fields, order fields, default order (`-` before a name: descending)."""

    name: str
    table: type[Base]
    filters: tuple[str, ...]
    orders: tuple[str, ...]
    default_order: tuple[str, ...]
    filter_type: Any
    order_type: Any
    scopes: Mapping[str, str]
    """Scopes that filtering or ordering by a column needs: either would tell what the column holds."""

    def column(self, name: str) -> "Column[Any]":
        """The table's column of that name."""
        return table_of(self.table).c[name]


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
    scopes: Mapping[str, str] = MappingProxyType({}),
) -> Listing:
    """Make a listing and its GraphQL types `<name>Filter` and `<name>Order`."""
    module = sys.modules[__name__]
    columns = table_of(table).c
    filter_name = f"{name}Filter"
    annotations: dict[str, Any] = {field: _filter_for(columns[field]) | None for field in filters}
    annotations |= {
        "and_": f"list[{filter_name}] | None",
        "or_": f"list[{filter_name}] | None",
        "not_": f"{filter_name} | None",
    }
    body: dict[str, Any] = dict.fromkeys(filters)
    for word in ("and", "or", "not"):
        body[f"{word}_"] = strawberry.field(name=word, default=None)
    body |= {"__annotations__": annotations, "__module__": __name__}
    filter_type = strawberry.input(type(filter_name, (), body), description=f"Conditions on rows of {name}.")
    setattr(module, filter_name, filter_type)
    members = {
        f"{field}_{way}".upper(): f"{sign}{field}" for field in orders for way, sign in (("asc", ""), ("desc", "-"))
    }
    orders_of: type[enum.Enum] = enum.Enum(  # type: ignore[misc]
        f"{name}Order", members or {"ID_ASC": "id"}, module=__name__
    )
    order_type = strawberry.enum(orders_of, description=f"Orders of {name}.")
    return Listing(name, table, filters, orders, default_order, filter_type, order_type, scopes)


__all__ = ["Listing", "listing"]
