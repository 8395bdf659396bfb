"""Staff of a tenant: adding, inviting, changing roles, ending; what a refusal leaves unchanged."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.identity.errors import IdentityRefusal
from app.identity.models import Login, LoginTenant, StaffInvitation, StaffMember
from app.identity.permissions import Role
from app.identity.sessions import workplaces
from app.identity.sign_in import take_invitation, tenant_of_invitation
from app.identity.staff import Invited, add_staff, change_role, end_staff, invite_again, invite_staff
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.identity.people import PASSWORD, PLATFORM, attempt, make_login, make_staff, present
from tests.support import Installation

EMAIL = "sam@example.org"


async def state(installation: Installation, tenant_id: UUID) -> dict[str, Any]:
    """Everything that an action on staff could change."""
    async with installation.database.session(installation.context(tenant_id)) as session:
        staff = await session.execute(
            select(StaffMember.id, StaffMember.role, StaffMember.ended_at).order_by(StaffMember.id)
        )
        counts = [
            (await session.scalars(select(func.count()).select_from(table))).one()
            for table in (AuditEvent, Login, LoginTenant, StaffInvitation)
        ]
        return {"staff": list(staff), "counts": counts}


async def trail(installation: Installation, tenant_id: UUID) -> list[tuple[str, Any, Any]]:
    """Staff actions of a tenant's trail with what they changed."""
    async with installation.database.session(installation.context(tenant_id)) as session:
        rows = await session.scalars(
            select(AuditEvent).where(AuditEvent.action.like("identity:%")).order_by(AuditEvent.sequence)
        )
        return [(row.action, row.before, row.after) for row in rows]


