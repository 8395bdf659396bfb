"""Enums of governance and money. Enum values are what the database stores."""

import enum

import strawberry


@strawberry.enum(description="What kind of body a partner is.")
class PartnerKind(enum.Enum):
    """Kinds of partner."""

    ICB = "icb"
    COUNCIL = "council"
    CARE_PROVIDER = "care_provider"
    NHS_TRUST = "nhs_trust"
    COMMUNITY_PHARMACY = "community_pharmacy"
    VOLUNTARY = "voluntary"
    OTHER = "other"


@strawberry.enum(description="What is governed.")
class GovernanceItemKind(enum.Enum):
    """Kinds of item."""

    POLICY = "policy"
    DECISION = "decision"
    RISK = "risk"
    FORUM_ACTION = "forum_action"
    FEEDBACK_THEME = "feedback_theme"


@strawberry.enum(description="How far an item or an action of a plan has come.")
class GovernanceStatus(enum.Enum):
    """States of items."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="CQC: after an inspection. LOCAL: of a local improvement framework.")
class PlanKind(enum.Enum):
    """Kinds of plan."""

    CQC = "cqc"
    LOCAL = "local"


@strawberry.enum(description="How far an action plan has come.")
class PlanStatus(enum.Enum):
    """States of plans."""

    OPEN = "open"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="Whether an objective is still striven for.")
class ObjectiveStatus(enum.Enum):
    """States of objectives."""

    CURRENT = "current"
    PAST = "past"


@strawberry.enum(description="Where in the use of medicines an incident began.")
class IncidentStage(enum.Enum):
    """Stages."""

    PRESCRIBING = "prescribing"
    DISPENSING = "dispensing"
    ADMINISTRATION = "administration"
    MONITORING = "monitoring"
    TRANSFER = "transfer"
    STORAGE = "storage"


@strawberry.enum(description="What harm an incident did.")
class HarmLevel(enum.Enum):
    """Levels of harm."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    SEVERE = "severe"
    FATAL = "fatal"


@strawberry.enum(description="What became of a learning need that was suggested.")
class NeedStatus(enum.Enum):
    """States of needs."""

    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MET = "met"


@strawberry.enum(description="What happens to who comes when all seats are charged.")
class BeyondPool(enum.Enum):
    """Ways to treat who comes too late."""

    REFUSE = "refuse"
    WAIT = "wait"


@strawberry.enum(description="Where an enrolment to a licence pool stands.")
class SeatState(enum.Enum):
    """States of seats."""

    CHARGED = "charged"
    WAITING = "waiting"
    RELEASED = "released"


@strawberry.enum(description="What time was spent on.")
class TimeActivity(enum.Enum):
    """Activities."""

    PREPARATION = "preparation"
    DELIVERY = "delivery"
    ADMINISTRATION = "administration"
