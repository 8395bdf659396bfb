"""Licence pools: added and changed, who has a seat and who waits, enrolling learners and releasing seats."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.governance_words import BEYOND, SEAT_STATES
from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.reports import Field, Search, ShortForm, report
from app.console.review_queue import FOUND, search_learners
from app.console.stream_pages import BACK, HOME, may_spend
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import (
    Invalid,
    asked_page,
    chosen_word,
    decimal,
    key,
    needed_day,
    needed_key,
    number,
    problem_of,
    typed,
    version_of,
)
from app.console.training_words import learner_name
from app.directory.models import Learner
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.funding import costs, operations
from app.training.funding.models import HELD, FundingStream, LicenceEnrolment, LicencePool
from app.training.models import Course

POOLS = f"{HOME}/pools"
FIELDS = ("name", "course", "seats", "beyond", "stream", "cost_per_seat", "starts_on", "ends_on")
PAGE = 50


async def pool(request: Request) -> Response:
    """One pool: what is left of it, who has a seat and who waits."""
    return await _pool_page(request, 200, [])


async def _pool(request: Request) -> tuple[LicencePool, str, FundingStream | None]:
    """The pool with its course's title and the stream that pays."""
    found = (
        select(LicencePool, Course.title, FundingStream)
        .join(Course, and_(Course.tenant_id == LicencePool.tenant_id, Course.id == LicencePool.course_id))
        .outerjoin(
            FundingStream,
            and_(FundingStream.tenant_id == LicencePool.tenant_id, FundingStream.id == LicencePool.stream_id),
        )
        .where(LicencePool.id == request.path_params["pool_id"])
    )
    async with tenant_reads(request) as session:
        row = (await session.execute(found)).first()
    if row is None:
        raise HTTPException(404)
    return row[0], row[1], row[2]


async def _pool_page(request: Request, status: int, problems: list[Problem]) -> Response:
    row, course, stream = await _pool(request)
    async with tenant_reads(request) as session:
        account = next(one for one in await costs.pool_accounts(session) if one.pool_id == row.id)
    path, writes = f"{POOLS}/{row.id}", may_spend(request)
    actions = [Link("Change it", f"{path}/change")]
    if _sees_names(request):
        actions.insert(0, Link("Enrol a learner", f"{path}/enrol"))
    shown, pages = asked_page(request), []
    if shown > 1:
        pages.append(Link("Earlier in the list", f"{path}?page={shown - 1}"))
    if shown * PAGE < account.charged + account.waiting:
        pages.append(Link("Further in the list", f"{path}?page={shown + 1}"))
    return report(
        request,
        row.name,
        status=status,
        problems=problems,
        caption="Licence pool",
        back=BACK,
        facts=[
            ("Seats left", f"{account.free:,} of {account.seats:,}"),
            ("Waiting", account.waiting),
            ("Course", course),
            ("Paid by", Link(stream.name, f"{HOME}/streams/{stream.id}") if stream else "Not written down"),
            ("Pounds for one seat", "Not known" if row.cost_per_seat is None else f"{row.cost_per_seat:,}"),
            ("Runs", f"{row.starts_on:%-d %B %Y} to {row.ends_on:%-d %B %Y}"),
            ("When all seats are taken", BEYOND[row.beyond]),
        ],
        actions=actions if writes else [],
        tables=[await _held(request, row)],
        pages=pages,
    )


def _enrolments(row: LicencePool) -> Any:
    """Enrolments of a pool, each with the learner's name: those who wait first, then in the order of asking."""
    return (
        select(LicenceEnrolment, Learner.display_name)
        .join(
            Learner,
            and_(Learner.tenant_id == LicenceEnrolment.tenant_id, Learner.id == LicenceEnrolment.learner_id),
        )
        .where(LicenceEnrolment.pool_id == row.id)
        .order_by(LicenceEnrolment.state.desc(), LicenceEnrolment.number)
    )


