"""Booking through the API: places, waiting, offers, parties, transfers, swaps, moves, and who may not book."""

from datetime import timedelta

import pytest

from app.training.merging import merge_learners
from app.training.sessions.details import Places, Reserved
from tests.booking.support import (
    NEXT_WEEK,
    book,
    booking_id,
    bookings_of,
    change,
    let_time_pass,
    make_session,
    make_staff,
    states,
)
from tests.support import Installation

BOOKING = "BookingChanged { booking { id state late waitingPosition learner { id } follows { state } } }"
COUNT = "SessionBookingsChanged { count }"


@pytest.mark.row("A22")
async def test_places_go_round_in_order(installation: Installation) -> None:
    employer, staff = await make_staff(installation, 8)
    session = await make_session(installation, Places(capacity=2))
    first = await book(installation, session, staff[:2], "MANAGER", employerId=f"Employer:{employer}")
    assert [row["state"] for row in first["bookings"]] == ["CONFIRMED", "CONFIRMED"]
    second = await book(installation, session, staff[2:5])
    assert [(row["state"], row["waitingPosition"]) for row in second["bookings"]] == [
        ("WAITING", 1), ("WAITING", 2), ("WAITING", 3),
    ]  # fmt: skip
    again = await book(installation, session, [staff[0], staff[5]])
    assert (again["code"], [reason["learnerId"] for reason in again["reasons"]]) == (
        "ALREADY_BOOKED",
        [f"Learner:{staff[0]}"],
    )
    why = await installation.data(
        installation.north, f"{{ waitingReasons(bookingId: {booking_id(second, 2)}) {{ code message }} }}"
    )
    assert [reason["code"] for reason in why["waitingReasons"]] == ["FULL", "OTHERS_FIRST"]
    left = await change(installation, "cancelBooking", BOOKING, id=booking_id(second, 0))
    assert left["booking"]["state"] == "CANCELLED"
    await change(installation, "cancelBooking", BOOKING, id=booking_id(first, 1), reason='"ill"')
    assert await states(installation, session) == dict(
        zip(staff[:5], ["confirmed", "cancelled", "cancelled", "confirmed", "waiting"], strict=True)
    )
    twice = await change(installation, "cancelBooking", BOOKING, id=booking_id(first, 1))
    assert twice["code"] == "ENDED_ALREADY"
    # Whoever cancelled may come back, and stands at the end.
    back = await book(installation, session, [staff[1]])
    assert back["bookings"][0]["waitingPosition"] == 2
    full = await book(installation, session, [staff[6]], wait=False)
    assert full["code"] == "FULL"
    swapped = await change(
        installation, "swapBooking", BOOKING, id=booking_id(second, 2), learnerId=f'"Learner:{staff[7]}"'
    )
    assert swapped["booking"] | {"id": ""} == {
        "id": "", "state": "WAITING", "late": False, "waitingPosition": 1,
        "learner": {"id": f"Learner:{staff[7]}"}, "follows": {"state": "SWAPPED"},
    }  # fmt: skip
    places = (await installation.data(
        installation.north,
        f'{{ session(id: "Session:{session}") {{ places {{ capacity confirmed waiting offered waitingList }} }} }}',
    ))["session"]["places"]  # fmt: skip
    assert places == {"capacity": 2, "confirmed": 2, "waiting": 2, "offered": 0, "waitingList": "PROMOTE"}


async def test_an_offer_holds_the_place_until_it_is_answered_or_runs_out(installation: Installation) -> None:
    _, staff = await make_staff(installation, 5)
    session = await make_session(installation, Places(1, "offer", offer_hours=24))
    made = await book(installation, session, staff[:4])
    await change(installation, "cancelBooking", BOOKING, id=booking_id(made, 0))
    assert list((await states(installation, session)).values()) == ["cancelled", "offered", "waiting", "waiting"]
    late = await book(installation, session, [staff[4]])
    assert late["bookings"][0]["state"] == "WAITING", "an offer holds the place"
    declined = await change(installation, "answerOffer", BOOKING, id=booking_id(made, 1), accept="false")
    assert declined["booking"]["state"] == "DECLINED"
    nothing = await change(installation, "answerOffer", BOOKING, id=booking_id(made, 3), accept="true")
    assert nothing["code"] == "NO_OFFER"
    await let_time_pass(installation, timedelta(hours=23, minutes=59))
    assert (await states(installation, session))[staff[2]] == "offered"
    await let_time_pass(installation, timedelta(minutes=2))
    assert list((await states(installation, session)).values()) == [
        "cancelled", "declined", "expired", "offered", "waiting",
    ]  # fmt: skip
    expired = await change(installation, "answerOffer", BOOKING, id=booking_id(made, 2), accept="true")
    assert expired["code"] == "ENDED_ALREADY"
    accepted = await change(installation, "answerOffer", BOOKING, id=booking_id(made, 3), accept="true")
    assert accepted["booking"]["state"] == "CONFIRMED"
    await let_time_pass(installation, timedelta(hours=25))
    assert (await states(installation, session))[staff[3]] == "confirmed", "an answered offer does not run out"


