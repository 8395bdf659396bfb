"""A day in the life of a programme team, in one browser: docs/a-day.md, step by step, with no other tool."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser
from sqlalchemy import select

from app.identity.permissions import Role
from app.training.booking.models import Booking
from app.training.certificates.models import Certificate
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


async def reference_of(served: Installation, world: World, name: str) -> str:
    """What the learner's confirmation tells them."""
    async with served.database.session(served.context(served.north)) as session:
        found = select(Booking.reference).where(
            Booking.learner_id == world.learners[name], Booking.state == "confirmed"
        )
        return (await session.scalars(found)).one()


async def book(journey: Journey, *names: str) -> None:
    """Find people by name, and book them for the session whose page is open."""
    await journey.press("Book people")
    await journey.fill("Name of a learner or an employer", "Rose Lodge")
    await journey.press("Find")
    for name in names:
        await journey.page.get_by_label(name, exact=True).check()
    await journey.press("Book")


@pytest.mark.row("A57")
@pytest.mark.long
async def test_a_day_in_the_life(
    served: Installation, journey: Journey, browser: Browser, address: str, pictures: Path | None
) -> None:
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
    await journey.fill("Reference of the booking", await reference_of(served, world, "Ben Example"))
    await journey.press("Check in")
    assert "Checked in." in await page.locator("body").inner_text()
    assert "Yes: checked in" in await journey.main()

    # The other one by themselves, at the address on the poster.
    poster = await page.locator("main strong").inner_text()
    telephone = await browser.new_context(base_url=address)
    public = Journey(await telephone.new_page(), pictures)
    await public.open(poster)
    await public.check("check-in-oneself")
    await public.fill("Reference", await reference_of(served, world, "Cat Example"))
    await public.press("Check in")
    await public.check("checked-in")
    assert "That is all." in await public.main()

    # Certify: a worker makes the certificates.
    await let_time_pass(served, timedelta(hours=2))
    await journey.sign_in(EMAIL)
    await journey.open("/console/certificates/template")
    await journey.fill("Issuer", "Medicines training of the north")
    await journey.fill("Who signs", "Petra Pharmacist-Example")
    await journey.fill("Role of whoever signs", "Programme lead")
    await page.get_by_label("Valid for how long").select_option(index=1)
    await journey.fill("Disclaimer", "It shows attendance, not competence.")
    await journey.check("certificate-template")
    await journey.press("Save")
    await journey.open("/console/certificates")
    await page.get_by_label("For a session").select_option(index=1)
    await journey.press("Issue")
    await let_time_pass(served, timedelta(seconds=1))
    await journey.open("/console/certificates")
    await journey.check("certificates")
    await page.get_by_role("row").filter(has_text="Cat Example").get_by_role("link").first.click()
    await page.get_by_text("Verification code").wait_for()

    # Verify: anybody, without signing in.
    async with served.database.session(served.context(served.north)) as session:
        found = select(Certificate.verification_code).where(Certificate.learner_id == world.learners["Cat Example"])
        code = (await session.scalars(found)).one()
    await public.open("/verify/north")
    await public.fill("Verification code or certificate number", code)
    await public.press("Check")
    await public.check("verified")
    words = await public.main()
    assert "This certificate is valid" in words
    assert "Cat Example" in words
    assert "Rose Lodge" not in words

    # Nominate, approve, and give the full day.
    await journey.open(f"/console/standing/learners/{world.learners['Cat Example']}")
    await page.get_by_text("Nominate this learner as Medication Champion").click()
    await page.get_by_label("For this location").select_option(index=1)
    await journey.fill("Who nominates", "Mary Manager-Example")
    await journey.fill("Role of whoever nominates", "Registered manager")
    await journey.fill("Why this learner", "Colleagues ask Cat for advice.")
    await journey.press("Nominate")
    await journey.open("/console/nominations")
    await journey.follow("Cat Example")
    await page.get_by_label("Approve: the learner may book the champions’ tier").check()
    await journey.press("Decide")
    await journey.open("/console/sessions/add")
    await journey.fill("Title", "A resident’s journey")
    await page.get_by_label("Kind", exact=True).select_option("Champions’ day")
    await page.get_by_label("Tier (optional)").select_option("Medicines training: 3 Medication Champions")
    await journey.fill("Begins", "2026-12-15T09:30")
    await journey.fill("Ends", "2026-12-15T16:00")
    await journey.fill("Second half begins (optional)", "2026-12-15T13:00")
    await page.get_by_label("How people join").select_option("Face to face")
    await page.get_by_label("Petra Pharmacist-Example").check()
    await journey.fill("Places", "12")
    await journey.press("Plan it")
    await journey.press("Publish it")
    await book(journey, "Cat Example")
    full_day = page.url.partition("?")[0]
    await let_time_pass(served, datetime(2026, 12, 15, 10, tzinfo=UTC) - served.clock())
    await journey.sign_in(EMAIL)
    await journey.open(f"{full_day}/check-in")
    for _ in range(2):
        await page.get_by_role("button", name=re.compile("^There Cat Example")).first.click()
        await page.get_by_text("The attendance has been marked.").wait_for()
    assert "Yes: both halves" in await journey.main()

    # A champion, and a home that has one.
    await journey.open("/console/champions")
    assert "0 of 1" in await journey.main()
    await page.get_by_label("Approved nomination").select_option(index=1)
    await journey.press("Appoint")
    assert "1 of 1" in await journey.main()
    await journey.check("champions")
    assert journey.complaints == []
