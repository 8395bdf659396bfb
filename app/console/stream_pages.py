"""Funding streams and the rates of staff: added and changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import courses_in_use
from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.session_words import PROFESSIONS
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    SETTINGS,
    Invalid,
    chosen_word,
    keys,
    needed_day,
    needed_decimal,
    problem_of,
    typed,
    version_of,
)
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.funding import operations
from app.training.funding.models import FundedCourse, FundingStream, LicencePool, StaffRate
from app.training.models import Course

HOME = "/console/costs"
BACK = Link("Back to costs", HOME)
STREAMS, RATES = f"{HOME}/streams", f"{HOME}/rates"
FIELDS = ("name", "funder", "amount", "starts_on", "ends_on", "courses", "eligible_settings")
RATE_FIELDS = ("profession", "hourly_rate", "valid_from")


def may_spend(request: Request) -> bool:
    """Whether the person may change what money is written down."""
    return principal_here(request).may(Permission.FINANCE_WRITE)


async def stream(request: Request) -> Response:
    """One funding stream: for whom it is, and which pools it pays for."""
    row, courses = await _stream(request)
    return report(
        request,
        row.name,
        caption="Funding stream",
        back=BACK,
        facts=[
            ("Funder", row.funder),
            ("Amount", f"£{row.amount:,}"),
            ("From", row.starts_on),
            ("To", row.ends_on),
            ("For courses", [title for _, title in courses] or "All courses"),
            ("For staff of", [SETTINGS[one] for one in row.eligible_settings] or "All settings"),
        ],
        actions=[Link("Change it", f"{STREAMS}/{row.id}/change")] if may_spend(request) else [],
        tables=[await _pools(request, row)],
    )


async def stream_file(request: Request) -> Response:
    """The pools that a stream pays for as a CSV."""
    row, _ = await _stream(request)
    return csv_of("pools.csv", await _pools(request, row))


async def _pools(request: Request, row: FundingStream) -> Table:
    listed = select(LicencePool).where(LicencePool.stream_id == row.id).order_by(LicencePool.name)
    async with tenant_reads(request) as session:
        paid = [
            (Link(pool.name, f"{HOME}/pools/{pool.id}"), pool.seats, pool.cost_per_seat, pool.starts_on, pool.ends_on)
            for pool in await session.scalars(listed)
        ]
    return Table(
        "Licence pools that it pays for",
        ("Pool", "Seats", "Pounds for one", "From", "To"),
        paid,
        f"{STREAMS}/{row.id}/pools.csv",
        (1, 2),
        "It pays for no pool yet.",
    )


async def _stream(request: Request) -> tuple[FundingStream, list[tuple[UUID, str]]]:
    stream_id = request.path_params["stream_id"]
    paid = (
        select(Course.id, Course.title)
        .join(FundedCourse, and_(FundedCourse.tenant_id == Course.tenant_id, FundedCourse.course_id == Course.id))
        .where(FundedCourse.stream_id == stream_id)
        .order_by(Course.title_key, Course.id)
    )
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(FundingStream).where(FundingStream.id == stream_id))).first()
        if row is None:
            raise HTTPException(404)
        return row, [(one.id, one.title) for one in await session.execute(paid)]


async def stream_add(request: Request) -> Response:
    """Add a funding stream."""
    if request.method == "GET":
        return await _form_page(request, None, 200, [], {}, [])
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            stream_id = await operations.save_stream(work, _given(form))
    except (TrainingRefusal, Invalid) as error:
        return await _form_page(request, None, 422, [problem_of(error, FIELDS)], _typed(form), [])
    return redirect(f"{STREAMS}/{stream_id}", done="stream-saved")


async def stream_change(request: Request) -> Response:
    """Change a funding stream."""
    row, courses = await _stream(request)
    if request.method == "GET":
        values: dict[str, Any] = {name: str(getattr(row, name)) for name in FIELDS[:5]}
        values |= {"courses": [str(one) for one, _ in courses], "eligible_settings": row.eligible_settings}
        return await _form_page(request, row, 200, [], values, courses)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await operations.save_stream(work, _given(form), stream_id=row.id, version=version_of(form))
    except (TrainingRefusal, Invalid) as error:
        return await _form_page(request, row, 422, [problem_of(error, FIELDS)], _typed(form), courses)
    return redirect(f"{STREAMS}/{row.id}", done="stream-saved")


def _given(form: Form) -> operations.StreamGiven:
    return operations.StreamGiven(
        form.text("name"),
        form.text("funder"),
        needed_decimal(form, "amount", "the amount in pounds"),
        needed_day(form, "starts_on", "the first day"),
        needed_day(form, "ends_on", "the last day"),
        keys(form, "courses"),
        form.texts("eligible_settings"),
    )


def _typed(form: Form) -> dict[str, Any]:
    return typed(form, FIELDS) | {name: form.texts(name) for name in ("courses", "eligible_settings")}


async def _form_page(
    request: Request,
    row: FundingStream | None,
    status: int,
    problems: list[Problem],
    values: dict[str, Any],
    paid: list[tuple[UUID, str]],
) -> Response:
    offered = await courses_in_use(request)
    # A course that went out of use stays paid for until somebody takes it out.
    offered += [one for one in paid if one[0] not in dict(offered)]
    fields = [
        Field("text", "name", "Name"),
        Field("text", "funder", "Who gives the money"),
        Field("text", "amount", "Amount in pounds", "Such as 25000 or 1250.50."),
        Field("date", "starts_on", "First day"),
        Field("date", "ends_on", "Last day"),
        Field("many", "eligible_settings", "For staff of", "Tick none if it is for all.", list(SETTINGS.items())),
        Field("many", "courses", "For courses", "Tick none if it is for all.", offered),
    ]
    path = f"{STREAMS}/add" if row is None else f"{STREAMS}/{row.id}/change"
    return report(
        request,
        "Add a funding stream" if row is None else "Change the funding stream",
        status=status,
        problems=problems,
        values=values,
        caption="" if row is None else row.name,
        back=BACK if row is None else Link("Back to the stream", f"{STREAMS}/{row.id}"),
        forms=[ShortForm(path, "Save", fields, version=None if row is None else row.version)],
    )


async def rates(request: Request) -> Response:
    """What an hour of each profession costs, and a form to set it."""
    return await _rates_page(request, 200, [], {})


async def rates_file(request: Request) -> Response:
    """The rates as a CSV."""
    return csv_of("rates.csv", await _rates(request))


async def _rates(request: Request) -> Table:
    listed = select(StaffRate).order_by(StaffRate.profession, StaffRate.valid_from.desc())
    async with tenant_reads(request) as session:
        rows = [
            (PROFESSIONS[row.profession], row.valid_from, f"{row.hourly_rate:,}")
            for row in await session.scalars(listed)
        ]
    return Table(
        "Rates, the newest first",
        ("Profession", "From", "Pounds for an hour"),
        rows,
        f"{RATES}/all.csv",
        (2,),
        "No rate is set yet, so the cost of sessions is not known.",
    )


async def _rates_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    fields = [
        Field("choice", "profession", "Profession", options=list(PROFESSIONS.items())),
        Field("text", "hourly_rate", "Pounds for an hour", "Such as 38.40."),
        Field("date", "valid_from", "From", "Told again for the same day, the later rate holds."),
    ]
    return report(
        request,
        "Rates of staff",
        status=status,
        problems=problems,
        values=values,
        back=BACK,
        intro=["A session is costed by the rate that held on its day."],
        tables=[await _rates(request)],
        forms=[ShortForm(f"{RATES}/set", "Set the rate", fields, "Set a rate")] if may_spend(request) else [],
    )


async def rate_set(request: Request) -> Response:
    """Set what an hour of a profession costs from a day on."""
    form = await form_of(request)
    try:
        profession = chosen_word(form, "profession", PROFESSIONS, "a profession")
        hourly = needed_decimal(form, "hourly_rate", "what an hour costs in pounds")
        valid_from = needed_day(form, "valid_from", "the day from which it counts")
        async with tenant_work(request) as work:
            await operations.set_rate(work, profession, hourly, valid_from)
    except (TrainingRefusal, Invalid) as error:
        return await _rates_page(request, 422, [problem_of(error, RATE_FIELDS)], typed(form, RATE_FIELDS))
    return redirect(RATES, done="rate-set")


_READ, _WRITE = Permission.FINANCE_READ, Permission.FINANCE_WRITE
_STREAM = "/costs/streams/{stream_id:uuid}"

ROUTES = [
    page("/costs/streams/add", stream_add, needs=_WRITE, methods=("GET", "POST")),
    page(_STREAM, stream, needs=_READ),
    page(f"{_STREAM}/pools.csv", stream_file, needs=_READ),
    page(f"{_STREAM}/change", stream_change, needs=_WRITE, methods=("GET", "POST")),
    page("/costs/rates", rates, needs=_READ),
    page("/costs/rates/all.csv", rates_file, needs=_READ),
    page("/costs/rates/set", rate_set, needs=_WRITE, methods=("POST",)),
]
