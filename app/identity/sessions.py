"""Sign-in sessions of browsers: start, rotation of the token, the tenant at work in, end; and who stands behind one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select

from app.identity.errors import IdentityRefusal
from app.identity.models import Login, LoginSession, LoginTenant, StaffMember
from app.identity.permissions import Role, permissions_of
from app.identity.principal import Principal
from app.identity.rules import ABSOLUTE, UNFINISHED, Fate, Stage, fate
from app.identity.secrets import Vault, new_secret
from tenants.audit import Action
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.session import Database, UnitOfWork

OPEN_TENANTS = ("onboarding", "live")


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A session as one request sees it. `new_token` is to be set as the cookie if the token was replaced."""

    id: UUID
    login_id: UUID
    email: str
    display_name: str
    stage: Stage
    enrolled: bool
    platform_role: Role | None
    tenant_id: UUID | None
    tenant_name: str | None
    tenant_open: bool
    identity_provider_id: UUID | None
    csrf_token: str
    new_token: str | None


@dataclass(frozen=True, slots=True)
class Workplace:
    """A tenant that a login's own password opens."""

    tenant_id: UUID
    name: str
    staff_member_id: UUID


async def start_session(
    work: UnitOfWork,
    vault: Vault,
    login_id: UUID,
    stage: Stage,
    *,
    tenant_id: UUID | None = None,
    identity_provider_id: UUID | None = None,
) -> str:
    """A new session with a token of its own, so that a token known before signing in is worth nothing after it."""
    token = new_secret()
    work.add(
        LoginSession(
            id=new_id(),
            login_id=login_id,
            stage=stage,
            identity_provider_id=identity_provider_id,
            token_hash=vault.hash(token),
            tenant_id=tenant_id,
            csrf_token=new_secret(),
            created_at=work.now,
            rotated_at=work.now,
            seen_at=work.now,
            expires_at=work.now + (ABSOLUTE if stage is Stage.SIGNED_IN else UNFINISHED),
        )
    )
    await work.session.flush()
    return token


async def browser_session(database: Database, vault: Vault, token: str) -> BrowserSession | None:
    """The session behind a cookie's token, or None if there is none, it is over, or the token was stolen."""
    shown = vault.hash(token)
    async with database.session(PlatformContext("read a session", read_only=True)) as session:
        found = (await session.execute(_by_token(shown))).one_or_none()
    if found is None:
        return None
    row, login, tenant = found
    judged = _judge(row, shown, database.clock())
    if judged is Fate.KEEP and login.disabled_at is None:
        return _seen(row, login, tenant, None)
    if judged is Fate.OVER or login.disabled_at is not None:
        return None
    context = PlatformContext("keep a session", ActorKind.STAFF, row.login_id)
    async with database.unit_of_work(context) as work:
        locked = (await work.session.execute(_by_token(shown).with_for_update(of=LoginSession))).one_or_none()
        return None if locked is None else _kept(work, vault, shown, *locked)


def _kept(
    work: UnitOfWork, vault: Vault, shown: bytes, row: LoginSession, login: Login, tenant: Tenant | None
) -> BrowserSession | None:
    """Note, rotate or end the locked session; a parallel request may have done so a moment ago."""
    now, new_token = work.now, None
    judged = _judge(row, shown, now)
    if judged is Fate.OVER:
        return None
    if judged is Fate.STOLEN:
        row.ended_at = now
        work.record(Action.SESSION_STOLEN, "login_session", row.id, after={"login_id": row.login_id})
        return None
    if judged is Fate.ROTATE:
        new_token = new_secret()
        row.previous_token_hash, row.token_hash = row.token_hash, vault.hash(new_token)
        row.rotated_at = now
    row.seen_at = now
    return _seen(row, login, tenant, new_token)


def _by_token(shown: bytes) -> Select[LoginSession, Login, Tenant | None]:
    return (
        select(LoginSession, Login, Tenant)
        .join(Login, Login.id == LoginSession.login_id)
        .outerjoin(Tenant, Tenant.id == LoginSession.tenant_id)
        .where(or_(LoginSession.token_hash == shown, LoginSession.previous_token_hash == shown))
    )


