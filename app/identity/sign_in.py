"""Signing in with a password and a one-time code: checks, waiting after failures, enrolment, invitations.

Every check answers a failure with None instead of raising, because the failure itself is to be committed. A wrong
address, a wrong password, a disabled login and one that waits give the same answer after the same work: one hash, one
look for the login under lock, one row in the trail.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select

from app.identity.errors import IdentityRefusal
from app.identity.models import FederatedIdentity, Login, LoginSession, LoginTenant, StaffInvitation, StaffMember
from app.identity.passwords import hash_password, password_matches
from app.identity.rules import Stage, check_password, stage_after_password, wait_after
from app.identity.secrets import Vault
from app.identity.sessions import start_session
from app.identity.totp import matching_step
from app.settings import Settings
from tenants.audit import Action
from tenants.context import PlatformContext
from tenants.identifiers import new_id
from tenants.session import Database, UnitOfWork

REFUSED = IdentityRefusal(
    "SIGN_IN_REFUSED",
    "The e-mail address or the password is wrong, or the login is waiting after wrong attempts. Check both, and see "
    "“If you cannot sign in”.",
)
CODE_REFUSED = IdentityRefusal(
    "CODE_REFUSED",
    "The code is wrong or was used before, or the login is waiting. Type the next code that the app shows.",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who typed an address and a password: the login if there is one, and whether the password is right."""

    login_id: UUID | None
    right: bool


async def check_credentials(database: Database, email: str, password: str) -> Candidate:
    """Look up and compare, holding no connection while the hash is made; one hash whatever is found."""
    async with database.session(PlatformContext("sign in", read_only=True)) as session:
        login = (await session.scalars(select(Login).where(Login.email == email.strip().lower()))).one_or_none()
    right = await password_matches(password, None if login is None else login.password_hash)
    return Candidate(None if login is None else login.id, right)


async def sign_in(work: UnitOfWork, vault: Vault, settings: Settings, candidate: Candidate) -> str | None:
    """The token of a new session, signed in or waiting for the second factor; None if refused (answer REFUSED)."""
    login = await work.session.get(Login, candidate.login_id or new_id(), with_for_update=True)
    if login is None or not _open(login, work):
        work.record(Action.SIGN_IN_FAILED, "login", candidate.login_id)
        return None
    if not candidate.right:
        _fail(work, login)
        return None
    stage = stage_after_password(
        enrolled=login.totp_secret is not None,
        platform=login.platform_role is not None,
        production=settings.environment == "production",
        required=settings.require_second_factor,
    )
    if stage is Stage.SIGNED_IN:
        _succeed(work, login, "password")
    return await start_session(work, vault, login.id, stage)


async def check_second_factor(work: UnitOfWork, vault: Vault, session_id: UUID, code: str) -> str | None:
    """The token of a signed-in session in place of the one that waited; None if refused (answer CODE_REFUSED)."""
    row, login = await _waiting(work, session_id, Stage.SECOND_FACTOR)
    if not _open(login, work) or login.totp_secret is None:
        return None
    step = matching_step(vault.decrypt(login.totp_secret).decode(), code, work.now, login.totp_last_step)
    if step is None:
        _fail(work, login)
        return None
    login.totp_last_step = step
    row.ended_at = work.now
    _succeed(work, login, "password and code")
    return await start_session(work, vault, login.id, Stage.SIGNED_IN)


async def enrol_second_factor(work: UnitOfWork, vault: Vault, session_id: UUID, secret: str, code: str) -> str | None:
    """Tie an authenticator app to the login once it has shown a code; the token of a fresh session.

    A signed-in session keeps its tenant. None if the code does not fit (answer CODE_REFUSED).
    Raises IdentityRefusal `ALREADY_ENROLLED`.
    """
    row, login = await _waiting(work, session_id, Stage.ENROLMENT, Stage.SIGNED_IN)
    if login.totp_secret is not None:
        raise IdentityRefusal("ALREADY_ENROLLED", "This login has an authenticator app already. Use that one.")
    step = matching_step(secret, code, work.now, None)
    if step is None or not _open(login, work):
        return None
    login.totp_secret, login.totp_last_step = vault.encrypt(secret.encode()), step
    row.ended_at = work.now
    work.record(Action.LOGIN_TOTP_ENROLLED, "login", login.id)
    if row.stage == Stage.ENROLMENT:
        _succeed(work, login, "password and new code")
    return await start_session(work, vault, login.id, Stage.SIGNED_IN, tenant_id=row.tenant_id)


