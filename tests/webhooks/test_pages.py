"""The pages of webhooks through HTTP: endpoints, secrets, deliveries, attempts, replays."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.console.webhook_pages import PAGE
from app.console.webhook_words import ERRORS, FAILURES
from app.identity.permissions import Role
from app.webhooks.events import MEANINGS, EventType
from tenants.audit import Action
from tenants.identifiers import new_id
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.identity.everything import everything
from tests.support import Installation
from tests.webhooks.receiver import is_signed, receiving, status
from tests.webhooks.support import (
    attempts,
    deliveries,
    endpoint,
    happen,
    make_endpoint,
    the_delivery,
    trail,
    work_off,
)

LIST = "/console/webhooks"
URL = "https://partner.example/hooks?key=1"


async def administrator(installation: Installation) -> Visitor:
    """Somebody who may."""
    return await visitor_as(installation, Role.TENANT_ADMINISTRATOR)


async def test_an_endpoint_is_added_and_its_secret_shown_once(installation: Installation) -> None:
    visitor = await administrator(installation)
    assert "No address is told of anything yet" in main_text(await visitor.get(LIST))
    await visitor.get(f"{LIST}/add")
    async with receiving() as receiver:
        sent = {"url": receiver.url, "description": "Care Portal", "types": ["import.finished", "import.failed"]}
        page = await visitor.post(f"{LIST}/add", sent)
        assert page.status_code == 200
        secret = unescape(re.findall(r'medstead-code">([^<]+)<', page.text)[0])
        address = re.findall(rf'href="({LIST}/[0-9a-f-]+)"', page.text)[0]
        shown = await visitor.get(address)
        await visitor.get(LIST)
        answer = await visitor.post(f"{address}/test")
        assert answer.headers["location"].startswith(f"{LIST}/deliveries/")
        assert "Nothing has been sent yet" in main_text(await visitor.get(answer.headers["location"]))
        await work_off(installation)
        page = await visitor.get(answer.headers["location"])
    assert is_signed(receiver.received[0], secret, installation.clock().timestamp())
    assert "Status 200" in main_text(page)
    for text in (shown.text, page.text, (await visitor.get(LIST)).text):
        assert secret not in text
        assert secret.removeprefix("whsec_") not in text
    (row,) = await trail(installation, Action.WEBHOOK_ENDPOINT_CREATED)
    assert row.actor_kind == "staff"
    assert row.after == {
        "receiver": f"http://127.0.0.1:{receiver.port}",
        "description": "Care Portal",
        "event_types": ["import.finished", "import.failed"],
    }


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"url": "http://partner.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": ""}, "url"),
        ({"types": []}, "types"),
        ({"types": ["webhook.test"]}, "types"),
        ({"description": "x" * 201}, "description"),
    ],
)
async def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_added(
    installation: Installation, fields: dict[str, object], field: str
) -> None:
    visitor = await administrator(installation)
    made = await make_endpoint(installation, URL)
    before = await everything(installation)
    sent = {"url": URL, "description": "Portal", "types": ["import.failed"], "version": "1"} | fields
    for path in (f"{LIST}/add", f"{LIST}/{made.id}/change"):
        await visitor.get(path)
        page = await visitor.post(path, sent)
        assert page.status_code == 422
        assert f'href="#{field}"' in page.text
        assert f'id="{field}-error"' in page.text
        assert field == "description" or 'value="Portal"' in page.text, "what was typed stays"
    assert await everything(installation) == before


async def test_two_people_who_change_an_endpoint_at_once_see_each_other(installation: Installation) -> None:
    visitor = await administrator(installation)
    made = await make_endpoint(installation, URL)
    path = f"{LIST}/{made.id}/change"
    page = await visitor.get(path)
    assert 'name="version" value="1"' in page.text
    sent = {"url": "https://new.example/", "description": "New", "types": ["import.failed"], "version": "1"}
    assert (await visitor.post(path, sent)).headers["location"] == f"{LIST}/{made.id}?done=webhook-changed"
    stands = await endpoint(installation, made.id)
    assert (stands.url, stands.description, stands.event_types, stands.version) == (
        "https://new.example/",
        "New",
        ["import.failed"],
        2,
    )
    late = await visitor.post(path, sent | {"url": "https://late.example/"})
    assert late.status_code == 422
    assert "changed meanwhile" in main_text(late)
    assert 'name="version" value="2"' in late.text
    assert (await endpoint(installation, made.id)).url == "https://new.example/"
    for version in ("", "x", "٣", "9" * 20):
        assert (await visitor.post(path, sent | {"version": version})).status_code == 400


async def test_state_and_secret_are_changed_by_buttons(installation: Installation) -> None:
    visitor = await administrator(installation)
    made = await make_endpoint(installation, URL)
    path = f"{LIST}/{made.id}"
    await visitor.get(path)
    page = await visitor.post(f"{path}/secret")
    secret = unescape(re.findall(r'medstead-code">([^<]+)<', page.text)[0])
    assert secret.startswith("whsec_")
    assert secret != made.secret
    assert "signs too until 25 November 2026, 10:00" in main_text(await visitor.get(path))
    assert (await visitor.post(f"{path}/disable")).headers["location"] == f"{path}?done=webhook-disabled"
    page = await visitor.get(path)
    assert "Somebody disabled it" in main_text(page)
    assert "Send a test" not in page.text
    for refused in ("disable", "test"):
        assert (await visitor.post(f"{path}/{refused}")).status_code == 422
    assert (await visitor.post(f"{path}/enable")).headers["location"] == f"{path}?done=webhook-enabled"
    await visitor.get(path)
    assert (await visitor.post(f"{path}/enable")).status_code == 422
    assert (await visitor.post(f"{path}/delete")).headers["location"] == f"{LIST}?done=webhook-deleted"
    assert (await visitor.get(path)).status_code == 404
    for action in ("secret", "disable", "enable", "delete", "test"):
        assert (await visitor.post(f"{path}/{action}")).status_code == 404


async def test_an_endpoint_that_the_service_disabled_is_told_on_both_pages(installation: Installation) -> None:
    visitor = await administrator(installation)
    async with receiving(status(410)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    for path in (LIST, f"{LIST}/{made.id}"):
        text = main_text(await visitor.get(path))
        assert "answered 410 Gone" in text
        assert "24 November 2026, 10:00" in text
    text = main_text(await visitor.get(f"{LIST}/deliveries/{(await the_delivery(installation)).id}"))
    assert FAILURES["GONE"] in text
    assert "enable the endpoint first" in text


async def test_every_attempt_is_shown_and_what_a_receiver_says_is_text(installation: Installation) -> None:
    visitor = await administrator(installation)
    async with receiving(status(503, b"<script>alert(1)</script>"), status(302, location="/x")) as receiver:
        await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        delivery = await the_delivery(installation)
        page = await visitor.get(f"{LIST}/deliveries/{delivery.id}")
        assert "alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "Load again" in page.text
        assert "Next attempt" in main_text(page)
        assert delivery.next_attempt_at is not None
        installation.clock.move(delivery.next_attempt_at - installation.clock())
        await work_off(installation)
    page = await visitor.get(f"{LIST}/deliveries/{delivery.id}")
    text = main_text(page)
    assert "Status 503" in text
    assert f"Status 302. {ERRORS['REDIRECTED']} (REDIRECTED)" in text
    assert FAILURES["REFUSED"] in text
    async with receiving() as mended:
        await visitor.post(f"{LIST}/deliveries/{delivery.id}/replay")
        path = f"{LIST}/deliveries/{(await deliveries(installation))[1].id}"
        waiting = await visitor.post(f"{LIST}/deliveries/{delivery.id}/replay")
        assert waiting.status_code == 422
        assert "still being sent" in main_text(waiting)
        assert mended.received == []
    assert f'href="{LIST}/deliveries/{delivery.id}"' in (await visitor.get(path)).text, "leads to the first one"


async def test_deliveries_are_read_page_by_page_and_chosen_by_state_and_event(installation: Installation) -> None:
    visitor = await administrator(installation)
    async with receiving(status(404)) as receiver:
        made = await make_endpoint(installation, receiver.url)
        for number in range(PAGE + 5):
            await happen(installation, kind=EventType.IMPORT_FAILED if number % 3 == 0 else EventType.SETTINGS_CHANGED)
        await work_off(installation)
        while any(one.state == "waiting" for one in await deliveries(installation)):
            installation.clock.move(timedelta(seconds=2))
            await work_off(installation)

    async def listed(query: str = "") -> list[UUID]:
        seen: list[UUID] = []
        path = f"{LIST}/{made.id}{query}"
        while path:
            page = await visitor.get(path)
            seen += [UUID(found) for found in re.findall(rf'href="{LIST}/deliveries/([0-9a-f-]+)"', page.text)]
            following = re.search(r'href="([^"]+)" rel="next"', page.text)
            path = unescape(following[1]) if following else ""
        return seen

    everyone = await deliveries(installation)
    newest = sorted(everyone, key=lambda one: (one.created_at, one.id), reverse=True)
    assert await listed() == [one.id for one in newest]
    failed = [one.id for one in newest if one.state == "failed"]
    assert await listed("?state=failed") == failed
    assert len(failed) == 1
    assert len(await listed("?type=import.failed")) == (PAGE + 5 + 2) // 3
    assert len(await listed("?state=delivered&type=settings.changed")) in {19, 20}
    assert await listed("?state=waiting") == []
    for nonsense in ("?state=x", "?type=x", "?after=x", f"?after={new_id()}"):
        assert len(await listed(nonsense)) == PAGE + 5


async def test_every_code_has_words() -> None:
    assert set(MEANINGS) == set(EventType)
    told = {"GAVE_UP", "REFUSED", "GONE", "ENDPOINT_DISABLED"}
    assert told == set(FAILURES)


@pytest.mark.row("C1")
async def test_another_tenants_endpoints_and_deliveries_are_not_there(installation: Installation) -> None:
    async with receiving() as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    delivery = await the_delivery(installation)
    stranger = await visitor_as(installation, Role.TENANT_ADMINISTRATOR, installation.south, "south@example.org")
    await stranger.get(f"{LIST}/add")
    assert receiver.url not in (await stranger.get(LIST)).text
    before = await everything(installation)
    for path in (f"{LIST}/{made.id}", f"{LIST}/{made.id}/change", f"{LIST}/deliveries/{delivery.id}"):
        assert (await stranger.get(path)).status_code == 404
    sent = {"url": URL, "types": ["import.failed"], "version": "1"}
    for action in ("change", "secret", "enable", "disable", "delete", "test"):
        assert (await stranger.post(f"{LIST}/{made.id}/{action}", sent)).status_code == 404
    assert (await stranger.post(f"{LIST}/deliveries/{delivery.id}/replay")).status_code == 404
    assert await everything(installation) == before
    assert len(await attempts(installation)) == 1
