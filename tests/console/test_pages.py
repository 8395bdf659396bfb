"""Pages of the console over HTTP, under both logins: what they show, what they change, what they refuse."""

import re
from dataclasses import replace
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.console.audit_pages import PAGE_SIZE
from app.directory.models import ProviderGroup
from app.identity.models import ApiClientSecret, Login, StaffMember
from app.identity.permissions import Role
from app.identity.providers import trust_provider
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.identity.everything import everything
from tests.identity.people import PASSWORD, PLATFORM, code_of, make_login, make_staff
from tests.support import Installation

EMAIL = "sam@example.org"


def change_settings(installation: Installation, **settings: Any) -> None:
    """Serve from now on with other settings."""
    services = installation.services
    other = replace(services, settings=services.settings.model_copy(update=settings))
    installation.app.state.services = other


async def audit(installation: Installation, action: Action) -> list[AuditEvent]:
    """Rows of north's trail with this action."""
    async with installation.database.session(installation.context(installation.north)) as session:
        rows = await session.scalars(
            select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.sequence)
        )
        return list(rows)


async def test_wrong_password_unknown_address_and_waiting_login_get_the_same_page(installation: Installation) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    visitor = Visitor(installation)

    async def answer(email: str, password: str) -> tuple[int, str]:
        page = await visitor.post("/console/sign-in", {"email": email, "password": password})
        return page.status_code, page.text.replace(email, "…")

    wrong = await answer(EMAIL, "wrong password")
    assert wrong[0] == 422
    assert await answer("nobody@example.org", "wrong password") == wrong
    for _ in range(4):
        await answer(EMAIL, "wrong password")
    assert await answer(EMAIL, PASSWORD) == wrong
    assert "medstead_session" not in visitor.http.cookies


async def test_nothing_opens_between_the_password_and_the_code(installation: Installation) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    change_settings(installation, require_second_factor=True)
    visitor = Visitor(installation)
    page = await visitor.sign_in(EMAIL)
    assert "You need a second factor" in main_text(page)
    for path in ("/console/", "/console/staff", "/console/tenant", "/console/second-factor"):
        assert (await visitor.get(path)).headers["location"] == "/console/second-factor/enrol"
    before = await everything(installation)
    fields = {"email": "new@example.org", "display_name": "New", "role": "analyst"}
    assert (await visitor.post("/console/staff/invite", fields)).status_code == 303
    assert await everything(installation) == before

    sealed = unescape(re.findall(r'name="sealed" value="([^"]+)"', page.text)[0])
    secret = re.findall(r'medstead-code">([A-Z2-7 ]+)<', page.text)[0].replace(" ", "")
    wrong = await visitor.post("/console/second-factor/enrol", {"sealed": sealed, "code": "000000"})
    assert wrong.status_code == 422
    done = await visitor.post("/console/second-factor/enrol", {"sealed": sealed, "code": code_of(installation, secret)})
    assert done.headers["location"].startswith("/console/?done=enrolled")
    assert (await visitor.get("/console/staff")).status_code == 200
    assert (await visitor.get("/console/second-factor/enrol")).headers["location"] == "/console/"

    again = Visitor(installation)
    page = await again.sign_in(EMAIL)
    assert "Enter your code" in main_text(page)
    assert (await again.get("/console/staff")).headers["location"] == "/console/second-factor"
    used = await again.post("/console/second-factor", {"code": code_of(installation, secret)})
    assert used.status_code == 422
    fresh = await again.post("/console/second-factor", {"code": code_of(installation, secret, 1)})
    assert fresh.headers["location"] == "/console/"
    assert (await again.get("/console/staff")).status_code == 200


async def test_a_secret_made_for_another_session_cannot_be_enrolled(installation: Installation) -> None:
    await make_login(installation, "other@example.org")
    visitor = await visitor_as(installation, Role.ANALYST)
    other = Visitor(installation)
    await other.sign_in("other@example.org")
    page = await other.get("/console/second-factor/enrol")
    sealed = unescape(re.findall(r'name="sealed" value="([^"]+)"', page.text)[0])
    secret = re.findall(r'medstead-code">([A-Z2-7 ]+)<', page.text)[0].replace(" ", "")
    for value in (sealed, "x", ""):
        fields = {"sealed": value, "code": code_of(installation, secret)}
        assert (await visitor.post("/console/second-factor/enrol", fields)).status_code == 400
    async with installation.database.session(PLATFORM) as session:
        assert set(await session.scalars(select(Login.totp_secret))) == {None}


