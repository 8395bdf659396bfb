"""The demonstration's feedback: exact shares of the highest answers, questions left open, a response twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from app.cli.demo_files.writing import Value, write_text, write_workbook

USEFUL = "How useful was this webinar for your work?"
PRACTICE = "Today's training will improve my practice"
CONFIDENT = "How confident are you now with this topic?"
CHANGE = "What will you do differently?"

_USEFULNESS = ("Extremely useful", "Very useful", "Moderately useful", "Slightly useful")
_AGREEMENT = ("Strongly agree", "Agree", "Neither agree nor disagree")
_CONFIDENCE = ("Extremely confident", "Very confident", "Moderately confident")
_CHANGES = (
    "Ask the GP practice for a review date", "Check the protocol first, then write it down", "", "Tell the night team",
    "Nothing yet; we already do this", "", "Use the body map", "=SUM(my errors) will be zero",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feedback:
    """A form's export with the distribution of its scaled question and how many left it open."""

    path: Path
    answers: int
    highest: int
    not_answered: int
    options: dict[str, Any]


def write_feedback(
    folder: Path,
    key: str,
    title: str,
    tier: int,
    question: str,
    counts: Sequence[int],
    not_answered: int,
    invited: int,
    seed: int,
    kind: str,
) -> Feedback:
    """Write a form's responses: `counts` answers of each option, the highest first. `kind`: csv, utf-16 or xlsx."""
    random = Random(f"feedback {key} {seed}")  # noqa: S311 the same files every time
    scale = _USEFULNESS if question == USEFUL else _AGREEMENT
    answers = [option for option, count in zip(scale, counts, strict=False) for _ in range(count)] + [""] * not_answered
    random.shuffle(answers)
    rows: list[Sequence[Value]] = []
    at = datetime(2025, 1, 15, 15, 35)  # noqa: DTZ001
    step = timedelta(days=630) / max(len(answers), 1)
    for number, answer in enumerate(answers, 1):
        # Forms are filled in by day: a moment of the hour that a clock change repeats would be two moments.
        ended = (at + step * number).replace(hour=9 + number % 9, microsecond=0)
        rows.append((
            number, _written(ended - timedelta(minutes=4), kind), _written(ended, kind), "anonymous", "",
            f" {answer.lower()} " if answer and number % 23 == 0 else answer, random.choice(_CONFIDENCE),
            random.choice(_CHANGES),
        ))  # fmt: skip
    rows.append(rows[6])
    rows.insert(0, ("ID", "Start time", "Completion time", "Email", "Name", question, CONFIDENT, CHANGE))
    path = folder / f"feedback-{key}{'.xlsx' if kind == 'xlsx' else '.csv'}"
    if kind == "xlsx":
        write_workbook(path, {"Form1": rows})
    elif kind == "utf-16":
        write_text(path, rows, "utf-16", "\t")
    else:
        write_text(path, rows)
    options = {"form_key": key, "form_title": title, "tier": tier, "invited": invited}
    return Feedback(path, sum(counts), counts[0], not_answered, options)


def _written(at: datetime, kind: str) -> Value:
    return at if kind == "xlsx" else f"{at:%d/%m/%Y %H:%M:%S}"
