"""Reports that come by themselves: the list, a new one, and pausing."""

from typing import Any

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.report_pages import REPORTS, providers, what_fields
from app.console.report_words import RHYTHMS
from app.console.reports import Field, ShortForm, one_file, report
from app.console.tables import Button, Link, Table
from app.console.training_forms import Invalid, form_about, keys, problem_of, typed
from app.directory.models import CqcProvider
from app.identity.models import StaffMember
from app.identity.permissions import Permission
from app.reporting import access, operations, telling
from app.reporting.definitions import DEFINITIONS
from app.reporting.models import ReportReader, ReportSchedule
from app.training.errors import TrainingRefusal

HOME = f"{REPORTS}/schedules"
FIELDS = ("kind", "provider", "named", "every", "readers")


def _may_write(request: Request) -> bool:
    return principal_here(request).may(Permission.GOVERNANCE_WRITE)


async def report_schedules(request: Request) -> Response:
    """Schedules that run and those that are paused."""
    return report(
        request,
        "Reports that come by themselves",
        back=Link("Back to reports", REPORTS),
        intro=[
            "Each is made on the day after its week, month or quarter has ended, and stands in the list of reports."
        ],
        actions=[Link("Add one", f"{HOME}/add")] if _may_write(request) else [],
        tables=(await _tables(request)).values(),
    )


async def report_schedules_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    return one_file(request, await _tables(request))


async def _tables(request: Request) -> dict[str, Table]:
    async with tenant_reads(request) as session:
        listed = select(ReportSchedule, CqcProvider.name).outerjoin(
            CqcProvider, CqcProvider.id == ReportSchedule.cqc_provider_id
        )
        schedules = (await session.execute(listed.order_by(ReportSchedule.created_at, ReportSchedule.id))).all()
        readers: dict[Any, list[str]] = {}
        named = select(ReportReader.schedule_id, StaffMember.display_name).join(
            StaffMember,
            and_(StaffMember.tenant_id == ReportReader.tenant_id, StaffMember.id == ReportReader.staff_member_id),
        )
        for schedule_id, name in await session.execute(named.order_by(StaffMember.display_name, StaffMember.id)):
            readers.setdefault(schedule_id, []).append(name)
    tables = {}
    for key, caption, does, active in (("running", "Running", "Pause", True), ("paused", "Paused", "Go on", False)):
        rows, buttons = [], []
        for row, provider in schedules:
            if row.active is active:
                title = DEFINITIONS[row.kind].title
                after = telling.long_day(row.next_first_day)
                rows.append((title, provider or "The whole programme", RHYTHMS[row.every], after, readers.get(row.id)))
                path = f"{HOME}/{row.id}/{'pause' if active else 'resume'}?version={row.version}"
                buttons.append(Button(path, title))
        headings = ("Report", "About", "How often", "Next period from", "For")
        nothing = "None is running. Add one to have a report made regularly." if active else "None is paused."
        writes = _may_write(request)
        tables[key] = Table(
            caption, headings, rows, f"{HOME}/{key}.csv", (), nothing, does if writes else "", buttons if writes else ()
        )
    return tables


async def report_schedule_add(request: Request) -> Response:
    """Add one."""
    if request.method == "GET":
        return await _add_page(request, 200, [], None)
    form = await form_of(request)
    try:
        named = form.text("named") == "yes" and principal_here(request).may(Permission.PEOPLE_READ)
        given = operations.Schedule(
            form.text("kind"), form.text("every"), keys(form, "readers"), named, form.text("provider") or None
        )
        if given.kind in DEFINITIONS and not access.may_ask(
            DEFINITIONS[given.kind], principal_here(request).permissions
        ):
            raise HTTPException(404)
        async with tenant_work(request) as work:
            await operations.add_schedule(work, given)
    except (TrainingRefusal, Invalid) as error:
        return await _add_page(request, 422, [problem_of(error, FIELDS)], form)
    return redirect(HOME, done="report-schedule-added")


async def _add_page(request: Request, status: int, problems: list[Problem], form: Form | None) -> Response:
    permissions = principal_here(request).permissions
    async with tenant_reads(request) as session:
        listed = await providers(session)
        present = select(StaffMember.id, StaffMember.display_name).where(StaffMember.ended_at.is_(None))
        staff = [
            (row.id, row.display_name) for row in await session.execute(present.order_by(StaffMember.display_name))
        ]
    kinds = [one for one in DEFINITIONS.values() if access.may_ask(one, permissions)]
    values = {"named": "no"} if form is None else typed(form, FIELDS) | {"readers": form.texts("readers")}
    fields = [
        *what_fields(kinds, listed, Permission.PEOPLE_READ in permissions),
        Field("one", "every", "How often", options=list(RHYTHMS.items())),
        Field(
            "many", "readers", "For whom", "They see it marked as theirs in the list, if their role opens it.", staff
        ),
    ]
    return report(
        request,
        "Add a report that comes by itself",
        status=status,
        problems=problems,
        values=values,
        back=Link("Back to the list", HOME),
        forms=[ShortForm(f"{HOME}/add", "Add it", fields)],
    )


async def report_schedule_pause(request: Request) -> Response:
    """Pause a schedule, or let it go on."""
    await form_about(request, ReportSchedule, request.path_params["schedule_id"])
    version = request.query_params.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise HTTPException(400)
    active = request.url.path.endswith("/resume")
    try:
        async with tenant_work(request) as work:
            await operations.pause_schedule(work, request.path_params["schedule_id"], int(version), active=active)
    except TrainingRefusal as refusal:
        if refusal.code == "NO_SUCH_SCHEDULE":
            raise HTTPException(404) from refusal
        return report(
            request,
            "Reports that come by themselves",
            status=422,
            problems=[Problem("", refusal.message)],
            back=Link("Back to reports", REPORTS),
            tables=(await _tables(request)).values(),
        )
    return redirect(HOME, done="report-schedule-resumed" if active else "report-schedule-paused")


_READ, _WRITE = Permission.EVIDENCE_READ, Permission.GOVERNANCE_WRITE
_ID = "/reports/schedules/{schedule_id:uuid}"

ROUTES = [
    page("/reports/schedules", report_schedules, needs=_READ, also=Permission.GOVERNANCE_READ),
    page("/reports/schedules/add", report_schedule_add, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_ID}/pause", report_schedule_pause, needs=_WRITE, methods=("POST",)),
    page(f"{_ID}/resume", report_schedule_pause, needs=_WRITE, methods=("POST",)),
    page("/reports/schedules/{table}.csv", report_schedules_file, needs=_READ, also=Permission.GOVERNANCE_READ),
]
