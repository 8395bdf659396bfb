"""What can be said about a file beside its content: checked once, when the file comes in."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.imports.errors import ImportRefusal

Check = Callable[[Any], Any]
"""Gives the value as it is kept. Raises ValueError with what was wanted."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 300 or "\0" in value:
        raise ValueError("a text of at most 300 characters")
    return " ".join(value.split())


def _number(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return check


def _one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return check


def _moment(value: Any) -> str:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("a time with its zone, such as 2026-09-16T14:00:00+01:00")
    return at.astimezone(UTC).isoformat()


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(value).key
    except (KeyError, OSError, ValueError, TypeError) as error:
        raise ValueError("the name of a time zone, such as Europe/London") from error


def _columns(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > 50:
        raise ValueError("an object of field names and headings")
    return {_text(name): _text(heading) for name, heading in value.items() if heading}


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 50:
        raise ValueError("a list of names")
    return [_text(name) for name in value]


_EVERYWHERE: Mapping[str, Check] = {
    "columns": _columns,
    "date_order": _one_of("day_first", "month_first"),
    "time_zone": _zone,
}
_BY_FORMAT: Mapping[str, Mapping[str, Check]] = {
    "completions": {
        "source": _text,
        "tier": _number(1, 9),
        "training_provider": _text,
        "course_title": _text,
        "course_version": _text,
    },
    "teams_attendance": {
        "session_key": _text,
        "session_title": _text,
        "starts_at": _moment,
        "ends_at": _moment,
        "tier": _number(1, 9),
        "online_mode": _one_of("meeting", "webinar", "town_hall"),
    },
    "feedback": {
        "form_key": _text,
        "form_title": _text,
        "tier": _number(1, 9),
        "invited": _number(0, 1_000_000),
    },
    "champions": {"tier": _number(1, 9)},
    "cqc_locations": {
        "relationship": _one_of("in_area", "commissioned"),
        "local_authorities": _names,
    },
}


def option_names(format_code: str) -> tuple[str, ...]:
    """What can be said about files of a format."""
    return (*_BY_FORMAT[format_code], *_EVERYWHERE)


def checked_options(format_code: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are kept. Raises ImportRefusal `UNKNOWN_OPTION` or `INVALID_OPTION`."""
    checks = {**_BY_FORMAT[format_code], **_EVERYWHERE}
    kept: dict[str, Any] = {}
    for name, value in options.items():
        if name not in checks:
            known = ", ".join(sorted(checks))
            raise ImportRefusal("UNKNOWN_OPTION", f"{name!r:.60} is no option of this format. Use {known}.", name)
        if value is None or value == "":
            continue
        try:
            kept[name] = checks[name](value)
        except ValueError as error:
            raise ImportRefusal("INVALID_OPTION", f"The option {name} takes {error}.", name) from error
    times = [datetime.fromisoformat(kept[name]) for name in ("starts_at", "ends_at") if name in kept]
    if len(times) == 1 or (times and times[1] <= times[0]):
        raise ImportRefusal("INVALID_OPTION", "Give the session's start and end, and let the end be later.", "ends_at")
    return kept