async def find_invitation(work: UnitOfWork, vault: Vault, code: str) -> StaffInvitation:
    """The open invitation behind a code, locked. Raises IdentityRefusal `INVITATION_REFUSED`."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    given = "-".join(typed[start : start + 5] for start in range(0, len(typed), 5))
    row = (
        await work.session.scalars(
            select(StaffInvitation).where(StaffInvitation.code_hash == vault.hash(given)).with_for_update()
        )
    ).one_or_none()
    if row is None or row.used_at is not None or row.expires_at <= work.now:
        raise _invitation_refused()
    return row


async def take_invitation(
    work: UnitOfWork, vault: Vault, code: str, *, login_id: UUID | None, password: str | None
) -> UUID:
    """Open the tenant to the person invited: to the login signed in with, or by a first password; the login.

    A password can be set only on a login that nothing opens yet: otherwise one tenant's administrator could take
    over a person's way into another tenant. Works in the tenant that tenant_of_invitation names.

    Raises IdentityRefusal `INVITATION_REFUSED`, `INVITATION_OF_ANOTHER`, `INVITATION_NEEDS_SIGN_IN`, `WEAK_PASSWORD`.
    """
    invitation = await find_invitation(work, vault, code)
    login = await work.session.get_one(Login, invitation.login_id, with_for_update=True)
    staff = await work.session.get_one(StaffMember, (work.tenant_id, invitation.staff_member_id))
    if staff.ended_at is not None or login.disabled_at is not None:
        raise _invitation_refused()
    if login_id is not None:
        if login.id != login_id:
            raise IdentityRefusal(
                "INVITATION_OF_ANOTHER",
                "This invitation is for another login. Sign out, and sign in as the person who was invited.",
            )
    else:
        if await _opened_by_anything(work, login):
            raise IdentityRefusal(
                "INVITATION_NEEDS_SIGN_IN", "You have a login already. Sign in with it first, then enter the code."
            )
        check_password(password or "", login.email)
        login.password_hash = await hash_password(password or "")
        work.record(Action.LOGIN_PASSWORD_CHANGED, "login", login.id)
    invitation.used_at = work.now
    if await work.session.get(LoginTenant, (login.id, work.tenant_id)) is None:
        work.add(LoginTenant(login_id=login.id, tenant_id=work.tenant_id, staff_member_id=staff.id))
    work.record(Action.INVITATION_TAKEN, "staff_member", staff.id)
    return login.id


async def tenant_of_invitation(database: Database, vault: Vault, code: str) -> UUID:
    """The tenant to bind before an invitation is taken. Raises IdentityRefusal `INVITATION_REFUSED`."""
    async with database.unit_of_work(PlatformContext("find an invitation")) as work:
        return (await find_invitation(work, vault, code)).tenant_id


def _invitation_refused() -> IdentityRefusal:
    return IdentityRefusal(
        "INVITATION_REFUSED",
        "The invitation code is wrong, was used before, or is over seven days old. Ask your administrator for another.",
    )


async def _opened_by_anything(work: UnitOfWork, login: Login) -> bool:
    if login.password_hash is not None or login.platform_role is not None:
        return True
    linked = exists().where(FederatedIdentity.login_id == login.id)
    entered = exists().where(LoginTenant.login_id == login.id)
    return bool((await work.session.execute(select(linked | entered))).scalar_one())


async def _waiting(work: UnitOfWork, session_id: UUID, *stages: Stage) -> tuple[LoginSession, Login]:
    row = await work.session.get_one(LoginSession, session_id)
    login = await work.session.get_one(Login, row.login_id, with_for_update=True)
    await work.session.refresh(row, with_for_update=True)
    if row.ended_at is not None or row.stage not in stages:
        raise IdentityRefusal("SIGN_IN_OVER", "This sign-in is over. Sign in again.")
    return row, login


def _open(login: Login, work: UnitOfWork) -> bool:
    return login.disabled_at is None and (login.locked_until is None or login.locked_until <= work.now)


def _fail(work: UnitOfWork, login: Login) -> None:
    login.failed_attempts += 1
    wait = wait_after(login.failed_attempts)
    work.record(Action.SIGN_IN_FAILED, "login", login.id, after={"failed_attempts": login.failed_attempts})
    if wait > timedelta():
        login.locked_until = work.now + wait
        work.record(Action.LOGIN_LOCKED, "login", login.id, after={"until": login.locked_until})


def _succeed(work: UnitOfWork, login: Login, by: str) -> None:
    login.failed_attempts, login.locked_until = 0, None
    work.record(Action.SIGNED_IN, "login", login.id, after={"by": by})
