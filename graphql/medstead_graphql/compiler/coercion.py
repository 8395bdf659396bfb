"""Variables of an operation: coerced by graphql-core, or read at once where all are plain numbers and texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_variable_values, is_non_null_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

PLAIN = {"Int": int, "String": str, "ID": str, "Boolean": bool}
LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class _Plain:
    name: str
    kind: type
    source: GraphQLVariableSignature


class Coercion:
    """How an operation's variables are coerced. Looks at their types once."""

    def __init__(self, schema: GraphQLSchema, definition: OperationDefinitionNode) -> None:
        self._schema, self._definition = schema, definition
        self._plain = self._all_plain()

    def _all_plain(self) -> tuple[_Plain, ...] | None:
        found = []
        for node in self._definition.variable_definitions or ():
            signature = get_variable_signature(self._schema, node)
            if isinstance(signature, GraphQLError) or node.default_value is not None:
                return None
            inner = signature.type.of_type if is_non_null_type(signature.type) else signature.type
            kind = PLAIN.get(str(inner))
            if kind is None:
                return None
            found.append(_Plain(signature.name, kind, signature))
        return tuple(found)

    def coerce(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The coerced values, or the errors in them."""
        found = self._at_once(given)
        if found is not None:
            return found
        return get_variable_values(self._schema, self._definition.variable_definitions or (), dict(given))

    def _at_once(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values where each is of its very type; else they are looked at closely."""
        if self._plain is None:
            return None
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for plain in self._plain:
            value = given.get(plain.name)
            if value is None and not is_non_null_type(plain.source.type):
                if plain.name in given:
                    sources[plain.name], coerced[plain.name] = VariableValueSource(plain.source, None), None
                else:
                    sources[plain.name] = VariableValueSource(plain.source)
                continue
            if type(value) is not plain.kind or (isinstance(value, int) and not -LARGEST <= value < LARGEST):
                return None
            sources[plain.name] = VariableValueSource(plain.source, value)
            coerced[plain.name] = value
        return VariableValues(sources, coerced)
