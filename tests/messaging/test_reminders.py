"""Reminders: once for each booking and rule, at the right time of day across a change of the clock, never too late."""

from datetime import UTC, datetime, time, timedelta

import pytest

from app.messaging import reminders
from app.messaging.models import ReminderRule
from app.messaging.rules import Distance, after_quiet, due_at, when_to_remind
from app.messaging.settings import move_clock
from app.training.booking.check_in import Seen, mark
from app.training.booking.operations import cancel
from app.training.sessions.details import Places
from app.training.sessions.operations import cancel_session, move_session
from tests.booking.support import NEXT_WEEK, book, bookings_of, make_session, make_staff
from tests.messaging.mailbox import Mailbox, plain
from tests.messaging.support import SENDER, add_rule, give_addresses, ledger, reminders_of, set_sender, work_on
from tests.support import NOW, Installation

HOURS = [(7, 0), (1, 0), (0, 60)]


def utc(*parts: int) -> datetime:
    """A moment."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("distance", "starts", "due"),
    [
        (
            Distance("before_start", 7, 0),
            utc(2027, 3, 31, 9),
            utc(2027, 3, 24, 10),
        ),  # 10am summer time: 10am winter time
        (Distance("before_start", 1, 0), utc(2026, 10, 25, 10), utc(2026, 10, 24, 9)),
        (Distance("before_start", 1, 0), utc(2027, 3, 29, 0, 30), utc(2027, 3, 28, 1, 30)),  # 1:30 is skipped: 2:30
        (Distance("before_start", 0, 60), utc(2027, 3, 28, 1, 30), utc(2027, 3, 28, 0, 30)),
        (Distance("before_start", 0, 60), utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 0, 30)),
        (Distance("before_start", 2, 0, time(9)), utc(2027, 3, 29, 13), utc(2027, 3, 27, 9)),
        (Distance("after_end", 1, 0, time(9)), utc(2027, 3, 27, 13), utc(2027, 3, 28, 8)),
        (Distance("after_end", 0, 30), utc(2027, 1, 5, 13), utc(2027, 1, 5, 15, 30)),
    ],
)
@pytest.mark.row("A32")
def test_days_keep_the_time_of_day_in_england(distance: Distance, starts: datetime, due: datetime) -> None:
    assert due_at(distance, starts, starts + timedelta(hours=2)) == due


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(2027, 1, 5, 19, 59), utc(2027, 1, 5, 19, 59)),
        (utc(2027, 1, 5, 20), utc(2027, 1, 6, 8)),
        (utc(2027, 1, 6, 7, 59), utc(2027, 1, 6, 8)),
        (utc(2027, 3, 27, 21), utc(2027, 3, 28, 7)),
    ],
)
def test_quiet_hours_go_over_midnight_and_changes_of_the_clock(at: datetime, expected: datetime) -> None:
    assert after_quiet(at, time(20), time(8)) == expected
    assert when_to_remind(at, expected + timedelta(minutes=10), (time(20), time(8))) == at, "late is worse than early"


@pytest.mark.row("A32")
async def test_each_rule_reminds_each_booking_once(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 4)
    await give_addresses(installation, learners)
    await set_sender(installation)
    for days, minutes in HOURS:
        await add_rule(installation, days=days, minutes=minutes)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners[:3])
    await work_on(installation)
    confirmations = 3
    assert len(mailbox.messages) == confirmations, "the seven days are now, but they booked after that was due"
    assert [(one.state, one.due_at) for one in await reminders_of(installation)] == [
        ("done", NEXT_WEEK - timedelta(days=7)),
        ("scheduled", NEXT_WEEK - timedelta(days=1)),
        ("scheduled", NEXT_WEEK - timedelta(hours=1)),
    ]
    first = (await bookings_of(installation, session_id))[0]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await cancel(work, first.id)
    await work_on(installation, timedelta(days=6))
    await book(installation, session_id, learners[3:])
    await work_on(installation, timedelta(hours=1))
    reminded = [message["To"] for message in mailbox.messages.values() if str(message["Subject"]).startswith("Rem")]
    assert reminded == ["learner1@home.example", "learner2@home.example"]
    await work_on(installation, timedelta(hours=22))
    reminded = [message["To"] for message in mailbox.messages.values() if str(message["Subject"]).startswith("Rem")]
    assert sorted(reminded[2:]) == [f"learner{number}@home.example" for number in (1, 2, 3)]
    assert set(mailbox.handed.values()) == {1}
    letter = mailbox.to("learner1@home.example")[-1]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Tuesday 1 December 2026 at 10am" in plain(letter)
    before = len(mailbox.messages)
    await work_on(installation, timedelta(days=1))
    assert len(mailbox.messages) == before


async def test_reminders_follow_a_session_and_end_with_it(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 1)
    await give_addresses(installation, learners)
    await set_sender(installation)
    await add_rule(installation, days=1)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        later = NEXT_WEEK + timedelta(days=2)
        await move_session(work, session_id, 2, later, later + timedelta(hours=1))
    await work_on(installation)
    assert [(one.state, one.due_at) for one in await reminders_of(installation)] == [
        ("withdrawn", NEXT_WEEK - timedelta(days=1)),
        ("scheduled", NEXT_WEEK + timedelta(days=1)),
    ]
    await work_on(installation, timedelta(days=6, hours=1))
    assert not [subject for subject in mailbox.subjects if subject.startswith("Reminder")]
    async with installation.database.unit_of_work(context) as work:
        await cancel_session(work, session_id, 3, "The trainer is ill")
    await work_on(installation, timedelta(days=2))
    assert not [subject for subject in mailbox.subjects if subject.startswith("Reminder")]
    assert mailbox.subjects[-1] == "No longer booked: PRN medicines"
    assert "The trainer is ill" in plain(mailbox.to("learner0@home.example")[-1])


async def test_a_reminder_that_nobody_could_send_in_time_is_missed(installation: Installation) -> None:
    _, learners = await make_staff(installation, 1)
    await give_addresses(installation, learners)
    await set_sender(installation)
    await add_rule(installation, days=1)
    await add_rule(installation, days=0, minutes=60)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation)
    installation.clock.move(timedelta(days=6, hours=7))
    await work_on(installation)
    assert [one.state for one in await reminders_of(installation)] == ["missed", "scheduled"]
    installation.clock.move(timedelta(days=1))
    await work_on(installation)
    assert [one.state for one in await reminders_of(installation)] == ["missed", "missed"]
    assert {message.occasion for message in await ledger(installation)} == {"booking_confirmed"}


async def test_after_a_session_those_who_came_and_those_who_did_not(
    installation: Installation, mailbox: Mailbox
) -> None:
    _, learners = await make_staff(installation, 2)
    await give_addresses(installation, learners)
    await set_sender(installation)
    await add_rule(installation, moment="after_end", audience="attended", template_code="after-attended", minutes=60)
    await add_rule(installation, moment="after_end", audience="absent", template_code="after-absent", days=1)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation, timedelta(days=7, hours=1))
    came = (await bookings_of(installation, session_id))[0]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await mark(work, session_id, [Seen(came.learner_id, 1, present=True)], "list")
    await work_on(installation, timedelta(hours=2))
    await work_on(installation, timedelta(days=1))
    assert mailbox.to("learner0@home.example")[-1]["Subject"] == "Thank you for coming to PRN medicines"
    assert mailbox.to("learner1@home.example")[-1]["Subject"] == "We missed you at PRN medicines"


async def test_a_preview_says_who_and_why(installation: Installation) -> None:
    _, learners = await make_staff(installation, 3)
    await give_addresses(installation, learners[:2])
    await set_sender(installation)
    rule_id = await add_rule(installation, days=1)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    booking = (await bookings_of(installation, session_id))[0]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await cancel(work, booking.id)
        rule = await work.session.get_one(ReminderRule, (work.tenant_id, rule_id))
        found = await reminders.candidates(work, rule, session_id, NEXT_WEEK - timedelta(days=1), "programme")
    assert [(one.goes, one.why) for one in found] == [
        (False, "BOOKING_ENDED"),
        (True, "BOOKED"),
        (False, "NO_ADDRESS"),
    ]


async def test_a_tenant_that_trains_moves_its_clock(installation: Installation, mailbox: Mailbox) -> None:
    _, learners = await make_staff(installation, 1)
    await give_addresses(installation, learners)
    given = type(SENDER)("Training", "training@council.example", training=True)
    await set_sender(installation, given=given)
    await add_rule(installation, days=1)
    session_id = await make_session(installation, Places(10, "promote"))
    await book(installation, session_id, learners)
    await work_on(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await move_clock(work, timedelta(days=6, minutes=5))
    await work_on(installation)
    assert mailbox.subjects[-1].startswith("Reminder: PRN medicines")
    assert installation.clock() == NOW
