"""Rules of training: how long a person was there, and whether that counts. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

Interval = tuple[datetime, datetime]
Stay = tuple[datetime | None, datetime | None, int | None]
"""Joined, left, seconds, each as far as the report tells."""

EXACT_WITHIN = 5
"""Seconds by which a duration may differ from its interval and still be one unbroken stay."""


def union_seconds(intervals: Iterable[Interval]) -> int:
    """Seconds covered by at least one interval; those that end before they begin count nothing."""
    return round(sum((end - start).total_seconds() for start, end in _merged(intervals)))


def attended_seconds(stays: Iterable[Stay]) -> int | None:
    """Seconds a person attended; None when nothing tells.

    A line of the participants' section spans all stays of its report and has a duration of its own; a line of the
    activities is one stay. Where spans overlap, the larger of the two answers counts, never both; spans apart from
    each other (a meeting that was restarted) add up. Durations without times count once, the longest.
    """
    exact: list[Interval] = []
    partial: list[tuple[datetime, datetime, int]] = []
    untimed: list[int] = []
    for joined, left, seconds in stays:
        if joined is None or left is None or left < joined:
            if seconds is not None:
                untimed.append(seconds)
            continue
        span = (left - joined).total_seconds()
        if seconds is None:
            continue
        if abs(span - seconds) <= EXACT_WITHIN:
            exact.append((joined, left))
        else:
            partial.append((joined, left, min(seconds, round(span))))
    if not (exact or partial or untimed):
        return None
    total = 0
    for start, end in _merged([*exact, *((joined, left) for joined, left, _ in partial)]):
        stayed = union_seconds(interval for interval in exact if start <= interval[0] and interval[1] <= end)
        told = max((seconds for joined, left, seconds in partial if start <= joined and left <= end), default=0)
        total += max(stayed, told)
    return max(total, max(untimed, default=0))


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[1] >= interval[0]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an attendance counts, and a stable word for why."""

    qualifies: bool
    because: str


def decide(seconds: int | None, scheduled: int, threshold_percent: int, *, count_unknown: bool) -> Verdict:
    """Whether `seconds` of `scheduled` reach the threshold. None: no report told how long the person stayed."""
    if seconds is None:
        return Verdict(count_unknown, "unknown_counted" if count_unknown else "unknown_not_counted")
    enough = seconds * 100 >= scheduled * threshold_percent
    return Verdict(enough, "reaches_threshold" if enough else "below_threshold")


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody was seen or not: in which half (None: an override of the whole), by which method, in order of time."""

    part: int | None
    present: bool
    method: str


DECIDED_BY_REPORT = ("reaches_threshold", "below_threshold", "unknown_counted", "unknown_not_counted")
"""Words of decisions that follow from reports alone, and so change with the tenant's threshold."""


def decide_with_marks(
    parts: int, marks: Iterable[Mark], seconds: int | None, from_reports: Verdict | None
) -> tuple[Verdict | None, bool | None, bool | None]:
    """The decision from marks and reports, and whether each half was attended; no verdict if nothing tells anything.

    An override goes before all. What a person marked goes before reports; who checked in alone is believed where no
    report tells how long they stayed. A day of two halves counts if both are marked.
    """
    halves: dict[int, Mark] = {}
    override: Mark | None = None
    for mark in marks:
        if mark.part is None:
            override = mark
        else:
            halves[mark.part] = mark
    first, second = (halves[part].present if part in halves else None for part in (1, 2))
    if override is not None:
        word = "overridden" if override.present else "overridden_absent"
        return Verdict(override.present, word), first, second
    if not halves:
        return from_reports, first, second
    if parts == 2:
        both = first is True and second is True
        return Verdict(both, "both_halves" if both else "half_missing"), first, second
    mark = halves.get(1) or halves[2]
    if mark.method == "self" and seconds is not None and from_reports is not None:
        return from_reports, first, second
    return Verdict(mark.present, "checked_in" if mark.present else "marked_absent"), first, second