async def test_a_party_comes_together_or_not_at_all(installation: Installation) -> None:
    _, staff = await make_staff(installation, 7)
    session = await make_session(installation, Places(3))
    ones = await book(installation, session, staff[:2])
    party = await book(installation, session, staff[2:4], together=True)
    assert {row["state"] for row in party["bookings"]} == {"WAITING"}
    single = await book(installation, session, [staff[4]])
    assert single["bookings"][0]["state"] == "CONFIRMED", "one place is free, and the party needs two"
    why = await installation.data(
        installation.north, f"{{ waitingReasons(bookingId: {booking_id(party)}) {{ code }} }}"
    )
    assert [reason["code"] for reason in why["waitingReasons"]] == ["FULL"]
    await change(installation, "cancelBooking", BOOKING, id=booking_id(ones, 0))
    assert (await states(installation, session))[staff[2]] == "waiting"
    await change(installation, "cancelBooking", BOOKING, id=booking_id(ones, 1))
    found = await states(installation, session)
    assert (found[staff[2]], found[staff[3]]) == ("confirmed", "confirmed")


async def test_places_are_kept_for_some_until_a_moment(installation: Installation) -> None:
    _, home = await make_staff(installation, 3, home="Rose Lodge", setting="care_home_with_nursing")
    _, agency = await make_staff(installation, 3, home="Home Helpers", setting="domiciliary")
    until = NEXT_WEEK - timedelta(days=3)
    session = await make_session(installation, Places(3), reserves=(Reserved("setting", "domiciliary", 2, until),))
    made = await book(installation, session, home)
    assert [row["state"] for row in made["bookings"]] == ["CONFIRMED", "WAITING", "WAITING"]
    why = await installation.data(
        installation.north, f"{{ waitingReasons(bookingId: {booking_id(made, 1)}) {{ code }} }}"
    )
    assert [reason["code"] for reason in why["waitingReasons"]] == ["KEPT_FOR_OTHERS"]
    theirs = await book(installation, session, agency[:1])
    assert theirs["bookings"][0]["state"] == "CONFIRMED"
    await let_time_pass(installation, until - installation.clock() + timedelta(minutes=1))
    found = await states(installation, session)
    assert (found[home[1]], found[home[2]]) == ("confirmed", "waiting")
    late = await book(installation, session, agency[1:2])
    assert late["bookings"][0]["waitingPosition"] == 2


