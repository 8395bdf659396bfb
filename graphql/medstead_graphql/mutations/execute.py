"""Runs mutations: the command and the read of its payload share one transaction."""

from collections.abc import Sequence
from typing import Any

import orjson
from graphql import FieldNode, GraphQLError, GraphQLObjectType, get_named_type, is_non_null_type
from strawberry.types import ExecutionResult

from medstead_graphql.caller import Caller
from medstead_graphql.compiler.errors import ForbiddenField, Refusal
from medstead_graphql.compiler.execute import Documents, run_plan
from medstead_graphql.compiler.plan import ROW_VARIABLE, Compilation, NullsParent
from medstead_graphql.compiler.selection import Operation, collect, selected_names, selected_part
from medstead_graphql.compiler.values import arguments_of
from medstead_graphql.mutations.payload import KEY, Command, Payload
from medstead_graphql.mutations.remembering import Remembered
from tenants.session import UnitOfWork


class _Refused(Exception):
    """Rolls the transaction back and carries the refusal payload out."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload


async def execute_mutation(
    text: str, documents: Documents, operation: Operation, caller: Caller, remembered: Remembered | None = None
) -> ExecutionResult:
    """Run the mutation fields one after another, each in a transaction of its own, as the specification says.

    With `remembered`, fields that were answered before under the same key are answered the same and not run again.
    Raises Refusal if the first field is not run.
    """
    root = operation.schema.mutation_type
    assert isinstance(root, GraphQLObjectType)
    runner = _Runner(text, documents, operation, caller)
    data: dict[str, Any] = {}
    errors: list[GraphQLError] = []
    for key, fields in collect(operation, root, [operation.definition.selection_set]).items():
        name = fields[0].name.value
        if name == "__typename":
            data[key] = root.name
            continue
        command: Command = root.fields[name].extensions["strawberry-definition"].metadata[KEY]
        if command.scope not in caller.scopes:
            errors.append(ForbiddenField(f"Mutation.{name}", command.scope, [key]))
            data[key] = None
            continue
        try:
            data[key], found = await _Field(runner, remembered, key, fields, command).run()
            errors += found
        except Refusal as refusal:
            if not data:
                raise
            errors.append(refusal)
            data[key] = None
    nulled = any(data[key] is None and is_non_null_type(root.fields[key].type) for key in data if key in root.fields)
    return ExecutionResult(data=orjson.Fragment("null") if nulled else data, errors=errors or None)  # type: ignore[arg-type]


class _Field:
    """One field of a mutation, to be run once or recalled."""

    def __init__(
        self,
        runner: "_Runner",
        remembered: Remembered | None,
        key: str,
        fields: list[FieldNode],
        command: Command,
    ) -> None:
        self.runner, self.remembered = runner, remembered
        self.operation, self.caller = runner.operation, runner.caller
        self.key, self.fields, self.command = key, fields, command

    async def run(self) -> tuple[Any, Sequence[GraphQLError]]:
        """The answer and its errors. A refusal is an answer too, and remembered: a retry must hear what was said."""
        root = self.operation.schema.mutation_type
        assert isinstance(root, GraphQLObjectType)
        try:
            async with self.caller.database.unit_of_work(self.caller.context) as work:
                if (told := await self._recalled(work)) is not None:
                    return told
                arguments = arguments_of(self.operation, root.fields[self.fields[0].name.value], self.fields[0])
                payload = await self.command.handler(work, self.caller, arguments)
                if "code" in payload.values:
                    raise _Refused(payload)
                await work.settle()
                return await self._answered(work, payload)
        except _Refused as refused:
            async with self.caller.database.unit_of_work(self.caller.context) as work:
                return await self._recalled(work) or await self._answered(work, refused.payload)

    async def _recalled(self, work: UnitOfWork) -> tuple[Any, Sequence[GraphQLError]] | None:
        return None if self.remembered is None else await self.remembered.recall(work, self.key)

    async def _answered(self, work: UnitOfWork, payload: Payload) -> tuple[Any, Sequence[GraphQLError]]:
        errors: list[GraphQLError] = []
        answer: dict[str, Any] | None
        try:
            answer = await self.runner.payload(work, payload, self.fields, [self.key], errors)
        except NullsParent:
            answer = None  # what the caller may not read hides the answer; the effect stands
        if self.remembered is not None:
            await self.remembered.keep(work, self.key, answer, errors)
        return answer, errors


class _Runner:
    """Reads the answers of an operation's fields; the statements for their rows are kept like those of reads."""

    def __init__(self, text: str, documents: Documents, operation: Operation, caller: Caller) -> None:
        self.text, self.documents = text, documents
        self.operation, self.caller = operation, caller

    async def payload(
        self,
        work: UnitOfWork,
        payload: Payload,
        fields: list[FieldNode],
        path: list[str | int],
        errors: list[GraphQLError],
    ) -> dict[str, Any]:
        """The selected part of a payload. Raises NullsParent if a row of it that cannot be null may not be read."""
        type_ = self.operation.schema.type_map[payload.type_name]
        assert isinstance(type_, GraphQLObjectType)
        answer: dict[str, Any] = {}
        for key, nodes in selected_names(self.operation, type_, fields).items():
            name = nodes[0].name.value
            if name == "__typename":
                answer[key] = type_.name
            elif name in payload.rows:
                rows = payload.rows[name]
                if isinstance(rows, Sequence):
                    answer[key] = [
                        await self._row(work, type_, nodes, row_id, [*path, key, index], errors)
                        for index, row_id in enumerate(rows)
                    ]
                else:
                    wanted = rows is not None
                    answer[key] = await self._row(work, type_, nodes, rows, [*path, key], errors) if wanted else None
            else:
                answer[key] = selected_part(self.operation, type_.fields[name].type, payload.values.get(name), nodes)
        return answer

    async def _row(
        self,
        work: UnitOfWork,
        type_: GraphQLObjectType,
        nodes: list[FieldNode],
        row_id: Any,
        path: list[str | int],
        errors: list[GraphQLError],
    ) -> Any:
        field = type_.fields[nodes[0].name.value]
        target = get_named_type(field.type)
        assert isinstance(target, GraphQLObjectType)
        compilation = Compilation(self.operation, self.caller.scopes)
        place = f"{self.text}\0{type_.name}:{'.'.join(map(str, path))}"
        try:
            plan = self.documents.plan(
                place,
                self.operation,
                self.caller.scopes,
                lambda: compilation.finish(compilation.row_by_id(target, nodes, path)),
            )
        except NullsParent:
            errors.extend(compilation.errors)
            if is_non_null_type(field.type):
                raise
            return None
        driver = await work.driver()

        async def fetch(sql: str, arguments: list[Any]) -> Any:
            return await driver.fetchval(sql, *arguments)

        text = await run_plan(plan, self.caller.tenant_id, {**self.operation.variables, ROW_VARIABLE: row_id}, fetch)
        errors.extend(plan.errors)
        return orjson.Fragment(text)


__all__ = ["execute_mutation"]
