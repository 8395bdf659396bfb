"""Connections: filter, order, keyset page, page information and total count of one list."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from graphql import FieldNode, GraphQLField, GraphQLObjectType, get_named_type
from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    case,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler import identifiers, keyset
from medstead_graphql.compiler.declare import Many, Row
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.json_objects import json_object
from medstead_graphql.compiler.keyset import SortKey
from medstead_graphql.compiler.listing import Listing
from medstead_graphql.compiler.selection import selected_names
from medstead_graphql.compiler.values import Traced, Variables

if TYPE_CHECKING:
    from medstead_graphql.compiler.plan import Compilation, Path

MAXIMUM_PAGE = 100
DEFAULT_PAGE = 50


def connection_json(
    compilation: "Compilation",
    declaration: Many,
    field: GraphQLField,
    nodes: list[FieldNode],
    row: Row | None,
    path: "Path",
    arguments: dict[str, Traced],
) -> ColumnElement[Any]:
    """JSON of a connection. Only what is selected is computed: no count without `totalCount`, no cursor unasked."""
    listing = declaration.listing
    connection_type = get_named_type(field.type)
    assert isinstance(connection_type, GraphQLObjectType)
    wanted = selected_names(compilation.operation, connection_type, nodes)
    names = {group[0].name.value for group in wanted.values()}

    child = compilation.alias(listing.table)
    scope = [compilation.within_tenant(listing.table, child)]
    if declaration.join is not None:
        scope.append(declaration.join(row, child, compilation))  # type: ignore[arg-type]
    if (where := _given(arguments, "where")) is not None:
        scope.append(_filter(compilation, listing, child, where, path))

    pieces: dict[str, ColumnElement[Any]] = {}
    if names - {"__typename", "totalCount"}:
        pieces = _page(compilation, listing, connection_type, wanted, child, scope, row, path, arguments)
    values: dict[str, ColumnElement[Any]] = {}
    for key, group in wanted.items():
        name = group[0].name.value
        if name == "__typename":
            values[key] = literal_column(f"'{connection_type.name}'", Text())
        elif name == "totalCount":
            counted = select(func.count()).select_from(child).where(*scope)
            values[key] = (counted if row is None else counted.correlate(row)).scalar_subquery()
        else:
            values[key] = pieces[key]
    json = json_object(values, path)
    if not pieces:
        return json
    # HAVING makes one row of the page even where nothing of it is aggregated, as in `pageInfo { __typename }`.
    statement = select(json).select_from(pieces["\0page"]).having(true())
    return (statement if row is None else statement.correlate(row)).scalar_subquery()


def _given(arguments: dict[str, Traced], name: str) -> Traced | None:
    value = arguments.get(name)
    return None if value is None or value.value is None else value


def _page(
    compilation: "Compilation",
    listing: Listing,
    connection_type: GraphQLObjectType,
    wanted: dict[str, list[FieldNode]],
    child: Row,
    scope: list[ColumnElement[bool]],
    row: Row | None,
    path: "Path",
    arguments: dict[str, Traced],
) -> dict[str, Any]:
    first, last = _given(arguments, "first"), _given(arguments, "last")
    after, before = _given(arguments, "after"), _given(arguments, "before")
    if first is not None and last is not None:
        raise Refusal("INVALID_PAGE", "Give either `first` or `last`, not both.", path)
    backwards = last is not None
    size = _page_size(last or first, path)
    keys = sort_keys(compilation, listing, _given(arguments, "orderBy"), path)
    bounds = {
        is_before: keyset.beyond(keys, child, _cursor_values(compilation, keys, value, path), before=is_before)
        for value, is_before in ((after, False), (before, True))
        if value is not None
    }
    conditions = [*scope, *bounds.values()]

    limit = compilation.bind(lambda variables: size(variables) + 1, Integer())
    page = select(child).where(*conditions).order_by(*keyset.order_by(keys, child, reverse=backwards)).limit(limit)
    if row is not None:
        page = page.correlate(row)
    numbered = page.subquery()
    position = func.row_number().over().label("page_position")
    rows = select(numbered, position).subquery()
    number = rows.c["page_position"]
    shown = number <= compilation.bind(size, Integer())
    in_order = number.desc() if backwards else number.asc()

    def listed(value: ColumnElement[Any]) -> ColumnElement[Any]:
        aggregated = func.json_agg(_ordered(value, in_order)).filter(shown)
        return func.coalesce(aggregated, literal_column("'[]'::json"))

    def end(which: int) -> ColumnElement[Any]:
        every = func.json_agg(_ordered(keyset.cursor(keys, rows), in_order)).filter(shown)
        return every.op("->>")(literal_column(str(which)))

    def across(is_before: bool) -> ColumnElement[bool]:
        """Whether there are rows on the far side of a cursor; the cursor's own row is one."""
        if is_before not in bounds:
            return false()
        far = select(child.c.id).where(*scope, not_(func.coalesce(bounds[is_before], false())))
        return (far if row is None else far.correlate(row)).exists()

    more = func.count() > compilation.bind(size, Integer())
    pieces: dict[str, Any] = {"\0page": rows}
    for key, group in wanted.items():
        name, where = group[0].name.value, [*path, key]
        if name == "nodes":
            target = get_named_type(connection_type.fields["nodes"].type)
            assert isinstance(target, GraphQLObjectType)
            pieces[key] = listed(compilation.object_json(target, group, rows, where))
        elif name == "edges":
            pieces[key] = listed(_edge(compilation, connection_type, group, rows, where, keys))
        elif name == "pageInfo":
            facts = {
                "hasNextPage": across(True) if backwards else more,
                "hasPreviousPage": more if backwards else across(False),
            }
            pieces[key] = _page_info(compilation, connection_type, group, facts, end, where)
    return pieces


