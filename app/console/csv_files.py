"""Tables as CSV files that spreadsheets open rightly and never run."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime

from starlette.responses import Response, StreamingResponse

from app.imports.formats import safe_cell
from tenants.clock import LONDON


def csv_file(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A small table as a download."""
    return Response(b"".join((_BYTE_ORDER_MARK, csv_lines([headings]), csv_lines(rows))), headers=_headers(name))


async def csv_stream(name: str, headings: Sequence[str], pages: AsyncIterator[Iterable[Sequence[object]]]) -> Response:
    """A table of any length as a download, page by page; the first is read before anything is answered."""
    first = await anext(pages)

    async def lines() -> AsyncIterator[bytes]:
        yield _BYTE_ORDER_MARK + csv_lines([headings]) + csv_lines(first)
        async for page in pages:
            yield csv_lines(page)

    return StreamingResponse(lines(), headers=_headers(name))


def csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as lines; moments in English local time, formula-like cells made harmless."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([safe_cell(_text(cell)) for cell in row] for row in rows)
    return buffer.getvalue().encode()


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _text(cell: object) -> object:
    if isinstance(cell, datetime):
        return f"{cell.astimezone(LONDON):%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date) else cell


def _headers(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "content-type": "text/csv; charset=utf-8"}
