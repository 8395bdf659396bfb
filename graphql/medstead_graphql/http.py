"""GraphQL over HTTP: authentication, body limits and checks, then the schema; POST and JSON only."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from app.identity.errors import IdentityRefusal
from app.services import Services
from app.web import bearer_principal, unauthorised
from medstead_graphql import limits
from medstead_graphql.caller import Caller
from medstead_graphql.media import GRAPHQL_JSON, JSON, answer_type, is_json
from medstead_graphql.schema import schema
from tenants.context import TenantContext

log = structlog.get_logger()


class _Refused(Exception):
    """A request that is answered before its document is looked at."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers
        self.body = {"errors": [{"message": message, "extensions": {"code": code}}]}


class GraphQLEndpoint:
    """Authenticates, checks the body, runs the operation, splices the data into the answer without parsing it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. A caller who goes away cancels the statement."""
        if scope["type"] != "http":
            raise LookupError("subscriptions are not offered")
        request = Request(scope, receive)
        media_type = answer_type(request.headers.get("accept")) or JSON
        try:
            response = await self._answer(request, scope, receive)
        except _Refused as refused:
            response = _response(refused.body, media_type, refused.status, refused.headers)
        except IdentityRefusal as refusal:
            response = unauthorised(refusal)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, scope: Scope, receive: Receive) -> Response:
        if request.method != "POST":
            message = "Send documents with POST: GET changes nothing and is not offered."
            raise _Refused(405, "USE_POST", message, {"allow": "POST"})
        principal = await bearer_principal(request)
        media_type = answer_type(request.headers.get("accept"))
        if media_type is None:
            raise _Refused(406, "NOT_ACCEPTABLE", f"Answers are {GRAPHQL_JSON} or {JSON}. Accept one of them.")
        sent = await _sent(request)
        services: Services = request.app.state.services
        request_id: UUID = scope["state"]["request_id"]
        context = TenantContext(principal.tenant_context().tenant_id, principal.kind, principal.id, request_id)
        caller = Caller(
            context,
            frozenset(str(permission) for permission in principal.permissions),
            lambda sql, arguments: services.reader.value(context.tenant_id, sql, arguments),
            services.database,
            services.settings.data_dir / "uploads",
            services.vault,
            services.settings.webhook_allow_loopback,
        )
        operation = asyncio.create_task(
            schema.execute(sent["query"], sent.get("variables"), caller, operation_name=sent.get("operationName"))
        )
        await _finished_or_left(operation, receive)
        if (error := operation.exception()) is not None:
            if not isinstance(error, Exception):
                raise error
            log.error("operation failed", request_id=str(request_id), kind=type(error).__name__)
            message = "Something went wrong on our side. Try again; if it stays, quote the request id."
            extensions = {"code": "INTERNAL_ERROR", "requestId": str(request_id)}
            return _response({"errors": [{"message": message, "extensions": extensions}]}, media_type, 500)
        return _told(operation.result(), media_type)


async def _finished_or_left(operation: "asyncio.Task[ExecutionResult]", receive: Receive) -> None:
    """Wait for the operation. Raises ClientDisconnect, the operation cancelled, if the caller goes away first."""
    watch = asyncio.ensure_future(receive())
    try:
        await asyncio.wait((operation, watch), return_when=asyncio.FIRST_COMPLETED)
        if not operation.done():
            raise ClientDisconnect
    finally:
        unfinished = [task for task in (operation, watch) if not task.done()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


def _told(result: ExecutionResult, media_type: str) -> Response:
    """An answer with `data`, if only null by a forbidden field; or errors alone, if the operation was not run."""
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.data is None:
        return _response(answer, media_type, 400 if media_type == GRAPHQL_JSON else 200)
    answer["data"] = result.data
    return _response(answer, media_type, 200)


async def _sent(request: Request) -> dict[str, Any]:
    """The request's members. Raises _Refused, and ClientDisconnect if the body never ends."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Refused(415, "UNSUPPORTED_ENCODING", "Send the body without compression.")
    if not is_json(request.headers.get("content-type", "")):
        raise _Refused(415, "USE_JSON", "Send application/json in UTF-8.")
    try:
        async with asyncio.timeout(limits.BODY_SECONDS):
            body = await _body(request)
    except TimeoutError:
        message = f"The body did not come within {limits.BODY_SECONDS:g} seconds. Send it again."
        raise _Refused(408, "BODY_TOO_SLOW", message, {"connection": "close"}) from None
    try:
        sent: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _Refused(400, "INVALID_JSON", "The body is not JSON in UTF-8. Check it and send it again.") from None
    if not _is_request(sent):
        message = "Send an object with `query` as a text, and `variables` and `extensions` as objects if any."
        raise _Refused(400, "INVALID_REQUEST", message)
    found: dict[str, Any] = sent
    return found


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("query"), str)
        and isinstance(value.get("variables"), dict | None)
        and isinstance(value.get("operationName"), str | None)
        and isinstance(value.get("extensions"), dict | None)
    )


async def _body(request: Request) -> bytes:
    message = f"Send at most {limits.MAXIMUM_BODY // 1024} kB. Ask in several requests."
    too_large = _Refused(413, "BODY_TOO_LARGE", message, {"connection": "close"})
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limits.MAXIMUM_BODY:
        raise too_large
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limits.MAXIMUM_BODY:
            raise too_large
    return bytes(received)


def _response(body: dict[str, Any], media_type: str, status: int, headers: dict[str, str] | None = None) -> Response:
    told = {"content-type": f"{media_type}; charset=utf-8", **(headers or {})}
    return Response(orjson.dumps(body, default=str), status_code=status, headers=told)
