"""Outside systems: connecting them, looking now, and linking their events to sessions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.outside_tables import HOME, events_table, systems_table
from app.console.outside_words import error_words
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    plain,
    redirect,
    services_of,
    tenant_look,
    tenant_reads,
    tenant_work,
)
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Link, Table
from app.identity.permissions import Permission
from app.outside import linking
from app.outside.adapters import KINDS, Kind
from app.outside.connections import HOOK, Office, connect, connection_of, disconnect, secrets_of, system_of
from app.outside.errors import OutsideRefusal, OutsideRefused, OutsideUnavailable
from app.outside.models import OutsideConnection, OutsideEvent
from app.outside.systems import Asked, ConnectionField, EventFound, Question
from tenants.models import Tenant
from tenants.session import UnitOfWork

BACK = Link("Back to outside systems", HOME)


async def outside_systems(request: Request) -> Response:
    """All systems."""
    async with tenant_reads(request) as session:
        table = await systems_table(session)
    return report(
        request,
        "Outside systems",
        intro=[
            "What people do in Eventbrite and Teams comes here by itself: who registered gets a booking, who came gets "
            "attendance. Where it is not clear who somebody is, it waits for you."
        ],
        tables=[table],
    )


async def outside_systems_file(request: Request) -> Response:
    """The table as a CSV."""
    async with tenant_reads(request) as session:
        return one_file(request, {"systems": await systems_table(session)})


def _kind(request: Request) -> Kind:
    kind = KINDS.get(request.path_params["system"])
    if kind is None:
        raise HTTPException(404)
    return kind


async def outside_system(request: Request) -> Response:
    """One system."""
    return await _system(request, _kind(request), [], {})


async def _system(request: Request, kind: Kind, problems: list[Problem], sent: dict[str, str]) -> Response:
    async with tenant_look(request) as work:
        connection = await connection_of(work, kind.code)
        tenant = await work.session.get_one(Tenant, work.tenant_id)
        table = None if connection is None else await events_table(work.session, connection)
    on = connection is not None and connection.state == "on"
    path = f"{HOME}/{kind.code}"
    facts: list[tuple[str, Any]] = [("State", "Connected" if on else "Not connected")]
    notes = [kind.about]
    if connection is not None:
        facts += [("Last went well", connection.succeeded_at), ("Last tried", connection.tried_at)]
        if connection.error_code is not None:
            facts.append(("What is wrong", error_words(connection.error_code)))
        if on and kind.has_notices:
            services = services_of(request)
            hook = secrets_of(connection, services.vault).get(HOOK)
            address = f"{services.settings.base_url}/receipts/{kind.code}/{tenant.slug}/{hook}"
            facts.append(("Address for notices", address if hook else error_words("SECRETS_LOST")))
            notes.append(
                f"Add the address below as a webhook in {kind.name}, for orders, attendees and check-ins, so that "
                "changes come at once; without it they come within the hour. Keep it to yourselves: whoever knows it "
                "can make us look."
            )
    fields = [
        Field("password" if field.secret else "text", field.name, field.label, _hint(field, on=on))
        for field in kind.fields
    ]
    forms = [ShortForm(f"{path}/connect", "Try it and save" if on else "Connect", fields, "Account", second=on)]
    if on:
        forms.insert(0, ShortForm(f"{path}/look", "Look now", []))
        forms.append(ShortForm(f"{path}/disconnect", "Disconnect", [], second=True))
    values = {} if connection is None else {field.name: connection.settings.get(field.name) for field in kind.fields}
    return report(
        request,
        kind.name,
        status=422 if problems else 200,
        problems=problems,
        values=values | sent,
        caption="Outside systems",
        back=BACK,
        intro=notes,
        facts=facts,
        actions=[Link("Find events", f"{path}/events")] if on else [],
        tables=[table] if table is not None else [],
        forms=forms,
    )


def _hint(field: ConnectionField, *, on: bool) -> str | None:
    kept = "Left empty: the one that is kept." if field.secret and on else ""
    return " ".join(part for part in (field.hint, kept) if part) or None


async def outside_events_file(request: Request) -> Response:
    """The linked events as a CSV."""
    kind = _kind(request)
    async with tenant_look(request) as work:
        connection = await connection_of(work, kind.code)
        if connection is None:
            raise HTTPException(404)
        return one_file(request, {"events": await events_table(work.session, connection)})


def office_of(request: Request) -> Office:
    """What talking to a system from a page needs."""
    services = services_of(request)
    return Office(lambda: tenant_work(request), _no_lease, services.outside, services.settings, services.vault)


async def _no_lease(_: UnitOfWork) -> None:
    """A page holds no message."""


async def outside_connect(request: Request) -> Response:
    """Try an account and keep it."""
    kind, form = _kind(request), await form_of(request)
    given = {field.name: form.text(field.name) for field in kind.fields}
    given_back = {field.name: given[field.name] for field in kind.fields if not field.secret}
    try:
        await connect(office_of(request), kind.code, given)
    except OutsideRefusal as refusal:
        return await _system(request, kind, [Problem(refusal.field, refusal.message)], given_back)
    except OutsideRefused as refused:
        return await _system(request, kind, [Problem("", error_words(refused.code) or "")], given_back)
    return redirect(f"{HOME}/{kind.code}", done="outside-connected")


async def outside_disconnect(request: Request) -> Response:
    """Forget the account."""
    return await _changed(request, disconnect, "outside-disconnected")


async def outside_look(request: Request) -> Response:
    """Look now."""
    return await _changed(request, linking.ask_look, "outside-look-asked")


async def _changed(request: Request, change: Callable[[UnitOfWork, str], Awaitable[None]], done: str) -> Response:
    kind = _kind(request)
    try:
        async with tenant_work(request) as work:
            await change(work, kind.code)
    except OutsideRefusal as refusal:
        return await _system(request, kind, [Problem("", refusal.message)], {})
    return redirect(f"{HOME}/{kind.code}", done=done)


async def _connected(request: Request, kind: Kind) -> OutsideConnection:
    """The connection, if it is on. HTTPException 404."""
    async with tenant_look(request) as work:
        connection = await connection_of(work, kind.code)
    if connection is None or connection.state == "off":
        raise HTTPException(404)
    return connection


async def outside_events(request: Request) -> Response:
    """The account's events, with the sessions that fit."""
    return await _events(request, as_file=False)


