"""Forms of money: funding streams, licence pools with their seats, rates of staff."""

import re
from decimal import Decimal
from typing import Any

import pytest

from app.identity.permissions import Role
from tenants.identifiers import new_id
from tests.booking.support import make_staff
from tests.console.programme import small_programme
from tests.console.visitor import main_text, visitor_as
from tests.governance.support import a_course, change
from tests.governance.test_governance_forms import ID, only_looks, option, refused, sent, version
from tests.support import Installation
from tests.training.mapping.support import Word

C = "/console/costs"


@pytest.mark.row("A37")
async def test_streams_pools_and_seats(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    _, learners = await make_staff(installation, 3, home="Fern House", setting="domiciliary")
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    costs = main_text(await visitor.get(C))
    assert "There is no licence pool yet" in costs
    assert "There is no funding stream yet" in costs

    page = await visitor.get(f"{C}/streams/add")
    course = re.findall(rf'name="courses" type="checkbox" value="({ID})"', page.text)[0]
    stream: dict[str, Any] = {
        "name": "Care grant", "funder": "Invented fund", "amount": "£25,000.50", "starts_on": "2026-04-01",
        "ends_on": "2027-03-31", "courses": [course], "eligible_settings": ["domiciliary"],
    }  # fmt: skip
    for wrong, message, field in (
        ({"amount": "much"}, "Enter a number", "amount"),
        ({"amount": "1.005"}, "Enter pounds and whole pence", "amount"),
        ({"ends_on": "2026-03-31"}, "The last day is not before the first", "ends_on"),
        ({"name": ""}, "Enter the stream's name", "name"),
    ):
        again = await refused(visitor, f"{C}/streams/add", stream | wrong, message, field)
        assert re.search(rf'value="{course}"[^>]* checked', again)
        assert re.search(r'value="domiciliary"[^>]* checked', again)
    place = await sent(visitor, f"{C}/streams/add", stream)
    assert "£25,000.50" in main_text(await visitor.get(place))
    page = await visitor.get(f"{place}/change")
    assert re.search(r'value="domiciliary"[^>]* checked', page.text)
    stale = stream | {"version": "0", "name": "Other name"}
    await refused(visitor, f"{place}/change", stale, "Somebody changed the stream meanwhile")
    await sent(visitor, f"{place}/change", stream | {"version": version(page), "funder": "Another fund"})
    assert "Another fund" in main_text(await visitor.get(C))

    page = await visitor.get(f"{C}/pools/add")
    pool: dict[str, Any] = {
        "name": "Seats", "course": course, "seats": "1", "beyond": "wait", "starts_on": "2026-04-01",
        "ends_on": "2027-03-31", "stream": option(page, "Care grant"), "cost_per_seat": "18.50",
    }  # fmt: skip
    await refused(visitor, f"{C}/pools/add", pool | {"seats": "some"}, "Enter a whole number", "seats")
    await refused(visitor, f"{C}/pools/add", pool | {"beyond": ""}, "Choose what happens when all seats", "beyond")
    dear = pool | {"cost_per_seat": "1000000"}
    await refused(visitor, f"{C}/pools/add", dear, "A seat costs less than a million", "cost_per_seat")
    seats = await sent(visitor, f"{C}/pools/add", pool)
    assert "Seats left 1 of 1" in main_text(await visitor.get(seats))

    assert "Nobody is found by that" in main_text(await visitor.get(f"{seats}/enrol?name=Nobody"))
    found = await visitor.get(f"{seats}/enrol?name=Learner")
    assert set(re.findall(rf'name="learner" type="radio" value="({ID})"', found.text)) >= set(map(str, learners))
    enrol = f"{seats}/enrol?name=Learner"
    await refused(visitor, enrol, {}, "Choose the learner", "learner")
    await sent(visitor, enrol, {"learner": str(learners[0])})
    again = await refused(visitor, enrol, {"learner": str(learners[0])}, "has a seat of this pool", "learner")
    assert re.search(rf'value="{learners[0]}"[^>]* checked', again)
    await sent(visitor, enrol, {"learner": str(learners[1])})
    shown = await visitor.get(seats)
    assert "Seats left 0 of 1 Waiting 1" in main_text(shown)
    assert "Learner 1 State Waits" in main_text(shown)
    page = await visitor.get(f"{seats}/change")
    fewer = {name: value for name, value in pool.items() if name != "course"} | {"version": version(page), "seats": "0"}
    await refused(visitor, f"{seats}/change", fewer, "1 seats are charged", "seats")
    first, second = re.findall(rf"{seats}/seats/{ID}/release", shown.text)
    assert (await visitor.post(second.replace(seats, f"{C}/pools/{new_id()}"))).status_code == 404
    await sent(visitor, second, {})
    assert "already" in main_text(await visitor.post(second))
    assert "Seats left 0 of 1 Waiting 0" in main_text(await visitor.get(seats)), "it went to whoever waited"
    await sent(visitor, f"{seats}/change", pool | {"version": version(page), "seats": "3"})
    assert "Seats left 2 of 3" in main_text(await visitor.get(seats))
    file = (await visitor.get(f"{seats}/seats.csv")).text
    assert "Released" in file
    assert "Learner 0" in file

    await only_looks(
        installation,
        [C, seats, place, f"{C}/rates"],
        [first, f"{seats}/enrol", f"{seats}/change", f"{place}/change", f"{C}/pools/add", f"{C}/rates/set"],
    )
    analyst = await visitor_as(installation, Role.ANALYST, email="second@example.org")
    assert "Learner 1 " not in main_text(await analyst.get(seats))
    assert "Learner 1," not in (await analyst.get(f"{seats}/seats.csv")).text
    given = {
        "version": 0, "name": "Dear", "course": await a_course(installation), "seats": 1, "beyond": Word("WAIT"),
        "startsOn": "2026-04-01", "endsOn": "2027-03-31", "costPerSeat": Decimal("9999999999.99"),
    }  # fmt: skip
    dear_one = await change(installation, "saveLicencePool", "LicencePoolSaved { pool { id } }", input=given)
    assert dear_one["code"] == "MONEY", "the column is narrower than that"


@pytest.mark.row("A38")
async def test_rates_are_set_by_profession_and_day(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert "No rate is set yet" in main_text(await visitor.get(f"{C}/rates"))
    rate = {"profession": "pharmacist", "hourly_rate": "38.40", "valid_from": "2026-04-01"}
    for wrong, message, field in (
        ({"profession": ""}, "Choose a profession", "profession"),
        ({"hourly_rate": "0"}, "An hour costs more than 0 pounds", "hourly_rate"),
        ({"hourly_rate": ""}, "Enter what an hour costs in pounds", "hourly_rate"),
        ({"valid_from": "soon"}, "Enter a date", "valid_from"),
    ):
        await refused(visitor, f"{C}/rates/set", rate | wrong, message, field)
    for pounds in ("38.40", "39.10"):
        await sent(visitor, f"{C}/rates/set", rate | {"hourly_rate": pounds})
    shown = main_text(await visitor.get(f"{C}/rates"))
    assert "Pharmacist From 1 April 2026 Pounds for an hour 39.10" in shown
    assert "38.40 " not in shown.partition("Download")[0], "the later one holds"
