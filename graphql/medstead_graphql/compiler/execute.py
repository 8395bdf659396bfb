"""Runs documents: parse and validate once, compile once per scopes and shape of variables, then one statement."""

from collections.abc import Callable, Hashable, Mapping
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
    parse,
    validate,
)

from medstead_graphql.bounded import Bounded
from medstead_graphql.compiler.coercion import Coercion
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.plan import TENANT_VARIABLE, Plan
from medstead_graphql.compiler.selection import Operation
from medstead_graphql.compiler.values import Variables, shape
from medstead_graphql.limits import MAXIMUM_TOKENS, check_limits
from medstead_graphql.pricing import PricedOperation, priced

DOCUMENTS_KEPT = 500_000
"""Characters of all documents that are kept prepared; each takes some hundred bytes as a tree."""
PLANS_KEPT = 16_000_000
"""Characters of all statements that are kept."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that parsed and is valid for the schema, or the errors that say why not."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: dict[str | None, "PreparedOperation"] = field(default_factory=dict)
    """Operations that were asked for, by the name that was given for them."""

    def operation(self, schema: GraphQLSchema, name: str | None) -> "PreparedOperation":
        """The operation of that name. Raises Refusal `UNKNOWN_OPERATION`."""
        found = self.operations.get(name)
        if found is None:
            assert self.document is not None
            found = self.operations[name] = PreparedOperation(schema, self.document, name)
        return found


class PreparedOperation:
    """One operation of a valid document: what can be known of it without its variables."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if len(chosen) != 1:
            raise Refusal("UNKNOWN_OPERATION", "Give `operationName`, the name of one operation of the document.")
        self.definition = chosen[0]
        self.priced: PricedOperation = priced(schema, document, self.definition)
        self._schema = schema
        self._coercion = Coercion(schema, self.definition)
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }

    def read(self, variables: Mapping[str, Any]) -> tuple[Operation | None, list[GraphQLError]]:
        """The operation with coerced variables, or the errors in them."""
        coerced = self._coercion.coerce(variables)
        if isinstance(coerced, list):
            return None, coerced
        return Operation(self._schema, self.definition, self._fragments, dict(coerced.coerced), coerced), []


class Documents:
    """Prepared documents and compiled plans of one schema, both bounded."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._prepared: Bounded[str, Prepared] = Bounded(DOCUMENTS_KEPT)
        self._trusted: dict[str, Prepared] = {}
        self._pins: Bounded[Hashable, tuple[Callable[[Variables], Hashable], ...]] = Bounded(PLANS_KEPT)
        self._plans: Bounded[Hashable, Plan] = Bounded(PLANS_KEPT)

    def __contains__(self, text: str) -> bool:
        """Whether the document is prepared already."""
        return text in self._trusted or text in self._prepared

    def trust(self, text: str) -> None:
        """Prepare a document now and keep it for ever."""
        if text not in self._trusted:
            self._trusted[text] = self._prepare(text)

    def prepare(self, text: str) -> Prepared:
        """Parse, check limits, validate."""
        prepared = self._trusted.get(text) or self._prepared.get(text)
        if prepared is None:
            prepared = self._prepare(text)
            self._prepared.put(text, prepared, len(text))
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

    def plan(self, text: str, operation: Operation, scopes: frozenset[str], build: Callable[[], Plan]) -> Plan:
        """The compiled plan, from the cache if the statement would be the same."""
        name = operation.definition.name.value if operation.definition.name else ""
        shapes = tuple((variable, shape(value)) for variable, value in sorted(operation.variables.items()))
        key = (text, name, scopes, shapes)
        pins = self._pins.get(key)
        if pins is not None:
            plan = self._plans.get((key, _values(pins, operation)))
            if plan is not None:
                return plan
        plan = build()
        self._pins.put(key, plan.pins, len(text))
        self._plans.put((key, _values(plan.pins, operation)), plan, len(plan.sql))
        return plan


def _values(pins: tuple[Callable[[Variables], Hashable], ...], operation: Operation) -> tuple[Hashable, ...]:
    return tuple(pin(operation.variables) for pin in pins)


Fetch = Callable[[str, list[Any]], Any]


async def run_plan(plan: Plan, tenant_id: UUID, variables: Mapping[str, Any], fetch: Fetch) -> bytes:
    """Fill the parameters, run the statement, give the JSON in UTF-8. Raises Refusal for values out of range."""
    filled = {**variables, TENANT_VARIABLE: tenant_id}
    arguments = [get(filled) for get in plan.parameters]
    try:
        json: bytes = await fetch(plan.sql, arguments)
    except asyncpg.QueryCanceledError as error:
        raise Refusal(
            "TOO_SLOW", "The answer took too long to gather. Ask for a smaller page or a shorter period."
        ) from error
    except asyncpg.ProgramLimitExceededError as error:
        raise Refusal("TOO_COMPLEX", "The document asks for too much at once. Ask in several requests.") from error
    except (asyncpg.DataError, UnicodeEncodeError) as error:
        message = "A value in the query is out of range or holds a character that cannot be stored."
        raise Refusal("INVALID_VALUE", message) from error
    return json


__all__ = ["Documents", "OperationType", "run_plan"]
