"""Writing tables as exporters do: delimited text in several encodings, workbooks, OpenDocument spreadsheets."""

import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl import Workbook

Value = str | int | float | datetime | date | None
STAMP = (2026, 11, 2, 9, 0, 0)
"""The time of all members of archives, so that the same seed gives the same bytes."""


def write_text(
    path: Path, rows: Iterable[Sequence[Value]], encoding: str = "utf-8-sig", delimiter: str = ",", end: str = "\r\n"
) -> Path:
    """Write delimited text; cells with the delimiter, quotes or line ends are quoted."""
    lines = (delimiter.join(_quoted("" if cell is None else str(cell), delimiter) for cell in row) for row in rows)
    path.write_bytes("".join(f"{line}{end}" for line in lines).encode(encoding))
    return path


def _quoted(cell: str, delimiter: str) -> str:
    if any(mark in cell for mark in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def write_workbook(path: Path, sheets: dict[str, list[Sequence[Value]]]) -> Path:
    """Write an Excel workbook whose bytes depend on its content alone."""
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = datetime(*STAMP)  # noqa: DTZ001
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    _with_fixed_times(path)
    return path


def write_opendocument(path: Path, sheets: dict[str, list[Sequence[Value]]]) -> Path:
    """Write an OpenDocument spreadsheet; a run of empty cells is one repeated cell, as office programs write it."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(_row(row) for row in rows)}'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row></table:table>'
        for name, rows in sheets.items()
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest'
        ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        '<manifest:file-entry manifest:full-path="/"'
        ' manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", content),
            ("META-INF/manifest.xml", manifest),
        ):
            archive.writestr(zipfile.ZipInfo(name, STAMP), text, zipfile.ZIP_DEFLATED)
    return path


def _row(row: Sequence[Value]) -> str:
    cells: list[str] = []
    empty = 0
    for value in row:
        if value is None or value == "":
            empty += 1
            continue
        if empty:
            cells.append(f'<table:table-cell table:number-columns-repeated="{empty}"/>')
            empty = 0
        cells.append(_cell(value))
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _cell(value: Value) -> str:
    text = value.isoformat() if isinstance(value, date) else escape(str(value))
    if isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{text}"'
    elif isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{text}"'
    else:
        kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>"


def _with_fixed_times(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    # The library stamps the hour of saving into the properties.
    saved = datetime(*STAMP).isoformat()  # noqa: DTZ001
    members = [
        (name, re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + f"{saved}Z".encode(), content))
        if name == "docProps/core.xml"
        else (name, content)
        for name, content in members
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, STAMP), content, zipfile.ZIP_DEFLATED)
