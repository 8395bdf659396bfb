"""A provider's own worker file of the ASC-WDS: ids and the id to show, and no other column of it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from app.training.errors import TrainingRefusal

LARGEST = 8 * 1024 * 1024
MOST_LINES = 20_000
COLUMNS = ("LOCALESTID", "UNIQUEWORKERID", "STATUS", "DISPLAYID", "CHGUNIQUEWRKID", "TRANSFERSTAFFRECORD")
"""All that is looked at: the other columns hold birth dates and National Insurance numbers."""


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker of a workplace. `new_id`: the id that replaces it; `moves_to`: the workplace that the record goes to."""

    line: int
    local_id: str
    unique_id: str
    display_id: str
    status: str
    new_id: str
    moves_to: str


def read_workers(content: bytes) -> list[WorkerLine]:
    """The lines that name a workplace and a worker. Raises TrainingRefusal `FILE_UNREADABLE`, field `file`."""
    if not content or len(content) > LARGEST:
        raise _unreadable("Choose the worker file that you uploaded to the ASC-WDS, of at most 8 MB.")
    lines = csv.reader(io.StringIO(_text(content), newline=""), delimiter=_delimiter(content))
    found: list[WorkerLine] = []
    try:
        heading = [cell.strip().upper() for cell in next(lines, [])]
        places = _places(heading)
        for cells in lines:
            at = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
            if at["LOCALESTID"] and at["UNIQUEWORKERID"]:
                found.append(_line(lines.line_num, at))
    except csv.Error as error:
        raise _unreadable("The file is no sound CSV. Download it from the ASC-WDS once more.") from error
    if len(found) > MOST_LINES:
        raise _unreadable(f"The file has more than {MOST_LINES:,} workers. Split it.")
    if any("\0" in cell for line in found for cell in (line.local_id, line.unique_id, line.display_id)):
        raise _unreadable("The file holds a character that no text has. Save it once more.")
    return found


def _line(number: int, at: Mapping[str, str]) -> WorkerLine:
    return WorkerLine(
        number,
        at["LOCALESTID"],
        at["UNIQUEWORKERID"],
        at.get("DISPLAYID", "")[:120],
        at.get("STATUS", "").upper(),
        at.get("CHGUNIQUEWRKID", ""),
        at.get("TRANSFERSTAFFRECORD", ""),
    )


def _places(heading: list[str]) -> dict[str, int]:
    if "ESTNAME" in heading:
        raise _unreadable("This is the workplace file. Choose the worker file.")
    if "DATECOMPLETED" in heading:
        raise _unreadable("This is the training file. Choose the worker file.")
    if not {"LOCALESTID", "UNIQUEWORKERID"} <= set(heading):
        raise _unreadable("The first line must name LOCALESTID and UNIQUEWORKERID. Choose the worker file.")
    return {name: heading.index(name) for name in COLUMNS if name in heading}


def _text(content: bytes) -> str:
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "cp1252"]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable("The file is no text. Save it as “CSV UTF-8”.")


def _delimiter(content: bytes) -> str:
    first = _text(content).partition("\n")[0]
    return max(",;\t", key=first.count)


def _unreadable(message: str) -> TrainingRefusal:
    return TrainingRefusal("FILE_UNREADABLE", message, "file")
