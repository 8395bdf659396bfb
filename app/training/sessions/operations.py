"""Changes of sessions: made, changed, published, moved, cancelled, with their places, leaders and agenda."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from app.training.booking.models import LIVE, Booking, PlaceReserve, SessionPlaces
from app.training.booking.places import end, give_places, lock, note, standing_of
from app.training.booking.rules import capacity_refusal
from app.training.errors import TrainingRefusal
from app.training.mapping.models import GuidanceDocument
from app.training.models import Tier, TrainingSession
from app.training.sessions.details import Places, SessionDetails, check, check_times
from app.training.sessions.models import (
    AgendaItem,
    SessionFacilitator,
    SessionGuidance,
    SessionTopic,
    TeamMember,
    Venue,
)
from app.training.sessions.rules import Leader, Plan, Remark, groups_of, remarks
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.models import TenantSettings
from tenants.outbox import Topic as OutboxTopic
from tenants.session import UnitOfWork

_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """The code on the poster of a session's room."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(6))


async def create_session(
    work: UnitOfWork, details: SessionDetails, *, series_id: UUID | None = None, occurrence: datetime | None = None
) -> UUID:
    """A session as a draft. Raises TrainingRefusal for what cannot be (the field named), or `NO_SUCH_…`."""
    check(details)
    await _known(work, details)
    session_id = new_id()
    session = TrainingSession(
        tenant_id=work.tenant_id,
        id=session_id,
        title=" ".join(details.title.split()),
        tier_id=details.tier_id,
        starts_at=details.starts_at,
        ends_at=details.ends_at,
        online_mode=details.online_mode,
        external_key=f"session:{session_id}",
        created_at=work.now,
        kind=details.kind,
        state="draft",
        series_id=series_id,
        occurrence=occurrence,
        venue_id=details.venue_id,
        join_url=details.join_url,
        description=details.description,
        parts=1 if details.second_part_at is None else 2,
        second_part_at=details.second_part_at,
        people_per_facilitator=details.people_per_facilitator,
        check_in_code=new_code(),
        version=1,
    )
    work.add(session)
    await work.session.flush()
    if details.places is not None:
        work.add(_new_places(work, session, details.places))
    await work.session.flush()
    await _replace_parts(work, session_id, details)
    work.record(
        Action.SESSION_CREATED,
        "training_session",
        session_id,
        after={"title": session.title, "starts_at": session.starts_at.isoformat(), "kind": session.kind},
    )
    return session_id


async def change_session(work: UnitOfWork, session_id: UUID, version: int, details: SessionDetails) -> None:
    """Change everything of a session but its times, which `move_session` changes, for that asks people again.

    Raises TrainingRefusal as `create_session`, `NO_SUCH_SESSION`, `CHANGED_MEANWHILE`, `PLACES_TAKEN` or `MOVED_HERE`.
    """
    check(details)
    await _known(work, details)
    session = await held(work, session_id, version)
    if (details.starts_at, details.ends_at) != (session.starts_at, session.ends_at):
        raise TrainingRefusal("MOVED_HERE", "Move the session to change its times: people are asked again.", "startsAt")
    before = _told(session)
    session.title = " ".join(details.title.split())
    session.kind, session.tier_id, session.online_mode = details.kind, details.tier_id, details.online_mode
    session.venue_id, session.join_url = details.venue_id, details.join_url
    session.description, session.people_per_facilitator = details.description, details.people_per_facilitator
    session.parts = 1 if details.second_part_at is None else 2
    session.second_part_at = details.second_part_at
    session.version += 1
    await work.session.flush()
    if details.places is not None:
        await set_places(work, session, details.places)
    await _replace_parts(work, session_id, details)
    if details.places is not None:
        await give_places(work, (await lock(work, [session_id]))[session_id])
    work.record(Action.SESSION_CHANGED, "training_session", session_id, before=before, after=_told(session))
    announce(work, EventType.SESSION_CHANGED, f"Session:{session_id}")


async def set_places(work: UnitOfWork, session: TrainingSession, places: Places) -> None:
    """Set capacity and rules; a session without places gets them. Raises TrainingRefusal `PLACES_TAKEN`."""
    exists = select(SessionPlaces.id).where(SessionPlaces.session_id == session.id)
    if (await work.session.scalars(exists)).first() is None:
        work.add(_new_places(work, session, places))
        await work.session.flush()
        return
    await lock(work, [session.id])
    refused = capacity_refusal(places.capacity, (await standing_of(work, session.id)).room.taken)
    if refused is not None:
        raise TrainingRefusal(refused.code, refused.message, "capacity")
    row = await _places_row(work, session.id)
    before = row.capacity
    row.capacity, row.waiting_list = places.capacity, places.waiting_list
    row.offer_hours, row.opens_at = places.offer_hours, places.opens_at
    row.closes_at = places.closes_at or session.starts_at
    row.cancel_until = places.cancel_until or session.starts_at
    await work.session.flush()
    if before != places.capacity:
        work.record(
            Action.SESSION_CAPACITY_CHANGED,
            "training_session",
            session.id,
            before={"capacity": before},
            after={"capacity": places.capacity},
        )


