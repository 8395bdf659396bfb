"""Charts as numbers: everything stands inside the drawing, and heights and widths are in proportion."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.charts import BOTTOM, GUTTER, TOP, bar_chart, column_chart, round_step
from app.evidence.summary import Answers, Month, Option


def months(counts: list[int]) -> list[Month]:
    """A series from November 2024 on."""
    firsts = [date(2024 + (10 + number) // 12, (10 + number) % 12 + 1, 1) for number in range(len(counts))]
    return [Month(first, first.replace(day=28), count) for first, count in zip(firsts, counts, strict=True)]


@given(st.lists(st.integers(0, 1_000_000), max_size=24))
def test_columns_stand_inside_and_in_proportion(counts: list[int]) -> None:
    chart = column_chart(months(counts))
    assert len(chart.columns) == len(counts)
    for column, other in zip(chart.columns, chart.columns[1:], strict=False):
        assert column.x + column.width < other.x
    for column in chart.columns:
        assert column.x >= GUTTER
        assert column.x + column.width <= 100.01
        assert column.y >= TOP - 0.1
        assert column.y + column.height == pytest.approx(BOTTOM, abs=0.2)
    top = chart.lines[-1]
    assert top.number >= max(counts, default=0)
    for column in chart.columns:
        assert column.height == pytest.approx((BOTTOM - TOP) * column.month.count / top.number, abs=0.1)
    assert 1 <= len(chart.lines) <= 4
    assert len(chart.ticks) <= 3


@pytest.mark.parametrize(
    ("largest", "step"), [(0, 1), (4, 1), (5, 2), (8, 2), (9, 5), (20, 5), (21, 10), (380, 100), (4001, 2000)]
)
def test_lines_are_at_round_numbers(largest: int, step: int) -> None:
    assert round_step(largest) == step


def test_bars_are_shares_of_the_answers_given() -> None:
    bars = bar_chart(Answers([Option("Little", 1), Option("Much", 3)], 5, 1, None, None))
    assert [(bar.label, bar.count, bar.share, bar.highest) for bar in bars] == [
        ("Little", 1, 25.0, False),
        ("Much", 3, 75.0, True),
    ]
    assert [bar.share for bar in bar_chart(Answers([Option("Little", 0), Option("Much", 0)], 1, 1, None, None))] == [
        0,
        0,
    ]
