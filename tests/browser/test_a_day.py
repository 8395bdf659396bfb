"""A day in the life of a programme team, in one browser: docs/a-day.md, step by step, with no other tool."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser
from sqlalchemy import select

from app.identity.permissions import Role
from app.training.booking.models import Booking
from tests.booking.support import let_time_pass
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.support import Installation
from tests.training.requirements.world import (
    TODAY,
    World,
    complete,
    course,
    employ,
    employer,
    learner,
    open_world,
)

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"
STARTS = datetime(2026, 12, 8, 14, tzinfo=UTC)
NAMES = ("Ann Example", "Ben Example", "Cat Example")


async def set_up(served: Installation) -> World:
    """Three care workers of one home who completed the foundation course."""
    async with served.database.unit_of_work(served.context(served.north)) as work:
        world = await open_world(work)
        course(work, world, "Safe handling", 1, duration_minutes=240, delivery_mode="e_learning", scope="national")
        await work.session.flush()
        await employer(work, world, "Rose Lodge", provider="Rose Care")
        for name in NAMES:
            learner(work, world, name)
            await work.session.flush()
            employ(work, world, name, "Rose Lodge", job_role_code=8, setting="care_home_without_nursing")
            complete(work, world, name, "Safe handling", TODAY - timedelta(days=30))
    return world


async def reference_of(served: Installation, world: World, name: str, title: str) -> str:
    """What the learner's confirmation tells them."""
    async with served.database.session(served.context(served.north)) as session:
        found = select(Booking.reference).where(
            Booking.learner_id == world.learners[name], Booking.state == "confirmed"
        )
        return (await session.scalars(found.order_by(Booking.booked_at.desc(), Booking.id.desc()))).first() or title


async def book(journey: Journey, *names: str) -> None:
    """Find people by name, and book them for the session whose page is open."""
    await journey.press("Book people")
    await journey.fill("Name of a learner or an employer", "Rose Lodge")
    await journey.press("Find")
    for name in names:
        await journey.page.get_by_label(name, exact=True).check()
    await journey.press("Book")


@pytest.mark.row("A57")
async def test_a_day_in_the_life(served: Installation, journey: Journey, browser: Browser, address: str) -> None:
    world = await set_up(served)
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    page = journey.page
    await journey.sign_in(EMAIL)

    # Map before you build.
    await journey.open("/console/mapping")
    await journey.press("Load the base taxonomy")
    await journey.fill("Name", "What is there in 2026")
    await journey.press("Begin")
    exercise = page.url
    await page.get_by_label("Assess a course").select_option("Safe handling 1 (Provider)")
    await journey.press("Go on")
    await page.get_by_label("Covered").first.select_option("Full")
    await journey.press("Save foundations")
    await journey.open(exercise)
    await journey.press("Lock for ever")

    # Publish the programme.
    await journey.open("/console/programme")
    await journey.press("Publish Medicines training")
    assert "Published on 24 November 2026" in await journey.main()

    # Plan a webinar, and let people book it.
    await journey.open("/console/team/add")
    await journey.fill("Name", "Petra Pharmacist-Example")
    await page.get_by_label("Profession").select_option("Pharmacist")
    await page.get_by_label("Facilitator").check()
    await journey.check("team-member")
    await journey.press("Save")
    await journey.check("team")
    await journey.open("/console/sessions")
    await journey.press("Plan a session")
    await journey.fill("Title", "When required (PRN) medicines")
    await page.get_by_label("Tier (optional)").select_option("Medicines training: 2 Step up")
    await journey.fill("Begins", "2026-12-08T14:00")
    await journey.fill("Ends", "2026-12-08T15:30")
    await journey.fill("Address to join online (optional)", "https://meet.example/prn")
    await page.get_by_label("Petra Pharmacist-Example").check()
    await journey.fill("Places", "2")
    await journey.check("session-form")
    await journey.press("Plan it")
    assert "without a number of the General Pharmaceutical Council" in await journey.main()
    await journey.tab_to("Publish it")
    await journey.press("Publish it")

    # Book three people for two places; one waits, and gets the place of one who cancels.
    await book(journey, *NAMES)
    webinar = page.url.partition("?")[0]
    await journey.check("session")
    assert "All 2 places are taken" in await journey.main()
    await page.get_by_role("button", name="Cancel the booking of Ann Example").click()
    await page.get_by_text("The booking has been cancelled").wait_for()
    assert "Who waits" not in await journey.main()

    # Check in: one by reference, by a facilitator.
    await let_time_pass(served, STARTS + timedelta(minutes=5) - served.clock())
    await journey.sign_in(EMAIL)
    await journey.open(webinar)
    await journey.press("Check people in")
    await journey.check("check-in")
    await journey.fill("Reference of the booking", await reference_of(served, world, "Ben Example", ""))
    await journey.press("Check in")
    assert "Checked in." in await page.locator("body").inner_text()
    assert "Yes: checked in" in await journey.main()
