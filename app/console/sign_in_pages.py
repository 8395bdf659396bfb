"""The way in and out: password, code, enrolment, the organisation's own sign-in, invitations, choice of tenant."""

from uuid import UUID

import segno
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.middleware import (
    ATTEMPT_COOKIE,
    SESSION_COOKIE,
    clear_cookie,
    cookie_name,
    set_cookie,
)
from app.console.pages import (
    Door,
    Problem,
    entrance,
    form_of,
    page,
    platform_work,
    principal_or_none,
    redirect,
    render,
    services_of,
    session_here,
    session_of,
)
from app.identity.errors import IdentityRefusal
from app.identity.providers import providers_of
from app.identity.sessions import browser_session, end_session, enter_tenant, workplaces
from app.identity.sign_in import (
    CODE_REFUSED,
    REFUSED,
    check_credentials,
    check_second_factor,
    enrol_second_factor,
    sign_in,
    take_invitation,
    tenant_of_invitation,
)
from app.identity.totp import new_totp_secret, provisioning_uri
from tenants.context import ActorKind, TenantContext


async def sign_in_page(request: Request) -> Response:
    """E-mail address and password."""
    session = session_of(request)
    if request.method == "GET":
        if session is not None:
            return redirect(entrance(session, principal_or_none(request)))
        return render(request, "sign_in.jinja")
    form, services = await form_of(request), services_of(request)
    candidate = await check_credentials(services.database, form.text("email"), form.text("password"))
    async with platform_work(request, "sign in") as work:
        token = await sign_in(work, services.vault, services.settings, candidate)
    if token is None:
        return render(
            request,
            "sign_in.jinja",
            status=422,
            values={"email": form.text("email")},
            problems=[Problem("email", REFUSED.message)],
        )
    return await _onwards(request, token)


async def second_factor(request: Request) -> Response:
    """The code from the authenticator app."""
    if request.method == "GET":
        return render(request, "second_factor.jinja")
    form, services, session = await form_of(request), services_of(request), session_here(request)
    async with platform_work(request, "second factor") as work:
        token = await check_second_factor(work, services.vault, session.id, form.text("code"))
    if token is None:
        problems = [Problem("code", CODE_REFUSED.message)]
        return render(request, "second_factor.jinja", status=422, problems=problems)
    return await _onwards(request, token)


async def enrol(request: Request) -> Response:
    """Tie an authenticator app to the login. The secret stands encrypted in the form until a code has proved it."""
    if request.method == "GET":
        return _enrolment(request, new_totp_secret(), 200, [])
    form, services, session = await form_of(request), services_of(request), session_here(request)
    secret = _sealed_secret(request, form.text("sealed"))
    async with platform_work(request, "enrol a second factor") as work:
        token = await enrol_second_factor(work, services.vault, session.id, secret, form.text("code"))
    if token is None:
        return _enrolment(request, secret, 422, [Problem("code", CODE_REFUSED.message)])
    return await _onwards(request, token, done="enrolled")


def _enrolment(request: Request, secret: str, status: int, problems: list[Problem]) -> Response:
    session = session_here(request)
    sealed = services_of(request).vault.encrypt(f"{session.id} {secret}".encode()).decode()
    return render(
        request,
        "enrol.jinja",
        status=status,
        problems=problems,
        sealed=sealed,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        code=segno.make(provisioning_uri(secret, session.email), error="m").svg_data_uri(scale=6, border=4),
        forced=principal_or_none(request) is None,
    )


def _sealed_secret(request: Request, sealed: str) -> str:
    """The secret in the form, if it was made for this session."""
    try:
        session_id, _, secret = services_of(request).vault.decrypt(sealed.encode()).decode().partition(" ")
    except ValueError as error:
        raise HTTPException(400) from error
    if session_id != str(session_here(request).id):
        raise HTTPException(400)
    return secret


async def organisation(request: Request) -> Response:
    """The organisation's own sign-in, found by the tenant's short name and never by the address's domain."""
    name = request.query_params.get("name", "")
    if not name.strip():
        return render(request, "organisation.jinja", providers=None)
    providers = await providers_of(services_of(request).database, name)
    problems = [] if providers else [Problem("name", "No organisation signs in under that short name. Check it.")]
    return render(request, "organisation.jinja", providers=providers, values={"name": name}, problems=problems)


async def organisation_begin(request: Request) -> Response:
    """Off to the provider. A page that moves on by itself, since `form-action 'self'` stops a redirect from a form."""
    form, services = await form_of(request), services_of(request)
    try:
        departure = await services.openid.begin(request.path_params["provider_id"], form.text("code").strip() or None)
    except IdentityRefusal as refusal:
        return render(request, "return.jinja", status=422, problems=[Problem("", refusal.message)])
    response = render(request, "departure.jinja", url=departure.url)
    response.headers["refresh"] = f"0; url={departure.url}"
    set_cookie(response, services, ATTEMPT_COOKIE, departure.browser)
    return response


