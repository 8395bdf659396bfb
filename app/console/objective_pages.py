"""Strategic objectives: what each is, what serves it, and tags; recognitions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.governance_pages import BACK, HOME, may_govern
from app.console.governance_words import OBJECTIVE_STATES, SERVING
from app.console.pages import Form, Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import Invalid, chosen_word, key, needed_day, problem_of, typed, version_of
from app.governance import plans, reports
from app.governance.models import ActionPlan, ObjectiveTag, Recognition, StrategicObjective
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import Programme

OBJECTIVES = f"{HOME}/objectives"
FIELDS = ("title", "details", "status")
TAGS = ("programme", "course", "plan")
AWARD_FIELDS = ("award", "body", "awarded_on", "url")
BACK_TO_ALL = Link("Back to objectives", OBJECTIVES)


async def objectives(request: Request) -> Response:
    """Strategic objectives with what serves them, and recognitions."""
    actions = [Link("Add an objective", f"{OBJECTIVES}/add"), Link("Add a recognition", f"{HOME}/recognitions/add")]
    return report(
        request,
        "Strategic objectives and recognitions",
        back=BACK,
        intro=["Open an objective to say which programmes, courses and plans serve it."],
        actions=actions if may_govern(request) else [],
        tables=(await _lists(request)).values(),
    )


async def objectives_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    return one_file(request, await _lists(request))


async def _lists(request: Request) -> dict[str, Table]:
    rows: list[tuple[Any, ...]] = []
    async with tenant_reads(request) as session:
        listed = select(StrategicObjective).order_by(StrategicObjective.status, StrategicObjective.title)
        for one in list(await session.scalars(listed)):
            served = await _served(session, one)
            named = Link(one.title, f"{OBJECTIVES}/{one.id}")
            rows += [(named, OBJECTIVE_STATES[one.status], *_told(row)) for row in served] or [
                (named, OBJECTIVE_STATES[one.status], None, "Nothing yet", None, None)
            ]
        awards = await session.scalars(select(Recognition).order_by(Recognition.awarded_on.desc(), Recognition.id))
        recognised = [(row.awarded_on, row.award, row.body, row.url and Link(row.url, row.url)) for row in awards]
    return {
        "activity": Table(
            "What serves each objective",
            ("Objective", "State", "Kind", "What", "Done or met", "Of"),
            rows,
            f"{OBJECTIVES}/activity.csv",
            (4, 5),
            "There is no objective yet. Add what the system strives for.",
        ),
        "recognitions": Table(
            "Recognitions",
            ("Day", "Award", "Given by", "Read more"),
            recognised,
            f"{OBJECTIVES}/recognitions.csv",
            nothing="No award has been written down yet.",
        ),
    }


async def _served(session: AsyncSession, one: StrategicObjective) -> list[Any]:
    """What serves an objective: tag_id, kind, title, subject, total, done."""
    served = reports.activity_of(literal(one.tenant_id, Uuid()), literal(one.id, Uuid()))
    return list((await session.execute(served)).all())


def _told(row: Any) -> tuple[Any, ...]:
    return (SERVING[row.kind], row.title, row.done, row.total)


async def objective(request: Request) -> Response:
    """One objective with what serves it."""
    return await _objective_page(request, 200, [], {})


async def objective_file(request: Request) -> Response:
    """What serves an objective as a CSV."""
    row, served = await _objective(request)
    return csv_of("activity.csv", _activity(row, served, writes=False))


async def _objective(request: Request) -> tuple[StrategicObjective, list[Any]]:
    async with tenant_reads(request) as session:
        found = select(StrategicObjective).where(StrategicObjective.id == request.path_params["objective_id"])
        row = (await session.scalars(found)).first()
        if row is None:
            raise HTTPException(404)
        return row, await _served(session, row)


def _activity(row: StrategicObjective, served: list[Any], *, writes: bool) -> Table:
    path = f"{OBJECTIVES}/{row.id}"
    tags = [one.tag_id.partition(":")[2] for one in served]
    return Table(
        "What serves it",
        ("Kind", "What", "Done or met", "Of"),
        [_told(one) for one in served],
        f"{path}/activity.csv",
        (2, 3),
        "Nothing serves it yet. Choose a programme, a course or a plan below.",
        "Take off" if writes else "",
        [Button(f"{path}/tags/{tag}/remove", one.title) for tag, one in zip(tags, served, strict=True)],
    )


async def _objective_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    row, served = await _objective(request)
    writes = may_govern(request)
    forms = []
    if writes:
        tag = [
            Field("choice", name, f"{SERVING[name]} that serves it", options=options, any="None")
            for name, options in (await _taggable(request)).items()
        ]
        forms = [ShortForm(f"{OBJECTIVES}/{row.id}/tags", "Add", tag, "Add something that serves it")]
    return report(
        request,
        row.title,
        status=status,
        problems=problems,
        values=values,
        caption="Strategic objective",
        back=BACK_TO_ALL,
        intro=[
            "Of a programme: tiers that people in post need, and those met. Of a course: people who began it, and who "
            "completed it. Of a plan: its actions, and those done."
        ],
        facts=[("State", OBJECTIVE_STATES[row.status]), ("Details", row.details)],
        actions=[Link("Change or retire it", f"{OBJECTIVES}/{row.id}/change")] if writes else [],
        tables=[_activity(row, served, writes=writes)],
        forms=forms,
    )


async def _taggable(request: Request) -> dict[str, list[tuple[UUID, str]]]:
    """What may serve an objective, by kind."""
    programmes = select(Programme.id, Programme.name).order_by(Programme.name, Programme.id)
    planned = select(ActionPlan.id, ActionPlan.title).where(ActionPlan.status == "open")
    async with tenant_reads(request) as session:
        return {
            "programme": [(row[0], row[1]) for row in await session.execute(programmes)],
            "course": await courses_in_use(request),
            "plan": [
                (row[0], row[1]) for row in await session.execute(planned.order_by(ActionPlan.title, ActionPlan.id))
            ],
        }


async def objective_tag(request: Request) -> Response:
    """Say that something serves the objective."""
    form = await form_of(request)
    row, _ = await _objective(request)
    try:
        tagged = plans.Tagged(*(key(form, name) for name in TAGS))
        async with tenant_work(request) as work:
            await plans.tag(work, row.id, tagged)
    except (TrainingRefusal, Invalid) as error:
        return await _objective_page(request, 422, [problem_of(error, TAGS)], typed(form, TAGS))
    return redirect(f"{OBJECTIVES}/{row.id}", done="objective-tagged")


async def objective_untag(request: Request) -> Response:
    """Say that something does not serve the objective any more."""
    row, _ = await _objective(request)
    tag_id = request.path_params["tag_id"]
    async with tenant_reads(request) as session:
        ours = select(ObjectiveTag.id).where(ObjectiveTag.id == tag_id, ObjectiveTag.objective_id == row.id)
        if (await session.scalars(ours)).first() is None:
            raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await plans.untag(work, tag_id)
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"{OBJECTIVES}/{row.id}", done="objective-untagged")


async def objective_add(request: Request) -> Response:
    """Add an objective."""
    if request.method == "GET":
        return _add_page(request, 200, [], {})
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            objective_id = await plans.save_objective(work, form.text("title"), details=form.text("details"))
    except TrainingRefusal as refusal:
        return _add_page(request, 422, [problem_of(refusal, FIELDS)], typed(form, FIELDS))
    return redirect(f"{OBJECTIVES}/{objective_id}", done="objective-saved")


_FIELDS = [
    Field("text", "title", "What is striven for", "Such as: a skilled workforce."),
    Field("long", "details", "Details (optional)"),
]


def _add_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    return report(
        request,
        "Add an objective",
        status=status,
        problems=problems,
        values=values,
        back=BACK_TO_ALL,
        forms=[ShortForm(f"{OBJECTIVES}/add", "Save", _FIELDS)],
    )


async def objective_change(request: Request) -> Response:
    """Change an objective, or retire it."""
    row, _ = await _objective(request)
    if request.method == "GET":
        return _change_page(request, row, 200, [], None)
    form = await form_of(request)
    try:
        status = chosen_word(form, "status", OBJECTIVE_STATES, "the state")
        async with tenant_work(request) as work:
            await plans.save_objective(
                work,
                form.text("title"),
                details=form.text("details"),
                status=status,
                objective_id=row.id,
                version=version_of(form),
            )
    except (TrainingRefusal, Invalid) as error:
        return _change_page(request, row, 422, [problem_of(error, FIELDS)], form)
    return redirect(f"{OBJECTIVES}/{row.id}", done="objective-saved")


def _change_page(
    request: Request, row: StrategicObjective, status: int, problems: list[Problem], form: Form | None
) -> Response:
    now = {"title": row.title, "details": row.details or "", "status": row.status}
    state = Field(
        "one",
        "status",
        "State",
        options=list(OBJECTIVE_STATES.items()),
        more={"past": "It is retired: it stays in the list with what served it."},
    )
    return report(
        request,
        "Change the objective",
        status=status,
        problems=problems,
        values=now if form is None else typed(form, FIELDS),
        caption=row.title,
        back=Link("Back to the objective", f"{OBJECTIVES}/{row.id}"),
        forms=[ShortForm(f"{OBJECTIVES}/{row.id}/change", "Save", [*_FIELDS, state], version=row.version)],
    )


async def recognition_add(request: Request) -> Response:
    """Write an award down."""
    if request.method == "GET":
        return _award_page(request, 200, [], {})
    form = await form_of(request)
    try:
        awarded_on = needed_day(form, "awarded_on", "the day on which it was given")
        async with tenant_work(request) as work:
            await plans.add_recognition(work, form.text("award"), form.text("body"), awarded_on, form.text("url"))
    except (TrainingRefusal, Invalid) as error:
        return _award_page(request, 422, [problem_of(error, AWARD_FIELDS)], typed(form, AWARD_FIELDS))
    return redirect(OBJECTIVES, done="recognition-added")


def _award_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    fields = [
        Field("text", "award", "Award"),
        Field("text", "body", "Who gave it"),
        Field("date", "awarded_on", "Given on"),
        Field("text", "url", "Address to read more (optional)", "It begins with https://."),
    ]
    return report(
        request,
        "Add a recognition",
        status=status,
        problems=problems,
        values=values,
        back=BACK_TO_ALL,
        intro=["An award or another public recognition of the programme."],
        forms=[ShortForm(f"{HOME}/recognitions/add", "Save", fields)],
    )


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE
_ID = "/governance/objectives/{objective_id:uuid}"

ROUTES = [
    page("/governance/objectives", objectives, needs=_READ),
    page("/governance/objectives/add", objective_add, needs=_WRITE, methods=("GET", "POST")),
    page(_ID, objective, needs=_READ),
    page(f"{_ID}/activity.csv", objective_file, needs=_READ),
    page(f"{_ID}/change", objective_change, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_ID}/tags", objective_tag, needs=_WRITE, methods=("POST",)),
    page(f"{_ID}/tags/{{tag_id:uuid}}/remove", objective_untag, needs=_WRITE, methods=("POST",)),
    page("/governance/recognitions/add", recognition_add, needs=_WRITE, methods=("GET", "POST")),
    page("/governance/objectives/{table}.csv", objectives_file, needs=_READ),
]
