"""How a type says where its fields come from: columns, expressions, links to one and to many."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLField, get_named_type
from sqlalchemy import ColumnElement, FromClause, Select

from medstead_graphql.compiler.listing import Listing
from tenants.base import Base

KEY = "medstead_read"
"""Metadata key under which a Strawberry field carries its declaration."""

Row = FromClause
"""What a field reads from: a table alias or sub-select whose columns bear the table's names."""

LINK_COST = 1
"""Points of a row that a link leads to, or of one row of a connection, or of a value computed in SQL."""
STATEMENT_COST = 50
"""Points of a statement made for the purpose, which may look at many rows to give one."""
COUNT_COST = 50
"""Points of `totalCount`: it looks at every row of the connection."""

NodeType = TypeVar("NodeType")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a type that is a Node stand, and the scope that every way to them needs."""

    table: type[Base]
    scope: str | None


SOURCES: dict[str, Source] = {}
"""Every type that is a Node, by name."""


@strawberry.type(description="Where a page of a connection begins and ends.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="A row of a connection with its cursor.")
class Edge(Generic[NodeType]):
    """Relay's edge."""

    cursor: str
    node: NodeType


@strawberry.type(description="A page of rows. Ask for at most 100 at a time with `first` or `last`.")
class Connection(Generic[NodeType]):
    """Relay's connection, with `nodes` as a short cut and `totalCount` on demand."""

    edges: list[Edge[NodeType]]
    nodes: list[NodeType]
    page_info: PageInfo
    total_count: int


@dataclass(frozen=True, slots=True)
class Column:
    """A field read from the row: the column of that name, or an expression over the row."""

    name: str | None
    expression: Callable[[Row, Any], ColumnElement[Any]] | None
    scope: str | None
    cost: int = 0


@dataclass(frozen=True, slots=True)
class One:
    """A field that leads to one row of another table; `join` relates it to the parent row."""

    table: type[Base]
    join: Callable[[Row, Row, Any], ColumnElement[bool]] | None
    scope: str | None
    cost: int = LINK_COST


@dataclass(frozen=True, slots=True)
class Many:
    """A connection: rows of a table related by `join`, ordered, filtered and paged."""

    listing: Listing
    join: Callable[[Row, Row, Any], ColumnElement[bool]] | None
    scope: str | None
    cost: int = LINK_COST


