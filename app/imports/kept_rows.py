"""Rows of a file that are kept for people: rejected, waiting for an answer, or taken with a remark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.imports.formats.base import FAULT, RawRow, Rejected
from app.imports.models import ImportRow
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row as it came, with a code, a sentence that says what to do, and who it may be about.

    `kind`: rejected, review or remark. `candidates`: {learner_id or employer_id, score}, best first.
    """

    kind: str
    number: int
    section: str
    cells: dict[str, str]
    reason_code: str
    reason: str
    field: str = ""
    candidates: Sequence[dict[str, Any]] = ()
    person_key: str | None = None


def rejected_row(raw: RawRow, rejected: Rejected) -> KeptRow:
    """A rejected row as it is kept for the person who mends the file."""
    cells = {name: cell for name, cell in raw.cells.items() if name != FAULT}
    return KeptRow("rejected", raw.number, raw.section, cells, rejected.code, rejected.message, field=rejected.field)


async def keep_rows(work: UnitOfWork, import_id: UUID, rows: Sequence[KeptRow]) -> None:
    """Store them; one that is stored already stays as it is."""
    await work.insert_rows(
        ImportRow,
        (
            "id", "import_id", "row_number", "section", "cells", "kind", "state", "reason_code", "field", "reason",
            "person_key", "candidates", "created_at",
        ),
        (
            (
                new_id(), import_id, row.number, row.section, orjson.dumps(row.cells).decode(), row.kind, "open",
                row.reason_code, row.field or None, row.reason, row.person_key,
                orjson.dumps(list(row.candidates), default=str).decode(), work.now,
            )
            for row in rows
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
