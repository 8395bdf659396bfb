"""The compiler proper: a selection of fields becomes one SQLAlchemy Core expression that yields JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)
from sqlalchemy import ColumnElement, Text, Uuid, bindparam, cast, func, literal, literal_column, null, select, true
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.type_api import TypeEngine

from medstead_graphql.compiler import connections, identifiers
from medstead_graphql.compiler.declare import AnyNode, Column, Declaration, Inline, Many, One, Row, declaration_of
from medstead_graphql.compiler.errors import ForbiddenField, Refusal
from medstead_graphql.compiler.json_objects import json_object
from medstead_graphql.compiler.selection import Operation, collect, selected_names
from medstead_graphql.compiler.values import Traced, Variables, trace
from tenants.base import TENANT, Base, table_of
from tenants.models import Tenant

Path = list[str | int]

Nodes = Mapping[str, tuple[str, type[Base]]]
"""GraphQL type name → scope and table of the types that `node(id:)` can give."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled read: SQL text, how to fill its parameters from variables, and the refusals found on the way."""

    sql: str
    parameters: tuple[Callable[[Variables], Any], ...]
    errors: tuple[Refusal, ...]


class NullsParent(Exception):
    """A non-null field may not be read, so its parent becomes null."""


class Compilation:
    """The state of compiling one operation for one set of scopes."""

    def __init__(self, operation: Operation, scopes: frozenset[str], nodes: Nodes) -> None:
        self.operation = operation
        self.scopes = scopes
        self.nodes = nodes
        self.errors: list[Refusal] = []
        self._getters: dict[str, Callable[[Variables], Any]] = {}
        self.tenant = bindparam("tenant_id", type_=Uuid())

    def bind(self, get: Callable[[Variables], Any], type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A parameter filled by `get` on every execution."""
        name = f"p{len(self._getters)}"
        self._getters[name] = get
        return bindparam(name, type_=type_)

    def bind_traced(self, value: Traced, type_: TypeEngine[Any]) -> ColumnElement[Any]:
        """A parameter holding a traced value as it is."""
        return self.bind(value.get, type_)

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

    # --- fields ---------------------------------------------------------------------------------------------------

    def object_json(self, type_: GraphQLObjectType, nodes: list[FieldNode], row: Row, path: Path) -> ColumnElement[Any]:
        """JSON object of the selected fields of one row. Raises NullsParent if a forbidden field is non-null."""
        return self.pairs_json(type_, selected_names(self.operation, type_, nodes), row, path)

    def pairs_json(
        self, type_: GraphQLObjectType, fields: dict[str, list[FieldNode]], row: Row | None, path: Path
    ) -> ColumnElement[Any]:
        """JSON object of fields grouped by response key."""
        return json_object({key: self.field(type_, nodes, row, [*path, key]) for key, nodes in fields.items()}, path)

    def field(
        self, type_: GraphQLObjectType, nodes: list[FieldNode], row: Row | None, path: Path
    ) -> ColumnElement[Any]:
        """SQL of one field, or NULL with an error if its scope is missing."""
        name = nodes[0].name.value
        if name == "__typename":
            return literal_column(f"'{type_.name}'", Text())
        field = type_.fields[name]
        declaration = _declaration(field, f"{type_.name}.{name}")
        try:
            if declaration.scope is not None and declaration.scope not in self.scopes:
                self.refuse(f"{type_.name}.{name}", declaration.scope, path)
            return self._declared(declaration, field, nodes, row, path, name)
        except NullsParent:
            if is_non_null_type(field.type):
                raise
            return null()

    def _declared(
        self,
        declaration: Declaration,
        field: GraphQLField,
        nodes: list[FieldNode],
        row: Row | None,
        path: Path,
        name: str,
    ) -> ColumnElement[Any]:
        arguments = self._arguments(field, nodes[0])
        if isinstance(declaration, Column):
            assert row is not None
            if declaration.expression is not None:
                return _as_json(declaration.expression(row, self), field.type, "")
            column = row.c[declaration.name or _snake(name)]
            return _as_json(column, field.type, type_name(nodes, field))
        if isinstance(declaration, Many):
            return connections.connection_json(self, declaration, field, nodes, row, path, arguments)
        if isinstance(declaration, Inline):
            return self._inline(declaration, field, nodes, row, path, arguments)
        if isinstance(declaration, AnyNode):
            return self._node(nodes, path, arguments["id"])
        return self._one(declaration, field, nodes, row, path, arguments)

    def _node(self, nodes: list[FieldNode], path: Path, value: Traced) -> ColumnElement[Any]:
        """The row of whatever type the id names; null for a type that is not listed among the nodes."""
        found = self.nodes.get(identifiers.parse(value.value)[0])
        if found is None:
            return null()
        scope, table = found
        target = self.operation.schema.type_map[identifiers.parse(value.value)[0]]
        assert isinstance(target, GraphQLObjectType)
        if scope not in self.scopes:
            self.errors.append(ForbiddenField(f"{target.name} by node(id:)", scope, path))
            return null()
        child = self.alias(table)
        statement = select(self.object_json(target, nodes, child, path)).select_from(child)
        statement = statement.where(self.within_tenant(table, child))
        statement = statement.where(child.c.id == self.identifier(value, target.name, child.c.id.type))
        return _scalar(statement, None)

    def row_by_id(
        self, target: GraphQLObjectType, nodes: list[FieldNode], row_id: UUID, path: Path
    ) -> ColumnElement[Any]:
        """The selected fields of one row whose id is known, such as the row a mutation made."""
        table = self.nodes[target.name][1]
        child = self.alias(table)
        statement = select(self.object_json(target, nodes, child, path)).select_from(child)
        statement = statement.where(self.within_tenant(table, child), child.c.id == literal(row_id, Uuid()))
        return _scalar(statement, None)

    def _one(
        self,
        declaration: One,
        field: GraphQLField,
        nodes: list[FieldNode],
        row: Row | None,
        path: Path,
        arguments: dict[str, Traced],
    ) -> ColumnElement[Any]:
        target = get_named_type(field.type)
        assert isinstance(target, GraphQLObjectType)
        child = self.alias(declaration.table)
        statement = select(self.object_json(target, nodes, child, path)).select_from(child)
        statement = statement.where(self.within_tenant(declaration.table, child))
        if declaration.join is not None:
            statement = statement.where(declaration.join(row, child, self))  # type: ignore[arg-type]
        if "id" in arguments:
            statement = statement.where(child.c.id == self.identifier(arguments["id"], target.name, child.c.id.type))
        return _scalar(statement, row)

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
    ) -> ColumnElement[Any]:
        target = get_named_type(field.type)
        assert isinstance(target, GraphQLObjectType)
        source = declaration.select(self, row, arguments)
        if row is not None:
            source = source.correlate(row)
        rows = source.subquery()
        json = self.object_json(target, nodes, rows, path)
        if _is_list(field.type):
            return _scalar(
                select(func.coalesce(func.json_agg(json), literal_column("'[]'::json"))).select_from(rows), row
            )
        return _scalar(select(json).select_from(rows), row)

    def _arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Traced]:
        arguments: dict[str, Traced] = {}
        for argument in node.arguments or ():
            definition = field.args[argument.name.value]
            value = trace(argument.value, definition.type, self.operation.variables)
            if value is not None:
                arguments[argument.name.value] = value
        return arguments

    def finish(self, expression: ColumnElement[Any]) -> Plan:
        """Render `SELECT <expression>::text` for asyncpg."""
        compiled = select(cast(expression, Text)).compile(dialect=_DIALECT)
        getters = {"tenant_id": _tenant, **self._getters}
        assert compiled.positiontup is not None
        constants = compiled.params

        def getter(name: str) -> Callable[[Variables], Any]:
            if name in getters:
                return getters[name]
            value = constants[name]
            return lambda _: value

        return Plan(str(compiled), tuple(getter(name) for name in compiled.positiontup), tuple(self.errors))


_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]

TENANT_VARIABLE = "\0tenant"
"""Where the executor puts the bound tenant among the variables; no GraphQL variable can have this name."""


def _tenant(variables: Variables) -> Any:
    return variables[TENANT_VARIABLE]


def _scalar(statement: Any, row: Row | None) -> ColumnElement[Any]:
    if row is not None:
        statement = statement.correlate(row)
    scalar: ColumnElement[Any] = statement.scalar_subquery()
    return scalar


def _declaration(field: GraphQLField, name: str) -> Declaration:
    strawberry_field = field.extensions.get("strawberry-definition")
    declaration = declaration_of(strawberry_field.metadata) if strawberry_field is not None else None
    if declaration is None:
        raise LookupError(f"{name} does not say where it is read from")
    return declaration


def key_converter(type_: TypeEngine[Any]) -> Callable[[str], identifiers.Key]:
    """How the text of a row id becomes a value of the id column's type."""
    if isinstance(type_, Uuid):
        return UUID
    return str.upper


def type_name(nodes: list[FieldNode], field: GraphQLField) -> str:
    """The type whose name goes before an id; empty for other scalars."""
    if get_named_type(field.type).name != "ID":
        return ""
    owner = field.extensions["strawberry-definition"].origin
    return str(owner.__strawberry_definition__.name)


def _as_json(column: ColumnElement[Any], type_: GraphQLOutputType, owner: str) -> ColumnElement[Any]:
    """The column as JSON will carry it: enums by member name, decimals as text, ids with their type."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLEnumType):
        return func.upper(column)
    if named.name == "ID" and owner:
        return literal_column(f"'{owner}:'", Text()).concat(cast(column, Text))
    if named.name == "Decimal":
        return cast(column, Text)
    return column


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _is_list(type_: GraphQLOutputType) -> bool:
    return is_list_type(type_.of_type if is_non_null_type(type_) else type_)


def compile_root(
    operation: Operation,
    root: GraphQLObjectType,
    scopes: frozenset[str],
    nodes: Nodes,
) -> Plan:
    """Compile the root fields of a query into one statement."""
    compilation = Compilation(operation, scopes, nodes)
    fields = collect(operation, root, [operation.definition.selection_set])
    try:
        expression = compilation.pairs_json(root, fields, None, [])
    except NullsParent:
        expression = literal_column("'null'::json")
    return compilation.finish(expression)


__all__ = ["Compilation", "NullsParent", "Plan", "compile_root"]
