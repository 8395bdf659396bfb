"""The statements resource of xAPI (1.0.3, part 3) for learning systems: `/xapi/{tenant}/statements`, and `about`.

Basic authentication with a learning system's key and secret. Every answer names the version; every refusal says in
`error` what to do. Other resources of a record store (state, profiles) are not kept.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.public.pages import Misses, PublicTenant, reads, services_of, tenant_of
from app.training.elearning import receiving, statements
from app.training.elearning.checks import identifier
from app.training.elearning.errors import Conflict, Malformed, NotYours
from app.training.elearning.models import LearningSystem
from app.training.elearning.systems import system_of
from tenants.context import ActorKind, TenantContext

LARGEST = 4 * 1024 * 1024
VERSION_HEADER = "X-Experience-API-Version"
_METHODS = ["GET", "PUT", "POST"]

log = structlog.get_logger()


class Refused(Exception):
    """A request that is not done: status, and what to do."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


Endpoint = Callable[[Request], Awaitable[Response]]


def _answered(endpoint: Endpoint) -> Endpoint:
    """The endpoint with its refusals told as the specification asks."""

    async def answered(request: Request) -> Response:
        try:
            answer = await endpoint(request)
        except Refused as refused:
            answer = JSONResponse({"error": refused.message}, refused.status, headers=refused.headers)
        except Malformed as error:
            answer = JSONResponse({"error": str(error)}, 400)
        except HTTPException as error:
            words = {
                404: "There is no such endpoint. Check its address: it ends with the name of the organisation.",
                429: "Too many wrong keys or secrets. Wait as long as Retry-After says, then send the right ones.",
            }
            message = words.get(error.status_code, "The request cannot be read.")
            answer = JSONResponse({"error": message}, error.status_code, headers=error.headers)
        answer.headers[VERSION_HEADER] = statements.VERSION
        answer.headers["cache-control"] = "no-store"
        return answer

    return answered


async def about(request: Request) -> Response:
    """Which versions are understood."""
    await tenant_of(request)
    return JSONResponse({"version": list(statements.VERSIONS)})


async def the_statements(request: Request) -> Response:
    """Keep statements, or give one back."""
    if not statements.is_understood(request.headers.get(VERSION_HEADER)):
        raise Refused(400, f"Send the header {VERSION_HEADER} with {statements.VERSION}.")
    if "method" in request.query_params:
        raise Refused(400, "Send the request itself: the form of it for old browsers is not taken.")
    tenant = await tenant_of(request)
    system = await _caller(request, tenant)
    if request.method in ("GET", "HEAD"):
        return await _one(request, tenant, system)
    only_id = None
    if request.method == "PUT":
        only_id = identifier(request.query_params.get("statementId"), "statementId")
    elif request.query_params:
        raise Refused(400, "Send no parameters with POST: each statement has its own id.")
    found = statements.read(await _body(request), services_of(request).clock(), _authority(request, system), only_id)
    context = TenantContext(
        tenant.context.tenant_id, ActorKind.PLATFORM, system.id, request_id=request.state.request_id
    )
    try:
        async with services_of(request).database.unit_of_work(context) as work:
            new = await receiving.keep(work, system.id, found)
    except Conflict as conflict:
        message = f"Another statement has the id {conflict}. Void that one, and send this under an id of its own."
        raise Refused(409, message) from conflict
    except NotYours as error:
        message = f"The statement {error} was sent by another learning system. Only that one can void it."
        raise Refused(403, message) from error
    log.info("statements", system_id=str(system.id), received=len(found), new=new)
    return Response(status_code=204) if only_id is not None else JSONResponse([str(one.id) for one in found])


async def _one(request: Request, tenant: PublicTenant, system: LearningSystem) -> Response:
    """A statement of the calling system by its id."""
    asked = dict(request.query_params)
    if (
        asked.pop("format", "exact") not in ("exact", "ids", "canonical")
        or asked.pop("attachments", "false") != "false"
    ):
        raise Refused(400, "Leave attachments out, and ask for format=exact: statements are given back as they came.")
    if set(asked) not in ({"statementId"}, {"voidedStatementId"}):
        raise Refused(400, "Ask for one statement by statementId or by voidedStatementId, and by nothing else.")
    ((name, value),) = asked.items()
    statement_id: UUID = identifier(value, name)
    async with reads(request, tenant) as session:
        body = await receiving.kept_statement(session, system.id, statement_id, voided=name == "voidedStatementId")
    if body is None:
        raise Refused(404, "There is no such statement of yours. Ask for a voided one by voidedStatementId.")
    headers = {"X-Experience-API-Consistent-Through": services_of(request).clock().isoformat()}
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)


async def _caller(request: Request, tenant: PublicTenant) -> LearningSystem:
    """The learning system whose key and secret these are. Raises Refused 401 or 403."""
    misses: Misses = request.app.state.xapi_misses
    await misses.refuse_guessing(request)
    system = None
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    try:
        told = base64.b64decode(coded.strip(), validate=True).decode() if kind.casefold() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        told = ""
    key_id, _, secret = told.partition(":")
    if key_id and secret and "\0" not in told:
        async with reads(request, tenant) as session:
            system = await system_of(session, services_of(request).vault, key_id, secret)
        if system is None:
            await misses.note(request)
    if system is None:
        message = "Send the learning system's key as user name and its secret as password, by Basic authentication."
        raise Refused(401, message, {"WWW-Authenticate": 'Basic realm="xAPI", charset="UTF-8"'})
    if not system.active:
        raise Refused(403, "The learning system is switched off here. Ask the organisation to switch it on.")
    return system


async def _body(request: Request) -> bytes:
    """The JSON that was sent. Raises Refused 400 or 413."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind.startswith("multipart/"):
        raise Refused(
            400, "Attached files and signatures are not taken. Send the statements alone, as application/json."
        )
    if kind != "application/json":
        raise Refused(400, "Send the statements as application/json.")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST:
            raise Refused(413, f"Send at most {LARGEST // 1024**2} MB at a time: fewer statements, or shorter ones.")
    return bytes(content)


def _authority(request: Request, system: LearningSystem) -> dict[str, Any]:
    base = services_of(request).settings.base_url.rstrip("/")
    account = {"homePage": f"{base}/xapi/{request.path_params['slug']}", "name": system.key_id}
    return {"objectType": "Agent", "account": account}


async def _elsewhere(request: Request) -> Response:
    await tenant_of(request)
    raise Refused(404, "Only statements and about are here. Let your learning system keep states and profiles itself.")


def xapi_routes() -> list[BaseRoute]:
    """What the application mounts."""
    routes = [
        Route("/{slug}/about", _answered(about), methods=["GET"]),
        Route("/{slug}/statements", _answered(the_statements), methods=_METHODS),
        Route("/{slug}/{rest:path}", _answered(_elsewhere), methods=[*_METHODS, "DELETE"]),
    ]
    return [Mount("/xapi", routes=routes)]
