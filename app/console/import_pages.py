"""Imports: the list, bringing a file in, one import with its progress, what was rejected or remarked on."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.console import import_words
from app.console.import_form import (
    FIND_OUT,
    ZONES,
    Correction,
    correction_of,
    format_choices,
    incoming,
    problem_of,
    tier_choices,
    typed,
)
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.identity.models import ApiClient, StaffMember
from app.identity.permissions import Permission
from app.imports import operations
from app.imports.errors import ImportRefusal
from app.imports.formats import FORMATS
from app.imports.models import ImportRow, ImportRun
from app.imports.receiving import LARGEST_FILE, Received, receive
from tenants.base import among

PAGE = 25
ROWS_PAGE = 50
PIECE = 256 * 1024


async def imports(request: Request) -> Response:
    """All imports, newest first."""
    after = _after(request)
    statement = select(ImportRun).order_by(ImportRun.created_at.desc(), ImportRun.id.desc()).limit(PAGE + 1)
    async with tenant_reads(request) as session:
        last = await _find(session, after) if after else None
        if last is not None:
            statement = statement.where(tuple_(ImportRun.created_at, ImportRun.id) < (last.created_at, last.id))
        runs = (await session.scalars(statement)).all()
        names = await _names(session, [run.created_by for run in runs])
        waiting = await _waiting(session)
    return render(
        request,
        "imports.jinja",
        runs=runs[:PAGE],
        more=runs[PAGE - 1].id if len(runs) > PAGE else None,
        first=last is None,
        names=names,
        waiting=waiting,
        formats=dict(format_choices()),
        states=import_words.STATES,
        may_write=principal_here(request).may(Permission.IMPORTS_WRITE),
    )


async def import_start(request: Request) -> Response:
    """Bring a file in."""
    if request.method == "GET":
        return await _start_form(request)
    form = await form_of(request)
    try:
        received = await _receive(request, form)
    except ImportRefusal as refusal:
        values = typed(form)
        if refusal.code == "SESSION_UNKNOWN":
            # The fields that are wanted stand under this format.
            values["format"] = "teams_attendance"
        return await _start_form(request, values, problem_of(refusal), correction_of(refusal))
    return redirect(
        f"/console/imports/{received.import_id}", done="import-known" if received.already else "import-taken"
    )


async def _receive(request: Request, form: Form) -> Received:
    file, services = form.file("file"), services_of(request)
    if file is None:
        raise ImportRefusal("NO_FILE", "Choose a file.", "file")
    said = incoming(form, file.filename or "upload")
    context = principal_here(request).tenant_context(request_id=request.state.request_id)

    async def pieces() -> AsyncIterator[bytes]:
        await file.seek(0)
        while piece := await file.read(PIECE):
            yield piece

    folder = services.settings.data_dir / "uploads"
    try:
        return await receive(services.database, context, pieces(), said, folder)
    except ImportRefusal as refusal:
        # The format was left to us and is one that knows no tiers.
        if said.format_code is not None or (refusal.code, refusal.field) != ("UNKNOWN_OPTION", "tier"):
            raise
    del form.fields["tier"]
    return await receive(services.database, context, pieces(), incoming(form, file.filename or "upload"), folder)


async def _start_form(
    request: Request,
    values: dict[str, str] | None = None,
    problem: Problem | None = None,
    correction: Correction | None = None,
) -> Response:
    async with tenant_reads(request) as session:
        tiers = await tier_choices(session)
    return render(
        request,
        "import_start.jinja",
        status=200 if problem is None else 422,
        problems=[] if problem is None else [problem],
        values=values or {"format": FIND_OUT},
        correction=correction,
        formats=format_choices(),
        tiers=tiers,
        zones=ZONES,
        find_out=FIND_OUT,
        largest=LARGEST_FILE // 1024**2,
    )


async def import_detail(request: Request) -> Response:
    """One import: state, progress, what would or did become of its rows."""
    return await _detail(request, 200, [])


async def _detail(request: Request, status: int, problems: list[Problem]) -> Response:
    async with tenant_reads(request) as session:
        run = await _run(session, request)
        names = await _names(session, [run.created_by])
        counted = await session.execute(
            select(ImportRow.kind, func.count())
            .where(ImportRow.import_id == run.id, ImportRow.state == "open")
            .group_by(ImportRow.kind)
        )
        kept = dict(counted.all())
    done, total = import_words.progress_of(run)
    return render(
        request,
        "import_detail.jinja",
        status=status,
        problems=problems,
        run=run,
        state=import_words.STATES[run.state],
        format=FORMATS[run.format_code].label,
        working=run.state in import_words.WORKING,
        rows_done=done,
        rows_total=total,
        progress=import_words.progress_words(run),
        preview=import_words.preview(run),
        forecast=import_words.forecast(run),
        outcomes=import_words.outcomes(run),
        beside=import_words.beside(run),
        options=import_words.options_used(run),
        kept=kept,
        names=names,
        may_write=principal_here(request).may(Permission.IMPORTS_WRITE),
    )


async def import_progress(request: Request) -> Response:
    """How far an import is, for the script of its page: state, done, total, text."""
    async with tenant_reads(request) as session:
        run = await _run(session, request)
    done, total = import_words.progress_of(run)
    return JSONResponse({"state": run.state, "done": done, "total": total, "text": import_words.progress_words(run)})


async def import_apply(request: Request) -> Response:
    """Apply an import that is ready."""
    try:
        async with tenant_work(request) as work:
            await operations.confirm(work, request.path_params["import_id"])
    except ImportRefusal as refusal:
        return await _refused(request, refusal)
    return redirect(f"/console/imports/{request.path_params['import_id']}", done="import-applied")


async def import_cancel(request: Request) -> Response:
    """Give an import up."""
    try:
        async with tenant_work(request) as work:
            await operations.cancel(work, request.path_params["import_id"])
    except ImportRefusal as refusal:
        return await _refused(request, refusal)
    return redirect(f"/console/imports/{request.path_params['import_id']}", done="import-cancelled")


async def _refused(request: Request, refusal: ImportRefusal) -> Response:
    if refusal.code == "NO_SUCH_IMPORT":
        raise HTTPException(404) from refusal
    return await _detail(request, 422, [Problem("", refusal.message)])


async def import_rejected(request: Request) -> Response:
    """The first rejected rows, with the reasons."""
    return await _rows_page(request, "rejected")


async def import_remarks(request: Request) -> Response:
    """Rows that were taken with a doubt."""
    return await _rows_page(request, "remark")


async def _rows_page(request: Request, kind: str) -> Response:
    after = _after(request)
    statement = select(ImportRow).where(ImportRow.kind == kind).order_by(ImportRow.id).limit(ROWS_PAGE + 1)
    if after is not None:
        # Ids rise in the order of the file, as the rows were kept.
        statement = statement.where(ImportRow.id > after)
    async with tenant_reads(request) as session:
        run = await _run(session, request)
        rows = (await session.scalars(statement.where(ImportRow.import_id == run.id))).all()
    return render(
        request,
        "import_rows.jinja",
        run=run,
        kind=kind,
        rows=rows[:ROWS_PAGE],
        more=rows[ROWS_PAGE - 1].id if len(rows) > ROWS_PAGE else None,
        first=after is None,
        sees_people=principal_here(request).may(Permission.PEOPLE_READ),
    )


async def import_rejected_file(request: Request) -> Response:
    """All rejected rows as they came, as a CSV to mend. By POST, for it leaves an audit row."""
    context = principal_here(request).tenant_context(request_id=request.state.request_id)
    lines = operations.rejected_rows(services_of(request).database, context, request.path_params["import_id"])
    try:
        first = await anext(lines)
    except ImportRefusal as refusal:
        raise HTTPException(404) from refusal

    async def content() -> AsyncIterator[bytes]:
        yield first
        async for line in lines:
            yield line

    headers = {"content-disposition": 'attachment; filename="rejected-rows.csv"'}
    return StreamingResponse(content(), media_type="text/csv; charset=utf-8", headers=headers)


async def _run(session: AsyncSession, request: Request) -> ImportRun:
    run = await _find(session, request.path_params["import_id"])
    if run is None:
        raise HTTPException(404)
    return run


async def _find(session: AsyncSession, import_id: UUID) -> ImportRun | None:
    return (await session.scalars(select(ImportRun).where(ImportRun.id == import_id))).one_or_none()


async def _names(session: AsyncSession, actors: list[UUID | None]) -> dict[UUID, str]:
    """Names of those who brought files in."""
    ids = {actor for actor in actors if actor is not None}
    names: dict[UUID, str] = {}
    for people in (
        select(StaffMember.id, StaffMember.display_name).where(among(StaffMember.id, ids)),
        select(ApiClient.id, ApiClient.name).where(among(ApiClient.id, ids)),
    ):
        names.update((id_, name) for id_, name in await session.execute(people))
    return names


async def _waiting(session: AsyncSession) -> int:
    counted: Any = select(func.count()).select_from(ImportRow)
    waiting = counted.where(ImportRow.kind == "review", ImportRow.state == "open")
    return int((await session.execute(waiting)).scalar_one())


def _after(request: Request) -> UUID | None:
    try:
        return UUID(request.query_params["after"])
    except (KeyError, ValueError):
        return None


_READ, _WRITE = Permission.IMPORTS_READ, Permission.IMPORTS_WRITE
_ONE = "/imports/{import_id:uuid}"

ROUTES = [
    page("/imports", imports, needs=_READ),
    page(
        "/imports/start",
        import_start,
        needs=_WRITE,
        methods=("GET", "POST"),
        files=1,
        # Room for the other fields and the boundaries of the form.
        largest_body=LARGEST_FILE + 1024**2,
    ),
    page(_ONE, import_detail, needs=_READ),
    page(f"{_ONE}/progress", import_progress, needs=_READ),
    page(f"{_ONE}/apply", import_apply, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/cancel", import_cancel, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/rejected", import_rejected, needs=_READ),
    page(f"{_ONE}/rejected.csv", import_rejected_file, needs=_READ, also=Permission.PEOPLE_READ, methods=("POST",)),
    page(f"{_ONE}/remarks", import_remarks, needs=_READ),
]
