"""A campaign in a browser: a segment, a preview, a second person, mail, a bounce, an objection, a registration."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.identity.permissions import Role
from app.training.sessions.details import Places
from tests.booking.support import make_session, make_staff
from tests.browser.journey import Journey
from tests.identity.people import make_staff as make_person
from tests.messaging.campaigning import add_contact, location_of
from tests.messaging.mailbox import Mailbox, page, plain, receiving
from tests.messaging.support import SENDER, set_sender, work_on
from tests.support import Installation
from tests.training.requirements import world as worlds

pytestmark = pytest.mark.browser

WRITER, APPROVER = "writer@example.org", "approver@example.org"
TEXT = """Dear ((first_name)),

**new webinars** for everybody at ((workplace)):

* when required medicines
* covert administration

[Book a place](((link)))"""


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server of the test's own."""
    async with receiving() as opened:
        yield opened


@pytest.fixture
def served_settings(mailbox: Mailbox) -> dict[str, Any]:
    """The application hands its mail over there."""
    return {"smtp_port": mailbox.port}


def link_in(text: str, path: str) -> str:
    """The first address of a text under a path."""
    found = re.search(rf"http://[^/]+(/{path}/[\w/-]+)", text)
    assert found is not None
    return found[1]


@pytest.mark.row("A43")
@pytest.mark.row("A44")
@pytest.mark.row("C3")
@pytest.mark.long
async def test_a_campaign_from_its_text_to_who_came(served: Installation, journey: Journey, mailbox: Mailbox) -> None:
    await make_staff(served, 1, home="Rose Lodge", setting="care_home_with_nursing")
    thorn, _ = await make_staff(served, 1, home="Thorn House", setting="domiciliary")
    await make_session(served, Places(10, "promote"))
    async with served.database.unit_of_work(served.context(served.north)) as work:
        await worlds.open_world(work)
    look: dict[str, Any] = {"brand_name": "North Council", "brand_colour": "#00703c", "footer": "Town hall, North"}
    await set_sender(served, given=type(SENDER)("Medicines team", "team@council.example", **look))
    for address in ("nobody@thorn.example", "office@thorn.example"):
        await add_contact(served, address, tenant_location_id=await location_of(served, thorn))
    for email in (WRITER, APPROVER):
        await make_person(served, served.north, email, Role.PROGRAMME_LEAD)

    await journey.sign_in(WRITER)
    await journey.follow("Contacts")
    await journey.press("Add a contact")
    await journey.fill("Location or employer", "rose")
    await journey.press("Look for it")
    await journey.page.get_by_label("Rose Lodge", exact=False).check()
    await journey.page.get_by_label("Role", exact=True).select_option("Registered manager")
    await journey.fill("E-mail address", "rose@care.example")
    await journey.fill("Name (optional)", "Ada Manager")
    await journey.check("contact-add")
    await journey.press("Add")
    await journey.check("contacts")
    assert "rose@care.example" in await journey.main()
    await journey.press("Bring in a file")
    await journey.check("contacts-file")

    await journey.open("/console/campaigns")
    await journey.press("Write a campaign")
    await journey.fill("Name", "Webinars in winter")
    await journey.fill("Subject", "New webinars for ((workplace))")
    await journey.fill("Text", TEXT)
    await journey.press("Go on")
    assert "Choose at least one session" in await journey.main()
    await journey.page.get_by_label("PRN medicines", exact=False).check()
    await journey.check("campaign-write")
    await journey.press("Go on")
    await journey.page.get_by_label("Contacts of providers", exact=True).check()
    await journey.page.locator("summary").filter(has_text="local authorities").click()
    await journey.page.get_by_label("Luton", exact=True).check()
    await journey.check("campaign-recipients")
    await journey.press("Save and count")
    shown = " ".join((await journey.main()).split())
    assert "Addresses that get it 3" in shown
    assert "new webinars for everybody at Sample House" in shown
    await journey.page.get_by_text("The same as plain text").click()
    await journey.check("campaign-draft")
    campaign = journey.page.url
    await journey.press("Ask for approval")
    assert "You wrote it, so somebody else has to approve it." in await journey.main()

    await journey.press("Sign out")
    await journey.sign_in(APPROVER)
    await journey.open(campaign)
    await journey.check("campaign-submitted")
    await journey.tab_to("Approve it")
    await journey.press("Approve it")
    assert "The campaign is approved" in await journey.main()
    await work_on(served)
    letter = mailbox.to("rose@care.example")[0]
    assert letter["Subject"] == "New webinars for Rose Lodge"
    assert "<strong>new webinars</strong> for everybody at Rose Lodge" in page(letter)

    await journey.open(link_in(plain(mailbox.to("office@thorn.example")[0]), "stop"))
    await journey.check("stop")
    await journey.press("Stop these messages")
    await journey.check("stopped")

    await journey.open(link_in(plain(letter), "go"))
    await journey.check("go")
    await journey.press("Register")
    await journey.fill("First name", "Zoë")
    await journey.fill("Last name", "Field")
    await journey.fill("Work e-mail address", "zoe@thorn.example")
    await journey.fill("Look for another workplace (optional)", "thorn")
    await journey.check("register")
    await journey.press("Continue")
    await journey.page.get_by_label("Thorn House", exact=False).check()
    await journey.check("register-found")
    await journey.press("Continue")
    assert "You are registered" in await journey.main()
    await journey.check("registered")

    await work_on(served, timedelta(minutes=1))
    assert "Your place: PRN medicines" in str(mailbox.to("zoe@thorn.example")[0]["Subject"])
    await journey.open(campaign)
    shown = " ".join((await journey.main()).split())
    assert "Sent" in shown
    for line in ("Copies 3", "Sent 2", "Came back 1", "Visited 1", "Registered 1", "Attended 0"):
        assert line in shown, line
    await journey.check("campaign-sent")
    await journey.open("/console/campaigns")
    await journey.check("campaigns")
