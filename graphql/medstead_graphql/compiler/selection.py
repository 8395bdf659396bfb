"""Selections: fragments followed, @skip and @include decided, fields of one response key merged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_directive_values,
    get_named_type,
)


@dataclass(slots=True)
class Operation:
    """One operation of a validated document with its coerced variables."""

    schema: GraphQLSchema
    definition: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    raw_variables: Any = field(default=None)


def _included(operation: Operation, node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node, operation.raw_variables)
    if skip and skip["if_" if "if_" in skip else "if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, node, operation.raw_variables)
    return not include or bool(include["if_" if "if_" in include else "if"])


def _applies(operation: Operation, condition: str, type_: GraphQLObjectType) -> bool:
    named = operation.schema.type_map[condition]
    if named is type_:
        return True
    if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
        return operation.schema.is_sub_type(named, type_)
    return False


def collect(
    operation: Operation, type_: GraphQLObjectType, selections: list[SelectionSetNode]
) -> dict[str, list[FieldNode]]:
    """Response key → field nodes, in document order, for an object of `type_`. Each fragment is entered once."""
    grouped: dict[str, list[FieldNode]] = {}
    entered: set[str] = set()

    def walk(selection_set: SelectionSetNode) -> None:
        for node in selection_set.selections:
            if not _included(operation, node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                grouped.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or _applies(operation, node.type_condition.name.value, type_):
                    walk(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in entered:
                entered.add(node.name.value)
                fragment = operation.fragments[node.name.value]
                if _applies(operation, fragment.type_condition.name.value, type_):
                    walk(fragment.selection_set)

    for selection_set in selections:
        walk(selection_set)
    return grouped


def selected_names(
    operation: Operation, type_: GraphQLObjectType, nodes: list[FieldNode]
) -> dict[str, list[FieldNode]]:
    """Like `collect`, for the merged selection of several nodes of one field."""
    return collect(operation, type_, [node.selection_set for node in nodes if node.selection_set is not None])


def selected_part(operation: Operation, type_: GraphQLOutputType, value: Any, nodes: list[FieldNode]) -> Any:
    """The selected fields of a value that is no row: a scalar, a mapping by field name, or a list of either."""
    if isinstance(value, list | tuple):
        return [selected_part(operation, type_, item, nodes) for item in value]
    named = get_named_type(type_)
    if not isinstance(value, Mapping) or not isinstance(named, GraphQLObjectType):
        return value
    return {
        key: named.name
        if inner[0].name.value == "__typename"
        else selected_part(operation, named.fields[inner[0].name.value].type, value.get(inner[0].name.value), inner)
        for key, inner in selected_names(operation, named, nodes).items()
    }
