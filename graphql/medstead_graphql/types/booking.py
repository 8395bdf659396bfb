"""Types of places at sessions: venues, the team, series, places, reserves, bookings, offers."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy import func, select

from app.training.booking import models as booking
from app.training.mapping import models as mapping
from app.training.models import TrainingSession
from app.training.sessions import models as sessions
from medstead_graphql.compiler.declare import Connection, Node, column, expression, many, node, one
from medstead_graphql.types import listings, listings_booking
from medstead_graphql.types.common import (
    JSON,
    PEOPLE,
    BookedBy,
    BookingState,
    OfferState,
    OnlineMode,
    Profession,
    ReserveKind,
    SessionKind,
    WaitingList,
)
from medstead_graphql.types.directory import Employer, Learner
from tenants.base import table_of

BOOKINGS = "bookings:write"
"""What opens a session's codes: whoever holds them can check people in."""

if TYPE_CHECKING:
    from medstead_graphql.types.mapping import GuidanceDocument, Topic
    from medstead_graphql.types.training import Session

_Session = Annotated["Session", strawberry.lazy("medstead_graphql.types.training")]


@node(sessions.Venue, scope="training:read", description="A place for face-to-face sessions.")
class Venue(Node):
    """A venue."""

    name: str = column()
    address: str | None = column()
    postcode: str | None = column()
    local_authority: str | None = column()
    capacity: int | None = column()
    access_features: JSON = column(description="What makes it easy to use, in words: step-free, hearing loop …")
    day_cost: Decimal | None = column(scope="finance:read", description="Pounds for a day; 0 is free.")
    version: int = column()


@node(sessions.TeamMember, scope="training:read", description="Somebody of the programme's team.")
class TeamMember(Node):
    """A team member."""

    name: str = column()
    profession: Profession = column()
    roles: JSON = column(description="What they do in the team, as TeamRole names it, in lower case.")
    whole_time_equivalent: Decimal | None = column(description="From 0 to 1.")
    registration_body: str | None = column()
    registration_number: str | None = column(scope=PEOPLE)
    started_on: date = column()
    ended_on: date | None = column()
    version: int = column()


@node(
    sessions.SessionSeries,
    scope="training:read",
    description="Sessions that recur by an RRULE over a local time, which stays the same across clock changes.",
)
class SessionSeries(Node):
    """A series."""

    title: str = column()
    kind: SessionKind = column()
    online_mode: OnlineMode = column()
    first_day: date = column()
    local_time: str = column(description="Time of day in England, as HH:MM.")
    minutes: int = column()
    rrule: str = column(description="RRULE of RFC 5545, without its name.")
    excluded: JSON = column(description="Local dates on which there is no session.")
    version: int = column()
    created_at: datetime = column()
    sessions: Connection[_Session] = many(listings.SESSION, on="series_id")


@node(sessions.SessionFacilitator, scope="training:read", description="Who leads a session.")
class SessionFacilitator(Node):
    """A facilitator of a session."""

    team_member: TeamMember = one(sessions.TeamMember, key="team_member_id")
    session: _Session = one(TrainingSession, key="session_id")


@node(sessions.AgendaItem, scope="training:read", description="A part of a session's day.")
class AgendaItem(Node):
    """A line of an agenda."""

    position: int = column()
    title: str = column()
    part: int = column(description="Which half of the day: 1 or 2.")
    minutes: int = column()
    group_work: bool = column()


@node(sessions.SessionTopic, scope="training:read", description="A topic that a session teaches.")
class SessionTopic(Node):
    """A topic of a session."""

    topic: Annotated["Topic", strawberry.lazy("medstead_graphql.types.mapping")] = one(mapping.Topic, key="topic_id")
    session: _Session = one(TrainingSession, key="session_id")


