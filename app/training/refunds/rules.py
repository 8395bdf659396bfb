"""Rules of refunds: until when a completion can be claimed for, and by which period of its course. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from uuid import UUID

from app.training.requirements.rules import add_months

MONTHS = 3
"""Employers claim within three months of a completion (LDSS guide for employers, gov.uk, October 2025)."""
SOON_DAYS = 14
"""From so many days before the deadline on a claim is urgent."""


@dataclass(frozen=True, slots=True)
class Eligibility:
    """A course can be claimed for when it was completed from the first to the last day (None: it goes on)."""

    course_id: UUID
    learning_code: str
    amount: Decimal
    first_day: date
    last_day: date | None


def deadline(completed_on: date) -> date:
    """The last day on which a completion can be claimed for."""
    return add_months(completed_on, MONTHS)


def eligible(periods: Iterable[Eligibility], course_id: UUID, on: date) -> Eligibility | None:
    """The period in which a completion of the course on that day can be claimed for."""
    for one in periods:
        if one.course_id == course_id and one.first_day <= on and (one.last_day is None or on <= one.last_day):
            return one
    return None


def urgency(state: str, due_on: date, today: date) -> str:
    """How a claim stands on a day: `closed`, `claimed`, `overdue`, `soon` or `open`."""
    if state != "to_claim":
        return "claimed" if state == "claimed" else "closed"
    left = (due_on - today).days
    if left < 0:
        return "overdue"
    return "soon" if left <= SOON_DAYS else "open"


def days_in_hand(issued: Iterable[tuple[date, date]]) -> tuple[float | None, int, int]:
    """Of certificates (issued on, deadline): the median of days in hand, how many came too late, and of how many."""
    hands = [(due_on - issued_on).days for issued_on, due_on in issued]
    return (float(median(hands)) if hands else None), sum(hand < 0 for hand in hands), len(hands)
