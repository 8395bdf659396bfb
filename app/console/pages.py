"""What console pages are made of. To add a page:

1. Write `async def some_page(request: Request) -> Response` in a module `…_pages.py` of this folder. Read through
   `tenant_reads(request)`, change through `tenant_work(request)` and an operation of the domain, and answer with
   `render(request, "some.jinja", …)` or, after a change, `redirect("/console/…", done="key")`; the sentence for the
   key stands in `words.DONE`. Catch the domain's refusals and pass `problems=[Problem(field, message)]` to the form's
   template again, with status 422: the error summary and the messages beside the fields come from there.
2. Declare it in that module's `ROUTES` with `page(path, endpoint, needs=Permission.…)`, with `also=` where it needs
   a second permission, and add the list to `console.ROUTES`. A route without a declared need keeps the application
   from starting. The access log uses the endpoint's name. What a POST changes must be a POST: GET changes nothing.
3. If people are to find it, add an entry to `navigation.NAVIGATION`.

Before an endpoint runs, its need is checked; for unsafe methods the body is read up to `largest_body` and the session's
token is compared, so every form's template holds `{{ token() }}`. Then `form_of(request)` has the fields. A page that
takes uploads says `files=1` and its own `largest_body`. Tables that are only looked at are views of sqladmin, declared
in `registry_pages.py`.

Templates extend `layout.jinja`, which gives the frame, and use the components of nhsuk-frontend; see `words.py` for
the names of roles and permissions.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from app.console import words
from app.console.navigation import NAVIGATION
from app.identity.permissions import Permission
from app.identity.principal import Principal
from app.identity.rules import LOCK_RULE, Stage
from app.identity.sessions import BrowserSession
from app.services import Services
from tenants.clock import LONDON
from tenants.context import ActorKind, PlatformContext
from tenants.session import UnitOfWork

LARGEST_BODY = 64 * 1024


class Door(StrEnum):
    """Needs of the pages around signing in; all other pages need a Permission."""

    ANYBODY = "anybody"
    SECOND_FACTOR = "second_factor"
    ENROLMENT = "enrolment"
    SIGNED_IN = "signed_in"
    AT_WORK = "at_work"


Need = Door | Permission
Endpoint = Callable[[Request], Awaitable[Response]]


class ConsoleRoute(Route):
    """A route that says what it needs."""

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        needs: Need,
        also: Permission | None,
        methods: Sequence[str],
        **limits: int,
    ) -> None:
        name = endpoint.__name__
        super().__init__(path, _guarded(endpoint, name, needs, also, **limits), methods=list(methods), name=name)
        self.needs, self.also = needs, also


def page(
    path: str,
    endpoint: Endpoint,
    *,
    needs: Need,
    also: Permission | None = None,
    methods: Sequence[str] = ("GET",),
    largest_body: int = LARGEST_BODY,
    files: int = 0,
) -> ConsoleRoute:
    """Declare a page: its path within the console, what it needs (`also`: both), its methods, its forms' limits."""
    limits = {"largest_body": largest_body, "files": files}
    return ConsoleRoute(path, endpoint, needs=needs, also=also, methods=methods, **limits)


def _guarded(
    endpoint: Endpoint, name: str, needs: Need, also: Permission | None, *, largest_body: int, files: int
) -> Endpoint:
    async def guarded(request: Request) -> Response:
        request.state.console_route = name
        request.state.subject_id = next((v for v in request.path_params.values() if isinstance(v, UUID)), None)
        for need in (needs, also):
            refused = None if need is None else refusal_to(request, need)
            if refused is not None:
                return refused
        if any("\0" in value for value in request.query_params.values()):
            raise HTTPException(400)  # PostgreSQL keeps no such character, so it can be nobody's name
        if request.method == "HEAD":
            # To an endpoint it is a GET: whatever is no GET would be taken for a form that was sent.
            request = Request({**request.scope, "method": "GET"}, request.receive)
        if request.method == "GET":
            return await endpoint(request)
        limited = Request(request.scope, _at_most(request.receive, largest_body))
        try:
            # Beside a file, each field is a short one.
            longest = min(largest_body, LARGEST_BODY) if files else largest_body
            form = await limited.form(max_files=files, max_fields=200, max_part_size=longest)
        except MultiPartException as error:
            raise HTTPException(400) from error
        session = session_of(limited)
        if any(isinstance(value, str) and "\0" in value for value in form.values()):
            raise HTTPException(400)
        given = str(form.get("token", "")).encode()
        if session is not None and not hmac.compare_digest(given, session.csrf_token.encode()):
            return problem_page(limited, 403, "OLD_PAGE")
        try:
            return await endpoint(limited)
        finally:
            await limited.close()

    return guarded


