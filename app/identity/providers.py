"""A tenant's OpenID Connect providers: trusting one, and who among the tenant's staff a provider's subject is."""

from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.identity.errors import IdentityRefusal
from app.identity.models import FederatedIdentity, IdentityProvider, Login, StaffInvitation, StaffMember
from app.identity.secrets import Vault
from tenants.audit import Action
from tenants.context import PlatformContext
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.session import Database, UnitOfWork


async def trust_provider(
    work: UnitOfWork,
    vault: Vault,
    *,
    name: str,
    issuer: str,
    client_id: str,
    client_secret: str,
    loopback: bool = False,
) -> UUID:
    """Let the bound tenant's staff sign in by a provider; a second call for the issuer replaces name and credentials.

    `loopback` allows plain http to 127.0.0.1, for tests. Raises IdentityRefusal `INVALID_ISSUER`.
    """
    parts = urlsplit(issuer)
    secure = parts.scheme == "https" or (loopback and parts.scheme == "http" and parts.hostname == "127.0.0.1")
    if not secure or not parts.hostname or parts.query or parts.fragment or parts.username or parts.password:
        raise IdentityRefusal("INVALID_ISSUER", "Give the provider's issuer as an https:// address without a query.")
    row = (
        await work.session.scalars(
            select(IdentityProvider)
            .where(IdentityProvider.tenant_id == work.tenant_id, IdentityProvider.issuer == issuer)
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        row = IdentityProvider(id=new_id(), tenant_id=work.tenant_id, issuer=issuer, created_at=work.now)
        work.add(row)
    row.name, row.client_id = name, client_id
    row.client_secret = vault.encrypt(client_secret.encode())
    await work.session.flush()
    after = {"name": name, "issuer": issuer, "client_id": client_id}
    work.record(Action.IDENTITY_PROVIDER_CHANGED, "identity_provider", row.id, after=after)
    return row.id


async def providers_of(database: Database, slug: str) -> list[IdentityProvider]:
    """The providers of the tenant with this short name; none if there is no such tenant."""
    async with database.session(PlatformContext("offer sign-in by provider", read_only=True)) as session:
        rows = await session.scalars(
            select(IdentityProvider)
            .join(Tenant, Tenant.id == IdentityProvider.tenant_id)
            .where(Tenant.slug == slug.strip().lower())
            .order_by(IdentityProvider.name)
        )
        return list(rows)


async def resolve_subject(
    work: UnitOfWork, *, issuer: str, subject: str, verified_email: str | None, invitation_id: UUID | None
) -> StaffMember:
    """The member of the bound tenant's staff who is this subject, linked now if this is the first time.

    The first link needs the administrator's invitation, or an address that the provider has verified and that is
    the one of somebody on this tenant's staff list. The address's domain says nothing about the tenant.

    Raises IdentityRefusal `NOT_ON_STAFF_LIST` or `INVITATION_OF_ANOTHER`.
    """
    linked = await work.session.get(FederatedIdentity, (issuer, subject))
    invited = None if invitation_id is None else await _invitation(work, invitation_id)
    if linked is not None and invited is not None and linked.login_id != invited.login_id:
        raise IdentityRefusal(
            "INVITATION_OF_ANOTHER", "This invitation is for another person than the one who has signed in there."
        )
    if linked is not None:
        login_id: UUID | None = linked.login_id
    elif invited is not None:
        login_id = invited.login_id
    else:
        found = select(Login.id).where(Login.email == (verified_email or "").strip().lower())
        login_id = (await work.session.scalars(found)).one_or_none()
    staff = None if login_id is None else await _present_staff(work, login_id)
    if staff is None:
        raise IdentityRefusal(
            "NOT_ON_STAFF_LIST",
            "Your organisation knows you, but you are not on this tenant's staff list. Ask its administrator to "
            "invite you, and sign in with the invitation code.",
        )
    if linked is None:
        link = {"issuer": issuer, "subject": subject, "login_id": staff.login_id, "created_at": work.now}
        # Two first sign-ins at the same moment make the same link.
        await work.session.execute(insert(FederatedIdentity).values(link).on_conflict_do_nothing())
        by = "verified address" if invited is None else "invitation"
        work.record(Action.LOGIN_FEDERATED, "login", staff.login_id, after={"issuer": issuer, "by": by})
    if invited is not None:
        invited.used_at = work.now
        work.record(Action.INVITATION_TAKEN, "staff_member", staff.id)
    return staff


async def _invitation(work: UnitOfWork, invitation_id: UUID) -> StaffInvitation | None:
    row = await work.session.get(StaffInvitation, invitation_id, with_for_update=True)
    good = row is not None and row.tenant_id == work.tenant_id and row.used_at is None and row.expires_at > work.now
    return row if good else None


async def _present_staff(work: UnitOfWork, login_id: UUID) -> StaffMember | None:
    login = await work.session.get_one(Login, login_id)
    if login.disabled_at is not None:
        return None
    return (
        await work.session.scalars(
            select(StaffMember).where(StaffMember.login_id == login_id, StaffMember.ended_at.is_(None))
        )
    ).one_or_none()
