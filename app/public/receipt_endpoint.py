"""Where GOV.UK Notify tells what became of a message: by POST, with the token that the tenant's service was given."""

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.messaging import receipts
from app.messaging.notify import outcome_of
from app.messaging.notifying import is_callback
from app.messaging.settings import message_settings
from app.public.outside_endpoint import eventbrite_notice
from app.public.pages import MIDDLEWARE, services_of, tenant_of
from tenants.context import ActorKind, TenantContext

LARGEST = 64 * 1024

log = structlog.get_logger()


async def receipt(request: Request) -> Response:
    """One receipt. 404: no such tenant, 401: not its token, 400: no receipt, 503: of a message that is not known yet.

    Notify sends again what was not answered by 200; a receipt that came before our own note is so not lost.
    """
    tenant = await tenant_of(request)
    services = services_of(request)
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > LARGEST:
        raise HTTPException(413)
    context = TenantContext(tenant.context.tenant_id, ActorKind.PLATFORM, request_id=request.state.request_id)
    async with services.database.unit_of_work(context) as work:
        settings = await message_settings(work)
        if settings is None or not is_callback(services.vault, settings, request.headers.get("authorization", "")):
            return JSONResponse({"error": "Send the bearer token that this service was given."}, status_code=401)
        told = _read(await request.body())
        message_id = receipts.message_of(str(told.get("reference") or "")) if told else None
        if told is None or message_id is None:
            return JSONResponse({"error": "Send a receipt with our reference."}, status_code=400)
        known = await receipts.note(work, outcome_of(message_id, told), str(told.get("to") or "") or None)
    log.info("receipt", message_id=str(message_id), status=told.get("status"), known=known)
    return JSONResponse({}, status_code=200 if known else 503)


def _read(body: bytes) -> dict[str, object] | None:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def receipt_routes() -> list[BaseRoute]:
    """Routes of the receipts, and of the notices of outside systems."""
    routes = [
        Route("/notify/{slug}", receipt, methods=["POST"]),
        Route("/eventbrite/{slug}/{secret}", eventbrite_notice, methods=["POST"]),
    ]
    return [Mount("/receipts", routes=routes, middleware=MIDDLEWARE)]
