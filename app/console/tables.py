"""Tables of pages: shown by the macro of tables.jinja, and downloaded as CSV from the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from app.console.csv_files import csv_file


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Button:
    """What a row's button sends its form to, and what it is about, for those who hear the page."""

    action: str
    about: str


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows; `numeric` are positions of columns of numbers, `path` is where the CSV is.

    `buttons`: for each row one that says what `does` says, or None; they are no part of the CSV.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    path: str
    numeric: Sequence[int] = field(default=())
    nothing: str = "There is nothing yet."
    does: str = ""
    buttons: Sequence[Button | None] = field(default=())


def csv_of(name: str, table: Table) -> Response:
    """The table as a download."""
    return csv_file(name, table.headings, [[_plain(cell) for cell in row] for row in table.rows])


def _plain(cell: Any) -> object:
    if isinstance(cell, Link):
        return cell.text
    return ", ".join(map(str, cell)) if isinstance(cell, list | tuple) else cell
