"""Messages in the console: who writes, templates, reminders and nudges with previews, the ledger, dead letters."""

import re
from datetime import timedelta

import pytest

from app.identity.permissions import Role
from app.training.sessions.details import Places
from tenants.identifiers import new_id
from tenants.outbox import OutboxMessage
from tests.booking.support import book, make_session, make_staff
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.messaging.support import give_addresses, ledger, work_on
from tests.support import NOW, Installation

HOME = "/console/messages"
SENDER = {
    "sender_name": "Sample council training", "from_address": "training@council.example", "reply_to": "",
    "brand_name": "", "brand_colour": "#005eb8", "footer": "Town hall", "channel": "smtp", "per_minute": "600",
    "quiet_from": "20:00", "quiet_until": "08:00", "version": "0", "training": "yes",
}  # fmt: skip


async def ok(visitor: Visitor, path: str, fields: dict[str, str]) -> str:
    """Send a form that is taken; the page that it leads to, in words."""
    answer = await visitor.post(path, fields)
    assert answer.status_code == 303, main_text(answer)
    return main_text(await visitor.get(answer.headers["location"]))


@pytest.mark.row("A32")
@pytest.mark.row("A36")
async def test_the_team_sets_what_people_are_sent(installation: Installation) -> None:
    lead, writer, reader = [
        await visitor_as(installation, role)
        for role in (Role.PROGRAMME_LEAD, Role.COMMUNICATIONS, Role.INFORMATION_GOVERNANCE)
    ]
    assert "Nobody is named yet whom messages come from" in main_text(await lead.get(HOME))
    early = await lead.post(f"{HOME}/reminders/add", {"audience": "booked", "days": "1", "template_code": "reminder"})
    assert (early.status_code, "Say first who the messages come from" in early.text) == (422, True)
    wrong = await lead.post(f"{HOME}/sender/save", SENDER | {"from_address": "training at council"})
    assert (wrong.status_code, 'href="#from_address"' in wrong.text, "Sample council training" in wrong.text) == (
        422, True, True,
    )  # fmt: skip
    shown = await ok(lead, f"{HOME}/sender/save", SENDER)
    assert "Sample council training <training@council.example>" in shown
    assert (await writer.post(f"{HOME}/sender/save", SENDER)).status_code == 403

    listed = await writer.get(f"{HOME}/templates")
    (path,) = re.findall(rf'href="({HOME}/templates/[0-9a-f-]+)">reminder<', listed.text)
    template = await writer.get(path)
    assert "Reminder: Medicines support webinar, Tuesday 9 March 2027 at 2pm" in main_text(template)
    text = {"message_class": "programme", "subject": "Soon: ((session))", "body": "Dear ((first_nam)), see you."}
    refused = await writer.post(f"{path}/save", text)
    assert (refused.status_code, "There is no placeholder ((first_nam)) here." in refused.text) == (422, True)
    assert "Dear ((first_nam)), see you." in refused.text
    text["body"] = "Dear ((first_name)), ((when)), ((where))."
    assert "Soon: Medicines support webinar" in await ok(writer, f"{path}/save", text)

    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners[:2])
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    rules = await ok(
        writer, f"{HOME}/reminders/add", {"audience": "booked", "days": "1", "minutes": "", "template_code": "reminder"}
    )
    assert "1 day before it begins" in rules
    far = await writer.post(f"{HOME}/reminders/add", {"audience": "booked", "days": "100", "template_code": "reminder"})
    assert (far.status_code, "Choose at most 90 days" in far.text) == (422, True)
    await work_on(installation)
    coming = await writer.get(f"{HOME}/reminders")
    (who,) = re.findall(rf'href="({HOME}/reminders/[0-9a-f-]{{36}})">30 November 2026, 10:00<', coming.text)
    assert (await writer.get(who)).status_code == 403, "who is booked is seen by those who see training"
    preview = main_text(await lead.get(who))
    assert preview.count("Has a place") == 2
    assert preview.count("There is no address of the person’s own.") == 1
    assert "Would go to 2" in preview
    off = re.findall(rf'action="({HOME}/reminders/[0-9a-f-]+/switch)"', coming.text)[0]
    assert "Switched off" in await ok(writer, off, {})

    nudge = {"days": "30", "template": "nudge-no-show", "active": "yes", "version": "0"}
    assert "Saved. It counts from the next morning." in await ok(lead, f"{HOME}/nudges/no_show/set", nudge)
    assert "Switched on" in main_text(await lead.get(f"{HOME}/nudges"))
    long = await lead.post(f"{HOME}/nudges/no_show/set", nudge | {"days": "999", "version": "1"})
    assert (long.status_code, "Choose 1 to 730 days." in long.text) == (422, True)

    clock = await ok(lead, f"{HOME}/sender/clock", {"ahead": "48"})
    assert "48 hours ahead" in clock
    about = f"{HOME}/learners/{learners[0]}"
    assert "Messages of the programme" in await ok(writer, f"{about}/object", {"kind": "programme"})
    ends = re.findall(rf'action="({about}/objections/[0-9a-f-]+/end)"', (await writer.get(about)).text)
    assert "They get such messages again." in await ok(writer, ends[0], {})
    for path in ("", "/sender", "/templates", "/reminders", "/nudges", "/nudges/dormant", "/objections"):
        read = await reader.get(f"{HOME}{path}")
        assert read.status_code == 200, path
        assert '<form method="post"' not in read.text.partition("<main")[2], path
        for file in re.findall(r'href="([^"]+[.]csv[^"]*)"', read.text):
            assert (await reader.get(file)).status_code == 200, file


