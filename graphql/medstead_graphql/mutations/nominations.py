"""Mutations of nominations and of overrides of prerequisites."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.errors import TrainingRefusal
from app.training.requirements import nominations, prerequisites
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.payload import (
    Handler,
    Payload,
    RefusalReason,
    UserError,
    command,
    refusal,
    row_id,
    success,
)
from medstead_graphql.types.requirements import ChampionNomination, PrerequisiteOverride
from tenants.session import UnitOfWork

WRITE = "training:write"


@strawberry.type(description="Why a nomination cannot be made or decided as asked.")
class NominationRefused(UserError):
    """A refusal about nominations."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The nomination as it stands now.")
class NominationChanged:
    """Success of the mutations of nominations."""

    nomination: ChampionNomination


@strawberry.type(description="Why a prerequisite cannot be overridden as asked.")
class OverrideRefused(UserError):
    """A refusal about overrides."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The override as it stands now.")
class OverrideChanged:
    """Success of the mutations of overrides."""

    override: PrerequisiteOverride


NominationResult = Annotated[NominationChanged | NominationRefused, strawberry.union("NominationResult")]
OverrideResult = Annotated[OverrideChanged | OverrideRefused, strawberry.union("OverrideResult")]


@strawberry.input(description="Whom to nominate, for which location, by whom and why.")
class NominationInput:
    """A nomination to be."""

    learner_id: strawberry.ID
    location_id: strawberry.ID
    nominator_name: str
    nominator_role: str
    statement: str


@strawberry.input(description="A decision. `version` is the one that you read.")
class NominationDecisionInput:
    """A decision on a nomination."""

    id: strawberry.ID
    version: int
    reason: str = ""


@strawberry.input(description="Which learner may pass which rule, why, and up to which day.")
class PrerequisiteOverrideInput:
    """An override to be."""

    learner_id: strawberry.ID
    tier_id: strawberry.ID
    reason: str
    until: date = strawberry.field(description="The last day on which it counts.")
    rule_id: strawberry.ID | None = strawberry.field(default=None, description="Left out: all rules of the tier.")


def refused_as(type_name: str, change: Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]) -> Handler:
    """A handler that answers refusals of training with that type."""

    async def handler(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await change(work, arguments)
        except TrainingRefusal as error:
            return training_refusal(type_name, error)

    return handler


def training_refusal(type_name: str, error: TrainingRefusal) -> Payload:
    """A refusal of training as a payload."""
    reasons = [
        {
            "code": reason.code,
            "message": reason.message,
            "ruleId": None if reason.rule_id is None else f"PrerequisiteRule:{reason.rule_id}",
            "learnerId": None if reason.learner_id is None else f"Learner:{reason.learner_id}",
        }
        for reason in error.reasons
    ]
    path = tuple(filter(None, (error.field,)))
    return refusal(type_name, error.code, error.message, path, reasons=reasons)


async def _nominate(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    nomination_id = await nominations.nominate(
        work,
        learner_id=row_id(given["learnerId"], "Learner", TrainingRefusal),
        tenant_location_id=row_id(given["locationId"], "Location", TrainingRefusal),
        nominator_name=given["nominatorName"],
        nominator_role=given["nominatorRole"],
        statement=given["statement"],
    )
    return success("NominationChanged", {"nomination": nomination_id})


def _deciding(
    operation: Callable[[UnitOfWork, UUID, int, str], Awaitable[None]],
) -> Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]:
    async def decide(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
        given = arguments["input"]
        nomination_id = row_id(given["id"], "ChampionNomination", TrainingRefusal)
        await operation(work, nomination_id, given["version"], given.get("reason") or "")
        return success("NominationChanged", {"nomination": nomination_id})

    return decide


async def _override(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    rule = given.get("ruleId")
    override_id = await prerequisites.override_prerequisites(
        work,
        learner_id=row_id(given["learnerId"], "Learner", TrainingRefusal),
        tier_id=row_id(given["tierId"], "Tier", TrainingRefusal),
        rule_id=None if rule is None else row_id(rule, "PrerequisiteRule", TrainingRefusal),
        reason=given["reason"],
        until=given["until"],
    )
    return success("OverrideChanged", {"override": override_id})


async def _end_override(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    override_id = row_id(arguments["id"], "PrerequisiteOverride", TrainingRefusal)
    await prerequisites.end_override(work, override_id)
    return success("OverrideChanged", {"override": override_id})


def _decision(operation: Callable[[UnitOfWork, UUID, int, str], Awaitable[None]], description: str) -> Any:
    handler = refused_as("NominationRefused", _deciding(operation))
    return command(handler, WRITE, {"input": NominationDecisionInput}, description=description)


@strawberry.type
class NominationMutations:
    """Mutations of nominations and overrides."""

    nominate_champion: NominationResult | None = command(
        refused_as("NominationRefused", _nominate),
        WRITE,
        {"input": NominationInput},
        description="Put a learner forward as Medication Champion. A learner has one open nomination at most.",
    )
    approve_nomination: NominationResult | None = _decision(
        nominations.approve, "Approve a nomination: the learner may book the champions' tier."
    )
    decline_nomination: NominationResult | None = _decision(nominations.decline, "Decline a nomination, for a reason.")
    withdraw_nomination: NominationResult | None = _decision(
        nominations.withdraw, "Take back a nomination, for a reason: one that is open, or one that was approved."
    )
    override_prerequisite: OverrideResult | None = command(
        refused_as("OverrideRefused", _override),
        WRITE,
        {"input": PrerequisiteOverrideInput},
        description="Let a learner pass a rule of a tier, or all of them. It ends by itself.",
    )
    end_prerequisite_override: OverrideResult | None = command(
        refused_as("OverrideRefused", _end_override),
        WRITE,
        {"id": strawberry.ID},
        description="End an override before its day.",
    )
