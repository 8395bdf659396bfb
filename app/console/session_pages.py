"""Sessions: what is planned, planning, publishing, moving, cancelling, and series of them."""

from dataclasses import replace
from datetime import time
from typing import Any

from sqlalchemy import func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.booking_pages import session_page
from app.console.pages import Form, Problem, form_of, page, redirect, render, services_of, tenant_reads, tenant_work
from app.console.session_forms import (
    FIELDS,
    details_of,
    lists,
    local,
    moment,
    needed_moment,
    parts_of,
    values_of,
)
from app.console.session_words import KINDS, ONLINE_MODES, STATES
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, asked_word, may_write, needed_day, number, problem, typed, version_of
from app.identity.permissions import Permission
from app.training.booking.models import Booking, PlaceReserve, SessionPlaces
from app.training.errors import TrainingRefusal
from app.training.mapping.outlines import outlines
from app.training.models import Attendance, TrainingSession
from app.training.sessions import operations, series
from app.training.sessions.details import Reserved

WHENS = {"coming": "Coming", "past": "Past"}
SERIES_FIELDS = (*FIELDS, "rrule", "first_day", "local_time", "minutes", "until")
SHOWN = 300


async def sessions(request: Request) -> Response:
    """Sessions to come, the next first, or those that were, the latest first."""
    when = asked_word(request, "when", WHENS) or "coming"
    return render(
        request,
        "sessions.jinja",
        table=await _sessions(request, when),
        whens=WHENS,
        when=when,
        kind=asked_word(request, "kind", KINDS),
        kinds=KINDS,
        writes=may_write(request),
    )


async def sessions_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("sessions.csv", await _sessions(request, asked_word(request, "when", WHENS) or "coming"))


async def _sessions(request: Request, when: str) -> Table:
    now, kind = services_of(request).clock(), asked_word(request, "kind", KINDS)
    counted = (
        select(
            Booking.session_id,
            func.count().filter(Booking.state == "confirmed").label("confirmed"),
            func.count().filter(Booking.state == "waiting").label("waiting"),
        )
        .group_by(Booking.session_id)
        .subquery()
    )
    attended = (
        select(Attendance.session_id, func.count().filter(Attendance.qualifies).label("attended"))
        .group_by(Attendance.session_id)
        .subquery()
    )
    listed = (
        select(TrainingSession, SessionPlaces.capacity, counted.c.confirmed, counted.c.waiting, attended.c.attended)
        .outerjoin(
            SessionPlaces,
            (SessionPlaces.tenant_id == TrainingSession.tenant_id) & (SessionPlaces.session_id == TrainingSession.id),
        )
        .outerjoin(counted, counted.c.session_id == TrainingSession.id)
        .outerjoin(attended, attended.c.session_id == TrainingSession.id)
        .limit(SHOWN)
    )
    if when == "coming":
        listed = listed.where(TrainingSession.ends_at >= now).order_by(TrainingSession.starts_at, TrainingSession.id)
    else:
        listed = listed.where(TrainingSession.ends_at < now).order_by(
            TrainingSession.starts_at.desc(), TrainingSession.id
        )
    if kind:
        listed = listed.where(TrainingSession.kind == kind)
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        f"Sessions, {WHENS[when].lower()}",
        ("Session", "Begins", "How", "State", "Places", "Confirmed", "Waiting", "Attended"),
        [
            (
                Link(row.title, f"/console/sessions/{row.id}"),
                row.starts_at,
                ONLINE_MODES[row.online_mode],
                STATES[row.state],
                capacity,
                confirmed if capacity else None,
                waiting if capacity else None,
                there,
            )
            for row, capacity, confirmed, waiting, there in rows
        ],
        "/console/sessions/all.csv",
        numeric=(4, 5, 6, 7),
        nothing="There are no such sessions.",
    )


