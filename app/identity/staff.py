"""Logins and staff: creation, invitation, change of role, end; all audited. A tenant always keeps an administrator."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update

from app.identity.errors import IdentityRefusal
from app.identity.models import Login, LoginSession, LoginTenant, StaffInvitation, StaffMember
from app.identity.passwords import hash_password
from app.identity.permissions import PLATFORM_ROLES, Role
from app.identity.rules import INVITATION_LIFETIME, check_name, check_password, normalise_email
from app.identity.secrets import Vault
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

_CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without letters and digits that look alike: the code may be read out or copied by hand."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A new member of staff and the code that opens the door, which is shown once."""

    staff_member_id: UUID
    code: str


async def create_login(
    work: UnitOfWork, *, email: str, display_name: str, password: str | None, platform_role: Role | None = None
) -> UUID:
    """A person's sign-in; without a password it opens by invitation or an identity provider only.

    Raises IdentityRefusal `INVALID_EMAIL`, `WEAK_PASSWORD`, `NAME_MISSING`, `LOGIN_EXISTS` or `NOT_A_PLATFORM_ROLE`.
    """
    address, name = normalise_email(email), check_name(display_name)
    if platform_role is not None and platform_role not in PLATFORM_ROLES:
        raise IdentityRefusal("NOT_A_PLATFORM_ROLE", f"{platform_role} belongs to a tenant. Add staff there instead.")
    if password is not None:
        check_password(password, address)
    if (await work.session.scalars(select(Login.id).where(Login.email == address))).first() is not None:
        raise IdentityRefusal("LOGIN_EXISTS", "There is a login with that e-mail address already. Use it.")
    login = Login(
        id=new_id(),
        email=address,
        display_name=name,
        password_hash=None if password is None else await hash_password(password),
        platform_role=platform_role,
        failed_attempts=0,
        created_at=work.now,
    )
    work.add(login)
    await work.session.flush()
    work.record(Action.LOGIN_CREATED, "login", login.id, after={"platform_role": platform_role})
    return login.id


async def reset_login(work: UnitOfWork, login_id: UUID, *, password: str) -> None:
    """Let a person start again who has forgotten the password or lost the phone: a new password, no second factor.

    For an operator who has made sure of the person by other means: a login may open several tenants, so that no
    tenant's administrator may do this. Ends all its sessions. Raises IdentityRefusal `UNKNOWN_LOGIN`, `WEAK_PASSWORD`.
    """
    login = await work.session.get(Login, login_id, with_for_update=True)
    if login is None:
        raise IdentityRefusal("UNKNOWN_LOGIN", "There is no such login. Create it first.")
    check_password(password, login.email)
    enrolled = login.totp_secret is not None
    login.password_hash = await hash_password(password)
    login.totp_secret = login.totp_last_step = login.locked_until = None
    login.failed_attempts = 0
    await work.session.execute(
        update(LoginSession)
        .where(LoginSession.login_id == login.id, LoginSession.ended_at.is_(None))
        .values(ended_at=work.now)
    )
    work.record(Action.LOGIN_PASSWORD_CHANGED, "login", login.id, after={"second_factor_removed": enrolled})


async def add_staff(
    work: UnitOfWork,
    *,
    login_id: UUID,
    display_name: str,
    role: Role,
    provider_group_id: UUID | None = None,
    partner_organisation_id: UUID | None = None,
) -> UUID:
    """Give a login a role in the bound tenant at once, for an operator who knows the person.

    Raises IdentityRefusal `NAME_MISSING`, `NOT_A_TENANT_ROLE`, `PROVIDER_GROUP_NEEDED`, `PARTNER_NEEDED`,
    `UNKNOWN_LOGIN`, `PLATFORM_LOGIN` or `ALREADY_STAFF`.
    """
    staff_member_id = await _make_staff(work, login_id, display_name, role, provider_group_id, partner_organisation_id)
    work.add(LoginTenant(login_id=login_id, tenant_id=work.tenant_id, staff_member_id=staff_member_id))
    await work.session.flush()
    return staff_member_id


