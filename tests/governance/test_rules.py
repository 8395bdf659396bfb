"""Pure rules: which cells may be told, what a session costs, what a unit costs."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.governance.equity import SMALLEST, told_by
from app.governance.rules import Cell, check_item, overdue, suppress, total_may_be_told
from app.training.errors import TrainingRefusal
from app.training.funding.rules import (
    Rate,
    Seats,
    SessionInputs,
    Time,
    money,
    per_learner,
    per_session_unit,
    session_cost,
)

DAY = date(2026, 11, 24)
LEADER, HELPER = UUID(int=1), UUID(int=2)
RATES = [
    Rate("pharmacist", date(2025, 4, 1), Decimal("38.00")),
    Rate("pharmacist", date(2026, 4, 1), Decimal("40.00")),
    Rate("pharmacist", date(2027, 4, 1), Decimal("99.00")),
    Rate("nurse", date(2025, 4, 1), Decimal("31.25")),
]


def inputs(*times: Time, venue: Decimal | None = Decimal("120.00"), attendees: int = 12) -> SessionInputs:
    leaders = ((LEADER, "pharmacist"),)
    return SessionInputs(uuid4(), "PRN", "training", DAY, leaders, times, True, venue, attendees)


DELIVERED = Time(LEADER, "pharmacist", "delivery", 120)


def test_a_cost_is_hours_times_rate_and_venue() -> None:
    cost = session_cost(inputs(DELIVERED, Time(HELPER, "nurse", "preparation", 50)), RATES)
    assert (cost.staff, cost.venue, cost.total) == (Decimal("106.04"), Decimal("120.00"), Decimal("226.04"))
    assert cost.per_attendee == Decimal("18.84"), "226.04 / 12 = 18.836…"
    assert cost.staff_share == Decimal("46.91")
    assert (cost.minutes, cost.missing) == (170, ())


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (inputs(), ["TIME_MISSING"]),
        (inputs(Time(LEADER, "pharmacist", "preparation", 60)), ["TIME_MISSING"]),
        (inputs(DELIVERED, venue=None), ["VENUE_COST_MISSING"]),
        (inputs(DELIVERED, Time(HELPER, "dietitian", "delivery", 60)), ["RATE_MISSING"]),
    ],
)
def test_what_is_missing_is_listed_and_never_zero(given: SessionInputs, codes: list[str]) -> None:
    cost = session_cost(given, RATES)
    assert [missing.code for missing in cost.missing] == codes
    assert cost.total is None
    assert cost.per_attendee is None
    unit = per_session_unit("attendee", "2026 Q4", [cost, session_cost(inputs(DELIVERED), RATES)])
    assert (unit.things, unit.complete, unit.units) == (2, 1, 12)
    assert unit.each == Decimal("16.67"), "the whole one alone: 200 / 12"
    assert [missing.code for missing in unit.missing] == codes
    champions = per_session_unit("champion", "2026 Q4", [cost], units=3)
    assert champions.each is None, "the champions' day lacks an input, so nobody's cost is known"


def test_licences_count_once_they_are_charged() -> None:
    unit = per_learner("2026 Q4", [Seats("A", 3, Decimal("12.50")), Seats("B", 9, None)])
    assert (unit.licences, unit.units, unit.each) == (Decimal("37.50"), 3, Decimal("12.50"))
    assert [missing.code for missing in unit.missing] == ["SEAT_COST_MISSING"]


@pytest.mark.parametrize("wrong", ["-1", "1.005", "NaN", "Infinity", "10000000000"])
def test_money_is_pounds_and_whole_pence(wrong: str) -> None:
    assert money(Decimal("125.5"), "amount") == Decimal("125.50")
    with pytest.raises(TrainingRefusal, match="pence"):
        money(Decimal(wrong), "amount")


def test_a_forums_action_names_its_forum_and_day() -> None:
    check_item("forum_action", UUID(int=1), DAY)
    for kind, session, day, code in (
        ("forum_action", None, DAY, "SESSION_MISSING"),
        ("forum_action", UUID(int=1), None, "DUE_DAY_MISSING"),
        ("risk", UUID(int=1), None, "NO_FORUM_ACTION"),
    ):
        with pytest.raises(TrainingRefusal) as refused:
            check_item(kind, session, day)
        assert refused.value.code == code
    assert overdue(date(2026, 11, 23), "open", DAY)
    assert not overdue(DAY, "open", DAY)
    assert not overdue(date(2026, 11, 23), "done", DAY)


def cells(*counts: tuple[int, int]) -> list[Cell]:
    return [Cell("place", f"{number}", needing, having) for number, (needing, having) in enumerate(counts)]


def hidden(*counts: tuple[int, int]) -> list[bool]:
    return [cell.suppressed for cell in suppress(cells(*counts), SMALLEST)]


def test_small_cells_are_hidden_and_never_alone() -> None:
    assert hidden((100, 50), (60, 30), (40, 20)) == [False, False, False]
    assert hidden((100, 50), (60, 30), (5, 2)) == [False, True, True], "else the total less the rest is 5"
    assert hidden((100, 50), (60, 58), (40, 20)) == [False, True, True], "two lack it, which tells of them"
    assert hidden((100, 50), (60, 30), (40, 0)) == [False, False, False]
    assert hidden((100, 50), (0, 0), (6, 6)) == [True, False, True]
    assert not total_may_be_told(cells((20, 3)), SMALLEST)
    assert total_may_be_told(cells((100, 50), (5, 2)), SMALLEST)


@given(st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), min_size=1, max_size=7))
def test_the_total_never_gives_a_hidden_cell_away(drawn: list[tuple[int, float]]) -> None:
    of_one = cells(*[(needing, round(needing * share)) for needing, share in drawn])
    told = suppress(of_one, SMALLEST)
    for cell, shown in zip(of_one, told, strict=True):
        if not shown.suppressed:
            for count in (cell.needing, cell.having, cell.needing - cell.having):
                assert count == 0 or count >= SMALLEST
    secret = [cell for cell, shown in zip(of_one, told, strict=True) if shown.suppressed]
    if secret and total_may_be_told(of_one, SMALLEST):
        assert len(secret) > 1
        assert sum(cell.needing for cell in secret) >= SMALLEST
    # Dimensions share their total: where one must hide it, so must every other that shows all its cells.
    one = {"setting": "x", "provider_size": "x", "place": "x", "deprivation": "x", "rurality": "x"}
    rows = [one | {"place": cell.group, "needing": cell.needing, "having": cell.having} for cell in of_one]
    found = told_by(rows)
    if any(dimension.needing is None for dimension in found):
        whole = next(dimension for dimension in found if dimension.name == "setting")
        assert all(cell.suppressed for cell in whole.cells), "a group of everybody is the total"
        assert all(dimension.needing is None for dimension in found)
