"""The compiler proper: a selection of fields becomes one SQLAlchemy Core expression that yields JSON."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from sqlalchemy import (
    ColumnElement,
    Integer,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler import connections, identifiers
from medstead_graphql.compiler.declare import (
    SOURCES,
    AnyNode,
    Column,
    Computed,
    Declaration,
    Inline,
    Many,
    Mixed,
    One,
    Row,
    declared,
    needed_scopes,
)
from medstead_graphql.compiler.errors import ForbiddenField, Refusal
from medstead_graphql.compiler.json_text import (
    NULL,
    Json,
    joined,
    json_list,
    json_object,
    json_or_null,
    json_value,
    typename,
)
from medstead_graphql.compiler.listing import snake
from medstead_graphql.compiler.selection import Operation, collect, selected_names
from medstead_graphql.compiler.values import Traced, Variables, trace
from tenants.base import TENANT, Base, table_of
from tenants.models import Tenant

Path = list[str | int]

Pinned = TypeVar("Pinned", bound=Hashable)

MOST_NODES = 100
"""Ids that `nodes(ids:)` takes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled read: SQL text, how to fill its parameters from variables, and the refusals found on the way.

    It is right for variables of which `pins` give the values that they gave when it was compiled.
    """

    sql: str
    parameters: tuple[Callable[[Variables], Any], ...]
    errors: tuple[Refusal, ...]
    pins: tuple[Callable[[Variables], Hashable], ...]


class NullsParent(Exception):
    """A non-null field may not be read, so its parent becomes null."""


class Compilation:
    """The state of compiling one operation for one set of scopes."""

    def __init__(self, operation: Operation, scopes: frozenset[str]) -> None:
        self.operation = operation
        self.scopes = scopes
        self.errors: list[Refusal] = []
        self._getters: dict[str, Callable[[Variables], Any]] = {}
        self._pins: list[Callable[[Variables], Hashable]] = []
        self.tenant = bindparam("tenant_id", type_=Uuid())

    def bind(self, get: Callable[[Variables], Any], type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A parameter filled by `get` on every execution."""
        name = f"p{len(self._getters)}"
        self._getters[name] = get
        return bindparam(name, type_=type_)

    def pin(self, get: Callable[[Variables], Pinned]) -> Pinned:
        """What `get` gives now, which decides the statement: another value takes another plan."""
        self._pins.append(get)
        return get(self.operation.variables)

    def within_tenant(self, table: type[Base], row: Row) -> ColumnElement[bool]:
        """The row's own tenant predicate; shared reference rows have none, and of tenants one sees oneself."""
        if table is Tenant:
            return row.c.id == self.tenant
        if table_of(table).info["kind"] == TENANT:
            return row.c.tenant_id == self.tenant
        return true()

    def alias(self, table: type[Base]) -> Row:
        """A fresh alias of a table."""
        return table_of(table).alias()

    def refuse(self, field: str, scope: str, path: Path) -> NoReturn:
        """Note that a scope is missing; the field at `path` becomes null."""
        self.errors.append(ForbiddenField(field, scope, path))
        raise NullsParent

    def need(self, owner: GraphQLObjectType, name: str, path: Path) -> None:
        """Refuse a field if a scope that it needs is missing."""
        for scope in needed_scopes(owner.fields[name]):
            if scope not in self.scopes:
                self.refuse(f"{owner.name}.{name}", scope, path)

    def object_json(self, type_: GraphQLObjectType, nodes: list[FieldNode], row: Row, path: Path) -> Json:
        """JSON object of the selected fields of one row. Raises NullsParent if a forbidden field is non-null."""
        return self.pairs_json(type_, selected_names(self.operation, type_, nodes), row, path)

    def pairs_json(
        self, type_: GraphQLObjectType, fields: dict[str, list[FieldNode]], row: Row | None, path: Path
    ) -> Json:
        """JSON object of fields grouped by response key."""
        return json_object({key: self.field(type_, nodes, row, [*path, key]) for key, nodes in fields.items()})

    def field(self, type_: GraphQLObjectType, nodes: list[FieldNode], row: Row | None, path: Path) -> Json:
        """JSON of one field, or null with an error if its scope is missing."""
        name = nodes[0].name.value
        if name == "__typename":
            return typename(type_.name)
        field = type_.fields[name]
        declaration = declared(field)
        try:
            self.need(type_, name, path)
            return self._declared(declaration, type_, nodes, row, path)
        except NullsParent:
            if is_non_null_type(field.type):
                raise
            return NULL

    def _declared(
        self, declaration: Declaration, type_: GraphQLObjectType, nodes: list[FieldNode], row: Row | None, path: Path
    ) -> Json:
        assert not isinstance(declaration, Computed), "answered before anything is compiled"
        name = nodes[0].name.value
        field = type_.fields[name]
        arguments = self._arguments(field, nodes[0])
        if isinstance(declaration, Column):
            assert row is not None
            expression = declaration.expression
            value = row.c[declaration.name or snake(name)] if expression is None else expression(row, self)
            return json_value(value, get_named_type(field.type), type_.name)
        if isinstance(declaration, Many | Mixed):
            return connections.connection_json(self, declaration, field, nodes, row, path, arguments)
        if isinstance(declaration, Inline):
            return self._inline(declaration, field, nodes, row, path, arguments)
        if isinstance(declaration, AnyNode):
            if "ids" in arguments:
                return self._nodes(nodes, path, arguments["ids"])
            return self._node(nodes, path, arguments["id"])
        return self._one(declaration, field, nodes, row, path, arguments)

    def _node(self, nodes: list[FieldNode], path: Path, value: Traced) -> Json:
        """The row of whatever type the id names; null for a type that is no Node."""
        name = self.pin(lambda variables: identifiers.parse(value.get(variables))[0])
        target = self._readable(name, path)
        if target is None:
            return NULL
        child = self.alias(SOURCES[name].table)
        which = child.c.id == self.identifier(value, name, child.c.id.type)
        return json_or_null(self._row(target, nodes, child, which, path))

    def _nodes(self, nodes: list[FieldNode], path: Path, value: Traced) -> Json:
        """The rows in the order of their ids, null where there is none: one sub-select for each type named."""

        def parsed(variables: Variables) -> list[tuple[str, str]]:
            ids = value.get(variables)
            if len(ids) > MOST_NODES:
                raise Refusal("TOO_MANY_IDS", f"Ask for at most {MOST_NODES} ids at once, in several requests.", path)
            return [identifiers.parse(one) for one in ids]

        names = self.pin(lambda variables: tuple(sorted({name for name, _ in parsed(variables)})))
        # The first array is as long as the list of ids, whatever types they name.
        arrays = [self.bind(lambda variables: [0] * len(parsed(variables)), ARRAY(Integer()))]
        columns: list[Any] = [column("number", Integer())]
        targets: dict[str, GraphQLObjectType] = {}
        for name in names:
            if (target := self._readable(name, path)) is not None:
                type_ = table_of(SOURCES[name].table).c.id.type
                arrays.append(self.bind(_keys(value, name, key_converter(type_)), ARRAY(type_)))
                columns.append(column(name.lower(), type_))
                targets[name] = target
        asked = func.unnest(*arrays).table_valued(*columns, with_ordinality="position").render_derived()
        found = []
        for name, target in targets.items():
            child = self.alias(SOURCES[name].table)
            with suppress(NullsParent):
                found.append(self._row(target, nodes, child, child.c.id == asked.c[name.lower()], path, asked))
        texts = func.coalesce(*found, NULL.sql())
        listed = select(json_list(joined(texts, asked.c.position)).sql()).select_from(asked)
        return Json(listed.scalar_subquery())

    def _readable(self, name: str, path: Path) -> GraphQLObjectType | None:
        """The type that an id names; None with an error if its scope is missing, None if it is no Node."""
        source = SOURCES.get(name)
        if source is None:
            return None
        if source.scope is not None and source.scope not in self.scopes:
            self.errors.append(ForbiddenField(f"{name} by its id", source.scope, path))
            return None
        target = self.operation.schema.type_map[name]
        assert isinstance(target, GraphQLObjectType)
        return target

    def _row(
        self,
        target: GraphQLObjectType,
        nodes: list[FieldNode],
        child: Row,
        which: ColumnElement[bool],
        path: Path,
        outer: Row | None = None,
    ) -> ColumnElement[Any]:
        """The selected fields of one row of a Node's table; no row, null."""
        statement = select(self.object_json(target, nodes, child, path).sql()).select_from(child)
        statement = statement.where(self.within_tenant(SOURCES[target.name].table, child), which)
        return _scalar(statement, outer)

    def row_of(self, target: GraphQLObjectType, nodes: list[FieldNode], row: Row, path: Path) -> ColumnElement[Any]:
        """The selected fields of the row that `row` has the id of."""
        child = self.alias(SOURCES[target.name].table)
        return self._row(target, nodes, child, child.c.id == row.c.id, path, row)

    def row_by_id(self, target: GraphQLObjectType, nodes: list[FieldNode], path: Path) -> Json:
        """The selected fields of one row whose id is told when the plan is run, such as the row a mutation made."""
        child = self.alias(SOURCES[target.name].table)
        row_id = self.bind(lambda variables: variables[ROW_VARIABLE], Uuid())
        return json_or_null(self._row(target, nodes, child, child.c.id == row_id, path))

    def _one(
        self,
        declaration: One,
        field: GraphQLField,
        nodes: list[FieldNode],
        row: Row | None,
        path: Path,
        arguments: dict[str, Traced],
    ) -> Json:
        target = get_named_type(field.type)
        assert isinstance(target, GraphQLObjectType)
        child = self.alias(declaration.table)
        statement = select(self.object_json(target, nodes, child, path).sql()).select_from(child)
        statement = statement.where(self.within_tenant(declaration.table, child))
        if declaration.join is not None:
            statement = statement.where(declaration.join(row, child, self))  # type: ignore[arg-type]
        if "id" in arguments:
            statement = statement.where(child.c.id == self.identifier(arguments["id"], target.name, child.c.id.type))
        return json_or_null(_scalar(statement, row))

    def identifier(self, value: Traced, type_name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """The row id in a global id, bound. An id of another type finds nothing."""
        convert = key_converter(type_)
        return self.bind(lambda variables: identifiers.key_of(value.get(variables), type_name, convert), type_)

    def _inline(
        self,
        declaration: Inline,
        field: GraphQLField,
        nodes: list[FieldNode],
        row: Row | None,
        path: Path,
        arguments: dict[str, Traced],
    ) -> Json:
        target = get_named_type(field.type)
        assert isinstance(target, GraphQLObjectType)
        source = declaration.select(self, row, arguments)
        if row is not None:
            source = source.correlate(row)
        rows = source.subquery()
        text = self.object_json(target, nodes, rows, path).sql()
        if _is_list(field.type):
            return Json(_scalar(select(json_list(joined(text)).sql()).select_from(rows), row))
        return json_or_null(_scalar(select(text).select_from(rows), row))

    def _arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Traced]:
        arguments: dict[str, Traced] = {}
        for argument in node.arguments or ():
            definition = field.args[argument.name.value]
            value = trace(argument.value, definition.type, self.operation.variables)
            if value is not None:
                arguments[argument.name.value] = value
        return arguments

    def finish(self, json: Json) -> Plan:
        """Render the statement for asyncpg. It gives bytes, which go into the answer as they are."""
        compiled = select(func.convert_to(json.sql(), literal_column("'UTF8'"))).compile(dialect=_DIALECT)
        getters = {"tenant_id": _tenant, **self._getters}
        assert compiled.positiontup is not None
        constants = compiled.params

        def getter(name: str) -> Callable[[Variables], Any]:
            if name in getters:
                return getters[name]
            value = constants[name]
            return lambda _: value

        parameters = tuple(getter(name) for name in compiled.positiontup)
        return Plan(str(compiled), parameters, tuple(self.errors), tuple(self._pins))