async def publish_session(work: UnitOfWork, session_id: UUID, version: int) -> list[Remark]:
    """Let people book; gives what to look at, which does not stop anybody.

    Raises TrainingRefusal `NO_FACILITATOR`, `PUBLISHED_ALREADY`, `SESSION_CANCELLED`, `SESSION_BEGUN`,
    `NO_SUCH_SESSION` or `CHANGED_MEANWHILE`.
    """
    session = await held(work, session_id, version)
    if session.state != "draft":
        code = "SESSION_CANCELLED" if session.state == "cancelled" else "PUBLISHED_ALREADY"
        raise TrainingRefusal(code, f"The session is {session.state} already. Nothing was changed.", "id")
    if session.starts_at <= work.now:
        raise TrainingRefusal("SESSION_BEGUN", "The session has begun. Choose a time that is still to come.", "id")
    plan, found = await remarks_on(work, session)
    if not plan.leaders:
        raise TrainingRefusal("NO_FACILITATOR", "Choose at least one facilitator before you publish.", "facilitators")
    session.state = "published"
    session.version += 1
    work.record(
        Action.SESSION_PUBLISHED, "training_session", session_id, after={"remarks": [remark.code for remark in found]}
    )
    announce(work, EventType.SESSION_PUBLISHED, f"Session:{session_id}")
    return found


async def move_session(
    work: UnitOfWork,
    session_id: UUID,
    version: int,
    starts_at: datetime,
    ends_at: datetime,
    second_part_at: datetime | None = None,
) -> int:
    """Move a session: every booking stays and is asked again; how many were. Closing times keep their distance.

    Raises TrainingRefusal `NO_SUCH_SESSION`, `CHANGED_MEANWHILE`, `SESSION_CANCELLED`, `SESSION_BEGUN` or `TIMES`.
    """
    session = await held(work, session_id, version)
    if session.state == "cancelled":
        raise TrainingRefusal("SESSION_CANCELLED", "The session was cancelled. Make a new one instead.", "id")
    if session.starts_at <= work.now or starts_at <= work.now:
        raise TrainingRefusal("SESSION_BEGUN", "Move a session before it begins, to a time still to come.", "startsAt")
    by = starts_at - session.starts_at
    if second_part_at is None and session.second_part_at is not None:
        second_part_at = session.second_part_at + by
    check_times(starts_at, ends_at, second_part_at)
    before = _told(session)
    bookable = await _locked(work, session_id)
    session.starts_at, session.ends_at = starts_at, ends_at
    session.parts, session.second_part_at = (1 if second_part_at is None else 2), second_part_at
    session.version += 1
    asked: Sequence[Booking] = ()
    if bookable:
        places = await _places_row(work, session_id)
        places.closes_at, places.cancel_until = places.closes_at + by, places.cancel_until + by
        live = select(Booking).where(Booking.session_id == session_id, Booking.state.in_(LIVE))
        asked = (await work.session.scalars(live.order_by(Booking.number))).all()
        for booking in asked:
            booking.asked_again_at, booking.answered_at = work.now, None
            note(work, booking, booking.state)
            announce(work, EventType.BOOKING_ASKED_AGAIN, f"Booking:{booking.id}")
    await work.session.flush()
    work.record(Action.SESSION_MOVED, "training_session", session_id, before=before, after=_told(session))
    announce(work, EventType.SESSION_MOVED, f"Session:{session_id}")
    return len(asked)


async def cancel_session(work: UnitOfWork, session_id: UUID, version: int, because: str) -> int:
    """Cancel a session and every live booking of it; how many there were.

    Raises TrainingRefusal `REASON_MISSING`, `SESSION_CANCELLED`, `NO_SUCH_SESSION` or `CHANGED_MEANWHILE`.
    """
    words = " ".join(because.split())
    if not words:
        raise TrainingRefusal("REASON_MISSING", "Say why the session is cancelled; people are told.", "reason")
    session = await held(work, session_id, version)
    if session.state == "cancelled":
        raise TrainingRefusal("SESSION_CANCELLED", "The session was cancelled already. Nothing was changed.", "id")
    bookable = await _locked(work, session_id)
    session.state = "cancelled"
    session.version += 1
    ended: Sequence[Booking] = ()
    if bookable:
        live = select(Booking).where(Booking.session_id == session_id, Booking.state.in_(LIVE))
        ended = (await work.session.scalars(live.order_by(Booking.number))).all()
        await end(work, ended, "cancelled", words)
    work.record(Action.SESSION_CANCELLED, "training_session", session_id, after={"because": words, "ended": len(ended)})
    announce(work, EventType.SESSION_CANCELLED, f"Session:{session_id}")
    return len(ended)


