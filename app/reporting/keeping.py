"""How a report is kept and opened again: canonical JSON under a hash, rows in lots under hashes of their own."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.reporting.content import ROWS_TOGETHER, Cell, Column, NewTable, Report, Section, Story, Table, read
from app.reporting.models import ReportContent, ReportRows, ReportSnapshot
from app.reporting.stories import tellable
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

Row = Sequence[Cell]
STORIES = "success-stories"
_STORY_COLUMNS = (Column("Title"), Column("Story"))


class Tampered(RuntimeError):
    """What is stored is not what was built: somebody has changed it in the database."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report ready to be stored: its data, their hash, and lots of rows by table and number, as JSON."""

    data: bytes
    sha256: str
    lots: Sequence[tuple[str, int, bytes]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A report as it is told now. `stories` are those of its stories that may be told at this moment."""

    snapshot: ReportSnapshot
    report: Report
    sha256: str
    as_of: datetime
    stories: Sequence[Story]


def canonical(value: Any) -> bytes:
    """JSON of one form for one value, so that its hash can be made again from what the database gives back."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def keep(report: Report) -> Kept:
    """A built report in the form in which it is stored."""
    lots: list[tuple[str, int, bytes]] = []
    sections = []
    for section in report.sections:
        tables = []
        for table in section.tables:
            assert isinstance(table, NewTable)
            pieces = [
                canonical([list(row) for row in table.rows[start : start + ROWS_TOGETHER]])
                for start in range(0, len(table.rows), ROWS_TOGETHER)
            ]
            lots += [(table.key, number, piece) for number, piece in enumerate(pieces)]
            hashes = [_hash(piece) for piece in pieces]
            tables.append(Table(table.key, table.caption, list(table.columns), table.nothing, len(table.rows), hashes))
        sections.append(replace(section, tables=tables))
    # By way of plain values: keys of mappings are sorted, fields of dataclasses are not.
    data = canonical(orjson.loads(orjson.dumps(replace(report, sections=sections))))
    return Kept(data, _hash(data), lots)


async def store(
    work: UnitOfWork, snapshot_id: UUID, kept: Kept, as_of: datetime, locations: Sequence[UUID] | None
) -> None:
    """Write what a report tells. It cannot be changed afterwards: the runtime role may only add."""
    work.add(
        ReportContent(
            tenant_id=work.tenant_id,
            id=new_id(),
            snapshot_id=snapshot_id,
            data=orjson.loads(kept.data),
            sha256=kept.sha256,
            as_of=as_of,
            location_ids=[str(one) for one in locations or ()],
        )
    )
    rows = ((new_id(), snapshot_id, key, number, piece.decode()) for key, number, piece in kept.lots)
    await work.insert_rows(ReportRows, ("id", "snapshot_id", "table_key", "number", "rows"), rows)


async def open_report(session: AsyncSession, snapshot: ReportSnapshot) -> Opened | None:
    """A report that is ready, or None. Raises Tampered if its data are not those that were built."""
    found = select(ReportContent).where(ReportContent.snapshot_id == snapshot.id)
    content = (await session.scalars(found)).one_or_none()
    if content is None:
        return None
    if _hash(canonical(content.data)) != content.sha256:
        raise Tampered(f"report {snapshot.id}")
    report = read(content.data)
    ids = [UUID(one) for section in report.sections for one in section.stories]
    stories = await tellable(session, ids) if ids else []
    sections = [_with_stories(section, stories) for section in report.sections]
    return Opened(snapshot, replace(report, sections=sections), content.sha256, content.as_of, stories)


def _with_stories(section: Section, stories: Sequence[Story]) -> Section:
    if section.key != "stories":
        return section
    gone = len(section.stories) - len(stories)
    words = {0: [], 1: ["One story has been withdrawn since the report was made."]}.get(
        gone, [f"{gone} stories have been withdrawn since the report was made."]
    )
    nothing = "There is no story that may be told."
    table = Table(STORIES, "Success stories", _STORY_COLUMNS, nothing, len(stories), ())
    return replace(section, text=[*section.text, *words], tables=[table])


async def lots_of(session: AsyncSession, opened: Opened, table: Table) -> AsyncIterator[Sequence[Row]]:
    """The rows of a table, some at a time. Raises Tampered if a lot is not the one that was built."""
    if table.key == STORIES:
        yield [(story.title, story.text) for story in opened.stories]
        return
    for number in range(len(table.hashes)):
        yield await lot(session, opened, table, number)


async def lot(session: AsyncSession, opened: Opened, table: Table, number: int) -> Sequence[Row]:
    """One lot of a table's rows; none where there is no such lot. Raises Tampered."""
    if table.key == STORIES:
        return [(story.title, story.text) for story in opened.stories]
    if not 0 <= number < len(table.hashes):
        return []
    found = select(ReportRows.rows).where(
        ReportRows.snapshot_id == opened.snapshot.id, ReportRows.table_key == table.key, ReportRows.number == number
    )
    rows: list[Row] | None = (await session.scalars(found)).one_or_none()
    if rows is None or _hash(canonical(rows)) != table.hashes[number]:
        raise Tampered(f"report {opened.snapshot.id}, table {table.key}, lot {number}")
    return rows
