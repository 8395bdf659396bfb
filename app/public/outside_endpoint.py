"""Where Eventbrite tells that something changed: by POST, at an address that nobody can guess.

A notice is a pointer without a signature, so nothing of it is believed: its ids are kept, and what they name is
fetched later. Nothing here ever answers 410, for that would end the notices for good.
"""

import hmac

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.outside.connections import HOOK, connection_of, secrets_of
from app.outside.eventbrite.notices import note
from app.outside.eventbrite.reading import Pointer, pointer
from app.public.pages import services_of, tenant_of
from tenants.context import ActorKind, TenantContext

LARGEST = 64 * 1024

log = structlog.get_logger()


async def eventbrite_notice(request: Request) -> Response:
    """One notice. 404: no such address, 400: no notice, 413: too large; what we have no use for is taken and left."""
    tenant = await tenant_of(request)
    services = services_of(request)
    context = TenantContext(tenant.context.tenant_id, ActorKind.PLATFORM, request_id=request.state.request_id)
    async with services.database.unit_of_work(context) as work:
        connection = await connection_of(work, "eventbrite")
    kept = "" if connection is None else secrets_of(connection, services.vault).get(HOOK, "")
    given = request.path_params["secret"]
    if connection is None or not kept or not hmac.compare_digest(given.encode(), kept.encode()):
        raise HTTPException(404)
    found = _read(await _body(request))
    async with services.database.unit_of_work(context) as work:
        new = found is not None and await note(work, connection.id, found)
    log.info("notice", system="eventbrite", action=None if found is None else found.action, new=new)
    return JSONResponse({})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise HTTPException(413)
    return bytes(body)


def _read(body: bytes) -> Pointer | None:
    try:
        return pointer(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise HTTPException(400) from error
