"""The contract's care: what may be taken away, when, and how a deprecation is worded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)
from graphql.utilities import BreakingChangeType, DangerousChangeType, find_schema_changes

REASON = re.compile(r"Use .+\. Removed after (?P<after>\d{4}-\d{2}-\d{2})\.")
"""A reason for @deprecated: it names what to use instead, and the last day."""
_COORDINATE = re.compile(r"^(?:Field|Argument|Enum value) (?P<coordinate>\w+\.\w+(?:\(\w+:\))?)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Changes that break callers without leave, and those that surprise them, as sentences."""

    forbidden: tuple[str, ...]
    dangerous: tuple[str, ...]


def compare(released: str, present: str, today: date) -> Comparison:
    """Compare two contracts in SDL.

    What breaks callers is allowed only of a field, argument or enum value that the released contract deprecates until
    a day before today, and of types that are reached no more.
    """
    old, new = build_schema(released), build_schema(present)
    deprecated = deprecations(old)
    changes = find_schema_changes(old, new)
    forbidden = [
        f"Type {name} was removed, and callers can still have it by something that stays or by its name."
        for name, type_ in old.type_map.items()
        if name not in new.type_map and not _only_reached_by_what_is_gone(type_, old, new)
    ]
    for change in changes:
        if isinstance(change.type, BreakingChangeType) and change.type is not BreakingChangeType.TYPE_REMOVED:
            found = _COORDINATE.match(change.description)
            if (why := _why_not(deprecated.get(found["coordinate"]) if found else None, today)) is not None:
                forbidden.append(f"{change.description} {why}")
    dangerous = [change.description for change in changes if isinstance(change.type, DangerousChangeType)]
    return Comparison(tuple(forbidden), tuple(dangerous))


def _why_not(reason: str | None, today: date) -> str | None:
    """Why a change is not allowed yet; None if it is."""
    if reason is None:
        return "It was not deprecated in the released contract: deprecate it, release that, and wait for its day."
    worded = REASON.fullmatch(reason)
    if worded is None:
        return f"The reason of its deprecation does not say until when: “{reason}”."
    if today <= date.fromisoformat(worded["after"]):
        return f"It is promised until {worded['after']}."
    return None


def _only_reached_by_what_is_gone(type_: GraphQLNamedType, old: GraphQLSchema, new: GraphQLSchema) -> bool:
    """Whether nothing that stays led to the type. Members of unions and interfaces are reached by their names too."""
    if is_specified_scalar_type(type_):
        return True
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and type_.interfaces:
        return False
    if any(isinstance(union, GraphQLUnionType) and type_ in union.types for union in old.type_map.values()):
        return False
    if type_ in (old.query_type, old.mutation_type):
        return False
    staying = {coordinate for coordinate, _, _ in _elements(new)}
    return all(target is not type_ or coordinate not in staying for coordinate, target, _ in _elements(old))


def _elements(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLNamedType | None, str | None]]:
    """Coordinates of fields, arguments and enum values, with the type that each leads to and why it is deprecated."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                yield f"{name}.{field_name}", get_named_type(field.type), field.deprecation_reason
                for given, argument in field.args.items():
                    yield f"{name}.{field_name}({given}:)", get_named_type(argument.type), argument.deprecation_reason
        elif isinstance(type_, GraphQLInputObjectType):
            for field_name, member in type_.fields.items():
                yield f"{name}.{field_name}", get_named_type(member.type), member.deprecation_reason
        elif isinstance(type_, GraphQLEnumType):
            for value_name, value in type_.values.items():
                yield f"{name}.{value_name}", None, value.deprecation_reason


def deprecations(schema: GraphQLSchema) -> dict[str, str]:
    """Reasons of what is deprecated, by coordinate: `Type.field`, `Type.field(argument:)`, `Enum.VALUE`."""
    return {coordinate: reason for coordinate, _, reason in _elements(schema) if reason is not None}


def unworded(schema: GraphQLSchema) -> list[str]:
    """What is deprecated for a reason that does not name a replacement and a day."""
    return [coordinate for coordinate, reason in deprecations(schema).items() if not _is_worded(reason)]


def _is_worded(reason: str) -> bool:
    found = REASON.fullmatch(reason)
    if found is None:
        return False
    try:
        date.fromisoformat(found["after"])
    except ValueError:
        return False
    return True