async def invite_staff(
    work: UnitOfWork,
    vault: Vault,
    *,
    email: str,
    display_name: str,
    role: Role,
    provider_group_id: UUID | None = None,
    partner_organisation_id: UUID | None = None,
) -> Invited:
    """Give a person a role in the bound tenant, open once they have taken the invitation. Raises as add_staff does.

    The person proves to be the one invited by the code; whoever holds a login with that address already must sign
    in to it first, so that nobody can prepare a login in another's name and wait for a tenant to open.
    """
    address = normalise_email(email)
    login_id = (await work.session.scalars(select(Login.id).where(Login.email == address))).first()
    if login_id is None:
        login_id = await create_login(work, email=address, display_name=display_name, password=None)
    staff_member_id = await _make_staff(work, login_id, display_name, role, provider_group_id, partner_organisation_id)
    return Invited(staff_member_id, await _invitation(work, vault, staff_member_id, login_id))


async def invite_again(work: UnitOfWork, vault: Vault, staff_member_id: UUID) -> str:
    """A new code for a member of staff; earlier ones stop working. Raises IdentityRefusal `UNKNOWN_STAFF`."""
    staff = await _present(work, staff_member_id)
    await _withdraw_invitations(work, staff_member_id)
    return await _invitation(work, vault, staff_member_id, staff.login_id)


async def change_role(
    work: UnitOfWork,
    staff_member_id: UUID,
    role: Role,
    *,
    provider_group_id: UUID | None = None,
    partner_organisation_id: UUID | None = None,
) -> None:
    """Another role for a member of staff, from the next request on.

    Raises IdentityRefusal `UNKNOWN_STAFF`, `NOT_A_TENANT_ROLE`, `PROVIDER_GROUP_NEEDED`, `PARTNER_NEEDED` or
    `LAST_ADMINISTRATOR`.
    """
    _check_role(role, provider_group_id, partner_organisation_id)
    await _keep_an_administrator(work, staff_member_id, role)
    staff = await _present(work, staff_member_id)
    before = _told(staff.role, staff.provider_group_id, staff.partner_organisation_id)
    after = _told(role, provider_group_id, partner_organisation_id)
    if before != after:
        staff.role, staff.provider_group_id = role, provider_group_id
        staff.partner_organisation_id = partner_organisation_id
        work.record(Action.STAFF_ROLE_CHANGED, "staff_member", staff.id, before=before, after=after)


async def end_staff(work: UnitOfWork, staff_member_id: UUID) -> None:
    """End a person's work in the bound tenant: role, invitations and open sessions there.

    Raises IdentityRefusal `UNKNOWN_STAFF` or `LAST_ADMINISTRATOR`.
    """
    await _keep_an_administrator(work, staff_member_id, None)
    staff = await _present(work, staff_member_id)
    staff.ended_at = work.now
    await _withdraw_invitations(work, staff_member_id)
    await work.session.execute(
        delete(LoginTenant).where(LoginTenant.login_id == staff.login_id, LoginTenant.tenant_id == work.tenant_id)
    )
    await work.session.execute(
        update(LoginSession)
        .where(
            LoginSession.login_id == staff.login_id,
            LoginSession.tenant_id == work.tenant_id,
            LoginSession.ended_at.is_(None),
        )
        .values(ended_at=work.now)
    )
    work.record(Action.STAFF_ENDED, "staff_member", staff.id, before={"role": staff.role})


def _told(role: str, provider_group_id: UUID | None, partner_organisation_id: UUID | None) -> dict[str, object]:
    told: dict[str, object] = {"role": str(role), "provider_group_id": provider_group_id}
    return told | ({"partner_organisation_id": partner_organisation_id} if partner_organisation_id else {})


def _check_role(role: Role, provider_group_id: UUID | None, partner_organisation_id: UUID | None) -> None:
    if role in PLATFORM_ROLES:
        raise IdentityRefusal("NOT_A_TENANT_ROLE", f"{role} belongs to the platform. Choose a role of the tenant.")
    if (role is Role.PROVIDER_MANAGER) != (provider_group_id is not None):
        raise IdentityRefusal("PROVIDER_GROUP_NEEDED", "Choose a provider group for a provider manager, and only then.")
    if (role is Role.COUNCIL_PARTNER) != (partner_organisation_id is not None):
        raise IdentityRefusal("PARTNER_NEEDED", "Choose a council for a council partner, and only then.")


