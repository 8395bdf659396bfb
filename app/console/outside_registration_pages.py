"""A linked event with its registrations, and saying who somebody is that registered."""

from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.outside_tables import (
    HOME,
    note_words,
    registration_path,
    registrations_tables,
    shown_name,
)
from app.console.pages import (
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    tenant_reads,
    tenant_work,
)
from app.console.reports import Field, ShortForm, one_file, report
from app.console.review_queue import KnownPerson, known_people, search_learners
from app.console.tables import Link
from app.identity.permissions import Permission
from app.outside import deciding, linking
from app.outside.adapters import KINDS
from app.outside.coming import told_by
from app.outside.errors import OutsideRefusal
from app.outside.models import OutsideConnection, OutsideEvent, OutsideRegistration
from app.training.models import TrainingSession

NEW, LEAVE = "new", "leave"


async def outside_event(request: Request) -> Response:
    """A linked event."""
    return await _event(request, [])


async def _event(request: Request, problems: list[Problem]) -> Response:
    tenant_id, event_id = principal_here(request).tenant_id, request.path_params["event_id"]
    async with tenant_reads(request) as session:
        event = await session.get(OutsideEvent, (tenant_id, event_id))
        if event is None:
            raise HTTPException(404)
        connection = await session.get_one(OutsideConnection, (tenant_id, event.connection_id))
        training = await session.get_one(TrainingSession, (tenant_id, event.session_id))
        tables = await registrations_tables(session, event)
    kind, path = KINDS[connection.system], f"{HOME}/linked/{event.id}"
    remark = note_words(event, training.starts_at)
    intro = [
        "Whoever registers there gets a booking here if there is a place. What cannot be done is tried again each hour."
    ]
    if tables.more:
        intro.append(f"{tables.more:,} more registrations are in the CSV file.")
    again = Link("Change the link", f"{HOME}/{kind.code}/events/{event.outside_id}")
    on = event.state == "linked"
    return report(
        request,
        event.title,
        status=422 if problems else 200,
        problems=problems,
        caption=kind.name,
        back=Link(f"Back to {kind.name}", f"{HOME}/{kind.code}"),
        intro=intro,
        facts=[
            ("Session", Link(training.title, f"/console/sessions/{training.id}")),
            ("Begins", training.starts_at),
            ("Looked at", event.looked_at),
            *([("Remark", remark)] if remark else []),
            *([] if on else [("State", "Not followed any more")]),
        ],
        links=[again] if connection.state == "on" else [],
        tables=[tables.stuck, tables.all],
        forms=[ShortForm(f"{path}/unlink", "Follow it no more", [], second=True)] if on else [],
    )


async def outside_event_file(request: Request) -> Response:
    """A table of a linked event as a CSV."""
    async with tenant_reads(request) as session:
        key = (principal_here(request).tenant_id, request.path_params["event_id"])
        event = await session.get(OutsideEvent, key)
        if event is None:
            raise HTTPException(404)
        return one_file(request, (await registrations_tables(session, event, None)).by_name)


async def outside_unlink(request: Request) -> Response:
    """Follow an event no more."""
    event_id = request.path_params["event_id"]
    try:
        async with tenant_work(request) as work:
            await linking.unlink(work, event_id)
    except OutsideRefusal as refusal:
        return await _event(request, [Problem("", refusal.message)])
    return redirect(f"{HOME}/linked/{event_id}", done="outside-unlinked")


async def outside_registration(request: Request) -> Response:
    """Who is this?"""
    return await _registration(request, [], None)


async def outside_registration_search(request: Request) -> Response:
    """The same with learners of a name. By POST, so that no address holds a name."""
    words = (await form_of(request)).text("search").strip()
    problems = [] if words else [Problem("search", "Enter a name or a part of it.")]
    return await _registration(request, problems, words)


async def _registration(request: Request, problems: list[Problem], words: str | None) -> Response:
    tenant_id, registration_id = principal_here(request).tenant_id, request.path_params["registration_id"]
    async with tenant_reads(request) as session:
        row = await session.get(OutsideRegistration, (tenant_id, registration_id))
        if row is None:
            raise HTTPException(404)
        event = await session.get_one(OutsideEvent, (tenant_id, row.event_id))
        suggested = await known_people(session, [UUID(one["learner_id"]) for one in row.candidates])
        found = await search_learners(session, words) if words else []
    people = {person.id: person for person in [*found, *suggested]}
    options = [(person.id, person.name) for person in people.values()]
    more = {person.id: _about(person) for person in people.values()}
    who, path = told_by(row).who, registration_path(row.id)
    answers = [*options, (NEW, "Somebody new"), (LEAVE, "Leave this registration out")]
    forms = [
        ShortForm(f"{path}/search", "Search", [Field("text", "search", "Name or part of it")], "Search for the learner",
                  second=True),
        ShortForm(f"{path}/answer", "Save", [Field("one", "answer", "This is", None, answers, more=more)]),
    ]  # fmt: skip
    nobody = ["Nobody of that name was found."] if words and not found else []
    return report(
        request,
        shown_name(row),
        status=422 if problems else 200,
        problems=problems,
        values={"search": words or ""},
        caption="Who is this?",
        back=Link("Back to the event", f"{HOME}/linked/{event.id}"),
        intro=[*([row.problem_text] if row.problem_text and row.learner_id is None else []), *nobody],
        facts=[
            ("Event", event.title),
            ("Address", who.email or "None of their own"),
            ("Workplace", who.workplace),
            ("Job role", who.job_role),
            ("Registered or changed", row.changed_at),
        ],
        forms=[] if row.learner_id is not None else forms,
    )


def _about(person: KnownPerson) -> str:
    return ", ".join(person.employers) or "No employer is known."


async def outside_registration_answer(request: Request) -> Response:
    """Take the answer: a learner's id, somebody new, or to leave it out."""
    answer, registration_id = (await form_of(request)).text("answer"), request.path_params["registration_id"]
    try:
        async with tenant_work(request) as work:
            if answer == LEAVE:
                event_id = await deciding.leave_out(work, registration_id)
            else:
                learner_id = None if answer == NEW else _learner(answer)
                event_id = await deciding.choose(work, registration_id, learner_id)
    except OutsideRefusal as refusal:
        return await _registration(request, [Problem(refusal.field, refusal.message)], None)
    return redirect(f"{HOME}/linked/{event_id}", done="outside-left" if answer == LEAVE else "outside-placed")


def _learner(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise OutsideRefusal("NO_SUCH_LEARNER", "Choose an answer.", "answer") from error


_NEEDS, _PEOPLE = Permission.SETTINGS_WRITE, Permission.PEOPLE_READ
_ONE = "/outside/registrations/{registration_id:uuid}"

ROUTES = [
    page("/outside/linked/{event_id:uuid}", outside_event, needs=_NEEDS, also=_PEOPLE),
    page("/outside/linked/{event_id:uuid}/tables/{table}.csv", outside_event_file, needs=_NEEDS, also=_PEOPLE),
    page("/outside/linked/{event_id:uuid}/unlink", outside_unlink, needs=_NEEDS, also=_PEOPLE, methods=("POST",)),
    page(_ONE, outside_registration, needs=_NEEDS, also=_PEOPLE),
    page(f"{_ONE}/search", outside_registration_search, needs=_NEEDS, also=_PEOPLE, methods=("POST",)),
    page(f"{_ONE}/answer", outside_registration_answer, needs=_NEEDS, also=_PEOPLE, methods=("POST",)),
]
