"""Mutations of action plans, strategic objectives and recognitions."""

from datetime import date
from typing import Annotated, Any

import strawberry

from app.governance import plans
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.governance import OF_A_NEW_ONE, WRITE, optional, typed, word
from medstead_graphql.mutations.governance_payload import GovernanceRefused
from medstead_graphql.mutations.mapping_payload import key
from medstead_graphql.mutations.payload import Payload, command, success
from medstead_graphql.types.governance import ActionPlan, PlanAction, Recognition, StrategicObjective
from medstead_graphql.types.governance_words import GovernanceStatus, ObjectiveStatus, PlanKind, PlanStatus
from tenants.session import UnitOfWork


@strawberry.type(description="The plan is as asked.")
class ActionPlanChanged:
    """Success of creating and changing a plan."""

    plan: ActionPlan


@strawberry.type(description="The action is as asked.")
class PlanActionChanged:
    """Success of adding and changing an action."""

    action: PlanAction


@strawberry.type(description="The objective is as asked.")
class ObjectiveChanged:
    """Success of saving, tagging and untagging an objective."""

    objective: StrategicObjective


@strawberry.type(description="The recognition is in the log.")
class RecognitionAdded:
    """Success of addRecognition."""

    recognition: Recognition


ActionPlanResult = Annotated[ActionPlanChanged | GovernanceRefused, strawberry.union("ActionPlanResult")]
PlanActionResult = Annotated[PlanActionChanged | GovernanceRefused, strawberry.union("PlanActionResult")]
ObjectiveResult = Annotated[ObjectiveChanged | GovernanceRefused, strawberry.union("ObjectiveResult")]
RecognitionResult = Annotated[RecognitionAdded | GovernanceRefused, strawberry.union("RecognitionResult")]


@strawberry.input(description="A plan for a location, for a provider (CQC's id), or for everybody: name neither.")
class ActionPlanInput:
    """A new plan."""

    kind: PlanKind
    title: str
    owner_organisation: strawberry.ID
    due_on: date
    location: strawberry.ID | None = None
    provider: str | None = None


@strawberry.input(description="What is left out stays as it is. `version` is the one that you read.")
class ActionPlanChange:
    """A plan to be changed."""

    id: strawberry.ID
    version: int
    status: PlanStatus | None = None
    due_on: date | None = None


@strawberry.input(description="A step of a plan. It may cite a course and a session.")
class PlanActionInput:
    """A new action."""

    plan: strawberry.ID
    title: str
    owner: str
    due_on: date
    course: strawberry.ID | None = None
    session: strawberry.ID | None = None


@strawberry.input(description="What is left out stays as it is; what is done needs evidence.")
class PlanActionChange:
    """An action to be changed."""

    id: strawberry.ID
    version: int
    status: GovernanceStatus | None = None
    evidence: str | None = None
    owner: str | None = None
    due_on: date | None = None


@strawberry.input(description=f"An objective. {OF_A_NEW_ONE}")
class ObjectiveInput:
    """An objective."""

    id: strawberry.ID | None = None
    version: int
    title: str
    details: str | None = None
    status: ObjectiveStatus = ObjectiveStatus.CURRENT


@strawberry.input(description="An award: what, by whom, when, and where one can read of it.")
class RecognitionInput:
    """A recognition."""

    award: str
    body: str
    awarded_on: date
    url: str | None = None


async def _create(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    plan = plans.PlanGiven(
        word(given["kind"]),
        given["title"],
        key(given, "ownerOrganisation", "PartnerOrganisation"),
        given["dueOn"],
        optional(given, "location", "Location"),
        given.get("provider"),
    )
    return success("ActionPlanChanged", {"plan": await plans.create_plan(work, plan)})


async def _change(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    plan_id = key(given, "id", "ActionPlan")
    status, due_on = word(given.get("status")), given.get("dueOn")
    await plans.change_plan(work, plan_id, version=given["version"], status=status, due_on=due_on)
    return success("ActionPlanChanged", {"plan": plan_id})


async def _add(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    action = plans.ActionGiven(
        given["title"],
        given["owner"],
        given["dueOn"],
        optional(given, "course", "Course"),
        optional(given, "session", "Session"),
    )
    action_id = await plans.add_action(work, key(given, "plan", "ActionPlan"), action)
    return success("PlanActionChanged", {"action": action_id})


async def _act(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    action_id = key(given, "id", "PlanAction")
    await plans.change_action(
        work,
        action_id,
        version=given["version"],
        status=word(given.get("status")),
        evidence=given.get("evidence"),
        owner=given.get("owner"),
        due_on=given.get("dueOn"),
    )
    return success("PlanActionChanged", {"action": action_id})


async def _objective(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    objective_id = await plans.save_objective(
        work,
        given["title"],
        details=given.get("details"),
        status=word(given["status"]),
        objective_id=optional(given, "id", "StrategicObjective"),
        version=given["version"],
    )
    return success("ObjectiveChanged", {"objective": objective_id})


async def _tag(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    objective_id = key(arguments, "objective", "StrategicObjective")
    tagged = plans.Tagged(
        optional(arguments, "programme", "Programme"),
        optional(arguments, "course", "Course"),
        optional(arguments, "plan", "ActionPlan"),
    )
    await plans.tag(work, objective_id, tagged)
    return success("ObjectiveChanged", {"objective": objective_id})


async def _untag(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    return success("ObjectiveChanged", {"objective": await plans.untag(work, key(arguments, "id", "ObjectiveTag"))})


async def _recognition(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    award_id = await plans.add_recognition(work, given["award"], given["body"], given["awardedOn"], given.get("url"))
    return success("RecognitionAdded", {"recognition": award_id})


@strawberry.type
class PlanMutations:
    """Mutations of plans, objectives and recognitions."""

    create_action_plan: ActionPlanResult | None = command(
        typed(_create), WRITE, {"input": ActionPlanInput}, description="Begin a CQC or local action plan."
    )
    update_action_plan: ActionPlanResult | None = command(
        typed(_change), WRITE, {"input": ActionPlanChange}, description="Give a plan another state or day."
    )
    add_plan_action: PlanActionResult | None = command(
        typed(_add), WRITE, {"input": PlanActionInput}, description="Put a step into a plan."
    )
    update_plan_action: PlanActionResult | None = command(
        typed(_act), WRITE, {"input": PlanActionChange}, description="Change a step of a plan."
    )
    save_objective: ObjectiveResult | None = command(
        typed(_objective), WRITE, {"input": ObjectiveInput}, description="Make or change a strategic objective."
    )
    tag_objective: ObjectiveResult | None = command(
        typed(_tag),
        WRITE,
        {
            "objective": strawberry.ID,
            "programme": strawberry.ID | None,
            "course": strawberry.ID | None,
            "plan": strawberry.ID | None,
        },
        description="Say that a programme, course or plan serves an objective.",
    )
    untag_objective: ObjectiveResult | None = command(
        typed(_untag), WRITE, {"id": strawberry.ID}, description="Take a tag away; `id` is the tag's."
    )
    add_recognition: RecognitionResult | None = command(
        typed(_recognition), WRITE, {"input": RecognitionInput}, description="Log an award."
    )
