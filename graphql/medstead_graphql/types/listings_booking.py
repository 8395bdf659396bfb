"""Which rows of sessions and bookings can be listed, filtered by what, ordered by what."""

from app.training.booking import models as booking
from app.training.sessions import models as sessions
from medstead_graphql.compiler.listing import listing

VENUE = listing(
    "Venue",
    sessions.Venue,
    filters=("name", "local_authority", "capacity"),
    orders=("name",),
    default_order=("name",),
)
TEAM_MEMBER = listing(
    "TeamMember",
    sessions.TeamMember,
    filters=("name", "profession", "ended_on"),
    orders=("name",),
    default_order=("name",),
)
SESSION_SERIES = listing(
    "SessionSeries",
    sessions.SessionSeries,
    filters=("title", "kind", "tier_id"),
    orders=("created_at",),
    default_order=("-created_at",),
    lists={"sessions": "Session"},
)
SESSION_FACILITATOR = listing(
    "SessionFacilitator",
    sessions.SessionFacilitator,
    filters=("session_id", "team_member_id"),
    orders=(),
    default_order=(),
    links={"teamMember": "TeamMember", "session": "Session"},
)
AGENDA_ITEM = listing(
    "AgendaItem", sessions.AgendaItem, filters=("part",), orders=("position",), default_order=("position",)
)
PLACE_RESERVE = listing("PlaceReserve", booking.PlaceReserve, filters=("kind", "until"), orders=(), default_order=())
BOOKING = listing(
    "Booking",
    booking.Booking,
    filters=("session_id", "learner_id", "employer_id", "state", "number", "booked_at", "late", "work_group"),
    orders=("booked_at",),
    default_order=("-booked_at",),
    links={"learner": "Learner", "session": "Session", "employer": "Employer"},
)
PLACE_OFFER = listing(
    "PlaceOffer",
    booking.PlaceOffer,
    filters=("state", "expires_at"),
    orders=("offered_at",),
    default_order=("-offered_at",),
)
SESSION_TOPIC = listing(
    "SessionTopic", sessions.SessionTopic, filters=(), orders=(), default_order=(), links={"topic": "Topic"}
)
SESSION_GUIDANCE = listing(
    "SessionGuidance",
    sessions.SessionGuidance,
    filters=(),
    orders=(),
    default_order=(),
    links={"document": "GuidanceDocument"},
)
