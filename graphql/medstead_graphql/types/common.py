"""The Node interface and enums shared by several types. Enum values are what the database stores."""

import enum

import strawberry
from strawberry.scalars import JSON

__all__ = ["JSON", "PEOPLE", "ImportState", "LocationRelationship", "OnlineMode", "TenantKind", "TenantStatus"]

PEOPLE = "people:read"
"""The scope that names of people need."""


@strawberry.enum(description="What kind of body a tenant is.")
class TenantKind(enum.Enum):
    """Kinds of tenant."""

    ICB = "icb"
    COUNCIL = "council"


@strawberry.enum(description="What kind of body an organisation is.")
class OrganisationKind(enum.Enum):
    """Kinds of organisation."""

    ICB = "icb"
    COUNCIL = "council"
    STP = "stp"


@strawberry.enum(description="Who gives a code: the NHS's Organisation Data Service or the national statistics.")
class CodeScheme(enum.Enum):
    """Schemes of codes."""

    ODS = "ods"
    ONS_GSS = "ons_gss"


@strawberry.enum(description="How one organisation came to follow another.")
class SuccessionKind(enum.Enum):
    """Kinds of succession."""

    MERGE = "merge"
    SPLIT = "split"
    BOUNDARY_CHANGE = "boundary_change"


@strawberry.enum(description="Where a tenant stands.")
class TenantStatus(enum.Enum):
    """Status of a tenant."""

    ONBOARDING = "onboarding"
    LIVE = "live"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@strawberry.enum(description="A tenant's relationship to a CQC location.")
class LocationRelationship(enum.Enum):
    """Relationships."""

    IN_AREA = "in_area"
    COMMISSIONED = "commissioned"
    FORMER = "former"


@strawberry.enum(description="How people join a session online; NONE is face to face.")
class OnlineMode(enum.Enum):
    """Online modes."""

    MEETING = "meeting"
    WEBINAR = "webinar"
    TOWN_HALL = "town_hall"
    NONE = "none"


@strawberry.enum(description="How far an import has come.")
class ImportState(enum.Enum):
    """States of an import."""

    STAGING = "staging"
    READY = "ready"
    APPLYING = "applying"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@strawberry.enum(description="Why a row of an import needs attention.")
class ImportRowKind(enum.Enum):
    """Kinds of kept rows."""

    REJECTED = "rejected"
    REVIEW = "review"
    REMARK = "remark"


@strawberry.enum(description="Whether a kept row still waits.")
class ImportRowState(enum.Enum):
    """States of kept rows."""

    OPEN = "open"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


@strawberry.enum(description="Whether an endpoint is sent to.")
class WebhookEndpointState(enum.Enum):
    """States of a webhook endpoint."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@strawberry.enum(
    description="Why an endpoint is disabled: somebody chose so, it had nothing but failures, or it answered 410 Gone."
)
class WebhookDisabledReason(enum.Enum):
    """Reasons for a disabled endpoint."""

    BY_HAND = "by_hand"
    FAILING = "failing"
    GONE = "gone"


@strawberry.enum(description="How far a delivery has come.")
class WebhookDeliveryState(enum.Enum):
    """States of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@strawberry.enum(description="Which way of a figure is good.")
class Polarity(enum.Enum):
    """Polarity of a metric."""

    HIGHER_BETTER = "higher_better"
    LOWER_BETTER = "lower_better"
    NEUTRAL = "neutral"


@strawberry.enum(description="What kind of figure a metric gives.")
class MetricKind(enum.Enum):
    """Kinds of metric."""

    COUNT = "count"
    SHARE = "share"
    RATE = "rate"


@strawberry.enum(description="What kind of session it is.")
class SessionKind(enum.Enum):
    """Kinds of session."""

    TRAINING = "training"
    CHAMPIONS_DAY = "champions_day"
    FORUM = "forum"


@strawberry.enum(description="Whether a session is still being planned, can be booked, or was cancelled.")
class SessionState(enum.Enum):
    """States of a session."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


@strawberry.enum(description="What happens to those who wait when a place comes free.")
class WaitingList(enum.Enum):
    """Policies of a waiting list."""

    NONE = "none"
    PROMOTE = "promote"
    OFFER = "offer"


@strawberry.enum(description="For whom places are kept.")
class ReserveKind(enum.Enum):
    """Kinds of reserve."""

    SETTING = "setting"
    PROVIDER_GROUP = "provider_group"
    LOCAL_AUTHORITY = "local_authority"


@strawberry.enum(description="Where a booking stands. The first three are live: a learner has one at a session.")
class BookingState(enum.Enum):
    """States of a booking."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"
    TRANSFERRED = "transferred"
    SWAPPED = "swapped"


@strawberry.enum(description="Who booked: the learner, a manager for named staff, or the programme's team.")
class BookedBy(enum.Enum):
    """Who books."""

    LEARNER = "learner"
    MANAGER = "manager"
    TEAM = "team"


@strawberry.enum(description="What became of the offer of a place.")
class OfferState(enum.Enum):
    """States of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="What somebody of the team is by profession.")
class Profession(enum.Enum):
    """Professions."""

    PHARMACIST = "pharmacist"
    PHARMACY_TECHNICIAN = "pharmacy_technician"
    NURSE = "nurse"
    DIETITIAN = "dietitian"
    CARE_PROFESSIONAL = "care_professional"
    OTHER = "other"


@strawberry.enum(description="What somebody does in the programme's team.")
class TeamRole(enum.Enum):
    """Roles in the team."""

    LEAD = "lead"
    FACILITATOR = "facilitator"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"


@strawberry.enum(description="Whether a champion's role goes on.")
class ChampionState(enum.Enum):
    """States of a champion's role."""

    ACTIVE = "active"
    ENDED = "ended"
