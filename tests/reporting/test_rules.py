"""Pure rules: the XmR chart against its golden fixture, periods of schedules, what small numbers let be told."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evidence.figures import Period
from app.reporting import disclosure
from app.reporting.content import MASK, Figure
from app.reporting.pdf import share
from app.reporting.rules import due_periods, period_of
from app.reporting.spc import Rule, Variation, xmr

GOLDEN = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]


@pytest.mark.row("A52")
def test_the_limits_are_those_of_the_national_tool() -> None:
    chart, screened = xmr(GOLDEN, "increase"), xmr(GOLDEN, "increase", screened=True)
    told = (chart.mean, chart.lower, chart.upper, screened.lower, screened.upper)
    assert [round(number, 2) for number in told] == [1.94, -3.06, 6.95, -0.72, 4.60]
    assert [(at, point.rule) for at, point in enumerate(chart.points) if point.rule] == [(4, Rule.OUTSIDE)]
    assert chart.points[4].variation is Variation.IMPROVEMENT
    assert not chart.trial
    assert xmr(GOLDEN[:11]).trial
    with pytest.raises(ValueError, match="at least one"):
        xmr([])


@pytest.mark.row("A52")
@pytest.mark.parametrize(
    ("values", "rules"),
    [
        ([5, 6, 5, 6, 5, 6, 5, 6, 5, 6, 5, 6], {}),
        ([9, 2, 9, 1, 2, 3, 4, 5, 6, 7, 2, 9], dict.fromkeys(range(3, 10), Rule.TREND)),
        ([1, 2, 3, 4, 5, 6, 6, 1, 9, 1, 9, 1], {}),
    ],
)
def test_a_signal_comes_only_where_a_rule_fires(values: list[float], rules: dict[int, Rule]) -> None:
    chart = xmr(values, "decrease")
    fired = {at: point.rule for at, point in enumerate(chart.points) if point.rule}
    assert fired == rules


@pytest.mark.row("A52")
def test_seven_on_one_side_are_a_shift_and_polarity_says_what_it_means() -> None:
    chart = xmr([10, 14, 10, 14, 10, 14, 10, 18, 14.5, 18, 14.5, 18, 14.5, 18], "decrease")
    assert {point.rule for point in chart.points} == {Rule.SHIFT}
    assert {point.variation for point in chart.points[:7]} == {Variation.IMPROVEMENT}
    assert {point.variation for point in chart.points[7:]} == {Variation.CONCERN}


@pytest.mark.row("A52")
def test_two_of_three_near_a_limit_count_if_all_three_are_on_one_side() -> None:
    base = [10.0, 12.0] * 6
    chart = xmr([*base, 16.0, 12.5, 16.0, *base])
    near = [at for at, point in enumerate(chart.points) if point.rule is Rule.TWO_OF_THREE]
    assert near == [12, 14], "the one between is on the same side, but not near"
    assert xmr([*base, 16.0, 9.0, 16.0, *base]).points[12].rule is None
    assert {point.variation for point in chart.points} == {Variation.COMMON, Variation.NEUTRAL}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_a_series_turned_over_has_the_same_signals(values: list[int]) -> None:
    chart, turned = xmr(values), xmr([-value for value in values])
    assert [point.rule for point in chart.points] == [point.rule for point in turned.points]


@pytest.mark.parametrize(
    ("every", "day", "expected"),
    [
        ("week", date(2026, 10, 25), (date(2026, 10, 19), date(2026, 10, 25))),
        ("month", date(2028, 2, 29), (date(2028, 2, 1), date(2028, 2, 29))),
        ("month", date(2026, 12, 31), (date(2026, 12, 1), date(2026, 12, 31))),
        ("quarter", date(2027, 3, 31), (date(2027, 1, 1), date(2027, 3, 31))),
        ("quarter", date(2026, 11, 24), (date(2026, 10, 1), date(2026, 12, 31))),
    ],
)
def test_a_day_lies_in_its_week_month_and_quarter(every: str, day: date, expected: tuple[date, date]) -> None:
    assert period_of(every, day) == Period(*expected)


def test_missed_periods_are_due_in_their_order_and_the_running_one_is_not() -> None:
    assert list(due_periods("quarter", date(2026, 4, 1), date(2026, 12, 31))) == [
        Period(date(2026, 4, 1), date(2026, 6, 30)),
        Period(date(2026, 7, 1), date(2026, 9, 30)),
    ]
    assert [period.last_day for period in due_periods("quarter", date(2026, 10, 1), date(2027, 1, 1))] == [
        date(2026, 12, 31)
    ]
    assert len(list(due_periods("week", date(2020, 1, 6), date(2026, 1, 1)))) == 12, "the next day goes on"


SHARE = Figure("k", "Label", "share", 90.0, "%", 90, 100, "answers", "period", "")


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (90, 100, True),
        (0, 100, True),
        (100, 100, True),
        (3, 100, False),
        (97, 100, False),
        (8, 16, True),
        (2, 7, False),
    ],
)
def test_a_share_tells_neither_of_few_nor_of_the_few_others(part: int, whole: int, shown: bool) -> None:
    told = disclosure.told(replace(SHARE, numerator=part, denominator=whole))
    assert (told.value != MASK) is shown
    assert (told.denominator != MASK) is shown


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_no_small_number_follows_from_what_is_told(numbers: list[int]) -> None:
    told, total = disclosure.counts(numbers), disclosure.total(numbers)
    hidden = [number for number, shown in zip(numbers, told, strict=True) if shown == MASK]
    assert all(shown in (MASK, number) for shown, number in zip(told, numbers, strict=True))
    assert not any(shown != MASK and 0 < number < 8 for shown, number in zip(told, numbers, strict=True))
    if total != MASK and hidden:
        assert len(hidden) > 1
        assert sum(hidden) >= 8


def test_short_tables_are_printed_wholly_and_long_ones_in_equal_parts() -> None:
    assert share([]) == 0
    assert share([60, 600, 3]) == 600
    assert share([10, 12_000, 22_000], 1_000) == 495
    assert share([2_000, 2_000], 1_000) == 500
