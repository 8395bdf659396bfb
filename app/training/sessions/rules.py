"""Rules of sessions: when a series takes place, and what to look at before a session is published. Pure functions."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dateutil.rrule import rrulestr

from tenants.clock import LONDON

OCCURRENCES_AT_MOST = 400
"""Sessions that one series makes at once."""

_RRULE = re.compile(r"[A-Z0-9=;,+\-]+")


class BadRule(ValueError):
    """An RRULE that cannot be used. The text says what to do."""


def occurrences(rrule: str, first_day: date, at: time, until: date, excluded: Collection[date] = ()) -> list[datetime]:
    """Starts of a series, aware, UTC: the same time of day in England on each day of the rule, to `until` inclusive.

    `rrule` is an RRULE of RFC 5545 without its name, such as `FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU`. A start that does not
    exist because the clock goes forward comes an hour later; one that exists twice is the first. Raises BadRule.
    """
    text = rrule.strip().removeprefix("RRULE:")
    if not _RRULE.fullmatch(text) or not text.startswith("FREQ="):
        raise BadRule("Give a rule as iCalendar writes it, such as FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU.")
    if re.search(r"INTERVAL=0*(;|$)", text):
        raise BadRule("INTERVAL is 1 or more. Leave it out for every day, week, month or year.")
    if re.search(r"FREQ=(SECONDLY|MINUTELY|HOURLY)|BYHOUR|BYMINUTE|BYSECOND", text):
        raise BadRule("A series recurs by days, weeks, months or years. Leave hours out of the rule.")
    start = datetime.combine(first_day, at)
    try:
        # In local time without a zone: the rule counts days of the calendar, and the clock may change between them.
        rule = rrulestr(_ending(text, until), dtstart=start)
    except (ValueError, TypeError, KeyError) as error:
        raise BadRule(f"The rule cannot be read ({error}). Look at FREQ, INTERVAL, BYDAY, COUNT and UNTIL.") from error
    found: list[datetime] = []
    for local in rule:
        if local.date() > until:
            break
        if local.date() in excluded:
            continue
        if len(found) == OCCURRENCES_AT_MOST:
            raise BadRule(f"That makes more than {OCCURRENCES_AT_MOST} sessions. Choose an earlier last day.")
        found.append(to_utc(local))
    return found


def _ending(text: str, until: date) -> str:
    """The rule with an end, so that one that never comes true is not looked through for thousands of years."""
    if "COUNT=" in text or "UNTIL=" in text:
        return re.sub(r"(UNTIL=\d{8}T\d{6})Z", r"\1", text)
    return f"{text};UNTIL={until:%Y%m%d}T235959"


def to_utc(local: datetime) -> datetime:
    """A local time in England without zone as a moment; a time that is skipped comes an hour later."""
    return local.replace(tzinfo=LONDON, fold=0).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at, which does not stop anybody: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads a session, as far as rules ask."""

    name: str
    profession: str
    registration_number: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A session as it is meant: what the rules look at."""

    starts_at: datetime
    ends_at: datetime
    online_mode: str
    capacity: int | None
    venue_capacity: int | None
    has_venue: bool
    has_join_url: bool
    leaders: tuple[Leader, ...]
    people_per_facilitator: int | None
    agenda_minutes: int
    guidance_overdue: tuple[str, ...] = ()


def remarks(plan: Plan, meeting_people_at_most: int) -> list[Remark]:
    """What to look at before the session is published."""
    found = []
    capacity = plan.capacity or 0
    if plan.online_mode == "meeting" and capacity > meeting_people_at_most:
        found.append(
            Remark(
                "MEETING_TOO_LARGE",
                f"{capacity} people in a meeting is more than your threshold of {meeting_people_at_most}: everybody "
                "can speak at once. Choose a webinar or a town hall.",
            )
        )
    if plan.online_mode == "none" and not plan.has_venue:
        found.append(Remark("NO_VENUE", "The session is face to face and has no venue yet. Choose one."))
    if plan.online_mode != "none" and not plan.has_join_url:
        found.append(Remark("NO_JOIN_URL", "The session is online and has no address to join yet. Add it."))
    if plan.venue_capacity is not None and capacity > plan.venue_capacity:
        found.append(
            Remark(
                "VENUE_TOO_SMALL",
                f"{capacity} places are more than the {plan.venue_capacity} that the venue holds. Lower the capacity "
                "or choose another venue.",
            )
        )
    if plan.people_per_facilitator and capacity > plan.people_per_facilitator * len(plan.leaders):
        needed = -(-capacity // plan.people_per_facilitator)
        found.append(
            Remark(
                "TOO_FEW_FACILITATORS",
                f"{capacity} people need {needed} facilitators at one for {plan.people_per_facilitator}; "
                f"there are {len(plan.leaders)}.",
            )
        )
    scheduled = round((plan.ends_at - plan.starts_at) / timedelta(minutes=1))
    if plan.agenda_minutes > scheduled:
        found.append(
            Remark(
                "AGENDA_TOO_LONG",
                f"The agenda takes {plan.agenda_minutes} minutes and the session {scheduled}. Shorten one of them.",
            )
        )
    found += registration_remarks(plan.leaders)
    found += [
        Remark("GUIDANCE_OVERDUE", f"{title} will be past its review date by then. Have it reviewed before.")
        for title in plan.guidance_overdue
    ]
    return found


def registration_remarks(leaders: Iterable[Leader]) -> list[Remark]:
    """Pharmacists and pharmacy technicians without a registration number."""
    return [
        Remark(
            "REGISTRATION_MISSING",
            f"{leader.name} is entered as {leader.profession.replace('_', ' ')} without a number of the General "
            "Pharmaceutical Council. Add it.",
        )
        for leader in leaders
        if leader.profession in ("pharmacist", "pharmacy_technician") and not (leader.registration_number or "").strip()
    ]


def groups_of(people: int, size: int) -> list[int]:
    """Group number from 1 for each of `people`, in groups of at most `size` that differ by at most one."""
    count = max(1, -(-people // size))
    return [index % count + 1 for index in range(people)]


def half_at(second_part_at: datetime | None, moment: datetime) -> int:
    """Which half of a session a moment belongs to: 2 from half an hour before the second begins."""
    return 2 if second_part_at is not None and moment >= second_part_at - timedelta(minutes=30) else 1