async def outside_found_file(request: Request) -> Response:
    """The account's events as a CSV."""
    return await _events(request, as_file=True)


async def _events(request: Request, *, as_file: bool) -> Response:
    kind = _kind(request)
    connection = await _connected(request, kind)
    try:
        found = await system_of(office_of(request), connection).events()
    except (OutsideUnavailable, OutsideRefused) as error:
        return await _system(request, kind, [Problem("", error_words(error.code) or "")], {})
    path = f"{HOME}/{kind.code}/events"
    async with tenant_look(request) as work:
        statement = select(OutsideEvent).where(
            OutsideEvent.connection_id == connection.id, OutsideEvent.state == "linked"
        )
        known = {row.outside_id: row.id for row in await work.session.scalars(statement)}
        sessions, rows = await linking.open_sessions(work), []
        for event in found:
            fitting = [one for one in linking.ranked(event, sessions, work.now) if one.fits]
            fits = f"{fitting[0].title}, {plain(fitting[0].starts_at)}" if fitting else None
            linked = known.get(event.outside_id)
            name = Link(event.title, f"{path}/{event.outside_id}") if linked is None else event.title
            rows.append((name, event.starts_at, "Linked" if linked else None, None if linked else fits))
    table = Table(
        "Events", ("Event", "Begins", "Linked", "Session that fits"), rows, f"{path}/tables/found.csv",
        nothing="The account has no events.",
    )  # fmt: skip
    if as_file:
        return one_file(request, {"found": table})
    return report(
        request,
        "Events",
        caption=kind.name,
        back=Link(f"Back to {kind.name}", f"{HOME}/{kind.code}"),
        intro=["Choose an event, and say which of your sessions it is."],
        tables=[table],
    )


