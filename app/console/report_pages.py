"""Reports: the list, asking for one, one report as a page with its progress, its tables, and downloads.

A provider manager has the same pages below My locations, for evidence packs of the own group alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.console import report_words
from app.console.impact_pages import shortcuts
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
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, asked_page, needed_day, problem_of, typed
from app.directory.models import CqcLocation, CqcProvider, ProviderGroup, TenantLocation
from app.evidence.figures import Period
from app.identity.models import StaffMember
from app.identity.permissions import Permission
from app.reporting import access, operations, telling
from app.reporting.access import OwnGroup
from app.reporting.content import ROWS_TOGETHER
from app.reporting.content import Table as Told
from app.reporting.definitions import DEFINITIONS, Definition
from app.reporting.drawing import draw
from app.reporting.keeping import Opened, lot, open_report
from app.reporting.models import ReportReader, ReportSnapshot
from app.training.errors import TrainingRefusal
from tenants.base import among
from tenants.clock import london_date

REPORTS, MANAGERS = "/console/reports", "/console/my-locations/reports"
SHOWN = 100
FIRST_ROWS = 25
PACK = "evidence_pack"
FIELDS = ("kind", "provider", "named", "from", "to")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody reads reports: the team's desk, or that of a provider manager with a group."""

    path: str
    group: OwnGroup | None
    manager: bool

    @property
    def back(self) -> Link:
        """The way to the list."""
        return Link("Back to reports", self.path)


async def desk_of(request: Request, session: AsyncSession) -> Desk:
    manager = request.url.path.startswith(MANAGERS)
    group = await access.own_group(session, principal_here(request)) if manager else None
    return Desk(MANAGERS if manager else REPORTS, group, manager)


def _kinds(request: Request, desk: Desk) -> list[Definition]:
    """What somebody may ask for."""
    if desk.manager:
        return [DEFINITIONS[PACK]]
    permissions = principal_here(request).permissions
    return [definition for definition in DEFINITIONS.values() if access.may_ask(definition, permissions)]


async def reports(request: Request) -> Response:
    """All reports that one may see, newest first."""
    async with tenant_reads(request) as session:
        desk = await desk_of(request, session)
    govern = principal_here(request).may(Permission.GOVERNANCE_READ)
    more = [
        Link("Reports that come by themselves", f"{REPORTS}/schedules"),
        Link("Success stories", "/console/stories"),
    ]
    own = ["Evidence packs of the locations of your group."]
    team = ["Each report is made once and then stays as it is: its figures do not change when your data do."]
    return report(
        request,
        "Reports",
        caption="My locations" if desk.manager else "",
        back=Link("Back to my locations", "/console/my-locations") if desk.manager else None,
        intro=own if desk.manager else team,
        actions=[Link("Ask for a report", f"{desk.path}/ask")] if not desk.manager or desk.group else [],
        links=more if govern and not desk.manager else [],
        tables=[await _listed(request)],
    )


async def reports_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("reports.csv", await _listed(request))


async def _listed(request: Request) -> Table:
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        desk = await desk_of(request, session)
        listed = (
            select(ReportSnapshot, CqcProvider.name, ProviderGroup.name, StaffMember.display_name)
            .outerjoin(CqcProvider, CqcProvider.id == ReportSnapshot.cqc_provider_id)
            .outerjoin(ProviderGroup, _is(ReportSnapshot.provider_group_id, ProviderGroup))
            .outerjoin(StaffMember, _is(ReportSnapshot.requested_by, StaffMember))
            .where(access.visible(principal, desk.group))
            .order_by(ReportSnapshot.requested_at.desc(), ReportSnapshot.id.desc())
            .limit(SHOWN)
        )
        rows = (await session.execute(listed)).all()
        schedules = {row[0].schedule_id for row in rows if row[0].schedule_id is not None}
        mine = set(
            await session.scalars(
                select(ReportReader.schedule_id).where(
                    among(ReportReader.schedule_id, schedules), ReportReader.staff_member_id == principal.id
                )
            )
        )
    told = [
        (
            Link(DEFINITIONS[one.kind].title, f"{desk.path}/{one.id}"),
            provider or group or "The whole programme",
            telling.long_day(one.first_day),
            telling.long_day(one.last_day),
            report_words.STATES[one.state][0],
            one.requested_at,
            f"{who or 'The service'}{', for you' if one.schedule_id in mine else ''}",
        )
        for one, provider, group, who in rows
    ]
    headings = ("Report", "About", "From", "To", "State", "Asked for", "By")
    nothing = "No report has been asked for yet. Ask for the first one."
    return Table("Reports, newest first", headings, told, f"{desk.path}/all.csv", nothing=nothing)


