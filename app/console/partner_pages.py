"""Councils as partners: who joined when, as a timeline; each one's steps, and the agreement to share data."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_pages import may_govern, today_of
from app.console.governance_words import PARTNERSHIP_STAGES
from app.console.pages import Problem, form_of, page, redirect, render, tenant_reads
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    Invalid,
    chosen_word,
    day,
    form_about,
    needed_day,
    needed_key,
    tried,
    typed,
    version_of,
)
from app.directory.models import CqcLocation, TenantLocation
from app.governance import partnerships
from app.governance.models import PartnerOrganisation, Partnership
from app.governance.partnerships import Adopted, Agreement
from app.governance.rules import names_are_shared
from app.identity.permissions import Permission
from tenants.session import UnitOfWork

HOME = "/console/governance/partners/timeline"
BACK = Link("Back to the timeline", HOME)
FIELDS = ("partner", "local_authority", "step", "on", "reference", "until")
STEPS = {
    "agreed": "The council agreed",
    "agreement_signed": "The data sharing agreement was signed",
    "live": "The council went live: it sends news and its providers take part",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A step on the line, at percent of the width."""

    x: float
    stage: str


@dataclass(frozen=True, slots=True)
class Row:
    """A partner's line: where its activity begins and ends in percent (None: none yet), and its steps."""

    partner: Adopted
    x: float | None
    width: float
    marks: list[Mark]


def drawn(partners: list[Adopted], today: date) -> tuple[date, list[Row]]:
    """The first day of the timeline, which ends today, and the lines on it."""
    days = [day for one in partners for day in (one.steps.invited_on, one.first_activity_on) if day is not None]
    begins = min([*days, today])
    whole = max((today - begins).days, 1)

    def at(day: date) -> float:
        return round(min(max(100 * (day - begins).days / whole, 0), 100), 2)

    rows = []
    for one in partners:
        steps = one.steps
        until = steps.ended_on or today
        named = {
            "invited": steps.invited_on,
            "agreement_signed": steps.agreement_signed_on,
            "live": steps.live_on,
        }
        marks = [Mark(at(day), stage) for stage, day in named.items() if day is not None and day <= today]
        first = one.first_activity_on
        x = at(first) if first is not None and first <= until else None
        rows.append(Row(one, x, round(at(until) - x, 2) if x is not None else 0.0, marks))
    return begins, rows


async def timeline(request: Request) -> Response:
    """Partners by first activity, as a drawing and as a table, and a form for the next one."""
    return await _timeline_page(request, [], {})


async def _timeline_page(request: Request, problems: list[Problem], values: dict[str, object]) -> Response:
    today = today_of(request)
    async with tenant_reads(request) as session:
        partners = await partnerships.adoption(session, today)
        known = [one.partner_id for one in partners]
        councils = await session.execute(
            select(PartnerOrganisation.id, PartnerOrganisation.name)
            .where(PartnerOrganisation.kind == "council", PartnerOrganisation.id.not_in(known))
            .order_by(PartnerOrganisation.name)
        )
        free = [(row.id, row.name) for row in councils]
        authorities = await session.scalars(
            select(CqcLocation.local_authority)
            .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
            .where(CqcLocation.local_authority.is_not(None))
            .distinct()
            .order_by(CqcLocation.local_authority)
        )
        names = [(name, name) for name in authorities if name]
    begins, rows = drawn(partners, today)
    forms = []
    if may_govern(request) and free:
        fields = [
            Field("choice", "partner", "Council", options=free),
            Field("choice", "local_authority", "Its area", "The council as CQC names it.", names),
            Field("date", "on", "Invited on"),
        ]
        forms = [ShortForm(f"{HOME}/invite", "Begin", fields, "Invite a council")]
    return render(
        request,
        "partner_timeline.jinja",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        begins=begins,
        today=today,
        rows=rows,
        table=_table(partners),
        forms=forms,
        adds=may_govern(request) and not free,
        stages=PARTNERSHIP_STAGES,
    )


def _table(partners: list[Adopted]) -> Table:
    rows = [
        (
            Link(one.name, f"/console/governance/partners/{one.id}"),
            PARTNERSHIP_STAGES[one.stage],
            one.first_activity_on,
            one.steps.invited_on,
            one.steps.agreed_on,
            one.steps.agreement_signed_on,
            one.steps.live_on,
        )
        for one in partners
    ]
    headings = ("Council", "Now", "First activity", "Invited", "Agreed", "Agreement signed", "Live")
    nothing = "No council has been invited yet."
    return Table("Councils and when they joined", headings, rows, f"{HOME}/all.csv", nothing=nothing)


