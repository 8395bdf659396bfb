"""My locations: what a provider manager sees of the own group, and books for its staff. Nothing of another group."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.console.reports import Field, ShortForm, report
from app.console.session_words import BOOKING_STATES
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import SETTINGS, Invalid, needed_key, problem
from app.governance import group
from app.identity.permissions import Permission
from app.reporting.words import STANDING
from app.training.booking import operations
from app.training.booking.models import LIVE
from app.training.booking.placing import Request as BookingRequest
from app.training.errors import TrainingRefusal
from app.training.requirements.programmes import visible_programmes
from tenants.clock import LONDON, london_date
from tenants.session import UnitOfWork

HOME = "/console/my-locations"
BACK = Link("Back to my locations", HOME)


def _today(request: Request) -> date:
    return london_date(services_of(request).clock())


def _reading(request: Request, reads: Any) -> UnitOfWork:
    context = principal_here(request).tenant_context(request_id=request.state.request_id, read_only=True)
    return UnitOfWork(reads, context, services_of(request).clock)


async def _places(request: Request, reads: Any) -> list[group.Place]:
    return await group.places(reads, principal_here(request).id)


async def my_locations(request: Request) -> Response:
    """The locations of the own group."""
    return report(
        request,
        "My locations",
        intro=["The locations of your group. You see who works there now, and what they learned while they did."],
        actions=[
            Link("Book your staff", f"{HOME}/book"),
            Link("Bookings", f"{HOME}/bookings"),
            Link("Evidence packs", f"{HOME}/reports"),
            Link("ASC-WDS training file", f"{HOME}/asc-wds"),
            Link("LDSS deadlines", f"{HOME}/ldss"),
        ],
        tables=[await _locations(request)],
    )


async def my_locations_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("my-locations.csv", await _locations(request))


async def _locations(request: Request) -> Table:
    async with tenant_reads(request) as reads:
        places = await _places(request, reads)
        working = await group.colleagues(reads, group.employers_of(places), _today(request))
    rows = [
        (
            Link(place.name, f"{HOME}/{place.id}"),
            SETTINGS.get(place.setting or "", "Not known"),
            len({person.learner_id for person in working if person.employer_id in place.employers}),
        )
        for place in places
    ]
    nothing = "Your group has no locations yet. Ask the programme’s team to add them."
    return Table("Locations of my group", ("Location", "Setting", "People now"), rows, f"{HOME}/all.csv", (2,), nothing)


async def my_location(request: Request) -> Response:
    """One location: who works there now, and the programmes that are for it."""
    async with tenant_reads(request) as reads:
        place = await _place(request, reads)
        programmes = await visible_programmes(_reading(request, reads), place.id)
    return report(
        request,
        place.name,
        caption="My locations",
        back=BACK,
        facts=[("Setting", SETTINGS.get(place.setting or "", "Not known"))],
        actions=[Link("Book your staff", f"{HOME}/book")],
        tables=[
            await _staff(request),
            Table(
                "Programmes for this location",
                ("Programme",),
                [(row.name,) for row in programmes],
                f"{HOME}/{place.id}/programmes.csv",
            ),
        ],
    )


async def my_location_staff_file(request: Request) -> Response:
    """Who works there, as a CSV."""
    return csv_of("staff.csv", await _staff(request))


async def my_location_programmes_file(request: Request) -> Response:
    """The programmes for a location, as a CSV."""
    async with tenant_reads(request) as reads:
        place = await _place(request, reads)
        programmes = await visible_programmes(_reading(request, reads), place.id)
    rows = [(row.name,) for row in programmes]
    return csv_of("programmes.csv", Table("Programmes for this location", ("Programme",), rows, ""))


async def _place(request: Request, reads: Any) -> group.Place:
    for place in await _places(request, reads):
        if place.id == request.path_params["location_id"]:
            return place
    raise HTTPException(404)


async def _staff(request: Request) -> Table:
    async with tenant_reads(request) as reads:
        place = await _place(request, reads)
        people = await group.colleagues(reads, place.employers, _today(request))
        wanting = {}
        for person in people:
            needs = await group.standing_of(reads, person.learner_id, [person.employer_id])
            wanting[person] = sum(need.state in ("missing", "expired") for need in needs)
    rows = [
        (
            Link(person.name, f"{HOME}/people/{person.learner_id}"),
            person.job_title,
            person.since,
            wanting[person] or "Nothing",
        )
        for person in people
    ]
    headings = ("Name", "Job title", "Since", "Still to learn")
    return Table("People who work there now", headings, rows, f"{HOME}/{place.id}/staff.csv")


async def my_person(request: Request) -> Response:
    """Somebody of the staff: standing, and what they learned while they worked for the group."""
    async with tenant_reads(request) as reads:
        places, person = await _person(request, reads)
    return report(
        request,
        person.name,
        caption="My locations",
        back=BACK,
        facts=[("Works for", person.employer), ("Since", person.since)],
        intro=["What somebody learned before they came to you, or elsewhere meanwhile, is not shown in the history."],
        tables=await _record(request, places),
    )


async def my_person_file(request: Request) -> Response:
    """Standing and history as a CSV each."""
    async with tenant_reads(request) as reads:
        places, _ = await _person(request, reads)
    standing, history = await _record(request, places)
    return (
        csv_of("standing.csv", standing)
        if request.url.path.endswith("standing.csv")
        else csv_of("history.csv", history)
    )


async def _person(request: Request, reads: Any) -> tuple[list[group.Place], group.Colleague]:
    places = await _places(request, reads)
    for person in await group.colleagues(reads, group.employers_of(places), _today(request)):
        if person.learner_id == request.path_params["learner_id"]:
            return places, person
    raise HTTPException(404)


async def _record(request: Request, places: Sequence[group.Place]) -> list[Table]:
    learner_id, employers = request.path_params["learner_id"], group.employers_of(places)
    async with tenant_reads(request) as reads:
        needs = await group.standing_of(reads, learner_id, employers)
        history = await group.history_of(reads, learner_id, employers)
    path = f"{HOME}/people/{learner_id}"
    standing = [(row.need, row.employer, STANDING[row.state], row.valid_until) for row in needs]
    learned = [(row.on, row.what, row.kind) for row in history]
    return [
        Table("Where they stand", ("Needs", "At", "State", "Valid until"), standing, f"{path}/standing.csv"),
        Table("Learned while working for you", ("Day", "What", "Kind"), learned, f"{path}/history.csv"),
    ]


async def my_bookings(request: Request) -> Response:
    """Bookings of the group's staff for sessions to come."""
    return await _bookings_page(request, 200, [])


