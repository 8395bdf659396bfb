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
class Table:
    """Headings and rows; `numeric` are positions of columns of numbers, `path` is where the CSV is."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    path: str
    numeric: Sequence[int] = field(default=())
    nothing: str = "There is nothing yet."


def csv_of(name: str, table: Table) -> Response:
    """The table as a download."""
    return csv_file(name, table.headings, [[_plain(cell) for cell in row] for row in table.rows])


def _plain(cell: Any) -> object:
    if isinstance(cell, Link):
        return cell.text
    return ", ".join(map(str, cell)) if isinstance(cell, list | tuple) else cell
