"""Which event of an outside system is which session of ours: offered where title and time fit, chosen by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, update

from app.outside.adapters import KINDS
from app.outside.coming import read_anew
from app.outside.connections import connection_of
from app.outside.errors import OutsideRefusal
from app.outside.models import OutsideConnection, OutsideEvent, OutsideRegistration
from app.outside.systems import Asked, EventFound
from app.training.booking.models import SessionPlaces
from app.training.models import TrainingSession
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

BACK, MOST_SESSIONS, OFFERED = timedelta(days=30), 5_000, 200
CLOSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SessionOffered:
    """A session that an event can be linked to; `fits`: title and time are the event's."""

    id: UUID
    title: str
    starts_at: datetime
    fits: bool


def fits(event: EventFound, title: str, starts_at: datetime) -> bool:
    """Whether a session may well be the event: the same title, and about the same time."""
    same_title = " ".join(event.title.casefold().split()) == " ".join(title.casefold().split())
    return same_title and event.starts_at is not None and abs(event.starts_at - starts_at) <= CLOSE


async def open_sessions(work: UnitOfWork) -> list[tuple[UUID, str, datetime]]:
    """Sessions that can be booked, with title and beginning, from a month ago on."""
    rows = await work.session.execute(
        select(TrainingSession.id, TrainingSession.title, TrainingSession.starts_at)
        .join(
            SessionPlaces,
            and_(SessionPlaces.tenant_id == TrainingSession.tenant_id, SessionPlaces.session_id == TrainingSession.id),
        )
        .where(TrainingSession.state == "published", TrainingSession.starts_at >= work.now - BACK)
        .order_by(TrainingSession.starts_at, TrainingSession.id)
        .limit(MOST_SESSIONS)
    )
    return [(row.id, row.title, row.starts_at) for row in rows]


def ranked(event: EventFound, sessions: Sequence[tuple[UUID, str, datetime]], now: datetime) -> list[SessionOffered]:
    """Sessions for an event: those that fit first, then the nearest in time; the first `OFFERED` of them."""
    found = [SessionOffered(one, title, begins, fits(event, title, begins)) for one, title, begins in sessions]
    near = event.starts_at or now
    return sorted(found, key=lambda one: (not one.fits, abs(one.starts_at - near)))[:OFFERED]


async def link(work: UnitOfWork, system: str, event: EventFound, session_id: UUID, asked: Asked) -> UUID:
    """Link an event to a session, or say anew which questions count; what is registered there comes soon.

    Raises OutsideRefusal `NOT_CONNECTED`, `NO_SUCH_SESSION` or `LINKED_ALREADY`.
    """
    connection = await connection_of(work, system, lock=True)
    if connection is None or connection.state == "off":
        raise OutsideRefusal("NOT_CONNECTED", "This system is not connected. Connect it first.")
    known = select(OutsideEvent).where(
        OutsideEvent.connection_id == connection.id, OutsideEvent.outside_id == event.outside_id
    )
    linked = (await work.session.scalars(known)).one_or_none()
    if (linked is None or linked.session_id != session_id) and not await _can_be_booked(work, session_id):
        message = "Choose a session from the list: it must be published and have places."
        raise OutsideRefusal("NO_SUCH_SESSION", message, "session")
    if linked is None:
        linked = OutsideEvent(
            tenant_id=work.tenant_id,
            id=new_id(),
            connection_id=connection.id,
            session_id=session_id,
            outside_id=event.outside_id,
            version=0,
            created_at=work.now,
        )
        work.add(linked)
    elif linked.session_id != session_id and await _has_registrations(work, linked.id):
        raise OutsideRefusal(
            "LINKED_ALREADY",
            "People have registered under the session that this event was linked to. Choose that session again.",
            "session",
        )
    linked.session_id, linked.title, linked.starts_at = session_id, event.title, event.starts_at
    other_questions = (linked.workplace_question, linked.role_question) != (asked.workplace, asked.role)
    linked.workplace_question, linked.role_question = asked.workplace, asked.role
    linked.state, linked.whole_at, linked.note = "linked", None, None
    linked.version += 1
    await work.session.flush()
    if other_questions:
        await read_anew(work, linked.id)
    work.record(
        Action.OUTSIDE_EVENT_LINKED,
        "outside_event",
        linked.id,
        after={"system": system, "event": event.outside_id, "session": str(session_id)},
    )
    work.emit(Topic.OUTSIDE_LOOK, f"linked:{linked.id}:{linked.version}", connection_id=connection.id)
    return linked.id


