"""Charts as numbers for the templates: positions in percent of the width, heights in pixels. Pure functions.

Drawn as SVG without a view box, so that words keep their size on a narrow screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.evidence.summary import Answers, Month

TOP, BOTTOM, HEIGHT = 24, 204, 232
"""Where columns end at the most, where they stand, and how high the whole drawing is, in pixels."""

GUTTER = 13.0
"""Room on the left for the numbers of the lines, in percent: enough for five signs on a narrow screen."""

_STEPS = (1, 2, 5)
_MOST_LINES = 4
_TICKS = 3
"""At most so many labels under a row of columns, so that they stay apart on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Column:
    """One month's column. `x` and `width` in percent, `y` and `height` in pixels."""

    x: float
    width: float
    y: float
    height: float
    month: Month


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the columns, with its number."""

    y: float
    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A label under the columns: its place in percent, and the text's anchor."""

    x: float
    anchor: str
    month: Month


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """A monthly series as columns."""

    columns: Sequence[Column]
    lines: Sequence[Line]
    ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class Bar:
    """An option's bar: its width in percent of the widest possible, its share of the answers in percent."""

    label: str
    count: int
    share: float
    highest: bool


def column_chart(months: Sequence[Month]) -> ColumnChart:
    """Columns of a series, with lines at round numbers."""
    step = round_step(max((month.count for month in months), default=0))
    top = max(step, -(-max((month.count for month in months), default=0) // step) * step)
    scale = (BOTTOM - TOP) / top
    room = (100 - GUTTER) / max(len(months), 1)
    columns = [
        Column(
            round(GUTTER + number * room + room * 0.1, 3),
            round(room * 0.8, 3),
            round(BOTTOM - month.count * scale, 1),
            round(month.count * scale, 1),
            month,
        )
        for number, month in enumerate(months)
    ]
    lines = [Line(round(BOTTOM - number * scale, 1), number) for number in range(step, top + 1, step)]
    return ColumnChart(columns, lines, _ticks(months, room))


def _ticks(months: Sequence[Month], room: float) -> list[Tick]:
    every = -(-len(months) // _TICKS) or 1
    ticks = []
    for number in range(0, len(months), every):
        # A label at either end stands inside the drawing rather than half beside it.
        anchor = "start" if number == 0 else "end" if number == len(months) - 1 else "middle"
        place = {"start": number * room, "end": (number + 1) * room, "middle": (number + 0.5) * room}[anchor]
        ticks.append(Tick(round(GUTTER + place, 3), anchor, months[number]))
    return ticks


def round_step(largest: int) -> int:
    """The least of 1, 2, 5, 10, 20 … by which at most four lines reach past `largest`."""
    power = 1
    while True:
        for step in _STEPS:
            if -(-largest // (step * power)) <= _MOST_LINES:
                return step * power
        power *= 10


def bar_chart(answers: Answers) -> list[Bar]:
    """Bars of a distribution, from the least option to the most; widths are shares of the answers given."""
    given = sum(option.count for option in answers.options)
    last = len(answers.options) - 1
    return [
        Bar(option.label, option.count, round(100 * option.count / given, 1) if given else 0.0, number == last)
        for number, option in enumerate(answers.options)
    ]