async def _bookings_page(request: Request, status: int, problems: list[Problem]) -> Response:
    booked = await _booked(request)
    live = [row for row in booked if row.state in LIVE]
    async with tenant_reads(request) as reads:
        places = await _places(request, reads)
        people = await group.colleagues(reads, group.employers_of(places), _today(request))
    named = [(row.id, f"{row.name}, {row.session}, {_when(row.starts_at)}") for row in live]
    which = Field("choice", "booking", "Booking", options=named)
    forms = [
        ShortForm(f"{HOME}/bookings/cancel", "Cancel the booking", [which], "Cancel a booking", second=True),
        ShortForm(
            f"{HOME}/bookings/swap",
            "Let the colleague come",
            [
                Field("choice", "booking_to_swap", "Booking", options=named),
                Field(
                    "choice",
                    "colleague",
                    "Who comes instead",
                    "Somebody who works for the same employer.",
                    list(dict.fromkeys((person.learner_id, f"{person.name}, {person.employer}") for person in people)),
                ),
            ],
            "Send a colleague instead",
            second=True,
        ),
    ]
    return report(
        request,
        "Bookings of my staff",
        status=status,
        problems=problems,
        back=BACK,
        actions=[Link("Book your staff", f"{HOME}/book")],
        tables=[_bookings(booked)],
        forms=forms if live else [],
    )


async def my_bookings_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("bookings.csv", _bookings(await _booked(request)))


async def _booked(request: Request) -> list[group.Booked]:
    async with tenant_reads(request) as reads:
        places = await _places(request, reads)
        return await group.bookings_of(reads, group.employers_of(places), services_of(request).clock())


def _bookings(booked: Sequence[group.Booked]) -> Table:
    rows = [(row.starts_at, row.session, row.name, row.employer, BOOKING_STATES[row.state]) for row in booked]
    headings = ("When", "Session", "Who", "Employer", "State")
    return Table("Bookings for sessions to come", headings, rows, f"{HOME}/bookings/all.csv")


async def my_booking_cancel(request: Request) -> Response:
    """Cancel a booking of the own staff."""
    form = await form_of(request)
    try:
        booking_id = needed_key(form, "booking", "the booking")
        async with tenant_work(request) as work:
            own = group.employers_of(await _places(request, work.session))
            await group.own_booking(work, booking_id, own)
            await operations.cancel(work, booking_id, "cancelled by the manager")
    except (TrainingRefusal, Invalid) as error:
        return await _bookings_page(request, 422, [_problem(error, "booking")])
    return redirect(f"{HOME}/bookings", done="group-cancelled")


