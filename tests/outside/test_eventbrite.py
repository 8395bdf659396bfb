"""Eventbrite: notices and looks come to the same end, faults lose nothing, nobody gets a place that is not there."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.outside.connections import connect
from app.outside.deciding import choose, leave_out
from app.outside.errors import OutsideRefusal
from app.outside.models import OutsideEvent, OutsideNotice
from app.training.booking.models import AttendanceMark, Booking
from app.training.booking.operations import cancel
from app.training.sessions.details import Places
from app.training.sessions.operations import cancel_session
from tests import servers
from tests.booking.support import NEXT_WEEK, make_session, make_staff
from tests.outside.doubles import Fault
from tests.outside.eventbrite_double import EVENT, TOKEN, Eventbrite, eventbrite, pointer_to
from tests.outside.support import (
    connected,
    connection,
    linked,
    names,
    next_look,
    office_of,
    registration_named,
    standing,
    told,
    work_of,
    work_on,
)
from tests.support import BYPASS_LOGIN, Installation, open_installation

STARTS = f"{NEXT_WEEK:%Y-%m-%dT%H:%M:%SZ}"
MANAGER = ("Mia Manager", "mia@home.example")
GONE = 410


@pytest.fixture
async def double() -> AsyncIterator[Eventbrite]:
    """Eventbrite, on loopback, with one event and two orders."""
    async with eventbrite() as opened:
        opened.add_event("PRN medicines", STARTS)
        opened.order(
            "11", ("Ada Example", "ada@example.org"), [("101", "Ada Example", "ada@example.org", "Rose Lodge")],
            "2026-11-20T09:00:00Z",
        )  # fmt: skip
        opened.order(
            "12", MANAGER,
            [("102", "Ben Carer", MANAGER[1], "Rose Lodge"), ("103", "Cid Carer", MANAGER[1], "Rose Lodge")],
            "2026-11-20T10:00:00Z",
        )  # fmt: skip
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Any, double: Eventbrite
) -> AsyncIterator[Installation]:
    """The application with Eventbrite's address."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    tenants = servers.running().tenants
    async with open_installation(urls, redis_url, data_dir, tenants, eventbrite_url=double.url) as opened:
        yield opened


async def tell(installation: Installation, hook: str, path: str, action: str) -> int:
    """Send a notice as Eventbrite does; the status of the answer."""
    return (
        await installation.http.post(f"/receipts/eventbrite/north/{hook}", json=pointer_to(path, action))
    ).status_code


@pytest.mark.row("A31")
@pytest.mark.row("A58")
async def test_a_look_books_people_and_a_missed_notice_is_repaired(
    installation: Installation, double: Eventbrite
) -> None:
    session_id = await make_session(installation, Places(10, "none"))
    hook = await connected(installation, "eventbrite")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    await work_on(installation)
    booked = ("registered", "confirmed", None)
    assert await standing(installation) == {"101": booked, "102": booked, "103": booked}
    assert await names(installation) == ["Ada Example", "Ben Carer", "Cid Carer"]
    assert {(await registration_named(installation, one)).who["email"] for one in ("102", "103")} == {None}
    assert all(agent.startswith("Medstead") for agent in double.agents)

    double.change("102", "2026-11-21T08:00:00Z", cancelled=True, status="Not Attending")
    assert await tell(installation, hook, f"events/{EVENT}/attendees/102", "attendee.updated") == 200
    await work_on(installation)
    assert (await standing(installation))["102"] == ("cancelled", None, None)

    # Nobody tells of the next three: an order, a refund, and an attendee who was deleted.
    double.order(
        "13", ("Dot Late", "dot@example.org"), [("104", "Dot Late", "dot@example.org", "Rose Lodge")],
        "2026-11-24T09:30:00Z",
    )  # fmt: skip
    double.change("103", "2026-11-24T09:31:00Z", refunded=True)
    del double.attendees["101"]
    asked = len(double.asked)
    await next_look(installation)
    end = await standing(installation)
    assert end["104"] == booked
    assert end["103"] == ("cancelled", None, None)
    assert end["101"] == booked, "what a list of changes leaves out is noticed by the day's whole list"
    assert double.asked[asked:].count(f"/v3/events/{EVENT}/attendees/") == 2, "two pages with the changes alone"
    assert not any(path.startswith(f"/v3/events/{EVENT}/attendees/10") for path in double.asked[asked:])
    await next_look(installation, timedelta(hours=23))
    assert (await standing(installation))["101"] == ("gone", None, None)
    before = await told(installation)
    await next_look(installation, timedelta(hours=24))
    assert await told(installation) == before
    async with work_of(installation) as work:
        states = (await work.session.scalars(select(Booking.state).order_by(Booking.number))).all()
    assert sorted(states) == ["cancelled", "cancelled", "cancelled", "confirmed"]


