"""What every file format gives: detection, staged rows as they came, and parsed records or reasons for refusal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

FAULT = "(row fault)"
"""Heading of the cell that staging adds to a row that is not whole, as "CODE: sentence". Parsing rejects the row."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it came. `number` is what a person sees in the file; `cells` maps heading → text.

    `section` is "rows"; in attendance reports "summary", "participants" or "activities".
    """

    number: int
    section: str
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Context:
    """What parsing needs to know beside the row: options, the day, and facts from the head of the file.

    Options that are read: `time_zone`, `date_order` ("day_first", "month_first"), `columns` (canonical name → heading),
    `training_provider`, `course_title`, `course_version` (where the file does not tell). `facts` is what
    `Format.facts` gave for the same file.
    """

    today: date
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a row cannot be taken: a stable code, the field at fault, and a sentence that says what to do."""

    code: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class NotCompleted:
    """A learner who has not finished: counted, not an error. `state`: how far the learner has come."""

    account: str | None = None
    email: str | None = None
    training_provider: str | None = None
    course_title: str | None = None
    course_version: str = ""
    state: str = "in_progress"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that carries nothing to apply, such as a line of a report's summary that was read as a fact."""


@dataclass(frozen=True, slots=True)
class CompletionRecord:
    """A completed course. `remarks` are codes of things taken with a doubt, such as "CLOCK_CHANGE"."""

    training_provider: str
    course_title: str
    course_version: str
    account: str | None
    email: str | None
    given_name: str | None
    family_name: str | None
    employer_name: str | None
    cqc_location_id: str | None
    job_role: str | None
    started_at: datetime | None
    completed_at: datetime
    minutes: int | None
    score: Decimal | None
    certificate_number: str | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttendanceRecord:
    """A line of an attendance report: one person (section "participants"), or one stay of a person ("activities").

    `role` is attendee, presenter, organizer or unknown. `seconds` is None where the report hides durations and 0 for a
    person who registered and did not come. `learner_id`: a registration has told who it is.
    """

    display_name: str
    email: str | None
    role: str
    joined_at: datetime | None
    left_at: datetime | None
    seconds: int | None
    upn: str | None = None
    remarks: tuple[str, ...] = ()
    learner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FeedbackRecord:
    """One response to a feedback form: question text → answer, None where it was left open."""

    respondent_key: str
    submitted_at: datetime
    answers: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class ChampionRecord:
    """A Medication Champion of a list."""

    given_name: str | None
    family_name: str | None
    email: str | None
    location_name: str | None
    cqc_location_id: str | None
    trained_on: date | None
    started_on: date | None
    ended_on: date | None
    deputy: bool
    job_role: str | None = None


@dataclass(frozen=True, slots=True)
class LocationRecord:
    """A location of the CQC directory; `values` are columns of `cqc_location`, as far as the file has them."""

    location_id: str
    name: str
    provider_id: str | None
    provider_name: str | None
    values: dict[str, Any]


Record = CompletionRecord | AttendanceRecord | FeedbackRecord | ChampionRecord | LocationRecord
Parsed = Record | Rejected | NotCompleted | Ignored


class UnreadableFile(Exception):
    """The file as a whole cannot be taken. The message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WrongFormat(UnreadableFile):
    """The file is readable and of another format than the one that was chosen."""

    def __init__(self, message: str, looks_like: str | None) -> None:
        super().__init__("WRONG_FORMAT", message)
        self.looks_like = looks_like


@dataclass(frozen=True, slots=True)
class Detection:
    """A guess at a file's format: how sure, from 0 to 1, and why."""

    format_code: str
    label: str
    confidence: float
    reason: str


def no_facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """For formats whose rows stand alone."""
    return {}


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how sure it is that rows are its own, how it reads a file, how it parses a row."""

    code: str
    label: str
    score: Callable[[Sequence[Sequence[str]]], float]
    """From the first lines of the file as cells: 0 (surely not) to 1 (surely)."""
    stage: Callable[[Path, Mapping[str, Any]], Iterator[RawRow]]
    """Reads the file as a stream. Raises UnreadableFile."""
    parse: Callable[[RawRow, Context], Parsed]
    """Never raises on bad content."""
    facts: Callable[[Path, Mapping[str, Any], date], dict[str, Any]] = no_facts
    """What the file as a whole tells, as JSON values, for `Context.facts`. Raises UnreadableFile."""
