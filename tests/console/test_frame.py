"""The console's frame: who comes in, same origin and token, headers, access log, error pages."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.console.console import ROUTES, UndeclaredRoute, refuse_undeclared
from app.console.pages import ConsoleRoute
from app.identity.models import Access, LoginSession, PlatformAccess, StaffMember
from app.identity.permissions import ROLE_PERMISSIONS, Permission, Role
from tenants.audit import AuditEvent
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.identity.people import PLATFORM, make_staff
from tests.support import Installation

CONSOLE = Path(__file__).resolve().parents[2] / "app" / "console"


async def tenant_counts(installation: Installation) -> tuple[int, int]:
    """Staff and audit rows of the north tenant."""
    async with installation.database.session(installation.context(installation.north)) as session:
        staff = (await session.scalars(select(func.count()).select_from(StaffMember))).one()
        return staff, (await session.scalars(select(func.count()).select_from(AuditEvent))).one()


async def accesses(installation: Installation) -> list[tuple[Any, ...]]:
    """The tenant's access log in order."""
    async with installation.database.session(installation.context(installation.north)) as session:
        rows = await session.execute(
            select(Access.route, Access.method, Access.status, Access.subject_id).order_by(Access.id)
        )
        return [tuple(row) for row in rows]


INVITATION = {"email": "new@example.org", "display_name": "New Person", "role": "analyst"}


@pytest.mark.parametrize(
    ("headers", "with_token"),
    [
        pytest.param({"origin": "https://elsewhere.example"}, True, id="other origin"),
        pytest.param({"origin": "null"}, True, id="opaque origin"),
        pytest.param({"sec_fetch_site": "cross-site"}, True, id="cross site"),
        pytest.param({"sec_fetch_site": "same-site"}, True, id="sibling host"),
        pytest.param({}, False, id="no token"),
    ],
)
async def test_a_form_needs_same_origin_and_the_sessions_token(
    installation: Installation, headers: dict[str, str], with_token: bool
) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await tenant_counts(installation)
    fields = INVITATION if with_token else INVITATION | {"token": "x"}
    refused = await visitor.post("/console/staff/invite", fields, **headers)
    assert refused.status_code == 403
    assert "Nothing has been changed" in refused.text
    assert await tenant_counts(installation) == before
    assert (await visitor.post("/console/staff/invite", INVITATION)).status_code == 200
    assert (await tenant_counts(installation))[0] == before[0] + 1


