"""Files of reports: PDF, spreadsheet and CSVs, by POST, for each download leaves an audit row."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.console.csv_files import csv_file, csv_stream
from app.console.pages import Problem, page, redirect, services_of, tenant_reads, tenant_work
from app.console.report_pages import detail_page, found_report, opened_report, table_here
from app.identity.permissions import Permission
from app.reporting import operations, pdf
from app.reporting.keeping import Opened, lots_of
from app.reporting.spreadsheet import FIGURE_COLUMNS, figure_rows, spreadsheet
from app.training.errors import TrainingRefusal

PIECE = 256 * 1024


async def report_renew(request: Request) -> Response:
    """Have the files available again."""
    async with tenant_reads(request) as session:
        desk, snapshot = await found_report(request, session)
    try:
        async with tenant_work(request) as work:
            await operations.renew_files(work, snapshot.id, services_of(request).settings.report_files_days)
    except TrainingRefusal as refusal:
        return await detail_page(request, 422, [Problem("", refusal.message)])
    return redirect(f"{desk.path}/{snapshot.id}", done="report-files-renewed")


async def _noted(request: Request, form: str) -> Response | None:
    """Write the download down; an answer where it may not be had."""
    async with tenant_reads(request) as session:
        _, snapshot = await found_report(request, session)
    try:
        async with tenant_work(request) as work:
            await operations.note_download(work, snapshot.id, form)
    except TrainingRefusal as refusal:
        return await detail_page(request, 422, [Problem("", refusal.message)])
    return None


async def report_pdf(request: Request) -> Response:
    """The report as PDF."""
    if (refused := await _noted(request, "pdf")) is not None:
        return refused
    async with tenant_reads(request) as session:
        _, opened = await opened_report(request, session)
        data = await pdf.page_data(session, opened)
    drawn = await asyncio.to_thread(pdf.draw_pdf, data, opened.as_of.timestamp())
    return Response(drawn, media_type="application/pdf", headers=_headers(opened, "pdf"))


async def report_xlsx(request: Request) -> Response:
    """The report as a spreadsheet."""
    if (refused := await _noted(request, "xlsx")) is not None:
        return refused
    async with tenant_reads(request) as session:
        _, opened = await opened_report(request, session)
        file = await spreadsheet(session, opened)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return StreamingResponse(_pieces(file), media_type=kind, headers=_headers(opened, "xlsx"))


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


async def report_figures_file(request: Request) -> Response:
    """All figures of the report as a CSV."""
    if (refused := await _noted(request, "csv")) is not None:
        return refused
    async with tenant_reads(request) as session:
        _, opened = await opened_report(request, session)
    headings = [column.heading for column in FIGURE_COLUMNS]
    return csv_file(f"{_name(opened)}-figures.csv", headings, figure_rows(opened.report))


async def report_table_file(request: Request) -> Response:
    """A table of the report as a CSV."""
    if (refused := await _noted(request, "csv")) is not None:
        return refused
    async with tenant_reads(request) as session:
        _, opened = await opened_report(request, session)
    table = table_here(request, opened)

    async def pages() -> AsyncIterator[Sequence[Sequence[object]]]:
        async with tenant_reads(request) as session:
            yield []
            async for rows in lots_of(session, opened, table):
                yield rows

    return await csv_stream(f"{_name(opened)}-{table.key}.csv", [one.heading for one in table.columns], pages())


def _name(opened: Opened) -> str:
    return f"{opened.report.kind.replace('_', '-')}-{opened.report.last_day}"


def _headers(opened: Opened, ending: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{_name(opened)}.{ending}"'}


def _pages(path: str, needs: Permission) -> list[Any]:
    one = f"{path}/{{snapshot_id:uuid}}"
    return [
        page(f"{one}/files", report_renew, needs=needs, methods=("POST",)),
        page(f"{one}/report.pdf", report_pdf, needs=needs, methods=("POST",)),
        page(f"{one}/report.xlsx", report_xlsx, needs=needs, methods=("POST",)),
        page(f"{one}/figures.csv", report_figures_file, needs=needs, methods=("POST",)),
        page(f"{one}/tables/{{table}}.csv", report_table_file, needs=needs, methods=("POST",)),
    ]


ROUTES = [
    *_pages("/reports", Permission.EVIDENCE_READ),
    *_pages("/my-locations/reports", Permission.GROUP_READ),
]
