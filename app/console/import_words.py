"""Words for imports: states, counts, options."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.console.pages import plain
from app.imports.models import ImportRun

STATES = {
    "staging": ("Being read", "nhsuk-tag--blue"),
    "ready": ("Ready to apply", "nhsuk-tag--yellow"),
    "applying": ("Being applied", "nhsuk-tag--blue"),
    "finished": ("Finished", "nhsuk-tag--green"),
    "failed": ("Failed", "nhsuk-tag--red"),
    "cancelled": ("Given up", "nhsuk-tag--grey"),
}
"""State → words, and the colour of its tag."""

WORKING = ("staging", "applying")
"""States that change by themselves."""

_PREVIEW = (
    ("sound", "Can be applied"),
    ("not_completed", "Not finished by the learner, will be counted only"),
    ("ignored", "Nothing to apply, such as totals"),
    ("rejected", "Rejected"),
)
"""What is in a file: each row of it is one of these."""

_RESULT = (
    ("applied", "Applied"),
    ("duplicates", "Known already, so not stored twice"),
    ("not_completed", "Not finished by the learner, counted only"),
    ("ignored", "Nothing to apply, such as totals"),
    ("hosts", "Presenters and organisers, not counted as attendance"),
    ("review", "Waiting in the review queue"),
    ("dismissed", "Left out in the review queue"),
    ("rejected", "Rejected"),
)
"""Outcomes of rows: each row of the file has exactly one of them."""

_BESIDE = (
    ("new_people", "rows were about somebody new"),
    ("matched", "rows were about somebody known"),
    ("resolved", "rows were placed by a person in the review queue"),
    ("remarks", "remarks were made about rows that were taken"),
    ("linked", "locations were linked to the tenant"),
    ("outside_area", "locations lie outside the tenant’s area and were not linked"),
)
"""Counts that are told beside the outcomes; they are not further rows."""

OPTIONS = {
    "source": "System that the accounts belong to",
    "tier": "Tier",
    "training_provider": "Training provider",
    "course_title": "Course",
    "course_version": "Version of the course",
    "session_key": "Key of the session",
    "session_title": "Session",
    "starts_at": "Session began",
    "ends_at": "Session ended",
    "online_mode": "Kind of online session",
    "form_key": "Key of the form",
    "form_title": "Form",
    "invited": "People invited",
    "relationship": "Relationship to the locations",
    "local_authorities": "Local authorities",
    "columns": "Columns named",
    "date_order": "Order of dates",
    "time_zone": "Time zone of the file",
}

_VALUES = {
    "day_first": "day first",
    "month_first": "month first",
    "in_area": "in the tenant’s area",
    "commissioned": "commissioned",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A number and what it counts."""

    number: int
    words: str


def progress_of(run: ImportRun) -> tuple[int, int | None]:
    """Rows done and rows in all; the latter is unknown while the file is read."""
    if run.state == "staging":
        return run.rows_staged, None
    return run.rows_done, run.rows_total


def progress_words(run: ImportRun) -> str:
    """How far an import is."""
    done, total = progress_of(run)
    if run.state == "staging":
        return f"{done:,} rows read so far"
    return f"{done:,} of {total or 0:,} rows done"


def preview(run: ImportRun) -> list[Counted]:
    """What applying would do with the rows."""
    told: Mapping[str, int] = run.counts.get("preview", {})
    return [Counted(told[name], words) for name, words in _PREVIEW if told.get(name)]


def forecast(run: ImportRun) -> tuple[int, int]:
    """Rows about people who are known by an account or address, and about others."""
    told: Mapping[str, int] = run.counts.get("preview", {})
    return told.get("people_known", 0), told.get("people_not_known", 0)


def outcomes(run: ImportRun) -> list[Counted]:
    """What became of the rows that were done; the numbers add up to them."""
    told: Mapping[str, int] = run.counts.get("result", {})
    return [Counted(told[name], words) for name, words in _RESULT if told.get(name)]


def beside(run: ImportRun) -> list[Counted]:
    """What else there is to tell."""
    told: Mapping[str, int] = run.counts.get("result", {})
    return [Counted(told[name], words) for name, words in _BESIDE if told.get(name)]


def options_used(run: ImportRun) -> list[tuple[str, str]]:
    """The options of an import in words."""
    return [(words, _value(name, run.options[name])) for name, words in OPTIONS.items() if name in run.options]


def _value(name: str, value: Any) -> str:
    if name in ("starts_at", "ends_at"):
        return plain(datetime.fromisoformat(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{field}: {heading}" for field, heading in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    return _VALUES.get(value, str(value)) if isinstance(value, str) else f"{value:,}"