async def _held(request: Request, row: LicencePool) -> Table:
    """A page of those who wait or have a seat."""
    first, path, principal = (asked_page(request) - 1) * PAGE, f"{POOLS}/{row.id}", principal_here(request)
    listed = _enrolments(row).where(LicenceEnrolment.state.in_(HELD)).offset(first).limit(PAGE)
    async with tenant_reads(request) as session:
        found = [(one, learner_name(principal, name, one.learner_id)) for one, name in await session.execute(listed)]
    return Table(
        "Who waits, and who has a seat",
        ("Learner", "State", "Asked", "Given"),
        [(name, SEAT_STATES[one.state], one.enrolled_at, one.charged_at) for one, name in found],
        f"{path}/seats.csv",
        nothing="Nobody has a seat yet.",
        does="Release" if may_spend(request) else "",
        buttons=[Button(f"{path}/seats/{one.id}/release", name) for one, name in found],
    )


async def pool_file(request: Request) -> Response:
    """All enrolments of a pool as a CSV, also those whose seat was released."""
    row, *_ = await _pool(request)
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        found = (await session.execute(_enrolments(row))).all()
    table = Table(
        "Seats",
        ("Number", "Learner", "State", "Asked", "Given", "Released"),
        [
            (
                one.number,
                learner_name(principal, name, one.learner_id),
                SEAT_STATES[one.state],
                one.enrolled_at,
                one.charged_at,
                one.released_at,
            )
            for one, name in found
        ],
        "",
    )
    return csv_of("seats.csv", table)


def _sees_names(request: Request) -> bool:
    return principal_here(request).may(Permission.PEOPLE_READ)


async def pool_add(request: Request) -> Response:
    """Add a licence pool."""
    if request.method == "GET":
        return await _form_page(request, None, 200, [], {})
    form = await form_of(request)
    try:
        given = _given(form, needed_key(form, "course", "the course whose seats they are"))
        async with tenant_work(request) as work:
            pool_id = await operations.save_pool(work, given)
    except (TrainingRefusal, Invalid) as error:
        return await _form_page(request, None, 422, [problem_of(error, FIELDS)], typed(form, FIELDS))
    return redirect(f"{POOLS}/{pool_id}", done="pool-saved")


async def pool_change(request: Request) -> Response:
    """Change a licence pool; its course stays."""
    row, *_ = await _pool(request)
    if request.method == "GET":
        kept = {name: getattr(row, name) for name in FIELDS if name not in ("course", "stream")}
        values = {name: "" if value is None else str(value) for name, value in kept.items()}
        return await _form_page(request, row, 200, [], values | {"stream": str(row.stream_id or "")})
    form = await form_of(request)
    try:
        given = _given(form, row.course_id)
        async with tenant_work(request) as work:
            await operations.save_pool(work, given, pool_id=row.id, version=version_of(form))
    except (TrainingRefusal, Invalid) as error:
        return await _form_page(request, row, 422, [problem_of(error, FIELDS)], typed(form, FIELDS))
    return redirect(f"{POOLS}/{row.id}", done="pool-saved")


def _given(form: Form, course_id: UUID) -> operations.PoolGiven:
    seats = number(form, "seats")
    if seats is None:
        raise Invalid("seats", "Enter how many seats were bought.")
    return operations.PoolGiven(
        form.text("name"),
        course_id,
        seats,
        chosen_word(form, "beyond", BEYOND, "what happens when all seats are taken"),
        needed_day(form, "starts_on", "the first day"),
        needed_day(form, "ends_on", "the last day"),
        key(form, "stream"),
        decimal(form, "cost_per_seat"),
    )