async def test_a_booking_moves_to_another_session_and_a_session_moves_with_its_bookings(
    installation: Installation,
) -> None:
    _, staff = await make_staff(installation, 4)
    one, two = [await make_session(installation, Places(1)) for _ in range(2)]
    first = await book(installation, one, staff[:2])
    await book(installation, two, staff[2:3])
    full = await change(
        installation, "transferBooking", BOOKING, id=booking_id(first), sessionId=f'"Session:{two}"', bookedBy="TEAM"
    )
    assert full["code"] == "FULL"
    assert (await states(installation, one))[staff[0]] == "confirmed", "the old booking stays"
    bigger = await change(
        installation,
        "updateSession",
        "SessionSaved { session { version places { capacity } } remarks { code } }",
        input=f'{{id: "Session:{two}", version: 2, session: {{title: "PRN", startsAt: "{NEXT_WEEK.isoformat()}", '
        f'endsAt: "{(NEXT_WEEK + timedelta(hours=2)).isoformat()}", places: {{capacity: 2}}}}}}',
    )
    assert bigger["session"]["places"]["capacity"] == 2
    moved = await change(
        installation, "transferBooking", BOOKING, id=booking_id(first), sessionId=f'"Session:{two}"', bookedBy="TEAM"
    )
    assert (moved["booking"]["state"], moved["booking"]["follows"]) == ("CONFIRMED", {"state": "TRANSFERRED"})
    assert (await states(installation, one))[staff[1]] == "confirmed", "the freed place went on"
    small = await change(
        installation,
        "updateSession",
        "SessionSaved { session { id } }",
        input=f'{{id: "Session:{two}", version: 3, session: {{title: "PRN", startsAt: "{NEXT_WEEK.isoformat()}", '
        f'endsAt: "{(NEXT_WEEK + timedelta(hours=2)).isoformat()}", places: {{capacity: 1}}}}}}',
    )
    assert (small["code"], small["path"]) == ("PLACES_TAKEN", ["capacity"])
    later = NEXT_WEEK + timedelta(days=2)
    asked = await change(
        installation,
        "moveSession",
        "SessionBookingsChanged { count session { startsAt version places { closesAt } } }",
        input=f'{{id: "Session:{two}", version: 3, startsAt: "{later.isoformat()}", '
        f'endsAt: "{(later + timedelta(hours=2)).isoformat()}"}}',
    )
    assert (asked["count"], asked["session"]["places"]["closesAt"]) == (2, later.isoformat())
    stale = await change(
        installation,
        "cancelSession",
        "SessionBookingsChanged { count }",
        id=f'"Session:{two}"',
        version=3,
        reason='"snow"',
    )
    assert stale["code"] == "CHANGED_MEANWHILE"
    rows = await bookings_of(installation, two)
    gone = await change(installation, "answerMove", BOOKING, id=f'"Booking:{rows[0].id}"', coming="false")
    assert gone["booking"]["state"] == "CANCELLED"
    coming = await change(
        installation, "answerMove", "BookingChanged { booking { state answeredAt } }", id=f'"Booking:{rows[1].id}"',
        coming="true",
    )  # fmt: skip
    assert coming["booking"]["answeredAt"] is not None
    ended = await change(
        installation,
        "cancelSession",
        "SessionBookingsChanged { count }",
        id=f'"Session:{two}"',
        version=4,
        reason='"snow"',
    )
    assert ended["count"] == 1
    after = await book(installation, two, staff[3:])
    assert after["code"] == "SESSION_CANCELLED"


async def test_who_may_not_book_hears_why(installation: Installation) -> None:
    employer, staff = await make_staff(installation, 1)
    _, strangers = await make_staff(installation, 1, home="Elsewhere")
    closes = NEXT_WEEK - timedelta(days=1)
    session = await make_session(
        installation,
        Places(5, "none", opens_at=NEXT_WEEK - timedelta(days=6), closes_at=closes, cancel_until=closes),
    )
    early = await book(installation, session, staff, "LEARNER")
    assert (early["code"], early["path"]) == ("NOT_OPEN_YET", ["session"])
    await let_time_pass(installation, timedelta(days=2))
    theirs = await book(installation, session, strangers, "MANAGER", employerId=f"Employer:{employer}")
    assert theirs["code"] == "NOT_YOUR_STAFF"
    assert (await book(installation, session, []))["code"] == "NOBODY"
    unknown = await book(installation, session, [session])
    assert unknown["code"] == "NO_SUCH_LEARNER"
    made = await book(installation, session, staff, "LEARNER")
    assert made["bookings"][0]["state"] == "CONFIRMED"
    await let_time_pass(installation, closes - installation.clock())
    assert (await book(installation, session, strangers, "LEARNER"))["code"] == "BOOKING_CLOSED"
    assert "bookings" in await book(installation, session, strangers, "TEAM"), "the team may until it begins"
    late = await change(installation, "cancelBooking", BOOKING, id=booking_id(made))
    assert late["booking"]["late"] is True
    await let_time_pass(installation, timedelta(days=1))
    assert (await book(installation, session, staff, "TEAM"))["code"] == "SESSION_BEGUN"


async def test_two_records_of_one_person_keep_the_place_that_one_of_them_has(installation: Installation) -> None:
    _, staff = await make_staff(installation, 3)
    session = await make_session(installation, Places(1))
    await book(installation, session, staff[:3])
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await merge_learners(work, staff[1], staff[0], "The same person")
    found = [(booking.learner_id, booking.state) for booking in await bookings_of(installation, session)]
    assert found == [(staff[1], "confirmed"), (staff[1], "cancelled"), (staff[2], "waiting")]