@pytest.mark.row("A31")
async def test_notices_in_any_order_and_again_come_to_the_same_end(
    installation: Installation, double: Eventbrite
) -> None:
    session_id = await make_session(installation, Places(10, "none"))
    hook = await connected(installation, "eventbrite")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    notices = [
        (f"events/{EVENT}/attendees/101", "attendee.updated"),
        (f"events/{EVENT}/attendees/102", "barcode.checked_in"),
        ("orders/11", "order.placed"),
        ("orders/12", "order.updated"),
        (f"events/{EVENT}/attendees/999", "attendee.updated"),
        ("orders/999", "order.placed"),
    ]
    dice = random.Random(7)
    for at, changes in enumerate([{}, {"checked_in": True}, {"checked_in": False}, {"cancelled": True}]):
        if changes:
            double.change("102", f"2026-11-2{at}T12:00:00Z", **changes)
        for path, action in dice.sample(notices * 2, k=6):
            assert await tell(installation, hook, path, action) == 200
        if dice.random() < 0.5:
            await work_on(installation)
    for path, action in dice.sample(notices, k=len(notices)):
        assert await tell(installation, hook, path, action) == 200
    await work_on(installation)
    end = await told(installation)
    assert end["101"][5:] == ("Ada Example", "confirmed")
    assert (end["102"][0].state, end["102"][6], end["102"][3]) == ("cancelled", None, None)
    assert end["103"][5:] == ("Cid Carer", "confirmed")
    for path, action in notices * 3:
        await tell(installation, hook, path, action)
    await work_on(installation)
    assert await told(installation) == end
    async with work_of(installation) as work:
        live = (await work.session.scalars(select(Booking).where(Booking.state == "confirmed"))).all()
        told_once = (await work.session.scalars(select(OutsideNotice.state).distinct())).all()
    assert len(live) == 2
    assert set(told_once) == {"done"}


