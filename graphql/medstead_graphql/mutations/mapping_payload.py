"""What the mutations of courses, topics, exercises, gaps and templates share: their refusal, and ids in their input."""

from typing import Any
from uuid import UUID

import strawberry

from app.training.errors import TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.payload import Handler, Payload, RefusalReason, UserError, refusal, row_id
from tenants.session import UnitOfWork

WRITE = "training:write"


@strawberry.type(description="Why courses, topics, exercises, gaps or templates cannot be changed as asked.")
class MappingRefused(UserError):
    """A refusal of the mapping."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


def typed(handler: Handler) -> Handler:
    """The handler, with refusals of the domain as payloads."""

    async def answered(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await handler(work, caller, arguments)
        except TrainingRefusal as error:
            path = tuple(filter(None, (error.field,)))
            reasons = [{"code": reason.code, "message": reason.message} for reason in error.reasons]
            return refusal("MappingRefused", error.code, error.message, path, reasons=reasons)

    return answered


def key(given: dict[str, Any], name: str, type_name: str) -> UUID:
    """The row named by an input field. Raises TrainingRefusal `NO_SUCH_…`."""
    return row_id(given[name], type_name, lambda code, message: TrainingRefusal(code, message, name))


def optional_key(given: dict[str, Any], name: str, type_name: str) -> UUID | None:
    """As `key`; None where nothing was given."""
    return None if given.get(name) is None else key(given, name, type_name)


def word(value: Any) -> Any:
    """The stored word of an enum's value, or what was given."""
    return getattr(value, "value", value)