async def allocate_groups(work: UnitOfWork, session_id: UUID, size: int) -> int:
    """Put confirmed people into groups of at most `size`, colleagues apart; how many groups.

    Raises TrainingRefusal `NO_SUCH_SESSION` or `GROUP_SIZE`.
    """
    if not 2 <= size <= 50:
        raise TrainingRefusal("GROUP_SIZE", "Choose groups of 2 to 50 people.", "size")
    await lock(work, [session_id])
    confirmed = select(Booking).where(Booking.session_id == session_id, Booking.state == "confirmed")
    # People of one employer follow each other, so that dealing them out one by one puts them into different groups.
    people = (await work.session.scalars(confirmed.order_by(Booking.employer_id, Booking.number))).all()
    numbers = groups_of(len(people), size)
    for booking, number in zip(people, numbers, strict=True):
        booking.work_group = number
    work.record(Action.SESSION_GROUPED, "training_session", session_id, after={"groups": max(numbers, default=0)})
    return max(numbers, default=0)


async def remarks_on(work: UnitOfWork, session: TrainingSession) -> tuple[Plan, list[Remark]]:
    """A session as the rules see it, and what to look at."""
    leaders = await work.session.execute(
        select(TeamMember.name, TeamMember.profession, TeamMember.registration_number)
        .join(
            SessionFacilitator,
            (SessionFacilitator.tenant_id == TeamMember.tenant_id)
            & (SessionFacilitator.team_member_id == TeamMember.id),
        )
        .where(SessionFacilitator.session_id == session.id)
        .order_by(TeamMember.name)
    )
    minutes = select(func.coalesce(func.sum(AgendaItem.minutes), 0)).where(AgendaItem.session_id == session.id)
    capacity = select(SessionPlaces.capacity).where(SessionPlaces.session_id == session.id)
    venue = None if session.venue_id is None else await work.session.get(Venue, (work.tenant_id, session.venue_id))
    overdue = await work.session.scalars(
        select(GuidanceDocument.title)
        .join(
            SessionGuidance,
            (SessionGuidance.tenant_id == GuidanceDocument.tenant_id)
            & (SessionGuidance.guidance_document_id == GuidanceDocument.id),
        )
        .where(SessionGuidance.session_id == session.id, GuidanceDocument.review_on < london_date(session.starts_at))
        .order_by(GuidanceDocument.title)
    )
    settings = (await work.session.scalars(select(TenantSettings))).one()
    plan = Plan(
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        online_mode=session.online_mode,
        capacity=(await work.session.scalars(capacity)).first(),
        venue_capacity=None if venue is None else venue.capacity,
        has_venue=venue is not None,
        has_join_url=bool(session.join_url),
        leaders=tuple(Leader(*row) for row in leaders),
        people_per_facilitator=session.people_per_facilitator,
        agenda_minutes=(await work.session.execute(minutes)).scalar_one(),
        guidance_overdue=tuple(overdue),
    )
    return plan, remarks(plan, settings.meeting_people_at_most)


async def session_of(work: UnitOfWork, session_id: UUID) -> TrainingSession:
    """A session. Raises TrainingRefusal `NO_SUCH_SESSION`."""
    found = await work.session.get(TrainingSession, (work.tenant_id, session_id))
    if found is None:
        raise _no_such_session()
    return found


def _no_such_session() -> TrainingRefusal:
    return TrainingRefusal("NO_SUCH_SESSION", "There is no such session. Choose one from the list.", "id")


async def held(work: UnitOfWork, session_id: UUID, version: int) -> TrainingSession:
    """A session, locked for a change. Raises TrainingRefusal `NO_SUCH_SESSION` or `CHANGED_MEANWHILE`."""
    await _locked(work, session_id)
    found = await work.session.get(
        TrainingSession,
        (work.tenant_id, session_id),
        with_for_update={"key_share": True},
        populate_existing=True,
    )
    if found is None:
        raise _no_such_session()
    if found.version != version:
        raise TrainingRefusal(
            "CHANGED_MEANWHILE", "Somebody changed the session meanwhile. Read it again first.", "version"
        )
    return found


