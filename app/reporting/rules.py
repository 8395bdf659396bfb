"""Pure rules of reports: the weeks, months and quarters of schedules, and until when files can be had."""

from collections.abc import Iterator
from datetime import date, timedelta

from app.evidence.figures import Period

MOST_MISSED = 12
"""So many periods of a schedule are made up for at once; a longer absence goes on from there the next day."""


def period_of(every: str, day: date) -> Period:
    """The week (from Monday), month or quarter (from January, April, July, October) that a day lies in."""
    if every == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6))
    length = {"month": 1, "quarter": 3}[every]
    month = (day.month - 1) // length * length
    following = day.year * 12 + month + length
    return Period(date(day.year, month + 1, 1), date(following // 12, following % 12 + 1, 1) - timedelta(days=1))


def due_periods(every: str, next_first_day: date, today: date) -> Iterator[Period]:
    """The periods from `next_first_day` on that have ended before today, the earliest first, at most twelve."""
    for _ in range(MOST_MISSED):
        period = period_of(every, next_first_day)
        if period.last_day >= today:
            return
        yield period
        next_first_day = period.last_day + timedelta(days=1)
