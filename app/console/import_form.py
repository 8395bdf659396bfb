"""The form that brings a file in: its fields, what they say as options, and where a refusal belongs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.pages import Form, Problem
from app.imports.errors import ImportRefusal
from app.imports.formats import FORMATS
from app.imports.receiving import Incoming
from app.training.models import Tier

FIND_OUT = "find_out"

ZONES = {
    "Europe/London": "United Kingdom",
    "UTC": "UTC (as some reports give)",
    "Europe/Dublin": "Ireland",
    "Europe/Paris": "Central Europe",
    "America/New_York": "Eastern time, United States",
    "America/Los_Angeles": "Pacific time, United States",
    "Asia/Kolkata": "India",
}
"""Time zones that the report of a session may be written in."""

FIELDS = (
    "format", "tier", "date_order", "apply", "training_provider", "source", "session_title", "session_day",
    "session_starts", "session_ends", "time_zone", "form_title", "invited", "local_authorities",
)  # fmt: skip

_SUITS = {
    "completions": ("training_provider", "source", "tier", "date_order"),
    "teams_attendance": ("session_title", "time_zone", "tier", "date_order"),
    "feedback": ("form_title", "invited", "tier", "date_order"),
    "champions": ("tier", "date_order"),
    "cqc_locations": ("date_order",),
    FIND_OUT: ("tier", "date_order"),
}
"""Fields that go as they are, by format."""

_FIELD_OF_OPTION = {"starts_at": "session_starts", "ends_at": "session_ends", "format_code": "format"}
_FIELD_OF_CODE = {
    "FILE_TOO_LARGE": "file",
    "WRONG_FORMAT": "file",
    "UNKNOWN_FORMAT": "format",
    "SESSION_UNKNOWN": "session_starts",
}


@dataclass(frozen=True, slots=True)
class TierChoice:
    """A tier to choose."""

    position: int
    name: str


async def tier_choices(session: AsyncSession) -> list[TierChoice]:
    """The tiers of the tenant's programme."""
    rows = await session.execute(select(Tier.position, Tier.name).order_by(Tier.position, Tier.id))
    return [TierChoice(position, name) for position, name in rows]


def chosen_format(form: Form) -> str:
    """The format that the form says: the correction that was pressed goes before the choice."""
    return form.text("instead") or form.text("format") or FIND_OUT


def typed(form: Form) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {name: form.text(name) for name in FIELDS} | {"format": chosen_format(form)}


def incoming(form: Form, filename: str) -> Incoming:
    """What the form says of the file. Raises ImportRefusal for a session's day or time that is none."""
    chosen = chosen_format(form)
    options: dict[str, Any] = {name: form.text(name).strip() for name in _SUITS.get(chosen, ())}
    if chosen == "teams_attendance":
        options |= _session_times(form, options["time_zone"] or "Europe/London")
    if chosen == "cqc_locations":
        options["local_authorities"] = [line for line in form.text("local_authorities").splitlines() if line.strip()]
    said = {name: value for name, value in options.items() if value}
    return Incoming(filename, None if chosen == FIND_OUT else chosen, said, form.text("apply") == "yes")


def _session_times(form: Form, zone: str) -> dict[str, str]:
    day, starts, ends = (form.text(name).strip() for name in ("session_day", "session_starts", "session_ends"))
    if not (day or starts or ends):
        return {}
    times = {}
    for option, field, text in (("starts_at", "session_starts", starts), ("ends_at", "session_ends", ends)):
        try:
            at = datetime.fromisoformat(f"{day}T{text.replace('.', ':')}")
            times[option] = at.replace(tzinfo=ZoneInfo(zone)).isoformat()
        except (ValueError, KeyError, OSError) as error:
            raise ImportRefusal(
                "INVALID_OPTION", "Enter the day of the session, and its start and end as times such as 14:00.", field
            ) from error
    return times


def problem_of(refusal: ImportRefusal) -> Problem:
    """Where the refusal is shown: at the field of the option at fault, or at the file."""
    field = _FIELD_OF_OPTION.get(refusal.field, refusal.field) or _FIELD_OF_CODE.get(refusal.code, "file")
    return Problem(field, refusal.message)


@dataclass(frozen=True, slots=True)
class Correction:
    """The format that a refused file seems to have, to be chosen by one press."""

    format_code: str
    label: str


def correction_of(refusal: ImportRefusal) -> Correction | None:
    """The correction to offer, where the refusal names a known format."""
    if refusal.looks_like is None:
        return None
    return Correction(refusal.looks_like, FORMATS[refusal.looks_like].label)


def format_choices() -> Sequence[tuple[str, str]]:
    """Codes and labels of the formats."""
    return [(code, f"{form.label[0].upper()}{form.label[1:]}") for code, form in FORMATS.items()]