async def timeline_file(request: Request) -> Response:
    """The same as a CSV."""
    async with tenant_reads(request) as session:
        return csv_of("adoption.csv", _table(await partnerships.adoption(session, today_of(request))))


async def partner_invite(request: Request) -> Response:
    """Begin a partnership."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        partner_id = needed_key(form, "partner", "a council")
        authority = form.text("local_authority")
        return await partnerships.invite(work, partner_id, authority, needed_day(form, "on", "when it was invited"))

    outcome = await tried(request, FIELDS, change)
    if isinstance(outcome, Problem):
        return await _timeline_page(request, [outcome], dict(typed(form, FIELDS)))
    return redirect(f"/console/governance/partners/{outcome}", done="partnership-begun")


async def partner(request: Request) -> Response:
    """One council: its steps, and whether names are shared."""
    return await _partner_page(request, [], {})


async def _partner_page(request: Request, problems: list[Problem], values: dict[str, object]) -> Response:
    today = today_of(request)
    async with tenant_reads(request) as session:
        found = (
            await session.scalars(select(Partnership).where(Partnership.id == request.path_params["partnership_id"]))
        ).one_or_none()
        if found is None:
            raise HTTPException(404)
        name = (
            await session.scalars(
                select(PartnerOrganisation.name).where(PartnerOrganisation.id == found.partner_organisation_id)
            )
        ).one()
    steps = partnerships.steps_of(found)
    shared = names_are_shared(steps, today)
    until = f"until {found.agreement_until:%-d %B %Y}" if found.agreement_until else "without an end that was agreed"
    path = f"/console/governance/partners/{found.id}"
    forms = []
    if may_govern(request) and found.ended_on is None:
        forms = [
            ShortForm(
                f"{path}/step",
                "Enter",
                [
                    Field("choice", "step", "What has come about", options=list(STEPS.items())),
                    Field("date", "on", "On"),
                    Field("text", "reference", "Where the signed agreement is kept", "Needed for the agreement."),
                    Field("date", "until", "The agreement’s last day (optional)"),
                ],
                "Enter a step",
                found.version,
            ),
            ShortForm(f"{path}/end", "End the partnership", [], "End it", found.version, second=True),
        ]
    return report(
        request,
        name,
        caption="Council partner",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=BACK,
        intro=[
            f"The data sharing agreement is in force {until}. The council’s staff see names of people in the own area."
            if shared
            else "No data sharing agreement is in force. The council’s staff see figures of the own area, and no names."
        ],
        facts=[
            ("Area", found.local_authority),
            ("Invited", found.invited_on),
            ("Agreed", found.agreed_on),
            ("Agreement signed", found.agreement_signed_on),
            ("Agreement kept at", found.agreement_reference),
            ("Live", found.live_on),
            ("Ended", found.ended_on),
        ],
        forms=forms,
    )


async def partner_step(request: Request) -> Response:
    """Enter a step."""
    form = await form_about(request, Partnership, request.path_params["partnership_id"])

    async def change(work: UnitOfWork) -> None:
        step = chosen_word(form, "step", STEPS, "what has come about")
        on = needed_day(form, "on", "on which day")
        agreement = Agreement(form.text("reference").strip() or None, day(form, "until"))
        if step != "agreement_signed" and agreement != Agreement():
            raise Invalid("reference", "Only a signed agreement is kept somewhere and ends. Leave both empty.")
        await partnerships.enter_step(
            work, request.path_params["partnership_id"], step, on, version_of(form), agreement
        )

    return await _changed(request, await tried(request, FIELDS, change), dict(typed(form, FIELDS)), "changed")


async def partner_end(request: Request) -> Response:
    """End the partnership."""
    form = await form_about(request, Partnership, request.path_params["partnership_id"])

    async def change(work: UnitOfWork) -> None:
        await partnerships.end(work, request.path_params["partnership_id"], version_of(form))

    return await _changed(request, await tried(request, FIELDS, change), {}, "ended")


async def _changed(request: Request, outcome: Problem | None, values: dict[str, object], what: str) -> Response:
    if isinstance(outcome, Problem):
        return await _partner_page(request, [outcome], values)
    return redirect(f"/console/governance/partners/{request.path_params['partnership_id']}", done=f"partnership-{what}")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE
_ONE = "/governance/partners/{partnership_id:uuid}"

ROUTES = [
    page("/governance/partners/timeline", timeline, needs=_READ),
    page("/governance/partners/timeline/all.csv", timeline_file, needs=_READ),
    page("/governance/partners/timeline/invite", partner_invite, needs=_WRITE, methods=("POST",)),
    page(_ONE, partner, needs=_READ),
    page(f"{_ONE}/step", partner_step, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/end", partner_end, needs=_WRITE, methods=("POST",)),
]
