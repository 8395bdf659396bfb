"""Gaps: opened with an owner and a day, listed, given to others, closed by evidence."""

from typing import Any

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.mapping_matrix import course_name, named_courses
from app.console.pages import Form, Problem, form_of, page, redirect, render, services_of, tenant_reads, tenant_work
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    GAP_KINDS,
    Invalid,
    asked_word,
    key,
    may_write,
    needed_day,
    needed_key,
    problem,
    version_of,
)
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping import gaps as operations
from app.training.mapping.models import MappingExercise, MappingGap, Topic
from app.training.models import Course, TrainingSession
from tenants.clock import london_date

STATES = {"open": "Open", "closed": "Closed"}
FIELDS = ("exercise", "kind", "title", "owner", "due_on", "topic", "course", "session", "decision")


async def gaps(request: Request) -> Response:
    """The gaps, those that are due first."""
    return render(
        request,
        "gaps.jinja",
        table=await _gaps(request),
        states=STATES,
        kinds=GAP_KINDS,
        state=asked_word(request, "state", STATES),
        kind=asked_word(request, "kind", GAP_KINDS),
        writes=may_write(request),
    )


async def gaps_file(request: Request) -> Response:
    """The gaps as a CSV."""
    return csv_of("gaps.csv", await _gaps(request))


async def _gaps(request: Request) -> Table:
    state, kind = asked_word(request, "state", STATES), asked_word(request, "kind", GAP_KINDS)
    listed = (
        select(MappingGap, Topic.code)
        .outerjoin(Topic, and_(Topic.tenant_id == MappingGap.tenant_id, Topic.id == MappingGap.topic_id))
        .order_by(MappingGap.status.desc(), MappingGap.due_on, MappingGap.id)
    )
    if state:
        listed = listed.where(MappingGap.status == state)
    if kind:
        listed = listed.where(MappingGap.kind == kind)
    today = london_date(services_of(request).clock())
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Gaps, those that are due first",
        ("What is missing", "Kind", "Topic", "Owner", "Due", "State"),
        [
            (
                Link(gap.title, f"/console/gaps/{gap.id}"),
                GAP_KINDS[gap.kind],
                code,
                gap.owner,
                gap.due_on,
                "Overdue" if gap.status == "open" and gap.due_on < today else STATES[gap.status],
            )
            for gap, code in rows
        ],
        "/console/gaps/all.csv",
        nothing="There are no such gaps.",
    )


async def gap_open(request: Request) -> Response:
    """Write a gap down."""
    if request.method == "GET":
        return await _form_page(request, 200, [], {"exercise": request.query_params.get("exercise", "")})
    form = await form_of(request)
    try:
        exercise_id = needed_key(form, "exercise", "the exercise that showed it")
        gap = operations.NewGap(
            form.text("kind"),
            form.text("title"),
            form.text("owner"),
            needed_day(form, "due_on", "the day by which it shall be closed"),
            key(form, "topic"),
            key(form, "course"),
        )
        async with tenant_work(request) as work:
            gap_id = await operations.open_gap(work, exercise_id, gap)
    except TrainingRefusal as refusal:
        return await _form_page(request, 422, [problem(refusal, FIELDS)], _typed(form))
    except Invalid as invalid:
        return await _form_page(request, 422, [invalid.problem], _typed(form))
    return redirect(f"/console/gaps/{gap_id}", done="gap-opened")


def _typed(form: Form) -> dict[str, Any]:
    return {name: form.text(name) for name in FIELDS if name in form.fields}


async def _form_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    return render(
        request,
        "gap_open.jinja",
        status=status,
        problems=problems,
        values=values,
        kinds=GAP_KINDS,
        **await _lists(request),
    )


async def _lists(request: Request) -> dict[str, Any]:
    async with tenant_reads(request) as session:
        exercises = await session.scalars(select(MappingExercise).order_by(MappingExercise.exercised_on.desc()))
        topics = await session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
        courses = await session.execute(named_courses().where(Course.status == "active"))
        sessions = await session.scalars(
            select(TrainingSession).order_by(TrainingSession.starts_at.desc(), TrainingSession.id).limit(200)
        )
        return {
            "exercises": [(row.id, f"{row.name}, version {row.edition}") for row in exercises],
            "topics": [(row.id, f"{row.code}: {row.title}") for row in topics],
            "courses": [(course.id, course_name(course, provider)) for course, provider in courses],
            "sessions": [(row.id, f"{row.title}, {row.starts_at:%-d %B %Y}") for row in sessions],
        }


async def gap(request: Request) -> Response:
    """One gap, and what closes it."""
    return await _page(request, 200, [])


async def gap_change(request: Request) -> Response:
    """Give it another owner or day."""
    form = await form_of(request)

    async def change(work: Any, gap_id: Any) -> None:
        due = needed_day(form, "due_on", "the day by which it shall be closed")
        await operations.change_gap(work, gap_id, version=version_of(form), owner=form.text("owner"), due_on=due)

    return await _done(request, form, change, "gap-changed")


async def gap_close(request: Request) -> Response:
    """Close it by evidence."""
    form = await form_of(request)

    async def change(work: Any, gap_id: Any) -> None:
        evidence = operations.Evidence(key(form, "course"), key(form, "session"), form.text("decision"))
        await operations.close_gap(work, gap_id, version=version_of(form), evidence=evidence)

    return await _done(request, form, change, "gap-closed")


async def _done(request: Request, form: Form, change: Any, done: str) -> Response:
    gap_id = request.path_params["gap_id"]
    async with tenant_reads(request) as session:
        if (await session.scalars(select(MappingGap.id).where(MappingGap.id == gap_id))).first() is None:
            raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await change(work, gap_id)
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, FIELDS)], _typed(form))
    except Invalid as invalid:
        return await _page(request, 422, [invalid.problem], _typed(form))
    return redirect(f"/console/gaps/{gap_id}", done=done)


async def _page(
    request: Request, status: int, problems: list[Problem], values: dict[str, Any] | None = None
) -> Response:
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(MappingGap).where(MappingGap.id == request.path_params["gap_id"]))).first()
        if row is None:
            raise HTTPException(404)
    lists = await _lists(request)
    return render(
        request,
        "gap.jinja",
        status=status,
        problems=problems,
        values={"owner": row.owner, "due_on": row.due_on.isoformat()} | (values or {}),
        gap=row,
        kinds=GAP_KINDS,
        states=STATES,
        names={str(row_id): text for listed in lists.values() for row_id, text in listed},
        writes=may_write(request) and row.status == "open",
        **lists,
    )


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/gaps", gaps, needs=_READ),
    page("/gaps/all.csv", gaps_file, needs=_READ),
    page("/gaps/open", gap_open, needs=_WRITE, methods=("GET", "POST")),
    page("/gaps/{gap_id:uuid}", gap, needs=_READ),
    page("/gaps/{gap_id:uuid}/change", gap_change, needs=_WRITE, methods=("POST",)),
    page("/gaps/{gap_id:uuid}/close", gap_close, needs=_WRITE, methods=("POST",)),
]
