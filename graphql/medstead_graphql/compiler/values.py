"""Argument values that know where they came from, so that a cached plan can be filled with new variables."""

from collections.abc import Callable, Hashable, Iterator
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_argument_values,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    value_from_ast,
)

from medstead_graphql.compiler.selection import Operation

Variables = dict[str, Any]


class Traced:
    """A value with the way to find it again among the variables of another execution."""

    __slots__ = ("get", "value")

    def __init__(self, value: Any, get: Callable[[Variables], Any]) -> None:
        self.value = value
        self.get = get

    def item(self, key: str | int) -> "Traced":
        """A member of an object or a list."""
        get = self.get
        return Traced(self.value[key], lambda variables: get(variables)[key])

    def items(self) -> Iterator[tuple[str, "Traced"]]:
        """The members of an object."""
        for key in self.value:
            yield key, self.item(key)

    def elements(self) -> Iterator["Traced"]:
        """The elements of a list."""
        for position in range(len(self.value)):
            yield self.item(position)


def _constant(value: Any) -> Traced:
    return Traced(value, lambda _: value)


def trace(node: ValueNode, type_: GraphQLInputType, variables: Variables) -> Traced | None:
    """The value of an argument as written; None if it is an absent variable."""
    if isinstance(node, VariableNode):
        name = node.name.value
        if name not in variables:
            return None
        return Traced(variables[name], lambda given: given.get(name))
    if isinstance(node, NullValueNode):
        return _constant(None)
    inner = get_nullable_type(type_)
    if isinstance(node, ObjectValueNode) and is_input_object_type(inner):
        members = {}
        for field in node.fields or ():
            member = trace(field.value, inner.fields[field.name.value].type, variables)
            if member is not None:
                members[field.name.value] = member
        return _Members(members)
    if is_list_type(inner):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        parts = [trace(part, inner.of_type, variables) for part in nodes]
        return _Parts([part for part in parts if part is not None])
    return _constant(value_from_ast(node, type_, variables))


class _Members(Traced):
    """An object written in the document whose members may be variables."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, Traced]) -> None:
        self.members = members
        super().__init__(
            {key: member.value for key, member in members.items()},
            lambda variables: {key: member.get(variables) for key, member in members.items()},
        )

    def item(self, key: str | int) -> Traced:
        return self.members[str(key)]


class _Parts(Traced):
    """A list written in the document whose elements may be variables."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Traced]) -> None:
        self.parts = parts
        super().__init__([part.value for part in parts], lambda variables: [part.get(variables) for part in parts])

    def item(self, key: str | int) -> Traced:
        return self.parts[int(key)]


def shape(value: Any) -> Hashable:
    """What of a variable's value decides the statement: nulls, keys, booleans, enum members.

    Texts, numbers and dates decide nothing unless the compiler pins them: they are bound. A list of them is bound as
    one array.
    """
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, dict):
        return tuple((key, shape(member)) for key, member in sorted(value.items()))
    if isinstance(value, list):
        if any(part is None or isinstance(part, dict | list | Enum) for part in value):
            return tuple(shape(part) for part in value)
        return "list"
    return "value"


def arguments_of(operation: Operation, field: GraphQLField, node: FieldNode) -> dict[str, Any]:
    """Values of the arguments by their GraphQL names, with the defaults of what was left out."""
    given = get_argument_values(field, node, operation.raw_variables)
    return {name: _without_enums(value) for name, value in given.items()}


def _without_enums(value: Any) -> Any:
    """What the database stores instead of members of enums, however deep they stand."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _without_enums(inner) for key, inner in value.items()}
    return [_without_enums(inner) for inner in value] if isinstance(value, list) else value
