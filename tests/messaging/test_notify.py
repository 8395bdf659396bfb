"""Sending by GOV.UK Notify, against a double that speaks its documented API with its limits and faults."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.identity.permissions import Role
from app.messaging.notify import Notify, Service
from app.messaging.notifying import connect
from app.training.errors import TrainingRefusal
from app.training.sessions.details import Places
from tenants.clock import system_clock
from tenants.outbox import Topic
from tests import servers
from tests.booking.support import book, make_session, make_staff
from tests.console.visitor import main_text, visitor_as
from tests.messaging.notify_double import DAY, KEY, LIMIT, TEMPLATE, Double, notify, tell
from tests.messaging.support import SENDER, give_addresses, ledger, set_sender, work_on
from tests.support import BYPASS_LOGIN, Installation, open_installation


@pytest.fixture
async def double() -> AsyncIterator[Double]:
    """Notify, on loopback."""
    async with notify() as opened:
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Path, double: Double
) -> AsyncIterator[Installation]:
    """The application with Notify's address."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    async with open_installation(urls, redis_url, data_dir, servers.running().tenants, notify_url=double.url) as opened:
        yield opened


async def three_booked(installation: Installation) -> str:
    """A tenant that sends by Notify, and three people who have booked; the token for receipts."""
    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners)
    context = installation.context(installation.north)
    await set_sender(installation, given=replace(SENDER, channel="notify"))
    async with installation.database.unit_of_work(context) as work:
        token = await connect(work, installation.services.vault, KEY, TEMPLATE)
        assert token is not None
        driver = await work.driver()
        await driver.execute(
            "UPDATE medstead.learner_identifier SET value = $2 WHERE tenant_id = $1 AND learner_id = $3",
            installation.north, "perm-fail@simulator.notify", learners[2],
        )  # fmt: skip
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    return token


async def states(installation: Installation) -> list[tuple[str, str | None]]:
    """State and error of each message, in the order of learners."""
    return sorted((message.state, message.last_error) for message in await ledger(installation))


@pytest.mark.row("C3")
async def test_messages_go_by_notify_and_receipts_come_back(installation: Installation, double: Double) -> None:
    token = await three_booked(installation)
    await work_on(installation)
    assert len(double.notifications) == 3
    one = next(iter(double.notifications.values()))
    assert one["subject"] == "Your place: PRN medicines, Tuesday 1 December 2026 at 10am"
    assert one["reference"].startswith("m-")
    assert "learner" not in one["reference"], "no person in the reference"
    assert await states(installation) == [("sent", None)] * 3
    double.settle()
    told = [double.receipt(one["reference"]) for one in double.notifications.values()]
    assert await tell(installation.http, "north", "wrong", told[0]) == 401
    assert await tell(installation.http, "south", token, told[0]) == 401
    for receipt in [*told, *told, *told[:1] * 3]:
        assert await tell(installation.http, "north", token, receipt) == 200
    assert await states(installation) == [
        ("bounced", "NOTIFY_PERMANENT_FAILURE"), ("delivered", None), ("delivered", None),
    ]  # fmt: skip
    late = told[0] | {"status": "sending"}
    assert await tell(installation.http, "north", token, late) == 200
    assert ("delivered", None) in await states(installation), "what is final stays"
    unknown = told[0] | {"reference": "m-" + "0" * 32}
    assert await tell(installation.http, "north", token, unknown) == 503, "so that it is told again later"
    assert await tell(installation.http, "north", token, told[0] | {"reference": "x"}) == 400


async def test_limits_and_lost_answers_repeat_and_lose_nothing(installation: Installation, double: Double) -> None:
    await three_booked(installation)
    double.refusals = [(429, LIMIT)] * 3
    await work_on(installation)
    assert double.notifications == {}
    assert {state for state, _ in await states(installation)} == {"queued"}
    double.refusals = [(429, DAY)] * 3
    await work_on(installation, timedelta(seconds=61))
    await work_on(installation, timedelta(seconds=61))
    assert double.notifications == {}, "the day's allowance is used up: an hour passes before the next try"
    double.silences = 2
    await work_on(installation, timedelta(hours=1))
    assert len(double.notifications) == 3
    await work_on(installation, timedelta(minutes=2))
    assert len(double.notifications) == 3, "those whose answer was lost were looked up by their reference"
    assert await states(installation) == [("sent", None)] * 3


async def test_receipts_that_never_came_are_asked_for(installation: Installation, double: Double) -> None:
    await three_booked(installation)
    await work_on(installation)
    double.settle()
    installation.clock.move(timedelta(hours=1))
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        work.emit(Topic.RECEIPTS_ASK, "now")
    await work_on(installation)
    assert [state for state, _ in await states(installation)] == ["bounced", "delivered", "delivered"]


async def test_the_service_is_tried_before_it_is_used(double: Double) -> None:
    good = Service(double.url, KEY, TEMPLATE)
    assert await Notify(good, system_clock).faults() == []
    other = await Notify(replace(good, template_id="7" + TEMPLATE[1:]), system_clock).faults()
    assert other == ["Your service at Notify has no template with that id. Copy the id from its page."]
    wrong = await Notify(replace(good, key=KEY[:-4] + "0000"), system_clock).faults()
    assert wrong == ["Notify does not take the key. Make a new one in your service and enter it here."]
    double.template["body"] = "Hello"
    assert await Notify(good, system_clock).faults() == [
        "The template's body at Notify must hold ((body)), and nothing else need be there."
    ]


@pytest.mark.one_login
async def test_keys_that_cannot_be_right_are_refused(installation: Installation) -> None:
    await set_sender(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        for key, template_id, code in (
            ("secret", TEMPLATE, "BAD_KEY"),
            (None, TEMPLATE, "BAD_KEY"),
            (KEY, "x", "BAD_TEMPLATE_ID"),
        ):
            with pytest.raises(TrainingRefusal) as refused:
                await connect(work, installation.services.vault, key, template_id)
            assert refused.value.code == code


async def test_a_lead_connects_the_service_in_the_console(installation: Installation, double: Double) -> None:
    await set_sender(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    path = "/console/messages/sender"
    await lead.get(path)
    wrong = await lead.post(f"{path}/notify", {"key": "secret", "template_id": TEMPLATE})
    assert (wrong.status_code, "Copy the whole key from your service at Notify" in wrong.text) == (422, True)
    assert "secret" not in main_text(wrong)
    double.template["subject"] = "Hello"
    unfit = await lead.post(f"{path}/notify", {"key": KEY, "template_id": TEMPLATE})
    assert (unfit.status_code, "must hold ((subject))" in unfit.text) == (422, True)
    double.template["subject"] = "((subject))"
    good = await lead.post(f"{path}/notify", {"key": "", "template_id": TEMPLATE})
    assert "Notify took the key, and the template fits." in main_text(good)
    assert "Bearer token" not in main_text(good), "the key stays, and so does the token for its receipts"
    assert "Bearer token" in main_text(await lead.post(f"{path}/notify", {"key": KEY, "template_id": TEMPLATE}))
    assert KEY not in (await lead.get(path)).text
