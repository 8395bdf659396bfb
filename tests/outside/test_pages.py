"""Outside systems in the console: connected, linked, looked at; unclear people answered; files of each table."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from app.identity.permissions import Role
from app.identity.secrets import Vault
from app.outside.models import OutsideConnection
from app.training.sessions.details import Places
from tests import servers
from tests.booking.support import NEXT_WEEK, make_session
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.outside.doubles import Fault
from tests.outside.eventbrite_double import EVENT, TOKEN, Eventbrite, eventbrite
from tests.outside.graph_double import SECRET, WEBINAR, Graph, graph, record
from tests.outside.support import VALUES, connected, next_look, read_attendance, work_on
from tests.support import BYPASS_LOGIN, Installation, open_installation

HOME = "/console/outside"
STARTS = f"{NEXT_WEEK:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
async def double() -> AsyncIterator[Eventbrite]:
    """Eventbrite, on loopback."""
    async with eventbrite() as opened:
        opened.add_event("PRN medicines", STARTS)
        yield opened


@pytest.fixture
async def teams() -> AsyncIterator[Graph]:
    """Graph, on loopback."""
    async with graph() as opened:
        opened.webinars[WEBINAR] = {"id": WEBINAR, "displayName": "Covert medicines", "status": "published"}
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Any, double: Eventbrite, teams: Graph
) -> AsyncIterator[Installation]:
    """The application with the addresses of both."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    addresses = {
        "eventbrite_url": double.url,
        "graph_url": teams.url,
        "graph_login_url": teams.url.removesuffix("/v1.0"),
    }
    async with open_installation(urls, redis_url, data_dir, servers.running().tenants, **addresses) as opened:
        yield opened


async def shown(visitor: Visitor, path: str) -> str:
    """The words of a page that opens."""
    answer = await visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return main_text(answer)


async def followed(visitor: Visitor, path: str, fields: dict[str, str], *, done: str) -> str:
    """Send a form, and give the page that it leads to."""
    answer = await visitor.post(path, fields)
    assert answer.status_code == 303, main_text(answer)
    assert answer.headers["location"].endswith(f"?done={done}")
    return str(answer.headers["location"])


@pytest.mark.row("A31")
@pytest.mark.row("A58")
async def test_a_lead_connects_eventbrite_links_an_event_and_answers_who_somebody_is(
    installation: Installation, double: Eventbrite
) -> None:
    people = [("101", "Ada Example", "ada@example.org", "Rose Lodge")]
    double.order("11", ("Ada Example", "ada@example.org"), people, "2026-11-20T09:00:00Z")
    double.order(
        "12", ("Mia Manager", "m@home.example"), [("102", "=Ben", "m@home.example", "")], "2026-11-20T09:00:00Z"
    )
    await make_session(installation, Places(10, "none"))
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert "Not connected" in await shown(lead, HOME)
    await shown(lead, f"{HOME}/eventbrite")
    wrong = await lead.post(f"{HOME}/eventbrite/connect", {"private_token": "WRONGTOKEN"})
    assert (wrong.status_code, "Copy the private token" in wrong.text, "WRONGTOKEN" in wrong.text) == (422, True, False)
    await followed(lead, f"{HOME}/eventbrite/connect", {"private_token": TOKEN}, done="outside-connected")
    page = await lead.get(f"{HOME}/eventbrite")
    assert TOKEN not in page.text
    address = re.search(r"http://testserver/receipts/eventbrite/north/[\w-]{43}", page.text)
    assert address is not None
    found = await shown(lead, f"{HOME}/eventbrite/events")
    assert "PRN medicines, 1 December 2026, 10:00" in found, "the session that fits is offered"
    form = await lead.get(f"{HOME}/eventbrite/events/{EVENT}")
    chosen = re.search(r'<option value="([^"]+)" selected[^>]*>\s*PRN medicines[^<]*\(fits\)', form.text)
    assert chosen is not None
    asked = {"session": chosen[1], "workplace": "501", "role": "502"}
    none = await lead.post(f"{HOME}/eventbrite/events/{EVENT}", asked | {"session": ""})
    assert (none.status_code, "Choose the session that the event is." in none.text) == (422, True)
    event = (await followed(lead, f"{HOME}/eventbrite/events/{EVENT}", asked, done="outside-linked")).partition("?")[0]
    await work_on(installation)
    page = await lead.get(event)
    assert "Ada Example Registered There" not in main_text(page)
    assert "There is only a name" in main_text(page)
    (registration,) = set(re.findall(rf"{HOME}/registrations/[\w-]+", page.text))
    assert "None of their own" in await shown(lead, registration)
    assert "Ada Example" in main_text(await lead.post(f"{registration}/search", {"search": "ada"}))
    double.attendees["102"]["profile"]["job_title"] = "Senior carer"
    await followed(
        lead, f"{HOME}/eventbrite/events/{EVENT}", asked | {"role": "profile:job_title"}, done="outside-linked"
    )
    await work_on(installation)
    assert "Senior carer" in await shown(lead, registration), "another question is read although nothing has changed"
    odd = await lead.post(f"{registration}/answer", {"answer": "somebody"})
    assert (odd.status_code, "Choose an answer." in odd.text) == (422, True)
    await followed(lead, f"{registration}/answer", {"answer": "new"}, done="outside-placed")
    again = await lead.post(f"{registration}/answer", {"answer": "leave"})
    assert (again.status_code, "It is known who this is already" in again.text) == (422, True)
    await work_on(installation)
    counted = await shown(lead, f"{HOME}/eventbrite")
    assert "Registered 2 Have a place 2 Need a look 0" in counted
    rows = (await lead.get(f"{event}/tables/registrations.csv")).text
    assert "Ada Example,Registered,Has a place" in rows
    assert "'=Ben,Registered,Has a place" in rows
    for path in ("tables/systems.csv", "eventbrite/tables/events.csv", "eventbrite/events/tables/found.csv"):
        assert (await lead.get(f"{HOME}/{path}")).status_code == 200

    people = [("103", "Cid Late", "cid@example.org", "Rose Lodge")]
    double.order("13", ("Cid Late", "cid@example.org"), people, "2026-11-24T09:00:00Z")
    await followed(lead, f"{HOME}/eventbrite/look", {}, done="outside-look-asked")
    double.faults = [("/attendees/", Fault(503))]
    await work_on(installation)
    assert "It has a fault of its own" in await shown(lead, HOME)
    await followed(lead, f"{HOME}/eventbrite/look", {}, done="outside-look-asked")
    await work_on(installation)
    assert "Cid Late" in await shown(lead, event)
    double.faults = [("/organizations/", Fault(401))]
    refused = await lead.get(f"{HOME}/eventbrite/events")
    assert (refused.status_code, "Make a new one and connect again." in refused.text) == (422, True)
    await followed(lead, f"{event}/unlink", {}, done="outside-unlinked")
    assert "Not followed any more" in await shown(lead, event)
    await followed(lead, f"{HOME}/eventbrite/disconnect", {}, done="outside-disconnected")
    assert (await lead.post(f"{HOME}/eventbrite/look", {})).status_code == 422
    assert (await lead.get(f"{HOME}/eventbrite/events")).status_code == 404
    answer = await installation.http.post(address[0].removeprefix("http://testserver"), json={})
    assert answer.status_code == 404, "the address ends with the connection"