def _judge(row: LoginSession, shown: bytes, now: datetime) -> Fate:
    return fate(
        current=row.token_hash == shown,
        stage=Stage(row.stage),
        rotated_at=row.rotated_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        ended=row.ended_at is not None,
        now=now,
    )


def _seen(row: LoginSession, login: Login, tenant: Tenant | None, new_token: str | None) -> BrowserSession:
    return BrowserSession(
        id=row.id,
        login_id=login.id,
        email=login.email,
        display_name=login.display_name,
        stage=Stage(row.stage),
        enrolled=login.totp_secret is not None,
        platform_role=None if login.platform_role is None else Role(login.platform_role),
        tenant_id=row.tenant_id,
        tenant_name=None if tenant is None else tenant.name,
        tenant_open=tenant is not None and tenant.status in OPEN_TENANTS,
        identity_provider_id=row.identity_provider_id,
        csrf_token=row.csrf_token,
        new_token=new_token,
    )


async def workplaces(database: Database, login_id: UUID) -> list[Workplace]:
    """The open tenants that a login's password opens, by name."""
    async with database.session(PlatformContext("choose a tenant", read_only=True)) as session:
        rows = await session.execute(
            select(LoginTenant.tenant_id, Tenant.name, LoginTenant.staff_member_id)
            .join(Tenant, Tenant.id == LoginTenant.tenant_id)
            .where(LoginTenant.login_id == login_id, Tenant.status.in_(OPEN_TENANTS))
            .order_by(Tenant.name)
        )
        return [Workplace(*row) for row in rows]


async def enter_tenant(work: UnitOfWork, session_id: UUID) -> None:
    """Put a signed-in session to work in the bound tenant. Raises IdentityRefusal `TENANT_NOT_OPEN`."""
    row = await work.session.get_one(LoginSession, session_id, with_for_update=True)
    place = await work.session.get(LoginTenant, (row.login_id, work.tenant_id))
    tenant = await work.session.get_one(Tenant, work.tenant_id)
    if (
        place is None
        or row.stage != Stage.SIGNED_IN
        or row.identity_provider_id is not None
        or tenant.status not in OPEN_TENANTS
    ):
        raise IdentityRefusal("TENANT_NOT_OPEN", "You cannot work there with this sign-in. Choose from the list.")
    if row.tenant_id != work.tenant_id:
        row.tenant_id = work.tenant_id
        work.record(Action.TENANT_ENTERED, "login_session", row.id, after={"staff_member_id": place.staff_member_id})


async def end_session(work: UnitOfWork, session_id: UUID) -> None:
    """Sign out. Harmless when repeated."""
    row = await work.session.get_one(LoginSession, session_id, with_for_update=True)
    if row.ended_at is None:
        row.ended_at = work.now
        work.record(Action.SIGNED_OUT, "login_session", row.id)


async def principal_of(database: Database, session: BrowserSession) -> Principal | None:
    """Who the session acts as now: read on every request, so that a role that ended ends at once.

    None while the sign-in is unfinished, no tenant is chosen, or the tenant or the role there is closed.
    """
    if session.stage is not Stage.SIGNED_IN:
        return None
    if session.platform_role is not None and session.identity_provider_id is None:
        role = session.platform_role
        return Principal(
            ActorKind.PLATFORM, session.login_id, session.display_name, None, permissions_of(role), str(role)
        )
    if session.tenant_id is None or not session.tenant_open:
        return None
    context = TenantContext(session.tenant_id, ActorKind.STAFF, session.login_id, read_only=True)
    async with database.session(context) as reading:
        staff = (
            await reading.scalars(
                select(StaffMember).where(StaffMember.login_id == session.login_id, StaffMember.ended_at.is_(None))
            )
        ).one_or_none()
    if staff is None:
        return None
    role = Role(staff.role)
    return Principal(ActorKind.STAFF, staff.id, staff.display_name, staff.tenant_id, permissions_of(role), str(role))
