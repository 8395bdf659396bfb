"""OpenDocument spreadsheets, read as a stream: a directory of 440 MB of XML never stands in memory."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from app.imports.formats.base import UnreadableFile
from app.imports.formats.text_files import WIDEST, Line

PIECE = 256 * 1024
MOST_ROWS = 1_048_576
"""As many as a sheet can have: a row repeated more often is a fault or an attack."""


def opendocument_lines(path: Path) -> Iterator[tuple[str, Line]]:
    """Lines of all sheets in their order, each with its sheet's name. Raises UnreadableFile."""
    handler = _Sheets()
    parser = create_parser()
    parser.setContentHandler(handler)
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as content:
            while piece := content.read(PIECE):
                parser.feed(piece)
                for sheet, number, repeats, cells in handler.finished:
                    for step in range(repeats):
                        yield sheet, Line(number + step, cells)
                handler.finished.clear()
    except (SAXException, DefusedXmlException, zipfile.BadZipFile, EOFError, ValueError, RuntimeError) as error:
        raise UnreadableFile(
            "NOT_A_TABLE", "The spreadsheet cannot be read. Save it again as .ods, .xlsx or CSV, without a password."
        ) from error


class _Sheets(ContentHandler):
    """Collects finished rows; cells repeated at the end of a row, and empty rows, leave nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: list[tuple[str, int, int, list[str]]] = []
        self._sheet = ""
        self._number = 1
        self._row_repeats = 1
        self._cells: list[str] = []
        self._empty = 0
        self._cell_repeats = 1
        self._value: str | None = None
        self._text: list[str] = []
        self._paragraphs = 0
        self._notes = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        if name in ("table:table-cell", "table:covered-table-cell"):
            self._cell_repeats = _repeats(attrs.get("table:number-columns-repeated"))
            kind = attrs.get("office:value-type")
            self._value = attrs.get("office:date-value")
            if kind in ("float", "percentage", "currency"):
                self._value = attrs.get("office:value")
            self._text, self._paragraphs = [], 0
        elif name == "text:p":
            if self._paragraphs and not self._notes:
                self._text.append("\n")
            self._paragraphs += 1
        elif name == "text:s":
            self._text.append(" " * min(_repeats(attrs.get("text:c")), 100))
        elif name in ("text:tab", "text:line-break"):
            self._text.append(" ")
        elif name == "office:annotation":
            self._notes += 1
        elif name == "table:table-row":
            self._row_repeats = _repeats(attrs.get("table:number-rows-repeated"))
            self._cells, self._empty = [], 0
        elif name == "table:table":
            self._sheet, self._number = attrs.get("table:name", ""), 1

    def characters(self, content: str) -> None:
        if self._paragraphs and not self._notes:
            self._text.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        if name in ("table:table-cell", "table:covered-table-cell"):
            text = (self._value or "".join(self._text)).strip()
            self._paragraphs = 0
            if not text:
                self._empty += self._cell_repeats
                return
            if len(self._cells) + self._empty + self._cell_repeats > WIDEST:
                raise UnreadableFile(
                    "TOO_WIDE", f"Row {self._number} has more than {WIDEST} cells. Is it the right file?"
                )
            self._cells.extend([""] * self._empty)
            self._cells.extend([text] * self._cell_repeats)
            self._empty = 0
        elif name == "office:annotation":
            self._notes -= 1
        elif name == "table:table-row":
            if self._cells:
                if self._number + self._row_repeats - 1 > MOST_ROWS:
                    raise UnreadableFile(
                        "TOO_LONG", f"The sheet {self._sheet} has more rows than a sheet can have. Save it again."
                    )
                self.finished.append((self._sheet, self._number, self._row_repeats, self._cells))
            self._number += self._row_repeats


def _repeats(text: str | None) -> int:
    return max(int(text), 1) if text and text.isdecimal() else 1
