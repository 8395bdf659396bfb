"""Which rows of messages can be listed, filtered by what, ordered by what."""

from app.messaging import models
from medstead_graphql.compiler.listing import listing

TEMPLATE = listing(
    "MessageTemplate",
    models.MessageTemplate,
    filters=("code", "occasion", "message_class", "state", "version", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
)
REMINDER_RULE = listing(
    "ReminderRule",
    models.ReminderRule,
    filters=("moment", "audience", "active", "session_id", "series_id", "template_code", "created_at"),
    orders=("created_at",),
    default_order=("created_at",),
    links={"session": "Session"},
    lists={"reminders": "Reminder"},
)
REMINDER = listing(
    "Reminder",
    models.Reminder,
    filters=("rule_id", "session_id", "state", "due_at", "occurs_on"),
    orders=("due_at",),
    default_order=("due_at",),
    links={"rule": "ReminderRule", "session": "Session"},
)
NUDGE_RULE = listing(
    "NudgeRule", models.NudgeRule, filters=("kind", "active"), orders=("kind",), default_order=("kind",)
)
OBJECTION = listing(
    "MessageObjection",
    models.MessageObjection,
    filters=("kind", "source", "learner_id", "created_at", "ended_at"),
    orders=("created_at",),
    default_order=("-created_at",),
    links={"learner": "Learner"},
)
MESSAGE = listing(
    "Message",
    models.Message,
    filters=(
        *("state", "occasion", "learner_id", "session_id", "booking_id", "template_id", "last_error"),
        *("campaign_id", "contact_id"),
        *("created_at", "due_at", "sent_at"),
    ),
    orders=("created_at", "due_at"),
    default_order=("-created_at",),
    links={"learner": "Learner", "session": "Session", "template": "MessageTemplate", "campaign": "Campaign"},
)