async def _form_page(
    request: Request, row: LicencePool | None, status: int, problems: list[Problem], values: dict[str, Any]
) -> Response:
    async with tenant_reads(request) as session:
        listed = await session.execute(select(FundingStream.id, FundingStream.name).order_by(FundingStream.name))
        streams = [(one.id, one.name) for one in listed]
    fields = [
        Field("text", "name", "Name"),
        Field("text", "seats", "Seats", "A whole number."),
        Field("one", "beyond", "When all seats are taken", options=list(BEYOND.items())),
        Field("date", "starts_on", "First day"),
        Field("date", "ends_on", "Last day"),
        Field("choice", "stream", "Funding stream that pays (optional)", options=streams, any="None"),
        Field("text", "cost_per_seat", "Pounds for one seat (optional)", "0 if it is free; empty if it is not known."),
    ]
    if row is None:
        fields.insert(1, Field("choice", "course", "Course", options=await courses_in_use(request)))
    return report(
        request,
        "Add a licence pool" if row is None else "Change the licence pool",
        status=status,
        problems=problems,
        values=values,
        caption="" if row is None else row.name,
        back=BACK if row is None else Link("Back to the pool", f"{POOLS}/{row.id}"),
        forms=[
            ShortForm(f"{POOLS}/add", "Save", fields)
            if row is None
            else ShortForm(f"{POOLS}/{row.id}/change", "Save", fields, version=row.version)
        ],
    )


async def pool_enrol(request: Request) -> Response:
    """Find a learner by name and give them a seat, or let them wait for one."""
    row, *_ = await _pool(request)
    if request.method == "GET":
        return await _enrol_page(request, row, 200, [], "")
    form = await form_of(request)
    try:
        learner_id = needed_key(form, "learner", "the learner")
        async with tenant_work(request) as work:
            await operations.enrol(work, row.id, learner_id)
    except (TrainingRefusal, Invalid) as error:
        return await _enrol_page(request, row, 422, [problem_of(error, ("learner",))], form.text("learner"))
    return redirect(f"{POOLS}/{row.id}", done="seat-asked")


async def _enrol_page(
    request: Request, row: LicencePool, status: int, problems: list[Problem], chosen: str
) -> Response:
    words = " ".join(request.query_params.get("name", "").split())[:100]
    async with tenant_reads(request) as session:
        people = await search_learners(session, words) if words else []
    path = f"{POOLS}/{row.id}/enrol"
    learner = Field(
        "one",
        "learner",
        "Learner",
        f"At most {FOUND} are shown. Type more of the name if yours is missing.",
        [(one.id, one.name) for one in people],
        more={one.id: ", ".join(one.employers) for one in people},
    )
    form = ShortForm(f"{path}?{urlencode({'name': words})}", "Enrol", [learner])
    return report(
        request,
        "Enrol a learner",
        status=status,
        problems=problems,
        values={"learner": chosen},
        caption=row.name,
        back=Link("Back to the pool", f"{POOLS}/{row.id}"),
        search=Search(
            path,
            "name",
            "Name of the learner",
            words,
            "" if people or not words else "Nobody is found by that. Try a part of the name.",
        ),
        forms=[form] if people else [],
    )


async def seat_release(request: Request) -> Response:
    """Free a seat, or stop waiting."""
    row, *_ = await _pool(request)
    enrolment_id = request.path_params["enrolment_id"]
    async with tenant_reads(request) as session:
        ours = select(LicenceEnrolment.id).where(
            LicenceEnrolment.id == enrolment_id, LicenceEnrolment.pool_id == row.id
        )
        if (await session.scalars(ours)).first() is None:
            raise HTTPException(404)
    try:
        async with tenant_work(request) as work:
            await operations.release(work, enrolment_id)
    except TrainingRefusal as refusal:
        return await _pool_page(request, 422, [problem_of(refusal, ())])
    return redirect(f"{POOLS}/{row.id}", done="seat-released")


_READ, _WRITE = Permission.FINANCE_READ, Permission.FINANCE_WRITE
_POOL = "/costs/pools/{pool_id:uuid}"

ROUTES = [
    page("/costs/pools/add", pool_add, needs=_WRITE, methods=("GET", "POST")),
    page(_POOL, pool, needs=_READ),
    page(f"{_POOL}/seats.csv", pool_file, needs=_READ),
    page(f"{_POOL}/change", pool_change, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_POOL}/enrol", pool_enrol, needs=_WRITE, also=Permission.PEOPLE_READ, methods=("GET", "POST")),
    page(f"{_POOL}/seats/{{enrolment_id:uuid}}/release", seat_release, needs=_WRITE, methods=("POST",)),
]