async def test_on_https_the_cookie_is_bound_to_host_and_https(installation: Installation) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    change_settings(installation, base_url="https://medstead.example")
    answer = await Visitor(installation).post("/console/sign-in", {"email": EMAIL, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(r"__Host-medstead_session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", cookie)


async def test_signing_out_is_in_the_trail_and_ends_the_cookie(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.ANALYST)
    cookie = visitor.http.cookies["medstead_session"]
    assert (await visitor.http.get("/console/sign-out")).status_code == 405
    assert (await visitor.post("/console/sign-out")).headers["location"] == "/console/sign-in?done=signed-out"
    assert len(await audit(installation, Action.SIGNED_OUT)) == 1
    visitor.http.cookies.set("medstead_session", cookie)
    assert (await visitor.get("/console/")).headers["location"] == "/console/sign-in"


@pytest.mark.row("C1")
async def test_a_tenant_that_is_not_on_the_list_cannot_be_chosen(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.ANALYST)
    for tenant in (str(installation.south), str(new_id()), "x", ""):
        assert (await visitor.post("/console/tenant", {"tenant_id": tenant})).status_code == 422
    assert "Tenant north" in main_text(await visitor.get("/console/"))


@pytest.mark.row("C1")
async def test_lists_show_the_own_tenant_alone(installation: Installation) -> None:
    await make_staff(installation, installation.south, "southern@example.org", Role.ANALYST)
    for tenant_id in (installation.north, installation.south):
        async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
            name = "Northern homes" if tenant_id == installation.north else "Southern homes"
            work.add(ProviderGroup(tenant_id=tenant_id, id=new_id(), name=name, created_at=work.now))
        await installation.token(tenant_id)
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    staff = main_text(await visitor.get("/console/staff"))
    assert "tenant.administrator@example.org" in staff
    assert "southern@example.org" not in staff
    invite = main_text(await visitor.get("/console/staff/invite"))
    assert "Northern homes" in invite
    assert "Southern homes" not in invite
    clients = await visitor.get("/console/api-clients")
    assert clients.text.count("/console/api-clients/0") == 1
    reader = await visitor_as(installation, Role.INFORMATION_GOVERNANCE)
    trail = main_text(await reader.get("/console/audit"))
    async with installation.database.session(installation.context(installation.north)) as session:
        own = len((await session.scalars(select(AuditEvent.id))).all())
    assert f"Changes 1 to {own}" in trail


async def test_the_audit_trail_is_read_page_by_page_without_gap_or_repeat(installation: Installation) -> None:
    reader = await visitor_as(installation, Role.INFORMATION_GOVERNANCE)
    context = installation.context(installation.north)
    for _ in range(2 * PAGE_SIZE):
        async with installation.database.unit_of_work(context) as work:
            work.record(Action.FIGURES_REFRESHED, "figures", None)
    seen: list[int] = []
    path = "/console/audit"
    while path:
        page = await reader.get(path)
        seen += [int(number) for number in re.findall(r"of change (\d+)", page.text)]
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = following[1] if following else ""
    assert seen == list(range(max(seen), 0, -1))
    assert len(seen) > 2 * PAGE_SIZE
    for before in ("", "x", "-1", "1", "0", "٣", "9" * 30):
        assert (await reader.get(f"/console/audit?before={before}")).status_code == 200
    assert "There is nothing before that" in main_text(await reader.get("/console/audit?before=1"))


async def test_what_the_trail_holds_is_shown_as_text(installation: Installation) -> None:
    reader = await visitor_as(installation, Role.INFORMATION_GOVERNANCE)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        work.record(Action.PROGRAMME_CREATED, "programme", None, after={"name": "<script>alert(1)</script>"})
    page = await reader.get("/console/audit")
    assert "alert(1)" in page.text
    assert "<script>alert" not in page.text


async def test_inviting_shows_a_code_once_and_what_is_wrong_beside_each_field(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await everything(installation)
    wrong = await visitor.post("/console/staff/invite", {"email": "x", "display_name": " ", "role": "king"})
    assert wrong.status_code == 422
    for field in ("email", "display_name", "role"):
        assert f'href="#{field}"' in wrong.text
        assert f'id="{field}-error"' in wrong.text
    manager = {"email": "new@example.org", "display_name": "New", "role": "provider_manager"}
    for group in ("", str(new_id()), "x"):
        answer = await visitor.post("/console/staff/invite", manager | {"provider_group_id": group})
        assert (answer.status_code, "provider group" in answer.text) == (422, True)
    platform = await visitor.post("/console/staff/invite", manager | {"role": "national_lead"})
    assert platform.status_code == 422
    assert await everything(installation) == before

    right = {"email": " New@Example.org ", "display_name": "New  Person", "role": "analyst"}
    page = await visitor.post("/console/staff/invite", right)
    code = re.findall(r'medstead-code">([^<]+)<', page.text)[0]
    twice = await visitor.post("/console/staff/invite", right)
    assert (twice.status_code, "on the staff list already" in twice.text) == (422, True)
    listed = await visitor.get("/console/staff")
    assert code not in listed.text
    assert "New Person new@example.org" in re.sub(r" (E-mail address|Name) ", " ", main_text(listed)).replace("  ", " ")

    guest = Visitor(installation)
    await guest.get("/console/invitation")
    fields = {"code": code, "password": PASSWORD, "password_again": PASSWORD}
    short = fields | {"password": "short", "password_again": "short"}
    assert (await guest.post("/console/invitation", short)).status_code == 422
    assert (await guest.post("/console/invitation", fields | {"password_again": "x"})).status_code == 422
    assert (await guest.post("/console/invitation", fields | {"code": "AAAAA-BBBBB"})).status_code == 422
    assert (await guest.post("/console/invitation", fields)).headers["location"].startswith("/console/sign-in")
    assert "Tenant north" in main_text(await guest.sign_in("new@example.org"))


async def test_an_invitation_adds_a_tenant_to_the_login_that_is_signed_in(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    colleague = await visitor_as(installation, Role.ANALYST, installation.south, EMAIL)
    fields = {"email": EMAIL, "display_name": "Sam Field", "role": "facilitator"}
    page = await visitor.post("/console/staff/invite", fields)
    code = re.findall(r'medstead-code">([^<]+)<', page.text)[0]
    stranger = Visitor(installation)
    taking = {"code": code, "password": PASSWORD, "password_again": PASSWORD}
    refused = await stranger.post("/console/invitation", taking)
    assert (refused.status_code, "Sign in with it first" in refused.text) == (422, True)
    await colleague.get("/console/invitation")
    taken = await colleague.post("/console/invitation", {"code": code})
    assert taken.headers["location"] == "/console/tenant?done=joined"
    page = await colleague.get("/console/tenant")
    assert "Tenant north" in main_text(page)
    await colleague.post("/console/tenant", {"tenant_id": str(installation.north)})
    assert "Facilitator Tenant north" in main_text(await colleague.get("/console/"))


async def test_a_role_is_changed_and_access_ended_with_audit_rows(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    colleague = await visitor_as(installation, Role.ANALYST)
    async with installation.database.session(installation.context(installation.north)) as session:
        people = {row.role: row.id for row in await session.scalars(select(StaffMember))}
    own, theirs = people["tenant_administrator"], people["analyst"]
    changed = await visitor.post(f"/console/staff/{theirs}", {"role": "information_governance"})
    assert changed.headers["location"] == "/console/staff?done=role-changed"
    assert (await colleague.get("/console/audit")).status_code == 200
    (row,) = await audit(installation, Action.STAFF_ROLE_CHANGED)
    assert (row.actor_id, row.subject_id) == (own, theirs)
    before = await everything(installation)
    last = await visitor.post(f"/console/staff/{own}/end")
    assert (last.status_code, "only administrator" in last.text) == (422, True)
    assert (await visitor.post(f"/console/staff/{own}", {"role": "analyst"})).status_code == 422
    assert (await visitor.post(f"/console/staff/{theirs}", {"role": "king"})).status_code == 422
    assert await everything(installation) == before
    await visitor.post(f"/console/staff/{theirs}/end")
    assert (await colleague.get("/console/audit")).headers["location"] == "/console/sign-in"
    assert (await visitor.get(f"/console/staff/{theirs}")).status_code == 404


async def test_a_new_code_replaces_a_lost_one(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    fields = {"email": EMAIL, "display_name": "Sam Field", "role": "analyst"}
    page = await visitor.post("/console/staff/invite", fields)
    lost = re.findall(r'medstead-code">([^<]+)<', page.text)[0]
    async with installation.database.session(installation.context(installation.north)) as session:
        (member,) = (await session.scalars(select(StaffMember.id).where(StaffMember.role == "analyst"))).all()
    page = await visitor.post(f"/console/staff/{member}/invite")
    new = re.findall(r'medstead-code">([^<]+)<', page.text)[0]
    guest = Visitor(installation)
    for code, status in ((lost, 422), (new, 303)):
        taking = {"code": code, "password": PASSWORD, "password_again": PASSWORD}
        assert (await guest.post("/console/invitation", taking)).status_code == status


async def test_an_applications_secret_is_shown_once_and_can_be_changed_and_revoked(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await everything(installation)
    for wrong in (
        {"name": "", "scopes": "tenant:read"},
        {"name": "Portal"},
        {"name": "Portal", "scopes": "audit:read"},
        {"name": "Portal", "scopes": "nonsense"},
    ):
        assert (await visitor.post("/console/api-clients/add", wrong)).status_code == 422
    assert await everything(installation) == before
    right = {"name": "Portal <b>", "scopes": ["tenant:read", "evidence:read"]}
    page = await visitor.post("/console/api-clients/add", right)
    client_id, secret = re.findall(r'medstead-code">([^<]+)<', page.text)
    granted = await installation.services.clients.grant(client_id, secret, None)
    assert granted["scope"] == "evidence:read tenant:read"
    address = re.findall(r'href="(/console/api-clients/[\w-]{36})"', page.text)[0]
    shown = await visitor.get(address)
    assert secret not in shown.text
    assert "Portal <b>" not in shown.text
    added = await visitor.post(f"{address}/secrets")
    assert re.findall(r'medstead-code">([^<]+)<', added.text)[1] != secret
    third = await visitor.post(f"{address}/secrets")
    assert (third.status_code, "Two secrets are live" in third.text) == (422, True)
    async with installation.database.session(installation.context(installation.north)) as session:
        first = (await session.scalars(select(ApiClientSecret.id).order_by(ApiClientSecret.id))).all()[0]
    assert (await visitor.post(f"{address}/secrets/{new_id()}/revoke")).status_code == 404
    assert (await visitor.post(f"{address}/secrets/{first}/revoke")).status_code == 303
    assert (await visitor.post(f"{address}/revoke")).status_code == 303
    assert (await visitor.post(f"{address}/revoke")).status_code == 422
    assert len(await audit(installation, Action.API_CLIENT_REVOKED)) == 1


async def test_the_organisations_sign_in_is_found_by_short_name_and_a_made_up_return_opens_nothing(
    installation: Installation,
) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        provider_id: UUID = await trust_provider(
            work,
            installation.services.vault,
            name="County sign-in",
            issuer="https://id.county.example",
            client_id="x",
            client_secret="y",
        )
    visitor = Visitor(installation)
    assert str(provider_id) in (await visitor.get("/console/organisation?name=North ")).text
    for name in ("south", "nowhere", "county.example"):
        page = await visitor.get(f"/console/organisation?name={name}")
        assert "No organisation signs in" in main_text(page)
    before = await everything(installation)
    assert (await visitor.post(f"/console/organisation/{new_id()}")).status_code == 422
    returned = await visitor.get("/console/sign-in/return?code=a&state=b&iss=c")
    assert 'name="state" value="b"' in returned.text
    assert (await visitor.post("/console/sign-in/return", {"code": "a", "state": "b"})).status_code == 422
    assert await everything(installation) == before
    assert "medstead_session" not in visitor.http.cookies
