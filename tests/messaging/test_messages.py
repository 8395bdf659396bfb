"""Messages about bookings: what arrives, once, from whom, with which invitation, and what the ledger says of it."""

from datetime import timedelta

import pytest

from app.messaging import ledger as operations
from app.training.booking.operations import cancel
from app.training.sessions.details import Places
from app.training.sessions.operations import move_session
from tests.booking.support import NEXT_WEEK, book, bookings_of, make_session, make_staff
from tests.messaging.mailbox import Mailbox, invitation, page, plain
from tests.messaging.support import SENDER, give_addresses, ledger, set_sender, work_on
from tests.support import Installation


@pytest.mark.row("A43")
async def test_a_booking_is_confirmed_moved_and_ended_by_mail(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners[2:])
    await work_on(installation)
    assert await ledger(installation) == [], "a tenant that has not said who writes sends nothing"
    await set_sender(installation)
    await book(installation, session_id, learners[:2])
    await work_on(installation)
    assert mailbox.subjects == ["Your place: PRN medicines, Tuesday 1 December 2026 at 10am"] * 2
    (first,) = mailbox.to("learner0@home.example")
    assert first["From"] == "Medicines training <training@council.example>"
    assert first["Reply-To"] == "team@council.example"
    assert "List-Unsubscribe" not in first, "nobody objects to hearing about their own booking"
    booking = (await bookings_of(installation, session_id))[1]
    assert f"Your reference: {booking.reference}" in plain(first)
    assert f"<strong>Your reference:</strong> {booking.reference}" in page(first)
    event = invitation(first)
    assert "METHOD:REQUEST" in event
    assert "SEQUENCE:2" in event
    assert "DTSTART:20261201T100000Z" in event
    assert {message.state for message in await ledger(installation)} == {"sent"}

    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        later = NEXT_WEEK + timedelta(days=1)
        await move_session(work, session_id, 2, later, later + timedelta(hours=2))
    await work_on(installation)
    moved = mailbox.to("learner0@home.example")[-1]
    assert moved["Subject"] == "New time: PRN medicines"
    uid = [line for line in event.splitlines() if line.startswith("UID:")]
    assert [line for line in invitation(moved).splitlines() if line.startswith("UID:")] == uid
    assert "SEQUENCE:3" in invitation(moved)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await cancel(work, booking.id)
    await work_on(installation)
    ended = mailbox.to("learner0@home.example")[-1]
    assert ended["Subject"] == "No longer booked: PRN medicines"
    assert "METHOD:CANCEL" in invitation(ended)
    assert set(mailbox.handed.values()) == {1}
    await work_on(installation)
    assert len(mailbox.messages) == 6, "two confirmed, three asked again, one ended"


async def test_who_only_waits_is_written_to_and_not_invited(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 2)
    await give_addresses(installation, learners)
    await set_sender(installation)
    session_id = await make_session(installation, Places(1, "promote"))
    await book(installation, session_id, learners)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        later = NEXT_WEEK + timedelta(days=1)
        await move_session(work, session_id, 2, later, later + timedelta(hours=2))
    await work_on(installation)
    kinds = [
        [part.get_content_type() == "text/calendar" for part in mailbox.to(f"learner{at}@home.example")[-1].walk()]
        for at in (0, 1)
    ]
    assert [any(parts) for parts in kinds] == [True, False]
    assert mailbox.to("learner1@home.example")[-1]["Subject"] == "New time: PRN medicines"


async def test_what_comes_of_addresses_that_fail(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners[:2])
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        driver = await work.driver()
        await driver.execute(
            "UPDATE medstead.learner_identifier SET value = $3 WHERE tenant_id = $1 AND learner_id = $2",
            installation.north,
            learners[0],
            "nobody@home.example",
        )
    await set_sender(installation)
    session_id = await make_session(installation, Places(10, "promote"))
    mailbox.refusals = ["451 Try again later", "451 Try again later"]
    await book(installation, session_id, learners)
    await work_on(installation)
    by_learner = {message.learner_id: message for message in await ledger(installation)}
    bounced, later, missing = (by_learner[learner] for learner in learners)
    assert (bounced.state, bounced.last_error) == ("bounced", "SMTP_550")
    assert (later.state, later.last_error, later.attempts) == ("queued", "SMTP_451", 1)
    assert (missing.state, missing.last_error, missing.attempts) == ("failed", "NO_ADDRESS", 1)
    await work_on(installation, timedelta(seconds=61))
    await work_on(installation, timedelta(seconds=121))
    by_learner = {message.learner_id: message for message in await ledger(installation)}
    assert (by_learner[learners[1]].state, by_learner[learners[1]].attempts) == ("sent", 3)
    async with installation.database.unit_of_work(context) as work:
        await operations.retry(work, bounced.id)
    await work_on(installation)
    again = next(message for message in await ledger(installation) if message.id == bounced.id)
    assert (again.state, again.last_error) == ("failed", "ADDRESS_UNDELIVERABLE"), "it is not written to again"
    assert len(mailbox.messages) == 1


async def test_nobody_answers_and_nothing_is_lost(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 1)
    await give_addresses(installation, learners)
    await set_sender(installation)
    session_id = await make_session(installation, Places(10, "promote"))
    server, installation.services.mail._server = (
        installation.services.mail._server,
        type(installation.services.mail._server)("127.0.0.1", 9),
    )
    await book(installation, session_id, learners)
    await work_on(installation)
    (message,) = await ledger(installation)
    assert (message.state, message.attempts, message.last_error) == ("queued", 0, "SENDER_UNAVAILABLE")
    installation.services.mail._server = server
    await work_on(installation, timedelta(seconds=16))
    assert len(mailbox.messages) == 1


async def test_a_pace_and_a_pause(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 5)
    await give_addresses(installation, learners)
    given = type(SENDER)("Training", "training@council.example", per_minute=3)
    await set_sender(installation, given=given)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation)
    assert len(mailbox.messages) == 3, "three a minute"
    await work_on(installation, timedelta(seconds=61))
    assert len(mailbox.messages) == 5
