"""What a report says in words, the same in each of its forms."""

from datetime import date, datetime

from app.reporting.content import MASK, Cell, Column, Count, Figure, Report
from tenants.clock import LONDON

HIDDEN = "Not shown"
NOTHING = "–"
MASKED_NOTE = (
    "Numbers of people from 1 to 7 are not shown, nor numbers that would give one of them away. "
    f"In tables {MASK} stands for each. Nothing is rounded."
)
NAMED_NOTE = "This report names people. Keep it as you keep their records."
LEGEND = (
    "Grey dots are chance variation. A square is more than chance: blue is better, orange is worse. "
    "The line is the mean, the broken lines are the limits."
)


def long_day(day: date) -> str:
    """24 November 2026."""
    return f"{day:%-d %B %Y}"


def moment(at: datetime) -> str:
    """A moment in England."""
    return f"{at.astimezone(LONDON):%-d %B %Y, %H:%M}"


def period(report: Report) -> str:
    """First and last day."""
    return f"{long_day(report.first_day)} to {long_day(report.last_day)}"


def when(report: Report, figure: Figure) -> str:
    """What time a figure is about."""
    return {
        "period": period(report),
        "day": f"On {long_day(report.last_day)}",
        "now": "When the report was made",
    }[figure.when]


def count(number: Count) -> str:
    """A number with its thousands set apart."""
    if number is None:
        return NOTHING
    return HIDDEN if isinstance(number, str) else f"{number:,}"


def value(figure: Figure) -> str:
    """A figure's value with its sign of percent."""
    if figure.value is None:
        return NOTHING
    if isinstance(figure.value, str):
        return HIDDEN
    if figure.kind == "count":
        return f"{figure.value:,}"
    return f"{figure.value:,.1f}{'%' if figure.kind == 'share' else ''}"


def basis(figure: Figure) -> str:
    """What a share or rate was made of; nothing of a count."""
    if figure.denominator is None:
        return ""
    if isinstance(figure.numerator, str):
        return f"n = {count(figure.denominator)} {figure.of}"
    return f"{count(figure.numerator)} of {count(figure.denominator)} {figure.of}"


def definition(figure: Figure) -> str:
    """Code and version of the metric definition, if there is one."""
    return f"{figure.code}, version {figure.version}" if figure.code else "Defined by this report"


def cell(content: Cell, column: Column) -> str:
    """A cell for people."""
    if content is None or content == "":
        return NOTHING
    if isinstance(content, str):
        return long_day(date.fromisoformat(content)) if column.kind == "day" else content
    return f"{content:,.1f}" if column.kind == "decimal" else f"{content:,}"


def notes(report: Report) -> list[str]:
    """What a reader must know of the whole."""
    return [*([MASKED_NOTE] if report.masked else []), *([NAMED_NOTE] if report.named else [])]
