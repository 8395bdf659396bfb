"""Sessions of browsers: rotation, theft, expiry, the tenant at work in, and the principal behind one."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.identity.errors import IdentityRefusal
from app.identity.models import LoginSession
from app.identity.permissions import Permission, Role, permissions_of
from app.identity.rules import ABSOLUTE, GRACE, IDLE, ROTATE_AFTER
from app.identity.sessions import end_session, enter_tenant, principal_of, workplaces
from app.identity.staff import change_role, end_staff
from app.identity.tidying import KEPT
from tenants.audit import Action, AuditEvent, PlatformAuditEvent, verify
from tenants.context import ActorKind
from tenants.engine import create_engine
from tenants.registry import change_status
from tenants.session import Database
from tests.identity.people import PLATFORM, at_work, attempt, make_login, make_staff, present, seen
from tests.support import Installation
from workers.sweeper import tidy

EMAIL = "sam@example.org"


async def test_a_token_rotates_and_its_forerunner_serves_requests_under_way(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    old = await attempt(installation, EMAIL)
    assert (await present(installation, old)).new_token is None
    installation.clock.move(ROTATE_AFTER)
    both = await asyncio.gather(present(installation, old), present(installation, old))
    new = [session.new_token for session in both if session.new_token is not None]
    assert len(new) == 1, "of two requests at once one rotates and the other is served"
    installation.clock.move(GRACE)
    assert (await present(installation, old)).new_token is None
    assert (await present(installation, new[0])).id == both[0].id


async def test_an_old_token_after_its_grace_ends_the_session_for_thief_and_owner(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    old = await attempt(installation, EMAIL)
    installation.clock.move(ROTATE_AFTER)
    new = (await present(installation, old)).new_token
    installation.clock.move(GRACE + timedelta(seconds=1))
    assert await seen(installation, new) is not None
    assert await seen(installation, old) is None
    assert await seen(installation, new) is None
    async with installation.database.session(PLATFORM) as session:
        last = (await session.scalars(select(PlatformAuditEvent).order_by(PlatformAuditEvent.id.desc()))).first()
    assert last is not None
    assert last.action == Action.SESSION_STOLEN


async def test_traces_of_signing_in_are_thrown_away_a_month_after_their_end(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    await attempt(installation, EMAIL)

    async def left() -> int:
        async with installation.database.session(PLATFORM) as session:
            return len((await session.scalars(select(LoginSession.id))).all())

    installation.clock.move(ABSOLUTE + KEPT - timedelta(seconds=1))
    await tidy(installation.database)
    assert await left() == 1
    young = await attempt(installation, EMAIL)
    installation.clock.move(timedelta(seconds=2))
    await tidy(installation.database)
    assert await left() == 1
    assert await seen(installation, young) is not None


async def test_a_session_ends_when_it_is_not_used(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    token = await attempt(installation, EMAIL)
    for _ in range(3):
        installation.clock.move(ROTATE_AFTER - timedelta(seconds=1))
        token = (await present(installation, token)).new_token or token
    installation.clock.move(IDLE)
    assert await seen(installation, token) is None


async def test_a_session_ends_after_twelve_hours_however_much_it_is_used(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    token, began = await attempt(installation, EMAIL), installation.clock()
    while installation.clock() + timedelta(minutes=20) < began + ABSOLUTE:
        installation.clock.move(timedelta(minutes=20))
        token = (await present(installation, token)).new_token or token
    installation.clock.move(timedelta(minutes=20))
    assert await seen(installation, token) is None


async def test_signing_out_ends_the_session_once(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    token, other = await attempt(installation, EMAIL), await attempt(installation, EMAIL)
    session = await present(installation, token)
    for _ in range(2):
        async with installation.database.unit_of_work(PLATFORM) as work:
            await end_session(work, session.id)
    assert await seen(installation, token) is None
    assert await seen(installation, other) is not None, "another browser of the same person stays signed in"
    async with installation.database.session(PLATFORM) as reading:
        trail = (await reading.scalars(select(PlatformAuditEvent.action))).all()
    assert trail.count(Action.SIGNED_OUT) == 1


async def test_a_session_at_work_is_a_principal_with_the_permissions_of_its_role(installation: Installation) -> None:
    login_id, staff_id = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    bare = await present(installation, await attempt(installation, EMAIL))
    assert await principal_of(installation.database, bare) is None, "no tenant is chosen yet"
    session = await present(installation, await at_work(installation, EMAIL, installation.north))
    principal = await principal_of(installation.database, session)
    assert principal is not None
    assert (principal.kind, principal.id, principal.tenant_id) == (ActorKind.STAFF, staff_id, installation.north)
    assert principal.permissions == permissions_of(Role.ANALYST)
    assert not principal.may(Permission.STAFF_WRITE)
    async with installation.database.session(installation.context(installation.north)) as reading:
        entered = (await reading.scalars(select(AuditEvent).where(AuditEvent.action == Action.TENANT_ENTERED))).one()
        assert (entered.actor_id, entered.after) == (staff_id, {"staff_member_id": str(staff_id)})
        assert [fault async for fault in verify(reading, installation.north)] == []
    assert session.login_id == login_id


async def test_a_platform_role_is_a_principal_in_no_tenant(installation: Installation) -> None:
    await make_login(installation, EMAIL, Role.NATIONAL_LEAD)
    session = await present(installation, await attempt(installation, EMAIL))
    principal = await principal_of(installation.database, session)
    assert principal is not None
    assert (principal.kind, principal.tenant_id) == (ActorKind.PLATFORM, None)
    assert principal.permissions == {Permission.BENCHMARK_READ}
    assert await workplaces(installation.database, session.login_id) == []


@pytest.mark.row("C1")
async def test_nobody_enters_a_tenant_that_did_not_let_them_in(installation: Installation) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    token = await attempt(installation, EMAIL)
    session = await present(installation, token)
    assert [place.name for place in await workplaces(installation.database, session.login_id)] == ["Tenant north"]
    with pytest.raises(IdentityRefusal) as refused:
        async with installation.database.unit_of_work(installation.context(installation.south)) as work:
            await enter_tenant(work, session.id)
    assert refused.value.code == "TENANT_NOT_OPEN"
    assert (await present(installation, token)).tenant_id is None
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await enter_tenant(work, session.id)
    assert (await present(installation, token)).tenant_id == installation.north


async def test_a_person_in_two_tenants_acts_in_one_at_a_time(installation: Installation) -> None:
    login_id, north_staff = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    _, south_staff = await make_staff(installation, installation.south, EMAIL, Role.REVIEWER, login_id)
    token = await at_work(installation, EMAIL, installation.north)
    session = await present(installation, token)
    principal = await principal_of(installation.database, session)
    assert principal is not None
    assert (principal.id, principal.role) == (north_staff, "analyst")
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        await enter_tenant(work, session.id)
    principal = await principal_of(installation.database, await present(installation, token))
    assert principal is not None
    assert (principal.id, principal.role) == (south_staff, "reviewer")


async def test_a_changed_or_ended_role_counts_from_the_next_request(installation: Installation) -> None:
    login_id, staff_id = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    _, _ = await make_staff(installation, installation.south, EMAIL, Role.ANALYST, login_id)
    token = await at_work(installation, EMAIL, installation.north)
    elsewhere = await at_work(installation, EMAIL, installation.south)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await change_role(work, staff_id, Role.FACILITATOR)
    principal = await principal_of(installation.database, await present(installation, token))
    assert principal is not None
    assert principal.permissions == permissions_of(Role.FACILITATOR)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await end_staff(work, staff_id)
    assert await seen(installation, token) is None
    assert await principal_of(installation.database, await present(installation, elsewhere)) is not None


async def test_a_suspended_tenant_lets_nobody_work(installation: Installation) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    token = await at_work(installation, EMAIL, installation.north)
    assert await principal_of(installation.database, await present(installation, token)) is not None
    owner = Database(create_engine(installation.urls.owner), installation.clock)
    async with owner.unit_of_work(installation.context(installation.north)) as work:
        await change_status(work, "suspended")
    await owner.dispose()
    session = await present(installation, token)
    assert await principal_of(installation.database, session) is None
    assert await workplaces(installation.database, session.login_id) == []


async def test_use_is_noted_at_most_once_a_minute(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    token = await attempt(installation, EMAIL)
    began = installation.clock()

    async def noted() -> timedelta:
        async with installation.database.session(PLATFORM) as session:
            return (await session.scalars(select(LoginSession.seen_at))).one() - began

    installation.clock.move(timedelta(seconds=59))
    await present(installation, token)
    assert await noted() == timedelta()
    installation.clock.move(timedelta(seconds=1))
    await present(installation, token)
    assert await noted() == timedelta(minutes=1)
