"""Messages to the tenant's own staff: a campaign on trial, and word of a report by its schedule."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.identity.permissions import Role
from app.identity.staff import end_staff
from app.messaging import campaigns
from app.messaging.models import Message
from app.reporting.operations import Schedule, add_schedule, request_due
from app.training.errors import TrainingRefusal
from tenants.context import ActorKind, TenantContext
from tenants.identifiers import new_id
from tests.booking.support import make_staff as make_workplace
from tests.console.test_campaign_pages import versioned
from tests.console.visitor import main_text, visitor_as
from tests.identity.people import make_staff
from tests.messaging.campaigning import add_contact, submitted, the_campaign
from tests.messaging.mailbox import Mailbox, plain
from tests.messaging.support import set_sender, work_on
from tests.support import Installation
from workers import reports


async def test_a_campaign_is_tried_out_and_approved_by_people_alone(
    installation: Installation, mailbox: Mailbox
) -> None:
    await set_sender(installation)
    agency, _ = await make_workplace(installation, 1, home="Agency")
    await add_contact(installation, "agency@work.example", employer_id=agency)
    writer = await visitor_as(installation, Role.COMMUNICATIONS, email="writer@council.example")
    campaign_id = await submitted(installation, body="Dear ((first_name)), news for ((workplace)).")
    path = f"/console/campaigns/{campaign_id}"
    shown = await writer.get(path)
    assert "Send it to me" in main_text(shown)
    assert (await writer.post(f"{path}/try", versioned(shown.text))).status_code == 303
    await work_on(installation)
    (trial,) = mailbox.to("writer@council.example")
    assert trial["Subject"] == "Trial: News of medicines training"
    assert "Dear Sam, news for Sample House." in plain(trial)
    assert len(mailbox.messages) == 1, "nobody else gets it"
    assert (await the_campaign(installation, campaign_id)).recipients == 0

    program = TenantContext(installation.north, ActorKind.API_CLIENT, new_id())
    for change in (campaigns.approve, campaigns.try_out):
        with pytest.raises(TrainingRefusal) as refused:
            async with installation.database.unit_of_work(program) as work:
                await change(work, campaign_id, 2)
        assert refused.value.code == "PEOPLE_ONLY"
    assert (await writer.post(f"{path}/approve", versioned((await writer.get(path)).text))).status_code == 303
    await work_on(installation)
    assert len(mailbox.to("agency@work.example")) == 1
    assert (await writer.post(f"{path}/try", {"version": "3"})).status_code == 422, "it is on its way by then"


async def test_readers_of_a_schedule_hear_that_their_report_is_ready(
    installation: Installation, mailbox: Mailbox
) -> None:
    await set_sender(installation)
    reports.register_handlers()
    _, reader = await make_staff(installation, installation.north, "reader@council.example", Role.ANALYST)
    _, gone = await make_staff(installation, installation.north, "gone@council.example", Role.ANALYST)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        await add_schedule(work, Schedule("impact", "month", [reader, gone]))
    installation.clock.move(timedelta(days=20))
    async with installation.database.unit_of_work(context) as work:
        assert await request_due(work) == 1
        await end_staff(work, gone)
    await work_on(installation)
    (told,) = mailbox.messages.values()
    assert told["To"] == "reader@council.example"
    assert told["Subject"] == "Impact report for funders, 1 November 2026 to 30 November 2026"
    assert "/console/reports/" in plain(told)
    assert "%" not in plain(told), "no figure leaves by mail"
    async with installation.database.session(context) as session:
        withdrawn = await session.scalars(select(Message.last_error).where(Message.staff_member_id == gone))
        assert withdrawn.one() == "STAFF_ENDED"
