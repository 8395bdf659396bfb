"""Campaigns: the list, and one with its text, whom it reaches, who approves it, and what became of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.campaign_words import CLASSES, CONTACT_ROLES, FUNNEL, REACH, STATES, WHO
from app.console.pages import (
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_look,
    tenant_reads,
)
from app.console.reports import report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import tried, version_of
from app.console.training_words import SETTINGS
from app.directory.models import ProviderGroup
from app.identity.models import StaffMember
from app.identity.permissions import Permission
from app.messaging import campaigns
from app.messaging.funnels import funnel
from app.messaging.letters import text_of
from app.messaging.models import Campaign
from app.messaging.reaching import reach
from app.messaging.segments import Segment, read_segment
from app.training.errors import TrainingRefusal
from app.training.models import Tier, TrainingSession
from tenants.base import among
from tenants.session import UnitOfWork

HOME = "/console/campaigns"
BEFORE = ("draft", "submitted", "approved")
SHOWN = 500


def may_campaign(request: Request) -> bool:
    """Whether the person may write campaigns and approve those of others."""
    return principal_here(request).may(Permission.MESSAGES_WRITE)


async def campaign_list(request: Request) -> Response:
    """All campaigns, the latest first."""
    actions = [Link("Write a campaign", f"{HOME}/write")] if may_campaign(request) else []
    return report(
        request,
        "Campaigns",
        intro=["Messages to many at once, sent in your organisation’s name. One person writes, another approves."],
        actions=actions,
        links=[Link("Contacts of providers", "/console/contacts")],
        tables=[await _campaigns(request)],
    )


async def campaign_list_file(request: Request) -> Response:
    """The list as a CSV."""
    return csv_of("campaigns.csv", await _campaigns(request))


async def _campaigns(request: Request) -> Table:
    latest = select(Campaign).order_by(Campaign.created_at.desc(), Campaign.id).limit(SHOWN)
    async with tenant_reads(request) as session:
        rows = (await session.scalars(latest)).all()
    return Table(
        "Campaigns, the latest first",
        ("Campaign", "Kind", "State", "Begins", "Copies"),
        [
            (
                Link(row.name, f"{HOME}/{row.id}"),
                CLASSES[row.message_class],
                STATES[row.state][0],
                row.starts_at,
                row.recipients,
            )
            for row in rows
        ],
        f"{HOME}/all.csv",
        (4,),
        "There is no campaign yet. Add contacts of providers, then write one.",
    )


async def the_campaign(request: Request) -> Campaign:
    """The campaign that the address names. HTTPException 404."""
    async with tenant_reads(request) as session:
        wanted = select(Campaign).where(Campaign.id == request.path_params["campaign_id"])
        found = (await session.scalars(wanted)).first()
    if found is None:
        raise HTTPException(404)
    return found


async def one_campaign(request: Request) -> Response:
    """One campaign."""
    return await _page(request, await the_campaign(request))


async def _page(request: Request, row: Campaign, problem: Problem | None = None) -> Response:
    async with tenant_look(request) as work:
        segment = read_segment(row.segment)
        counts = asdict(await reach(work, segment, row.message_class)) if row.state in BEFORE else None
        letter, no_sender = None, None
        try:
            services = services_of(request)
            letter = await campaigns.preview(work, row, services.settings.base_url, services.vault)
        except TrainingRefusal as refusal:
            no_sender = refusal.message
        people = await _staff(work, [row.written_by, row.approved_by])
        whom = await _whom(work, segment)
        sessions = await _sessions(work, row)
    table = await _funnel(request, row) if row.state not in BEFORE else None
    return render(
        request,
        "campaign.jinja",
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        row=row,
        state=STATES[row.state],
        kind=CLASSES[row.message_class],
        whom=whom,
        sessions=sessions,
        written_by=people.get(row.written_by, "A partner’s application"),
        approved_by=people.get(row.approved_by, "A partner’s application") if row.approved_by else None,
        reach=[(label, counts[name]) for name, label in REACH] if counts else [],
        letter=letter,
        text=None if letter is None else text_of(letter),
        no_sender=no_sender,
        table=table,
        writes=may_campaign(request),
        own=principal_here(request).id == row.written_by,
    )


async def _staff(work: UnitOfWork, ids: Sequence[UUID | None]) -> dict[UUID, str]:
    named = select(StaffMember.id, StaffMember.display_name)
    rows = await work.session.execute(named.where(among(StaffMember.id, [one for one in ids if one])))
    return {row.id: row.display_name for row in rows}


async def _sessions(work: UnitOfWork, row: Campaign) -> list[TrainingSession]:
    ids = [UUID(text) for text in row.session_ids]
    found = select(TrainingSession).where(among(TrainingSession.id, ids)).order_by(TrainingSession.starts_at)
    return list(await work.session.scalars(found))


async def _whom(work: UnitOfWork, segment: Segment) -> list[str]:
    """A segment in words."""
    lines = [WHO[segment.who]]
    if segment.roles:
        lines[0] += f": {', '.join(CONTACT_ROLES[role] for role in segment.roles)}"
    if segment.settings:
        lines.append(f"Setting: {', '.join(SETTINGS[setting] for setting in segment.settings)}")
    if segment.local_authorities:
        lines.append(f"Local authority: {', '.join(segment.local_authorities)}")
    if segment.provider_groups:
        names = select(ProviderGroup.name).where(among(ProviderGroup.id, segment.provider_groups))
        lines.append(f"Provider group: {', '.join(await work.session.scalars(names.order_by(ProviderGroup.name)))}")
    if segment.tier is not None:
        tier = await work.session.get(Tier, (work.tenant_id, segment.tier))
        who = "Somebody there holds" if segment.who == "contacts" else "They hold"
        not_who = "Nobody there holds" if segment.who == "contacts" else "They do not hold"
        lines.append(f"{who if segment.tier_held else not_who} the tier {tier.name if tier else 'that was chosen'}")
    if segment.without_champion:
        lines.append("Only where there is no Medication Champion")
    return lines


async def _funnel(request: Request, row: Campaign) -> Table:
    statement = funnel(literal(row.tenant_id, Uuid), literal(row.id, Uuid))
    async with tenant_reads(request) as session:
        counts = (await session.execute(statement)).one()._mapping
    lines = [(label, counts[name], meaning) for name, label, meaning in FUNNEL]
    return Table("What became of it", ("Step", "Count", "What it counts"), lines, f"{HOME}/{row.id}/funnel.csv", (1,))


async def campaign_funnel_file(request: Request) -> Response:
    """What became of it as a CSV."""
    return csv_of("campaign.csv", await _funnel(request, await the_campaign(request)))


async def campaign_try(request: Request) -> Response:
    """Send it to oneself alone."""
    return await _moved(request, campaigns.try_out, "campaign-tried")


async def campaign_submit(request: Request) -> Response:
    """Ask for approval."""
    return await _moved(request, campaigns.submit, "campaign-submitted")


async def campaign_take_back(request: Request) -> Response:
    """Make it a draft again."""
    return await _moved(request, campaigns.take_back, "campaign-taken-back")


async def campaign_approve(request: Request) -> Response:
    """Have it sent."""
    return await _moved(request, campaigns.approve, "campaign-approved")


async def campaign_withdraw(request: Request) -> Response:
    """Stop it."""
    return await _moved(request, campaigns.withdraw_campaign, "campaign-withdrawn")


async def _moved(request: Request, move: Callable[[UnitOfWork, UUID, int], Awaitable[Any]], done: str) -> Response:
    row = await the_campaign(request)
    version = version_of(await form_of(request))

    async def change(work: UnitOfWork) -> None:
        await move(work, row.id, version)

    problem = await tried(request, (), change)
    if problem is not None:
        return await _page(request, await the_campaign(request), problem)
    return redirect(f"{HOME}/{row.id}", done=done)


_READ, _WRITE = Permission.MESSAGES_READ, Permission.MESSAGES_WRITE
_ONE = "/campaigns/{campaign_id:uuid}"

ROUTES = [
    page("/campaigns", campaign_list, needs=_READ),
    page("/campaigns/all.csv", campaign_list_file, needs=_READ),
    page(_ONE, one_campaign, needs=_READ),
    page(f"{_ONE}/funnel.csv", campaign_funnel_file, needs=_READ),
    page(f"{_ONE}/try", campaign_try, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/submit", campaign_submit, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/take-back", campaign_take_back, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/approve", campaign_approve, needs=_WRITE, methods=("POST",)),
    page(f"{_ONE}/withdraw", campaign_withdraw, needs=_WRITE, methods=("POST",)),
]
