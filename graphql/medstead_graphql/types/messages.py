"""Types of messages: templates, the ledger, reminders, nudges, objections. None holds an address."""

from datetime import date, datetime

from app.directory import models as directory
from app.messaging import models
from app.training.booking import models as booking
from app.training.models import TrainingSession
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings_messages
from medstead_graphql.types.booking import Booking
from medstead_graphql.types.campaigns import Campaign, ProviderContact
from medstead_graphql.types.directory import Learner
from medstead_graphql.types.message_words import (
    MessageChannel,
    MessageClass,
    MessageOccasion,
    MessageState,
    MessageTemplateState,
    NudgeKind,
    ObjectionKind,
    ObjectionSource,
    ReminderAudience,
    ReminderMoment,
    ReminderState,
)
from medstead_graphql.types.training import Session

SCOPE = "messages:read"


@node(models.MessageTemplate, scope=SCOPE, description="What is written on an occasion, in one version.")
class MessageTemplate(Node):
    """A template."""

    code: str = column(description="The name that all its versions share.")
    version: int = column()
    occasion: MessageOccasion = column()
    message_class: MessageClass = column()
    subject: str = column()
    body: str = column(description="Markdown with placeholders such as ((first_name)).")
    state: MessageTemplateState = column()
    created_at: datetime = column()


@node(models.ReminderRule, scope=SCOPE, description="When people are reminded of a session or written to after it.")
class ReminderRule(Node):
    """A rule."""

    moment: ReminderMoment = column()
    audience: ReminderAudience = column()
    days: int = column(description="Whole days keep the time of day in England.")
    minutes: int = column()
    template_code: str = column()
    active: bool = column()
    version: int = column(description="Send this back when you change the rule.")
    session: Session | None = one(TrainingSession, key="session_id", description="The one session that it is for.")
    reminders: Connection["Reminder"] = many(listings_messages.REMINDER, on="rule_id")


@node(models.Reminder, scope=SCOPE, description="One rule for one session on the day on which that is held.")
class Reminder(Node):
    """A reminder."""

    occurs_on: date = column()
    due_at: datetime = column()
    state: ReminderState = column()
    messages: int = column(description="How many messages it asked for.")
    done_at: datetime | None = column()
    rule: ReminderRule = one(models.ReminderRule, key="rule_id")
    session: Session = one(TrainingSession, key="session_id")


@node(models.NudgeRule, scope=SCOPE, description="A kind of nudge that the tenant has switched on or off.")
class NudgeRule(Node):
    """A nudge."""

    kind: NudgeKind = column()
    days: int = column()
    active: bool = column()
    template_code: str = column()
    version: int = column(description="Send this back when you change it.")
    updated_at: datetime = column()


@node(models.MessageObjection, scope=SCOPE, description="Somebody does not want messages of a kind from this tenant.")
class MessageObjection(Node):
    """An objection."""

    kind: ObjectionKind = column()
    source: ObjectionSource = column()
    created_at: datetime = column()
    ended_at: datetime | None = column()
    learner: Learner | None = one(directory.Learner, key="learner_id")
    contact: ProviderContact | None = one(models.ProviderContact, key="contact_id")


@node(models.Message, scope=SCOPE, description="One message to one recipient, and what became of it.")
class Message(Node):
    """A message."""

    occasion: MessageOccasion = column()
    message_class: MessageClass = column()
    state: MessageState = column()
    channel: MessageChannel | None = column()
    due_at: datetime = column()
    attempts: int = column()
    last_error: str | None = column(description="Why it did not go out, such as NO_ADDRESS, OBJECTED or SMTP_550.")
    created_at: datetime = column()
    sent_at: datetime | None = column()
    ended_at: datetime | None = column()
    template: MessageTemplate | None = one(models.MessageTemplate, key="template_id")
    campaign: Campaign | None = one(models.Campaign, key="campaign_id")
    contact: ProviderContact | None = one(models.ProviderContact, key="contact_id")
    reminder: Reminder | None = one(models.Reminder, key="reminder_id")
    learner: Learner | None = one(directory.Learner, key="learner_id")
    session: Session | None = one(TrainingSession, key="session_id")
    booking: Booking | None = one(booking.Booking, key="booking_id")