async def _locked(work: UnitOfWork, session_id: UUID) -> bool:
    """Lock a session's places, if it has any."""
    exists = select(SessionPlaces.id).where(SessionPlaces.session_id == session_id)
    if (await work.session.scalars(exists)).first() is None:
        return False
    await lock(work, [session_id])
    return True


async def _places_row(work: UnitOfWork, session_id: UUID) -> SessionPlaces:
    """The row of a session's places, to be changed under their lock."""
    found = select(SessionPlaces).where(SessionPlaces.session_id == session_id)
    return (await work.session.scalars(found.execution_options(populate_existing=True))).one()


def _new_places(work: UnitOfWork, session: TrainingSession, places: Places) -> SessionPlaces:
    return SessionPlaces(
        tenant_id=work.tenant_id,
        id=new_id(),
        session_id=session.id,
        capacity=places.capacity,
        waiting_list=places.waiting_list,
        offer_hours=places.offer_hours,
        opens_at=places.opens_at,
        closes_at=places.closes_at or session.starts_at,
        cancel_until=places.cancel_until or session.starts_at,
        next_number=1,
    )


async def _replace_parts(work: UnitOfWork, session_id: UUID, details: SessionDetails) -> None:
    """Leaders, agenda and reserves as they are told now. Reserves that bookings draw on keep their ids."""
    for table in (SessionFacilitator, AgendaItem, SessionTopic, SessionGuidance):
        await work.session.execute(delete(table).where(table.session_id == session_id))
    work.add(
        *(
            SessionTopic(tenant_id=work.tenant_id, id=new_id(), session_id=session_id, topic_id=topic_id)
            for topic_id in dict.fromkeys(details.topic_ids)
        )
    )
    work.add(
        *(
            SessionGuidance(
                tenant_id=work.tenant_id, id=new_id(), session_id=session_id, guidance_document_id=document_id
            )
            for document_id in dict.fromkeys(details.guidance_ids)
        )
    )
    work.add(
        *(
            SessionFacilitator(tenant_id=work.tenant_id, id=new_id(), session_id=session_id, team_member_id=member_id)
            for member_id in dict.fromkeys(details.facilitator_ids)
        )
    )
    work.add(
        *(
            AgendaItem(
                tenant_id=work.tenant_id,
                id=new_id(),
                session_id=session_id,
                position=position,
                title=part.title,
                part=part.part,
                minutes=part.minutes,
                group_work=part.group_work,
            )
            for position, part in enumerate(details.agenda, 1)
        )
    )
    known = {
        (reserve.kind, reserve.value): reserve
        for reserve in await work.session.scalars(select(PlaceReserve).where(PlaceReserve.session_id == session_id))
    }
    for wanted in details.reserves:
        reserve = known.pop((wanted.kind, wanted.value), None)
        if reserve is None:
            reserve = PlaceReserve(
                tenant_id=work.tenant_id,
                id=new_id(),
                session_id=session_id,
                kind=wanted.kind,
                value=wanted.value,
                places=wanted.places,
                until=wanted.until,
            )
            work.add(reserve)
        reserve.places, reserve.until = wanted.places, wanted.until
        work.emit(
            OutboxTopic.PLACES_RELEASE,
            f"{reserve.id}:{wanted.until.timestamp():.0f}",
            at=wanted.until,
            session_id=session_id,
        )
    for reserve in known.values():
        reserve.until = min(reserve.until, work.now)  # bookings may point to it, so it ends instead of going
    await work.session.flush()


async def _known(work: UnitOfWork, details: SessionDetails) -> None:
    for model, identifier, code, name, what in (
        (Tier, details.tier_id, "NO_SUCH_TIER", "tier", "tier"),
        (Venue, details.venue_id, "NO_SUCH_VENUE", "venue", "venue"),
    ):
        if identifier is not None and await work.session.get(model, (work.tenant_id, identifier)) is None:
            raise TrainingRefusal(code, f"There is no such {what}. Choose one from the list.", name)
    found = set(await work.session.scalars(select(TeamMember.id).where(among(TeamMember.id, details.facilitator_ids))))
    if found != set(details.facilitator_ids):
        raise TrainingRefusal(
            "NO_SUCH_TEAM_MEMBER", "One of the facilitators is not of the team. Choose from the list.", "facilitators"
        )


def _told(session: TrainingSession) -> dict[str, Any]:
    return {
        "title": session.title,
        "starts_at": session.starts_at.isoformat(),
        "ends_at": session.ends_at.isoformat(),
        "online_mode": session.online_mode,
        "state": session.state,
    }
