"""Partner applications: creation, secrets (two live at most), token grants, revocation that bites within a minute."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from app.identity.errors import IdentityRefusal
from app.identity.models import ApiClient, ApiClientDirectory, ApiClientSecret
from app.identity.permissions import SCOPES, Permission
from app.identity.principal import Principal
from app.identity.rules import check_name
from app.identity.secrets import Vault, new_secret
from app.identity.tokens import LIFETIME, TokenKeys
from tenants.audit import Action
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.identifiers import new_id
from tenants.session import Database, UnitOfWork

REVOCATION_DELAY = timedelta(seconds=30)
"""How long a process goes on believing that a client is not revoked."""


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client with its first secret, which is shown once."""

    id: UUID
    client_id: str
    secret: str


async def create_client(work: UnitOfWork, vault: Vault, name: str, scopes: Iterable[Permission]) -> NewClient:
    """Grant a partner application access to the bound tenant.

    Raises IdentityRefusal `NAME_MISSING`, `SCOPE_MISSING` or `UNKNOWN_SCOPE`.
    """
    name, granted = check_name(name), sorted(set(scopes))
    if not granted:
        raise IdentityRefusal("SCOPE_MISSING", "Choose what the application may do.")
    if not set(granted) <= SCOPES:
        raise IdentityRefusal("UNKNOWN_SCOPE", f"A client can be granted these scopes: {', '.join(sorted(SCOPES))}.")
    client = ApiClient(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=f"client-{new_id().hex}",
        name=name,
        scopes=[str(scope) for scope in granted],
        created_at=work.now,
    )
    work.add(client)
    await work.session.flush()
    work.add(
        ApiClientDirectory(client_id=client.client_id, tenant_id=work.tenant_id, api_client_id=client.id),
    )
    work.record(Action.API_CLIENT_CREATED, "api_client", client.id, after={"name": name, "scopes": client.scopes})
    secret = await add_secret(work, vault, client.id)
    return NewClient(client.id, client.client_id, secret)


async def add_secret(work: UnitOfWork, vault: Vault, api_client_id: UUID) -> str:
    """A further secret, for rotation. Raises IdentityRefusal `UNKNOWN_CLIENT` or `TWO_SECRETS_LIVE`."""
    await _live_client(work, api_client_id)
    live = (
        await work.session.scalars(
            select(ApiClientSecret.id).where(
                ApiClientSecret.api_client_id == api_client_id, ApiClientSecret.revoked_at.is_(None)
            )
        )
    ).all()
    if len(live) >= 2:
        raise IdentityRefusal("TWO_SECRETS_LIVE", "Two secrets are live already. Revoke one, then add the new one.")
    secret = new_secret()
    row = ApiClientSecret(
        tenant_id=work.tenant_id,
        id=new_id(),
        api_client_id=api_client_id,
        secret_hash=vault.hash(secret),
        hint=secret[-4:],
        created_at=work.now,
    )
    work.add(row)
    work.record(Action.API_CLIENT_SECRET_ADDED, "api_client_secret", row.id, after={"hint": row.hint})
    return secret


async def revoke_secret(work: UnitOfWork, secret_id: UUID) -> None:
    """End one secret. Harmless when repeated. Raises IdentityRefusal `UNKNOWN_SECRET`."""
    row = await work.session.get(ApiClientSecret, (work.tenant_id, secret_id), with_for_update=True)
    if row is None:
        raise IdentityRefusal("UNKNOWN_SECRET", "There is no such secret. Look at the application's page again.")
    if row.revoked_at is not None:
        return
    row.revoked_at = work.now
    work.record(Action.API_CLIENT_SECRET_REVOKED, "api_client_secret", secret_id, after={"hint": row.hint})


async def revoke_client(work: UnitOfWork, api_client_id: UUID) -> None:
    """End a client's access; tokens that it holds stop working within a minute.

    Raises IdentityRefusal `UNKNOWN_CLIENT`, also for one that was revoked before.
    """
    row = await _live_client(work, api_client_id)
    row.revoked_at = work.now
    work.record(Action.API_CLIENT_REVOKED, "api_client", api_client_id, after={"client_id": row.client_id})


