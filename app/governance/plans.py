"""Action plans that cite courses and sessions, strategic objectives that tag activity, and recognitions."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.directory.models import CqcProvider, TenantLocation
from app.governance.items import chosen
from app.governance.models import (
    ITEM_STATES,
    PLAN_KINDS,
    ActionPlan,
    ObjectiveTag,
    PartnerOrganisation,
    PlanAction,
    Recognition,
    StrategicObjective,
)
from app.governance.rules import exactly_one
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, optional_words, same_version, told, words
from app.training.models import Course, Programme, TrainingSession
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

PLAN_STATES = ("open", "completed", "withdrawn")


@dataclass(frozen=True, slots=True)
class PlanGiven:
    """A plan as somebody gives it: for a location, for a CQC provider, or for the whole tenant (neither)."""

    kind: str
    title: str
    owner_organisation_id: UUID
    due_on: date
    location_id: UUID | None = None
    cqc_provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class ActionGiven:
    """A step of a plan as somebody gives it."""

    title: str
    owner: str
    due_on: date
    course_id: UUID | None = None
    session_id: UUID | None = None


async def create_plan(work: UnitOfWork, given: PlanGiven) -> UUID:
    """Begin a plan.

    Raises TrainingRefusal `UNKNOWN_CHOICE`, `TEXT_MISSING`, `NAME_ONE`, `NO_SUCH_LOCATION`, `NO_SUCH_PROVIDER` or
    `NO_SUCH_PARTNER_ORGANISATION`.
    """
    kind = chosen(given.kind, PLAN_KINDS, "kind")
    if given.location_id is not None and given.cqc_provider_id is not None:
        raise TrainingRefusal("NAME_ONE", "Name a location or a provider, not both.", "location")
    if given.location_id is not None:
        await found(work, TenantLocation, given.location_id, "location", "location")
    if given.cqc_provider_id is not None and await work.session.get(CqcProvider, given.cqc_provider_id) is None:
        raise TrainingRefusal("NO_SUCH_PROVIDER", "There is no such provider. Choose one from the list.", "provider")
    await found(work, PartnerOrganisation, given.owner_organisation_id, "partner organisation", "ownerOrganisation")
    plan = ActionPlan(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        title=words(given.title, "title", "a title"),
        tenant_location_id=given.location_id,
        cqc_provider_id=given.cqc_provider_id,
        owner_organisation_id=given.owner_organisation_id,
        due_on=given.due_on,
        status="open",
        version=1,
        created_at=work.now,
    )
    work.add(plan)
    after = told(plan, "kind", "title", "tenant_location_id", "cqc_provider_id", "due_on", "status")
    work.record(Action.PLAN_CREATED, "action_plan", plan.id, after=after)
    announce(work, EventType.ACTION_PLAN_CHANGED, f"ActionPlan:{plan.id}")
    return plan.id


async def change_plan(
    work: UnitOfWork, plan_id: UUID, *, version: int, status: str | None = None, due_on: date | None = None
) -> None:
    """Give a plan another state or day.

    Raises TrainingRefusal `NO_SUCH_ACTION_PLAN`, `CHANGED_MEANWHILE`, `UNKNOWN_CHOICE` or `ACTIONS_OPEN`.
    """
    plan = await found(work, ActionPlan, plan_id, "action plan", lock=True)
    same_version(plan.version, version, "plan")
    before = told(plan, "status", "due_on")
    if status is not None:
        chosen(status, PLAN_STATES, "status")
        unfinished = select(PlanAction.id).where(
            PlanAction.plan_id == plan_id, PlanAction.status.not_in(("done", "withdrawn"))
        )
        if status == "completed" and (await work.session.scalars(unfinished.limit(1))).first() is not None:
            message = "Some actions of the plan are still open. Finish or withdraw them first."
            raise TrainingRefusal("ACTIONS_OPEN", message, "status")
        plan.status = status
    plan.due_on = due_on or plan.due_on
    plan.version += 1
    work.record(Action.PLAN_CHANGED, "action_plan", plan_id, before=before, after=told(plan, "status", "due_on"))
    announce(work, EventType.ACTION_PLAN_CHANGED, f"ActionPlan:{plan_id}")


async def add_action(work: UnitOfWork, plan_id: UUID, given: ActionGiven) -> UUID:
    """Put a step into a plan that is open.

    Raises TrainingRefusal `NO_SUCH_ACTION_PLAN`, `PLAN_CLOSED`, `NO_SUCH_COURSE`, `NO_SUCH_SESSION`, `TEXT_MISSING`.
    """
    plan = await found(work, ActionPlan, plan_id, "action plan", "plan", lock=True)
    if plan.status != "open":
        raise TrainingRefusal("PLAN_CLOSED", "The plan is closed. Open it again before you add to it.", "plan")
    if given.course_id is not None:
        await found(work, Course, given.course_id, "course", "course")
    if given.session_id is not None:
        await found(work, TrainingSession, given.session_id, "session", "session")
    action = PlanAction(
        tenant_id=work.tenant_id,
        id=new_id(),
        plan_id=plan_id,
        title=words(given.title, "title", "what is to be done", 500),
        owner=words(given.owner, "owner", "who is to do it", 200),
        due_on=given.due_on,
        course_id=given.course_id,
        session_id=given.session_id,
        status="open",
        evidence=None,
        version=1,
        created_at=work.now,
    )
    work.add(action)
    after = told(action, "plan_id", "course_id", "session_id", "due_on")
    work.record(Action.PLAN_ACTION_ADDED, "plan_action", action.id, after=after)
    announce(work, EventType.ACTION_PLAN_CHANGED, f"ActionPlan:{plan_id}")
    return action.id


async def change_action(
    work: UnitOfWork,
    action_id: UUID,
    *,
    version: int,
    status: str | None = None,
    evidence: str | None = None,
    owner: str | None = None,
    due_on: date | None = None,
) -> None:
    """Change a step; it is done by evidence.

    Raises TrainingRefusal `NO_SUCH_PLAN_ACTION`, `CHANGED_MEANWHILE`, `UNKNOWN_CHOICE` or `EVIDENCE_MISSING`.
    """
    action = await found(work, PlanAction, action_id, "plan action", lock=True)
    same_version(action.version, version, "action")
    before = told(action, "status", "due_on")
    action.evidence = optional_words(evidence, "evidence", "the evidence") or action.evidence
    if owner is not None:
        action.owner = words(owner, "owner", "who is to do it", 200)
    action.due_on = due_on or action.due_on
    if status is not None:
        action.status = chosen(status, ITEM_STATES, "status")
    if action.status == "done" and action.evidence is None:
        raise TrainingRefusal("EVIDENCE_MISSING", "Say what shows that it was done.", "evidence")
    action.version += 1
    after = told(action, "status", "due_on") | {"evidence": action.evidence is not None}
    work.record(Action.PLAN_ACTION_CHANGED, "plan_action", action_id, before=before, after=after)
    announce(work, EventType.ACTION_PLAN_CHANGED, f"ActionPlan:{action.plan_id}")


async def save_objective(
    work: UnitOfWork,
    title: str,
    *,
    details: str | None = None,
    status: str = "current",
    objective_id: UUID | None = None,
    version: int = 0,
) -> UUID:
    """A strategic objective, new or changed.

    Raises TrainingRefusal `TEXT_MISSING`, `UNKNOWN_CHOICE`, `NAME_TAKEN`, `NO_SUCH_OBJECTIVE`, `CHANGED_MEANWHILE`.
    """
    title = words(title, "title", "what is striven for")
    chosen(status, ("current", "past"), "status")
    same = (await work.session.scalars(select(StrategicObjective.id).where(StrategicObjective.title == title))).first()
    if same is not None and same != objective_id:
        raise TrainingRefusal("NAME_TAKEN", "There is an objective of that title already. Choose it.", "title")
    if objective_id is None:
        objective = StrategicObjective(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now)
        work.add(objective)
    else:
        objective = await found(work, StrategicObjective, objective_id, "objective", lock=True)
        same_version(objective.version, version, "objective")
    objective.title, objective.status = title, status
    objective.details = optional_words(details, "details", "the details", 5000)
    objective.version += 1
    work.record(Action.OBJECTIVE_SAVED, "strategic_objective", objective.id, after=told(objective, "title", "status"))
    return objective.id


@dataclass(frozen=True, slots=True)
class Tagged:
    """What serves an objective: exactly one of them."""

    programme_id: UUID | None = None
    course_id: UUID | None = None
    plan_id: UUID | None = None


async def tag(work: UnitOfWork, objective_id: UUID, tagged: Tagged) -> UUID:
    """Say that something serves an objective.

    Raises TrainingRefusal `NO_SUCH_OBJECTIVE`, `NAME_ONE`, `NO_SUCH_…` or `TAGGED_ALREADY`.
    """
    await found(work, StrategicObjective, objective_id, "objective", "objective", lock=True)
    named = {"programme": tagged.programme_id, "course": tagged.course_id, "plan": tagged.plan_id}
    name = exactly_one(named, "Name one programme, course or plan.")
    models = {"programme": (Programme, "programme"), "course": (Course, "course"), "plan": (ActionPlan, "action plan")}
    model, what = models[name]
    tagged_id = named[name]
    assert tagged_id is not None
    await found(work, model, tagged_id, what, name)
    column = getattr(ObjectiveTag, f"{name}_id")
    same = select(ObjectiveTag.id).where(ObjectiveTag.objective_id == objective_id, column == tagged_id)
    if (await work.session.scalars(same)).first() is not None:
        raise TrainingRefusal("TAGGED_ALREADY", f"The {name} has this objective already.", name)
    row = ObjectiveTag(tenant_id=work.tenant_id, id=new_id(), objective_id=objective_id, **{f"{name}_id": tagged_id})
    work.add(row)
    after = {"tag": str(row.id), f"{name}_id": str(tagged_id)}
    work.record(Action.OBJECTIVE_TAGGED, "strategic_objective", objective_id, after=after)
    return row.id


async def untag(work: UnitOfWork, tag_id: UUID) -> UUID:
    """Take an objective from something; the objective's id. Raises TrainingRefusal `NO_SUCH_OBJECTIVE_TAG`."""
    row = await found(work, ObjectiveTag, tag_id, "objective tag", lock=True)
    await work.session.delete(row)
    before = told(row, "programme_id", "course_id", "plan_id")
    work.record(Action.OBJECTIVE_UNTAGGED, "strategic_objective", row.objective_id, before=before)
    return row.objective_id


async def add_recognition(work: UnitOfWork, award: str, body: str, awarded_on: date, url: str | None = None) -> UUID:
    """Log an award. Raises TrainingRefusal `TEXT_MISSING`, `ADDRESS` or `LOGGED_ALREADY`."""
    award, body = words(award, "award", "the award"), words(body, "body", "who gave it")
    if url and not url.startswith(("https://", "http://")):
        raise TrainingRefusal("ADDRESS", "The address begins with https://.", "url")
    same = select(Recognition.id).where(
        Recognition.award == award, Recognition.body == body, Recognition.awarded_on == awarded_on
    )
    if (await work.session.scalars(same)).first() is not None:
        raise TrainingRefusal("LOGGED_ALREADY", "This award is in the log already.", "award")
    row = Recognition(
        tenant_id=work.tenant_id,
        id=new_id(),
        award=award,
        body=body,
        awarded_on=awarded_on,
        url=url or None,
        created_at=work.now,
    )
    work.add(row)
    work.record(Action.RECOGNITION_ADDED, "recognition", row.id, after=told(row, "award", "body", "awarded_on"))
    return row.id
