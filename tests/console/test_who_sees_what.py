"""Every page of the main job for every role: who may open it, who sees names; another tenant's is not there."""

import re
from uuid import UUID

import pytest

from app.console.console import ROUTES
from app.console.pages import ConsoleRoute
from app.identity.permissions import Role
from tests.console.programme import small_programme
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.imports.support import rows_of
from tests.support import Installation

LEADS = {Role.TENANT_ADMINISTRATOR, Role.PROGRAMME_LEAD}
IMPORTS = LEADS | {Role.ANALYST, Role.INFORMATION_GOVERNANCE}
EVIDENCE = IMPORTS | {Role.COMMUNICATIONS}
DIRECTORY = EVIDENCE | {Role.FACILITATOR, Role.REVIEWER}
PEOPLE = LEADS | {Role.FACILITATOR, Role.INFORMATION_GOVERNANCE}

PAGES = {
    "/console/impact": EVIDENCE,
    "/console/impact/figures.csv": EVIDENCE,
    "/console/impact/IMP-01/chart.csv": EVIDENCE,
    "/console/impact/IMP-01": IMPORTS,
    "/console/impact/IMP-01/rows.csv": IMPORTS,
    "/console/imports": IMPORTS,
    "/console/imports/start": LEADS,
    "/console/imports/{import}": IMPORTS,
    "/console/imports/{import}/progress": IMPORTS,
    "/console/imports/{import}/rejected": IMPORTS,
    "/console/imports/{import}/remarks": IMPORTS,
    "/console/imports/{import}/review": IMPORTS,
    "/console/imports/review": IMPORTS,
    "/console/imports/review/{row}": IMPORTS,
    "/console/directory": DIRECTORY,
    "/console/directory/locations": DIRECTORY,
    "/console/directory/locations/1-900000001": DIRECTORY,
    "/console/directory/employers": DIRECTORY,
    "/console/directory/employers/{employer}": DIRECTORY,
    "/console/directory/learners": DIRECTORY,
    "/console/directory/learners/{learner}": DIRECTORY,
    "/console/directory/imports": IMPORTS,
    "/console/directory/imports/{import}": IMPORTS,
    "/console/settings": LEADS,
    "/console/registry": {Role.PLATFORM_OPERATOR},
    "/console/registry/tenants": {Role.PLATFORM_OPERATOR},
    "/console/registry/tenants/{tenant}": {Role.PLATFORM_OPERATOR},
    "/console/registry/organisations": {Role.PLATFORM_OPERATOR},
}
"""Address → the roles it opens for. Rows of figures need training:read, which those who see imports have here."""

WITH_NAMES = {
    "/console/impact/IMP-01",
    "/console/impact/IMP-01/rows.csv",
    "/console/imports/{import}/review",
    "/console/imports/review",
    "/console/imports/review/{row}",
    "/console/directory/learners",
}
"""Pages that show somebody of NAMES to those who may see people."""

NAMES = ("Familyb", "Givend", "Ozols", "learner1@care.example")


async def addresses(installation: Installation, visitor: Visitor) -> dict[str, str]:
    """What stands for each part of PAGES, from a small programme in the north."""
    made = await small_programme(installation, installation.north)
    waiting = await rows_of(installation, installation.north, made.attendance, "review")

    async def first_of(place: str) -> str:
        listed = await visitor.get(f"/console/directory/{place}")
        found = re.search(rf'href="/console/directory/{place}/([0-9a-f-]+)"', listed.text)
        assert found is not None
        return found[1]

    return {
        "{import}": str(made.attendance),
        "{row}": str(waiting[0].id),
        "{employer}": await first_of("employers"),
        "{learner}": await first_of("learners"),
        "{tenant}": str(installation.north),
    }


def filled(path: str, parts: dict[str, str]) -> str:
    """The address with its parts."""
    for part, value in parts.items():
        path = path.replace(part, value)
    return path