async def session_add(request: Request) -> Response:
    """Plan a session."""
    if request.method == "GET":
        return await _form(request, 200, [], await _begun(request))
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            session_id = await operations.create_session(work, details_of(form))
    except (TrainingRefusal, Invalid) as error:
        return await _form(request, 422, [_problem(error)], _typed(form, (*FIELDS, "minutes")))
    return redirect(f"/console/sessions/{session_id}", done="session-planned")


async def _begun(request: Request) -> dict[str, Any]:
    """What the form begins with: an outline's, where the address names one."""
    values = {"kind": "training", "online_mode": "webinar", "waiting_list": "promote"}
    asked = request.query_params.get("outline")
    if asked is None:
        return values
    async with tenant_reads(request) as session:
        outline = next((one for one in await outlines(session) if one.key == asked), None)
    if outline is None:
        raise HTTPException(404)
    named = {name: getattr(outline, name) for name in ("title", "kind", "online_mode", "minutes")}
    return values | named | {"tier": outline.tier_id}


async def session_outlines(request: Request) -> Response:
    """Sessions that other tenants give, to plan one's own from."""
    return render(request, "session_outlines.jinja", table=await _outlines(request, may_write(request)))


async def session_outlines_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("outlines.csv", await _outlines(request, False))


async def _outlines(request: Request, writes: bool) -> Table:
    async with tenant_reads(request) as session:
        listed = await outlines(session)
    return Table(
        "Outlines of sessions",
        ("Session", "Tier", "Programme", "From", "Kind", "How people join", "Minutes", "Given so often"),
        [
            (
                Link(one.title, f"/console/sessions/add?outline={one.key}") if writes else one.title,
                one.tier,
                one.programme,
                one.publisher,
                KINDS[one.kind],
                ONLINE_MODES[one.online_mode],
                one.minutes,
                one.sessions,
            )
            for one in listed
        ],
        "/console/sessions/outlines.csv",
        numeric=(6, 7),
        nothing="None of your programmes came with outlines. Build one from a template that has some.",
    )


async def session_change(request: Request) -> Response:
    """Change a session, but not its times."""
    row, places, agenda, chosen = await _session(request)
    if request.method == "GET":
        return await _form(request, 200, [], values_of(row, places, agenda, chosen), row)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            kept = await work.session.scalars(select(PlaceReserve).where(PlaceReserve.session_id == row.id))
            reserves = tuple(
                Reserved(one.kind, one.value, one.places, one.until) for one in kept if one.until > work.now
            )
            details = replace(details_of(form, reserves), starts_at=row.starts_at, ends_at=row.ends_at)
            await operations.change_session(work, row.id, version_of(form), details)
    except (TrainingRefusal, Invalid) as error:
        return await _form(request, 422, [_problem(error)], _typed(form), row)
    return redirect(f"/console/sessions/{row.id}", done="session-changed")


async def session_publish(request: Request) -> Response:
    """Let people book."""
    form = await form_of(request)
    return await _done(
        request, lambda work, key: operations.publish_session(work, key, version_of(form)), "session-published"
    )


async def session_cancel(request: Request) -> Response:
    """Cancel a session and its bookings."""
    form = await form_of(request)
    return await _done(
        request,
        lambda work, key: operations.cancel_session(work, key, version_of(form), form.text("reason")),
        "session-cancelled",
    )


async def session_move(request: Request) -> Response:
    """Move a session; everybody is asked again."""
    row, *_ = await _session(request)
    values = {"starts_at": local(row.starts_at), "ends_at": local(row.ends_at)}
    values["second_part_at"] = local(row.second_part_at)
    if request.method == "GET":
        return render(request, "session_move.jinja", values=values, row=row)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await operations.move_session(
                work,
                row.id,
                version_of(form),
                needed_moment(form, "starts_at", "when it begins"),
                needed_moment(form, "ends_at", "when it ends"),
                moment(form, "second_part_at"),
            )
    except (TrainingRefusal, Invalid) as error:
        shown = values | {name: form.text(name) for name in values}
        return render(
            request, "session_move.jinja", status=422, problems=[_problem(error, values)], values=shown, row=row
        )
    return redirect(f"/console/sessions/{row.id}", done="session-moved")