async def invite(installation: Installation, tenant_id: UUID, email: str, role: Role = Role.ANALYST) -> Invited:
    """An invitation to a tenant."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await invite_staff(work, installation.services.vault, email=email, display_name="Sam Field", role=role)


async def take(
    installation: Installation, code: str, *, login_id: UUID | None = None, password: str | None = None
) -> UUID:
    """What the form for invitations does."""
    vault = installation.services.vault
    tenant_id = await tenant_of_invitation(installation.database, vault, code)
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await take_invitation(work, vault, code, login_id=login_id, password=password)


async def test_adding_changing_and_ending_are_in_the_trail_with_before_and_after(installation: Installation) -> None:
    login_id, staff_id = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        await change_role(work, staff_id, Role.FACILITATOR)
    async with installation.database.unit_of_work(context) as work:
        await change_role(work, staff_id, Role.FACILITATOR)
    async with installation.database.unit_of_work(context) as work:
        await end_staff(work, staff_id)
    assert await trail(installation, installation.north) == [
        (
            Action.STAFF_CREATED,
            None,
            {"role": "analyst", "login_id": str(login_id), "provider_group_id": None},
        ),
        (
            Action.STAFF_ROLE_CHANGED,
            {"role": "analyst", "provider_group_id": None},
            {"role": "facilitator", "provider_group_id": None},
        ),
        (Action.STAFF_ENDED, {"role": "facilitator"}, None),
    ]
    assert await workplaces(installation.database, login_id) == []
    _, again = await make_staff(installation, installation.north, EMAIL, Role.ANALYST, login_id)
    assert again != staff_id, "who has left may come back"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("platform role", "NOT_A_TENANT_ROLE"),
        ("manager without a group", "PROVIDER_GROUP_NEEDED"),
        ("unknown login", "UNKNOWN_LOGIN"),
        ("platform login", "PLATFORM_LOGIN"),
        ("already staff", "ALREADY_STAFF"),
        ("no name", "NAME_MISSING"),
        ("council partner without a council", "PARTNER_NEEDED"),
    ],
)
async def test_a_refused_addition_changes_nothing(installation: Installation, case: str, code: str) -> None:
    staff_login, _ = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    fresh = await make_login(installation, "new@example.org")
    lead = await make_login(installation, "lead@example.org", Role.NATIONAL_LEAD)
    before = await state(installation, installation.north)
    arguments: dict[str, Any] = {"login_id": fresh, "display_name": "Sam Field", "role": Role.ANALYST}
    changes: dict[str, dict[str, Any]] = {
        "platform role": {"role": Role.NATIONAL_LEAD},
        "manager without a group": {"role": Role.PROVIDER_MANAGER},
        "unknown login": {"login_id": new_id()},
        "council partner without a council": {"role": Role.COUNCIL_PARTNER},
        "platform login": {"login_id": lead},
        "already staff": {"login_id": staff_login},
        "no name": {"display_name": " "},
    }
    arguments |= changes[case]
    with pytest.raises(IdentityRefusal) as refused:
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await add_staff(work, **arguments)
    assert refused.value.code == code
    assert await state(installation, installation.north) == before
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await add_staff(work, login_id=fresh, display_name="Sam Field", role=Role.ANALYST)


async def test_the_only_administrator_cannot_leave_or_step_down(installation: Installation) -> None:
    _, first = await make_staff(installation, installation.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    await make_staff(installation, installation.south, "other@example.org", Role.TENANT_ADMINISTRATOR)
    context = installation.context(installation.north)
    before = await state(installation, installation.north)
    for change in ("end", "step down"):
        with pytest.raises(IdentityRefusal) as refused:
            async with installation.database.unit_of_work(context) as work:
                await (end_staff(work, first) if change == "end" else change_role(work, first, Role.ANALYST))
        assert refused.value.code == "LAST_ADMINISTRATOR"
    assert await state(installation, installation.north) == before
    await make_staff(installation, installation.north, "two@example.org", Role.TENANT_ADMINISTRATOR)
    async with installation.database.unit_of_work(context) as work:
        await change_role(work, first, Role.ANALYST)


async def test_two_administrators_who_remove_each_other_at_once_leave_one(installation: Installation) -> None:
    _, first = await make_staff(installation, installation.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    _, second = await make_staff(installation, installation.north, "two@example.org", Role.TENANT_ADMINISTRATOR)

    async def end(staff_id: UUID) -> str:
        try:
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                await end_staff(work, staff_id)
        except IdentityRefusal as refusal:
            return refusal.code
        return "ended"

    assert sorted(await asyncio.gather(end(first), end(second))) == ["LAST_ADMINISTRATOR", "ended"]


@pytest.mark.row("C1")
async def test_staff_of_another_tenant_are_as_unknown_as_nobody(installation: Installation) -> None:
    _, theirs = await make_staff(installation, installation.south, EMAIL, Role.ANALYST)
    before = await state(installation, installation.south)
    messages = set()
    for target in (theirs, new_id()):
        for change in (end_staff, lambda work, id_: change_role(work, id_, Role.REVIEWER)):
            with pytest.raises(IdentityRefusal) as refused:
                async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                    await change(work, target)
            messages.add((refused.value.code, refused.value.message))
    assert len(messages) == 1
    assert await state(installation, installation.south) == before


async def test_an_invited_person_chooses_a_password_and_is_in(installation: Installation) -> None:
    invited = await invite(installation, installation.north, EMAIL)
    assert await attempt(installation, EMAIL) is None
    spoken = invited.code.lower().replace("-", " ")
    login_id = await take(installation, spoken, password=PASSWORD)
    session = await present(installation, await attempt(installation, EMAIL))
    assert session.login_id == login_id
    assert [place.tenant_id for place in await workplaces(installation.database, login_id)] == [installation.north]
    with pytest.raises(IdentityRefusal) as refused:
        await take(installation, invited.code, password="another good password")
    assert refused.value.code == "INVITATION_REFUSED"
    assert await attempt(installation, EMAIL) is not None


async def test_a_weak_first_password_leaves_the_invitation_open(installation: Installation) -> None:
    invited = await invite(installation, installation.north, EMAIL)
    before = await state(installation, installation.north)
    with pytest.raises(IdentityRefusal) as refused:
        await take(installation, invited.code, password="short")
    assert refused.value.code == "WEAK_PASSWORD"
    assert await state(installation, installation.north) == before
    await take(installation, invited.code, password=PASSWORD)


async def test_invitations_lapse_and_a_new_one_replaces_the_old(installation: Installation) -> None:
    invited = await invite(installation, installation.north, EMAIL)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        newer = await invite_again(work, installation.services.vault, invited.staff_member_id)
    with pytest.raises(IdentityRefusal):
        await take(installation, invited.code, password=PASSWORD)
    installation.clock.move(timedelta(days=7))
    with pytest.raises(IdentityRefusal):
        await take(installation, newer, password=PASSWORD)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        newest = await invite_again(work, installation.services.vault, invited.staff_member_id)
    installation.clock.move(timedelta(days=7) - timedelta(seconds=1))
    await take(installation, newest, password=PASSWORD)


async def test_an_invitation_of_somebody_who_left_opens_nothing(installation: Installation) -> None:
    invited = await invite(installation, installation.north, EMAIL)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await end_staff(work, invited.staff_member_id)
    with pytest.raises(IdentityRefusal) as refused:
        await take(installation, invited.code, password=PASSWORD)
    assert refused.value.code == "INVITATION_REFUSED"
    assert await attempt(installation, EMAIL) is None


@pytest.mark.row("C1")
async def test_one_tenants_invitation_cannot_set_the_password_that_opens_another(installation: Installation) -> None:
    login_id, _ = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    invited = await invite(installation, installation.south, EMAIL)
    with pytest.raises(IdentityRefusal) as refused:
        await take(installation, invited.code, password="chosen by somebody else")
    assert refused.value.code == "INVITATION_NEEDS_SIGN_IN"
    assert await attempt(installation, EMAIL, "chosen by somebody else") is None
    stranger = await make_login(installation, "stranger@example.org")
    with pytest.raises(IdentityRefusal) as refused:
        await take(installation, invited.code, login_id=stranger)
    assert refused.value.code == "INVITATION_OF_ANOTHER"
    assert [place.name for place in await workplaces(installation.database, login_id)] == ["Tenant north"]
    await take(installation, invited.code, login_id=login_id)
    assert [place.name for place in await workplaces(installation.database, login_id)] == [
        "Tenant north",
        "Tenant south",
    ]


@pytest.mark.row("C1")
async def test_a_login_prepared_in_anothers_name_does_not_open_when_a_tenant_invites_that_name(
    installation: Installation,
) -> None:
    prepared = await invite(installation, installation.south, EMAIL)
    attacker = await take(installation, prepared.code, password=PASSWORD)
    await invite(installation, installation.north, EMAIL)
    assert [place.name for place in await workplaces(installation.database, attacker)] == ["Tenant south"]


async def test_codes_are_not_stored_and_not_in_the_trail(installation: Installation) -> None:
    invited = await invite(installation, installation.north, EMAIL)
    async with installation.database.session(PLATFORM) as session:
        row = (await session.scalars(select(StaffInvitation))).one()
    assert invited.code.encode() not in row.code_hash
    assert invited.code not in str(await trail(installation, installation.north))