def _is(key: Any, target: Any) -> Any:
    return and_(target.tenant_id == ReportSnapshot.tenant_id, target.id == key)


async def report_ask(request: Request) -> Response:
    """Ask for a report."""
    if request.method == "GET":
        return await _ask_page(request, 200, [], None)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            desk = await desk_of(request, work.session)
            wanted = _wanted(request, form, desk)
            made = await operations.request_report(work, wanted)
    except (TrainingRefusal, Invalid) as error:
        return await _ask_page(request, 422, [problem_of(error, FIELDS)], form)
    return redirect(f"{desk.path}/{made}", done="report-asked")


def _wanted(request: Request, form: Form, desk: Desk) -> operations.Wanted:
    """What the form asks for. Raises Invalid."""
    first, last = needed_day(form, "from", "the first day"), needed_day(form, "to", "the last day")
    if last < first:
        raise Invalid("to", "The period must end on or after the day it starts.")
    if desk.manager:
        if desk.group is None:
            raise HTTPException(404)
        return operations.Wanted(PACK, Period(first, last), named=True, provider_group_id=desk.group.id)
    kinds = {definition.kind for definition in _kinds(request, desk)}
    if form.text("kind") not in kinds:
        raise Invalid("kind", "Choose a report.")
    named = form.text("named") == "yes" and principal_here(request).may(Permission.PEOPLE_READ)
    return operations.Wanted(form.text("kind"), Period(first, last), named, form.text("provider") or None)


async def _ask_page(request: Request, status: int, problems: list[Problem], form: Form | None) -> Response:
    today = london_date(services_of(request).clock())
    async with tenant_reads(request) as session:
        desk = await desk_of(request, session)
        listed = [] if desk.manager else await providers(session)
    usual = shortcuts(today, None)[0].period
    values = {"from": usual.first_day.isoformat(), "to": usual.last_day.isoformat(), "named": "no"}
    fields = [Field("date", "from", "From"), Field("date", "to", "To")]
    if not desk.manager:
        fields = [
            *what_fields(_kinds(request, desk), listed, principal_here(request).may(Permission.PEOPLE_READ)),
            *fields,
        ]
    return report(
        request,
        "Ask for an evidence pack" if desk.manager else "Ask for a report",
        status=status,
        problems=problems,
        values=values if form is None else typed(form, FIELDS),
        back=desk.back,
        intro=["It tells of the locations of your group, and names their staff."] if desk.manager else [],
        forms=[ShortForm(f"{desk.path}/ask", "Ask for it", fields)],
    )


async def providers(session: AsyncSession) -> list[tuple[str, str]]:
    """CQC providers with a location here, by name."""
    here = select(CqcLocation.provider_id).join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
    listed = select(CqcProvider.id, CqcProvider.name).where(CqcProvider.id.in_(here))
    rows = await session.execute(listed.order_by(CqcProvider.name, CqcProvider.id))
    return [(row.id, row.name) for row in rows]


def what_fields(kinds: Sequence[Definition], listed: list[tuple[str, str]], may_name: bool) -> list[Field]:
    """The fields that say which report of what: the kind, its provider, and whether people are named."""
    provider = Field("choice", "provider", "Provider", "The pack tells of all its locations here.", listed)
    kind = Field(
        "one",
        "kind",
        "Report",
        options=[(definition.kind, definition.title) for definition in kinds],
        more={definition.kind: definition.purpose for definition in kinds},
        reveals={PACK: provider},
    )
    name = Field(
        "one",
        "named",
        "Names of people",
        "Only evidence packs, board reports and action lists can name people.",
        [("no", "Leave them out"), ("yes", "Name staff and owners of actions")],
    )
    return [kind, name] if may_name else [kind]