def _at_most(receive: Receive, size: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > size:
            raise HTTPException(413)
        return message

    return counted


def refusal_to(request: Request, needs: Need) -> Response | None:
    """The answer to somebody who may not come in here, or None for somebody who may."""
    session, principal = session_of(request), principal_or_none(request)
    if needs is Door.ANYBODY:
        return None
    if session is None:
        return redirect("/console/sign-in")
    admitted = {
        Door.SECOND_FACTOR: session.stage is Stage.SECOND_FACTOR,
        Door.ENROLMENT: may_enrol(session),
        Door.SIGNED_IN: session.stage is Stage.SIGNED_IN,
        Door.AT_WORK: principal is not None,
    }
    if isinstance(needs, Permission):
        if principal is None:
            return redirect(entrance(session, principal))
        return None if principal.may(needs) else problem_page(request, 403)
    return None if admitted[needs] else redirect(entrance(session, principal))


def may_enrol(session: BrowserSession) -> bool:
    """Whether an authenticator app can be tied to the login now; a provider's sign-in has its own second factor."""
    own = session.stage is Stage.ENROLMENT or (session.stage is Stage.SIGNED_IN and not session.enrolled)
    return own and session.identity_provider_id is None


def entrance(session: BrowserSession, principal: Principal | None) -> str:
    """Where somebody goes next on the way in."""
    if session.stage is Stage.SECOND_FACTOR:
        return "/console/second-factor"
    if session.stage is Stage.ENROLMENT:
        return "/console/second-factor/enrol"
    return "/console/tenant" if principal is None else "/console/"


# --- the request ----------------------------------------------------------------------------------------------------


def services_of(request: Request) -> Services:
    """The process's connections and keys."""
    services: Services = request.app.state.services
    return services


def session_of(request: Request) -> BrowserSession | None:
    """The browser's session, however far its sign-in has come."""
    session: BrowserSession | None = getattr(request.state, "browser_session", None)
    return session


def session_here(request: Request) -> BrowserSession:
    """The session on a page that needs one."""
    session = session_of(request)
    assert session is not None
    return session


def principal_or_none(request: Request) -> Principal | None:
    """Who is at work, if anybody."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal


def principal_here(request: Request) -> Principal:
    """Who is at work, on a page that needs somebody."""
    principal = principal_or_none(request)
    assert principal is not None
    return principal


def tenant_work(request: Request) -> AbstractAsyncContextManager[UnitOfWork]:
    """A unit of work in the tenant of whoever is at work."""
    context = principal_here(request).tenant_context(request_id=request.state.request_id)
    return services_of(request).database.unit_of_work(context)


def tenant_look(request: Request) -> AbstractAsyncContextManager[UnitOfWork]:
    """A unit of work that only reads, for what the domain answers by one."""
    context = principal_here(request).tenant_context(request_id=request.state.request_id, read_only=True)
    return services_of(request).database.unit_of_work(context)


def tenant_reads(request: Request) -> AsyncSession:
    """A read-only session in the tenant of whoever is at work; use it as a context manager."""
    context = principal_here(request).tenant_context(request_id=request.state.request_id, read_only=True)
    return services_of(request).database.session(context)


def platform_work(request: Request, reason: str) -> AbstractAsyncContextManager[UnitOfWork]:
    """A unit of work in no tenant, for signing in and out."""
    session = session_of(request)
    actor = None if session is None else session.login_id
    kind = ActorKind.PLATFORM if session is None else ActorKind.STAFF
    context = PlatformContext(reason, kind, actor, request.state.request_id)
    return services_of(request).database.unit_of_work(context)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that was sent."""

    fields: dict[str, list[str | UploadFile]]

    def text(self, name: str) -> str:
        """The field's text; empty if it was not sent."""
        return next((value for value in self.fields.get(name, []) if isinstance(value, str)), "")

    def texts(self, name: str) -> list[str]:
        """All texts of a field, such as ticked boxes."""
        return [value for value in self.fields.get(name, []) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """The file of the field, if one was chosen."""
        found = (value for value in self.fields.get(name, []) if isinstance(value, UploadFile))
        return next((file for file in found if file.filename), None)


async def form_of(request: Request) -> Form:
    """The form that the guard has read and checked."""
    fields: dict[str, list[str | UploadFile]] = {}
    for name, value in (await request.form()).multi_items():
        fields.setdefault(name, []).append(value)
    return Form(fields)


# --- the answer -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form: the field's id (empty if it is the whole form) and what to do."""

    field: str
    message: str


def plain(value: Any) -> str:
    """Any value of a table for people: moments in English local time, a dash for nothing."""
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return f"{value.astimezone(LONDON):%-d %B %Y, %H:%M}"
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


_environment = Environment(
    loader=ChoiceLoader([PackageLoader("app.console"), PackageLoader("nhsuk_frontend_jinja")]),
    autoescape=True,
    auto_reload=False,  # templates come with the release; to look for newer ones costs a twentieth of a page
    undefined=ChainableUndefined,  # the components of nhsuk-frontend-jinja reach into what was not given
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["moment"] = plain
_environment.filters["day"] = lambda at: f"{at.astimezone(LONDON):%-d %B %Y}"
_environment.filters["second"] = lambda at: f"{at.astimezone(LONDON):%-d %B %Y, %H:%M:%S}"
_environment.filters["date"] = plain
_environment.filters["count"] = lambda number: f"{number:,}"
_environment.filters["plain"] = plain
_environment.filters["uuid"] = UUID
_environment.globals.update(role_words=words.ROLES, permission_words=words.PERMISSIONS)


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page. Templates see, beside `context`, `principal`, `session`, `navigation`, `done` and `problems`."""
    session, principal = session_of(request), principal_or_none(request)
    shared: dict[str, Any] = {
        "principal": principal,
        "session": session,
        "navigation": [item for item in NAVIGATION if principal is not None and principal.may(item.needs)],
        "path": request.url.path,
        "done": words.DONE.get(request.query_params.get("done", "")),
        "lock_rule": LOCK_RULE,
        "problems": [],
        "values": {},
    }
    html = _environment.get_template(template).render(shared | context)
    return HTMLResponse(html, status_code=status)


def problem_page(request: Request, status: int, code: str | None = None) -> Response:
    """A page that says what went wrong and what to do."""
    title, message = words.PROBLEMS.get(code or str(status), words.PROBLEMS["500"])
    request_id = request.state.request_id if status >= 500 else None
    return render(request, "problem.jinja", status=status, title=title, message=message, request_id=request_id)


def redirect(path: str, *, done: str | None = None) -> Response:
    """Go to another page by GET; `done` is a key of words.DONE."""
    return RedirectResponse(path if done is None else f"{path}?done={done}", status_code=303)