async def test_each_page_opens_for_its_roles_and_shows_names_to_those_who_may_see_them(
    installation: Installation,
) -> None:
    visitors = {role: await visitor_as(installation, role) for role in Role}
    parts = await addresses(installation, visitors[Role.TENANT_ADMINISTRATOR])
    shown: dict[Role, set[str]] = {role: set() for role in Role}
    for path, roles in PAGES.items():
        for role, visitor in visitors.items():
            answer = await visitor.get(filled(path, parts))
            assert answer.status_code == (200 if role in roles else 403), (path, role)
            named = [name for name in NAMES if name in answer.text]
            shown[role] |= {path} if named else set()
    assert shown == {role: {path for path in WITH_NAMES if role in PEOPLE & PAGES[path]} for role in Role}


@pytest.mark.row("C1")
async def test_another_tenants_rows_are_not_there(installation: Installation) -> None:
    home = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    parts = await addresses(installation, home)
    stranger = await visitor_as(installation, Role.TENANT_ADMINISTRATOR, installation.south, "south@example.org")
    tried = 0
    for path, roles in PAGES.items():
        if Role.TENANT_ADMINISTRATOR not in roles:
            continue
        asked = filled(path, parts)
        answer = await stranger.get(asked)
        if asked != path or "1-900000001" in path:
            assert answer.status_code == 404, path
            tried += 1
        else:
            assert answer.status_code == 200, path
            found = [text for text in (*NAMES, "Rose Lodge", "webinar.csv") if text in answer.text]
            assert not found, (path, found)
    assert tried == 10
    for change in ("apply", "cancel", "rejected.csv"):
        assert (await stranger.post(f"/console/imports/{parts['{import}']}/{change}")).status_code == 404
    answer = await stranger.post(f"/console/imports/review/{parts['{row}']}/answer", {"answer": "new"})
    assert answer.status_code == 404
    waiting = await rows_of(installation, installation.north, UUID(parts["{import}"]), "review")
    assert {row.state for row in waiting} == {"open"}


async def test_every_method_but_get_is_refused_by_what_is_only_looked_at(installation: Installation) -> None:
    leads = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    parts = await addresses(installation, leads)
    looked_at = [path for path in PAGES if "/directory" in path or "/registry" in path]
    for path in looked_at:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = await leads.http.request(
                method, filled(path, parts), headers={"origin": "http://testserver"}, data={"token": leads.token}
            )
            assert answer.status_code == 405, (path, method)
    for path in ("create", "edit/1", "export/csv", "delete", "import", "action/x", "ajax/lookup"):
        assert (await leads.get(f"/console/directory/learners/{path}")).status_code == 404


def test_every_page_of_the_main_job_is_tried() -> None:
    tried = {re.sub(r"\{\w+\}|IMP-01|1-900000001", "{}", path.removeprefix("/console")) for path in PAGES}
    declared = {
        re.sub(r"\{[\w:]+\}", "{}", route.path)
        for route in ROUTES
        if isinstance(route, ConsoleRoute) and "GET" in (route.methods or ())
    }
    ours = {path for path in declared if re.match(r"/(impact|imports|directory|registry|settings)\b", path)}
    assert ours - tried == {"/registry/organisations/{}"}


async def test_the_platforms_people_have_a_home_of_their_own(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.NATIONAL_LEAD)
    assert "No comparison of systems has been published yet" in main_text(await lead.get("/console/"))
    operator = await visitor_as(installation, Role.PLATFORM_OPERATOR)
    assert "Registry" in main_text(await operator.get("/console/"))
    tenants = main_text(await operator.get("/console/registry/tenants"))
    assert "Tenants 1 to 2 of 2" in tenants
    assert "Name Tenant north Kind ICB Status Onboarding" in tenants
    organisations = main_text(await operator.get("/console/registry/organisations"))
    assert "Organisations 1 to 50 of 62" in organisations
    assert "ODS QHG" in organisations
    second = main_text(await operator.get("/console/registry/organisations?page=2&pageSize=100000"))
    assert "Organisations 51 to 62 of 62" in second
