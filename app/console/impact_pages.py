"""Impact: figures of a period with their definitions, charts with their tables, the rows behind each, downloads."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.charts import GUTTER, HEIGHT, bar_chart, column_chart
from app.console.csv_files import csv_file, csv_stream
from app.console.pages import (
    Problem,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.evidence import definitions
from app.evidence.counted_rows import KINDS, PAGE, Counted, counted_rows
from app.evidence.figures import SCALES, Period
from app.evidence.operations import MONTHS_KEPT, request_refresh
from app.evidence.summary import CODES, Month, answers, first_day, impact, refreshed_at, series
from app.identity.permissions import Permission
from tenants.clock import london_date

SERIES = {
    definitions.TIER_1_COMPLETIONS: "Tier 1 courses completed each month",
    definitions.WEBINAR_ATTENDANCES: "Webinar attendances each month",
}
"""Figures that are drawn month by month."""

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)
EXPORT_PAGE = 1000


class InvalidPeriod(Exception):
    """The dates asked for are no period."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(field, message)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A period that people often want."""

    label: str
    period: Period

    @property
    def query(self) -> str:
        """The period as the query of an address."""
        return query_of(self.period)


def query_of(period: Period) -> str:
    """A period as the query of an address."""
    return urlencode({"from": period.first_day.isoformat(), "to": period.last_day.isoformat()})


def shortcuts(today: date, start: date | None) -> list[Shortcut]:
    """Periods to offer. A financial year runs from April to March."""
    year = today.year if today.month >= 4 else today.year - 1
    offered = [
        Shortcut("Last 12 months", Period(_year_before(today) + timedelta(days=1), today)),
        Shortcut("This financial year", Period(date(year, 4, 1), date(year + 1, 3, 31))),
        Shortcut("Last financial year", Period(date(year - 1, 4, 1), date(year, 3, 31))),
    ]
    if start is not None and start <= today:
        offered.insert(1, Shortcut("Since the start", Period(start, today)))
    return offered


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def asked_period(request: Request) -> Period | None:
    """The period in the address; None if none is asked for. Raises InvalidPeriod."""
    given = {name: request.query_params.get(name, "") for name in ("from", "to")}
    if not any(given.values()):
        return None
    days = {}
    for name, text in given.items():
        try:
            days[name] = date.fromisoformat(text)
        except ValueError as error:
            raise InvalidPeriod(name, "Enter a date, such as 2026-03-31.") from error
        if not EARLIEST <= days[name] <= LATEST:
            raise InvalidPeriod(name, f"Enter a date from {EARLIEST.year} to {LATEST.year}.")
    if days["to"] < days["from"]:
        raise InvalidPeriod("to", "The period must end on or after the day it starts.")
    return Period(days["from"], days["to"])


async def impact_summary(request: Request) -> Response:
    """All figures of a period; the last 12 months if none is asked for."""
    offered = shortcuts(today := london_date(services_of(request).clock()), None)
    problems: list[Problem] = []
    try:
        period = asked_period(request) or offered[0].period
    except InvalidPeriod as error:
        period, problems = offered[0].period, [error.problem]
    tenant_id = principal_here(request).tenant_context().tenant_id
    async with tenant_reads(request) as session:
        found = await impact(session, tenant_id, period)
        months = {code: await series(session, code, period) for code in SERIES}
        refreshed, start = await refreshed_at(session), await first_day(session)
    typed = {name: request.query_params.get(name, "") for name in ("from", "to")} if problems else {}
    return render(
        request,
        "impact.jinja",
        status=422 if problems else 200,
        problems=problems,
        values=typed,
        period=period,
        query=query_of(period),
        shortcuts=shortcuts(today, start),
        figures=found,
        bars_of={figure.definition.code: bar_chart(figure.answers) for figure in found if figure.answers is not None},
        charts=[(code, SERIES[code], column_chart(months[code])) for code in SERIES],
        height=HEIGHT,
        gutter=GUTTER,
        months_kept=MONTHS_KEPT,
        kinds=KINDS,
        refreshed=refreshed,
        sees_rows=principal_here(request).may(Permission.TRAINING_READ),
    )


async def impact_refresh(request: Request) -> Response:
    """Have the monthly figures counted anew."""
    async with tenant_work(request) as work:
        await request_refresh(work)
    return redirect("/console/impact", done="refresh-asked")


