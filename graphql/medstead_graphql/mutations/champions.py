"""Mutations of the champions' register and of the progression pathway."""

from datetime import date
from typing import Annotated, Any

import strawberry

from app.training.champion_register import operations, pathway
from app.training.errors import TrainingRefusal
from medstead_graphql.mutations.nominations import refused_as
from medstead_graphql.mutations.payload import Payload, RefusalReason, UserError, command, row_id, success
from medstead_graphql.types.champions import LearnerStep, PathwayStep, RoleCategory
from medstead_graphql.types.training import MedicationChampion
from tenants.session import UnitOfWork

WRITE = "training:write"


@strawberry.type(description="Why somebody cannot be appointed, or a role not be changed, as asked; with every reason.")
class ChampionRefused(UserError):
    """A refusal about champions."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The role as it stands now.")
class ChampionChanged:
    """Success of the mutations of champions."""

    champion: MedicationChampion


@strawberry.type(description="Why the pathway cannot be as asked.")
class PathwayRefused(UserError):
    """A refusal about the pathway."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The steps as they are now, in order.")
class PathwayChanged:
    """Success of setting the pathway."""

    steps: list[PathwayStep]


@strawberry.type(description="The learner's step.")
class StepReached:
    """Success of recording a step."""

    learner_step: LearnerStep


ChampionResult = Annotated[ChampionChanged | ChampionRefused, strawberry.union("ChampionResult")]
PathwayResult = Annotated[PathwayChanged | PathwayRefused, strawberry.union("PathwayResult")]
StepResult = Annotated[StepReached | PathwayRefused, strawberry.union("StepResult")]


@strawberry.input(description="Whom to make champion of which location.")
class AppointChampionInput:
    """A champion to be."""

    learner_id: strawberry.ID
    location_id: strawberry.ID
    contact_route: str = strawberry.field(default="", description="How the home and health professionals reach them.")
    deputy: bool = strawberry.field(default=False, description="Stands in for the location's other champions.")


@strawberry.input(description="A change of a role; what is left out stays. `version` is the one that you read.")
class ChangeChampionInput:
    """A change of a role."""

    id: strawberry.ID
    version: int
    contact_route: str | None = None
    deputy: bool | None = None


@strawberry.input(description="Which role ends, and why. `version` is the one that you read.")
class EndChampionInput:
    """The end of a role."""

    id: strawberry.ID
    version: int
    reason: str


@strawberry.input(description="A step of the pathway; `id` if it is one that there is.")
class PathwayStepInput:
    """A step to be."""

    name: str
    role_category: RoleCategory
    id: strawberry.ID | None = None


@strawberry.input(description="All steps of the pathway, in order. Those left out are removed.")
class PathwayInput:
    """A pathway to be."""

    steps: list[PathwayStepInput]


@strawberry.input(description="Which learner reached which step on which day.")
class ReachStepInput:
    """A step that was reached."""

    learner_id: strawberry.ID
    step_id: strawberry.ID
    on: date


async def _appoint(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    champion_id = await operations.appoint(
        work,
        row_id(given["learnerId"], "Learner", TrainingRefusal),
        row_id(given["locationId"], "Location", TrainingRefusal),
        contact_route=given.get("contactRoute") or "",
        deputy=bool(given.get("deputy")),
    )
    return success("ChampionChanged", {"champion": champion_id})


async def _change(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    champion_id = row_id(given["id"], "MedicationChampion", TrainingRefusal)
    await operations.change_champion(
        work, champion_id, given["version"], contact_route=given.get("contactRoute"), deputy=given.get("deputy")
    )
    return success("ChampionChanged", {"champion": champion_id})


async def _end(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    champion_id = row_id(given["id"], "MedicationChampion", TrainingRefusal)
    await operations.end_champion(work, champion_id, given["version"], given["reason"])
    return success("ChampionChanged", {"champion": champion_id})


async def _pathway(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    steps = [
        pathway.Step(
            one["name"],
            str(getattr(one["roleCategory"], "value", one["roleCategory"])),
            None if one.get("id") is None else row_id(one["id"], "PathwayStep", TrainingRefusal),
        )
        for one in arguments["input"]["steps"]
    ]
    return success("PathwayChanged", {"steps": await pathway.set_pathway(work, steps)})


async def _reach(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    step = await pathway.reach_step(
        work,
        row_id(given["learnerId"], "Learner", TrainingRefusal),
        row_id(given["stepId"], "PathwayStep", TrainingRefusal),
        given["on"],
    )
    return success("StepReached", {"learnerStep": step})


@strawberry.type
class ChampionMutations:
    """Mutations of champions and the pathway."""

    appoint_champion: ChampionResult | None = command(
        refused_as("ChampionRefused", _appoint),
        WRITE,
        {"input": AppointChampionInput},
        description="Make somebody champion of a location: the champions' tier met, and a nomination approved for it.",
    )
    change_champion: ChampionResult | None = command(
        refused_as("ChampionRefused", _change),
        WRITE,
        {"input": ChangeChampionInput},
        description="Change how a champion is reached, and whether they are a deputy.",
    )
    end_champion: ChampionResult | None = command(
        refused_as("ChampionRefused", _end),
        WRITE,
        {"input": EndChampionInput},
        description="End a role today. It ends by itself when the employment at the location does.",
    )
    set_pathway: PathwayResult | None = command(
        refused_as("PathwayRefused", _pathway),
        WRITE,
        {"input": PathwayInput},
        description="Set the steps of the progression pathway.",
    )
    reach_step: StepResult | None = command(
        refused_as("PathwayRefused", _reach),
        WRITE,
        {"input": ReachStepInput},
        description="Record that a learner reached a step; told again, the day is corrected.",
    )
