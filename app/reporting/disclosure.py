"""What a report that leaves the tenant may tell: numbers of people from 1 to 7 are hidden, and what would tell them.

The rule and its cells are those of governance; nothing is rounded.
"""

from collections.abc import Sequence
from dataclasses import replace

from app.governance.equity import SMALLEST
from app.governance.rules import Cell, suppress, total_may_be_told
from app.reporting.content import MASK, Count, Figure, percent


def count(number: int) -> Count:
    """A number of people as it may be told."""
    return MASK if 0 < number < SMALLEST else number


def counts(numbers: Sequence[int]) -> list[Count]:
    """Numbers that add up to a total which is told as well: enough are hidden that it gives none of them away."""
    cells = [Cell("counts", str(index).zfill(6), number, number) for index, number in enumerate(numbers)]
    return [MASK if told.suppressed else told.needing for told in suppress(cells, SMALLEST)]


def total(numbers: Sequence[int]) -> Count:
    """Their total, if it may stand beside them."""
    cells = [Cell("counts", str(index).zfill(6), number, number) for index, number in enumerate(numbers)]
    return sum(numbers) if total_may_be_told(cells, SMALLEST) else MASK


def hidden(figure: Figure) -> Figure:
    """The figure without its numbers."""
    bare = replace(figure, value=MASK, numerator=MASK)
    return replace(bare, denominator=MASK) if figure.kind == "share" else bare


def told(figure: Figure) -> Figure:
    """A figure about people as it may be told. Of a share, those who are not among it must not be few either."""
    numerator, whole = figure.numerator, figure.denominator
    assert not isinstance(numerator, str)
    assert not isinstance(whole, str)
    if numerator is not None and count(numerator) == MASK:
        return hidden(figure)
    if figure.kind == "share" and whole is not None and MASK in (count(whole), count(whole - (numerator or 0))):
        return hidden(figure)
    return figure


def options(numbers: Sequence[int]) -> tuple[list[Count], list[float | str | None]]:
    """Answers to each option, and their shares of all answers, as they may be told."""
    given, told_of = sum(numbers), counts(numbers)
    shares = [
        MASK if told_count == MASK else percent(number, given)
        for number, told_count in zip(numbers, told_of, strict=True)
    ]
    return told_of, shares