async def test_the_ledger_and_what_was_given_up(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await ok(lead, f"{HOME}/sender/save", SENDER)
    await ok(lead, f"{HOME}/pause", {})
    assert "Paused" in main_text(await lead.get(HOME))
    _, learners = await make_staff(installation, 2)
    await give_addresses(installation, learners[:1])
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation)
    queued = await lead.get(f"{HOME}?state=queued")
    assert len(re.findall(rf'href="({HOME}/[0-9a-f-]{{36}})"', queued.text)) == 2
    by_learner = {message.learner_id: f"{HOME}/{message.id}" for message in await ledger(installation)}
    withdrawn = await ok(lead, f"{by_learner[learners[0]]}/withdraw", {})
    assert "Somebody took it back." in withdrawn
    again = await lead.post(f"{by_learner[learners[0]]}/withdraw")
    assert (again.status_code, "It is not waiting any more" in again.text) == (422, True)
    await ok(lead, f"{HOME}/pause", {})
    await work_on(installation, timedelta(seconds=1))
    assert sorted(message.state for message in await ledger(installation)) == ["failed", "withdrawn"]
    failed = by_learner[learners[1]]
    assert "There is no address of the person’s own." in main_text(await lead.get(failed))
    assert "The message goes out again." in await ok(lead, f"{failed}/retry", {})
    assert "Waiting" in main_text(await lead.get(failed))

    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        dead = OutboxMessage(
            tenant_id=work.tenant_id, id=new_id(), topic="evidence.refresh", dedupe_key="x", refs={},
            request_id=work.context.request_id, created_at=NOW, available_at=NOW, attempts=12, failures=12, dead_at=NOW,
            last_error="OperationalError",
        )  # fmt: skip
        work.add(dead)
    page = await lead.get("/console/background-work")
    assert "Counting the monthly figures" in main_text(page).partition("Given up")[2]
    (replay,) = re.findall(r'action="(/console/background-work/[0-9a-f-]+/replay)"', page.text)
    assert "Nothing was given up." in await ok(lead, replay, {})
    late = await lead.post(replay)
    assert (late.status_code, "Only a dead message can be replayed" in late.text) == (422, True)