async def outside_link(request: Request) -> Response:
    """Say which session an event is, and which of its questions count."""
    kind = _kind(request)
    connection = await _connected(request, kind)
    try:
        system = system_of(office_of(request), connection)
        event = await system.event(request.path_params["event"])
        questions: Sequence[Question] = [] if event is None else await system.questions(event.outside_id)
    except (OutsideUnavailable, OutsideRefused) as error:
        return await _system(request, kind, [Problem("", error_words(error.code) or "")], {})
    if event is None:
        raise HTTPException(404)
    if request.method == "GET":
        return await _link_form(request, kind, event, questions, [], {})
    form = await form_of(request)
    try:
        session_id = _chosen(form)
        asked = Asked(_question(form, "workplace", questions), _question(form, "role", questions))
        async with tenant_work(request) as work:
            linked = await linking.link(work, kind.code, event, session_id, asked)
    except OutsideRefusal as refusal:
        sent = {name: form.text(name) for name in ("session", "workplace", "role")}
        return await _link_form(request, kind, event, questions, [Problem(refusal.field, refusal.message)], sent)
    return redirect(f"{HOME}/linked/{linked}", done="outside-linked")


def _chosen(form: Form) -> UUID:
    try:
        return UUID(form.text("session"))
    except ValueError as error:
        raise OutsideRefusal("NO_SUCH_SESSION", "Choose the session that the event is.", "session") from error


def _question(form: Form, name: str, questions: Sequence[Question]) -> str | None:
    chosen = form.text(name)
    if chosen and chosen not in {question.id for question in questions}:
        raise OutsideRefusal("NO_SUCH_QUESTION", "Choose a question from the list, or none.", name)
    return chosen or None


async def _link_form(
    request: Request,
    kind: Kind,
    event: EventFound,
    questions: Sequence[Question],
    problems: list[Problem],
    sent: dict[str, str],
) -> Response:
    async with tenant_look(request) as work:
        sessions = linking.ranked(event, await linking.open_sessions(work), work.now)
        known = await linking.linked_as(work, kind.code, event.outside_id)
    chosen = {"session": next((str(one.id) for one in sessions if one.fits), "")}
    if known is not None:
        chosen = {
            "session": str(known.session_id),
            "workplace": known.workplace_question or "",
            "role": known.role_question or "",
        }
    offered = [(one.id, f"{one.title}, {plain(one.starts_at)}{' (fits)' if one.fits else ''}") for one in sessions]
    asked = [(question.id, question.text) for question in questions]
    fields = [
        Field(
            "choice",
            "session",
            "Session",
            "It is published and has places." if offered else "Plan and publish a session with places first.",
            offered,
        ),
        Field(
            "choice", "workplace", "Question that asks where people work",
            "A name, or a location id of the Care Quality Commission.", asked, any="None",
        ),
        Field("choice", "role", "Question that asks for the job role", None, asked, any="None"),
    ]  # fmt: skip
    path = f"{HOME}/{kind.code}/events"
    return report(
        request,
        event.title,
        status=422 if problems else 200,
        problems=problems,
        values=chosen | sent,
        caption="Which session is this event?",
        back=Link("Back to events", path),
        facts=[("Begins", event.starts_at)],
        forms=[ShortForm(f"{path}/{event.outside_id}", "Link it", fields)],
    )


_NEEDS = Permission.SETTINGS_WRITE

ROUTES = [
    page("/outside", outside_systems, needs=_NEEDS),
    page("/outside/tables/{table}.csv", outside_systems_file, needs=_NEEDS),
    page("/outside/{system}", outside_system, needs=_NEEDS),
    page("/outside/{system}/tables/{table}.csv", outside_events_file, needs=_NEEDS),
    page("/outside/{system}/connect", outside_connect, needs=_NEEDS, methods=("POST",)),
    page("/outside/{system}/disconnect", outside_disconnect, needs=_NEEDS, methods=("POST",)),
    page("/outside/{system}/look", outside_look, needs=_NEEDS, methods=("POST",)),
    page("/outside/{system}/events", outside_events, needs=_NEEDS),
    page("/outside/{system}/events/tables/{table}.csv", outside_found_file, needs=_NEEDS),
    page("/outside/{system}/events/{event}", outside_link, needs=_NEEDS, methods=("GET", "POST")),
]
