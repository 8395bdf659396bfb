"""Councils as partners: their steps, who joined when, and names that are shared only under an agreement."""

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.console.console import ROUTES
from app.console.pages import ConsoleRoute
from app.console.partner_pages import drawn
from app.directory.models import CqcLocation
from app.governance.models import PartnerOrganisation
from app.governance.partnerships import Adopted
from app.governance.rules import Steps, names_are_shared, stage_of
from app.identity.permissions import Permission, Role
from tests.booking.support import let_time_pass, make_staff
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.governance.test_pages import located, rename
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds

DAY = date(2026, 3, 1)


def test_names_are_shared_while_a_signed_agreement_is_in_force() -> None:
    signed = Steps(DAY, DAY, DAY + timedelta(5), DAY + timedelta(30), DAY + timedelta(9))
    shared = [names_are_shared(signed, DAY + timedelta(days)) for days in (4, 5, 30, 31)]
    assert shared == [False, True, True, False]
    ended = Steps(DAY, DAY, DAY, None, DAY, DAY + timedelta(10))
    assert names_are_shared(ended, DAY + timedelta(9))
    assert not names_are_shared(ended, DAY + timedelta(10))
    assert not names_are_shared(Steps(DAY, DAY), DAY + timedelta(99)), "to agree is not to sign"
    stages = [stage_of(signed, DAY + timedelta(days)) for days in (0, 5, 9)]
    assert stages == ["agreed", "agreement_signed", "live"]
    assert stage_of(ended, DAY + timedelta(10)) == "ended"


def test_the_timeline_ends_today_and_begins_with_the_first_day() -> None:
    today = DAY + timedelta(100)
    first, second = (
        Adopted(UUID(int=number), UUID(int=9), "Council", steps, "invited", active)
        for number, (steps, active) in enumerate(
            ((Steps(DAY + timedelta(50)), DAY), (Steps(DAY + timedelta(75), ended_on=today), None))
        )
    )
    begins, rows = drawn([first, second], today)
    assert begins == DAY
    assert (rows[0].x, rows[0].width) == (0.0, 100.0)
    assert rows[1].x is None
    assert [mark.x for row in rows for mark in row.marks] == [50.0, 75.0]


async def _invite(team: Visitor, name: str, area: str, on: date) -> str:
    """The path of a new partnership's page."""
    council = await team.get("/console/governance/partners/timeline")
    found = re.search(rf'<option value="([0-9a-f-]{{36}})"[^>]*>{name}', council.text)
    assert found is not None, name
    sent = {"partner": found[1], "local_authority": area, "on": str(on)}
    answer = await team.post("/console/governance/partners/timeline/invite", sent)
    assert answer.status_code == 303, main_text(answer)
    return answer.headers["location"].partition("?")[0]


async def _step(team: Visitor, path: str, step: str, on: date, **more: str) -> str:
    """Enter a step; what the page says of it, or nothing if it was taken."""
    shown = await team.get(path)
    version = re.search(r'name="version" value="(\d+)"', shown.text)
    assert version is not None
    answer = await team.post(f"{path}/step", {"step": step, "on": str(on), "version": version[1]} | more)
    return "" if answer.status_code == 303 else main_text(answer)


@pytest.mark.row("A41")
@pytest.mark.row("A42")
async def test_a_council_sees_no_names_until_the_agreement_is_signed(installation: Installation) -> None:
    ours, our_people = await make_staff(installation, 3, home="Rose Lodge", setting="care_home_with_nursing")
    theirs, their_people = await make_staff(installation, 2, home="Thorn House", setting="domiciliary")
    await rename(installation, our_people, "Ourperson")
    await rename(installation, their_people, "Strangerson")
    today = NOW.date()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        # CQC writes the council's name in more than one way.
        for home, authority in (("Rose Lodge", "Invented Vale"), ("Thorn House", "Elsewhere")):
            await work.session.execute(
                update(CqcLocation).where(CqcLocation.name == home).values(local_authority=authority)
            )
        world = await worlds.open_world(work)
        worlds.course(work, world, "Learned in the vale", 1)
        await work.session.flush()
        world.learners["first"] = our_people[0]
        worlds.complete(work, world, "first", "Learned in the vale", today - timedelta(3))
    visitor = await visitor_as(installation, Role.COUNCIL_PARTNER, email="vale@example.org")
    assert "has not been invited yet" in main_text(await visitor.get("/console/our-area"))

    team = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await team.get("/console/governance/partners")
    other = {"name": "Council of Elsewhere", "kind": "council"}
    assert (await team.post("/console/governance/partners/add", other)).status_code == 303
    late = await _invite(team, "Council of Elsewhere", "Elsewhere", today - timedelta(300))
    path = await _invite(team, "Council of vale@example.org", "Invented Vale Council", today - timedelta(200))
    ours_at, theirs_at = await located(installation, ours), await located(installation, theirs)

    async def names_seen() -> bool:
        """Whether any page, of any address, gives one of the own names; another area's never are."""
        seen = ""
        for route in ROUTES:
            assert isinstance(route, ConsoleRoute)
            if route.needs is Permission.AREA_READ:
                for location, learner in ((ours_at, our_people[0]), (theirs_at, their_people[0])):
                    address = route.path.replace("{location_id:uuid}", str(location))
                    answer = await visitor.get(f"/console{address.replace('{learner_id:uuid}', str(learner))}")
                    assert answer.status_code in (200, 403, 404), address
                    seen += answer.text
        assert "Strangerson" not in seen
        assert "Thorn House" not in seen
        assert "Rose Lodge" in seen, "locations are no personal data"
        return "Ourperson" in seen

    assert not await names_seen()
    assert "Enter first when the council agreed" in await _step(
        team, path, "agreement_signed", today, reference="Drive"
    )
    assert await _step(team, path, "agreed", today - timedelta(150)) == ""
    assert not await names_seen(), "to agree is not to sign"
    refused = await _step(team, path, "agreement_signed", today - timedelta(151), reference="Drive")
    assert f"Enter {today - timedelta(150)} or later" in refused
    assert "kept" in await _step(team, path, "agreement_signed", today)
    assert "today or before" in await _step(team, path, "live", today + timedelta(1))
    until = str(today + timedelta(30))
    assert await _step(team, path, "agreement_signed", today, reference="Drive, agreements", until=until) == ""
    assert await names_seen(), "it counts at once, without signing in again"
    person = f"/console/our-area/{ours_at}/people/{our_people[0]}"
    assert (await visitor.get(person)).status_code == 200
    await let_time_pass(installation, timedelta(days=31))
    await visitor.sign_in("vale@example.org")
    assert not await names_seen(), "the agreement's last day has passed"
    refused_page = await visitor.get(person)
    assert refused_page.status_code == 403
    assert "No data sharing agreement" in main_text(refused_page)

    await team.sign_in("programme.lead@example.org")
    shown = main_text(await team.get("/console/governance/partners/timeline"))
    assert shown.index("Council of vale@example.org") < shown.index("Council of Elsewhere"), "by first activity"
    lines = (await team.get("/console/governance/partners/timeline/all.csv")).text.splitlines()
    assert lines[1].split(",")[2] == str(today - timedelta(3))
    assert lines[2].split(",")[2] == ""
    version = re.search(r'name="version" value="(\d+)"', (await team.get(late)).text)
    assert version is not None
    assert (await team.post(f"{late}/end", {"version": version[1]})).status_code == 303
    assert "Ended" in main_text(await team.get(late))
    async with installation.database.session(installation.context(installation.south)) as session:
        assert (await session.scalars(select(PartnerOrganisation.id))).first() is None
