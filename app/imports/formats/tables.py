"""Tables in files of every kind: which reader suits, which sheet and line hold the headings, rows under headings."""

import itertools
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.imports.formats.base import FAULT, Ignored, RawRow, Rejected, UnreadableFile
from app.imports.formats.opendocument import opendocument_lines
from app.imports.formats.text_files import Line, text_lines
from app.imports.formats.workbooks import workbook_lines

HEAD_LINES = 60
MOST_SHEETS = 20
ROWS = "rows"

_NOT_TABLES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
_FOOTER = re.compile(
    r"(grand |sub)?totals?\b|number of (rows|records)|report (generated|run|produced)|end of (report|file)|source:|"
    r"exported (on|by|at)|page \d+|\d+ (rows|records|users|results)\b|filters?:|applied filters|©|copyright",
    re.IGNORECASE,
)

Weight = Callable[[Sequence[str]], float]
"""How much a line looks like a format's headings: 0 (not) to 1 (surely)."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the headings stand: the sheet (None in text files), the line's number, and unique headings."""

    sheet: str | None
    number: int
    names: tuple[str, ...]
    exact_width: bool
    """Rows must be as long as the headings: a delimited row that is shorter has lost cells somewhere."""


def sheet_lines(path: Path) -> Iterator[tuple[str | None, Line]]:
    """The lines of the file, sheet by sheet, whatever kind of table it is. Raises UnreadableFile."""
    with path.open("rb") as file:
        head = file.read(4096)
        if not head.strip(b"\0 \r\n\t,;\xef\xbb\xbf\xff\xfe") and not file.read(1):
            raise UnreadableFile("EMPTY_FILE", "The file is empty. Export it again and upload the new file.")
    if head.startswith(b"PK"):
        return _archive_lines(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise _compound_file(path)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<?xml", b"<html", b"<!doctype", b"<table", b"<!--", b"{", b"[")):
        raise UnreadableFile(
            "NOT_A_TABLE",
            "This is a web page or another kind of document. Open it, save it as .xlsx or CSV, and upload that.",
        )
    if head.startswith(_NOT_TABLES):
        raise UnreadableFile("NOT_A_TABLE", "This is not a table. Upload a CSV, XLSX or ODS export.")
    return ((None, line) for line in text_lines(path))


def _archive_lines(path: Path) -> Iterator[tuple[str | None, Line]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
        raise UnreadableFile(
            "NOT_A_TABLE", "The workbook is damaged. Save it again and upload the new file."
        ) from error
    if "xl/workbook.xml" in names:
        return iter(workbook_lines(path))
    if "content.xml" in names:
        if b"encryption-data" in manifest:
            raise _encrypted()
        return iter(opendocument_lines(path))
    if "xl/workbook.bin" in names:
        raise UnreadableFile(
            "LEGACY_EXCEL", "This is a binary Excel workbook. Save it as .xlsx or CSV and upload that."
        )
    if any(name.lower().endswith((".csv", ".xlsx", ".ods")) for name in names):
        raise UnreadableFile("NOT_A_TABLE", "This is a zip archive. Unpack it and upload the file inside.")
    raise UnreadableFile("NOT_A_TABLE", "This archive is not a spreadsheet. Upload a CSV, XLSX or ODS file.")


def _encrypted() -> UnreadableFile:
    return UnreadableFile(
        "ENCRYPTED_WORKBOOK", "The workbook is protected by a password. Save it without one and upload it again."
    )


def _compound_file(path: Path) -> UnreadableFile:
    mark = "EncryptedPackage".encode("utf-16-le")
    with path.open("rb") as file:
        before = b""
        while piece := file.read(1024 * 1024):
            if mark in before + piece:
                return _encrypted()
            before = piece[-len(mark) :]
    return UnreadableFile(
        "LEGACY_EXCEL", "This is an old Excel workbook (.xls). Save it as .xlsx or CSV and upload that."
    )


def lines_of(path: Path, sheet: str | None) -> Iterator[Line]:
    """The lines of one sheet (None: of a text file)."""
    inside = False
    for name, line in sheet_lines(path):
        if name == sheet:
            inside = True
            yield line
        elif inside:
            return


def heads(path: Path) -> Iterator[tuple[str | None, list[Line]]]:
    """Each sheet's name and first lines. Raises UnreadableFile."""
    groups = itertools.groupby(sheet_lines(path), key=lambda pair: pair[0])
    for name, group in itertools.islice(groups, MOST_SHEETS):
        yield name, [line for _, line in itertools.islice(group, HEAD_LINES)]


def find_header(path: Path, weight: Weight, wanted: str) -> Header:
    """The line that looks most like the headings; `wanted` names them for people. Raises UnreadableFile NO_HEADER."""
    best: tuple[float, str | None, Line] | None = None
    for sheet, head in heads(path):
        for line in head:
            value = weight(line.cells)
            if value > 0 and (best is None or value > best[0]):
                best = (value, sheet, line)
        if best is not None and best[0] >= 0.9:
            break
    if best is None:
        raise UnreadableFile(
            "NO_HEADER",
            f"No line of headings was found. The file needs {wanted}. Export it with headings, or name the columns.",
        )
    _, sheet, line = best
    return Header(sheet, line.number, unique_names(line.cells), sheet is None)


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Headings made unique: an empty one is numbered, a repeated one gets a number behind it."""
    names: list[str] = []
    seen: set[str] = set()
    cells = list(cells)
    while cells and not cells[-1]:
        cells.pop()
    for position, cell in enumerate(cells, 1):
        plain = " ".join(cell.replace("\ufeff", "").split()) or f"Column {position}"
        unique, count = plain, 2
        while unique in seen:
            unique, count = f"{plain} ({count})", count + 1
        seen.add(unique)
        names.append(unique)
    return tuple(names)


def rows_under(header: Header, lines: Iterator[Line], section: str = ROWS) -> Iterator[RawRow]:
    """Rows with their cells under the headings. A row that is not whole carries a cell FAULT; nothing is lost."""
    names, width = header.names, len(header.names)
    for line in lines:
        if line.number <= header.number or tuple(line.cells) == names:
            continue
        cells = dict(itertools.zip_longest(names, line.cells[:width], fillvalue=""))
        fault = line.fault
        for position, cell in enumerate(line.cells[width:], width + 1):
            if cell:
                cells[f"Extra cell {position}"] = cell
                fault = fault or (
                    f"TOO_MANY_CELLS: The row has more cells than the {width} headings. "
                    "Put cells that contain the delimiter into quotation marks and import the row."
                )
        if header.exact_width and len(line.cells) < width and not is_footer(line.cells):
            fault = fault or (
                f"TOO_FEW_CELLS: The row has {len(line.cells)} cells for {width} headings. Complete it and import it."
            )
        if fault:
            cells[FAULT] = fault
        yield RawRow(line.number, section, cells)


def stage_table(path: Path, weight: Weight, wanted: str) -> Iterator[RawRow]:
    """The rows of a file with one table. Raises UnreadableFile NO_HEADER or NO_ROWS."""
    header = find_header(path, weight, wanted)
    empty = True
    for row in rows_under(header, lines_of(path, header.sheet)):
        empty = False
        yield row
    if empty:
        raise no_rows()


def no_rows() -> UnreadableFile:
    """The refusal of a file that has headings and nothing under them."""
    return UnreadableFile("NO_ROWS", "The file has headings and no rows. Export it again with its rows.")


def is_footer(cells: Sequence[str]) -> bool:
    """Whether a line is a total or a note under a table, not a row."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and len(filled) <= 3 and _FOOTER.match(filled[0]) is not None


def not_a_row(raw: RawRow) -> Rejected | Ignored | None:
    """What to answer for a row that is a footer or is not whole; None for a sound row."""
    fault = raw.cells.get(FAULT)
    if fault is None:
        return Ignored() if is_footer(list(raw.cells.values())) else None
    code, _, message = fault.partition(": ")
    return Rejected(code, "", message)
