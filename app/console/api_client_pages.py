"""Partner applications of the tenant: list, grant, secrets (shown once), revocation."""

from uuid import UUID

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, form_of, page, redirect, render, services_of, tenant_reads, tenant_work
from app.identity.api_clients import add_secret, create_client, revoke_client, revoke_secret
from app.identity.errors import IdentityRefusal
from app.identity.models import ApiClient, ApiClientSecret
from app.identity.permissions import SCOPES, Permission
from app.identity.usage import uses

FIELDS = {"NAME_MISSING": "name", "SCOPE_MISSING": "scopes", "UNKNOWN_SCOPE": "scopes"}
"""The field that each refusal is about."""


async def api_clients(request: Request) -> Response:
    """Every application that was ever let in, live ones first."""
    async with tenant_reads(request) as session:
        rows = await session.scalars(
            select(ApiClient).order_by(ApiClient.revoked_at.is_not(None), ApiClient.name, ApiClient.id)
        )
        clients = rows.all()
    return render(request, "api_clients.jinja", clients=clients)


async def api_client_add(request: Request) -> Response:
    """Let an application in; its first secret is shown once."""
    if request.method == "GET":
        return render(request, "api_client_add.jinja", scopes=sorted(SCOPES), chosen=[])
    form = await form_of(request)
    asked, known = form.texts("scopes"), {str(scope) for scope in SCOPES}
    try:
        if not set(asked) <= known:
            raise IdentityRefusal("UNKNOWN_SCOPE", "Choose from the list what the application may do.")
        async with tenant_work(request) as work:
            client = await create_client(
                work, services_of(request).vault, form.text("name"), [Permission(scope) for scope in asked]
            )
    except IdentityRefusal as refusal:
        return render(
            request,
            "api_client_add.jinja",
            status=422,
            scopes=sorted(SCOPES),
            chosen=asked,
            values={"name": form.text("name")},
            problems=[Problem(FIELDS[refusal.code], refusal.message)],
        )
    return render(
        request,
        "api_client_secret.jinja",
        id=client.id,
        name=form.text("name"),
        client_id=client.client_id,
        secret=client.secret,
    )


async def api_client(request: Request) -> Response:
    """One application: what it may do, its secrets, revocation."""
    return await _client_page(request, 200, [])


async def api_client_add_secret(request: Request) -> Response:
    """A further secret, shown once."""
    client = await _client(request)
    try:
        async with tenant_work(request) as work:
            secret = await add_secret(work, services_of(request).vault, client.id)
    except IdentityRefusal as refusal:
        return await _client_page(request, 422, [Problem("", refusal.message)])
    return render(
        request,
        "api_client_secret.jinja",
        id=client.id,
        name=client.name,
        client_id=client.client_id,
        secret=secret,
    )


async def api_client_revoke_secret(request: Request) -> Response:
    """End one secret."""
    client = await _client(request)
    try:
        async with tenant_work(request) as work:
            await revoke_secret(work, request.path_params["secret_id"])
    except IdentityRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"/console/api-clients/{client.id}", done="secret-revoked")


async def api_client_revoke(request: Request) -> Response:
    """End an application's access."""
    client = await _client(request)
    try:
        async with tenant_work(request) as work:
            await revoke_client(work, client.id)
    except IdentityRefusal as refusal:
        return await _client_page(request, 422, [Problem("", refusal.message)])
    return redirect("/console/api-clients", done="client-revoked")


async def _client(request: Request) -> ApiClient:
    client_id: UUID = request.path_params["api_client_id"]
    async with tenant_reads(request) as session:
        client = (await session.scalars(select(ApiClient).where(ApiClient.id == client_id))).one_or_none()
    if client is None:
        raise HTTPException(404)
    return client


async def _client_page(request: Request, status: int, problems: list[Problem]) -> Response:
    client = await _client(request)
    async with tenant_reads(request) as session:
        rows = await session.scalars(
            select(ApiClientSecret)
            .where(ApiClientSecret.api_client_id == client.id)
            .order_by(ApiClientSecret.created_at, ApiClientSecret.id)
        )
        secrets = rows.all()
        reads = await uses(session, client=client.id)
    live = [secret for secret in secrets if secret.revoked_at is None]
    return render(
        request,
        "api_client.jinja",
        status=status,
        problems=problems,
        client=client,
        secrets=secrets,
        reads=reads,
        deprecated=request.app.state.deprecated_fields,
        room=client.revoked_at is None and len(live) < 2,
    )


_NEEDS = Permission.API_CLIENTS_WRITE

ROUTES = [
    page("/api-clients", api_clients, needs=_NEEDS),
    page("/api-clients/add", api_client_add, needs=_NEEDS, methods=("GET", "POST")),
    page("/api-clients/{api_client_id:uuid}", api_client, needs=_NEEDS),
    page("/api-clients/{api_client_id:uuid}/revoke", api_client_revoke, needs=_NEEDS, methods=("POST",)),
    page("/api-clients/{api_client_id:uuid}/secrets", api_client_add_secret, needs=_NEEDS, methods=("POST",)),
    page(
        "/api-clients/{api_client_id:uuid}/secrets/{secret_id:uuid}/revoke",
        api_client_revoke_secret,
        needs=_NEEDS,
        methods=("POST",),
    ),
]
