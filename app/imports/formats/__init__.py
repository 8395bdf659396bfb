"""The file formats that can be imported: their registry, and what a file looks like."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.imports.formats import champions, completions, cqc_locations, feedback, teams_attendance
from app.imports.formats.base import Detection, Format, UnreadableFile, WrongFormat
from app.imports.formats.tables import heads
from app.imports.formats.values import RejectsFile, heading_key, named_columns, safe_cell

FORMATS: Mapping[str, Format] = {
    module.FORMAT.code: module.FORMAT for module in (completions, teams_attendance, feedback, champions, cqc_locations)
}

SURE = 0.6
"""From this confidence on, a file of another format than the chosen one is refused."""

_NAMES = {
    "completions": ("completion", "moodle", "e-learning", "elearning", "tier 1", "tier1"),
    "teams_attendance": ("attendance", "attendee", "anwesenheit", "presence", "asistencia"),
    "feedback": ("feedback", "evaluation", "responses", "survey"),
    "champions": ("champion",),
    "cqc_locations": ("hsca", "cqc", "active_locations", "care directory"),
}
_BY_NAME = 0.02
"""What the file's name adds: it settles a draw, no more."""

_OTHERS = (
    ({"localestid", "uniqueworkerid"}, "an ASC-WDS bulk upload file of workers or training"),
    ({"localestid", "estname"}, "an ASC-WDS bulk upload file of workplaces"),
    ({"order", "ticket type"}, "an Eventbrite attendee list"),
    ({"order id", "ticket type"}, "an Eventbrite attendee list"),
    ({"order no", "order date"}, "an Eventbrite order list"),
    ({"bnf chapter", "bnf section"}, "a file of BNF codes"),
)


def detect(path: Path, filename: str) -> list[Detection]:
    """What the file may be, best first; empty when it resembles nothing known. Raises UnreadableFile."""
    detections = []
    told = [[line.cells for line in head] for _, head in heads(path)]
    for form in FORMATS.values():
        confidence = max((form.score(cells) for cells in told), default=0.0)
        if confidence > 0:
            named = any(word in filename.casefold() for word in _NAMES[form.code])
            reason = f"its headings are those of a {form.label}" + (", and so is its name" if named else "")
            detections.append(
                Detection(form.code, form.label, min(round(confidence, 3) + _BY_NAME * named, 1.0), reason)
            )
    return sorted(detections, key=lambda detection: (-detection.confidence, detection.format_code))


def refuse_unless(
    expected_code: str, path: Path, filename: str, options: Mapping[str, Any] | None = None
) -> Detection | None:
    """The detection of the expected format. Raises WrongFormat when the file is surely of another one.

    With the option `columns` a file that resembles nothing is let through: staging then looks for those headings.
    Raises UnreadableFile for a file that is no table, and ValueError for an unknown format code.
    """
    expected = FORMATS.get(expected_code)
    if expected is None:
        raise ValueError(f"unknown format {expected_code}")
    detections = detect(path, filename)
    fitting = next((detection for detection in detections if detection.format_code == expected_code), None)
    best = detections[0] if detections else None
    if best is not None and best is not fitting and best.confidence >= SURE and not named_columns(options or {}):
        raise WrongFormat(
            f"This looks like {_a(best.label)}, not {_a(expected.label)}. Choose “{_title(best.label)}” instead, "
            "or upload the right file.",
            best.format_code,
        )
    if fitting is not None or named_columns(options or {}):
        return fitting
    raise _unrecognised(expected, path)


def _unrecognised(expected: Format, path: Path) -> UnreadableFile:
    first: Sequence[str] = ()
    for _, head in heads(path):
        for line in head:
            keys = {heading_key(cell) for cell in line.cells}
            for words, label in _OTHERS:
                if words <= keys:
                    return WrongFormat(
                        f"This looks like {label}, not {_a(expected.label)}. Upload the right file.", None
                    )
            if not first and sum(bool(cell) for cell in line.cells) > 1:
                first = line.cells
    try:
        next(expected.stage(path, {}), None)
    except UnreadableFile as error:
        if error.code != "NO_HEADER" or not first:
            return error
    shown = ", ".join(f"“{cell[:40]}”" for cell in first[:6] if cell)
    return WrongFormat(
        f"This does not look like {_a(expected.label)}. Its first line reads {shown or 'as plain text'}. "
        "Upload the right file, or name the columns.",
        None,
    )


def _a(label: str) -> str:
    return label if label.startswith("feedback") else f"a {label}"


def _title(label: str) -> str:
    return label[0].upper() + label[1:]


__all__ = [
    "FORMATS",
    "Detection",
    "Format",
    "RejectsFile",
    "UnreadableFile",
    "WrongFormat",
    "detect",
    "refuse_unless",
    "safe_cell",
]
