"""Plain ASGI middleware and small helpers that all pages and endpoints share."""

from uuid import UUID

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.identity.errors import IdentityRefusal
from app.identity.principal import Principal
from app.services import Services
from tenants.identifiers import new_id

log = structlog.get_logger()


class RequestIds:
    """Gives each request an id, answers with it, and turns an unforeseen error into a 500 that shows nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given(Headers(scope=scope).get("x-request-id")) or new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = str(request_id)
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            log.error("request failed", request_id=str(request_id), path=_path(scope), kind=type(error).__name__)
            if started:
                raise
            body = {
                "error": "INTERNAL_ERROR",
                "message": "Something went wrong on our side. Try again; if it stays, quote the request id.",
                "request_id": str(request_id),
            }
            await JSONResponse(body, status_code=500)(scope, receive, answer)
            raise


_SECRET = ("secret", "token", "code")
"""Parts of public addresses that open what they lead to."""


def _path(scope: Scope) -> str:
    """The path without what nobody else may know of it."""
    path: str = scope["path"]
    for name in _SECRET:
        value = scope.get("path_params", {}).get(name)
        if isinstance(value, str) and value:
            path = path.replace(value, f"({name})")
    return path


def _given(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", _POLICY.encode()),
)


class SecurityHeaders:
    """Headers that every answer carries."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *[pair for pair in SECURITY if pair[0] not in said]]
            await send(message)

        await self.app(scope, receive, answer if scope["type"] == "http" else send)


async def bearer_principal(request: Request) -> Principal:
    """The caller behind the Authorization header. Raises IdentityRefusal."""
    services: Services = request.app.state.services
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise IdentityRefusal(
            "NO_TOKEN", "Send an access token as “Authorization: Bearer …”. Get one from /oauth/token."
        )
    return await services.clients.principal(token.strip())


def unauthorised(refusal: IdentityRefusal) -> JSONResponse:
    """401 with the refusal's code."""
    headers = {"www-authenticate": 'Bearer error="invalid_token"'}
    return JSONResponse({"error": refusal.code, "message": refusal.message}, status_code=401, headers=headers)
