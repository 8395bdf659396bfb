"""Where a campaign's link leads: its sessions, then registering for one of them.

GET counts nothing and changes nothing, for scanners of mail open every address. Nothing tells whether somebody is
known.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from app.console.pages import Problem
from app.console.training_forms import problem
from app.messaging import arrivals
from app.messaging.composing import in_words
from app.public.pages import MIDDLEWARE, Misses, PublicTenant, form_of, reads, render, services_of, tenant_of
from app.training.errors import TrainingRefusal
from tenants.session import UnitOfWork

FIELDS = ("given_name", "family_name", "email", "session", "location", "search")
NOT_LISTED = "none"
LONGEST = 200


def _misses(request: Request) -> Misses:
    misses: Misses = request.app.state.campaign_misses
    return misses


def _registrations(request: Request) -> Misses:
    """Counts registrations, so that nobody books hundreds of invented people."""
    counted: Misses = request.app.state.registrations
    return counted


async def _come(request: Request) -> tuple[PublicTenant, arrivals.Arrival]:
    """The tenant and what the token leads to. HTTPException 404 or 429."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    async with reads(request, tenant) as session:
        found = await arrivals.arrival_of(_reading(request, tenant, session), request.path_params["token"][:60])
    if found is None:
        await _misses(request).note(request)
        raise HTTPException(404)
    return tenant, found


def _reading(request: Request, tenant: PublicTenant, session: Any) -> UnitOfWork:
    return UnitOfWork(session, tenant.context, services_of(request).clock)


def _writing(request: Request, tenant: PublicTenant) -> Any:
    return services_of(request).database.unit_of_work(replace(tenant.context, read_only=False))


async def landing(request: Request) -> Response:
    """The campaign's sessions that are still open."""
    tenant, arrival = await _come(request)
    async with reads(request, tenant) as session:
        sessions = await arrivals.open_sessions(_reading(request, tenant, session), arrival)
    return render(
        request,
        "campaign_landing.jinja",
        organisation=tenant.name,
        sessions=[(one.title, in_words(one.starts_at), one.where, one.full) for one in sessions],
    )


async def press_on(request: Request) -> Response:
    """Somebody wants to register: this counts as a visit."""
    tenant, arrival = await _come(request)
    async with _writing(request, tenant) as work:
        await arrivals.note_visit(work, arrival)
    chosen = "" if arrival.contact_location_id is None else str(arrival.contact_location_id)
    return await _form(request, tenant, arrival, {"location": chosen})


async def register(request: Request) -> Response:
    """Book the place. Where the workplace was only typed, what was found is shown to choose from."""
    tenant, arrival = await _come(request)
    await _registrations(request).refuse_guessing(request)
    form = {name: value[:LONGEST] for name, value in (await form_of(request)).items()}
    values = {name: form.get(name, "") for name in FIELDS}
    searched = " ".join(values["search"].split())
    if searched != form.get("searched", ""):
        return await _form(request, tenant, arrival, values | {"location": ""}, searched=searched)
    if not values["location"]:
        missing = Problem("location" if searched else "search", "Say where you work.")
        return await _form(request, tenant, arrival, values, [missing], searched)
    given = arrivals.RegistrationGiven(
        values["given_name"], values["family_name"], values["email"], _id(values["session"]), _id(values["location"])
    )
    try:
        async with _writing(request, tenant) as work:
            await arrivals.register(work, arrival, given)
    except TrainingRefusal as refusal:
        return await _form(request, tenant, arrival, values, _problems(refusal), searched)
    await _registrations(request).note(request)
    return render(request, "campaign_registered.jinja", organisation=tenant.name)


def _problems(refusal: TrainingRefusal) -> list[Problem]:
    if refusal.reasons:
        return [Problem("session", f"You cannot book this session yet. {reason.message}") for reason in refusal.reasons]
    return [problem(refusal, FIELDS)]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _form(
    request: Request,
    tenant: PublicTenant,
    arrival: arrivals.Arrival,
    values: dict[str, str],
    problems: list[Problem] | None = None,
    searched: str = "",
) -> Response:
    async with reads(request, tenant) as session:
        work = _reading(request, tenant, session)
        sessions = await arrivals.open_sessions(work, arrival)
        places = await arrivals.workplaces(work, search=searched)
        if not searched and arrival.contact_location_id is not None:
            places = await arrivals.workplaces(work, location_id=arrival.contact_location_id)
    if len(sessions) == 1:
        values = values | {"session": str(sessions[0].id)}
    options = [(str(one.id), f"{one.name}, {one.postcode}" if one.postcode else one.name) for one in places]
    if options or searched:
        options.append((NOT_LISTED, "My workplace is not in this list"))
    return render(
        request,
        "campaign_register.jinja",
        status=422 if problems else 200,
        organisation=tenant.name,
        problems=problems or [],
        values=values,
        sessions=[
            (str(one.id), f"{one.title}, {in_words(one.starts_at)}", _about(one.where, one.full)) for one in sessions
        ],
        places=options,
        searched=searched,
        register=f"{request.url.path.removesuffix('/register')}/register",
        back=request.url.path.removesuffix("/register"),
    )


def _about(where: str | None, full: bool) -> str:
    return ". ".join(filter(None, (where, "All places are taken; you can wait for one" if full else None)))


GO = [
    Route("/{slug}/{token}", landing, methods=["GET"]),
    Route("/{slug}/{token}", press_on, methods=["POST"]),
    Route("/{slug}/{token}/register", register, methods=["POST"]),
]


def campaign_routes() -> list[BaseRoute]:
    """What the application mounts."""
    return [Mount("/go", routes=GO, middleware=MIDDLEWARE)]