@pytest.mark.one_login
async def test_many_notices_of_one_object_are_one_job_and_nothing_ever_answers_gone(
    installation: Installation, double: Eventbrite
) -> None:
    hook = await connected(installation, "eventbrite")
    for _ in range(5):
        assert await tell(installation, hook, "orders/11", "order.updated") == 200
    assert await tell(installation, hook, "orders/11", "venue.updated") == 200, "unknown actions are taken and left"
    async with work_of(installation) as work:
        assert len((await work.session.scalars(select(OutsideNotice))).all()) == 1
    address, http = f"/receipts/eventbrite/north/{hook}", installation.http
    odd = [
        await http.post(address, content=b"{", headers={"content-type": "application/json"}),
        await http.post(address, content=b"[]"),
        await http.post(address, content=b"x" * 70_000),
        await http.post(
            address, json={"api_url": "http://127.0.0.1/v3/orders/1/", "config": {"action": "order.placed"}}
        ),
        await http.post(address, json={"api_url": "https://evil.example/v3/orders/1/../2/", "config": {"action": 5}}),
        await http.post(f"{address}x", json=pointer_to("orders/11", "order.placed")),
        await http.post(address.replace("north", "nowhere"), json={}),
        await http.post(address.replace("north", "south"), json={}),
        *[await http.request(method, address) for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD")],
    ]
    assert [answer.status_code for answer in odd] == [400, 200, 413, 200, 200, 404, 404, 404, *[405] * 5]
    assert GONE not in {answer.status_code for answer in odd}
    async with work_of(installation) as work:
        assert len((await work.session.scalars(select(OutsideNotice))).all()) == 1
    assert await connection(installation, "eventbrite")


@pytest.mark.one_login
async def test_faults_of_the_system_lose_nothing_and_are_told(installation: Installation, double: Eventbrite) -> None:
    session_id = await make_session(installation, Places(10, "none"))
    await connected(installation, "eventbrite")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    double.faults = [
        ("/attendees/", Fault(429, {"retry-after": "30"})),
        ("/orders/12/", Fault(503)),
        ("/attendees/", Fault(200, body=b"<html>")),
        ("/attendees/", Fault(200, body=b'{"attendees": 5}')),
    ]
    await work_on(installation)
    assert (await connection(installation, "eventbrite")).error_code == "STATUS_429"
    assert await standing(installation) == {}
    await work_on(installation, timedelta(seconds=29))
    assert double.count("/orders/") == 0, "it is left alone for as long as it asked"
    for minutes, code in ((4, "BAD_ANSWER"), (7, "BAD_ANSWER"), (12, "STATUS_503"), (14, None)):
        await work_on(installation, timedelta(minutes=minutes))
        assert (await connection(installation, "eventbrite")).error_code == code
    assert len(await standing(installation)) == 3
    double.faults = [("/attendees/", Fault(401))]
    await next_look(installation)
    assert (await connection(installation, "eventbrite")).error_code == "STATUS_401"
    await next_look(installation)
    assert (await connection(installation, "eventbrite")).error_code is None
    double.faults = [("/attendees/", Fault(500))] * 50
    await next_look(installation)
    for minutes in (2, 3, 4, 6, 9, 12, 15):
        await work_on(installation, timedelta(minutes=minutes))
    assert len(double.faults) == 50 - 7, "less and less often"
    for _ in range(4):
        await next_look(installation)
    assert len(double.faults) == 50 - 7 - 4, "then once an hour, by each hour's look alone"


async def test_a_full_session_loses_nobody_and_a_person_settles_what_is_unclear(
    installation: Installation, double: Eventbrite
) -> None:
    await make_staff(installation, 0)
    session_id = await make_session(installation, Places(1, "none"))
    await connected(installation, "eventbrite")
    for order, name, home in (("14", "Eve Nameless", ""), ("15", "Fay Nameless", "")):
        double.order(order, MANAGER, [(f"2{order}", name, MANAGER[1], home)], "2026-11-21T09:00:00Z")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    await work_on(installation)
    end = await standing(installation)
    assert end["101"] == ("registered", "confirmed", None)
    assert {end["102"], end["103"]} == {("registered", None, "FULL")}
    assert {end["214"], end["215"]} == {("registered", None, "NAME_ONLY")}
    first = await registration_named(installation, "101")
    assert first.booking_id is not None
    async with work_of(installation) as work:
        await cancel(work, first.booking_id)
        await leave_out(work, (await registration_named(installation, "215")).id)
        with pytest.raises(OutsideRefusal) as refused:
            await choose(work, first.id, None)
        assert refused.value.code == "PLACED_ALREADY"
    await next_look(installation)
    end = await standing(installation)
    assert end["102"] == ("registered", "confirmed", None), "tried again, in the order in which they came"
    assert end["103"] == ("registered", None, "FULL")
    assert end["101"] == ("registered", "cancelled", "ENDED_HERE"), "what was decided here stands"
    assert end["215"] == ("registered", None, None)
    async with work_of(installation) as work:
        await choose(work, (await registration_named(installation, "214")).id, None)
    await work_on(installation)
    assert (await standing(installation))["214"] == ("registered", None, "FULL")
    assert "Eve Nameless" in await names(installation)
    double.change("215", "2026-11-24T11:00:00Z", checked_in=True)
    double.change("102", "2026-12-01T10:05:00Z", checked_in=True)
    await next_look(installation, timedelta(days=7, hours=1))
    async with work_of(installation) as work:
        marks = (await work.session.scalars(select(AttendanceMark))).all()
    ben = await registration_named(installation, "102")
    assert [(mark.learner_id, mark.present, mark.method) for mark in marks] == [(ben.learner_id, True, "scan")]
    double.change("102", "2026-12-01T10:20:00Z", checked_in=False)
    await next_look(installation)
    assert (await registration_named(installation, "102")).marked_part is None
    assert (await standing(installation))["103"][1] is None


async def test_a_check_in_is_taken_back_from_its_own_half_of_the_day(
    installation: Installation, double: Eventbrite
) -> None:
    halves = {"second_part_at": NEXT_WEEK + timedelta(hours=3), "ends_at": NEXT_WEEK + timedelta(hours=6)}
    session_id = await make_session(installation, Places(5, "none"), **halves)
    await connected(installation, "eventbrite")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    await work_on(installation)
    double.change("101", f"{NEXT_WEEK:%Y-%m-%dT%H}:02:00Z", checked_in=True)
    await next_look(installation, NEXT_WEEK + timedelta(minutes=10) - installation.clock())
    double.change("101", f"{NEXT_WEEK + timedelta(hours=4):%Y-%m-%dT%H}:30:00Z", checked_in=False)
    await next_look(installation, timedelta(hours=5))
    async with work_of(installation) as work:
        marks = (await work.session.scalars(select(AttendanceMark).order_by(AttendanceMark.marked_at))).all()
    assert [(mark.part, mark.present) for mark in marks] == [(1, True), (1, False)]


async def test_somebody_else_comes_instead_and_one_person_registers_twice(
    installation: Installation, double: Eventbrite
) -> None:
    session_id = await make_session(installation, Places(5, "none"))
    await connected(installation, "eventbrite")
    double.order(
        "16", ("Ada Example", "ada@example.org"), [("116", "Ada Example", "ada@example.org", "Rose Lodge")],
        "2026-11-20T11:00:00Z",
    )  # fmt: skip
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    await work_on(installation)
    one, other = [await registration_named(installation, name) for name in ("101", "116")]
    assert one.booking_id == other.booking_id
    assert one.booked_here != other.booked_here
    maker = "101" if one.booked_here else "116"
    double.change(maker, "2026-11-24T09:00:00Z", cancelled=True)
    profile = {"first_name": "Gus", "last_name": "Instead", "name": "Gus Instead", "email": "gus@example.org"}
    double.change("103", "2026-11-24T09:01:00Z", profile=profile)
    await next_look(installation)
    end = await told(installation)
    assert end["101" if maker == "116" else "116"][5:] == ("Ada Example", "confirmed"), "the place stays with the other"
    assert end["103"][5:] == ("Gus Instead", "confirmed")
    async with work_of(installation) as work:
        states = (await work.session.scalars(select(Booking.state))).all()
    assert sorted(states) == ["cancelled", "confirmed", "confirmed", "confirmed"]
    async with work_of(installation) as work:
        await cancel_session(work, session_id, 2, "the trainer is ill")
    await next_look(installation)
    assert {problem for _, _, problem in (await standing(installation)).values()} == {"CANCELLED_HERE", None}


@pytest.mark.one_login
async def test_an_account_is_tried_before_it_counts(installation: Installation, double: Eventbrite) -> None:
    office = office_of(installation)
    refusals = []
    for values in ({}, {"private_token": "WRONG"}, {"private_token": TOKEN, "organization_id": "1"}):
        with pytest.raises(OutsideRefusal) as refused:
            await connect(office, "eventbrite", values)
        refusals.append(refused.value.code)
    double.organisations["70002"] = "Another team"
    with pytest.raises(OutsideRefusal) as refused:
        await connect(office, "eventbrite", {"private_token": TOKEN})
    assert "70001 (Training team), 70002 (Another team)" in refused.value.message
    double.faults = [("/users/", Fault(502))]
    with pytest.raises(OutsideRefusal) as unavailable:
        await connect(office, "eventbrite", {"private_token": TOKEN})
    assert [*refusals, refused.value.code, unavailable.value.code] == [
        "VALUE_MISSING", "NOT_TAKEN", "NO_ORGANISATION", "WHICH_ORGANISATION", "NO_ANSWER",
    ]  # fmt: skip
    await connect(office, "eventbrite", {"private_token": TOKEN, "organization_id": "70002"})
    kept = await connection(installation, "eventbrite")
    assert (kept.state, kept.settings) == ("on", {"organization_id": "70002"})
    assert kept.secrets is not None
    assert TOKEN.encode() not in kept.secrets


@pytest.mark.one_login
async def test_one_event_that_is_refused_keeps_no_other_from_its_turn(
    installation: Installation, double: Eventbrite
) -> None:
    other = f"{EVENT}9"
    double.add_event("Another", STARTS, other)
    session_id = await make_session(installation, Places(10, "none"))
    await connected(installation, "eventbrite")
    await linked(installation, "eventbrite", other, session_id, "501")
    await linked(installation, "eventbrite", EVENT, session_id, "501")
    double.faults = [(f"/{other}/attendees/", Fault(403)), (f"/{EVENT}/attendees/101/", Fault(403))]
    await work_on(installation)
    assert len(await standing(installation)) == 3
    del double.events[EVENT]
    await next_look(installation, timedelta(hours=24))
    assert {state for state, _, _ in (await standing(installation)).values()} == {"registered"}, "nobody is cancelled"
    async with work_of(installation) as work:
        notes = await work.session.execute(select(OutsideEvent.outside_id, OutsideEvent.note))
        assert dict(notes.all()) == {EVENT: "NO_SUCH_EVENT", other: None}
