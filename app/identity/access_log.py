"""The access log of the console: who asked for which page when, in ids and route names; written, never changed."""

from uuid import UUID

from app.identity.models import Access, PlatformAccess
from app.identity.principal import Principal
from tenants.context import ActorKind, PlatformContext
from tenants.identifiers import new_id
from tenants.session import Database


async def write_access(
    database: Database,
    *,
    principal: Principal | None,
    login_id: UUID | None,
    request_id: UUID,
    route: str,
    method: str,
    status: int,
    subject_id: UUID | None,
) -> None:
    """One row: in the tenant's log if somebody acts in a tenant, in the platform's otherwise."""
    said = {
        "id": new_id(),
        "request_id": request_id,
        "route": route,
        "method": method,
        "status": status,
        "subject_id": subject_id,
    }
    if principal is not None and principal.tenant_id is not None:
        async with database.unit_of_work(principal.tenant_context(request_id=request_id)) as work:
            work.add(Access(tenant_id=work.tenant_id, staff_member_id=principal.id, at=work.now, **said))
        return
    context = PlatformContext("write the access log", ActorKind.PLATFORM, login_id, request_id)
    async with database.unit_of_work(context) as work:
        work.add(PlatformAccess(login_id=login_id, at=work.now, **said))
