"""Writing a campaign: its text and sessions on one page, whom it is for on the next."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from starlette.requests import Request
from starlette.responses import Response

from app.console.campaign_pages import HOME, the_campaign
from app.console.campaign_words import CLASSES, CONTACT_ROLES, WHO
from app.console.pages import Form, Problem, form_of, page, redirect, services_of, tenant_reads
from app.console.reports import Field, ShortForm, report
from app.console.session_forms import local, moment
from app.console.tables import Link
from app.console.training_forms import Invalid, tried, typed, version_of
from app.console.training_words import SETTINGS
from app.directory.models import CqcLocation, ProviderGroup, TenantLocation
from app.identity.permissions import Permission
from app.messaging import campaigns
from app.messaging.composing import in_words
from app.messaging.models import Campaign
from app.messaging.placeholders import OF
from app.messaging.rules import Occasion
from app.training.models import Programme, Tier, TrainingSession
from tenants.session import UnitOfWork

TEXT = ("name", "message_class", "subject", "body", "starts_at")
TEXT_FIELDS = (*TEXT, "sessions")
LISTS = ("roles", "settings", "local_authorities", "provider_groups")
SEGMENT_FIELDS = (*LISTS, "who", "tier", "tier_held", "without_champion")


async def campaign_write(request: Request) -> Response:
    """Write a new campaign."""
    if request.method == "GET":
        return await _text_page(request, None, {"message_class": "programme"})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        return await campaigns.create_campaign(work, _given(form, {"who": "contacts"}))

    made = await tried(request, TEXT_FIELDS, change)
    if isinstance(made, Problem):
        return await _text_page(request, None, _typed(form), made)
    return redirect(f"{HOME}/{made}/recipients", done="campaign-written")


async def campaign_change(request: Request) -> Response:
    """Change the text of a draft."""
    row = await the_campaign(request)
    if request.method == "GET":
        values = {name: getattr(row, name) for name in ("name", "message_class", "subject", "body")}
        return await _text_page(
            request, row, values | {"starts_at": local(row.starts_at), "sessions": list(row.session_ids)}
        )
    form = await form_of(request)
    version = version_of(form)

    async def change(work: UnitOfWork) -> None:
        await campaigns.change_campaign(work, row.id, _given(form, row.segment), version)

    problem = await tried(request, TEXT_FIELDS, change)
    if problem is not None:
        return await _text_page(request, row, _typed(form), problem)
    return redirect(f"{HOME}/{row.id}", done="campaign-changed")


def _given(form: Form, segment: dict[str, Any]) -> campaigns.CampaignGiven:
    try:
        sessions = [UUID(text) for text in form.texts("sessions")]
    except ValueError as error:
        raise Invalid("sessions", "Choose sessions from the list.") from error
    name, message_class, subject, body = (form.text(field) for field in TEXT[:4])
    return campaigns.CampaignGiven(name, message_class, subject, body, segment, sessions, moment(form, "starts_at"))


def _typed(form: Form) -> dict[str, Any]:
    return typed(form, TEXT) | {"sessions": form.texts("sessions")}


async def _text_page(
    request: Request, row: Campaign | None, values: dict[str, Any], problem: Problem | None = None
) -> Response:
    bookable = (
        select(TrainingSession)
        .where(TrainingSession.state == "published", TrainingSession.starts_at > services_of(request).clock())
        .order_by(TrainingSession.starts_at, TrainingSession.id)
        .limit(100)
    )
    async with tenant_reads(request) as session:
        sessions = [(one.id, f"{one.title}, {in_words(one.starts_at)}") for one in await session.scalars(bookable)]
    names = ", ".join(f"(({placeholder.name}))" for placeholder in OF[Occasion.CAMPAIGN])
    fields = [
        Field("text", "name", "Name", "For yourselves; nobody else sees it."),
        Field("one", "message_class", "Kind", "People can object to each kind apart.", list(CLASSES.items())),
        Field("text", "subject", "Subject"),
        Field(
            "long", "body", "Text",
            "An empty line begins a paragraph, **two stars** make bold, a star before a line makes a list. "
            f"These are filled in for each: {names}. Write [Book a place](((link))) where people can book.",
            rows=14,
        ),
        Field("folded", "sessions", "Sessions that the link leads to", "Choose those that people may book.", sessions),
        Field(
            "datetime-local", "starts_at", "Send not before (optional)",
            "Time in England. Nothing is sent in quiet hours.",
        ),
    ]  # fmt: skip
    path = f"{HOME}/{row.id}/change" if row else f"{HOME}/write"
    return report(
        request,
        "Change the text" if row else "Write a campaign",
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        values=values,
        caption=row.name if row else "",
        back=Link("Back to the campaign", f"{HOME}/{row.id}") if row else Link("Back to campaigns", HOME),
        forms=[ShortForm(path, "Save" if row else "Go on", fields, version=row.version if row else None)],
    )


async def campaign_recipients(request: Request) -> Response:
    """Say whom a draft is for."""
    row = await the_campaign(request)
    if request.method == "GET":
        values = dict(row.segment) | {
            "tier_held": "no" if row.segment.get("tier_held") is False else "yes",
            "without_champion": ["yes"] if row.segment.get("without_champion") else [],
        }
        return await _recipients_page(request, row, values)
    form = await form_of(request)
    version = version_of(form)
    segment: dict[str, Any] = {name: form.texts(name) for name in LISTS} | {
        "who": form.text("who"),
        "tier": form.text("tier") or None,
        "tier_held": form.text("tier_held") != "no",
        "without_champion": bool(form.texts("without_champion")),
    }

    async def change(work: UnitOfWork) -> None:
        text = (row.name, row.message_class, row.subject, row.body)
        sessions = [UUID(session) for session in row.session_ids]
        given = campaigns.CampaignGiven(*text, segment, sessions, row.starts_at)
        await campaigns.change_campaign(work, row.id, given, version)

    problem = await tried(request, SEGMENT_FIELDS, change)
    if problem is not None:
        values = {name: form.texts(name) for name in (*LISTS, "without_champion")}
        return await _recipients_page(request, row, values | typed(form, ("who", "tier", "tier_held")), problem)
    return redirect(f"{HOME}/{row.id}", done="campaign-changed")


async def _recipients_page(
    request: Request, row: Campaign, values: dict[str, Any], problem: Problem | None = None
) -> Response:
    authorities = (
        select(CqcLocation.local_authority)
        .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
        .where(CqcLocation.local_authority.is_not(None))
        .distinct()
        .order_by(CqcLocation.local_authority)
    )
    of_programme = and_(Programme.tenant_id == Tier.tenant_id, Programme.id == Tier.programme_id)
    tiers = select(Tier.id, Programme.name, Tier.position, Tier.name.label("tier")).join(Programme, of_programme)
    async with tenant_reads(request) as session:
        places = [(name, name) for name in await session.scalars(authorities) if name]
        grouped = await session.execute(select(ProviderGroup.id, ProviderGroup.name).order_by(ProviderGroup.name))
        groups = [(group.id, group.name) for group in grouped]
        levels = [
            (one.id, f"{one.name}: {one.position}. {one.tier}")
            for one in await session.execute(tiers.order_by(Programme.name, Tier.position))
        ]
    fields = [
        Field("one", "who", "Who", options=list(WHO.items())),
        Field("many", "roles", "Only contacts with these roles (optional)", options=list(CONTACT_ROLES.items())),
        Field("folded", "settings", "Only these settings (optional)", options=list(SETTINGS.items())),
        Field("folded", "local_authorities", "Only these local authorities (optional)", options=places),
        Field("folded", "provider_groups", "Only these provider groups (optional)", options=groups),
        Field("choice", "tier", "By a tier (optional)", options=levels, any="Whatever they hold"),
        Field(
            "one", "tier_held", "Of that tier",
            "A learner or champion holds it themselves. For contacts it counts who works at their location.",
            [("yes", "Those who hold it"), ("no", "Those who do not")],
        ),
        Field(
            "many", "without_champion", "Medication Champions (optional)",
            options=[("yes", "Only locations that have no champion")],
        ),
    ]  # fmt: skip
    return report(
        request,
        "Who gets it",
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        values=values,
        caption=row.name,
        back=Link("Back to the campaign", f"{HOME}/{row.id}"),
        intro=["All that you choose has to be true of somebody. The next page counts them; one address gets one copy."],
        forms=[ShortForm(f"{HOME}/{row.id}/recipients", "Save and count", fields, version=row.version)],
    )


_WRITE = Permission.MESSAGES_WRITE
_BOTH = ("GET", "POST")

ROUTES = [
    page("/campaigns/write", campaign_write, needs=_WRITE, methods=_BOTH),
    page("/campaigns/{campaign_id:uuid}/change", campaign_change, needs=_WRITE, methods=_BOTH),
    page("/campaigns/{campaign_id:uuid}/recipients", campaign_recipients, needs=_WRITE, methods=_BOTH),
]
