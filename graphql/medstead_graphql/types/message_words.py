"""Enums of messages. Enum values are what the database stores."""

import enum

import strawberry


@strawberry.enum(description="What a message is about.")
class MessageOccasion(enum.Enum):
    """Occasions."""

    BOOKING_CONFIRMED = "booking_confirmed"
    BOOKING_OFFERED = "booking_offered"
    BOOKING_ASKED_AGAIN = "booking_asked_again"
    BOOKING_ENDED = "booking_ended"
    SESSION_CHANGED = "session_changed"
    REMINDER = "reminder"
    AFTER_ATTENDED = "after_attended"
    AFTER_ABSENT = "after_absent"
    CERTIFICATE_ISSUED = "certificate_issued"
    NUDGE_DORMANT = "nudge_dormant"
    NUDGE_NO_SHOW = "nudge_no_show"
    NUDGE_NEXT_TIER = "nudge_next_tier"
    CAMPAIGN = "campaign"
    CAMPAIGN_TRIAL = "campaign_trial"
    REPORT_READY = "report_ready"


@strawberry.enum(description="SERVICE: about something that somebody has. The others can be objected to.")
class MessageClass(enum.Enum):
    """Classes."""

    SERVICE = "service"
    PROGRAMME = "programme"
    MARKETING = "marketing"


@strawberry.enum(description="How far a message has come. SENT is the last that a mail server tells.")
class MessageState(enum.Enum):
    """States of messages."""

    QUEUED = "queued"
    INFLIGHT = "inflight"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="Whether a template is sent by.")
class MessageTemplateState(enum.Enum):
    """States of templates."""

    DRAFT = "draft"
    READY = "ready"
    RETIRED = "retired"


@strawberry.enum(description="By which way a message went.")
class MessageChannel(enum.Enum):
    """Ways."""

    SMTP = "smtp"
    NOTIFY = "notify"


@strawberry.enum(description="On which side of a session a rule's reminders are due.")
class ReminderMoment(enum.Enum):
    """Moments."""

    BEFORE_START = "before_start"
    AFTER_END = "after_end"


@strawberry.enum(description="Whom a rule reaches: before a session BOOKED, after it one of the others.")
class ReminderAudience(enum.Enum):
    """Audiences."""

    BOOKED = "booked"
    ATTENDED = "attended"
    ABSENT = "absent"


@strawberry.enum(description="How far a reminder has come. MISSED: nobody was at work in time.")
class ReminderState(enum.Enum):
    """States of reminders."""

    SCHEDULED = "scheduled"
    DONE = "done"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="DORMANT: has not learned for long. NO_SHOW: did not come. NEXT_TIER: could go on.")
class NudgeKind(enum.Enum):
    """Kinds of nudge."""

    DORMANT = "dormant"
    NO_SHOW = "no_show"
    NEXT_TIER = "next_tier"


@strawberry.enum(description="What somebody does not want. ALL leaves what is about own bookings and certificates.")
class ObjectionKind(enum.Enum):
    """Kinds of objection."""

    ALL = "all"
    PROGRAMME = "programme"
    MARKETING = "marketing"
    DORMANT = "dormant"
    NO_SHOW = "no_show"
    NEXT_TIER = "next_tier"


@strawberry.enum(description="How an objection was made: by the link in a message, told to the team, or by themselves.")
class ObjectionSource(enum.Enum):
    """Sources."""

    LINK = "link"
    TEAM = "team"
    LEARNER = "learner"
