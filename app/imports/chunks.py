"""Staged rows as bytes: headings once, cells in their order, compressed."""

import zlib
from collections.abc import Sequence

import orjson

from app.imports.formats.base import RawRow

CHUNK_ROWS = 1000
"""Rows that are staged, and later applied, in one transaction."""


def pack(rows: Sequence[RawRow]) -> bytes:
    """Rows as they came, in little space."""
    headings: dict[tuple[str, ...], int] = {}
    packed = [
        (row.number, row.section, headings.setdefault(tuple(row.cells), len(headings)), list(row.cells.values()))
        for row in rows
    ]
    return zlib.compress(orjson.dumps([list(headings), packed]), 1)


def unpack(content: bytes) -> list[RawRow]:
    """The rows again."""
    headings, packed = orjson.loads(zlib.decompress(content))
    return [
        RawRow(number, section, dict(zip(headings[kind], cells, strict=True)))
        for number, section, kind, cells in packed
    ]
