"""Webhooks in a real browser: an endpoint is added, tested, fails, is looked into, replayed and disabled."""

import pytest

from app.identity.permissions import Role
from app.webhooks.events import EventType
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.support import Installation
from tests.webhooks.receiver import receiving, status
from tests.webhooks.support import happen, make_endpoint, work_off
from workers import webhooks

pytestmark = pytest.mark.browser

EMAIL = "sam@example.org"


async def test_an_endpoint_from_its_making_to_a_replay(served: Installation, journey: Journey) -> None:
    webhooks.register_handlers()
    await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    await journey.sign_in(EMAIL)
    await journey.follow("Webhooks")
    await journey.check("webhooks-none")
    await journey.press("Add an endpoint")
    await journey.press("Add")
    await journey.check("webhook-refused")
    await journey.fill("Address", "https://receiver.partner.example/hooks/medstead?key=abc")
    await journey.fill("Description (optional)", "Care Portal by Harbour Software")
    await journey.page.get_by_label("A file that came in has been applied to the last row.").check()
    await journey.press("Add")
    await journey.check("webhook-secret")
    secret = await journey.page.locator(".medstead-code").inner_text()
    await journey.follow("Go to the endpoint’s page")
    assert secret not in await journey.page.content()
    await journey.check("webhook")
    await journey.press("Disable")
    assert "Nothing is sent since" in await journey.main()
    await journey.check("webhook-disabled")


async def test_looking_into_failures(served: Installation, journey: Journey) -> None:
    webhooks.register_handlers()
    await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    body = b'{"error": "The queue of the receiver is full, and here is a very-long-word-' + b"x" * 120 + b'"}'
    async with receiving(status(503, body), status(404, b"no such hook"), status(410)) as receiver:
        await make_endpoint(served, receiver.url)
        for kind in (EventType.IMPORT_FINISHED, EventType.SETTINGS_CHANGED):
            await happen(served, kind=kind)
            await work_off(served)
        await journey.sign_in(EMAIL)
        await journey.open("/console/webhooks")
        await journey.check("webhooks-failing")
        await journey.follow(receiver.url)
        await journey.check("webhook-failing")
        await journey.page.get_by_label("State").select_option("Failed")
        await journey.press("Show")
        await journey.page.get_by_role("link", name="settings.changed").click()
        await journey.page.wait_for_url("**/deliveries/**")
        await journey.page.get_by_text("Show the answer to attempt 1").click()
        assert "no such hook" in await journey.main()
        await journey.check("delivery-failed")
        await journey.press("Replay")
        assert "on its way once more" in await journey.main()
        await work_off(served)
        await journey.follow("Load again")
        await journey.check("delivery-replayed")
    await journey.open("/console/webhooks")
    assert "answered 410 Gone" in await journey.main()
    await journey.check("webhooks-gone")