@pytest.mark.one_login
@pytest.mark.row("A30")
@pytest.mark.row("A58")
async def test_a_lead_connects_teams_and_finds_the_guests_in_the_review_queue(
    installation: Installation, teams: Graph
) -> None:
    ada = teams.register(1, "Ada", "Example", "ada@example.org")
    session_id = await make_session(installation, Places(10, "none"), online_mode="webinar")
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await lead.get(f"{HOME}/teams")
    wrong = await lead.post(f"{HOME}/teams/connect", VALUES["teams"] | {"client_secret": "no"})
    assert (wrong.status_code, "VirtualEvent.Read.All" in wrong.text) == (422, True)
    await followed(lead, f"{HOME}/teams/connect", VALUES["teams"], done="outside-connected")
    assert SECRET not in (await lead.get(f"{HOME}/teams")).text
    assert "Covert medicines" in await shown(lead, f"{HOME}/teams/events")
    path = f"{HOME}/teams/events/{WEBINAR}"
    assert "Where do you work?" in await shown(lead, path)
    await followed(lead, path, {"session": str(session_id), "workplace": "q1", "role": ""}, done="outside-linked")
    await work_on(installation)
    stay = (f"{NEXT_WEEK:%Y-%m-%dT%H:%M:%SZ}", f"{NEXT_WEEK:%Y-%m-%d}T11:50:00Z")
    teams.reports["r1"] = (2, [record(None, "A.", stay, registrationId=ada), record(None, "+44 7700 9****", stay)])
    await read_attendance(installation, NEXT_WEEK - installation.clock() + (NEXT_WEEK - installation.clock()) / 60)
    lead = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    queue = await shown(lead, "/console/imports/review")
    assert "+44 7700 9****" in queue
    assert "Ada" not in queue
    attendances = "attendances(first: 5) { edges { node { seconds qualifies } } }"
    told = await installation.data(installation.north, f'{{ session(id: "Session:{session_id}") {{ {attendances} }} }}')
    assert told["session"]["attendances"]["edges"] == [{"node": {"seconds": 6600, "qualifies": True}}]


async def test_another_master_key_asks_for_the_secrets_again(installation: Installation, double: Eventbrite) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await connected(installation, "eventbrite")
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        foreign = Vault(b"another master key of 32 bytes!!").encrypt(b"{}")
        await work.session.execute(update(OutsideConnection).values(secrets=foreign))
    page = await shown(lead, f"{HOME}/eventbrite")
    assert "cannot be read any more" in page
    assert (await lead.get(f"{HOME}/eventbrite/events")).status_code == 422
    await next_look(installation)
    await lead.sign_in("programme.lead@example.org")
    assert "cannot be read any more" in await shown(lead, f"{HOME}/eventbrite")
    await followed(lead, f"{HOME}/eventbrite/connect", VALUES["eventbrite"], done="outside-connected")
    assert "PRN medicines" in await shown(lead, f"{HOME}/eventbrite/events")