async def _can_be_booked(work: UnitOfWork, session_id: UUID) -> bool:
    places = (
        select(SessionPlaces.id)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == SessionPlaces.tenant_id, TrainingSession.id == SessionPlaces.session_id),
        )
        .where(SessionPlaces.session_id == session_id, TrainingSession.state == "published")
    )
    return (await work.session.scalars(places)).first() is not None


async def _has_registrations(work: UnitOfWork, event_id: UUID) -> bool:
    found = select(func.count()).select_from(OutsideRegistration).where(OutsideRegistration.event_id == event_id)
    return bool((await work.session.execute(found)).scalar_one())


async def unlink(work: UnitOfWork, event_id: UUID) -> None:
    """Follow an event no more; bookings that came from it stay. Raises OutsideRefusal `NO_SUCH_EVENT`."""
    event = await work.session.get(OutsideEvent, (work.tenant_id, event_id), with_for_update=True)
    if event is None or event.state == "unlinked":
        raise OutsideRefusal("NO_SUCH_EVENT", "The event is not linked. Look at the list again.")
    event.state = "unlinked"
    event.version += 1
    work.record(Action.OUTSIDE_EVENT_UNLINKED, "outside_event", event_id, after={"event": event.outside_id})


async def linked_as(work: UnitOfWork, system: str, outside_id: str) -> OutsideEvent | None:
    """How an event is linked, or was."""
    connection = await connection_of(work, system)
    if connection is None:
        return None
    found = select(OutsideEvent).where(
        OutsideEvent.connection_id == connection.id, OutsideEvent.outside_id == outside_id
    )
    return (await work.session.scalars(found)).one_or_none()


async def ask_look(work: UnitOfWork, system: str) -> None:
    """Have everything of the linked events read now. Raises OutsideRefusal `NOT_CONNECTED`."""
    connection = await connection_of(work, system, lock=True)
    if connection is None or connection.state == "off":
        raise OutsideRefusal("NOT_CONNECTED", "This system is not connected. Connect it first.")
    connection.wait_until = None
    await work.session.execute(
        update(OutsideEvent)
        .where(OutsideEvent.connection_id == connection.id)
        .values(whole_at=None, version=OutsideEvent.version + 1)
    )
    work.record(Action.OUTSIDE_LOOK_ASKED, "outside_connection", connection.id, after={"system": system})
    key = f"asked:{connection.id}:{work.context.request_id}"
    if KINDS[system].has_reports:
        # Reports are read afterwards, by what the look has found out of who registered.
        work.emit(Topic.OUTSIDE_LOOK, key, connection_id=connection.id, attendance_of=connection.id)
    else:
        work.emit(Topic.OUTSIDE_LOOK, key, connection_id=connection.id)


async def ask_all(work: UnitOfWork, topic: Topic, key: str) -> None:
    """Have every connection of the tenant looked at, each by a job of its own."""
    on = select(OutsideConnection).where(OutsideConnection.state == "on")
    asked: Sequence[OutsideConnection] = (await work.session.scalars(on)).all()
    for connection in asked:
        kind = KINDS.get(connection.system)
        if kind is not None and (topic is Topic.OUTSIDE_LOOK or kind.has_reports):
            work.emit(topic, f"{connection.id}:{key}", connection_id=connection.id)
