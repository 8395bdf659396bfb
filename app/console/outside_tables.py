"""What the pages of outside systems show: connections, linked events with their counts, registrations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.outside_words import NOTES, STATES, error_words
from app.console.pages import plain
from app.console.session_words import BOOKING_STATES
from app.console.tables import Link, Table
from app.outside.adapters import KINDS
from app.outside.coming import told_by
from app.outside.linking import CLOSE
from app.outside.models import OutsideConnection, OutsideEvent, OutsideRegistration
from app.training.booking.models import HOLDS_A_PLACE, Booking
from app.training.models import TrainingSession

HOME = "/console/outside"
SHOWN = 300


async def systems_table(session: AsyncSession) -> Table:
    """All systems, connected or not."""
    found = {row.system: row for row in await session.scalars(select(OutsideConnection))}
    rows: list[Sequence[Any]] = []
    for kind in KINDS.values():
        one = found.get(kind.code)
        on = one is not None and one.state == "on"
        rows.append(
            (
                Link(kind.name, f"{HOME}/{kind.code}"),
                "Connected" if on else "Not connected",
                one.succeeded_at if one else None,
                error_words(one.error_code) if one else None,
            )
        )
    return Table("Systems", ("System", "State", "Last went well", "What is wrong"), rows, f"{HOME}/tables/systems.csv")


async def events_table(session: AsyncSession, connection: OutsideConnection) -> Table:
    """Linked events with how many registered, have a place, and wait for somebody."""
    live = and_(OutsideRegistration.state == "registered", OutsideRegistration.gone_at.is_(None))
    counted = await session.execute(
        select(
            OutsideEvent,
            TrainingSession.title,
            TrainingSession.starts_at,
            func.count().filter(live).label("registered"),
            func.count().filter(Booking.state.in_(HOLDS_A_PLACE)).label("placed"),
            func.count().filter(OutsideRegistration.problem.is_not(None)).label("stuck"),
        )
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == OutsideEvent.tenant_id, TrainingSession.id == OutsideEvent.session_id),
        )
        .outerjoin(
            OutsideRegistration,
            and_(
                OutsideRegistration.tenant_id == OutsideEvent.tenant_id,
                OutsideRegistration.event_id == OutsideEvent.id,
            ),
        )
        .outerjoin(
            Booking,
            and_(Booking.tenant_id == OutsideRegistration.tenant_id, Booking.id == OutsideRegistration.booking_id),
        )
        .where(OutsideEvent.connection_id == connection.id, OutsideEvent.state == "linked")
        .group_by(OutsideEvent.tenant_id, OutsideEvent.id, TrainingSession.title, TrainingSession.starts_at)
        .order_by(TrainingSession.starts_at.desc(), OutsideEvent.id)
    )
    rows = [
        (
            Link(row.OutsideEvent.title, f"{HOME}/linked/{row.OutsideEvent.id}"),
            row.title,
            row.starts_at,
            row.registered,
            row.placed,
            row.stuck,
            note_words(row.OutsideEvent, row.starts_at),
        )
        for row in counted
    ]
    return Table(
        "Linked events",
        ("Event", "Session", "Begins", "Registered", "Have a place", "Need a look", "Remark"),
        rows,
        f"{HOME}/{connection.system}/tables/events.csv",
        numeric=(3, 4, 5),
        nothing="No event is linked yet. Find your events, and say which session each one is.",
    )


def note_words(event: OutsideEvent, session_begins: datetime) -> str | None:
    """What people should know about an event and its reports."""
    notes = [NOTES[code] for code in (event.note, event.report_note) if code]
    if event.starts_at is not None and abs(event.starts_at - session_begins) > CLOSE:
        notes.append(f"It begins at another time there: {plain(event.starts_at)}. Move the session, or the event.")
    return " ".join(notes) or None


@dataclass(frozen=True, slots=True)
class Registrations:
    """The registrations of an event: those that need a look, and all; `more`: so many are only in the CSV."""

    stuck: Table
    all: Table
    more: int

    @property
    def by_name(self) -> dict[str, Table]:
        """The tables by the names of their files."""
        return {"to-look-at": self.stuck, "registrations": self.all}


async def registrations_tables(session: AsyncSession, event: OutsideEvent, most: int | None = SHOWN) -> Registrations:
    """The tables of an event's page; `most`: rows of all registrations that are shown."""
    found = (
        await session.execute(
            select(OutsideRegistration, Booking.state)
            .outerjoin(
                Booking,
                and_(Booking.tenant_id == OutsideRegistration.tenant_id, Booking.id == OutsideRegistration.booking_id),
            )
            .where(OutsideRegistration.event_id == event.id)
            .order_by(OutsideRegistration.created_at, OutsideRegistration.id)
        )
    ).all()
    path = f"{HOME}/linked/{event.id}"
    stuck = [(_name(row[0]), row[0].problem_text, row[0].changed_at) for row in found if row[0].problem is not None]
    listed = [_registration(row[0], row[1]) for row in found[:most]]
    return Registrations(
        Table(
            "Need a look",
            ("Person", "What is the matter", "Changed"),
            stuck,
            f"{path}/tables/to-look-at.csv",
            nothing="Nothing needs a look.",
        ),
        Table(
            "Registrations",
            ("Person", "There", "Booking here", "Seen at the door", "Changed"),
            listed,
            f"{path}/tables/registrations.csv",
            nothing="Nobody has registered yet, or nobody has looked: that happens each hour.",
        ),
        max(len(found) - len(listed), 0),
    )


def _registration(one: OutsideRegistration, booked: str | None) -> tuple[Any, ...]:
    state = "Not there any more" if one.gone_at is not None else STATES[one.state]
    booking = "Left out" if one.left_out else BOOKING_STATES.get(booked or "")
    return (_name(one), state, booking, one.checked_in_at, one.changed_at)


def _name(row: OutsideRegistration) -> str | Link:
    """The person as registered; a link where somebody has to say who it is."""
    shown = shown_name(row)
    return Link(shown, registration_path(row.id)) if row.problem is not None and row.learner_id is None else shown


def shown_name(row: OutsideRegistration) -> str:
    """The person as registered."""
    who = told_by(row).who
    return who.shown or who.email or "No name"


def registration_path(registration_id: UUID) -> str:
    """Where somebody says who registered."""
    return f"{HOME}/registrations/{registration_id}"