async def test_a_request_that_says_nothing_of_its_origin_is_refused(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    fields = INVITATION | {"token": visitor.token}
    before = await tenant_counts(installation)
    assert (await visitor.http.post("/console/staff/invite", data=fields)).status_code == 403
    assert await tenant_counts(installation) == before
    origin = {"origin": "http://testserver"}
    assert (await visitor.http.post("/console/staff/invite", data=fields, headers=origin)).status_code == 200


async def test_another_sessions_token_is_refused(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    other = await visitor_as(installation, Role.TENANT_ADMINISTRATOR, email="other@example.org")
    before = await tenant_counts(installation)
    assert (await visitor.post("/console/staff/invite", INVITATION | {"token": other.token})).status_code == 403
    assert await tenant_counts(installation) == before


async def test_pages_are_not_cached_and_allow_no_inline_script_or_style(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    for path in ("/console/", "/console/staff", "/console/nowhere"):
        answer = await visitor.get(path)
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", answer.text)
    cookie = (await Visitor(installation).post("/console/sign-in", {"email": "x", "password": "x"})).headers
    assert "set-cookie" not in cookie


async def test_the_cookie_is_hidden_from_scripts(installation: Installation) -> None:
    await make_staff(installation, installation.north, "sam@example.org", Role.ANALYST)
    visitor = Visitor(installation)
    fields = {"email": "sam@example.org", "password": "walnut ladder thirteen"}
    cookie = (await visitor.post("/console/sign-in", fields)).headers["set-cookie"]
    assert re.fullmatch(r"medstead_session=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", cookie)


async def test_the_access_log_has_every_request_with_ids_and_no_query(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    _, colleague = await make_staff(installation, installation.north, "two@example.org", Role.ANALYST)
    await visitor.get(f"/console/staff/{colleague}?search=Sam+Field")
    await visitor.get("/console/audit")
    await visitor.get("/console/Sam-Field")
    await visitor.post("/console/staff/invite", {"email": "nonsense"})
    log = await accesses(installation)
    assert log == [
        ("home", "GET", 200, None),
        ("staff_member", "GET", 200, colleague),
        ("audit_trail", "GET", 403, None),
        ("no such page", "GET", 404, None),
        ("staff_invite", "POST", 422, None),
    ]
    async with installation.database.session(PLATFORM) as session:
        rows = (await session.execute(select(PlatformAccess.route, PlatformAccess.login_id))).all()
    assert ("sign_in_page", None) in [tuple(row) for row in rows]


async def test_platform_users_and_strangers_are_in_the_platforms_log(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.NATIONAL_LEAD)
    await visitor.get("/console/staff")
    await Visitor(installation).get("/console/staff")
    async with installation.database.session(PLATFORM) as session:
        rows = await session.scalars(select(PlatformAccess).order_by(PlatformAccess.id))
        log = [(row.route, row.status, row.login_id is not None) for row in rows]
    assert log == [
        ("sign_in_page", 200, False),
        ("sign_in_page", 303, False),
        ("home", 200, True),
        ("staff_list", 403, True),
        ("staff_list", 303, False),
    ]
    assert await accesses(installation) == []


async def test_who_cannot_be_noted_is_not_served(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)

    async def full(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("app.console.middleware.write_access", full)
    answer = await visitor.get("/console/staff")
    assert answer.status_code == 500
    assert "example.org" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/console/nowhere", 404), ("PUT", "/console/staff", 405), ("GET", "/console/sign-out", 405)],
)
async def test_errors_are_pages_that_say_what_to_do(
    installation: Installation, method: str, path: str, status: int
) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    answer = await visitor.http.request(method, path, headers={"origin": "http://testserver"})
    assert answer.status_code == status
    assert "Go to the start page" in main_text(answer)


async def test_an_unforeseen_error_is_a_page_with_a_number_and_nothing_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.console.staff_pages.Listed", broken)
    answer = await visitor.get("/console/staff")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "secret detail" not in answer.text


async def test_a_form_that_is_too_large_is_refused_while_it_arrives(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await tenant_counts(installation)
    answer = await visitor.post("/console/staff/invite", INVITATION | {"display_name": "x" * 70_000})
    assert answer.status_code == 413
    assert await tenant_counts(installation) == before


async def test_characters_that_nothing_can_hold_are_refused_in_words(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    before = await tenant_counts(installation)
    for fields in ({"display_name": "a\0b"}, {"email": "a\0b@example.org"}, {"token": "a\0b"}):
        assert (await visitor.post("/console/staff/invite", INVITATION | fields)).status_code == 400
    assert (await visitor.post("/console/staff/invite", INVITATION | {"token": "é"})).status_code == 403
    assert (await visitor.get("/console/organisation?name=%00")).status_code == 400
    assert (await Visitor(installation).post("/console/sign-in", {"email": "a\0b", "password": "x"})).status_code == 400
    basic = {"grant_type": "client_credentials", "client_id": "a\0b", "client_secret": "x"}
    assert (await installation.http.post("/oauth/token", data=basic)).status_code == 401
    assert await tenant_counts(installation) == before


async def test_a_file_where_none_is_asked_for_is_refused(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    answer = await visitor.http.post(
        "/console/staff/invite",
        data=INVITATION | {"token": visitor.token},
        files={"file": ("a.csv", b"a")},
        headers={"origin": "http://testserver"},
    )
    assert answer.status_code == 400


async def test_a_rotated_token_reaches_the_browser(installation: Installation) -> None:
    from app.identity.rules import GRACE, ROTATE_AFTER

    visitor = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    old = visitor.http.cookies["medstead_session"]
    installation.clock.move(ROTATE_AFTER)
    assert (await visitor.get("/console/staff")).status_code == 200
    assert visitor.http.cookies["medstead_session"] != old
    installation.clock.move(GRACE * 2)
    assert (await visitor.get("/console/staff")).status_code == 200
    thief = Visitor(installation)
    thief.http.cookies.set("medstead_session", old)
    assert (await thief.get("/console/staff")).headers["location"] == "/console/sign-in"
    assert (await visitor.get("/console/staff")).headers["location"] == "/console/sign-in"


WHO_SEE_MOST = (
    Role.TENANT_ADMINISTRATOR,
    Role.INFORMATION_GOVERNANCE,
    Role.PROVIDER_MANAGER,
    Role.COUNCIL_PARTNER,
    Role.PLATFORM_OPERATOR,
)
"""Together they open every page; the others open fewer, and are refused by the same door."""
WHO_TRIES_ALL = Role.PLATFORM_OPERATOR
"""Opens the fewest, so it shows that a refused GET or HEAD changes nothing either."""


@pytest.mark.one_login
@pytest.mark.long
async def test_get_and_head_of_every_page_change_nothing_but_the_access_log(installation: Installation) -> None:
    visitors = {role: await visitor_as(installation, role) for role in WHO_SEE_MOST}
    _, colleague = await make_staff(installation, installation.north, "two@example.org", Role.ANALYST)
    before = await tenant_counts(installation)
    async with installation.database.session(PLATFORM) as session:
        sessions = (await session.scalars(select(func.count()).select_from(LoginSession))).one()
    for route in console_routes():
        if "GET" in (route.methods or ()):
            path = "/console" + re.sub(r"\{\w+:uuid\}", str(colleague), route.path)
            opening = [role for role in WHO_SEE_MOST if opens(route, role)]
            assert opening, path
            for role in {*opening, WHO_TRIES_ALL}:
                got, headed = await visitors[role].get(path), await visitors[role].http.head(path)
                assert (got.status_code == 403) == (headed.status_code == 403) == (role not in opening), (path, role)
    assert await tenant_counts(installation) == before
    async with installation.database.session(PLATFORM) as session:
        assert (await session.scalars(select(func.count()).select_from(LoginSession))).one() == sessions


def opens(route: ConsoleRoute, role: Role) -> bool:
    """Whether a page opens for a role; the pages around signing in open for all."""
    needs = {need for need in (route.needs, route.also) if isinstance(need, Permission)}
    return needs <= ROLE_PERMISSIONS[role]


def console_routes() -> list[ConsoleRoute]:
    """All pages."""
    return [route for route in ROUTES if isinstance(route, ConsoleRoute)]


def test_every_route_says_what_it_needs_and_one_that_does_not_stops_the_start() -> None:
    assert len(console_routes()) == len(ROUTES) > 15
    refuse_undeclared(ROUTES)

    async def forgotten(_: Request) -> Response:
        return Response()

    with pytest.raises(UndeclaredRoute, match="/forgotten"):
        refuse_undeclared([*ROUTES, Route("/forgotten", forgotten)])


def test_every_form_of_the_templates_holds_the_token() -> None:
    found = 0
    for template in (CONSOLE / "templates").glob("*.jinja"):
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL):
            found += 1
            assert "{{ token() }}" in form, template.name
    assert found > 12


def test_what_was_copied_from_the_design_system_asks_nobody_else_and_shows_no_mark() -> None:
    static = CONSOLE / "static"
    for file in static.rglob("*"):
        if file.suffix in {".css", ".js"}:
            text = file.read_text()
            assert "@font-face" not in text
            assert "Frutiger" not in text
            assert not re.search(r"(?<!xmlns=\\\")https?://(?!www\.w3\.org)", text), file.name
    assert (static / "nhsuk" / "LICENSE").read_text().startswith("MIT License")
    assert {file.name for file in static.rglob("*.svg")} == {
        "favicon.svg",
        *(f"nhsuk-icon-{name}.svg" for name in ("arrow-down", "arrow-up", "arrow-up-down", "cross")),
    }