_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]

TENANT_VARIABLE, ROW_VARIABLE = "\0tenant", "\0row"
"""Where the executor puts the bound tenant and the row to be read among the variables; none of them can be so named."""


def _tenant(variables: Variables) -> Any:
    return variables[TENANT_VARIABLE]


def _scalar(statement: Any, row: Row | None) -> ColumnElement[Any]:
    if row is not None:
        statement = statement.correlate(row)
    scalar: ColumnElement[Any] = statement.scalar_subquery()
    return scalar


def key_converter(type_: TypeEngine[Any]) -> Callable[[str], identifiers.Key]:
    """How the text of a row id becomes a value of the id column's type."""
    if isinstance(type_, Uuid):
        return UUID
    return str.upper


def _keys(value: Traced, type_name: str, convert: Callable[[str], identifiers.Key]) -> Callable[[Variables], Any]:
    """The row ids of one type in a list of ids, with null at the places of others."""
    return lambda variables: [identifiers.key_of(one, type_name, convert) for one in value.get(variables)]


def _is_list(type_: GraphQLOutputType) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)


def compile_root(operation: Operation, root: GraphQLObjectType, scopes: frozenset[str]) -> Plan:
    """Compile the root fields of a query into one statement."""
    compilation = Compilation(operation, scopes)
    fields = collect(operation, root, [operation.definition.selection_set])
    try:
        json = compilation.pairs_json(root, fields, None, [])
    except NullsParent:
        json = NULL
    return compilation.finish(json)


__all__ = ["Compilation", "NullsParent", "Plan", "compile_root"]