async def my_booking_swap(request: Request) -> Response:
    """Let a colleague of the same employer come instead."""
    form = await form_of(request)
    try:
        booking_id = needed_key(form, "booking_to_swap", "the booking")
        learner_id = needed_key(form, "colleague", "who comes instead")
        async with tenant_work(request) as work:
            own = group.employers_of(await _places(request, work.session))
            await group.own_booking(work, booking_id, own)
            await operations.swap(work, booking_id, learner_id)
    except (TrainingRefusal, Invalid) as error:
        return await _bookings_page(request, 422, [_problem(error, "colleague")])
    return redirect(f"{HOME}/bookings", done="group-swapped")


async def my_book(request: Request) -> Response:
    """Book the own staff for a session."""
    if request.method == "GET":
        return await _book_page(request, 200, [], {})
    form = await form_of(request)
    try:
        session_id = needed_key(form, "session", "the session")
        chosen = _people(form)
        async with tenant_work(request) as work:
            places = await _places(request, work.session)
            if session_id not in {row.id for row in await group.open_sessions(work, places)}:
                raise TrainingRefusal("NO_SUCH_SESSION", "Choose a session from the list.", "session")
            today = london_date(work.now)
            by_employer: dict[Any, list[Any]] = {}
            for person in await group.colleagues(work.session, group.employers_of(places), today):
                if str(person.learner_id) in chosen and not any(person.learner_id in x for x in by_employer.values()):
                    by_employer.setdefault(person.employer_id, []).append(person.learner_id)
            if sum(map(len, by_employer.values())) != len(chosen):
                raise TrainingRefusal("NOT_YOUR_STAFF", "Choose people who work for you today.", "people")
            for employer_id, learners in by_employer.items():
                await operations.book(work, BookingRequest(session_id, tuple(learners), "manager", employer_id))
    except (TrainingRefusal, Invalid) as error:
        typed = {"session": form.text("session"), "people": form.texts("people")}
        return await _book_page(request, 422, [_problem(error, "people")], typed)
    return redirect(f"{HOME}/bookings", done="group-booked")


def _people(form: Form) -> set[str]:
    chosen = set(form.texts("people"))
    if not chosen:
        raise Invalid("people", "Choose at least one person.")
    return chosen


async def _book_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    async with tenant_reads(request) as reads:
        places = await _places(request, reads)
        sessions = await group.open_sessions(_reading(request, reads), places)
        people = await group.colleagues(reads, group.employers_of(places), _today(request))
    once = {person.learner_id: f"{person.name}, {person.employer}" for person in reversed(people)}
    listed = [(learner_id, once[learner_id]) for learner_id in dict.fromkeys(person.learner_id for person in people)]
    fields = [
        Field("choice", "session", "Session", options=[(x.id, f"{x.title}, {_when(x.starts_at)}") for x in sessions]),
        Field("many", "people", "Who is to come", "If places run out, they wait for one.", listed),
    ]
    return report(
        request,
        "Book your staff",
        status=status,
        problems=problems,
        values=values,
        back=BACK,
        intro=[] if people and sessions else ["There is no session to book now, or nobody works at your locations."],
        forms=[ShortForm(f"{HOME}/book", "Book", fields)] if people and sessions else [],
    )


def _problem(error: TrainingRefusal | Invalid, field: str) -> Problem:
    if isinstance(error, Invalid):
        return error.problem
    found = problem(error, ("session", "people", "booking", "colleague"))
    return found if found.field else Problem(field, error.message)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%-d %B %Y, %H:%M}"


_NEEDS = Permission.GROUP_READ

ROUTES = [
    page("/my-locations", my_locations, needs=_NEEDS),
    page("/my-locations/all.csv", my_locations_file, needs=_NEEDS),
    page("/my-locations/bookings", my_bookings, needs=_NEEDS),
    page("/my-locations/bookings/all.csv", my_bookings_file, needs=_NEEDS),
    page("/my-locations/bookings/cancel", my_booking_cancel, needs=_NEEDS, methods=("POST",)),
    page("/my-locations/bookings/swap", my_booking_swap, needs=_NEEDS, methods=("POST",)),
    page("/my-locations/book", my_book, needs=_NEEDS, methods=("GET", "POST")),
    page("/my-locations/people/{learner_id:uuid}", my_person, needs=_NEEDS),
    page("/my-locations/people/{learner_id:uuid}/standing.csv", my_person_file, needs=_NEEDS),
    page("/my-locations/people/{learner_id:uuid}/history.csv", my_person_file, needs=_NEEDS),
    page("/my-locations/{location_id:uuid}", my_location, needs=_NEEDS),
    page("/my-locations/{location_id:uuid}/staff.csv", my_location_staff_file, needs=_NEEDS),
    page("/my-locations/{location_id:uuid}/programmes.csv", my_location_programmes_file, needs=_NEEDS),
]
