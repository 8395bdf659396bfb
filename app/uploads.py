"""Uploads over HTTP for partner applications: the file is the body, what is said about it stands in the query."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.identity.errors import IdentityRefusal
from app.identity.permissions import Permission
from app.imports import operations
from app.imports.errors import ImportRefusal
from app.imports.receiving import Incoming, receive
from app.services import Services
from app.web import bearer_principal, unauthorised
from tenants.context import TenantContext

_REFUSED = 422


async def upload(request: Request) -> Response:
    """Take a file in: `POST /uploads?filename=…&format=…&options={…}&apply=true`; 202 with the import's id.

    200 when the same file with the same options came before; 422 with a code when it is refused.
    """
    context = await _caller(request, Permission.IMPORTS_WRITE)
    if isinstance(context, Response):
        return context
    services: Services = request.app.state.services
    query = request.query_params
    try:
        options: Any = orjson.loads(query.get("options") or "{}")
        if not isinstance(options, dict):
            raise ValueError("no object")
    except ValueError:
        return _error(400, "INVALID_OPTIONS", "Send `options` as a JSON object.")
    said = Incoming(
        filename=query.get("filename") or "upload",
        format_code=query.get("format") or None,
        options=options,
        auto_apply=query.get("apply") == "true",
    )
    try:
        received = await receive(
            services.database, context, request.stream(), said, services.settings.data_dir / "uploads"
        )
    except ImportRefusal as refusal:
        return _error(_REFUSED, refusal.code, refusal.message, refusal.field)
    body = {"import_id": f"Import:{received.import_id}", "already": received.already}
    return JSONResponse(body, status_code=200 if received.already else 202)


async def rejected_rows(request: Request) -> Response:
    """The rejected rows of an import as a CSV: `POST /uploads/{import_id}/rejected.csv`, for it leaves an audit row."""
    context = await _caller(request, Permission.IMPORTS_READ, Permission.PEOPLE_READ)
    if isinstance(context, Response):
        return context
    services: Services = request.app.state.services
    lines = operations.rejected_rows(services.database, context, request.path_params["import_id"])
    try:
        first = await anext(lines)
    except ImportRefusal as refusal:
        return _error(404, refusal.code, refusal.message)
    headers = {"content-disposition": 'attachment; filename="rejected-rows.csv"', "cache-control": "no-store"}
    return StreamingResponse(_all(first, lines), media_type="text/csv; charset=utf-8", headers=headers)


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for line in rest:
        yield line


async def _caller(request: Request, *needed: Permission) -> TenantContext | Response:
    try:
        principal = await bearer_principal(request)
    except IdentityRefusal as refusal:
        return unauthorised(refusal)
    missing = [permission for permission in needed if not principal.may(permission)]
    if missing:
        return _error(403, "FORBIDDEN", f"It needs the scope {missing[0]}. Ask the tenant to grant it.")
    bound = principal.tenant_context()
    return TenantContext(bound.tenant_id, bound.actor_kind, bound.actor_id, request.state.request_id)


def _error(status: int, code: str, message: str, field: str = "") -> JSONResponse:
    body = {"error": code, "message": message} | ({"field": field} if field else {})
    return JSONResponse(body, status_code=status)
