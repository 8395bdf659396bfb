"""What surrounds every console page: headers, access log, error pages, the browser's session, same origin.

Listed from the outside in, as `MIDDLEWARE` at the end puts them.
"""

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.console.pages import problem_page
from app.identity.access_log import write_access
from app.identity.principal import Principal
from app.identity.sessions import BrowserSession, browser_session, principal_of
from app.services import Services

SESSION_COOKIE = "medstead_session"
ATTEMPT_COOKIE = "medstead_attempt"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No inline script or style, nothing from elsewhere. Images by data: are the QR codes."""

log = structlog.get_logger()


def cookie_name(name: str, services: Services) -> str:
    """The cookie's full name: bound to this host and to https wherever the service is on https."""
    return f"__Host-{name}" if services.settings.base_url.startswith("https://") else name


def set_cookie(response: Response, services: Services, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read. Lax and not Strict, so that a link in a message finds people signed in;
    that is safe because GET changes nothing and every other method asks for same origin and a token."""
    secure = services.settings.base_url.startswith("https://")
    response.set_cookie(cookie_name(name, services), value, path="/", secure=secure, httponly=True, samesite="lax")


def clear_cookie(response: Response, services: Services, name: str) -> None:
    """Have the browser forget a cookie."""
    secure = services.settings.base_url.startswith("https://")
    response.delete_cookie(cookie_name(name, services), path="/", secure=secure, httponly=True, samesite="lax")


class ConsoleHeaders:
    """A strict content policy, and nothing of the console kept in any cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["cache-control"] = "no-store"
                headers["cross-origin-opener-policy"] = "same-origin"
            await send(message)

        await self.app(scope, receive, answer)


class AccessLog:
    """Writes down every request before its answer leaves: who is not noted is not served."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                state = scope["state"]
                session: BrowserSession | None = state.get("browser_session")
                principal: Principal | None = state.get("principal")
                await write_access(
                    scope["app"].state.services.database,
                    principal=principal,
                    login_id=None if session is None else session.login_id,
                    request_id=state["request_id"],
                    route=state.get("console_route", "no such page"),
                    method=scope["method"],
                    status=message["status"],
                    subject_id=state.get("subject_id"),
                )
            await send(message)

        await self.app(scope, receive, answer)


class ErrorPages:
    """Turns errors into pages for people; what nobody foresaw goes on to the server's log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except HTTPException as error:
            response = problem_page(Request(scope), error.status_code)
            response.headers.update(error.headers or {})
            await response(scope, receive, answer)
        except Exception:
            if not started:
                await problem_page(Request(scope), 500)(scope, receive, answer)
            raise


class BrowserSessions:
    """Finds the session behind the cookie and who acts by it; hands out the new token when the old one has aged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        services: Services = scope["app"].state.services
        token = Request(scope).cookies.get(cookie_name(SESSION_COOKIE, services))
        session = await browser_session(services.database, services.vault, token) if token else None
        scope["state"]["browser_session"] = session
        scope["state"]["principal"] = None if session is None else await principal_of(services.database, session)
        new_token = None if session is None else session.new_token

        async def answer(message: Message) -> None:
            name = cookie_name(SESSION_COOKIE, services)
            if message["type"] == "http.response.start" and new_token is not None:
                headers = MutableHeaders(scope=message)
                # A page that signs in or out has set the cookie itself, and knows better.
                if not any(value.startswith(f"{name}=") for value in headers.getlist("set-cookie")):
                    cookie = Response()
                    set_cookie(cookie, services, SESSION_COOKIE, new_token)
                    headers.append("set-cookie", cookie.headers["set-cookie"])
            await send(message)

        await self.app(scope, receive, answer)


class SameOrigin:
    """Lets a method that changes something through only from a page of our own.

    Browsers send Origin with every such request, and Sec-Fetch-Site where they can; a request with neither is refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in SAFE_METHODS and not _same_origin(Headers(scope=scope)):
            log.warning("request from elsewhere refused", request_id=str(scope["state"]["request_id"]))
            await problem_page(Request(scope), 403, "OTHER_ORIGIN")(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _same_origin(headers: Headers) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    own_host = origin is None or origin.partition("://")[2] == headers.get("host")
    return site in (None, "same-origin") and own_host


MIDDLEWARE = [Middleware(layer) for layer in (ConsoleHeaders, AccessLog, ErrorPages, BrowserSessions, SameOrigin)]
