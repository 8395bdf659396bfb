"""The audit viewer: a tenant's trail from its newest row back, read only, paged by the row's number."""

from uuid import UUID

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import page, render, tenant_reads
from app.identity.models import ApiClient, StaffMember
from app.identity.permissions import Permission
from tenants.audit import AuditEvent
from tenants.context import ActorKind

PAGE_SIZE = 50

ACTORS = {
    ActorKind.STAFF: "Staff",
    ActorKind.API_CLIENT: "Partner application",
    ActorKind.WORKER: "The service itself",
    ActorKind.COMMAND_LINE: "Operator at the command line",
    ActorKind.PLATFORM: "The platform",
}


async def audit_trail(request: Request) -> Response:
    """Rows before the number in `before`, or the newest."""
    text = request.query_params.get("before", "")
    # Ten digits number more rows than a tenant can write, and fit the column.
    before = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
    statement = select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(PAGE_SIZE + 1)
    if before is not None:
        statement = statement.where(AuditEvent.sequence < before)
    async with tenant_reads(request) as session:
        rows = (await session.scalars(statement)).all()
        actors = {row.actor_id for row in rows if row.actor_id is not None}
        names: dict[UUID, str] = {}
        for people in (
            select(StaffMember.id, StaffMember.display_name).where(StaffMember.id.in_(actors)),
            select(ApiClient.id, ApiClient.name).where(ApiClient.id.in_(actors)),
        ):
            names.update((id_, name) for id_, name in await session.execute(people))
    return render(
        request,
        "audit.jinja",
        events=rows[:PAGE_SIZE],
        names=names,
        kinds=ACTORS,
        older=rows[PAGE_SIZE - 1].sequence if len(rows) > PAGE_SIZE else None,
        newest=before is None,
    )


ROUTES = [page("/audit", audit_trail, needs=Permission.AUDIT_READ)]
