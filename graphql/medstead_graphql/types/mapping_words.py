"""Enums of the mapping. Enum values are what the database stores."""

import enum

import strawberry


@strawberry.enum(description="For whom a course was made.")
class CourseScope(enum.Enum):
    """Scopes of courses."""

    NATIONAL = "national"
    LOCAL = "local"
    PROVIDER_INTERNAL = "provider_internal"


@strawberry.enum(description="How a course is given, whatever its tier.")
class CourseDeliveryMode(enum.Enum):
    """Ways to give a course."""

    E_LEARNING = "e_learning"
    WEBINAR = "webinar"
    FACE_TO_FACE = "face_to_face"
    PRACTICAL = "practical"
    BLENDED = "blended"


@strawberry.enum(description="What access to a course depends on.")
class AccessKind(enum.Enum):
    """Kinds of access."""

    FREE = "free"
    LICENSED = "licensed"
    LOCAL_VENUE = "local_venue"


@strawberry.enum(description="Whether a course is offered. MERGED: it was found to be another one.")
class CourseStatus(enum.Enum):
    """States of a course."""

    ACTIVE = "active"
    RETIRED = "retired"
    MERGED = "merged"


@strawberry.enum(description="What kind of guidance a document is.")
class GuidanceKind(enum.Enum):
    """Kinds of guidance."""

    NATIONAL = "national"
    REGULATION = "regulation"
    LOCAL = "local"


@strawberry.enum(description="Whether guidance is in force.")
class GuidanceStatus(enum.Enum):
    """States of guidance."""

    CURRENT = "current"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="Whether a topic is used.")
class TopicStatus(enum.Enum):
    """States of a topic."""

    ACTIVE = "active"
    RETIRED = "retired"


@strawberry.enum(description="Whether a mapping exercise can be changed.")
class MappingStatus(enum.Enum):
    """States of an exercise."""

    DRAFT = "draft"
    LOCKED = "locked"


@strawberry.enum(description="How far a course covers a clause of a topic.")
class CellCoverage(enum.Enum):
    """Coverage of a cell."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    NOT_APPLICABLE = "not_applicable"


@strawberry.enum(description="What became of a cell between two exercises.")
class CellChange(enum.Enum):
    """Changes of a cell."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@strawberry.enum(description="What training lacks.")
class GapKind(enum.Enum):
    """Kinds of gap."""

    CONTENT = "content"
    DELIVERY = "delivery"
    ACCESSIBILITY = "accessibility"


@strawberry.enum(description="Whether a gap is there.")
class GapStatus(enum.Enum):
    """States of a gap."""

    OPEN = "open"
    CLOSED = "closed"
