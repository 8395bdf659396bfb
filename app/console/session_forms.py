"""The form of a session: what was typed as details, details as what is typed. Times are local times in England."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.console.pages import Form, tenant_reads
from app.console.session_words import KINDS, ONLINE_MODES, WAITING_LISTS
from app.console.training_forms import Invalid, key, number
from app.training.booking.models import SessionPlaces
from app.training.mapping.models import GuidanceDocument, Topic
from app.training.models import Programme, Tier, TrainingSession
from app.training.sessions.details import Part, Places, Reserved, SessionDetails
from app.training.sessions.models import (
    AgendaItem,
    SessionFacilitator,
    SessionGuidance,
    SessionTopic,
    TeamMember,
    Venue,
)
from app.training.sessions.rules import to_utc
from tenants.clock import LONDON

FIELDS = (
    "title",
    "kind",
    "tier",
    "starts_at",
    "ends_at",
    "second_part_at",
    "online_mode",
    "venue",
    "join_url",
    "description",
    "people_per_facilitator",
    "capacity",
    "waiting_list",
    "offer_hours",
    "opens_at",
    "closes_at",
    "cancel_until",
    "agenda",
)


def moment(form: Form, name: str) -> datetime | None:
    """A local time in England as a moment, or None. Raises Invalid."""
    text = form.text(name).strip()
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(name, "Enter a day and a time, such as 2027-03-31 14:00.") from error
    if local.tzinfo is not None or not 2000 <= local.year <= 2100:
        raise Invalid(name, "Enter a day and a time in England, such as 2027-03-31 14:00.")
    return to_utc(local)


def needed_moment(form: Form, name: str, what: str) -> datetime:
    """A moment. Raises Invalid."""
    found = moment(form, name)
    if found is None:
        raise Invalid(name, f"Enter {what}.")
    return found


def local(at: datetime | None) -> str:
    """A moment as the form shows it."""
    return "" if at is None else f"{at.astimezone(LONDON):%Y-%m-%dT%H:%M}"


def details_of(form: Form, reserves: tuple[Reserved, ...] = ()) -> SessionDetails:
    """The session that was typed. Raises Invalid."""
    capacity = number(form, "capacity")
    places = None
    if capacity is not None:
        waiting_list = form.text("waiting_list") or "promote"
        places = Places(
            capacity,
            waiting_list,
            number(form, "offer_hours") if waiting_list == "offer" else None,
            moment(form, "opens_at"),
            moment(form, "closes_at"),
            moment(form, "cancel_until"),
        )
    starts_at, minutes = needed_moment(form, "starts_at", "when the session begins"), number(form, "minutes")
    # An outline says how long it takes, so that its end need not be reckoned by hand.
    after = None if minutes is None or form.text("ends_at").strip() else starts_at + timedelta(minutes=minutes)
    return SessionDetails(
        title=form.text("title"),
        starts_at=starts_at,
        ends_at=after or needed_moment(form, "ends_at", "when the session ends"),
        kind=form.text("kind"),
        tier_id=key(form, "tier"),
        online_mode=form.text("online_mode"),
        venue_id=key(form, "venue"),
        join_url=form.text("join_url").strip() or None,
        description=form.text("description").strip() or None,
        second_part_at=moment(form, "second_part_at"),
        people_per_facilitator=number(form, "people_per_facilitator"),
        places=places,
        reserves=reserves,
        facilitator_ids=tuple(_uuid(text, "facilitators") for text in form.texts("facilitators")),
        topic_ids=tuple(_uuid(text, "topics") for text in form.texts("topics")),
        guidance_ids=tuple(_uuid(text, "guidance") for text in form.texts("guidance")),
        agenda=_agenda(form),
    )


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(name, "Choose from the list.") from error


def _agenda(form: Form) -> tuple[Part, ...]:
    """Lines such as `45 Welcome` or `2 60 Group work*`: the half, minutes, title, and a star for work in groups."""
    parts = []
    for line in filter(None, map(str.strip, form.text("agenda").splitlines())):
        words = line.split()
        half = 1
        if len(words) > 2 and words[0] in ("1", "2") and words[1].isdigit():
            half = int(words.pop(0))
        if len(words) < 2 or not (words[0].isascii() and words[0].isdigit() and len(words[0]) < 4):
            raise Invalid("agenda", f"Begin each line with its minutes, such as: 45 Welcome. Look at: {line[:40]}")
        title = " ".join(words[1:])
        parts.append(Part(title.rstrip("* "), int(words[0]), half, title.endswith("*")))
    return tuple(parts)


def _line(item: AgendaItem, *, halves: bool) -> str:
    return f"{f'{item.part} ' if halves else ''}{item.minutes} {item.title}{'*' if item.group_work else ''}"


def values_of(
    session: TrainingSession, places: SessionPlaces | None, agenda: list[AgendaItem], chosen: dict[str, list[str]]
) -> dict[str, Any]:
    """What the form shows of a session that is there."""
    return {
        "title": session.title,
        "kind": session.kind,
        "tier": session.tier_id,
        "starts_at": local(session.starts_at),
        "ends_at": local(session.ends_at),
        "second_part_at": local(session.second_part_at),
        "online_mode": session.online_mode,
        "venue": session.venue_id,
        "join_url": session.join_url,
        "description": session.description,
        "people_per_facilitator": session.people_per_facilitator,
        "capacity": "" if places is None else places.capacity,
        "waiting_list": "promote" if places is None else places.waiting_list,
        "offer_hours": "" if places is None or places.offer_hours is None else places.offer_hours,
        "opens_at": local(places.opens_at) if places else "",
        "closes_at": local(places.closes_at) if places else "",
        "cancel_until": local(places.cancel_until) if places else "",
        "agenda": "\n".join(_line(item, halves=session.parts == 2) for item in agenda),
        **chosen,
    }


async def lists(request: Request) -> dict[str, Any]:
    """What the form offers."""
    async with tenant_reads(request) as session:
        return await lists_in(session)


async def lists_in(session: AsyncSession) -> dict[str, Any]:
    """What the form offers, read in a session that is open."""
    tiers = await session.execute(
        select(Tier.id, Tier.position, Tier.name, Programme.name.label("programme"))
        .join(Programme, (Programme.tenant_id == Tier.tenant_id) & (Programme.id == Tier.programme_id))
        .order_by(Programme.created_at, Programme.id, Tier.position)
    )
    venues = await session.execute(select(Venue.id, Venue.name, Venue.capacity).order_by(Venue.name))
    team = await session.execute(
        select(TeamMember.id, TeamMember.name).where(TeamMember.ended_on.is_(None)).order_by(TeamMember.name)
    )
    topics = await session.execute(
        select(Topic.id, Topic.code, Topic.title).where(Topic.status == "active").order_by(Topic.code)
    )
    guidance = await session.execute(
        select(GuidanceDocument.id, GuidanceDocument.title, GuidanceDocument.review_on)
        .where(GuidanceDocument.kind == "local", GuidanceDocument.status == "current")
        .order_by(GuidanceDocument.title)
    )
    return {
        "topics": [(str(row.id), f"{row.code}: {row.title}") for row in topics],
        "guidance": [
            (str(row.id), row.title + (f", to be reviewed by {row.review_on:%-d %B %Y}" if row.review_on else ""))
            for row in guidance
        ],
        "kinds": KINDS,
        "online_modes": ONLINE_MODES,
        "waiting_lists": WAITING_LISTS,
        "tiers": [(row.id, f"{row.programme}: {row.position} {row.name}") for row in tiers],
        "venues": [(row.id, f"{row.name}{f', holds {row.capacity}' if row.capacity else ''}") for row in venues],
        "team": [(str(row.id), row.name) for row in team],
    }


async def parts_of(
    session: AsyncSession, session_id: UUID
) -> tuple[SessionPlaces | None, list[AgendaItem], dict[str, list[str]]]:
    """A session's places, its agenda, and the ids of its facilitators, topics and guidance, as the form names them."""
    places = (await session.scalars(select(SessionPlaces).where(SessionPlaces.session_id == session_id))).first()
    agenda = await session.scalars(
        select(AgendaItem).where(AgendaItem.session_id == session_id).order_by(AgendaItem.position)
    )
    chosen = {}
    for name, column, of in (
        ("facilitators", SessionFacilitator.team_member_id, SessionFacilitator.session_id),
        ("topics", SessionTopic.topic_id, SessionTopic.session_id),
        ("guidance", SessionGuidance.guidance_document_id, SessionGuidance.session_id),
    ):
        chosen[name] = [str(value) for value in await session.scalars(select(column).where(of == session_id))]
    return places, list(agenda), chosen
