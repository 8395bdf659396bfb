"""What Graph's objects mean: webinars, registrations, attendance reports and their records. Pure rules."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.directory.names import normalise_email
from app.outside.registrations import Registration, State, Who, moment, text
from app.outside.systems import Asked, EventFound, Question

_STATES: Mapping[str, State] = {
    "registered": "registered",
    "canceled": "cancelled",
    "rejectedByOrganizer": "cancelled",
    "waitlisted": "waiting",
    "pendingApproval": "waiting",
}
_ZONES = {"GMT Standard Time": "Europe/London", "UTC": "UTC", "Greenwich Standard Time": "UTC"}
"""Names of time zones as Windows has them, as far as webinars in England need them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFIER = re.compile(r"[A-Za-z0-9@._=:-]{1,200}")
_ROLES = {"organizer": "Organizer", "coorganizer": "Organizer", "presenter": "Presenter"}


def identifier(value: Any) -> str | None:
    """An id of Graph's that can stand in an address; None for anything else."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) and ".." not in value else None


def webinar_found(webinar: Mapping[str, Any]) -> EventFound | None:
    """A webinar of a list; None for what has no id."""
    webinar_id = identifier(webinar.get("id"))
    if webinar_id is None:
        return None
    cancelled = text(webinar.get("status")).casefold() in ("canceled", "cancelled")
    return EventFound(
        webinar_id, text(webinar.get("displayName")) or webinar_id, _start(webinar.get("startDateTime")), cancelled
    )


def _start(told: Any) -> datetime | None:
    """A local time with the name of its zone, in UTC; None where the zone is not known."""
    if not isinstance(told, Mapping):
        return None
    zone = text(told.get("timeZone")) or "UTC"
    try:
        local = datetime.fromisoformat(text(told.get("dateTime")).partition(".")[0].removesuffix("Z"))
        return local.replace(tzinfo=ZoneInfo(_ZONES.get(zone, zone))).astimezone(UTC)
    except (ValueError, KeyError, OSError):
        return None


def question_found(question: Mapping[str, Any]) -> Question | None:
    """A question of a webinar's registration; None for what has no id."""
    question_id = identifier(question.get("id"))
    return None if question_id is None else Question(question_id, text(question.get("displayName")) or question_id)


def registration_of(told: Mapping[str, Any], asked: Asked) -> Registration | None:
    """A registration; None for what has no id. A status that is not known waits, so that nobody gets a place by it."""
    registration_id = identifier(told.get("id"))
    if registration_id is None:
        return None
    moments = [moment(told.get(name)) for name in ("registrationDateTime", "cancelationDateTime")]
    who = Who(
        text(told.get("firstName")),
        text(told.get("lastName")),
        "",
        normalise_email(text(told.get("email"))),
        _answer(told, asked.workplace),
        _answer(told, asked.role),
    )
    state = _STATES.get(text(told.get("status")), "waiting")
    return Registration(registration_id, max((at for at in moments if at), default=_EPOCH), state, who)


def _answer(told: Mapping[str, Any], question: str | None) -> str:
    answers = told.get("registrationQuestionAnswers")
    for answer in answers if question and isinstance(answers, list) else []:
        if isinstance(answer, Mapping) and answer.get("questionId") == question:
            chosen = answer.get("multiChoiceValues")
            several = [text(one) for one in chosen] if isinstance(chosen, list) else []
            return text(answer.get("value")) or ", ".join(one for one in several if one)
    return ""


@dataclass(frozen=True, slots=True)
class Line:
    """A stay of somebody as a report tells it. `registration_id` ties it to a registration; times may be hidden."""

    registration_id: str | None
    name: str
    email: str | None
    role: str
    joined_at: datetime | None
    left_at: datetime | None
    seconds: int | None

    @property
    def key(self) -> str:
        """The same for the same line of a report that is read again."""
        return hashlib.sha256("\0".join(map(str, astuple(self))).encode()).hexdigest()


def lines_of(records: Sequence[Mapping[str, Any]]) -> list[Line]:
    """The lines of a report's records: one for each stay, or one for a record that has none. Nobody is left out."""
    found: list[Line] = []
    for number, record in enumerate(records, start=1):
        identity = record.get("identity")
        shown = text(identity.get("displayName")) if isinstance(identity, Mapping) else ""
        email = normalise_email(text(record.get("emailAddress")))
        role = _ROLES.get(text(record.get("role")).casefold(), "Attendee")
        registration_id = identifier(record.get("registrationId"))
        stays = _stays(record.get("attendanceIntervals"))
        # By when they came, not by their place in the list, which late records change.
        told_id = identifier(record.get("id"))
        apart = f"{stays[0][0]:%H:%M:%S}" if stays else told_id[:8] if told_id else str(number)
        name = shown or ("" if email else f"Unnamed participant {apart}")
        for joined_at, left_at in stays:
            found.append(Line(registration_id, name, email, role, joined_at, left_at, None))
        if not stays:
            total = record.get("totalAttendanceInSeconds")
            seconds = total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
            found.append(Line(registration_id, name, email, role, None, None, seconds))
    return found


def _stays(told: Any) -> list[tuple[datetime, datetime]]:
    stays = []
    for interval in told if isinstance(told, list) else []:
        if isinstance(interval, Mapping):
            joined, left = moment(interval.get("joinDateTime")), moment(interval.get("leaveDateTime"))
            if joined is not None and left is not None and left >= joined:
                stays.append((joined.replace(microsecond=0), left.replace(microsecond=0)))
    return stays


def fresh(lines: Sequence[Line], taken: Collection[str]) -> list[Line]:
    """The lines that went into no import yet, each once."""
    known, found = set(taken), []
    for line in lines:
        if line.key not in known:
            known.add(line.key)
            found.append(line)
    return found
