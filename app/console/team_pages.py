"""The programme's team and the venues."""

from typing import Any

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, form_of, page, redirect, render, tenant_reads, tenant_work
from app.console.session_words import PROFESSIONS, TEAM_ROLES
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, day, decimal, may_write, number, problem_of, typed, version_of
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.sessions.models import TeamMember, Venue
from app.training.sessions.team import Member, Place, save_member, save_venue

MEMBER_FIELDS = (
    "name",
    "profession",
    "whole_time_equivalent",
    "registration_body",
    "registration_number",
    "started_on",
    "ended_on",
)
VENUE_FIELDS = ("name", "address", "postcode", "local_authority", "capacity", "access_features", "day_cost")


async def team(request: Request) -> Response:
    """Who leads sessions, and where they are held."""
    return render(
        request,
        "team.jinja",
        team=await _team(request),
        venues=await _venues(request),
        writes=may_write(request),
    )


async def team_file(request: Request) -> Response:
    """The team as a CSV."""
    return csv_of("team.csv", await _team(request))


async def venues_file(request: Request) -> Response:
    """The venues as a CSV."""
    return csv_of("venues.csv", await _venues(request))


async def _team(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = (await session.scalars(select(TeamMember).order_by(TeamMember.name, TeamMember.id))).all()
    return Table(
        "The team",
        ("Name", "Profession", "Does", "Whole-time equivalent", "Registered", "Since", "Until"),
        [
            (
                Link(row.name, f"/console/team/{row.id}"),
                PROFESSIONS[row.profession],
                [TEAM_ROLES[role] for role in row.roles],
                row.whole_time_equivalent,
                "Yes" if row.registration_number else "Number is missing",
                row.started_on,
                row.ended_on,
            )
            for row in rows
        ],
        "/console/team/team.csv",
        numeric=(3,),
        nothing="Nobody is in the team yet.",
    )


async def _venues(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = (await session.scalars(select(Venue).order_by(Venue.name))).all()
    return Table(
        "Venues",
        ("Venue", "Postcode", "Local authority", "Holds", "Easy to use because of"),
        [
            (
                Link(row.name, f"/console/venues/{row.id}"),
                row.postcode,
                row.local_authority,
                row.capacity,
                row.access_features,
            )
            for row in rows
        ],
        "/console/team/venues.csv",
        numeric=(3,),
        nothing="There is no venue yet.",
    )


async def team_add(request: Request) -> Response:
    """Add somebody to the team."""
    return await _member(request, None)


async def team_member(request: Request) -> Response:
    """Change somebody of the team."""
    async with tenant_reads(request) as session:
        found = select(TeamMember).where(TeamMember.id == request.path_params["member_id"])
        row = (await session.scalars(found)).first()
    if row is None:
        raise HTTPException(404)
    return await _member(request, row)


async def _member(request: Request, row: TeamMember | None) -> Response:
    values: dict[str, Any] = {"roles": [] if row is None else row.roles}
    if row is not None:
        values |= {name: getattr(row, name) if getattr(row, name) is not None else "" for name in MEMBER_FIELDS}
        values |= {"version": row.version}
    if request.method == "GET":
        return _member_form(request, row, 200, [], values)
    form = await form_of(request)
    try:
        told = Member(
            name=form.text("name"),
            profession=form.text("profession"),
            roles=tuple(form.texts("roles")),
            whole_time_equivalent=decimal(form, "whole_time_equivalent"),
            registration_body=form.text("registration_body").strip() or None,
            registration_number=form.text("registration_number").strip() or None,
            started_on=day(form, "started_on"),
            ended_on=day(form, "ended_on"),
        )
        async with tenant_work(request) as work:
            await save_member(work, told, row.id if row else None, version_of(form) if row else 0)
    except (TrainingRefusal, Invalid) as error:
        shown = typed(form, MEMBER_FIELDS) | {"roles": form.texts("roles"), "version": form.text("version")}
        return _member_form(request, row, 422, [problem_of(error, (*MEMBER_FIELDS, "roles"))], shown)
    return redirect("/console/team", done="team-saved")


def _member_form(
    request: Request, row: TeamMember | None, status: int, problems: list[Problem], values: dict[str, Any]
) -> Response:
    return render(
        request,
        "team_member.jinja",
        status=status,
        problems=problems,
        values=values,
        row=row,
        professions=PROFESSIONS,
        roles=TEAM_ROLES,
    )


async def venue_add(request: Request) -> Response:
    """Add a venue."""
    return await _venue(request, None)


async def venue(request: Request) -> Response:
    """Change a venue."""
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(Venue).where(Venue.id == request.path_params["venue_id"]))).first()
    if row is None:
        raise HTTPException(404)
    return await _venue(request, row)


async def _venue(request: Request, row: Venue | None) -> Response:
    values: dict[str, Any] = {}
    if row is not None:
        values = {name: getattr(row, name) if getattr(row, name) is not None else "" for name in VENUE_FIELDS}
        values |= {"access_features": ", ".join(row.access_features), "version": row.version}
    if request.method == "GET":
        return render(request, "venue.jinja", row=row, values=values)
    form = await form_of(request)
    try:
        told = Place(
            name=form.text("name"),
            address=form.text("address").strip() or None,
            postcode=form.text("postcode").strip().upper() or None,
            local_authority=form.text("local_authority").strip() or None,
            capacity=number(form, "capacity"),
            access_features=tuple(filter(None, (part.strip() for part in form.text("access_features").split(",")))),
            day_cost=decimal(form, "day_cost"),
        )
        async with tenant_work(request) as work:
            await save_venue(work, told, row.id if row else None, version_of(form) if row else 0)
    except (TrainingRefusal, Invalid) as error:
        shown = typed(form, VENUE_FIELDS) | {"version": form.text("version")}
        return render(
            request, "venue.jinja", status=422, problems=[problem_of(error, VENUE_FIELDS)], row=row, values=shown
        )
    return redirect("/console/team", done="venue-saved")


_WRITE = Permission.TRAINING_WRITE

ROUTES = [
    page("/team", team, needs=Permission.TRAINING_READ),
    page("/team/team.csv", team_file, needs=Permission.TRAINING_READ),
    page("/team/venues.csv", venues_file, needs=Permission.TRAINING_READ),
    page("/team/add", team_add, needs=_WRITE, methods=("GET", "POST")),
    page("/team/{member_id:uuid}", team_member, needs=_WRITE, methods=("GET", "POST")),
    page("/venues/add", venue_add, needs=_WRITE, methods=("GET", "POST")),
    page("/venues/{venue_id:uuid}", venue, needs=_WRITE, methods=("GET", "POST")),
]
