"""What public pages are made of: no session, no cookie, and GET changes nothing.

A page is an endpoint that reads through `tenant_of(request)` and `reads(request, tenant)` and answers with
`render(request, "some.jinja", …)`; its template extends `public.jinja`, which has the look of the console. Mount its
routes with `MIDDLEWARE`, which gives the headers and the pages for errors. `Misses` slows down whoever guesses.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis
import structlog
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.console.pages import plain
from app.identity.secrets import Vault
from app.services import Services
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.models import Tenant

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
LARGEST_FORM = 8 * 1024

log = structlog.get_logger()

_environment = Environment(
    loader=ChoiceLoader([PackageLoader(name) for name in ("app.public", "app.console", "nhsuk_frontend_jinja")]),
    autoescape=True,
    auto_reload=False,
    undefined=ChainableUndefined,  # the components of nhsuk-frontend-jinja reach into what was not given
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["plain"] = plain

PROBLEMS = {
    404: ("There is no such page", "Check the address that you were given."),
    405: ("This page cannot be used that way", "Open the address that you were given."),
    413: ("What you sent is too large", "Send a shorter text."),
    429: ("Too many tries", "Wait some minutes, then try again with what you were given."),
    500: ("Something went wrong on our side", "Nothing has been changed. Try again in a moment."),
}


@dataclass(frozen=True, slots=True)
class PublicTenant:
    """What a public page tells of a tenant."""

    context: TenantContext
    slug: str
    name: str


def services_of(request: Request) -> Services:
    """The process's connections and keys."""
    services: Services = request.app.state.services
    return services


async def tenant_of(request: Request) -> PublicTenant:
    """The tenant that the address names, also one that is suspended: what it issued stays. HTTPException 404."""
    database = services_of(request).database
    slug = request.path_params["slug"]
    if "\0" in slug:
        raise HTTPException(404)
    platform = PlatformContext("public page", request_id=request.state.request_id, read_only=True)
    async with database.session(platform) as session:
        found = (await session.execute(select(Tenant.id, Tenant.name).where(Tenant.slug == slug))).first()
    if found is None:
        raise HTTPException(404)
    context = TenantContext(found.id, ActorKind.PLATFORM, request_id=request.state.request_id, read_only=True)
    return PublicTenant(context, slug, found.name)


def reads(request: Request, tenant: PublicTenant) -> AsyncSession:
    """A read-only session in the tenant; use it as a context manager."""
    return services_of(request).database.session(tenant.context)


async def form_of(request: Request) -> dict[str, str]:
    """The texts of a small form. HTTPException 413 for a large one, 400 for one that cannot be stored."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > LARGEST_FORM:
        raise HTTPException(413)
    async with request.form(max_files=0, max_fields=20, max_part_size=LARGEST_FORM) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return {name: value.replace("\0", "") for name, value in fields.items()}


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page. Templates see, beside `context`, `problems` and `values`."""
    shared: dict[str, Any] = {"path": request.url.path, "problems": [], "values": {}}
    return HTMLResponse(_environment.get_template(template).render(shared | context), status_code=status)


def problem_page(request: Request, status: int) -> Response:
    """A page that says what went wrong and what to do."""
    title, message = PROBLEMS.get(status, PROBLEMS[500] if status >= 500 else PROBLEMS[404])
    return render(request, "public_problem.jinja", status=status, title=title, message=message)


class PublicFrame:
    """A strict content policy, nothing kept in caches, nothing shown to search engines, and pages for errors."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                headers["referrer-policy"] = "no-referrer"
                headers["x-robots-tag"] = "noindex"
                headers.setdefault("cache-control", "no-store")
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


MIDDLEWARE = [Middleware(PublicFrame)]

TRIES = 20
WINDOW_SECONDS = 600
ANSWER_SECONDS = 0.25
ADDRESSES = 10_000


class Misses:
    """Counts wrong tries by address: in Valkey for all processes, in this one while Valkey does not answer.

    Addresses are kept as keyed hashes, for as long as the window lasts.
    """

    def __init__(self, url: str, vault: Vault, door: str) -> None:
        self._vault, self._door = vault, door
        self._valkey = redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        self._here: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def _key(self, request: Request) -> str:
        address = request.client.host if request.client is not None else ""
        return f"medstead:misses:{self._door}:{self._vault.hash(address).hex()}"

    async def refuse_guessing(self, request: Request) -> None:
        """HTTPException 429 with Retry-After for an address that was wrong too often."""
        key = self._key(request)
        count, until = self._here.get(key, (0, 0.0))
        tries, left = (count, int(until - time.monotonic())) if until > time.monotonic() else (0, 0)
        try:
            stored = await self._valkey.get(key)
            if stored is not None and int(stored) >= max(tries, TRIES):
                tries, left = int(stored), int(await self._valkey.ttl(key))
        except (RedisError, OSError) as error:
            log.warning("wrong tries are counted in this process", error=type(error).__name__)
        if tries >= TRIES:
            raise HTTPException(429, headers={"retry-after": str(max(1, left))})

    async def note(self, request: Request) -> None:
        """Count a wrong try."""
        key = self._key(request)
        try:
            async with self._valkey.pipeline(transaction=True) as together:
                together.set(key, 0, ex=WINDOW_SECONDS, nx=True)
                together.incr(key)
                await together.execute()
        except (RedisError, OSError):
            count, until = self._here.get(key, (0, 0.0))
            now = time.monotonic()
            self._here[key] = (count + 1, until) if until > now else (1, now + WINDOW_SECONDS)
            self._here.move_to_end(key)
            if len(self._here) > ADDRESSES:
                self._here.popitem(last=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._valkey.aclose()