def _ordered(value: ColumnElement[Any], order: ColumnElement[Any]) -> ColumnElement[Any]:
    return aggregate_order_by(value, order)


def _edge(
    compilation: "Compilation",
    connection_type: GraphQLObjectType,
    group: list[FieldNode],
    rows: Row,
    path: "Path",
    keys: list[SortKey],
) -> ColumnElement[Any]:
    edge_type = get_named_type(connection_type.fields["edges"].type)
    assert isinstance(edge_type, GraphQLObjectType)
    values: dict[str, ColumnElement[Any]] = {}
    for key, nodes in selected_names(compilation.operation, edge_type, group).items():
        name = nodes[0].name.value
        if name == "node":
            target = get_named_type(edge_type.fields["node"].type)
            assert isinstance(target, GraphQLObjectType)
            values[key] = compilation.object_json(target, nodes, rows, [*path, key])
        elif name == "cursor":
            values[key] = keyset.cursor(keys, rows)
        else:
            values[key] = literal_column(f"'{edge_type.name}'", Text())
    return json_object(values, path)


def _page_info(
    compilation: "Compilation",
    connection_type: GraphQLObjectType,
    group: list[FieldNode],
    facts: dict[str, ColumnElement[Any]],
    end: Any,
    path: "Path",
) -> ColumnElement[Any]:
    info_type = get_named_type(connection_type.fields["pageInfo"].type)
    assert isinstance(info_type, GraphQLObjectType)
    values: dict[str, ColumnElement[Any]] = {}
    for key, nodes in selected_names(compilation.operation, info_type, group).items():
        name = nodes[0].name.value
        if name in facts:
            values[key] = facts[name]
        elif name == "startCursor":
            values[key] = end(0)
        elif name == "endCursor":
            values[key] = end(-1)
        else:
            values[key] = literal_column("'PageInfo'", Text())
    return json_object(values, path)


def _page_size(value: Traced | None, path: "Path") -> Any:
    if value is None:
        return lambda _: DEFAULT_PAGE

    def size(variables: Variables) -> int:
        asked = value.get(variables)
        if not isinstance(asked, int) or not 1 <= asked <= MAXIMUM_PAGE:
            raise Refusal("INVALID_PAGE", f"`first` and `last` take a number from 1 to {MAXIMUM_PAGE}.", path)
        return asked

    return size


def sort_keys(compilation: "Compilation", listing: Listing, asked: Traced | None, path: "Path") -> list[SortKey]:
    """The sort columns of a connection, ended by the primary key so that the order is total."""
    names = [getattr(member.value, "value", member.value) for member in asked.elements()] if asked else []
    if not names:
        names = [name for name in listing.default_order if _may_use(compilation, listing, name.removeprefix("-"))]
    keys: list[SortKey] = []
    for name in (*names, "id"):
        plain = name.removeprefix("-")
        _need_scope(compilation, listing, plain, path)
        if all(key.name != plain for key in keys):
            column = listing.column(plain)
            keys.append(SortKey(plain, name.startswith("-"), bool(column.nullable), column.type))
    return keys


