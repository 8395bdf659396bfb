"""What the mutations of governance and of money share: their refusals, and how a handler answers with them."""

from typing import Any

import strawberry

from app.training.errors import TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.payload import Handler, Payload, RefusalReason, UserError, refusal
from tenants.session import UnitOfWork


@strawberry.type(description="Why governance cannot be changed as asked.")
class GovernanceRefused(UserError):
    """A refusal of governance."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="Why streams, pools, seats, rates or time cannot be changed as asked.")
class FundingRefused(UserError):
    """A refusal of money."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


def answering(type_name: str, handler: Handler) -> Handler:
    """The handler, with refusals of the domain as payloads of the type."""

    async def answered(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await handler(work, caller, arguments)
        except TrainingRefusal as error:
            path = tuple(filter(None, (error.field,)))
            reasons = [{"code": reason.code, "message": reason.message} for reason in error.reasons]
            return refusal(type_name, error.code, error.message, path, reasons=reasons)

    return answered
