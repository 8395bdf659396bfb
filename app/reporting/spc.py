"""The XmR chart by the rules of Making Data Count, as the NHS-R package plots them. Pure functions.

No rebasing: the whole series has one mean. The moving ranges are not screened unless asked, as in the national tool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

LIMIT = 2.66
NEAR_LIMIT = LIMIT * 2 / 3
SCREEN = 3.267
RUN = 7
"""So many points in a row make a trend or a shift."""
FEWEST = 12
"""With fewer points the limits are on trial."""


class Rule(StrEnum):
    """Why a point is no chance variation; the first that fits counts."""

    OUTSIDE = "outside"
    TREND = "trend"
    TWO_OF_THREE = "two_of_three"
    SHIFT = "shift"


class Variation(StrEnum):
    """What a point shows."""

    COMMON = "common"
    IMPROVEMENT = "improvement"
    CONCERN = "concern"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Point:
    """A value, the rule that it fires (None: chance variation) and what that shows."""

    value: float
    rule: Rule | None
    variation: Variation


@dataclass(frozen=True, slots=True)
class Xmr:
    """A chart: mean, limits, near limits, points; `trial`: fewer than twelve points."""

    mean: float
    lower: float
    upper: float
    near_lower: float
    near_upper: float
    points: tuple[Point, ...]
    trial: bool

    @property
    def signals(self) -> int:
        """How many points are no chance variation."""
        return sum(point.rule is not None for point in self.points)


def xmr(values: Sequence[float], polarity: str = "neutral", *, screened: bool = False) -> Xmr:
    """The chart of a series without gaps. `polarity`: increase, decrease or neutral is better.

    `screened` leaves ranges of 3.267 times their mean or more out of the limits. Raises ValueError without values.
    """
    if not values:
        raise ValueError("a chart needs at least one value")
    mean = sum(values) / len(values)
    ranges = [abs(after - before) for before, after in pairwise(values)]
    average = _mean(ranges)
    if screened:
        average = _mean([size for size in ranges if size < SCREEN * average])
    lower, upper = mean - LIMIT * average, mean + LIMIT * average
    near_lower, near_upper = mean - NEAR_LIMIT * average, mean + NEAR_LIMIT * average
    sides = [(value > mean) - (value < mean) for value in values]
    outside = [not lower <= value <= upper for value in values]
    near = [not out and not near_lower <= value <= near_upper for value, out in zip(values, outside, strict=True)]
    fired = (
        (Rule.OUTSIDE, outside),
        (Rule.TREND, _parts([_trend(values[at : at + RUN]) for at in range(len(values))], RUN)),
        (Rule.TWO_OF_THREE, _two_of_three(near, sides)),
        (Rule.SHIFT, _parts([_one_side(sides[at : at + RUN]) for at in range(len(values))], RUN)),
    )
    rules = [next((rule for rule, found in fired if found[at]), None) for at in range(len(values))]
    points = tuple(
        Point(value, rule, _variation(rule, side, polarity))
        for value, rule, side in zip(values, rules, sides, strict=True)
    )
    return Xmr(mean, lower, upper, near_lower, near_upper, points, len(values) < FEWEST)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _trend(run: Sequence[float]) -> bool:
    steps = list(pairwise(run))
    rising, falling = (all(a < b for a, b in steps), all(a > b for a, b in steps))
    return len(run) == RUN and (rising or falling)


def _one_side(run: Sequence[int]) -> bool:
    return len(run) == RUN and abs(sum(run)) == RUN


def _parts(begins: Sequence[bool], length: int) -> list[bool]:
    """Which points lie in a run, from where runs begin."""
    return [any(begins[max(0, at - length + 1) : at + 1]) for at in range(len(begins))]


def _two_of_three(near: Sequence[bool], sides: Sequence[int]) -> list[bool]:
    begins = [
        len(sides[at : at + 3]) == 3 and sum(near[at : at + 3]) >= 2 and abs(sum(sides[at : at + 3])) == 3
        for at in range(len(near))
    ]
    return [part and close for part, close in zip(_parts(begins, 3), near, strict=True)]


def _variation(rule: Rule | None, side: int, polarity: str) -> Variation:
    if rule is None:
        return Variation.COMMON
    if polarity == "neutral":
        return Variation.NEUTRAL
    better = 1 if polarity == "increase" else -1
    return Variation.IMPROVEMENT if side == better else Variation.CONCERN
