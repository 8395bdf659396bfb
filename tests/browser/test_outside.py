"""Outside systems in a browser: connected, an event found and linked, somebody named; axe, 320 pixels, keyboard."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.identity.permissions import Role
from app.training.sessions.details import Places
from tests.booking.support import NEXT_WEEK, make_session
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.outside.eventbrite_double import EVENT, TOKEN, Eventbrite, eventbrite
from tests.outside.support import work_on
from tests.support import Installation

pytestmark = pytest.mark.browser

EMAIL, HOME = "lead@example.org", "/console/outside"


@pytest.fixture
async def double() -> AsyncIterator[Eventbrite]:
    """Eventbrite, on loopback, with an event and two orders."""
    async with eventbrite() as opened:
        opened.add_event("PRN medicines", f"{NEXT_WEEK:%Y-%m-%dT%H:%M:%SZ}")
        for number, name, address in ((1, "Ada Example", "ada@example.org"), (2, "Ben Nobody", "")):
            people = [(f"10{number}", name, address, "")]
            opened.order(f"1{number}", (name, "ada@example.org"), people, "2026-11-20T09:00:00Z")
        yield opened


@pytest.fixture
def served_settings(double: Eventbrite) -> dict[str, Any]:
    """Where Eventbrite is."""
    return {"eventbrite_url": double.url}


@pytest.mark.long
async def test_a_lead_connects_a_system_and_names_somebody(
    served: Installation, journey: Journey, double: Eventbrite, tmp_path: Path
) -> None:
    await make_session(served, Places(10, "none"))
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    await journey.sign_in(EMAIL)
    await journey.open(HOME)
    await journey.check("outside")
    await journey.tab_to("Eventbrite")
    async with journey.page.expect_navigation():
        await journey.page.keyboard.press("Enter")
    await journey.check("outside-connect")
    await journey.fill("Private token", TOKEN)
    await journey.press("Connect")
    await journey.check("outside-connected")
    await journey.press("Find events")
    await journey.check("outside-events")
    await journey.follow("PRN medicines")
    await journey.check("outside-link")
    await journey.press("Link it")
    await work_on(served)
    await journey.page.reload()
    await journey.check("outside-event")
    await journey.follow("Ben Nobody")
    await journey.fill("Name or part of it", "ada")
    await journey.press("Search")
    await journey.check("outside-who")
    await journey.page.get_by_label("Somebody new").check()
    await journey.press("Save")
    await work_on(served)
    await journey.open(f"{HOME}/eventbrite")
    assert double.events[EVENT]["name"]["text"] in await journey.main()
    await journey.check("outside-system")
    await journey.open(f"{HOME}/teams")
    await journey.check("outside-teams")
