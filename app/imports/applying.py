"""Applying: each staged chunk in one transaction, once; a row that cannot be stored never stops the others."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.imports.appliers import APPLIERS
from app.imports.appliers.base import ApplyContext, Outcome
from app.imports.chunks import unpack
from app.imports.formats.base import RawRow, Rejected
from app.imports.kept_rows import keep_rows
from app.imports.models import ImportChunk, ImportRun
from app.imports.staging import Renew, locked_run, rejected_row
from tenants.audit import Action
from tenants.context import TenantContext
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

_ROW_FAULTS = ("22", "23")
"""Classes of SQLSTATE that a row's own values cause: data exception, integrity constraint violation."""


async def apply_import(database: Database, context: TenantContext, import_id: UUID, renew: Renew) -> None:
    """Apply what is not applied yet. Safe to repeat after a kill, and safe while another worker does the same."""
    while True:
        async with database.unit_of_work(context) as work:
            await renew(work)
            run = await locked_run(work, import_id)
            if run.state != "applying":
                return
            chunk = (
                await work.session.scalars(
                    select(ImportChunk)
                    .where(ImportChunk.import_id == import_id, ImportChunk.applied_at.is_(None))
                    .order_by(ImportChunk.chunk_number)
                    .limit(1)
                )
            ).first()
            if chunk is None:
                _finish(work, run)
                return
            await _apply_chunk(work, run, chunk)


async def _apply_chunk(work: UnitOfWork, run: ImportRun, chunk: ImportChunk) -> None:
    outcome = await _apply(work, ApplyContext.of(run), unpack(chunk.rows))
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


async def _apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[RawRow]) -> Outcome:
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
        return Outcome(Counter(rejected=1), [rejected_row(rows[0], rejected)])
    middle = len(rows) // 2
    first = await _apply(work, context, rows[:middle])
    second = await _apply(work, context, rows[middle:])
    return Outcome(first.counts + second.counts, [*first.kept, *second.kept])


def _finish(work: UnitOfWork, run: ImportRun) -> None:
    run.state, run.finished_at = "finished", work.now
    work.record(Action.IMPORT_FINISHED, "import", run.id, after=dict(run.counts.get("result", {})))
    work.emit(Topic.FIGURES_REFRESH, f"import:{run.id}", import_id=run.id)
