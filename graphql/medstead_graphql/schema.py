"""The schema: Strawberry declares it, and reads are executed by the compiler instead of resolvers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError, GraphQLObjectType, OperationType, execute_sync
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType as AllowedOperation
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

from medstead_graphql.answers import computed_fields, execute_computed
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.execute import (
    Documents,
    run_plan,
)
from medstead_graphql.compiler.plan import Plan, compile_root
from medstead_graphql.compiler.selection import Operation, collect
from medstead_graphql.limits import check_variables
from medstead_graphql.mutations import Mutation, execute_mutation
from medstead_graphql.mutations.remembering import Remembered
from medstead_graphql.pricing import Price, PricedOperation
from medstead_graphql.query import Query

INTROSPECTION = {"__schema", "__type"}


class _Names(NameConverter):
    """Names a connection to a union after the union, also where that is known by a later module only."""

    def get_name_from_type(self, type_: Any) -> str:
        """The part that a type argument gives to a generic type's name."""
        found = type_.resolve_type() if isinstance(type_, LazyType) else type_
        for word in getattr(found, "__metadata__", ()):
            if isinstance(word, StrawberryUnion) and word.graphql_name:
                return word.graphql_name
        return super().get_name_from_type(type_)


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation of a valid document with coerced variables, and what it may cost."""

    text: str
    operation: Operation
    priced: PricedOperation
    price: Price

    @property
    def is_mutation(self) -> bool:
        """Whether it changes something."""
        return self.operation.definition.operation is OperationType.MUTATION


class CompiledSchema(strawberry.Schema):
    """A Strawberry schema whose `execute` compiles reads to one statement."""

    def __init__(self) -> None:
        super().__init__(query=Query, mutation=Mutation, config=StrawberryConfig(name_converter=_Names()))
        self.documents = Documents(self._schema)

    def ask(self, text: str, variables: dict[str, Any] | None, operation_name: str | None) -> Asked | ExecutionResult:
        """The operation of a document with its variables and price; or the errors that say why there is none."""
        if not text:
            return _refused(Refusal("NO_DOCUMENT", "Send a GraphQL document as `query`."))
        prepared = self.documents.prepare(text)
        if prepared.document is None:
            return ExecutionResult(data=None, errors=[_coded(error) for error in prepared.errors])
        try:
            check_variables(variables or {})
            known = prepared.operation(self._schema, operation_name)
            operation, errors = known.read(variables or {})
            if operation is None:
                return ExecutionResult(data=None, errors=[_coded(error) for error in errors])
            return Asked(text, operation, known.priced, known.priced.price(operation.variables))
        except Refusal as refusal:
            return _refused(refusal)
        except RecursionError:
            return _refused(Refusal("TOO_DEEP", "The document is nested too deeply. Ask in several requests."))

    async def run(self, asked: Asked, caller: Caller, remembered: Remembered | None = None) -> ExecutionResult:
        """Run an operation for the caller. Errors that the caller can mend carry `extensions.code`."""
        try:
            if asked.is_mutation:
                return await execute_mutation(asked.text, self.documents, asked.operation, caller, remembered)
            return await self._read(asked.text, asked.operation, caller)
        except Refusal as refusal:
            return _refused(refusal)
        except RecursionError:
            return _refused(Refusal("TOO_DEEP", "The document is nested too deeply. Ask in several requests."))

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Caller | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[AllowedOperation] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Strawberry's way to run an operation: `ask`, then `run`, without looking at the price."""
        assert context_value is not None
        asked = self.ask(query or "", variable_values, operation_name)
        return asked if isinstance(asked, ExecutionResult) else await self.run(asked, context_value)

    async def _read(self, text: str, operation: Operation, caller: Caller) -> ExecutionResult:
        root = self._schema.query_type
        assert isinstance(root, GraphQLObjectType)
        names = {
            nodes[0].name.value for nodes in collect(operation, root, [operation.definition.selection_set]).values()
        }
        if names & INTROSPECTION:
            if names - INTROSPECTION - {"__typename"}:
                return _refused(Refusal("MIXED_INTROSPECTION", "Ask for the schema in a document of its own."))
            return self._introspect(operation)

        computed = computed_fields(operation, root)
        if computed is not None:
            return await execute_computed(operation, root, computed, caller)

        def build() -> Plan:
            return compile_root(operation, root, caller.scopes)

        plan = self.documents.plan(text, operation, caller.scopes, build)
        data = await run_plan(plan, caller.tenant_id, operation.variables, caller.fetch)
        return ExecutionResult(data=orjson.Fragment(data), errors=list(plan.errors) or None)  # type: ignore[arg-type]

    def _introspect(self, operation: Operation) -> ExecutionResult:
        from graphql import DocumentNode

        document = DocumentNode(definitions=(operation.definition, *operation.fragments.values()))
        result = execute_sync(self._schema, document, variable_values=operation.variables)
        return ExecutionResult(data=result.data, errors=[_coded(error) for error in result.errors or ()] or None)


def _coded(error: GraphQLError) -> GraphQLError:
    """An error of parsing, validation or coercion with a stable code."""
    if isinstance(error, Refusal):
        return error
    return GraphQLError(
        error.message,
        nodes=error.nodes,
        positions=error.positions,
        path=error.path,
        extensions={"code": "INVALID_DOCUMENT"},
    )


def _refused(refusal: Refusal) -> ExecutionResult:
    return ExecutionResult(data=None, errors=[refusal])


schema = CompiledSchema()
