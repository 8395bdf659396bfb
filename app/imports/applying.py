"""Applying: each staged chunk in one transaction, once; a row that cannot be stored never stops the others."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import defer

from app.imports.appliers import APPLIERS
from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, parsed_rows
from app.imports.chunks import unpack
from app.imports.formats.base import Rejected
from app.imports.kept_rows import keep_rows, rejected_row
from app.imports.models import ImportChunk, ImportRun
from app.imports.staging import Renew, locked_run
from app.training.requirements import standing
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.context import TenantContext
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

_ROW_FAULTS = ("22", "23")
"""Classes of SQLSTATE that a row's own values cause: data exception, integrity constraint violation."""


async def apply_import(database: Database, context: TenantContext, import_id: UUID, renew: Renew) -> None:
    """Apply what is not applied yet. Safe to repeat after a kill, and safe while another worker does the same."""
    async with database.session(context) as session:
        run = await session.get(ImportRun, (context.tenant_id, import_id))
    if run is None:
        return
    reader = _Reader(database, context, ApplyContext.of(run))
    try:
        while await _step(database, context, import_id, renew, reader):
            pass
    finally:
        await reader.close()


class _Reader:
    """Reads and parses the chunk that comes next while the database is busy with the one before."""

    def __init__(self, database: Database, context: TenantContext, applying: ApplyContext) -> None:
        self._database, self._context, self.applying = database, context, applying
        self._ahead: tuple[int, asyncio.Task[list[ParsedRow]]] | None = None

    async def rows(self, number: int) -> list[ParsedRow]:
        """The rows of a chunk; the next one is begun meanwhile."""
        if self._ahead is None or self._ahead[0] != number:
            await self.close()
            self._ahead = (number, asyncio.create_task(self._read(number)))
        rows = await self._ahead[1]
        self._ahead = (number + 1, asyncio.create_task(self._read(number + 1)))
        return rows

    async def _read(self, number: int) -> list[ParsedRow]:
        async with self._database.session(self._context) as session:
            content = (
                await session.scalars(
                    select(ImportChunk.rows).where(
                        ImportChunk.import_id == self.applying.import_id, ImportChunk.chunk_number == number
                    )
                )
            ).first()
        return [] if content is None else await asyncio.to_thread(self._parse, content)

    def _parse(self, content: bytes) -> list[ParsedRow]:
        return parsed_rows(self.applying, unpack(content))

    async def close(self) -> None:
        """Stop reading ahead."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            await asyncio.gather(self._ahead[1], return_exceptions=True)
            self._ahead = None


async def _step(database: Database, context: TenantContext, import_id: UUID, renew: Renew, reader: _Reader) -> bool:
    """Apply one chunk, or finish the run; False when there is nothing more to do."""
    async with database.unit_of_work(context) as work:
        await renew(work)
        run = await locked_run(work, import_id)
        if run.state != "applying":
            return False
        waiting = (
            select(ImportChunk)
            .options(defer(ImportChunk.rows))
            .where(ImportChunk.import_id == import_id, ImportChunk.applied_at.is_(None))
            .order_by(ImportChunk.chunk_number)
            .limit(1)
        )
        chunk = (await work.session.scalars(waiting)).first()
        if chunk is None:
            _finish(work, run)
            return False
        await _apply_chunk(work, run, chunk, await reader.rows(chunk.chunk_number), reader.applying)
    return True


async def _apply_chunk(
    work: UnitOfWork, run: ImportRun, chunk: ImportChunk, rows: Sequence[ParsedRow], context: ApplyContext
) -> None:
    outcome = await _apply(work, context, rows)
    await keep_rows(work, run.id, outcome.kept)
    chunk.applied_at = work.now
    chunk.counts = dict(outcome.counts)
    run.rows_done += chunk.row_count
    run.counts = run.counts | {"result": dict(Counter(run.counts.get("result", {})) + outcome.counts)}
    work.record(
        Action.IMPORT_CHUNK_APPLIED,
        "import",
        run.id,
        after={"chunk": chunk.chunk_number, "rows": chunk.row_count, **outcome.counts},
    )


async def _apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """Apply rows; when one of them cannot be stored, halve until it stands alone, and reject it."""
    try:
        async with work.session.begin_nested():
            outcome = await APPLIERS[context.format_code](work, context, rows)
            await work.session.flush()
            return outcome
    except DBAPIError as error:
        if not str(getattr(error.orig, "sqlstate", "") or "").startswith(_ROW_FAULTS):
            raise
    except Exception as error:
        # Many rows go to the driver in one exchange, which raises its own errors.
        if not str(getattr(error, "sqlstate", "") or "").startswith(_ROW_FAULTS):
            raise
    if len(rows) == 1:
        rejected = Rejected(
            "CANNOT_BE_STORED", "", "A value of the row is out of range or holds a character that cannot be stored."
        )
        return Outcome(Counter(rejected=1), [rejected_row(rows[0][0], rejected)])
    middle = len(rows) // 2
    first = await _apply(work, context, rows[:middle])
    second = await _apply(work, context, rows[middle:])
    return Outcome(first.counts + second.counts, [*first.kept, *second.kept])


def _finish(work: UnitOfWork, run: ImportRun) -> None:
    run.state, run.finished_at = "finished", work.now
    work.record(Action.IMPORT_FINISHED, "import", run.id, after=dict(run.counts.get("result", {})))
    work.emit(Topic.FIGURES_REFRESH, f"import:{run.id}", import_id=run.id)
    work.emit(Topic.LDSS_CLAIMS, f"import:{run.id}", import_id=run.id)
    standing.request_all(work, f"import:{run.id}")
    announce(work, EventType.IMPORT_FINISHED, f"Import:{run.id}")
