"""Everything that could be asked, and everything that could be changed: for tests that walk all doors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from app.models import metadata
from medstead_graphql.compiler.declare import KEY, SOURCES, needed_scopes
from medstead_graphql.mutations.payload import KEY as COMMAND
from medstead_graphql.schema import schema
from tenants.identifiers import new_id
from tests.support import Installation

NOTED = {"medstead.access_log", "medstead.platform_access_log", "medstead.login_session", "medstead.field_usage"}
"""What every request may touch: the log, when a session was last seen, and the counts of fields."""

IDENTIFIER = str(new_id())


async def everything(installation: Installation) -> dict[str, str]:
    """A fingerprint of the rows of every table but those in NOTED, as the owner sees them."""
    connection = await asyncpg.connect(installation.urls.owner)
    try:
        tables = sorted(set(metadata.tables) - NOTED)
        parts = (
            f"SELECT '{table}', count(*) || ' ' || coalesce(md5(string_agg(t::text, ' ' ORDER BY t::text)), '') "
            f"FROM {table} t"
            for table in tables
        )
        return {row[0]: row[1] for row in await connection.fetch(" UNION ALL ".join(parts))}
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Question:
    """A document that asks for one field, the path of the answer, and the scopes that the field and its way need."""

    name: str
    document: str
    path: tuple[str, ...]
    scope: str | None
    way: frozenset[str]


def _value(argument_type: Any) -> str:
    """A literal of the type, plausible enough to pass validation."""
    if is_non_null_type(argument_type):
        return _value(argument_type.of_type)
    if is_list_type(argument_type):
        return f"[{_value(argument_type.of_type)}]"
    if isinstance(argument_type, GraphQLInputObjectType):
        fields = (
            f"{name}: {_value(field.type)}"
            for name, field in argument_type.fields.items()
            if is_required_input_field(field)
        )
        return "{" + ", ".join(fields) + "}"
    if isinstance(argument_type, GraphQLEnumType):
        return str(next(iter(argument_type.values)))
    literals = {"ID": f'"Learner:{IDENTIFIER}"', "Int": "1", "Boolean": "true", "Date": '"2026-01-01"', "JSON": "{}"}
    literals |= {"DateTime": '"2026-01-01T10:00:00Z"', "Time": '"10:00:00"', "Decimal": '"1.00"'}
    return literals.get(argument_type.name, '"x"')


def _arguments(arguments: dict[str, GraphQLArgument]) -> str:
    given = [
        f"{name}: {_value(argument.type)}" for name, argument in arguments.items() if is_required_argument(argument)
    ]
    return f"({', '.join(given)})" if given else ""


def _ask(name: str, field: GraphQLField) -> str:
    inner = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    return f"{name}{_arguments(field.args)}{inner}"


def _scope(field: GraphQLField) -> str | None:
    """The scope that a field of a readable type needs; no field needs two."""
    definition = field.extensions.get("strawberry-definition")
    if definition is None or KEY not in definition.metadata:
        return None
    needed = needed_scopes(field)
    assert len(needed) <= 1
    return needed[0] if needed else None


def root_questions() -> Iterator[Question]:
    """Every root field for reading."""
    root = schema._schema.query_type
    assert root is not None
    for name, field in root.fields.items():
        if name in ("node", "nodes"):
            continue
        yield Question(f"Query.{name}", f"{{ {_ask(name, field)} }}", (name,), _scope(field), frozenset())
    for type_name, source in SOURCES.items():
        document = f'{{ node(id: "{type_name}:{IDENTIFIER}") {{ id }} }}'
        yield Question(f"{type_name} by node", document, ("node",), source.scope, frozenset())
        document = f'{{ nodes(ids: ["{type_name}:{IDENTIFIER}"]) {{ id }} }}'
        yield Question(f"{type_name} by nodes", document, ("nodes",), source.scope, frozenset())


def commands() -> Iterator[Question]:
    """Every root field for changing."""
    root = schema._schema.mutation_type
    assert root is not None
    for name, field in root.fields.items():
        command = field.extensions["strawberry-definition"].metadata[COMMAND]
        document = f"mutation {{ {_ask(name, field)} }}"
        yield Question(f"Mutation.{name}", document, (name,), command.scope, frozenset())


def field_questions() -> Iterator[Question]:
    """Every field with a scope of a type that a read can lead to, by the shortest way there."""
    root = schema._schema.query_type
    assert root is not None
    ways: dict[str, tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]] = {root.name: ((), (), frozenset())}
    for type_name, source in SOURCES.items():
        opening = f'node(id: "{type_name}:{IDENTIFIER}") {{ ... on {type_name}'
        ways[type_name] = ((opening,), ("node",), frozenset({source.scope} if source.scope else ()))
    waiting = list(ways)
    while waiting:
        type_name = waiting.pop(0)
        object_type = schema._schema.type_map[type_name]
        assert isinstance(object_type, GraphQLObjectType)
        openings, path, scopes = ways[type_name]
        for name, field in object_type.fields.items():
            scope = _scope(field)
            if scope is not None and type_name != root.name:
                closing = "".join(" } }" if "... on" in opening else " }" for opening in openings)
                document = "{ " + " { ".join((*openings, _ask(name, field))) + closing + " }"
                yield Question(f"{type_name}.{name}", document, (*path, name), scope, scopes)
            target = get_named_type(field.type)
            if isinstance(target, GraphQLObjectType) and target.name not in ways:
                step = f"{name}{_arguments(field.args)}"
                added = scopes | ({scope} if scope is not None else set())
                ways[target.name] = ((*openings, step), (*path, name), added)
                waiting.append(target.name)
    unreached = {
        name
        for name, type_ in schema._schema.type_map.items()
        if isinstance(type_, GraphQLObjectType)
        and any(_scope(field) is not None for field in type_.fields.values())
        and name not in ways
    }
    assert unreached == set(), f"no read leads to {unreached}"


__all__ = ["Question", "commands", "everything", "field_questions", "root_questions"]
