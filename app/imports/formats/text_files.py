"""Delimited text as a stream of lines: encodings, delimiters, stray quotes and bytes that cannot be read."""

import codecs
import csv
import itertools
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from app.imports.formats.base import UnreadableFile

HEAD_BYTES = 64 * 1024
WIDEST = 1000
LONGEST_LINE = 1024 * 1024
MOST_LINES_IN_A_RECORD = 100
DELIMITERS = ",\t;|"

_UNDECODABLE = "\uf8ff"
_MARK_ERRORS = "medstead_mark"
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")

csv.field_size_limit(2 * LONGEST_LINE * MOST_LINES_IN_A_RECORD)


def _mark(error: UnicodeError) -> tuple[str, int]:
    """A replacement of our own, so that a U+FFFD which the exporter wrote stays data."""
    if isinstance(error, UnicodeDecodeError):
        return _UNDECODABLE, error.end
    raise error


codecs.register_error(_MARK_ERRORS, _mark)


class Line(NamedTuple):
    """A line of a table: its number as a spreadsheet shows it, its cells, and what is wrong with it as a whole."""

    number: int
    cells: list[str]
    fault: str | None = None


def encoding_of(path: Path) -> str:
    """The text encoding: by byte order mark, by the pattern of NUL bytes, else UTF-8, else Windows-1252.

    A few stray bytes in a file with real UTF-8 letters spoil their own rows, not the whole file.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) // 5 and odd > 4 * even:
            return "utf-16-le"
        if even > len(head) // 5 and even > 4 * odd:
            return "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")(_MARK_ERRORS)
        faults = letters = 0
        while piece := file.read(HEAD_BYTES):
            if piece.isascii():
                continue
            text = decoder.decode(piece)
            wrong = text.count(_UNDECODABLE)
            faults += wrong
            letters += sum(letter > "\x7f" for letter in text) - wrong
    return "utf-8" if faults <= 10 * letters else "cp1252"


def delimiter_of(sample: str) -> str:
    """The delimiter that stands most often outside quotes."""
    announced = re.match(r"sep=([,;|\t])\s*(?:\r|\n|$)", sample, re.IGNORECASE)
    if announced:
        return announced[1]
    outside = "".join(sample.split('"')[0::2])
    counts = {mark: outside.count(mark) for mark in DELIMITERS}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


def text_lines(path: Path) -> Iterator[Line]:
    """The records of a delimited text file, without those that are empty. Raises UnreadableFile."""
    encoding = encoding_of(path)
    with path.open("r", encoding=encoding, errors=_MARK_ERRORS, newline="") as file:
        sample = file.read(HEAD_BYTES // 4)
        controls = len(_CONTROL.findall(sample))
        if controls > 20 and controls * 20 > len(sample):
            raise UnreadableFile("NOT_A_TABLE", "This is not a table. Upload a CSV, XLSX or ODS export.")
    delimiter = delimiter_of(sample)
    with path.open("r", encoding=encoding, errors=_MARK_ERRORS, newline="") as file:
        for number, (cells, fault) in enumerate(_records(_physical_lines(file), delimiter), 1):
            if number == 1 and len(cells) <= 2 and cells[0].casefold().startswith("sep="):
                continue
            if len(cells) > WIDEST:
                raise UnreadableFile("TOO_WIDE", f"Row {number} has more than {WIDEST} cells. Is it the right file?")
            if any(_UNDECODABLE in cell for cell in cells):
                cells = [cell.replace(_UNDECODABLE, "\ufffd") for cell in cells]
                fault = (
                    "UNREADABLE_CHARACTERS: The row holds characters that cannot be read. Correct them and import it."
                )
            if any(cells):
                yield Line(number, cells, fault)


def _physical_lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise UnreadableFile("NOT_A_TABLE", "A line of the file is longer than a table can have. Export it again.")
        yield line.replace("\0", "")


def _records(source: Iterator[str], delimiter: str) -> Iterator[tuple[list[str], str | None]]:
    """Records with their faults. A quote that is never closed spoils one line, not the rest of the file."""
    pending: deque[str] = deque()
    while True:
        line = pending.popleft() if pending else next(source, None)
        if line is None:
            return
        if '"' not in line:
            yield [cell.strip() for cell in line.rstrip("\r\n").split(delimiter)], None
            continue
        taken = [line]

        def more(first: str = line, taken: list[str] = taken) -> Iterator[str]:
            yield first
            while len(taken) < MOST_LINES_IN_A_RECORD:
                following = pending.popleft() if pending else next(source, None)
                if following is None:
                    return
                taken.append(following)
                yield following

        cells = next(csv.reader(more(), delimiter=delimiter), [])
        if _unclosed(taken, delimiter):
            pending.extendleft(reversed(taken[1:]))
            yield (
                [cell.strip() for cell in line.rstrip("\r\n").split(delimiter)],
                "UNCLOSED_QUOTE: A quotation mark in the row is never closed. Close or remove it and import the row.",
            )
        else:
            yield [cell.strip() for cell in cells], None


def _unclosed(taken: list[str], delimiter: str) -> bool:
    try:
        list(itertools.islice(csv.reader(iter(taken), delimiter=delimiter, strict=True), 1))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False
