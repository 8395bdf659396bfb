"""Changes of imports that people make: confirm, cancel, answer the review queue, take the rejected rows."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import select

from app.directory.placement import NoSuchLearner, place_by_hand
from app.imports.appliers import APPLIERS
from app.imports.appliers.base import ApplyContext, parsed_rows
from app.imports.errors import ImportRefusal
from app.imports.formats import FORMATS, RejectsFile
from app.imports.formats.base import RawRow, Record, Rejected
from app.imports.kept_rows import keep_rows
from app.imports.models import ImportRow, ImportRun
from app.imports.people import person_of
from app.imports.staging import drop_staged
from app.training.requirements import standing
from tenants.audit import Action
from tenants.context import TenantContext
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

REJECTS_PAGE = 500


async def confirm(work: UnitOfWork, import_id: UUID) -> None:
    """Apply a staged import. Raises ImportRefusal `NO_SUCH_IMPORT` or `NOT_READY`."""
    run = await _run(work, import_id)
    if run.state != "ready":
        raise ImportRefusal("NOT_READY", f"The import is {run.state}. Only one that is ready can be applied.")
    run.state = "applying"
    work.record(Action.IMPORT_CONFIRMED, "import", import_id)
    work.emit(Topic.IMPORT_APPLY, str(import_id), import_id=import_id)


async def cancel(work: UnitOfWork, import_id: UUID) -> None:
    """Give a staged import up. Raises ImportRefusal `NO_SUCH_IMPORT` or `TOO_LATE`."""
    run = await _run(work, import_id)
    if run.state not in ("staging", "ready"):
        raise ImportRefusal("TOO_LATE", f"The import is {run.state} already and cannot be given up.")
    run.state, run.finished_at = "cancelled", work.now
    await drop_staged(work, import_id)
    work.record(Action.IMPORT_CANCELLED, "import", import_id)


async def _run(work: UnitOfWork, import_id: UUID) -> ImportRun:
    run = await work.session.get(ImportRun, (work.tenant_id, import_id), with_for_update=True)
    if run is None:
        raise ImportRefusal("NO_SUCH_IMPORT", "There is no such import. Look for it in the list of imports.")
    return run


async def resolve_row(work: UnitOfWork, row_id: UUID, learner_id: UUID | None) -> UUID:
    """Say who a waiting row is about: a known learner, or with None somebody new. Gives the learner.

    All waiting rows of the import that name the same person in the same way are settled with it.
    Raises ImportRefusal `NO_SUCH_ROW`, `NOT_WAITING` or `NO_SUCH_LEARNER`.
    """
    run, rows = await _waiting(work, row_id)
    raws = [RawRow(row.row_number, row.section, row.cells) for row in rows]
    record = _record(run, raws[0])
    person = person_of(record, run.options)
    assert person is not None
    try:
        learner_id = await place_by_hand(work, person, learner_id)
    except NoSuchLearner as nobody:
        message = "There is no such learner. Choose one from the list."
        raise ImportRefusal("NO_SUCH_LEARNER", message, "learner_id") from nobody
    context = ApplyContext.of(run, decided=learner_id)
    outcome = await APPLIERS[run.format_code](work, context, parsed_rows(context, raws))
    await keep_rows(work, run.id, outcome.kept)
    for row in rows:
        row.state, row.learner_id = "resolved", learner_id
        row.resolved_by, row.resolved_at = work.context.actor_id, work.now
    _recount(run, outcome.counts + Counter(resolved=len(rows)), len(rows))
    work.record(
        Action.IMPORT_ROW_RESOLVED,
        "import",
        run.id,
        after={"rows": [row.row_number for row in rows], "learner_id": learner_id},
    )
    work.emit(Topic.FIGURES_REFRESH, f"row:{row_id}", import_id=run.id)
    work.emit(Topic.LDSS_CLAIMS, f"row:{row_id}", import_id=run.id)
    standing.request_all(work, f"row:{row_id}")
    return learner_id


async def dismiss_row(work: UnitOfWork, row_id: UUID) -> None:
    """Leave a waiting row out, with all that name the same person in the same way. Raises as `resolve_row`."""
    run, rows = await _waiting(work, row_id)
    for row in rows:
        row.state, row.resolved_by, row.resolved_at = "dismissed", work.context.actor_id, work.now
    _recount(run, Counter(dismissed=len(rows)), len(rows))
    work.record(
        Action.IMPORT_ROW_RESOLVED,
        "import",
        run.id,
        after={"rows": [row.row_number for row in rows], "dismissed": True},
    )


async def _waiting(work: UnitOfWork, row_id: UUID) -> tuple[ImportRun, Sequence[ImportRow]]:
    row = await work.session.get(ImportRow, (work.tenant_id, row_id))
    if row is None or row.kind != "review":
        raise ImportRefusal("NO_SUCH_ROW", "There is no such row in the review queue. Look at the queue again.")
    run = await _run(work, row.import_id)
    waiting = (
        select(ImportRow)
        .where(
            ImportRow.import_id == row.import_id,
            ImportRow.person_key == row.person_key,
            ImportRow.kind == "review",
            ImportRow.state == "open",
        )
        .order_by(ImportRow.row_number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = (await work.session.scalars(waiting)).all()
    if all(found.id != row_id for found in rows):
        raise ImportRefusal("NOT_WAITING", "Somebody has answered this row already. Look at the queue again.")
    return run, rows


def _record(run: ImportRun, raw: RawRow) -> Record:
    parsed = FORMATS[run.format_code].parse(raw, ApplyContext.of(run).reading)
    assert isinstance(parsed, Record)
    return parsed


def _recount(run: ImportRun, more: Counter[str], answered: int) -> None:
    result = Counter(run.counts.get("result", {})) + more
    result["review"] -= answered
    run.counts = run.counts | {"result": dict(result)}


async def rejected_rows(database: Database, context: TenantContext, import_id: UUID) -> AsyncIterator[bytes]:
    """The rejected rows as a CSV with their reasons, page by page. Raises ImportRefusal `NO_SUCH_IMPORT` at once."""
    async with database.unit_of_work(context) as work:
        await _run(work, import_id)
        work.record(Action.IMPORT_REJECTS_EXPORTED, "import", import_id)
    file = RejectsFile()
    after = -1
    while True:
        async with database.session(context) as session:
            page = (
                await session.scalars(
                    select(ImportRow)
                    .where(ImportRow.import_id == import_id, ImportRow.kind == "rejected", ImportRow.row_number > after)
                    .order_by(ImportRow.row_number)
                    .limit(REJECTS_PAGE)
                )
            ).all()
        for row in page:
            raw = RawRow(row.row_number, row.section, row.cells)
            yield file.line(raw, Rejected(row.reason_code, row.field or "", row.reason))
        if len(page) < REJECTS_PAGE:
            break
        after = page[-1].row_number
    yield file.end()