@dataclass(frozen=True, slots=True)
class Part:
    """One type among those of a mixed connection: how its rows relate to the parent, and when each took place."""

    type_name: str
    join: Callable[[Row, Row, Any], ColumnElement[bool]]
    moment: Callable[[Row, Any], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Mixed:
    """A connection to rows of several types, a union, latest first."""

    parts: tuple[Part, ...]
    scope: str | None
    cost: int = LINK_COST


@dataclass(frozen=True, slots=True)
class Inline:
    """A field, or a short list, whose rows come from a statement made for the purpose. Labels are column names.

    `select` gets the compilation, the parent row (None at the root) and the field's arguments.
    """

    select: Callable[[Any, Row | None, dict[str, Any]], Select[Any]]
    scope: str | None
    cost: int = STATEMENT_COST


@dataclass(frozen=True, slots=True)
class Computed:
    """A root field that a rule of ours answers, not a statement: `handler` gets a unit of work that can only read.

    It is asked for in a document of its own, beside other such fields only.
    """

    handler: Callable[..., Any]
    scope: str | None
    cost: int = STATEMENT_COST


@dataclass(frozen=True, slots=True)
class AnyNode:
    """The fields `node(id:)` and `nodes(ids:)`, whose types are named in the ids."""

    scope: str | None = None
    cost: int = LINK_COST


Declaration = Column | One | Many | Mixed | Inline | Computed | AnyNode


def deprecated(use: str, after: str) -> str:
    """The reason for `deprecated=`: what to use instead, and the last day (YYYY-MM-DD) on which the field is served."""
    return f"Use {use}. Removed after {date.fromisoformat(after)}."


def column(
    name: str | None = None, *, scope: str | None = None, description: str | None = None, deprecated: str | None = None
) -> Any:
    """The column of the field's own name, or of `name`."""
    metadata = {KEY: Column(name, None, scope)}
    return strawberry.field(metadata=metadata, description=description, deprecation_reason=deprecated)


@strawberry.interface(description="Anything with an id that `node(id:)` can find again.")
class Node:
    """Relay's node."""

    id: strawberry.ID = column()


def node(table: type[Base], *, scope: str | None, description: str) -> Callable[[type], type]:
    """Declare a type of the rows of `table`: a Node, to be read with `scope` by whatever way."""

    def declare(class_: type) -> type:
        SOURCES[class_.__name__] = Source(table, scope)
        return strawberry.type(class_, description=description)

    return declare


def expression(
    sql: Callable[[Row, Any], ColumnElement[Any]],
    *,
    scope: str | None = None,
    cost: int = LINK_COST,
    description: str | None = None,
    deprecated: str | None = None,
) -> Any:
    """A value computed in SQL; `sql` gets the row and the compilation (for the tenant's bind parameter)."""
    metadata = {KEY: Column(None, sql, scope, cost)}
    return strawberry.field(metadata=metadata, description=description, deprecation_reason=deprecated)


def one(
    table: type[Base],
    *,
    key: str | None = None,
    join: Callable[[Row, Row, Any], ColumnElement[bool]] | None = None,
    scope: str | None = None,
    cost: int = LINK_COST,
    description: str | None = None,
    deprecated: str | None = None,
) -> Any:
    """The row of `table` whose id stands in the parent's column `key`, or that `join` relates."""
    if key is not None:
        join = _by_key(key)
    metadata = {KEY: One(table, join, scope, cost)}
    return strawberry.field(metadata=metadata, description=description, deprecation_reason=deprecated)


def _by_key(key: str) -> Callable[[Row, Row, Any], ColumnElement[bool]]:
    return lambda parent, child, _: child.c.id == parent.c[key]


def _by_back_reference(on: str) -> Callable[[Row, Row, Any], ColumnElement[bool]]:
    return lambda parent, child, _: child.c[on] == parent.c.id


def many(
    listing: Listing,
    *,
    on: str | None = None,
    join: Callable[[Row, Row, Any], ColumnElement[bool]] | None = None,
    scope: str | None = None,
    cost: int = LINK_COST,
    description: str | None = None,
    deprecated: str | None = None,
) -> Any:
    """A connection to the rows of `listing` whose column `on` holds the parent's id, or that `join` relates."""
    if on is not None:
        join = _by_back_reference(on)
    return strawberry.field(
        resolver=_connection_arguments(listing),
        metadata={KEY: Many(listing, join, scope, cost)},
        description=description,
        deprecation_reason=deprecated,
    )


def mixed(*parts: Part, scope: str | None = None, cost: int = LINK_COST, description: str | None = None) -> Any:
    """A connection to rows of several types, latest first; each part names a type that is a Node."""
    annotations = {"first": int | None, "last": int | None, "after": str | None, "before": str | None}
    resolver = with_arguments(annotations, dict.fromkeys(annotations))
    return strawberry.field(resolver=resolver, metadata={KEY: Mixed(parts, scope, cost)}, description=description)


def part(type_name: str, moment: str | Callable[[Row, Any], ColumnElement[Any]], *, on: str) -> Part:
    """Rows whose column `on` holds the parent's id, at the time in a column or by an expression."""
    if isinstance(moment, str):
        name = moment
        return Part(type_name, _by_back_reference(on), lambda row, _: row.c[name])
    return Part(type_name, _by_back_reference(on), moment)


def inline(
    select: Callable[[Any, Row | None, dict[str, Any]], Select[Any]],
    *,
    arguments: dict[str, Any] | None = None,
    scope: str | None = None,
    cost: int = STATEMENT_COST,
    description: str | None = None,
    deprecated: str | None = None,
) -> Any:
    """A value object, or a short list of them, from a statement; `arguments` maps GraphQL argument names to types."""
    metadata = {KEY: Inline(select, scope, cost)}
    if not arguments:
        return strawberry.field(metadata=metadata, description=description, deprecation_reason=deprecated)
    return strawberry.field(
        resolver=with_arguments(arguments, {}),
        metadata=metadata,
        description=description,
        deprecation_reason=deprecated,
    )


def computed(
    handler: Callable[..., Any],
    scope: str | None,
    arguments: dict[str, Any],
    *,
    cost: int = STATEMENT_COST,
    description: str,
) -> Any:
    """A root field answered by `handler(work, caller, arguments)`: a plain value, mapping or list as its type says.

    `arguments` maps Python argument names to types; the handler gets them by their GraphQL names. It may raise
    `compiler.errors.Refusal`.
    """
    return strawberry.field(
        resolver=with_arguments(dict(arguments), {}),
        metadata={KEY: Computed(handler, scope, cost)},
        description=description,
    )


def by_id(
    table: type[Base],
    *,
    scope: str | None = None,
    description: str | None = None,
    name: str | None = None,
    deprecated: str | None = None,
) -> Any:
    """A root field with the argument `id` that gives one row, or null if this tenant has none such."""
    metadata = {KEY: One(table, None, scope)}
    resolver = with_arguments({"id": strawberry.ID}, {})
    return strawberry.field(
        resolver=resolver, metadata=metadata, description=description, name=name, deprecation_reason=deprecated
    )


def node_by_id(*, description: str | None = None) -> Any:
    """The root field `node(id:)`: the row of any type that is a Node."""
    resolver = with_arguments({"id": strawberry.ID}, {})
    return strawberry.field(resolver=resolver, metadata={KEY: AnyNode()}, description=description)


def nodes_by_ids(*, description: str | None = None) -> Any:
    """The root field `nodes(ids:)`: rows of any types that are Nodes, in the order of their ids."""
    resolver = with_arguments({"ids": list[strawberry.ID]}, {})
    return strawberry.field(resolver=resolver, metadata={KEY: AnyNode()}, description=description)


def with_arguments(annotations: dict[str, Any], defaults: dict[str, Any]) -> Callable[..., Any]:
    """A resolver that is never run: it exists so that Strawberry knows the arguments."""
    names = ", ".join(f"{name}=UNSET" if name in defaults else name for name in annotations)
    scope: dict[str, Any] = {"UNSET": strawberry.UNSET}
    exec(f"def resolver({names}): raise RuntimeError('compiled reads have no resolvers')", scope)  # noqa: S102
    resolver: Callable[..., Any] = scope["resolver"]
    resolver.__annotations__ = dict(annotations)
    resolver.__module__ = __name__
    return resolver


def _connection_arguments(listing: Listing) -> Callable[..., Any]:
    annotations = {
        "first": int | None,
        "last": int | None,
        "after": str | None,
        "before": str | None,
        "where": listing.filter_type | None,
        "order_by": list[listing.order_type] | None,  # type: ignore[name-defined]
    }
    return with_arguments(annotations, dict.fromkeys(annotations))


def declared(field: GraphQLField) -> Declaration:
    """Where a field of the schema is read from. Raises LookupError if it does not say so."""
    definition = field.extensions.get("strawberry-definition")
    found = definition.metadata.get(KEY) if definition is not None else None
    if not isinstance(found, Column | One | Many | Mixed | Inline | Computed | AnyNode):
        raise LookupError("a field of the schema does not say where it is read from")
    return found


def needed_scopes(field: GraphQLField) -> tuple[str, ...]:
    """The scopes that reading a field needs: its own, and those of the types whose rows it leads to."""
    declaration = declared(field)
    names: tuple[str, ...] = ()
    if isinstance(declaration, One):
        names = (get_named_type(field.type).name,)
    elif isinstance(declaration, Many):
        names = (declaration.listing.name,)
    elif isinstance(declaration, Mixed):
        names = tuple(part.type_name for part in declaration.parts)
    scopes = (declaration.scope, *[SOURCES[name].scope for name in names if name in SOURCES])
    return tuple(dict.fromkeys(scope for scope in scopes if scope is not None))
