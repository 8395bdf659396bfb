"""People for tests: logins with passwords, staff, one-time codes, and the steps of signing in."""

from uuid import UUID

import pyotp

from app.directory.models import ProviderGroup
from app.governance.items import save_partner
from app.identity.permissions import Role
from app.identity.sessions import BrowserSession, browser_session, enter_tenant, workplaces
from app.identity.sign_in import check_credentials, check_second_factor, enrol_second_factor, sign_in
from app.identity.staff import add_staff, create_login
from app.identity.totp import STEP_SECONDS, new_totp_secret
from app.settings import Settings
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.identifiers import new_id
from tests.support import Installation

PASSWORD = "walnut ladder thirteen"
PLATFORM = PlatformContext("test")


async def make_login(installation: Installation, email: str, platform_role: Role | None = None) -> UUID:
    """A login with PASSWORD."""
    async with installation.database.unit_of_work(PLATFORM) as work:
        return await create_login(
            work, email=email, display_name="Sam Field", password=PASSWORD, platform_role=platform_role
        )


async def make_staff(
    installation: Installation, tenant_id: UUID, email: str, role: Role, login_id: UUID | None = None
) -> tuple[UUID, UUID]:
    """A login with PASSWORD and a role in a tenant: ids of login and member of staff."""
    login_id = login_id or await make_login(installation, email)
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        group_id = None
        if role is Role.PROVIDER_MANAGER:
            group_id = new_id()
            work.add(ProviderGroup(tenant_id=tenant_id, id=group_id, name=f"Group of {email}", created_at=work.now))
            await work.session.flush()
        council_id = None
        if role is Role.COUNCIL_PARTNER:
            council_id = await save_partner(work, f"Council of {email}", "council")
            await work.session.flush()
        return login_id, await add_staff(
            work,
            login_id=login_id,
            display_name="Sam Field",
            role=role,
            provider_group_id=group_id,
            partner_organisation_id=council_id,
        )


async def attempt(
    installation: Installation, email: str, password: str = PASSWORD, settings: Settings | None = None
) -> str | None:
    """What the sign-in form does: a token or None."""
    candidate = await check_credentials(installation.database, email, password)
    async with installation.database.unit_of_work(PLATFORM) as work:
        return await sign_in(work, installation.services.vault, settings or installation.services.settings, candidate)


async def seen(installation: Installation, token: str | None) -> BrowserSession | None:
    """The session behind a token now."""
    assert token is not None
    return await browser_session(installation.database, installation.services.vault, token)


async def present(installation: Installation, token: str | None) -> BrowserSession:
    """The session behind a token that must be good."""
    session = await seen(installation, token)
    assert session is not None
    return session


def code_of(installation: Installation, secret: str, steps: int = 0) -> str:
    """The code an authenticator app shows now, or so many steps from now."""
    return pyotp.TOTP(secret).generate_otp(int(installation.clock().timestamp()) // STEP_SECONDS + steps)


async def enrol(installation: Installation, token: str | None) -> tuple[str, str | None]:
    """Tie an app to the session's login: the secret and the new token."""
    secret, session = new_totp_secret(), await present(installation, token)
    async with installation.database.unit_of_work(PLATFORM) as work:
        return secret, await enrol_second_factor(
            work, installation.services.vault, session.id, secret, code_of(installation, secret)
        )


async def second_factor(installation: Installation, token: str | None, code: str) -> str | None:
    """What the form for the code does: a token or None."""
    session = await present(installation, token)
    async with installation.database.unit_of_work(PLATFORM) as work:
        return await check_second_factor(work, installation.services.vault, session.id, code)


async def at_work(installation: Installation, email: str, tenant_id: UUID) -> str:
    """The token of a person signed in by password and at work in a tenant."""
    token = await attempt(installation, email)
    session = await present(installation, token)
    place = next(p for p in await workplaces(installation.database, session.login_id) if p.tenant_id == tenant_id)
    context = TenantContext(tenant_id, ActorKind.STAFF, place.staff_member_id)
    async with installation.database.unit_of_work(context) as work:
        await enter_tenant(work, session.id)
    assert token is not None
    return token
