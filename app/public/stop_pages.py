"""Objecting by the link of a message: a page that says what it stops, and one press. GET changes nothing.

Mail programs press for people by a POST without a form (RFC 8058), so the body is not read.
"""

from dataclasses import replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from app.messaging.objections import Stop, object_to, objection_of, read_stop
from app.public.pages import MIDDLEWARE, Misses, PublicTenant, render, services_of, tenant_of
from app.training.errors import TrainingRefusal

WORDS = {
    "all": "all messages that you can do without",
    "programme": "reminders, new dates and other messages about the training programme",
    "marketing": "messages that advertise courses and services",
    "dormant": "messages that ask you back after a while",
    "no_show": "messages about sessions that you missed",
    "next_tier": "messages about your next step in training",
}


async def _stop(request: Request) -> tuple[PublicTenant, Stop, str]:
    """The tenant, what the token stands for, and the kind of objection. HTTPException 404 or 429."""
    tenant = await tenant_of(request)
    misses: Misses = request.app.state.stop_misses
    await misses.refuse_guessing(request)
    found = read_stop(services_of(request).vault, tenant.context.tenant_id, request.path_params["token"])
    if found is None:
        await misses.note(request)
        raise HTTPException(404)
    return tenant, found, objection_of(found.occasion, found.message_class)


async def ask(request: Request) -> Response:
    """Say what one press would stop."""
    tenant, _, kind = await _stop(request)
    return render(request, "stop.jinja", organisation=tenant.name, what=WORDS[kind])


async def stop(request: Request) -> Response:
    """Note the objection; twice does no harm."""
    tenant, found, kind = await _stop(request)
    try:
        async with services_of(request).database.unit_of_work(replace(tenant.context, read_only=False)) as work:
            await object_to(work, kind, "link", learner_id=found.learner_id, contact_id=found.contact_id)
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return render(request, "stopped.jinja", organisation=tenant.name, what=WORDS[kind])


STOP = [Route("/{slug}/{token}", ask, methods=["GET"]), Route("/{slug}/{token}", stop, methods=["POST"])]


def stop_routes() -> list[BaseRoute]:
    """What the application mounts."""
    return [Mount("/stop", routes=STOP, middleware=MIDDLEWARE)]
