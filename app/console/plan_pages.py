"""Action plans with their actions."""

from typing import Any

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use, locations
from app.console.governance_pages import BACK, HOME, may_govern, organisations, sees_names, today_of
from app.console.governance_words import ITEM_STATES, PLAN_KINDS, PLAN_STATES
from app.console.pages import Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, key, needed_day, needed_key, problem, typed
from app.directory.models import CqcLocation, CqcProvider, TenantLocation
from app.governance import plans as operations
from app.governance.models import ActionPlan, PartnerOrganisation, PlanAction
from app.governance.rules import overdue
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import Course, TrainingSession

PLANS = f"{HOME}/plans"
FIELDS = (
    *("kind", "title", "owner_organisation", "due_on", "location", "owner", "course", "session", "action"),
    *("status", "evidence"),
)


async def plans(request: Request) -> Response:
    """All plans, those that are due first."""
    return await _plans_page(request, 200, [], {})


async def plans_file(request: Request) -> Response:
    """The plans as a CSV."""
    return csv_of("plans.csv", await _plans(request))


async def _plans(request: Request) -> Table:
    done = func.count(PlanAction.id).filter(PlanAction.status == "done")
    listed = (
        select(
            ActionPlan, PartnerOrganisation.name, CqcLocation.name, CqcProvider.name, func.count(PlanAction.id), done
        )
        .join(
            PartnerOrganisation,
            and_(
                PartnerOrganisation.tenant_id == ActionPlan.tenant_id,
                PartnerOrganisation.id == ActionPlan.owner_organisation_id,
            ),
        )
        .outerjoin(
            TenantLocation,
            and_(TenantLocation.tenant_id == ActionPlan.tenant_id, TenantLocation.id == ActionPlan.tenant_location_id),
        )
        .outerjoin(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(CqcProvider, CqcProvider.id == ActionPlan.cqc_provider_id)
        .outerjoin(PlanAction, and_(PlanAction.tenant_id == ActionPlan.tenant_id, PlanAction.plan_id == ActionPlan.id))
        .group_by(ActionPlan.tenant_id, ActionPlan.id, PartnerOrganisation.name, CqcLocation.name, CqcProvider.name)
        .order_by(ActionPlan.status != "open", ActionPlan.due_on, ActionPlan.id)
        .limit(1000)
    )
    today = today_of(request)
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Plans, those that are due first",
        ("Plan", "Kind", "For", "Organisation", "Due", "Actions done", "State"),
        [
            (
                Link(plan.title, f"{PLANS}/{plan.id}"),
                PLAN_KINDS[plan.kind],
                location or provider or "Everybody",
                organisation,
                plan.due_on,
                f"{finished} of {count}",
                "Overdue" if overdue(plan.due_on, plan.status, today) else PLAN_STATES[plan.status],
            )
            for plan, organisation, location, provider, count, finished in rows
        ],
        f"{PLANS}/all.csv",
    )


async def _plans_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    forms = []
    if may_govern(request):
        fields = [
            Field("text", "title", "Title"),
            Field("choice", "kind", "Kind", options=list(PLAN_KINDS.items())),
            Field("choice", "location", "Location (optional)", options=await locations(request), any="Everybody"),
            Field("choice", "owner_organisation", "Organisation that owns it", options=await organisations(request)),
            Field("date", "due_on", "Due on"),
        ]
        forms = [ShortForm(f"{PLANS}/add", "Begin the plan", fields, "Begin a plan")]
    return report(
        request,
        "Action plans",
        status=status,
        problems=problems,
        values=values,
        back=BACK,
        tables=[await _plans(request)],
        forms=forms,
    )


async def plan_add(request: Request) -> Response:
    """Begin a plan."""
    form = await form_of(request)
    try:
        given = operations.PlanGiven(
            form.text("kind"),
            form.text("title"),
            needed_key(form, "owner_organisation", "the organisation that owns it"),
            needed_day(form, "due_on", "the day by which it is to be done"),
            key(form, "location"),
        )
        async with tenant_work(request) as work:
            plan_id = await operations.create_plan(work, given)
    except TrainingRefusal as refusal:
        return await _plans_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _plans_page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(f"{PLANS}/{plan_id}", done="plan-added")


async def plan(request: Request) -> Response:
    """One plan with its actions."""
    return await _plan_page(request, 200, [], {})


async def plan_file(request: Request) -> Response:
    """The actions of a plan as a CSV."""
    _, actions = await _plan(request)
    return csv_of("actions.csv", _actions(request, actions))


