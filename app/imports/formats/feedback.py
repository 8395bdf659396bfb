"""Feedback as Microsoft Forms and its like export it: one row a response, one column a question."""

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from app.imports.formats.base import FAULT, Context, FeedbackRecord, Format, Parsed, RawRow, Rejected
from app.imports.formats.dates import order_of, read_moment
from app.imports.formats.scales import SCALES, scale_of
from app.imports.formats.tables import not_a_row, stage_table
from app.imports.formats.values import (
    Cells,
    Synonyms,
    columns_of,
    heading_key,
    named_columns,
    order_option,
    text_option,
    zone_of,
)

CODE = "feedback"
FIRST_ROWS = 400
EARLIEST = date(2000, 1, 1)
WANTED = "a completion time (or timestamp) and a column for each question"

COLUMNS = Synonyms({
    "submitted": (
        "completion time", "timestamp", "submitted", "submitted on", "submitted at", "submission time", "end date",
        "date submitted", "submission date", "response date", "date of response", "completed", "time submitted",
        "completion date", "date completed", "hora de finalizacion", "heure de fin", "fertigstellungszeit",
    ),
    "response": (
        "id", "respondent id", "response id", "response number", "response no", "submission id", "response", "nr", "no",
    ),
    "start": ("start time", "start date", "started", "hora de inicio", "heure de debut", "startzeit"),
    "email": (
        "email", "email address", "e mail", "respondent email", "username", "correo electronico",
        "adresse de messagerie",
    ),
    "name": ("name", "respondent", "full name", "your name", "first name", "nombre", "nom"),
    "surname": ("last name", "surname", "your surname"),
    "modified": ("last modified time", "last modified", "date modified", "language", "modified"),
    "collector": ("collector id", "collector"),
    "address": ("ip address", "ip"),
    "custom": ("custom data 1", "custom data"),
    "consent": ("quiz feedback", "total points"),
})  # fmt: skip

_QUIZ = re.compile(r"(points|feedback) - ", re.IGNORECASE)
_QUESTION = re.compile(
    r"\?\s*$|^(how|what|which|why|would|did|do|was|were|please|overall|to what extent|on a scale|i\b)"
)


def weigh(cells: Sequence[str], named: Mapping[str, str] | None = None) -> float:
    """How much a line looks like the headings of an export of a feedback form."""
    found = columns_of(cells, COLUMNS, named)
    questions = [cell for cell in cells if cell and cell not in found.values()]
    if "submitted" not in found or not questions:
        return 0.0
    asked = sum(bool(_QUESTION.search(question.casefold())) or len(question.split()) > 4 for question in questions)
    value = 0.2 if named else 0.0
    if "response" in found and "start" in found:
        value += 0.65
    elif heading_key(found["submitted"]) == "timestamp":
        value += 0.25
    value += 0.3 * min(asked, 2) / 2
    return min(value, 1.0) if asked or "response" in found else 0.0


def score(head: Sequence[Sequence[str]]) -> float:
    """As `Format.score`."""
    return max((weigh(cells) for cells in head), default=0.0)


def stage(path: Path, options: Mapping[str, Any]) -> Iterator[RawRow]:
    """As `Format.stage`."""
    named = named_columns(options)
    return stage_table(path, lambda cells: weigh(cells, named), WANTED)


def question_headings(raw: RawRow, options: Mapping[str, Any]) -> list[str]:
    """The headings of a row that are questions, in their order. Names, addresses and marks are none."""
    headings = [name for name in raw.cells if name != FAULT and not name.startswith("Extra cell ")]
    other = set(columns_of(headings, COLUMNS, named_columns(options)).values())
    return [name for name in headings if name not in other and not _QUIZ.match(name)]


def facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The form's questions and the order of day and month.

    `questions`: a list of {text, position, kind ("likert" or "text"), scale, options}, from the first rows.
    """
    rows = list(itertools.islice(stage(path, options), FIRST_ROWS))
    questions = []
    for position, text in enumerate(question_headings(rows[0], options), 1):
        scale = scale_of((raw.cells.get(text, "") for raw in rows), text)
        questions.append(
            {
                "text": text,
                "position": position,
                "kind": "likert" if scale else "text",
                "scale": scale,
                "options": list(SCALES[scale]) if scale else [],
            }
        )
    told: dict[str, Any] = {"questions": questions}
    if not text_option(options, "date_order"):
        found = columns_of(rows[0].cells, COLUMNS, named_columns(options))
        texts = [raw.cells.get(found[name], "") for raw in rows for name in ("submitted", "start") if name in found]
        order = order_of(texts, today)
        if order:
            told["date_order"] = order
    return told


def parse(raw: RawRow, context: Context) -> Parsed:
    """As `Format.parse`. Who answered is not taken: names and addresses stay behind."""
    unsound = not_a_row(raw)
    if unsound is not None:
        return unsound
    cells = Cells(raw, COLUMNS, context)
    field, text = cells.heading("submitted"), cells["submitted"]
    if text is None:
        return Rejected("NO_DATE", field, "The response has no completion time. Add it, or leave the response out.")
    try:
        moment = read_moment(text, order_option(context), zone_of(context.options))
    except ValueError:
        return Rejected("BAD_TIME_ZONE", "time_zone", "The time zone of the import is not known. Use Europe/London.")
    if moment is None or moment.at.date() < EARLIEST:
        return Rejected(
            "BAD_DATE", field, f"“{text[:60]}” is not a date that can be read. Write it as 16/09/2026 14:05."
        )
    if moment.at > datetime.combine(context.today, time(), UTC) + timedelta(days=1):
        return Rejected(
            "DATE_IN_FUTURE", field, "The completion time lies in the future. Check the order of day and month."
        )
    answers = {heading: _answer(raw.cells.get(heading)) for heading in question_headings(raw, context.options)}
    return FeedbackRecord(cells["response"] or _fingerprint(text, answers), moment.at, answers)


def _answer(text: str | None) -> str | None:
    return (text or "").strip() or None


def _fingerprint(submitted: str, answers: Mapping[str, str | None]) -> str:
    """For exports that do not number their responses: the same response gives the same key."""
    said = "\x1f".join([submitted, *(f"{question}\x1e{answer or ''}" for question, answer in sorted(answers.items()))])
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:24]


FORMAT = Format(CODE, "feedback form responses", score, stage, parse, facts)
