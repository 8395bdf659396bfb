"""Who sends an operation, and the way to the database that the operation may use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from app.identity.secrets import Vault
from tenants.context import TenantContext
from tenants.session import Database


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller, bound to one tenant."""

    context: TenantContext
    scopes: frozenset[str]
    fetch: Callable[[str, list[Any]], Awaitable[Any]]
    database: Database
    uploads: Path
    vault: Vault
    webhook_loopback: bool

    @property
    def tenant_id(self) -> UUID:
        """The tenant that everything is seen in."""
        return self.context.tenant_id
