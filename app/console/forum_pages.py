"""Forums: those that were and that come, with what became of them; the minutes and the actions of one."""

from typing import Any

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import held_first
from app.console.governance_pages import BACK, HOME, may_govern, page_of, sees_names, today_of
from app.console.governance_words import ITEM_STATES
from app.console.pages import LARGEST_BODY, Problem, form_of, page, redirect, services_of, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import problem, typed, version_of
from app.governance import items
from app.governance.models import ForumMinutes, GovernanceItem, PartnerOrganisation
from app.governance.rules import CLOSED, overdue
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession

FORUMS = f"{HOME}/forums"
SHOWN = 300


async def forums(request: Request) -> Response:
    """All forums, those that were held first."""
    return report(
        request,
        "Forums",
        back=BACK,
        intro=["A forum is planned as a session. Here are its minutes, and the actions that it asked for."],
        tables=[await _forums(request)],
    )


async def forums_file(request: Request) -> Response:
    """The forums as a CSV."""
    return csv_of("forums.csv", await _forums(request))


async def _forums(request: Request) -> Table:
    asked = and_(GovernanceItem.tenant_id == TrainingSession.tenant_id, GovernanceItem.session_id == TrainingSession.id)
    unfinished = func.count(GovernanceItem.id).filter(GovernanceItem.status.not_in(CLOSED))
    listed = (
        select(TrainingSession, ForumMinutes.written_at, func.count(GovernanceItem.id), unfinished)
        .outerjoin(
            ForumMinutes,
            and_(ForumMinutes.tenant_id == TrainingSession.tenant_id, ForumMinutes.session_id == TrainingSession.id),
        )
        .outerjoin(GovernanceItem, asked)
        .where(TrainingSession.kind == "forum")
        .group_by(TrainingSession.tenant_id, TrainingSession.id, ForumMinutes.written_at)
        .order_by(*held_first(services_of(request).clock()))
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Forums: those that were held, then those to come",
        ("Forum", "Begins", "Minutes", "Actions", "Of them open"),
        [
            (Link(row.title, f"{FORUMS}/{row.id}"), row.starts_at, "Written" if written else "None yet", count, still)
            for row, written, count, still in rows
        ],
        f"{FORUMS}/all.csv",
        (3, 4),
        "There is no forum yet. Plan a session of the kind “Champions’ forum”.",
    )


async def forum(request: Request) -> Response:
    """One forum with its minutes and actions."""
    return await _forum_page(request, 200, [], {})


async def forum_file(request: Request) -> Response:
    """The actions of a forum as a CSV."""
    row, _ = await _forum(request)
    return csv_of("actions.csv", await _actions(request, row))


async def _forum(request: Request) -> tuple[TrainingSession, ForumMinutes | None]:
    session_id = request.path_params["session_id"]
    async with tenant_reads(request) as session:
        found = select(TrainingSession).where(TrainingSession.id == session_id, TrainingSession.kind == "forum")
        row = (await session.scalars(found)).first()
        if row is None:
            raise HTTPException(404)
        kept = select(ForumMinutes).where(ForumMinutes.session_id == session_id)
        return row, (await session.scalars(kept)).first()


async def _actions(request: Request, row: TrainingSession) -> Table:
    today, names = today_of(request), sees_names(request)
    owner = and_(
        PartnerOrganisation.tenant_id == GovernanceItem.tenant_id,
        PartnerOrganisation.id == GovernanceItem.owner_organisation_id,
    )
    listed = (
        select(GovernanceItem, PartnerOrganisation.name)
        .join(PartnerOrganisation, owner)
        .where(GovernanceItem.session_id == row.id)
        .order_by(GovernanceItem.due_on, GovernanceItem.id)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Actions",
        ("What", "Owner", "Organisation", "Due", "State"),
        [
            (
                Link(item.title, page_of(item.kind, item.id)),
                item.owner if names else None,
                organisation,
                item.due_on,
                "Overdue" if overdue(item.due_on, item.status, today) else ITEM_STATES[item.status],
            )
            for item, organisation in rows
        ],
        f"{FORUMS}/{row.id}/actions.csv",
        nothing="This forum has asked for nothing yet.",
    )


async def _forum_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    row, minutes = await _forum(request)
    names, writes = sees_names(request), may_govern(request)
    if minutes is None:
        written = "There are no minutes yet."
    else:
        written = minutes.text if names else "Minutes may name people, so your role does not show them."
    facts: list[tuple[str, Any]] = [
        ("Begins", row.starts_at),
        ("Session", Link("Agenda, bookings and who was there", f"/console/sessions/{row.id}")),
        ("Minutes written", minutes.written_at if minutes else None),
    ]
    fields = [Field("long", "text", "What was said and decided", "Name as few people as you can.", rows=12)]
    version = minutes.version if minutes else 0
    heading = "Change the minutes" if minutes else "Write the minutes"
    write = ShortForm(f"{FORUMS}/{row.id}/minutes", "Save", fields, heading, version)
    add = Link("Add an action", f"{HOME}/items/add?kind=forum_action&session={row.id}")
    return report(
        request,
        row.title,
        status=status,
        problems=problems,
        values={"text": minutes.text if minutes else ""} | values,
        caption="Champions’ forum",
        back=Link("Back to forums", FORUMS),
        facts=facts,
        actions=[add] if writes else [],
        texts=[("Minutes", written)],
        tables=[await _actions(request, row)],
        forms=[write] if writes and names else [],
    )


async def forum_minutes(request: Request) -> Response:
    """Write the minutes, or change them."""
    form = await form_of(request)
    row, _ = await _forum(request)
    try:
        async with tenant_work(request) as work:
            await items.write_minutes(work, row.id, form.text("text"), version=version_of(form))
    except TrainingRefusal as refusal:
        return await _forum_page(request, 422, [problem(refusal, ("text",))], typed(form, ("text",)))
    return redirect(f"{FORUMS}/{row.id}", done="minutes-written")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE
_LARGEST = 4 * LARGEST_BODY
"""The longest minutes, whatever they are written in."""
_FORUM = "/governance/forums/{session_id:uuid}"

ROUTES = [
    page("/governance/forums", forums, needs=_READ),
    page("/governance/forums/all.csv", forums_file, needs=_READ),
    page(_FORUM, forum, needs=_READ),
    page(f"{_FORUM}/actions.csv", forum_file, needs=_READ),
    page(
        f"{_FORUM}/minutes",
        forum_minutes,
        needs=_WRITE,
        also=Permission.PEOPLE_READ,
        methods=("POST",),
        largest_body=_LARGEST,
    ),
]