async def report_detail(request: Request) -> Response:
    """One report: its progress, or all that it tells."""
    return await detail_page(request, 200, [])


async def detail_page(request: Request, status: int, problems: list[Problem]) -> Response:
    async with tenant_reads(request) as session:
        desk, snapshot = await found_report(request, session)
        opened = await open_report(session, snapshot)
        rows = {}
        for table in _tables(opened):
            assert opened is not None
            rows[table.key] = (await lot(session, opened, table, 0))[:FIRST_ROWS]
    now = services_of(request).clock()
    return render(
        request,
        "report_page.jinja",
        status=status,
        problems=problems,
        desk=desk,
        snapshot=snapshot,
        definition=DEFINITIONS[snapshot.kind],
        state=report_words.STATES[snapshot.state],
        working=snapshot.state in report_words.WORKING,
        progress=report_words.progress(snapshot),
        opened=opened,
        rows=rows,
        has_files=snapshot.files_until is not None and snapshot.files_until > now,
        drawn=draw,
        telling=telling,
    )


def _tables(opened: Opened | None) -> list[Told]:
    sections = [] if opened is None else opened.report.sections
    return [table for section in sections for table in section.tables if isinstance(table, Told)]


async def found_report(request: Request, session: AsyncSession) -> tuple[Desk, ReportSnapshot]:
    """The report of the address, if one may see it; else 404, as for one that is not there."""
    desk = await desk_of(request, session)
    snapshot_id: UUID = request.path_params["snapshot_id"]
    snapshot = await access.find(session, principal_here(request), desk.group, snapshot_id)
    if snapshot is None:
        raise HTTPException(404)
    return desk, snapshot


async def opened_report(request: Request, session: AsyncSession) -> tuple[Desk, Opened]:
    desk, snapshot = await found_report(request, session)
    opened = await open_report(session, snapshot)
    if opened is None:
        raise HTTPException(404)
    return desk, opened


def table_here(request: Request, opened: Opened) -> Told:
    for table in _tables(opened):
        if table.key == request.path_params["table"]:
            return table
    raise HTTPException(404)


async def report_progress(request: Request) -> Response:
    """How far a report is, for the script of its page: state, done, total, text."""
    async with tenant_reads(request) as session:
        _, snapshot = await found_report(request, session)
    told = {"state": snapshot.state, "done": snapshot.steps_done, "total": snapshot.steps_total}
    return JSONResponse(told | {"text": report_words.progress(snapshot)})


async def report_table(request: Request) -> Response:
    """All rows of a table, some on each page."""
    number = asked_page(request)
    async with tenant_reads(request) as session:
        desk, opened = await opened_report(request, session)
        table = table_here(request, opened)
        rows = await lot(session, opened, table, number - 1)
    if not rows and number > 1:
        raise HTTPException(404)
    pages = max(-(-table.count // ROWS_TOGETHER), 1)
    return render(
        request,
        "report_table.jinja",
        desk=desk,
        snapshot=opened.snapshot,
        title=opened.report.title,
        table=table,
        rows=rows,
        number=number,
        pages=pages,
        first=(number - 1) * ROWS_TOGETHER + 1,
        telling=telling,
    )


def _pages(path: str, needs: Permission) -> list[Any]:
    one = f"{path}/{{snapshot_id:uuid}}"
    return [
        page(path, reports, needs=needs),
        page(f"{path}/all.csv", reports_file, needs=needs),
        page(f"{path}/ask", report_ask, needs=needs, methods=("GET", "POST")),
        page(one, report_detail, needs=needs),
        page(f"{one}/progress", report_progress, needs=needs),
        page(f"{one}/tables/{{table}}", report_table, needs=needs),
    ]


ROUTES = [
    *_pages("/reports", Permission.EVIDENCE_READ),
    *_pages("/my-locations/reports", Permission.GROUP_READ),
]