@node(sessions.SessionGuidance, scope="training:read", description="A guidance document that a session goes through.")
class SessionGuidance(Node):
    """A document of a session."""

    document: Annotated["GuidanceDocument", strawberry.lazy("medstead_graphql.types.mapping")] = one(
        mapping.GuidanceDocument, key="guidance_document_id"
    )
    session: _Session = one(TrainingSession, key="session_id")


@node(booking.PlaceReserve, scope="training:read", description="Places kept for some until a moment.")
class PlaceReserve(Node):
    """A reserve."""

    kind: ReserveKind = column()
    value: str = column(description="The setting, the provider group's own id, or the local authority.")
    places: int = column()
    until: datetime = column()


def _counted(state: str) -> Any:
    def sql(row: Any, compilation: Any) -> Any:
        bookings = table_of(booking.Booking).alias()
        counted = select(func.count()).select_from(bookings)
        counted = counted.where(
            bookings.c.tenant_id == compilation.tenant,
            bookings.c.session_id == row.c.session_id,
            bookings.c.state == state,
        )
        return counted.correlate(row).scalar_subquery()

    return sql


@node(
    booking.SessionPlaces, scope="training:read", description="How many places a session has, and how they are given."
)
class SessionPlaces(Node):
    """A session's places."""

    capacity: int = column()
    waiting_list: WaitingList = column()
    offer_hours: int | None = column(description="For how long a place is offered.")
    opens_at: datetime | None = column()
    closes_at: datetime = column()
    cancel_until: datetime = column(description="Who cancels later is marked as late.")
    confirmed: int = expression(_counted("confirmed"), cost=20, description="Bookings that have a place.")
    offered: int = expression(_counted("offered"), cost=20, description="Places that are offered and not answered yet.")
    waiting: int = expression(_counted("waiting"), cost=20, description="Bookings that wait.")


def _position(row: Any, compilation: Any) -> Any:
    others = table_of(booking.Booking).alias()
    counted = select(func.count()).select_from(others)
    counted = counted.where(
        others.c.tenant_id == compilation.tenant,
        others.c.session_id == row.c.session_id,
        others.c.state == "waiting",
        others.c.number <= row.c.number,
        row.c.state == "waiting",
    )
    return func.nullif(counted.correlate(row).scalar_subquery(), 0)


@node(booking.Booking, scope="training:read", description="A learner's place at a session, or the wish for one.")
class Booking(Node):
    """A booking."""

    state: BookingState = column()
    number: int = column(description="Its place in the order of the session's bookings, from 1.")
    waiting_position: int | None = expression(
        _position, cost=20, description="Its place in the waiting list, from 1; null for one that does not wait."
    )
    party_id: str | None = column(description="The same for those who are given places together or not at all.")
    reference: str = column(scope=BOOKINGS, description="What the learner shows or types to check in.")
    booked_by: BookedBy = column()
    booked_at: datetime = column()
    confirmed_at: datetime | None = column()
    asked_again_at: datetime | None = column(description="When the session was moved and people were asked again.")
    answered_at: datetime | None = column()
    work_group: int | None = column(description="The group for group work.")
    ended_at: datetime | None = column()
    ended_because: str | None = column(scope=PEOPLE, description="Free text may name people.")
    late: bool = column(description="Cancelled after the time for it.")
    learner: Learner = one(listings.LEARNER.table, key="learner_id")
    session: _Session = one(TrainingSession, key="session_id")
    employer: Employer | None = one(listings.EMPLOYER.table, key="employer_id")
    follows: "Booking | None" = one(booking.Booking, key="follows_id", description="Where it came from.")
    offers: Connection["PlaceOffer"] = many(listings_booking.PLACE_OFFER, on="booking_id")


@node(booking.PlaceOffer, scope="training:read", description="A place offered to somebody who waited.")
class PlaceOffer(Node):
    """An offer."""

    state: OfferState = column()
    offered_at: datetime = column()
    expires_at: datetime = column()
    decided_at: datetime | None = column()
