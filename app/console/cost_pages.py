"""Costs: streams, pools, time, what sessions and units cost; and the equity report. What is missing is listed."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_pages import today_of
from app.console.governance_words import ACTIVITIES, DIMENSIONS, MEASURES
from app.console.pages import Problem, form_of, page, principal_here, redirect, services_of, tenant_reads, tenant_work
from app.console.reports import Field, Filter, ShortForm, one_file, report
from app.console.stream_pages import HOME, may_spend
from app.console.tables import Link, Table
from app.console.training_forms import SETTINGS, Invalid, needed_key, number, problem, typed
from app.governance.equity import SMALLEST, equity
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.funding import costs, operations
from app.training.funding.models import FundingStream
from app.training.funding.rules import UnitCost
from app.training.models import Programme, Tier
from app.training.sessions.models import TeamMember

FIELDS = ("session", "team_member", "activity", "minutes")
YEARS_BACK = 5


def _year(request: Request) -> int:
    present, asked = today_of(request).year, request.query_params.get("year", "")
    years = range(present - YEARS_BACK, present + 2)
    return int(asked) if asked in set(map(str, years)) else present


async def money(request: Request) -> Response:
    """What things cost in a year."""
    return await _page(request, 200, [], {})


async def _page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    year, tables, forms, actions = _year(request), await _tables(request), [], []
    if may_spend(request):
        actions = [Link("Add a licence pool", f"{HOME}/pools/add"), Link("Add a funding stream", f"{HOME}/streams/add")]
        forms = [ShortForm(f"{HOME}/time", "Log the time", await _fields(request, year), "Log time on a session")]
    present = today_of(request).year
    years = [(one, str(one)) for one in range(present + 1, present - YEARS_BACK - 1, -1)]
    return report(
        request,
        "Costs",
        status=status,
        problems=problems,
        values=values,
        intro=[
            "All amounts are pounds, from what is stored. Cost of a session = hours × rate of the profession + a day "
            "at the venue. What is not known is listed and never counted as nothing.",
            "Money of funders and what was spent are shown apart and never added up.",
        ],
        actions=actions,
        links=[Link("Rates of staff", f"{HOME}/rates")],
        narrowed=Filter(HOME, "year", "Year", years, str(year), f"{present}"),
        tables=tables.values(),
        forms=forms,
        query=f"?year={year}",
    )


async def _fields(request: Request, year: int) -> list[Field]:
    async with tenant_reads(request) as session:
        held = await costs.session_costs(session, date(year, 1, 1), date(year, 12, 31), services_of(request).clock())
        team = await session.scalars(select(TeamMember).where(TeamMember.ended_on.is_(None)).order_by(TeamMember.name))
        members = [(row.id, row.name) for row in team]
    sessions = [(row.inputs.session_id, f"{row.inputs.title}, {row.inputs.day:%-d %B %Y}") for row in reversed(held)]
    return [
        Field("choice", "session", "Session", options=sessions),
        Field("choice", "team_member", "Who", options=members),
        Field("choice", "activity", "For what", options=list(ACTIVITIES.items())),
        Field("text", "minutes", "Minutes", "Told again for the same, the later number holds."),
    ]


async def money_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    return one_file(request, await _tables(request))


async def _tables(request: Request) -> dict[str, Table]:
    year = _year(request)
    first, last = date(year, 1, 1), date(year, 12, 31)
    async with tenant_reads(request) as session:
        units = await costs.unit_costs(session, first, last, services_of(request).clock())
        held = await costs.session_costs(session, first, last, services_of(request).clock())
        accounts = await costs.pool_accounts(session)
        streams = list(
            await session.scalars(select(FundingStream).order_by(FundingStream.starts_on.desc(), FundingStream.id))
        )
    missing = [(one.inputs.day, one.inputs.title, each.message) for one in held for each in one.missing]
    return {
        "units": Table(
            f"Cost of one, by quarter of {year}",
            ("What", "Quarter", "Each", "People", "Staff", "Venues", "Licences", "With all inputs"),
            [
                (
                    MEASURES[row.measure], row.quarter, _told(row.each), row.units, *_parts(row),
                    f"{row.complete} of {row.things}",
                )
                for row in units
            ],
            f"{HOME}/units.csv",
            (2, 3, 4, 5, 6),
        ),
        "sessions": Table(
            f"Sessions of {year}",
            ("Day", "Session", "People", "Staff", "Venue", "Total", "Each", "Staff time, %"),
            [
                (
                    row.inputs.day, row.inputs.title, row.inputs.attendees, _told(row.staff), _told(row.venue),
                    _told(row.total), _told(row.per_attendee), _told(row.staff_share),
                )
                for row in held
            ],
            f"{HOME}/sessions.csv",
            (2, 3, 4, 5, 6, 7),
        ),
        "missing": Table(
            "What is missing", ("Day", "Session", "What to do"), missing, f"{HOME}/missing.csv",
            nothing="Every session has all its inputs.",
        ),
        "pools": Table(
            "Licence pools",
            ("Pool", "Seats", "Used", "Enrolments charged", "Waiting", "Left", "Agrees"),
            [
                (
                    Link(row.name, f"{HOME}/pools/{row.pool_id}"), row.seats, row.used, row.charged, row.waiting,
                    row.free, row.reconciles,
                )
                for row in accounts
            ],
            f"{HOME}/pools.csv",
            (1, 2, 3, 4, 5),
            "There is no licence pool yet.",
        ),
        "streams": Table(
            "Funding streams",
            ("Stream", "Funder", "Pounds", "From", "To", "For staff of"),
            [
                (
                    Link(row.name, f"{HOME}/streams/{row.id}"), row.funder, f"{row.amount:,}", row.starts_on,
                    row.ends_on,
                    [SETTINGS[setting] for setting in row.eligible_settings] or "All settings",
                )
                for row in streams
            ],
            f"{HOME}/streams.csv",
            (2,),
            "There is no funding stream yet.",
        ),
    }  # fmt: skip


def _parts(row: UnitCost) -> list[Any]:
    return [_told(part if row.complete else None) for part in (row.staff, row.venue, row.licences)]


def _told(amount: Decimal | None) -> Any:
    return "Not known" if amount is None else f"{amount:,}"


async def time_log(request: Request) -> Response:
    """Log time on a session."""
    form = await form_of(request)
    try:
        session_id = needed_key(form, "session", "the session")
        member_id = needed_key(form, "team_member", "who it was")
        minutes = number(form, "minutes")
        if minutes is None:
            raise Invalid("minutes", "Enter how many minutes it took.")
        async with tenant_work(request) as work:
            await operations.log_time(work, session_id, member_id, form.text("activity"), minutes)
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(HOME, done="time-logged")


async def fairness(request: Request) -> Response:
    """Who has what they need, by group."""
    tiers, chosen = await _tiers(request)
    tables = await _equity(request, chosen)
    return report(
        request,
        "Equity",
        intro=[
            "People in post who need the tier, and those of them who have it. Somebody with two posts counts in each.",
            f"Numbers from 1 to {SMALLEST - 1} are not shown, nor others that would give them away.",
        ],
        narrowed=Filter("/console/equity", "tier", "Tier", tiers, str(chosen or ""), "First tier"),
        tables=tables.values(),
        query=f"?tier={chosen}" if chosen else "",
    )


async def fairness_file(request: Request) -> Response:
    """One dimension as a CSV."""
    return one_file(request, await _equity(request, (await _tiers(request))[1]))


async def _tiers(request: Request) -> tuple[list[tuple[Any, str]], Any]:
    async with tenant_reads(request) as session:
        rows = await session.execute(
            select(Tier.id, Tier.name, Programme.name)
            .join(Programme, (Programme.tenant_id == Tier.tenant_id) & (Programme.id == Tier.programme_id))
            .order_by(Programme.created_at, Programme.id, Tier.position)
        )
        tiers = [(row[0], f"{row[1]}, {row[2]}") for row in rows]
    asked = request.query_params.get("tier", "")
    return tiers, next((tier for tier, _ in tiers if str(tier) == asked), tiers[0][0] if tiers else None)


async def _equity(request: Request, tier: Any) -> dict[str, Table]:
    if tier is None:
        return {}
    tenant_id = principal_here(request).tenant_id
    assert tenant_id is not None
    async with tenant_reads(request) as session:
        found = await equity(session, tenant_id, tier, today_of(request))
    return {
        one.name: Table(
            DIMENSIONS[one.name],
            ("Group", "Need it", "Have it", "Per cent"),
            [
                *((_group(one.name, cell.group), *_numbers(cell)) for cell in one.cells),
                ("Everybody", *_numbers(one)),
            ],
            f"/console/equity/{one.name}.csv",
            (1, 2, 3),
        )
        for one in found
    }


def _group(dimension: str, group: str) -> str:
    if group == "unknown":
        return "Not known"
    if dimension == "rurality":
        return group.capitalize()
    return SETTINGS.get(group, group) if dimension == "setting" else group


def _numbers(of: Any) -> tuple[Any, Any, Any]:
    if of.needing is None:
        return ("Not shown", "Not shown", "Not shown")
    return (of.needing, of.having, "–" if of.percent is None else of.percent)


_READ = Permission.FINANCE_READ

ROUTES = [
    page("/costs", money, needs=_READ),
    page("/costs/time", time_log, needs=Permission.FINANCE_WRITE, methods=("POST",)),
    page("/costs/{table}.csv", money_file, needs=_READ),
    page("/equity", fairness, needs=Permission.EVIDENCE_READ),
    page("/equity/{table}.csv", fairness_file, needs=Permission.EVIDENCE_READ),
]
