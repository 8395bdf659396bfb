"""How a mutation answers: one success type or a typed refusal, both read by the compiler in the same transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import with_arguments
from tenants.session import UnitOfWork

KEY = "medstead_mutation"


@strawberry.interface(description="A refusal that the caller can mend. Branch on `code`; `message` is for people.")
class UserError:
    """A typed refusal."""

    code: str
    message: str
    path: list[str]


@dataclass(frozen=True, slots=True)
class Payload:
    """The answer of a mutation: the GraphQL type, its plain values, and rows it leads to (field → row id)."""

    type_name: str
    values: Mapping[str, Any]
    rows: Mapping[str, UUID]


Handler = Callable[[UnitOfWork, Caller, dict[str, Any]], Awaitable[Payload]]
"""Runs the command in the given transaction; gets the arguments by their GraphQL names."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a mutation field runs and the scope it needs."""

    handler: Handler
    scope: str


def success(type_name: str, rows: Mapping[str, UUID], values: Mapping[str, Any] | None = None) -> Payload:
    """A success payload leading to rows."""
    return Payload(type_name, values or {}, rows)


def refusal(type_name: str, code: str, message: str, path: tuple[str, ...] = ()) -> Payload:
    """A refusal payload. `path` names the input field at fault."""
    return Payload(type_name, {"code": code, "message": message, "path": list(path)}, {})


def command(handler: Handler, scope: str, arguments: Mapping[str, Any], *, description: str) -> Any:
    """A mutation field; `arguments` maps Python argument names to types."""
    return strawberry.field(
        resolver=with_arguments(dict(arguments), {}), metadata={KEY: Command(handler, scope)}, description=description
    )