async def _make_staff(
    work: UnitOfWork,
    login_id: UUID,
    display_name: str,
    role: Role,
    provider_group_id: UUID | None,
    partner_organisation_id: UUID | None,
) -> UUID:
    name = check_name(display_name)
    _check_role(role, provider_group_id, partner_organisation_id)
    # The lock makes two additions of the same person queue, so that the second is refused in words.
    login = await work.session.get(Login, login_id, with_for_update=True)
    if login is None:
        raise IdentityRefusal("UNKNOWN_LOGIN", "There is no such login. Create it first.")
    if login.platform_role is not None:
        raise IdentityRefusal(
            "PLATFORM_LOGIN", "That login belongs to the platform's own staff. Use a separate one for work in a tenant."
        )
    present = select(StaffMember.id).where(StaffMember.login_id == login_id, StaffMember.ended_at.is_(None))
    if (await work.session.scalars(present)).first() is not None:
        raise IdentityRefusal("ALREADY_STAFF", "That person is on the staff list already. Change the role there.")
    staff = StaffMember(
        tenant_id=work.tenant_id,
        id=new_id(),
        login_id=login_id,
        display_name=name,
        role=role,
        provider_group_id=provider_group_id,
        partner_organisation_id=partner_organisation_id,
        created_at=work.now,
    )
    work.add(staff)
    await work.session.flush()
    work.record(
        Action.STAFF_CREATED,
        "staff_member",
        staff.id,
        after={"login_id": login_id} | _told(role, provider_group_id, partner_organisation_id),
    )
    return staff.id


async def _invitation(work: UnitOfWork, vault: Vault, staff_member_id: UUID, login_id: UUID) -> str:
    code = "-".join("".join(secrets.choice(_CODE_LETTERS) for _ in range(5)) for _ in range(4))
    invitation = StaffInvitation(
        id=new_id(),
        tenant_id=work.tenant_id,
        staff_member_id=staff_member_id,
        login_id=login_id,
        code_hash=vault.hash(code),
        created_at=work.now,
        expires_at=work.now + INVITATION_LIFETIME,
    )
    work.add(invitation)
    await work.session.flush()
    work.record(Action.STAFF_INVITED, "staff_member", staff_member_id, after={"expires_at": invitation.expires_at})
    return code


async def _withdraw_invitations(work: UnitOfWork, staff_member_id: UUID) -> None:
    await work.session.execute(
        update(StaffInvitation)
        .where(
            StaffInvitation.tenant_id == work.tenant_id,
            StaffInvitation.staff_member_id == staff_member_id,
            StaffInvitation.used_at.is_(None),
            StaffInvitation.expires_at > work.now,
        )
        .values(expires_at=work.now)
    )


async def _present(work: UnitOfWork, staff_member_id: UUID) -> StaffMember:
    staff = await work.session.get(StaffMember, (work.tenant_id, staff_member_id), with_for_update=True)
    if staff is None or staff.ended_at is not None:
        raise IdentityRefusal("UNKNOWN_STAFF", "There is no such person on the staff list. Look at the list again.")
    return staff


async def _keep_an_administrator(work: UnitOfWork, staff_member_id: UUID, role: Role | None) -> None:
    """Refuse a change that would leave the tenant without an administrator who has come in."""
    if role is Role.TENANT_ADMINISTRATOR:
        return
    administrators = (
        await work.session.scalars(
            select(StaffMember.id)
            .where(StaffMember.role == Role.TENANT_ADMINISTRATOR, StaffMember.ended_at.is_(None))
            .order_by(StaffMember.id)
            .with_for_update()
        )
    ).all()
    if administrators == [staff_member_id]:
        raise IdentityRefusal(
            "LAST_ADMINISTRATOR", "This is the tenant's only administrator. Make somebody else administrator first."
        )