async def _plan(request: Request) -> tuple[ActionPlan, list[Any]]:
    plan_id = request.path_params["plan_id"]
    listed = (
        select(PlanAction, Course.title, TrainingSession.title)
        .outerjoin(Course, and_(Course.tenant_id == PlanAction.tenant_id, Course.id == PlanAction.course_id))
        .outerjoin(
            TrainingSession,
            and_(TrainingSession.tenant_id == PlanAction.tenant_id, TrainingSession.id == PlanAction.session_id),
        )
        .where(PlanAction.plan_id == plan_id)
        .order_by(PlanAction.due_on, PlanAction.id)
    )
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(ActionPlan).where(ActionPlan.id == plan_id))).first()
        if row is None:
            raise HTTPException(404)
        return row, list((await session.execute(listed)).all())


def _actions(request: Request, actions: list[Any]) -> Table:
    today, names = today_of(request), sees_names(request)
    return Table(
        "Actions",
        ("What", "Cites", "Owner", "Due", "State", "Evidence"),
        [
            (
                action.title,
                [text for text in (course, session) if text],
                action.owner if names else None,
                action.due_on,
                "Overdue" if overdue(action.due_on, action.status, today) else ITEM_STATES[action.status],
                action.evidence,
            )
            for action, course, session in actions
        ],
        f"{PLANS}/{request.path_params['plan_id']}/actions.csv",
    )


async def _plan_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    row, actions = await _plan(request)
    forms = []
    if may_govern(request) and row.status == "open":
        courses = await courses_in_use(request)
        add = [
            Field("text", "title", "What is to be done"),
            Field("text", "owner", "Who is to do it"),
            Field("date", "due_on", "Due on"),
            Field("choice", "course", "Course that it cites (optional)", options=courses, any="None"),
        ]
        forms = [ShortForm(f"{PLANS}/{row.id}/add", "Add", add, "Add an action")]
        unfinished = [(action.id, action.title) for action, _, _ in actions if action.status in ("open", "in_progress")]
        finish = [
            Field("choice", "action", "Action", options=unfinished),
            Field("long", "evidence", "What shows that it was done"),
        ]
        if unfinished:
            forms.append(ShortForm(f"{PLANS}/{row.id}/done", "It is done", finish, "Finish an action", second=True))
    return report(
        request,
        row.title,
        status=status,
        problems=problems,
        values=values,
        caption=PLAN_KINDS[row.kind],
        back=Link("Back to action plans", PLANS),
        facts=[("State", PLAN_STATES[row.status]), ("Due", row.due_on)],
        tables=[_actions(request, actions)],
        forms=forms,
    )


async def plan_action_add(request: Request) -> Response:
    """Put an action into a plan."""
    form = await form_of(request)
    row, _ = await _plan(request)
    try:
        given = operations.ActionGiven(
            form.text("title"),
            form.text("owner"),
            needed_day(form, "due_on", "the day by which it is to be done"),
            key(form, "course"),
        )
        async with tenant_work(request) as work:
            await operations.add_action(work, row.id, given)
    except TrainingRefusal as refusal:
        return await _plan_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _plan_page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(f"{PLANS}/{row.id}", done="action-added")


async def plan_action_done(request: Request) -> Response:
    """Finish an action by evidence."""
    form = await form_of(request)
    row, actions = await _plan(request)
    try:
        action_id = needed_key(form, "action", "the action that is done")
        action = next((action for action, _, _ in actions if action.id == action_id), None)
        if action is None:
            raise Invalid("action", "Choose one from the list.")
        async with tenant_work(request) as work:
            evidence = form.text("evidence")
            await operations.change_action(work, action_id, version=action.version, status="done", evidence=evidence)
    except TrainingRefusal as refusal:
        return await _plan_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _plan_page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(f"{PLANS}/{row.id}", done="action-changed")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE

ROUTES = [
    page("/governance/plans", plans, needs=_READ),
    page("/governance/plans/all.csv", plans_file, needs=_READ),
    page("/governance/plans/add", plan_add, needs=_WRITE, methods=("POST",)),
    page("/governance/plans/{plan_id:uuid}", plan, needs=_READ),
    page("/governance/plans/{plan_id:uuid}/actions.csv", plan_file, needs=_READ),
    page("/governance/plans/{plan_id:uuid}/add", plan_action_add, needs=_WRITE, methods=("POST",)),
    page("/governance/plans/{plan_id:uuid}/done", plan_action_done, needs=_WRITE, methods=("POST",)),
]
