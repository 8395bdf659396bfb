"""Connections: filter, order, keyset page, page information and total count of one list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLUnionType, get_named_type
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from medstead_graphql.compiler import filters, keyset
from medstead_graphql.compiler.declare import SOURCES, Many, Mixed, Row
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.json_text import (
    Json,
    joined,
    json_list,
    json_object,
    json_or_null,
    typename,
)
from medstead_graphql.compiler.keyset import SortKey
from medstead_graphql.compiler.listing import Listing
from medstead_graphql.compiler.selection import selected_names
from medstead_graphql.compiler.values import Traced, Variables

if TYPE_CHECKING:
    from medstead_graphql.compiler.plan import Compilation, Path

MAXIMUM_PAGE = 100
DEFAULT_PAGE = 50

ENDS = {"hasNextPage", "hasPreviousPage", "startCursor", "endCursor"}


def connection_json(
    compilation: "Compilation",
    declaration: Many | Mixed,
    field: GraphQLField,
    nodes: list[FieldNode],
    row: Row | None,
    path: "Path",
    arguments: dict[str, Traced],
) -> Json:
    """JSON of a connection. Only what is selected is computed: no count without `totalCount`, no cursor unasked."""
    type_ = get_named_type(field.type)
    assert isinstance(type_, GraphQLObjectType)
    wanted = selected_names(compilation.operation, type_, nodes)
    if isinstance(declaration, Many):
        source = _listed(compilation, declaration, row, path, arguments)
    else:
        assert row is not None
        source = _mixed(compilation, declaration, row)

    names = {group[0].name.value for group in wanted.values()}
    page = None
    if names - {"__typename", "totalCount"}:
        page = _Page.of(compilation, source, row, path, arguments, with_ends=_ends(compilation, type_, wanted))
    values: dict[str, Json] = {}
    for key, group in wanted.items():
        name, here = group[0].name.value, [*path, key]
        if name == "__typename":
            values[key] = typename(type_.name)
        elif name == "totalCount":
            counted = select(cast(func.count(), Text)).select_from(source.rows).where(*source.scope)
            values[key] = Json(_within(counted, row).scalar_subquery())
        elif page is not None:
            values[key] = page.part(name, type_, group, here)
    json = json_object(values)
    if page is None:
        return json
    # HAVING makes one row of the page even where nothing of it is aggregated, as in `pageInfo { __typename }`.
    statement = select(json.sql()).select_from(page.rows).having(true())
    return json_or_null(_within(statement, row).scalar_subquery())


@dataclass(frozen=True, slots=True)
class _Source:
    """What is paged: rows, which of them, and the columns that they are in the order of."""

    rows: Row
    scope: list[ColumnElement[bool]]
    keys: list[SortKey]


def _listed(
    compilation: "Compilation", declaration: Many, row: Row | None, path: "Path", arguments: dict[str, Traced]
) -> _Source:
    """Rows of one table, filtered and ordered as asked."""
    listing = declaration.listing
    child = compilation.alias(listing.table)
    scope = [compilation.within_tenant(listing.table, child)]
    if declaration.join is not None:
        scope.append(declaration.join(row, child, compilation))  # type: ignore[arg-type]
    if (where := given(arguments, "where")) is not None:
        scope.append(filters.condition(compilation, listing, child, where, path))
    return _Source(child, scope, sort_keys(compilation, listing, given(arguments, "orderBy"), path))


def _mixed(compilation: "Compilation", declaration: Mixed, row: Row) -> _Source:
    """Rows of several tables, each with the name of its type, latest first."""
    selects = []
    for part in declaration.parts:
        table = SOURCES[part.type_name].table
        child = compilation.alias(table)
        found = select(
            literal_column(f"'{part.type_name}'", Text()).label("part"),
            child.c.id,
            part.moment(child, compilation).label("moment"),
        )
        found = found.where(compilation.within_tenant(table, child), part.join(row, child, compilation))
        selects.append(found.correlate(row))
    keys = [
        SortKey("moment", descending=True, nullable=False, type=DateTime(timezone=True)),
        SortKey("id", descending=True, nullable=False, type=Uuid()),
    ]
    return _Source(union_all(*selects).subquery(), [], keys)


def given(arguments: dict[str, Traced], name: str) -> Traced | None:
    """An argument that is there and not null."""
    value = arguments.get(name)
    return None if value is None or value.value is None else value


def _within(statement: "Select[Any]", row: Row | None) -> "Select[Any]":
    return statement if row is None else statement.correlate(row)


def _ends(compilation: "Compilation", type_: GraphQLObjectType, wanted: dict[str, list[FieldNode]]) -> bool:
    """Whether it is asked where the page begins and ends: that takes a row more, and their numbers."""
    info = get_named_type(type_.fields["pageInfo"].type)
    assert isinstance(info, GraphQLObjectType)
    return any(
        nodes[0].name.value in ENDS
        for group in wanted.values()
        if group[0].name.value == "pageInfo"
        for nodes in selected_names(compilation.operation, info, group).values()
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """The rows of one page, in order; if its ends are asked, with `page_number` in walking order and `page_total`."""

    compilation: "Compilation"
    source: _Source
    row: Row | None
    rows: Row
    size: int
    backwards: bool
    bounds: dict[bool, keyset.Bound]

    @classmethod
    def of(
        cls,
        compilation: "Compilation",
        source: _Source,
        row: Row | None,
        path: "Path",
        arguments: dict[str, Traced],
        *,
        with_ends: bool,
    ) -> "_Page":
        """Read the arguments. Raises Refusal `INVALID_PAGE` or `INVALID_CURSOR`."""
        first, last = given(arguments, "first"), given(arguments, "last")
        if first is not None and last is not None:
            raise Refusal("INVALID_PAGE", "Give either `first` or `last`, not both.", path)
        backwards = last is not None
        size = _page_size(compilation, last or first, path)
        keys = source.keys
        bounds = {
            is_before: _cursor_values(compilation, keys, value, path)
            for value, is_before in ((given(arguments, "after"), False), (given(arguments, "before"), True))
            if value is not None
        }
        rows = _walk(source, row, bounds, size + 1 if with_ends else size, backwards=backwards)
        if with_ends:
            numbered = rows.subquery()
            number, total = func.row_number().over().label("page_number"), func.count().over().label("page_total")
            page = select(numbered, number, total).subquery()
        elif backwards:
            found = rows.subquery()
            page = select(found).order_by(*keyset.order_by(keys, found, reverse=False)).subquery()
        else:
            page = rows.subquery()
        return cls(compilation, source, row, page, size, backwards, bounds)

    def part(self, name: str, type_: GraphQLObjectType, group: list[FieldNode], path: "Path") -> Json:
        """One field of the connection."""
        target = get_named_type(type_.fields[name].type)
        if name == "nodes":
            return self._listed(self._node(target, group, path))
        assert isinstance(target, GraphQLObjectType)
        if name == "edges":
            return self._listed(self._edge(target, group, path))
        return self._page_info(target, group, path)

    def _node(self, target: GraphQLNamedType, group: list[FieldNode], path: "Path") -> Json:
        """A row, by whichever type of a union it is of."""
        if isinstance(target, GraphQLObjectType):
            return self.compilation.object_json(target, group, self.rows, path)
        assert isinstance(target, GraphQLUnionType)
        found = [
            (
                self.rows.c.part == literal_column(f"'{kind.name}'", Text()),
                self.compilation.row_of(kind, group, self.rows, path),
            )
            for kind in target.types
        ]
        return Json(case(*found))

    def _listed(self, json: Json) -> Json:
        if "page_number" not in self.rows.c:
            return json_list(joined(json.sql()))
        order = self.rows.c.page_number.desc() if self.backwards else None
        return json_list(joined(json.sql(), order).filter(self._shown()))

    def _shown(self) -> ColumnElement[bool]:
        return self.rows.c.page_number <= literal_column(str(self.size))

    def _edge(self, type_: GraphQLObjectType, group: list[FieldNode], path: "Path") -> Json:
        values: dict[str, Json] = {}
        for key, nodes in selected_names(self.compilation.operation, type_, group).items():
            name = nodes[0].name.value
            if name == "node":
                values[key] = self._node(get_named_type(type_.fields["node"].type), nodes, [*path, key])
            elif name == "cursor":
                values[key] = Json('"', keyset.cursor(self.source.keys, self.rows), '"')
            else:
                values[key] = typename(type_.name)
        return json_object(values)

    def _page_info(self, type_: GraphQLObjectType, group: list[FieldNode], path: "Path") -> Json:
        facts = {
            "hasNextPage": lambda: self._across(is_before=True) if self.backwards else self._more(),
            "hasPreviousPage": lambda: self._more() if self.backwards else self._across(is_before=False),
            "startCursor": lambda: self._cursor(at_end=self.backwards),
            "endCursor": lambda: self._cursor(at_end=not self.backwards),
            "__typename": lambda: typename(type_.name),
        }
        wanted = selected_names(self.compilation.operation, type_, group)
        return json_object({key: facts[nodes[0].name.value]() for key, nodes in wanted.items()})

    def _more(self) -> Json:
        """Whether the walk goes on behind the page."""
        return Json(cast(func.count() > literal_column(str(self.size)), Text))

    def _across(self, *, is_before: bool) -> Json:
        """Whether there are rows on the far side of a cursor; the cursor's own row is one."""
        if is_before not in self.bounds:
            return Json("false")
        rows, scope = self.source.rows, self.source.scope
        ranges = keyset.up_to(self.source.keys, rows, self.bounds[is_before], before=is_before)
        found = [_within(select(rows.c.id).where(*scope, range_), self.row).exists() for range_ in ranges]
        return Json(cast(or_(*found), Text))

    def _cursor(self, *, at_end: bool) -> Json:
        """The cursor of the first or last row in walking order."""
        rows = self.rows
        at = func.least(rows.c.page_total, literal_column(str(self.size))) if at_end else literal_column("1")
        found = func.max(keyset.cursor(self.source.keys, rows)).filter(rows.c.page_number == at)
        return Json(func.coalesce(func.to_json(found), literal_column("'null'")))


