"""Root fields that rules of ours answer: run one after another in a transaction that can only read."""

from dataclasses import replace
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType, is_non_null_type
from strawberry.types import ExecutionResult

from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import Computed, declared
from medstead_graphql.compiler.errors import ForbiddenField, Refusal
from medstead_graphql.compiler.selection import Operation, collect, selected_part
from medstead_graphql.compiler.values import arguments_of


def computed_fields(operation: Operation, root: GraphQLObjectType) -> dict[str, list[FieldNode]] | None:
    """The fields of a document that rules answer, by response key; None if it has none such.

    Raises Refusal `MIXED_ANSWERS` if there are others beside them.
    """
    fields = collect(operation, root, [operation.definition.selection_set])
    names = {key: nodes[0].name.value for key, nodes in fields.items()}
    known = {key for key, name in names.items() if name in root.fields}
    found = {key for key in known if isinstance(declared(root.fields[names[key]]), Computed)}
    if not found:
        return None
    if others := sorted(names[key] for key in known - found):
        raise Refusal(
            "MIXED_ANSWERS",
            f"{names[min(found)]} is answered by a rule and {others[0]} by a statement. Ask in two documents.",
        )
    return fields


async def execute_computed(
    operation: Operation, root: GraphQLObjectType, fields: dict[str, list[FieldNode]], caller: Caller
) -> ExecutionResult:
    """Answer the fields, each null with its error where the caller lacks the scope or a rule refuses."""
    data: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    async with caller.database.unit_of_work(replace(caller.context, read_only=True)) as work:
        for key, nodes in fields.items():
            name = nodes[0].name.value
            if name == "__typename":
                data[key] = root.name
                continue
            field = root.fields[name]
            declaration = declared(field)
            assert isinstance(declaration, Computed)
            data[key] = None
            if declaration.scope is not None and declaration.scope not in caller.scopes:
                errors.append(ForbiddenField(f"Query.{name}", declaration.scope, [key]))
                continue
            try:
                value = await declaration.handler(work, caller, arguments_of(operation, field, nodes[0]))
            except Refusal as refusal:
                errors.append(Refusal(refusal.code, refusal.message, [key]))
                continue
            data[key] = selected_part(operation, field.type, value, nodes)
    nulled = any(
        data[key] is None and is_non_null_type(root.fields[nodes[0].name.value].type)
        for key, nodes in fields.items()
        if nodes[0].name.value in root.fields
    )
    return ExecutionResult(data=None if nulled else data, errors=errors or None)