async def _live_client(work: UnitOfWork, api_client_id: UUID) -> ApiClient:
    """The client, locked: two additions of a secret at once queue here, so that no third one becomes live."""
    row = await work.session.get(ApiClient, (work.tenant_id, api_client_id), with_for_update=True)
    if row is None or row.revoked_at is not None:
        raise IdentityRefusal("UNKNOWN_CLIENT", "There is no such application, or its access was revoked.")
    return row


class ApiClients:
    """Grants tokens to clients and turns tokens into principals."""

    def __init__(self, database: Database, vault: Vault, keys: TokenKeys) -> None:
        self._database, self._vault, self._keys = database, vault, keys
        self._live: dict[tuple[UUID, UUID], tuple[datetime, Principal | None]] = {}

    async def grant(
        self, client_id: str, secret: str, scope: str | None, *, lifetime: timedelta = LIFETIME
    ) -> dict[str, object]:
        """The answer of `/oauth/token`. Raises IdentityRefusal with the OAuth error as its code."""
        refusal = IdentityRefusal("invalid_client", "The client id or secret is wrong, or the client was revoked.")
        async with self._database.session(PlatformContext("token grant", read_only=True)) as session:
            # PostgreSQL keeps no NUL, so an id that holds one is nobody's.
            entry = None if "\0" in client_id else await session.get(ApiClientDirectory, client_id)
        if entry is None:
            self._vault.hash(secret)  # as long as a known client would take
            raise refusal
        context = TenantContext(entry.tenant_id, ActorKind.API_CLIENT, entry.api_client_id, read_only=True)
        async with self._database.session(context) as session:
            client = await session.get(ApiClient, (entry.tenant_id, entry.api_client_id))
            secrets = (
                await session.scalars(
                    select(ApiClientSecret).where(
                        ApiClientSecret.api_client_id == entry.api_client_id, ApiClientSecret.revoked_at.is_(None)
                    )
                )
            ).all()
        matching = [row for row in secrets if self._vault.matches(secret, row.secret_hash)]
        if client is None or client.revoked_at is not None or not matching:
            raise refusal
        granted = frozenset(Permission(name) for name in client.scopes) & SCOPES
        if scope:
            asked = frozenset(scope.split())
            if not asked <= granted:
                raise IdentityRefusal("invalid_scope", f"This client may ask for: {' '.join(sorted(granted))}.")
            granted = frozenset(Permission(name) for name in asked)
        token = await self._keys.issue(
            client_id=client_id,
            api_client_id=client.id,
            tenant_id=entry.tenant_id,
            scopes=granted,
            now=self._database.clock(),
            lifetime=lifetime,
        )
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(lifetime.total_seconds()),
            "scope": " ".join(sorted(granted)),
        }

    async def principal(self, token: str) -> Principal:
        """Who holds this token. Raises IdentityRefusal `INVALID_TOKEN`."""
        now = self._database.clock()
        claims = await self._keys.read(token, now)
        key = (claims.tenant_id, claims.api_client_id)
        known = self._live.get(key)
        if known is None or now - known[0] >= REVOCATION_DELAY:
            known = (now, await self._look_up(*key))
            self._live[key] = known
        client = known[1]
        if client is None:
            raise IdentityRefusal("INVALID_TOKEN", "This client's access was revoked. Ask the tenant for it.")
        return Principal(
            client.kind, client.id, client.name, client.tenant_id, client.permissions & claims.scopes, client.role
        )

    async def _look_up(self, tenant_id: UUID, api_client_id: UUID) -> Principal | None:
        context = TenantContext(tenant_id, ActorKind.API_CLIENT, api_client_id, read_only=True)
        async with self._database.session(context) as session:
            client = await session.get(ApiClient, (tenant_id, api_client_id))
        if client is None or client.revoked_at is not None:
            return None
        scopes = frozenset(Permission(name) for name in client.scopes) & SCOPES
        return Principal(ActorKind.API_CLIENT, client.id, client.name, tenant_id, scopes)
