"""Excel workbooks, read as a stream of lines."""

import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from app.imports.formats.base import UnreadableFile
from app.imports.formats.text_files import WIDEST, Line

LARGEST_SHARED_TEXT = 256 * 1024 * 1024
"""The one part of a workbook that must be held in memory."""


def workbook_lines(path: Path) -> Iterator[tuple[str, Line]]:
    """Lines of all worksheets in their order, each with its sheet's name. Raises UnreadableFile."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(
                name.filename == "xl/sharedStrings.xml" and name.file_size > LARGEST_SHARED_TEXT
                for name in archive.infolist()
            ):
                raise UnreadableFile("TOO_LARGE", "The workbook is too large. Save the sheet as CSV and upload that.")
        with path.open("rb") as file:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = load_workbook(file, read_only=True, data_only=True)
            try:
                for sheet in book.worksheets:
                    # Some exporters declare a wrong extent, and rows beyond it would be lost.
                    sheet.reset_dimensions()
                    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                        cells = [_cell(value) for value in row]
                        while cells and not cells[-1]:
                            cells.pop()
                        if len(cells) > WIDEST:
                            raise UnreadableFile(
                                "TOO_WIDE", f"Row {number} has more than {WIDEST} cells. Is it the right file?"
                            )
                        if cells:
                            yield sheet.title, Line(number, cells)
            finally:
                book.close()
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        ParseError,
        zipfile.BadZipFile,
        EOFError,
        RuntimeError,
    ) as error:
        # The reader answers damage with whatever error it meets first.
        raise UnreadableFile("NOT_A_TABLE", "The workbook cannot be read. Save it again as .xlsx or CSV.") from error


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        # A serial number of Excel counts fractions of a day, which land some microseconds beside the second.
        return (value + timedelta(microseconds=500_000)).replace(microsecond=0).isoformat(" ")
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat is not None else str(value).strip()
