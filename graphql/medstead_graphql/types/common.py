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