def _walk(
    source: _Source, row: Row | None, bounds: dict[bool, keyset.Bound], limit: int, *, backwards: bool
) -> "Select[Any]":
    """The first rows from the cursor on, in walking order. Each range of the keys is walked for itself."""

    def ordered(statement: "Select[Any]", rows: Row) -> "Select[Any]":
        order = keyset.order_by(source.keys, rows, reverse=backwards)
        return statement.order_by(*order).limit(literal_column(str(limit)))

    starts: Sequence[ColumnElement[bool]] = [true()]
    conditions = list(source.scope)
    for is_before, bound in bounds.items():
        ranges = keyset.beyond(source.keys, source.rows, bound, before=is_before)
        if is_before == backwards:
            starts = ranges
        else:
            conditions.append(or_(*ranges) if ranges else literal_column("false"))
    rows = source.rows
    walks = [ordered(_within(select(rows).where(and_(true(), *conditions, start)), row), rows) for start in starts]
    if len(walks) == 1:
        return walks[0]
    if not walks:
        return select(rows).where(literal_column("false"))
    together = union_all(*[select(walk.subquery()) for walk in walks]).subquery()
    return ordered(select(together), together)


def _page_size(compilation: "Compilation", value: Traced | None, path: "Path") -> int:
    if value is None:
        return DEFAULT_PAGE

    def size(variables: Variables) -> int:
        asked = value.get(variables)
        if not isinstance(asked, int) or not 1 <= asked <= MAXIMUM_PAGE:
            raise Refusal("INVALID_PAGE", f"`first` and `last` take a number from 1 to {MAXIMUM_PAGE}.", path)
        return asked

    # The planner must know the size: for one that it does not know, it expects a tenth of the table.
    return compilation.pin(size)