def _may_use(compilation: "Compilation", listing: Listing, column: str) -> bool:
    return column not in listing.scopes or listing.scopes[column] in compilation.scopes


def _need_scope(compilation: "Compilation", listing: Listing, column: str, path: "Path") -> None:
    """Which rows match, their order and their cursors tell what a column holds, so they need what reading it needs."""
    if not _may_use(compilation, listing, column):
        compilation.refuse(f"{listing.name}.{_camel(column)}", listing.scopes[column], path)


def _cursor_values(
    compilation: "Compilation", keys: list[SortKey], value: Traced, path: "Path"
) -> list[ColumnElement[Any] | None]:
    now = keyset.decode(value.value, keys, path)

    nulls = [current is None for current in now]

    def part(position: int) -> Any:
        def get(variables: Variables) -> Any:
            values = keyset.decode(value.get(variables), keys, path)
            if [found is None for found in values] != nulls:
                raise keyset.CursorShapeChanged
            return values[position]

        return get

    return [
        None if current is None else compilation.bind(part(position), key.type)
        for position, (key, current) in enumerate(zip(keys, now, strict=True))
    ]


def _filter(compilation: "Compilation", listing: Listing, row: Row, where: Traced, path: "Path") -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    for name, value in where.items():
        if value.value is None:
            continue
        if name == "and":
            conditions.append(
                and_(true(), *[_filter(compilation, listing, row, part, path) for part in value.elements()])
            )
        elif name == "or":
            conditions.append(
                or_(false(), *[_filter(compilation, listing, row, part, path) for part in value.elements()])
            )
        elif name == "not":
            conditions.append(func.coalesce(not_(_filter(compilation, listing, row, value, path)), true()))
        else:
            column = next(field for field in listing.filters if _camel(field) == name)
            _need_scope(compilation, listing, column, path)
            conditions += [
                _condition(compilation, listing, column, row, operator, operand)
                for operator, operand in value.items()
                if operand.value is not None
            ]
    return and_(*conditions)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def _condition(
    compilation: "Compilation", listing: Listing, name: str, row: Row, operator: str, operand: Traced
) -> ColumnElement[bool]:
    column, type_ = row.c[name], listing.column(name).type
    if operator == "isNull":
        asked = compilation.bind_traced(operand, true().type)
        return case((asked, column.is_(None)), else_=column.is_not(None))
    if operator == "oneOf":
        return column == any_(compilation.bind(_many(operand, type_), ARRAY(type_)))
    if operator in {"startsWith", "contains"}:
        pattern = _pattern(operand, anywhere=operator == "contains")
        # Both sides by the database: Python knows a final sigma and letters that become two.
        return func.lower(column).like(func.lower(compilation.bind(pattern, Text())), escape="\\")
    value = compilation.bind(_single(operand, type_), type_)
    return {
        "equals": lambda: column == value,
        "atLeast": lambda: column >= value,
        "atMost": lambda: column <= value,
        "from": lambda: column >= value,
        "before": lambda: column < value,
    }[operator]()


def _single(operand: Traced, type_: TypeEngine[Any]) -> Any:
    if isinstance(type_, Uuid):
        return lambda variables: _uuid(operand.get(variables))
    return operand.get


def _many(operand: Traced, type_: TypeEngine[Any]) -> Any:
    if isinstance(type_, Uuid):
        return lambda variables: [found for text in operand.get(variables) if (found := _uuid(text)) is not None]
    return operand.get


def _uuid(text: object) -> Any:
    """The row id of a global id, whatever its type: the column says which rows can match."""
    try:
        return UUID(identifiers.parse(text)[1])
    except ValueError:
        return None


def _pattern(operand: Traced, *, anywhere: bool) -> Any:
    def pattern(variables: Variables) -> str:
        text = str(operand.get(variables))
        for special in ("\\", "%", "_"):
            text = text.replace(special, f"\\{special}")
        return f"%{text}%" if anywhere else f"{text}%"

    return pattern


__all__ = ["connection_json", "sort_keys"]
