"""Who is asking: one type for people and partner applications."""

from dataclasses import dataclass
from uuid import UUID

from app.identity.permissions import Permission
from tenants.context import ActorKind, TenantContext
from tenants.identifiers import new_id


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `tenant_id` is None for platform roles, which act in no tenant."""

    kind: ActorKind
    id: UUID
    name: str
    tenant_id: UUID | None
    permissions: frozenset[Permission]
    role: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the permission table grants it."""
        return permission in self.permissions

    def tenant_context(self, *, request_id: UUID | None = None, read_only: bool = False) -> TenantContext:
        """The context for work in the principal's tenant, on the request if there is one."""
        if self.tenant_id is None:
            raise LookupError("this principal acts in no tenant")
        return TenantContext(self.tenant_id, self.kind, self.id, request_id or new_id(), read_only=read_only)
