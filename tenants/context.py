"""Who acts, in which tenant, on which request: the immutable context that every session carries."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from tenants.identifiers import new_id


class ActorKind(StrEnum):
    """What kind of actor stands behind a change."""

    STAFF = "staff"
    API_CLIENT = "api_client"
    WORKER = "worker"
    COMMAND_LINE = "command_line"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class TenantContext:
    """Binds a session to one tenant for its whole life. `request_id` follows a change from request to job."""

    tenant_id: UUID
    actor_kind: ActorKind
    actor_id: UUID | None = None
    request_id: UUID = field(default_factory=new_id)
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class PlatformContext:
    """A session without a tenant: reaches reference and local tables only; any tenant table is an error."""

    reason: str
    actor_kind: ActorKind = ActorKind.PLATFORM
    actor_id: UUID | None = None
    request_id: UUID = field(default_factory=new_id)
    read_only: bool = False


Context = TenantContext | PlatformContext


class TenantContextMissing(RuntimeError):
    """A session was used without a context: a fault of ours, never of the caller."""


@lru_cache(maxsize=1000)
def bind_statement(tenant_id: UUID) -> str:
    """The one statement that binds a transaction to a tenant.

    A literal, because SET takes no parameter and Citus does not propagate set_config; safe because only a UUID can
    come in and its text holds nothing but hex digits and hyphens.
    """
    return f"SET LOCAL app.tenant_id = '{UUID(str(tenant_id))}'"
