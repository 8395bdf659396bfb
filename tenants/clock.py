"""The injected clock: the only place that reads the time of day."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

Clock = Callable[[], datetime]
"""Gives the present moment, always aware and in UTC."""


def system_clock() -> datetime:
    """The machine's time, aware, UTC."""
    return datetime.now(UTC)


class SettableClock:
    """A clock for tests and replays: stands still until moved."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._at

    def move(self, by: timedelta) -> None:
        """Move on by `by`."""
        self._at += by


def london_date(at: datetime) -> date:
    """The calendar date in England of an aware moment."""
    return at.astimezone(LONDON).date()
