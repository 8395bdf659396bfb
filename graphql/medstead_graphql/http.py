"""GraphQL over HTTP: authentication, body limit and checks, then the schema; POST and JSON only."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from app.identity.errors import IdentityRefusal
from app.services import Services
from app.web import bearer_principal, unauthorised
from medstead_graphql.caller import Caller
from medstead_graphql.limits import MAXIMUM_BODY
from medstead_graphql.schema import schema
from tenants.context import TenantContext


class GraphQLEndpoint:
    """Authenticates, checks the body, runs the operation, splices the data into the answer without parsing it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise LookupError("subscriptions are not offered")
        request = Request(scope, receive)
        await (await self._answer(request, scope))(scope, receive, send)

    async def _answer(self, request: Request, scope: Scope) -> Response:
        if request.method != "POST":
            headers = {"allow": "POST"}
            return _error(405, "USE_POST", "Send documents with POST: GET changes nothing and is not offered.", headers)
        try:
            principal = await bearer_principal(request)
        except IdentityRefusal as refusal:
            return unauthorised(refusal)
        body = await _body(request)
        if body is None:
            return _error(413, "BODY_TOO_LARGE", f"Send at most {MAXIMUM_BODY // 1024} kB. Ask in several requests.")
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _error(415, "USE_JSON", "Send application/json.")
        try:
            parsed: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _error(400, "INVALID_JSON", "The body is not JSON in UTF-8. Check it and send it again.")
        if not _is_request(parsed):
            return _error(400, "INVALID_REQUEST", "Send an object with `query`, and `variables` as an object if any.")
        services: Services = request.app.state.services
        tenant_id = principal.tenant_context().tenant_id
        context = TenantContext(tenant_id, principal.kind, principal.id, scope["state"]["request_id"])
        caller = Caller(
            context,
            frozenset(str(permission) for permission in principal.permissions),
            lambda sql, arguments: services.reader.value(tenant_id, sql, arguments),
            services.database,
            services.settings.data_dir / "uploads",
        )
        result = await schema.execute(
            parsed["query"], parsed.get("variables"), caller, operation_name=parsed.get("operationName")
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return Response(orjson.dumps(answer, default=str), media_type="application/json")


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("query"), str)
        and isinstance(value.get("variables"), dict | None)
        and isinstance(value.get("operationName"), str | None)
    )


async def _body(request: Request) -> bytes | None:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAXIMUM_BODY:
            return None
    return bytes(received)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": code}}]}, status_code=status, headers=headers
    )
