"""Checking in by oneself: the poster in the room leads here, the reference of one's booking does the rest.

GET only shows the form, for scanners of mail open every address. Wrong codes and references count as tries.
"""

from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from app.public.pages import (
    MIDDLEWARE,
    Misses,
    PublicTenant,
    form_of,
    reads,
    render,
    services_of,
    tenant_of,
)
from app.training.booking.check_in import CheckedIn, check_in_by_oneself, session_by_code
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the form: the field's id and what to do."""

    field: str
    message: str


def _misses(request: Request) -> Misses:
    misses: Misses = request.app.state.check_in_misses
    return misses


async def check_in_form(request: Request) -> Response:
    """Ask for the reference."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    return _form(request, tenant, await _session(request, tenant))


async def check_in(request: Request) -> Response:
    """Check somebody in for the half of the day that it is; twice does no harm."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    session = await _session(request, tenant)
    typed = (await form_of(request)).get("reference", "")[:40]
    try:
        async with services_of(request).database.unit_of_work(replace(tenant.context, read_only=False)) as work:
            found = await check_in_by_oneself(work, request.path_params["code"], typed)
    except TrainingRefusal as refusal:
        if refusal.code == "NO_SUCH_REFERENCE":
            await _misses(request).note(request)
        return _form(request, tenant, session, typed, refusal.message)
    return _done(request, tenant, found)


async def _session(request: Request, tenant: PublicTenant) -> TrainingSession:
    async with reads(request, tenant) as opened:
        work = UnitOfWork(opened, tenant.context, services_of(request).clock)
        try:
            return await session_by_code(work, request.path_params["code"][:40])
        except TrainingRefusal as refusal:
            await _misses(request).note(request)
            raise HTTPException(404) from refusal


def _form(
    request: Request, tenant: PublicTenant, session: TrainingSession, typed: str = "", problem: str | None = None
) -> Response:
    return render(
        request,
        "check_in_oneself.jinja",
        status=200 if problem is None else 422,
        organisation=tenant.name,
        session=session,
        problems=[] if problem is None else [Problem("reference", problem)],
        values={"reference": typed},
    )


def _done(request: Request, tenant: PublicTenant, found: CheckedIn) -> Response:
    return render(
        request,
        "checked_in.jinja",
        organisation=tenant.name,
        session=found.session,
        half=found.part if found.session.parts == 2 else None,
        already=found.already,
    )


CHECK_IN = [
    Route("/{slug}/{code}", check_in_form, methods=["GET"]),
    Route("/{slug}/{code}", check_in, methods=["POST"]),
]


def check_in_routes() -> list[BaseRoute]:
    """What the application mounts."""
    return [Mount("/check-in", routes=CHECK_IN, middleware=MIDDLEWARE)]
