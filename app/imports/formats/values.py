"""Cells and headings made comparable: blank marks, headings by their synonyms, addresses, numbers, safe cells."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from app.imports.formats.base import FAULT, Context, RawRow, Rejected
from app.imports.formats.dates import DAY_FIRST
from tenants.clock import LONDON

_BLANKS = frozenset({"", "-", "--", "–", "—", "n/a", "na", "#n/a", "#ref!", "#value!", "null", "none", "nil", ".", "?"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_EMAIL = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@,;<>()\".]{2,}")
_LOCATION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,19}")
_MAILTO = re.compile(r"mailto:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Synonyms:
    """Canonical name → headings that mean it, as `heading_key` gives them, the best first.

    Compared by identity: rows of a file share one cached answer.
    """

    words: Mapping[str, Sequence[str]]


def clean(text: str | None) -> str | None:
    """The text without outer and doubled spaces; None for blanks and for marks such as "n/a" and "-"."""
    return _clean(text) if text else None


@lru_cache(maxsize=16_384)
def _clean(text: str) -> str | None:
    plain = " ".join(text.replace("\ufeff", "").split())
    # Exporters write ="0123" so that a spreadsheet keeps the leading zero.
    if plain.startswith('="') and plain.endswith('"') and len(plain) > 3:
        plain = plain[2:-1]
    # Our own exports put an apostrophe before what a spreadsheet would run; a corrected file comes back with it.
    if plain.startswith("'") and plain[1:2] in FORMULA_STARTS:
        plain = plain[1:]
    return None if plain.casefold() in _BLANKS else plain


@lru_cache(maxsize=4096)
def heading_key(text: str) -> str:
    """A heading without case, accents, punctuation and doubled spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9ß%]+", " ", plain).split())


def columns_of(headings: Iterable[str], synonyms: Synonyms, named: Mapping[str, str] | None = None) -> dict[str, str]:
    """Canonical name → heading as it stands in the file. `named` (canonical name → heading) goes before synonyms."""
    return _columns(tuple(headings), synonyms, tuple(sorted(named.items())) if named else ())


@lru_cache(maxsize=512)
def _columns(headings: tuple[str, ...], synonyms: Synonyms, named: tuple[tuple[str, str], ...]) -> dict[str, str]:
    by_key: dict[str, str] = {}
    for heading in headings:
        if heading != FAULT:
            by_key.setdefault(heading_key(heading), heading)
    found = {name: by_key[heading_key(heading)] for name, heading in named if heading_key(heading) in by_key}
    taken = set(found.values())
    for name, words in synonyms.words.items():
        for word in words:
            heading_found = by_key.get(word)
            if name not in found and heading_found is not None and heading_found not in taken:
                found[name] = heading_found
                taken.add(heading_found)
    return found


class Cells:
    """A row's cells by canonical name."""

    __slots__ = ("_cells", "_columns")

    def __init__(self, raw: RawRow, synonyms: Synonyms, context: Context) -> None:
        self._cells = raw.cells
        self._columns = columns_of(raw.cells, synonyms, named_columns(context.options))

    def __getitem__(self, name: str) -> str | None:
        heading = self._columns.get(name)
        if heading is None:
            return None
        text = self._cells.get(heading)
        return _clean(text) if text else None

    def heading(self, name: str) -> str:
        """The heading as it stands in the file, or the canonical name where the file has none."""
        return self._columns.get(name, name)

    def has(self, name: str) -> bool:
        """Whether the file has such a column."""
        return name in self._columns


def named_columns(options: Mapping[str, Any]) -> dict[str, str]:
    """The option `columns`, as far as it is usable."""
    columns = options.get("columns")
    if not columns:
        return {}
    return {str(key): str(value) for key, value in columns.items() if value} if isinstance(columns, Mapping) else {}


def text_option(options: Mapping[str, Any], name: str) -> str | None:
    """An option that is text, without blanks."""
    value = options.get(name)
    return clean(value) if isinstance(value, str) else None


def zone_of(options: Mapping[str, Any]) -> ZoneInfo:
    """The time zone that local times of the file are in. Raises ValueError for an unknown one."""
    name = text_option(options, "time_zone")
    if name is None:
        return LONDON
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"unknown time zone {name}") from error


def order_option(context: Context) -> str:
    """The order of day and month: what the file proved, else the option, else day first."""
    return str(context.facts.get("date_order") or context.options.get("date_order") or DAY_FIRST)


def email_of(text: str | None) -> str | None:
    """The one e-mail address in a cell, also from "Name <address>"; None when there is none, or more than one."""
    if not text:
        return None
    if _EMAIL.fullmatch(text) and ":" not in text:
        return text.rstrip(".").lower()
    found = _EMAIL.findall(_MAILTO.sub("", text))
    return found[0].rstrip(".").lower() if len({address.lower() for address in found}) == 1 else None


def location_id_of(text: str | None) -> str | None:
    """A CQC location id in upper case; None for text that is none, such as an id that a spreadsheet made a date."""
    plain = (text or "").strip()
    return plain.upper() if _LOCATION_ID.fullmatch(plain) and any(letter.isdigit() for letter in plain) else None


@lru_cache(maxsize=4096)
def number_of(text: str | None) -> Decimal | None:
    """The first number of "85.00 %", "85,5" or "17/20", which is a share: 85. None when there is none."""
    found = re.match(r"\s*(-?\d{1,9}(?:[.,]\d{1,6})?)\s*(?:/\s*(\d{1,6}(?:[.,]\d{1,6})?))?\s*%?", text or "")
    if found is None:
        return None
    try:
        value = Decimal(found[1].replace(",", "."))
        whole = Decimal(found[2].replace(",", ".")) if found[2] else None
    except InvalidOperation:
        return None
    return round(value * 100 / whole, 2) if whole else value


def split_name(full: str) -> tuple[str | None, str | None]:
    """Given and family name of "Jane Example" or "Example, Jane"; one word alone is a given name."""
    plain = " ".join(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", full).split())
    family, comma, given = plain.partition(",")
    if comma and given.strip() and family.strip():
        return given.strip(), family.strip()
    words = plain.replace(",", " ").split()
    if not words:
        return None, None
    return words[0] if len(words) == 1 else " ".join(words[:-1]), words[-1] if len(words) > 1 else None


def safe_cell(value: object) -> str:
    """A cell of an export that no spreadsheet runs as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class RejectsFile:
    """A CSV (UTF-8 with byte order mark) of rows as they came, with the row's number and the reason behind them.

    The columns are those of the first row; cells that only later rows have stand in a last column "Further cells".
    """

    def __init__(self) -> None:
        self._names: list[str] | None = None

    def line(self, raw: RawRow, rejected: Rejected) -> bytes:
        """One row, with the headings before the first."""
        cells = {name: cell for name, cell in raw.cells.items() if name != FAULT}
        head = b""
        if self._names is None:
            self._names = list(cells)
            head = b"\xef\xbb\xbf" + _line([*self._names, "Row", "Reason code", "Reason", "Further cells"])
        further = "; ".join(f"{name}: {cell}" for name, cell in cells.items() if name not in self._names)
        own = [cells.get(name, "") for name in self._names]
        return head + _line([*own, str(raw.number), rejected.code, rejected.message, further])

    def end(self) -> bytes:
        """Headings alone, when there was no row."""
        return b"\xef\xbb\xbf" + _line(["Row", "Reason code", "Reason"]) if self._names is None else b""


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue().encode()