def sort_keys(compilation: "Compilation", listing: Listing, asked: Traced | None, path: "Path") -> list[SortKey]:
    """The sort columns of a connection, ended by the id so that the order is total.

    The id goes the way of the column before it, so that an index can be walked in either direction.
    """
    names = [getattr(member.value, "value", member.value) for member in asked.elements()] if asked else []
    if not names:
        default = listing.default_order
        names = [name for name in default if filters.may_use(compilation, listing, name.removeprefix("-"))]
    last = "-id" if names and names[-1].startswith("-") else "id"
    keys: list[SortKey] = []
    for name in (*names, last):
        plain = name.removeprefix("-")
        filters.need_scope(compilation, listing, plain, path)
        if all(key.name != plain for key in keys):
            column = listing.column(plain)
            keys.append(SortKey(plain, name.startswith("-"), bool(column.nullable), column.type))
    return keys


def _cursor_values(compilation: "Compilation", keys: list[SortKey], value: Traced, path: "Path") -> keyset.Bound:
    def values(variables: Variables) -> list[Any]:
        return keyset.decode(value.get(variables), keys, path)

    def part(position: int) -> Any:
        return lambda variables: values(variables)[position]

    nulls = compilation.pin(lambda variables: tuple(found is None for found in values(variables)))
    return [
        None if null else compilation.bind(part(position), key.type)
        for position, (key, null) in enumerate(zip(keys, nulls, strict=True))
    ]


__all__ = ["connection_json"]
