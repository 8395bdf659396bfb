"""Runs documents: parse and validate once, compile once per scopes and shape of variables, then one statement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Source,
    get_variable_values,
    parse,
    validate,
)

from medstead_graphql.bounded import Bounded
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.keyset import CursorShapeChanged
from medstead_graphql.compiler.plan import TENANT_VARIABLE, Plan
from medstead_graphql.compiler.selection import Operation
from medstead_graphql.compiler.values import shape
from medstead_graphql.limits import MAXIMUM_TOKENS, check_limits
from medstead_graphql.pricing import PricedOperation

LONGEST_KEPT = 20_000
"""Characters of a document that is kept prepared; longer ones are prepared each time, so that memory is bounded."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parsed and is valid for the schema, or the errors that say why not."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    priced: dict[str | None, PricedOperation] = field(default_factory=dict)
    """Operations that were priced, by the name that was given for them."""


class Documents:
    """Prepared documents and compiled plans of one schema, both bounded."""

    def __init__(self, schema: GraphQLSchema, *, documents: int = 500, plans: int = 2000) -> None:
        self.schema = schema
        self._prepared: Bounded[str, Prepared] = Bounded(documents)
        self._trusted: dict[str, Prepared] = {}
        self.plans: Bounded[Any, Plan] = Bounded(plans)

    def __contains__(self, text: str) -> bool:
        """Whether the document is prepared already."""
        return text in self._trusted or text in self._prepared

    def trust(self, text: str) -> None:
        """Prepare a document now and keep it for ever."""
        self._trusted[text] = self._prepare(text)

    def prepare(self, text: str) -> Prepared:
        """Parse, check limits, validate."""
        prepared = self._trusted.get(text) or self._prepared.get(text)
        if prepared is None:
            prepared = self._prepare(text)
            if len(text) <= LONGEST_KEPT:
                self._prepared.put(text, prepared)
        return prepared

    def _prepare(self, text: str) -> Prepared:
        try:
            document = parse(Source(text), max_tokens=MAXIMUM_TOKENS)
            check_limits(document)
            errors = validate(self.schema, document, max_errors=20)
        except GraphQLError as error:
            return Prepared(None, (error,))
        except RecursionError:
            return Prepared(None, (Refusal("TOO_DEEP", "The document is nested too deeply. Ask in several requests."),))
        return Prepared(None if errors else document, tuple(errors))

    def plan(
        self, text: str, operation: Operation, scopes: frozenset[str], build: Callable[[], Plan], root: object = None
    ) -> Plan:
        """The compiled plan, from the cache if the statement would be the same."""
        name = operation.definition.name.value if operation.definition.name else ""
        identifiers = _identifier_variables(operation.definition)
        shapes = tuple(
            (variable, shape(value, identifier=variable in identifiers))
            for variable, value in sorted(operation.variables.items())
        )
        key = (text, name, scopes, shapes, root)
        plan = self.plans.get(key)
        if plan is None:
            plan = build()
            if len(text) <= LONGEST_KEPT:
                self.plans.put(key, plan)
        return plan


def _identifier_variables(definition: OperationDefinitionNode) -> frozenset[str]:
    names = set()
    for variable in definition.variable_definitions or ():
        type_node: Any = variable.type
        while hasattr(type_node, "type"):
            type_node = type_node.type
        if type_node.name.value == "ID":
            names.add(variable.variable.name.value)
    return frozenset(names)


def choose_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run. Raises Refusal `UNKNOWN_OPERATION`."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
    if len(chosen) != 1:
        raise Refusal("UNKNOWN_OPERATION", "Give `operationName`, the name of one operation of the document.")
    return chosen[0]


def read_operation(
    schema: GraphQLSchema, document: DocumentNode, definition: OperationDefinitionNode, variables: Mapping[str, Any]
) -> tuple[Operation | None, list[GraphQLError]]:
    """The operation with coerced variables, or the errors in them."""
    coerced = get_variable_values(schema, definition.variable_definitions or (), dict(variables))
    if isinstance(coerced, list):
        return None, coerced
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    values = dict(coerced.coerced)
    return Operation(schema, definition, fragments, values, coerced), []


Fetch = Callable[[str, list[Any]], Any]


async def run_plan(plan: Plan, tenant_id: UUID, variables: Mapping[str, Any], fetch: Fetch) -> str:
    """Fill the parameters, run the statement, give the JSON text. Raises Refusal for values out of range."""
    filled = {**variables, TENANT_VARIABLE: tenant_id}
    arguments = [get(filled) for get in plan.parameters]
    try:
        text: str = await fetch(plan.sql, arguments)
    except asyncpg.QueryCanceledError as error:
        raise Refusal(
            "TOO_SLOW", "The answer took too long to gather. Ask for a smaller page or a shorter period."
        ) from error
    except asyncpg.ProgramLimitExceededError as error:
        raise Refusal("TOO_COMPLEX", "The document asks for too much at once. Ask in several requests.") from error
    except (asyncpg.DataError, UnicodeEncodeError) as error:
        message = "A value in the query is out of range or holds a character that cannot be stored."
        raise Refusal("INVALID_VALUE", message) from error
    return text


__all__ = ["CursorShapeChanged", "Documents", "OperationType", "choose_operation", "read_operation", "run_plan"]
