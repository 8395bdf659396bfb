"""Rules of messages: when a reminder is due, what is too late, quiet hours, when to try again. Pure functions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from tenants.clock import LONDON

LATE = timedelta(hours=6)
"""A reminder that could not be sent for so long is missed; one before a session is missed once that has begun."""
LEAST_NOTICE = timedelta(minutes=30)
"""A reminder put off by quiet hours must still come so long before the session; else it comes at its own time."""
MOST_ATTEMPTS = 8
FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(hours=4)


class Occasion(StrEnum):
    """What a message is about; a template is for one of them. Add new ones at the end: links hold their number."""

    BOOKING_CONFIRMED = "booking_confirmed"
    BOOKING_OFFERED = "booking_offered"
    BOOKING_ASKED_AGAIN = "booking_asked_again"
    BOOKING_ENDED = "booking_ended"
    SESSION_CHANGED = "session_changed"
    REMINDER = "reminder"
    AFTER_ATTENDED = "after_attended"
    AFTER_ABSENT = "after_absent"
    CERTIFICATE_ISSUED = "certificate_issued"
    NUDGE_DORMANT = "nudge_dormant"
    NUDGE_NO_SHOW = "nudge_no_show"
    NUDGE_NEXT_TIER = "nudge_next_tier"
    CAMPAIGN = "campaign"
    CAMPAIGN_TRIAL = "campaign_trial"
    REPORT_READY = "report_ready"


TRANSACTIONAL = frozenset(
    {
        Occasion.BOOKING_CONFIRMED,
        Occasion.BOOKING_OFFERED,
        Occasion.BOOKING_ASKED_AGAIN,
        Occasion.BOOKING_ENDED,
        Occasion.SESSION_CHANGED,
        Occasion.CERTIFICATE_ISSUED,
        Occasion.CAMPAIGN_TRIAL,
        Occasion.REPORT_READY,
    }
)
"""About something that somebody has or asked for: these go out whatever they object to, and at any hour."""
OF_ITS_OWN_TEXT = frozenset({Occasion.CAMPAIGN, Occasion.CAMPAIGN_TRIAL})
"""What it says stands in the campaign: there is no template."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far from a session: `moment` is `before_start` or `after_end`; `at` replaces the time of day."""

    moment: str
    days: int
    minutes: int
    at: time | None = None


def due_at(distance: Distance, starts_at: datetime, ends_at: datetime) -> datetime:
    """When a reminder is due, in UTC. Whole days keep the time of day in England across changes of the clock.

    A time that the clock skips in spring comes an hour later by the clock; one that comes twice counts the first time.
    """
    before = distance.moment == "before_start"
    anchor = (starts_at if before else ends_at).astimezone(LONDON)
    sign = -1 if before else 1
    day: date = anchor.date() + sign * timedelta(days=distance.days)
    local = datetime.combine(day, distance.at or anchor.time(), LONDON)
    if distance.at is None and distance.days == 0:
        local = anchor  # the second of two equal hours stays the second
    return local.astimezone(UTC) + sign * timedelta(minutes=distance.minutes)


def is_missed(distance: Distance, due: datetime, starts_at: datetime, now: datetime) -> bool:
    """Whether it is too late to send a reminder that was due."""
    if distance.moment == "before_start" and now >= starts_at:
        return True
    return now > due + LATE


def is_quiet(at: datetime, quiet_from: time | None, quiet_until: time | None) -> bool:
    """Whether a moment falls into the quiet hours, which may go over midnight. Times are those in England."""
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return False
    clock = at.astimezone(LONDON).time()
    if quiet_from < quiet_until:
        return quiet_from <= clock < quiet_until
    return clock >= quiet_from or clock < quiet_until


def after_quiet(at: datetime, quiet_from: time | None, quiet_until: time | None) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    if not is_quiet(at, quiet_from, quiet_until) or quiet_until is None:
        return at
    local = at.astimezone(LONDON)
    end = datetime.combine(local.date(), quiet_until, LONDON)
    if end <= local:
        end = datetime.combine(local.date() + timedelta(days=1), quiet_until, LONDON)
    return end.astimezone(UTC)


def when_to_remind(due: datetime, starts_at: datetime | None, quiet: tuple[time | None, time | None]) -> datetime:
    """When a reminder that is due goes out: after quiet hours, unless it would then come too close to the start."""
    later = after_quiet(due, *quiet)
    if starts_at is not None and later > starts_at - LEAST_NOTICE:
        return due
    return later


def retry_after(attempts: int) -> timedelta | None:
    """How long to wait after the n-th attempt that failed for now; None: give up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(FIRST_DELAY * (1 << (attempts - 1)), LONGEST_DELAY)