async def impact_rows(request: Request) -> Response:
    """The rows that a figure counts, a page at a time."""
    code, period = _asked(request)
    after = _after(request)
    async with tenant_reads(request) as session:
        found = await _rows(request, code, period, after, PAGE + 1)
        (figure,) = await impact(session, principal_here(request).tenant_context().tenant_id, period, [code])
    return render(
        request,
        "impact_rows.jinja",
        figure=figure,
        kind=KINDS[code],
        period=period,
        query=query_of(period),
        rows=found[:PAGE],
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        first=after is None,
        sees_names=principal_here(request).may(Permission.PEOPLE_READ),
    )


async def impact_rows_file(request: Request) -> Response:
    """All rows that a figure counts, as a CSV."""
    code, period = _asked(request)
    kind, names = KINDS[code], principal_here(request).may(Permission.PEOPLE_READ)
    about = (["Learner id"] if kind.about_people else []) + (["Learner"] if kind.about_people and names else [])

    async def pages() -> AsyncIterator[list[list[object]]]:
        after: UUID | None = None
        while True:
            found = await _rows(request, code, period, after, EXPORT_PAGE)
            yield [[row.id, *([row.learner_id, row.name][: len(about)]), *row.cells] for row in found]
            if len(found) < EXPORT_PAGE:
                return
            after = found[-1].id

    return await csv_stream(f"{code}-rows.csv", ["Id", *about, *kind.headings], pages())


async def impact_figures_file(request: Request) -> Response:
    """All figures of a period with what they mean, as a CSV."""
    period = _period(request)
    async with tenant_reads(request) as session:
        found = await impact(session, principal_here(request).tenant_context().tenant_id, period)
    headings = (
        "Code", "Version", "Figure", "Value", "Unit", "Numerator", "Denominator", "From", "To", "Counts", "Of",
        "Left out", "Note",
    )  # fmt: skip
    return csv_file(
        "impact.csv",
        headings,
        (
            (
                figure.definition.code,
                figure.definition.version,
                figure.definition.name,
                figure.numerator if figure.definition.kind == "count" else figure.value,
                figure.definition.unit,
                figure.numerator,
                figure.denominator,
                period.first_day,
                period.last_day,
                figure.definition.numerator,
                figure.definition.denominator,
                figure.definition.exclusions,
                figure.definition.method_note,
            )
            for figure in found
        ),
    )


async def impact_chart_file(request: Request) -> Response:
    """The numbers of a chart, as a CSV: months of a series, or options of a distribution."""
    code, period = _asked(request)
    async with tenant_reads(request) as session:
        if code in SERIES:
            return _months_file(code, await series(session, code, period))
        if code not in SCALES:
            raise HTTPException(404)
        told = await answers(session, principal_here(request).tenant_context().tenant_id, code, period)
    bars = bar_chart(told)
    rows: list[tuple[object, ...]] = [(bar.label, bar.count, bar.share) for bar in bars]
    return csv_file(
        f"{code}-answers.csv", ("Answer", "Count", "% of answers"), [*rows, ("Not answered", told.not_answered, "")]
    )


def _months_file(code: str, months: Sequence[Month]) -> Response:
    rows = ((month.first_day, month.last_day, month.count) for month in months)
    return csv_file(f"{code}-months.csv", ("From", "To", "Count"), rows)


def _asked(request: Request) -> tuple[str, Period]:
    code = request.path_params["code"]
    if code not in CODES:
        raise HTTPException(404)
    return code, _period(request)


def _period(request: Request) -> Period:
    try:
        period = asked_period(request)
    except InvalidPeriod as error:
        raise HTTPException(404) from error
    return period or shortcuts(london_date(services_of(request).clock()), None)[0].period


def _after(request: Request) -> UUID | None:
    try:
        return UUID(request.query_params["after"])
    except (KeyError, ValueError):
        return None


async def _rows(request: Request, code: str, period: Period, after: UUID | None, size: int) -> list[Counted]:
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        return await counted_rows(
            session,
            principal.tenant_context().tenant_id,
            code,
            period,
            names=principal.may(Permission.PEOPLE_READ),
            after=after,
            size=size,
        )


_NEEDS = Permission.EVIDENCE_READ

ROUTES = [
    page("/impact", impact_summary, needs=_NEEDS),
    page("/impact/refresh", impact_refresh, needs=_NEEDS, methods=("POST",)),
    page("/impact/figures.csv", impact_figures_file, needs=_NEEDS),
    page("/impact/{code}", impact_rows, needs=_NEEDS, also=Permission.TRAINING_READ),
    page("/impact/{code}/rows.csv", impact_rows_file, needs=_NEEDS, also=Permission.TRAINING_READ),
    page("/impact/{code}/chart.csv", impact_chart_file, needs=_NEEDS),
]
