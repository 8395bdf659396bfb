"""Refreshes from the question to the rows: fetched, compared, approved, applied; with the faults of sources."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.directory.models import CqcLocation, CqcProvider, TenantLocation
from app.identity.permissions import Role
from app.refreshing.models import ReferenceChange, ReferenceRefresh
from app.refreshing.running import MOST_FAILURES
from tenants.base import among
from tenants.context import PlatformContext
from tenants.models import Organisation, OrganisationCode, OrganisationSuccession
from tests import servers
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.outside.doubles import Fault
from tests.refreshing.register_double import KEY, Directory, Register, a_board, a_location, after, directory, register
from tests.support import BYPASS_LOGIN, Installation, open_installation
from tests.webhooks.support import work_off
from workers import references

HOME = "/console/reference-data"


@pytest.fixture
async def cqc() -> AsyncIterator[Register]:
    """CQC of the test's own."""
    async with register() as opened:
        yield opened


@pytest.fixture
async def ods() -> AsyncIterator[Directory]:
    """ODS of the test's own."""
    async with directory() as opened:
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Path, cqc: Register, ods: Directory
) -> AsyncIterator[Installation]:
    """The application with both sources."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    async with open_installation(
        urls, redis_url, data_dir, servers.running().tenants, cqc_url=cqc.url, cqc_key=KEY, ods_url=ods.url
    ) as opened:
        references.register_handlers()
        yield opened


async def work_on(installation: Installation) -> None:
    """Do what a worker does about refreshes, until there is nothing to do now."""
    while await references.step(installation.services):
        pass


async def the_refresh(installation: Installation, source: str = "cqc") -> ReferenceRefresh:
    """The latest refresh of a source."""
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        latest = select(ReferenceRefresh).where(ReferenceRefresh.source == source)
        return (await work.session.scalars(latest.order_by(ReferenceRefresh.asked_at.desc()).limit(1))).one()


async def location(installation: Installation, location_id: str) -> CqcLocation | None:
    """A location as all tenants share it."""
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        return await work.session.get(CqcLocation, location_id)


async def decide(operator: Visitor, how: str, fields: dict[str, Any] | None = None) -> str:
    """Decide about the latest refresh; what the page says if that is refused."""
    listed = await operator.get(HOME)
    path = re.findall(r'href="(/console/reference-data/[0-9a-f-]{36})"', listed.text)[0]
    await operator.get(path)
    answer = await operator.post(f"{path}/{how}", fields)
    return "" if answer.status_code == 303 else main_text(answer)


async def test_cqcs_changes_are_fetched_shown_and_applied_once_approved(
    installation: Installation, cqc: Register
) -> None:
    operator = await visitor_as(installation, Role.PLATFORM_OPERATOR)
    cqc.there = {
        "1-101": a_location("1-101", "Rose Lodge"),
        "1-102": a_location("1-102", "Thorn House", localAuthority="Elsewhere", onspdIcbCode="QZZ"),
        "1-103": a_location("1-103", "A surgery", type="Primary Medical Services"),
        "1-ABC4": a_location("1-ABC4", "Capital House"),
    }
    cqc.changed = ["1-101", "1-102", "1-101", "1-103", "1-abc4", "1-404"]
    cqc.capitals, cqc.providers = {"1-ABC4"}, {"1-900": "Invented Care Ltd"}
    assert (await operator.post(f"{HOME}/ask", {"source": "cqc"})).status_code == 303
    assert "is an open one" in main_text(await operator.post(f"{HOME}/ask", {"source": "cqc"}))
    await work_on(installation)
    found = await the_refresh(installation)
    assert (found.state, found.steps_done, found.steps_total) == ("ready", 5, 5)
    assert found.counts == {"new": 3, "not_care": 1, "gone": 1, "known": 0}
    assert await location(installation, "1-101") is None, "nothing changes before somebody approves"
    assert await decide(operator, "approve") == ""
    await work_on(installation)
    rose = await location(installation, "1-101")
    assert rose is not None
    assert (rose.name, rose.beds, rose.primary_setting) == ("Rose Lodge", 30, "care_home_without_nursing")
    assert rose.user_bands == ["Dementia"]
    await work_off(installation)
    await work_off(installation, installation.south)
    async with installation.database.session(installation.context(installation.north)) as session:
        ours = set(await session.scalars(select(TenantLocation.location_id)))
        assert ours == {"1-101", "1-ABC4"}, "what lies in the board's area is the board's"
        assert (await session.scalars(select(CqcProvider.name))).one() == "Invented Care Ltd"

    # Two weeks later: one has more beds, one has closed, one was changed by a file meanwhile.
    installation.clock.move(timedelta(days=14))
    await operator.sign_in("platform.operator@example.org")
    cqc.there["1-101"] |= {"numberOfBeds": 32, "providerId": "1-404"}
    cqc.there["1-102"] |= {"registrationStatus": "Deregistered", "deregistrationDate": "2026-12-01"}
    cqc.there["1-ABC4"] |= {"name": "Grand House"}
    cqc.changed = ["1-101", "1-102", "1-ABC4"]
    await work_on(installation)
    found = await the_refresh(installation)
    assert (found.state, found.asked_by, found.large) == ("ready", None, True), "the calendar asked"
    assert found.counts | {"known": 0} == {"changed": 2, "closed": 1, "known": 0}
    assert found.since is not None
    page = main_text(await operator.get(f"{HOME}/{found.id}"))
    assert "deregistered on" in page
    assert "I have looked at the changes" in page
    lines = (await operator.get(f"{HOME}/{found.id}/changes.csv")).text.splitlines()
    assert "Changed,Rose Lodge,1-101,beds,30,32" in lines
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        grand = await work.session.get_one(CqcLocation, "1-ABC4")
        grand.updated_at = installation.clock() + timedelta(seconds=1)
    assert "unusually much" in await decide(operator, "approve")
    assert await decide(operator, "approve", {"sure": "yes"}) == ""
    installation.clock.move(timedelta(seconds=5))
    await work_on(installation)
    found = await the_refresh(installation)
    assert (found.state, found.counts["changed_meanwhile"]) == ("applied", 1)
    rose, thorn, grand_now = [await location(installation, one) for one in ("1-101", "1-102", "1-ABC4")]
    assert rose is not None
    assert thorn is not None
    assert grand_now is not None
    assert (rose.beds, thorn.deregistered_on is not None, grand_now.name) == (32, True, "Capital House")
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        names = {row.id: row.name for row in await work.session.scalars(select(CqcProvider))}
        assert names == {"1-900": "Invented Care Ltd", "1-404": "1-404"}, "a name that is known stays"


async def test_what_goes_wrong_with_a_source_is_waited_for_or_said(
    installation: Installation, cqc: Register, ods: Directory
) -> None:
    operator = await visitor_as(installation, Role.PLATFORM_OPERATOR)
    cqc.there, cqc.changed = {"1-101": a_location("1-101", "Rose Lodge")}, ["1-101"]
    await operator.get(HOME)
    await operator.post(f"{HOME}/ask", {"source": "cqc"})
    cqc.faults = [("/changes", Fault(429, {"retry-after": "120"})), ("/locations", Fault(503))]
    await work_on(installation)
    waiting = await the_refresh(installation)
    assert (waiting.state, waiting.error, waiting.failures) == ("fetching", "STATUS_429", 1)
    installation.clock.move(timedelta(seconds=119))
    await work_on(installation)
    assert (await the_refresh(installation)).failures == 1, "no sooner than it asked for"
    installation.clock.move(timedelta(seconds=2))
    await work_on(installation)
    assert (await the_refresh(installation)).error == "STATUS_503"
    installation.clock.move(timedelta(seconds=61))
    await work_on(installation)
    ready = await the_refresh(installation)
    assert (ready.state, ready.error, ready.failures) == ("ready", None, 0)

    # By night an undecided one is looked at anew, so that whoever decides sees how it is now.
    cqc.there["1-101"] |= {"name": "Rose Lodge Care Home"}
    installation.clock.move(timedelta(days=1))
    await work_on(installation)
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        assert (await work.session.scalars(select(ReferenceChange.name))).one() == "Rose Lodge Care Home"
    await operator.sign_in("platform.operator@example.org")
    assert await decide(operator, "reject") == ""
    assert await location(installation, "1-101") is None
    assert (await operator.post(f"{HOME}/{ready.id}/approve")).status_code == 422, "it is decided"

    await operator.post(f"{HOME}/ask", {"source": "cqc"})
    cqc.faults = [("/changes", Fault(401))]
    await work_on(installation)
    refused = await the_refresh(installation)
    assert (refused.state, refused.error) == ("failed", "STATUS_401")
    assert "does not take the key" in main_text(await operator.get(f"{HOME}/{refused.id}"))
    await operator.post(f"{HOME}/ask", {"source": "cqc"})
    cqc.faults = [("/changes", Fault(500))] * MOST_FAILURES
    for _ in range(MOST_FAILURES):
        await work_on(installation)
        installation.clock.move(timedelta(seconds=61))
    assert (await the_refresh(installation)).state == "failed", "not for ever"
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert (await lead.get(HOME)).status_code == 403


async def test_boards_of_ods_are_renamed_closed_and_succeeded(installation: Installation, ods: Directory) -> None:
    operator = await visitor_as(installation, Role.PLATFORM_OPERATOR)
    known = {"QOP": "NHS GREATER MANCHESTER INTEGRATED CARE BOARD", "QWO": "NHS WEST YORKSHIRE INTEGRATED CARE BOARD"}
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        rows = await work.session.execute(
            select(OrganisationCode.code, Organisation.name)
            .join(Organisation, Organisation.id == OrganisationCode.organisation_id)
            .where(among(OrganisationCode.code, known))
        )
        assert {code: name.upper() for code, name in rows} == known
    ods.there = {
        "QOP": a_board("QOP", known["QOP"], "2022-07-01"),
        "QWO": a_board("QWO", known["QWO"], "2022-07-01", "2027-03-31"),
        "N3W0B": a_board(
            "N3W0B", "NHS INVENTED NORTH INTEGRATED CARE BOARD", "2027-04-01", **after("QWO", on="2027-04-01")
        ),
        "N3W0C": a_board(
            "N3W0C", "NHS INVENTED SOUTH INTEGRATED CARE BOARD", "2027-04-01", **after("QWO", on="2027-04-01")
        ),
    }
    await operator.get(HOME)
    assert (await operator.post(f"{HOME}/ask", {"source": "ods"})).status_code == 303
    await work_on(installation)
    found = await the_refresh(installation, "ods")
    assert found.counts == {"new": 2, "closed": 1, "unchanged": 1, "no_board": 0, "known": found.counts["known"]}
    assert await decide(operator, "approve", {"sure": "yes"}) == ""
    await work_on(installation)
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        bodies = await work.session.execute(
            select(OrganisationCode.code, Organisation.name, Organisation.abolished_on, OrganisationCode.valid_to)
            .join(Organisation, Organisation.id == OrganisationCode.organisation_id)
            .where(among(OrganisationCode.code, ods.there))
            .order_by(OrganisationCode.code)
        )
        told = [(row[0], row[1], str(row[2]), str(row[3])) for row in bodies]
        assert told == [
            ("N3W0B", "NHS Invented North Integrated Care Board", "None", "None"),
            ("N3W0C", "NHS Invented South Integrated Care Board", "None", "None"),
            ("QOP", "NHS Greater Manchester Integrated Care Board", "None", "None"),
            ("QWO", "NHS West Yorkshire Integrated Care Board", "2027-04-01", "2027-04-01"),
        ]
        kinds = await work.session.scalars(
            select(OrganisationSuccession.kind)
            .join(OrganisationCode, OrganisationCode.organisation_id == OrganisationSuccession.predecessor_id)
            .where(OrganisationCode.code == "QWO")
        )
        assert list(kinds) == ["split", "split"], "it went to two"
    installation.clock.move(timedelta(seconds=1))
    await operator.post(f"{HOME}/ask", {"source": "ods"})
    await work_on(installation)
    again = await the_refresh(installation, "ods")
    assert (again.state, again.counts["unchanged"]) == ("applied", 4), "nothing is left to decide"
