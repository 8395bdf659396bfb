"""A report as tagged PDF, drawn from its snapshot: the same snapshot gives the same bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import typst
from sqlalchemy.ext.asyncio import AsyncSession

from app.reporting import telling
from app.reporting.content import Chart, Figure, Report, Section, Table
from app.reporting.drawing import draw
from app.reporting.keeping import Opened, Row, lots_of

SOURCE = (Path(__file__).parent / "report.typ").read_bytes()
FONT = "Libertinus Serif"
MOST_ROWS = 1_200
"""Rows of all tables that are printed, so that memory stays small; the rest is in the spreadsheet."""
WIDE = 6
"""With more columns than this in a table the pages lie on their side."""


async def page_data(session: AsyncSession, opened: Opened) -> dict[str, Any]:
    """What the pages say, from the snapshot."""
    report, snapshot = opened.report, opened.snapshot
    tables = _tables(report)
    most = share([table.count for table in tables])
    rows = {table.key: await _rows(session, opened, table, most) for table in tables}
    return {
        "title": report.title,
        "about": report.about,
        "tenant": report.tenant,
        "wide": any(len(table.columns) > WIDE for table in tables),
        "facts": [
            ["Period", telling.period(report)],
            ["Made by", report.tenant],
            ["Data as of", telling.moment(opened.as_of)],
            ["Report number", str(snapshot.id)],
        ],
        "notes": telling.notes(report),
        "sections": [_section(report, section, rows) for section in report.sections],
        "proof": opened.sha256,
    }


def draw_pdf(data: Mapping[str, Any], made_at: float) -> bytes:
    """By PDF/UA-1, or where a text has letters that no font at hand has, tagged all the same; it takes a while."""
    shared: dict[str, Any] = {
        "sys_inputs": {"data": orjson.dumps(data).decode()},
        # Fonts of the machine are left out: another machine has others, and the bytes would differ.
        "ignore_system_fonts": True,
        "timestamp": int(made_at),
    }
    try:
        return bytes(typst.compile(SOURCE, format="pdf", pdf_standards=["ua-1"], **shared))
    except typst.TypstError:
        return bytes(typst.compile(SOURCE, format="pdf", **shared))


def _tables(report: Report) -> list[Table]:
    return [table for section in report.sections for table in section.tables if isinstance(table, Table)]


def share(counts: Sequence[int], room: int = MOST_ROWS) -> int:
    """How many rows of each table fit: short ones wholly, and the longer ones in equal parts of what is left."""
    ordered = sorted(counts)
    for number, count in enumerate(ordered):
        part = room // (len(ordered) - number)
        if count > part:
            return part
        room -= count
    return max(ordered, default=0)


async def _rows(session: AsyncSession, opened: Opened, table: Table, most: int) -> list[Row]:
    rows: list[Row] = []
    async for lot in lots_of(session, opened, table):
        rows += lot
        if len(rows) >= most:
            break
    return rows[:most]


def _section(report: Report, section: Section, rows: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    return {
        "title": section.title,
        "text": list(section.text),
        "figures": [_figure(report, figure) for figure in section.figures],
        "charts": [_chart(chart) for chart in section.charts],
        "tables": [_table(table, rows[table.key]) for table in section.tables if isinstance(table, Table)],
    }


def _figure(report: Report, figure: Figure) -> dict[str, str]:
    return {
        "label": figure.label,
        "value": telling.value(figure),
        "unit": figure.unit,
        "basis": telling.basis(figure),
        "when": telling.when(report, figure),
        "method": figure.method,
        "definition": telling.definition(figure),
    }


def _chart(chart: Chart) -> dict[str, str]:
    words = f"{chart.title}. {chart.words}"
    legend = telling.LEGEND if chart.kind == "xmr" else ""
    return {"title": chart.title, "svg": draw(chart, 640, FONT), "words": words, "legend": legend}


def _table(table: Table, rows: Sequence[Row]) -> dict[str, Any]:
    left_out = table.count - len(rows)
    more = f"The first {len(rows):,} of {table.count:,} rows. All are in the spreadsheet." if left_out else ""
    return {
        "caption": table.caption,
        "headings": [column.heading for column in table.columns],
        "numeric": [column.numeric for column in table.columns],
        "narrow": [column.kind != "text" for column in table.columns],
        "rows": [[telling.cell(cell, column) for cell, column in zip(row, table.columns, strict=True)] for row in rows],
        "nothing": table.nothing,
        "more": more,
    }
