"""A webinar of four hundred: booked by managers in lots, moved, answered, with nobody told twice."""

from collections import Counter
from datetime import timedelta

import pytest

from app.training.sessions.details import Places
from tests.booking.support import NEXT_WEEK, book, bookings_of, change, make_session, make_staff
from tests.support import Installation
from tests.webhooks.support import events

PEOPLE = 400


@pytest.mark.row("A22")
async def test_four_hundred_book_and_are_asked_again_once(installation: Installation) -> None:
    employer, staff = await make_staff(installation, PEOPLE + 1)
    session = await make_session(installation, Places(PEOPLE))
    for start in range(0, PEOPLE, 50):
        made = await book(
            installation, session, staff[start : start + 50], "MANAGER", employerId=f"Employer:{employer}"
        )
        assert [row["state"] for row in made["bookings"]] == ["CONFIRMED"] * 50
    late = await book(installation, session, staff[PEOPLE:])
    assert late["bookings"][0]["waitingPosition"] == 1
    later = NEXT_WEEK + timedelta(days=7)
    moved = await change(
        installation,
        "moveSession",
        "SessionBookingsChanged { count session { places { confirmed waiting } } }",
        input=f'{{id: "Session:{session}", version: 2, startsAt: "{later.isoformat()}", '
        f'endsAt: "{(later + timedelta(hours=2)).isoformat()}"}}',
    )
    assert moved["count"] == PEOPLE + 1
    assert moved["session"]["places"] == {"confirmed": PEOPLE, "waiting": 1}
    bookings = await bookings_of(installation, session)
    assert all(booking.asked_again_at is not None and booking.answered_at is None for booking in bookings)
    told = await events(installation)
    assert Counter(event.type for event in told) == {
        "session.published": 1,
        "booking.confirmed": PEOPLE,
        "booking.waiting": 1,
        "booking.asked_again": PEOPLE + 1,
        "session.moved": 1,
    }
    assert max(Counter((event.type, event.subject) for event in told).values()) == 1, "nobody is told twice"
