"""Staging: the rows of a file as they came, in chunks, with a preview where a person will decide. Resumable."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.directory.placement import count_known
from app.directory.rules import Candidate
from app.imports.chunks import CHUNK_ROWS, pack
from app.imports.formats import FORMATS, UnreadableFile
from app.imports.formats.base import Context, Format, Ignored, NotCompleted, RawRow, Rejected
from app.imports.kept_rows import KeptRow, keep_rows, rejected_row
from app.imports.models import ImportChunk, ImportPart, ImportRun
from app.imports.people import candidate_of
from app.imports.receiving import temporary_file
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

Renew = Callable[[UnitOfWork], Awaitable[None]]
"""Keeps the message that asked for the work; awaited first in every transaction. Raises when another worker has it."""


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: list[RawRow]
    content: bytes
    counts: Counter[str]
    rejected: list[KeptRow]
    candidates: list[Candidate]


async def stage_import(database: Database, context: TenantContext, import_id: UUID, folder: Path, renew: Renew) -> None:
    """Stage what is not staged yet, then make the run ready or go on to apply it. Safe to repeat after a kill."""
    async with database.session(context) as session:
        run = await session.get(ImportRun, (context.tenant_id, import_id))
    if run is None or run.state != "staging":
        return
    form = FORMATS[run.format_code]
    with temporary_file(folder, "staging-") as file:
        await _assemble(database, context, import_id, file.write)
        file.flush()
        path = Path(file.name)
        try:
            facts = run.facts or await asyncio.to_thread(form.facts, path, run.options, london_date(run.created_at))
            rows = itertools.islice(form.stage(path, run.options), run.rows_staged, None)
            reading = Context(london_date(run.created_at), run.options, facts)
            staged = run.rows_staged
            while batch := await asyncio.to_thread(_read, form, rows, None if run.auto_apply else reading):
                async with database.unit_of_work(context) as work:
                    await renew(work)
                    if not await _stage(work, import_id, facts, staged, batch):
                        return
                staged += len(batch.rows)
        except UnreadableFile as error:
            async with database.unit_of_work(context) as work:
                await renew(work)
                await _fail(work, import_id, error)
            return
    async with database.unit_of_work(context) as work:
        await renew(work)
        await _ready(work, import_id)


async def _assemble(database: Database, context: TenantContext, import_id: UUID, write: Callable[[bytes], Any]) -> None:
    """Put the parts together, one at a time."""
    for number in itertools.count():
        async with database.session(context) as session:
            content = (
                await session.scalars(
                    select(ImportPart.content).where(
                        ImportPart.import_id == import_id, ImportPart.part_number == number
                    )
                )
            ).first()
        if content is None:
            return
        await asyncio.to_thread(write, content)


def _read(form: Format, rows: Iterator[RawRow], reading: Context | None) -> _Batch | None:
    """The next rows; with `reading` they are parsed for the preview that a person will look at."""
    taken = list(itertools.islice(rows, CHUNK_ROWS))
    if not taken:
        return None
    batch = _Batch(taken, pack(taken), Counter(rows=len(taken)), [], [])
    if reading is not None:
        _look_ahead(batch, form, reading)
    return batch


def _look_ahead(batch: _Batch, form: Format, reading: Context) -> None:
    for raw in batch.rows:
        parsed = form.parse(raw, reading)
        if isinstance(parsed, Rejected):
            batch.counts["rejected"] += 1
            batch.rejected.append(rejected_row(raw, parsed))
        elif isinstance(parsed, NotCompleted):
            batch.counts["not_completed"] += 1
        elif isinstance(parsed, Ignored):
            batch.counts["ignored"] += 1
        else:
            batch.counts["sound"] += 1
            who = candidate_of(parsed, reading.options)
            if who is not None:
                batch.candidates.append(who)


async def _stage(work: UnitOfWork, import_id: UUID, facts: dict[str, Any], staged: int, batch: _Batch) -> bool:
    """Keep one batch. False when the run was cancelled or somebody else stages it."""
    run = await locked_run(work, import_id)
    if run.state != "staging" or run.rows_staged != staged:
        return False
    counts = Counter(batch.counts)
    if batch.candidates:
        known = await count_known(work, batch.candidates)
        counts["people_known"] += known
        counts["people_not_known"] += len(batch.candidates) - known
    work.add(
        ImportChunk(
            tenant_id=work.tenant_id,
            id=new_id(),
            import_id=import_id,
            chunk_number=staged // CHUNK_ROWS,
            row_count=len(batch.rows),
            rows=batch.content,
            counts={},
        )
    )
    await keep_rows(work, import_id, batch.rejected)
    run.facts = facts
    run.rows_staged = staged + len(batch.rows)
    run.counts = run.counts | {"preview": dict(Counter(run.counts.get("preview", {})) + counts)}
    return True


async def locked_run(work: UnitOfWork, import_id: UUID) -> ImportRun:
    """The run, locked until the transaction ends."""
    return await work.session.get_one(ImportRun, (work.tenant_id, import_id), with_for_update=True)


async def _ready(work: UnitOfWork, import_id: UUID) -> None:
    run = await locked_run(work, import_id)
    if run.state != "staging":
        return
    run.rows_total = run.rows_staged
    run.state = "applying" if run.auto_apply else "ready"
    await work.session.execute(delete(ImportPart).where(ImportPart.import_id == import_id))
    preview = run.counts.get("preview", {})
    work.record(Action.IMPORT_STAGED, "import", import_id, after={"rows": run.rows_total, "preview": preview})
    if run.auto_apply:
        work.emit(Topic.IMPORT_APPLY, str(import_id), import_id=import_id)


async def _fail(work: UnitOfWork, import_id: UUID, error: UnreadableFile) -> None:
    run = await locked_run(work, import_id)
    if run.state != "staging":
        return
    run.state, run.error_code, run.error_message, run.finished_at = "failed", error.code, error.message, work.now
    await drop_staged(work, import_id)
    work.record(Action.IMPORT_FAILED, "import", import_id, after={"code": error.code})
    announce(work, EventType.IMPORT_FAILED, f"Import:{import_id}")


async def drop_staged(work: UnitOfWork, import_id: UUID) -> None:
    """Remove what an import has brought that will never be applied."""
    for table in (ImportPart, ImportChunk):
        await work.session.execute(delete(table).where(table.import_id == import_id))