async def organisation_return(request: Request) -> Response:
    """Back from the provider. The GET shows a form that sends itself on, because GET changes nothing."""
    if request.method == "GET":
        query = request.query_params
        if "code" not in query or "state" not in query:
            problems = [Problem("", "Your organisation did not vouch for you. Try again, or ask its service desk.")]
            return render(request, "return.jinja", status=422, problems=problems)
        values = {name: query[name][:4096] for name in ("code", "state", "iss") if name in query}
        return render(request, "return.jinja", values=values)
    form, services = await form_of(request), services_of(request)
    try:
        token = await services.openid.finish(
            state=form.text("state"),
            code=form.text("code"),
            issuer=form.text("iss") or None,
            browser=request.cookies.get(cookie_name(ATTEMPT_COOKIE, services), ""),
        )
    except IdentityRefusal as refusal:
        return render(request, "return.jinja", status=422, problems=[Problem("", refusal.message)])
    response = await _onwards(request, token)
    clear_cookie(response, services, ATTEMPT_COOKIE)
    return response


async def invitation(request: Request) -> Response:
    """Take an administrator's invitation: by a first password, or with the login one is signed in to."""
    if request.method == "GET":
        return render(request, "invitation.jinja")
    form, services, session = await form_of(request), services_of(request), session_of(request)
    code, password = form.text("code"), form.text("password")
    try:
        if session is None and password != form.text("password_again"):
            raise IdentityRefusal("PASSWORDS_DIFFER", "The two passwords are not the same. Type them again.")
        tenant_id = await tenant_of_invitation(services.database, services.vault, code)
        context = TenantContext(tenant_id, ActorKind.STAFF, None, request.state.request_id)
        async with services.database.unit_of_work(context) as work:
            await take_invitation(
                work,
                services.vault,
                code,
                login_id=None if session is None else session.login_id,
                password=password if session is None else None,
            )
    except IdentityRefusal as refusal:
        field = {"WEAK_PASSWORD": "password", "PASSWORDS_DIFFER": "password_again"}.get(refusal.code, "code")
        problems = [Problem(field, refusal.message)]
        return render(request, "invitation.jinja", status=422, values={"code": code}, problems=problems)
    if session is None:
        return redirect("/console/sign-in", done="password-chosen")
    return redirect("/console/tenant", done="joined")


async def choose_tenant(request: Request) -> Response:
    """Where to work, for people in several tenants, and for those whose only one has closed to them."""
    services, session = services_of(request), session_here(request)
    places = [] if session.identity_provider_id else await workplaces(services.database, session.login_id)
    if request.method == "GET":
        return render(request, "tenant.jinja", places=places)
    text = (await form_of(request)).text("tenant_id")
    chosen = next((place for place in places if str(place.tenant_id) == text), None)
    if chosen is None:
        problems = [Problem("tenant_id", "Choose a tenant from the list.")]
        return render(request, "tenant.jinja", status=422, places=places, problems=problems)
    await _enter(request, session.id, chosen.tenant_id, chosen.staff_member_id)
    return redirect("/console/")


async def sign_out(request: Request) -> Response:
    """End the session; in the tenant's trail if one was at work there."""
    services, session, principal = services_of(request), session_of(request), principal_or_none(request)
    if session is not None:
        if principal is not None and principal.tenant_id is not None:
            context = principal.tenant_context(request_id=request.state.request_id)
            async with services.database.unit_of_work(context) as work:
                await end_session(work, session.id)
        else:
            async with platform_work(request, "sign out") as work:
                await end_session(work, session.id)
    response = redirect("/console/sign-in", done="signed-out")
    clear_cookie(response, services, SESSION_COOKIE)
    return response


async def _onwards(request: Request, token: str, *, done: str | None = None) -> Response:
    """Give the browser its new session and go where it leads; who works in one tenant alone is put there."""
    services = services_of(request)
    session = await browser_session(services.database, services.vault, token)
    assert session is not None
    path = entrance(session, None)
    if path == "/console/tenant":
        places = await workplaces(services.database, session.login_id)
        if session.tenant_id is not None or session.platform_role is not None:
            path = "/console/"
        elif len(places) == 1:
            await _enter(request, session.id, places[0].tenant_id, places[0].staff_member_id)
            path = "/console/"
    response = redirect(path, done=done)
    set_cookie(response, services, SESSION_COOKIE, token)
    return response


async def _enter(request: Request, session_id: UUID, tenant_id: UUID, staff_member_id: UUID) -> None:
    context = TenantContext(tenant_id, ActorKind.STAFF, staff_member_id, request.state.request_id)
    async with services_of(request).database.unit_of_work(context) as work:
        await enter_tenant(work, session_id)


_BOTH = ("GET", "POST")

ROUTES = [
    page("/sign-in", sign_in_page, needs=Door.ANYBODY, methods=_BOTH),
    page("/second-factor", second_factor, needs=Door.SECOND_FACTOR, methods=_BOTH),
    page("/second-factor/enrol", enrol, needs=Door.ENROLMENT, methods=_BOTH),
    page("/organisation", organisation, needs=Door.ANYBODY),
    page("/organisation/{provider_id:uuid}", organisation_begin, needs=Door.ANYBODY, methods=("POST",)),
    page("/sign-in/return", organisation_return, needs=Door.ANYBODY, methods=_BOTH),
    page("/invitation", invitation, needs=Door.ANYBODY, methods=_BOTH),
    page("/tenant", choose_tenant, needs=Door.SIGNED_IN, methods=_BOTH),
    page("/sign-out", sign_out, needs=Door.ANYBODY, methods=("POST",)),
]
