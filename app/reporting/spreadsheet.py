"""A report as XLSX: what it is, its figures, and a sheet for each table, row by row so that memory stays flat."""

import asyncio
import re
from collections.abc import Iterable
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy.ext.asyncio import AsyncSession

from app.imports.formats import safe_cell
from app.reporting import telling
from app.reporting.content import Cell, Column, Report, Table
from app.reporting.keeping import Opened, lots_of

IN_MEMORY = 4 * 1024**2
_LONGEST_NAME = 31
_WIDTHS = {"text": 32, "day": 14, "number": 12, "decimal": 12}
FIGURE_COLUMNS = (
    Column("Section"), Column("Figure"), Column("Value", "decimal"), Column("Unit"), Column("Numerator", "number"),
    Column("Denominator", "number"), Column("n", "number"), Column("When"), Column("Definition"),
    Column("Version", "number"), Column("How it was counted"),
)  # fmt: skip


async def spreadsheet(session: AsyncSession, opened: Opened) -> IO[bytes]:
    """The workbook, from its beginning, on the disk if it is large; whoever asked closes it."""
    report = opened.report
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = f"{report.title}: {report.about}", report.tenant
    _sheet(book, "About", (Column("What"), Column("Words")), _about(opened))
    _sheet(book, "Figures", FIGURE_COLUMNS, figure_rows(report))
    names = {"about", "figures"}
    for section in report.sections:
        for table in section.tables:
            assert isinstance(table, Table)
            sheet = _sheet(book, _name(table.caption, names), table.columns, ())
            async for lot in lots_of(session, opened, table):
                for row in lot:
                    sheet.append(_cells(sheet, row, table.columns))
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - whoever asked closes it
    await asyncio.to_thread(book.save, file)
    file.seek(0)
    return file


def figure_rows(report: Report) -> list[list[Cell]]:
    """All figures as rows of FIGURE_COLUMNS."""
    return [
        [
            section.title, figure.label, figure.value, figure.unit, figure.numerator, figure.denominator, figure.n,
            telling.when(report, figure), figure.code, figure.version, figure.method,
        ]
        for section in report.sections
        for figure in section.figures
    ]  # fmt: skip


def _about(opened: Opened) -> list[list[Cell]]:
    report = opened.report
    remarks = [("Note", note) for note in telling.notes(report)]
    remarks += [(section.title, words) for section in report.sections for words in section.text]
    told: list[list[Cell]] = [
        ["Report", report.title],
        ["About", report.about],
        ["Made by", report.tenant],
        ["Period", telling.period(report)],
        ["Data as of", telling.moment(opened.as_of)],
        ["Report number", str(opened.snapshot.id)],
        ["SHA-256 of the figures", opened.sha256],
    ]
    return told + [[title, words] for title, words in remarks]


def _sheet(book: Workbook, name: str, columns: Iterable[Column], rows: Iterable[list[Cell]]) -> Any:
    sheet: Any = book.create_sheet(name)
    listed = list(columns)
    for number, column in enumerate(listed, 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS[column.kind]
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    headings = []
    for column in listed:
        cell = WriteOnlyCell(sheet, column.heading)
        cell.font = bold
        headings.append(cell)
    sheet.append(headings)
    for row in rows:
        sheet.append(_cells(sheet, row, listed))
    return sheet


def _cells(sheet: Any, row: Iterable[Cell], columns: Iterable[Column]) -> list[Any]:
    return [_cell(sheet, content, column) for content, column in zip(row, columns, strict=True)]


def _cell(sheet: Any, content: Cell, column: Column) -> Any:
    if not isinstance(content, str):
        return content
    if column.kind != "day":
        return ILLEGAL_CHARACTERS_RE.sub(" ", safe_cell(content))
    cell = WriteOnlyCell(sheet, datetime.fromisoformat(content))
    cell.number_format = "D MMMM YYYY"
    return cell


def _name(caption: str, taken: set[str]) -> str:
    """A name that a sheet may have and no other has."""
    plain = re.sub(r"[\[\]:*?/\\']", " ", caption).strip()[:_LONGEST_NAME]
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[: _LONGEST_NAME - 4]} ({number})"
    taken.add(name.casefold())
    return name
