"""How a mutation answers: one success type or a typed refusal, both read by the compiler in the same transaction."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import with_arguments
from medstead_graphql.compiler.identifiers import key_of
from tenants.session import UnitOfWork

KEY = "medstead_mutation"


@strawberry.interface(description="A refusal that the caller can mend. Branch on `code`; `message` is for people.")
class UserError:
    """A typed refusal."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="One of the reasons for a refusal. Branch on `code`; `message` says what would help.")
class RefusalReason:
    """A reason."""

    code: str
    message: str
    rule_id: strawberry.ID | None = strawberry.field(description="The rule that asks for it, if one does.")
    learner_id: strawberry.ID | None = strawberry.field(description="Whom it is about, if it is about one of several.")


@dataclass(frozen=True, slots=True)
class Payload:
    """The answer of a mutation: the GraphQL type, its plain values, and the rows it leads to (field → id or ids)."""

    type_name: str
    values: Mapping[str, Any]
    rows: Mapping[str, UUID | Sequence[UUID] | None]


Handler = Callable[[UnitOfWork, Caller, dict[str, Any]], Awaitable[Payload]]
"""Runs the command in the given transaction; gets the arguments by their GraphQL names."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a mutation field runs and the scope it needs."""

    handler: Handler
    scope: str


def success(
    type_name: str, rows: Mapping[str, UUID | Sequence[UUID] | None], values: Mapping[str, Any] | None = None
) -> Payload:
    """A success payload leading to rows."""
    return Payload(type_name, values or {}, rows)


def refusal(type_name: str, code: str, message: str, path: tuple[str, ...] = (), **more: Any) -> Payload:
    """A refusal payload. `path` names the input field at fault; `more` are further values of the type."""
    return Payload(type_name, {"code": code, "message": message, "path": list(path), **more}, {})


def row_id(text: object, type_name: str, refused: Callable[[str, str], Exception]) -> UUID:
    """The row's own id in a global id of that type; else raises what `refused` makes of a code and a sentence."""
    found = key_of(text, type_name, UUID)
    if not isinstance(found, UUID):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_name)
        code = f"NO_SUCH_{words.replace(' ', '_').upper()}"
        raise refused(code, f"There is no such {words.lower()}. Use an id that this API gave.")
    return found


def command(handler: Handler, scope: str, arguments: Mapping[str, Any], *, description: str) -> Any:
    """A mutation field; `arguments` maps Python argument names to types."""
    return strawberry.field(
        resolver=with_arguments(dict(arguments), {}), metadata={KEY: Command(handler, scope)}, description=description
    )