async def session_groups(request: Request) -> Response:
    """Put people into groups."""
    form = await form_of(request)
    return await _done(
        request, lambda work, key: operations.allocate_groups(work, key, number(form, "size") or 0), "session-grouped"
    )


async def series_add(request: Request) -> Response:
    """Plan a series with its sessions."""
    if request.method == "GET":
        values = {"kind": "training", "online_mode": "webinar", "waiting_list": "promote"}
        values |= {"rrule": "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU", "local_time": "14:00", "minutes": "90"}
        return await _form(request, 200, [], values, series=True)
    form = await form_of(request)
    try:
        first, until = needed_day(form, "first_day", "the first day"), needed_day(form, "until", "the last day")
        try:
            at = time.fromisoformat(form.text("local_time"))
        except ValueError as error:
            raise Invalid("local_time", "Enter a time of day, such as 14:00.") from error
        recurrence = series.Recurrence(form.text("rrule"), first, at, number(form, "minutes") or 0)
        timed = Form({**form.fields, "starts_at": [f"{first} {at:%H:%M}"], "ends_at": [f"{first} 23:59"]})
        async with tenant_work(request) as work:
            await series.create_series(work, details_of(timed), recurrence, until)
    except (TrainingRefusal, Invalid) as error:
        return await _form(request, 422, [_problem(error, SERIES_FIELDS)], _typed(form, SERIES_FIELDS), series=True)
    return redirect("/console/sessions", done="series-planned")


async def _session(request: Request) -> tuple[TrainingSession, Any, Any, Any]:
    async with tenant_reads(request) as session:
        session_id = request.path_params["session_id"]
        row = (await session.scalars(select(TrainingSession).where(TrainingSession.id == session_id))).first()
        if row is None:
            raise HTTPException(404)
        return row, *await parts_of(session, session_id)


async def _form(
    request: Request,
    status: int,
    problems: list[Problem],
    values: dict[str, Any],
    row: TrainingSession | None = None,
    *,
    series: bool = False,
) -> Response:
    return render(
        request,
        "session_form.jinja",
        status=status,
        problems=problems,
        values=values,
        row=row,
        series=series,
        **await lists(request),
    )


async def _done(request: Request, change: Any, done: str) -> Response:
    row, *_ = await _session(request)
    try:
        async with tenant_work(request) as work:
            await change(work, row.id)
    except (TrainingRefusal, Invalid) as error:
        return await session_page(request, 422, [_problem(error, ("reason", "size"))])
    return redirect(f"/console/sessions/{row.id}", done=done)


def _problem(error: TrainingRefusal | Invalid, fields: Any = FIELDS) -> Problem:
    return error.problem if isinstance(error, Invalid) else problem(error, fields)


def _typed(form: Form, names: Any = FIELDS) -> dict[str, Any]:
    return typed(form, names) | {name: form.texts(name) for name in ("facilitators", "topics", "guidance")}


_ID = "/sessions/{session_id:uuid}"
_WRITE = Permission.TRAINING_WRITE

ROUTES = [
    page("/sessions", sessions, needs=Permission.TRAINING_READ),
    page("/sessions/all.csv", sessions_file, needs=Permission.TRAINING_READ),
    page("/sessions/outlines", session_outlines, needs=Permission.TRAINING_READ),
    page("/sessions/outlines.csv", session_outlines_file, needs=Permission.TRAINING_READ),
    page("/sessions/add", session_add, needs=_WRITE, methods=("GET", "POST")),
    page("/sessions/series", series_add, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_ID}/change", session_change, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_ID}/move", session_move, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_ID}/publish", session_publish, needs=_WRITE, methods=("POST",)),
    page(f"{_ID}/cancel", session_cancel, needs=_WRITE, methods=("POST",)),
    page(f"{_ID}/groups", session_groups, needs=_WRITE, methods=("POST",)),
]
