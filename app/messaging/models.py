"""Tables of messages: who sends, what is written, what went to whom, what comes by itself, and who objects."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.messaging.rules import Occasion
from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant

OPEN = ("queued", "inflight")
"""States of a message that may still go out."""

MESSAGE_STATES = (*OPEN, "sent", "delivered", "bounced", "failed", "withdrawn")
MESSAGE_CLASSES = ("service", "programme", "marketing")
CHANNELS = ("smtp", "notify")
OCCASIONS = tuple(occasion.value for occasion in Occasion)
NUDGES = ("dormant", "no_show", "next_tier")


class MessageSettings(TenantOwned, Base):
    """How a tenant sends; one row, whose `id` equals `tenant_id`. Moments of the day are times in England.

    `clock_ahead_seconds` moves the clock of reminders and nudges, for tenants that train. `notify_key` and
    `notify_callback_token` are encrypted.
    """

    __tablename__ = "message_settings"
    __table_args__ = tenant_table(
        CheckConstraint("id = tenant_id", name="single"),
        CheckConstraint(f"channel in {CHANNELS}", name="channel"),
        CheckConstraint("per_minute between 1 and 1000000", name="per_minute"),
        CheckConstraint("clock_ahead_seconds = 0 or training", name="clock"),
    )

    channel: Mapped[str]
    sender_name: Mapped[str]
    from_address: Mapped[str]
    reply_to: Mapped[str | None]
    brand_name: Mapped[str]
    brand_colour: Mapped[str]
    footer: Mapped[str]
    per_minute: Mapped[int]
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    training: Mapped[bool]
    clock_ahead_seconds: Mapped[int]
    paused_at: Mapped[datetime | None]
    notify_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    notify_template_id: Mapped[str | None]
    notify_callback_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    version: Mapped[int]
    updated_at: Mapped[datetime]


class MessageTemplate(TenantOwned, Base):
    """What is written, in one version; a version that was used never changes. The body is Markdown.

    `occasion` says when it is used and so which placeholders it may have. The newest `ready` version is sent.
    """

    __tablename__ = "message_template"
    __table_args__ = tenant_table(
        CheckConstraint("state in ('draft', 'ready', 'retired')", name="state"),
        CheckConstraint(f"occasion in {OCCASIONS}", name="occasion"),
        CheckConstraint(f"message_class in {MESSAGE_CLASSES}", name="message_class"),
        tenant_unique("code", "version"),
        tenant_index("occasion", "state"),
        tenant_index("created_at", "id"),
    )

    code: Mapped[str]
    version: Mapped[int]
    occasion: Mapped[str]
    message_class: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class ProviderContact(TenantOwned, Base):
    """Where a provider's location or an employer reads its mail: a role's mailbox rather than a person's."""

    __tablename__ = "provider_contact"
    __table_args__ = tenant_table(
        to_tenant("tenant_location_id", "tenant_location"),
        to_tenant("employer_id", "employer"),
        CheckConstraint("(tenant_location_id is null) <> (employer_id is null)", name="belongs"),
        CheckConstraint("role in ('registered_manager', 'medicines_lead', 'training_lead', 'office')", name="role"),
        tenant_unique("tenant_location_id", "address"),
        tenant_unique("employer_id", "address"),
        tenant_index("created_at", "id"),
    )

    tenant_location_id: Mapped[UUID | None]
    employer_id: Mapped[UUID | None]
    role: Mapped[str]
    name: Mapped[str]
    address: Mapped[str]
    undeliverable_since: Mapped[datetime | None]
    ended_on: Mapped[date | None]
    created_at: Mapped[datetime]


class MessageObjection(TenantOwned, Base):
    """Somebody does not want messages of a kind from this tenant: `all`, `programme`, `marketing` or a nudge's name.

    Messages about a booked session or a certificate go out all the same. `ended_at`: they changed their mind.
    """

    __tablename__ = "message_objection"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("contact_id", "provider_contact"),
        CheckConstraint("(learner_id is null) <> (contact_id is null)", name="who"),
        CheckConstraint(f"kind in {('all', 'programme', 'marketing', *NUDGES)}", name="kind"),
        CheckConstraint("source in ('link', 'team', 'learner')", name="source"),
        tenant_index("learner_id", "kind", name="message_objection_learner_key", unique=True, where="ended_at is null"),
        tenant_index("contact_id", "kind", name="message_objection_contact_key", unique=True, where="ended_at is null"),
        tenant_index("created_at", "id"),
    )

    learner_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    kind: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReminderRule(TenantOwned, Base):
    """When people are reminded of a session, or written to after it: of one session, of a series, or of all.

    `before_start`: `days` and `minutes` before it begins, `after_end`: after it ended; whole days keep the time of day
    in England, or take `at_time` instead.
    """

    __tablename__ = "reminder_rule"
    __table_args__ = tenant_table(
        to_tenant("session_id", "training_session"),
        to_tenant("series_id", "session_series"),
        CheckConstraint("session_id is null or series_id is null", name="scope"),
        CheckConstraint("moment in ('before_start', 'after_end')", name="moment"),
        CheckConstraint("audience in ('booked', 'attended', 'absent')", name="audience"),
        CheckConstraint("days between 0 and 90 and minutes between 0 and 1439", name="distance"),
        CheckConstraint("(audience = 'booked') = (moment = 'before_start')", name="audience_moment"),
        tenant_index("session_id"),
        tenant_index("series_id"),
        tenant_index("created_at", "id"),
    )

    session_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    moment: Mapped[str]
    days: Mapped[int]
    minutes: Mapped[int]
    at_time: Mapped[time | None]
    audience: Mapped[str]
    template_code: Mapped[str]
    active: Mapped[bool]
    version: Mapped[int]
    created_at: Mapped[datetime]


class Reminder(TenantOwned, Base):
    """One rule for one session on the day on which that is held: due at a moment, done once.

    `due_at` follows the session when it moves within the day; a move to another day makes a new row. `missed`: nobody
    was working when it was due, and it would have come too late.
    """

    __tablename__ = "reminder"
    __table_args__ = tenant_table(
        to_tenant("rule_id", "reminder_rule"),
        to_tenant("session_id", "training_session"),
        CheckConstraint("state in ('scheduled', 'done', 'missed', 'withdrawn')", name="state"),
        tenant_unique("rule_id", "session_id", "occurs_on"),
        tenant_index("due_at", "id", name="reminder_scheduled_index", where="state = 'scheduled'"),
        tenant_index("session_id"),
    )

    rule_id: Mapped[UUID]
    session_id: Mapped[UUID]
    occurs_on: Mapped[date]
    due_at: Mapped[datetime]
    state: Mapped[str]
    messages: Mapped[int]
    done_at: Mapped[datetime | None]


class NudgeRule(TenantOwned, Base):
    """A nudge that a tenant has switched on or off. `days`: how long after what it looks for."""

    __tablename__ = "nudge_rule"
    __table_args__ = tenant_table(
        CheckConstraint(f"kind in {NUDGES}", name="kind"),
        CheckConstraint("days between 1 and 730", name="days"),
        tenant_unique("kind"),
        tenant_index("kind", "id"),
    )

    kind: Mapped[str]
    days: Mapped[int]
    active: Mapped[bool]
    template_code: Mapped[str]
    version: Mapped[int]
    updated_at: Mapped[datetime]


class Campaign(TenantOwned, Base):
    """One message to a segment, written by one person and approved by another.

    `segment` says who: see `segments.py`. `session_ids` are what its links lead to.
    """

    __tablename__ = "campaign"
    __table_args__ = tenant_table(
        CheckConstraint("state in ('draft', 'submitted', 'approved', 'sending', 'sent', 'withdrawn')", name="state"),
        CheckConstraint("message_class in ('programme', 'marketing')", name="message_class"),
        CheckConstraint("approved_by is null or approved_by <> written_by", name="second_person"),
        tenant_unique("name"),
        tenant_index("created_at", "id"),
    )

    name: Mapped[str]
    message_class: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    segment: Mapped[dict[str, Any]]
    session_ids: Mapped[list[Any]]
    state: Mapped[str]
    written_by: Mapped[UUID]
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None]
    starts_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    recipients: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]


class Message(TenantOwned, Base):
    """The ledger: one message to one recipient: a learner, a provider's contact or a member of the staff.

    `send_key` makes it unique, whoever asks for it and however often. It points to what it is about and holds no
    address and no text: those are found when it is sent. `lease_until` belongs to a worker that is sending it;
    `uncertain` messages were perhaps sent by a worker that died.
    """

    __tablename__ = "message"
    __table_args__ = tenant_table(
        to_tenant("template_id", "message_template"),
        to_tenant("campaign_id", "campaign"),
        to_tenant("reminder_id", "reminder"),
        to_tenant("learner_id", "learner"),
        to_tenant("contact_id", "provider_contact"),
        to_tenant("staff_member_id", "staff_member"),
        to_tenant("session_id", "training_session"),
        to_tenant("booking_id", "booking"),
        CheckConstraint(f"state in {MESSAGE_STATES}", name="state"),
        CheckConstraint(f"occasion in {OCCASIONS}", name="occasion"),
        CheckConstraint(f"message_class in {MESSAGE_CLASSES}", name="message_class"),
        CheckConstraint(f"channel in {CHANNELS}", name="channel"),
        CheckConstraint("num_nonnulls(learner_id, contact_id, staff_member_id) = 1", name="recipient"),
        CheckConstraint(
            "occasion = 'campaign_trial' or (template_id is null) <> (campaign_id is null)", name="written_by"
        ),
        tenant_unique("send_key"),
        tenant_index("due_at", "id", name="message_queued_index", where="state = 'queued'"),
        tenant_index("lease_until", "id", name="message_inflight_index", where="state = 'inflight'"),
        tenant_index("sent_at", name="message_sent_index", where="sent_at is not null"),
        tenant_index("created_at", "id"),
        tenant_index("learner_id", "created_at"),
        tenant_index("contact_id", "created_at", name="message_contact_index", where="contact_id is not null"),
        tenant_index("booking_id", name="message_booking_index", where="state = 'queued'"),
        tenant_index("session_id", name="message_session_index", where="session_id is not null"),
        tenant_index("campaign_id", "state", name="message_campaign_index", where="campaign_id is not null"),
        tenant_index(
            "provider_reference", name="message_provider_reference_index", where="provider_reference is not null"
        ),
    )

    send_key: Mapped[str]
    occasion: Mapped[str]
    message_class: Mapped[str]
    template_id: Mapped[UUID | None]
    campaign_id: Mapped[UUID | None]
    reminder_id: Mapped[UUID | None]
    learner_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    staff_member_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    booking_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    channel: Mapped[str | None]
    state: Mapped[str]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    uncertain: Mapped[bool]
    lease_until: Mapped[datetime | None]
    provider_reference: Mapped[str | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class CampaignLink(TenantOwned, Base):
    """The address in one copy of a campaign. `token` is what the address holds; whoever opens it, it counts here."""

    __tablename__ = "campaign_link"
    __table_args__ = tenant_table(
        to_tenant("campaign_id", "campaign"),
        to_tenant("message_id", "message"),
        tenant_unique("token"),
        tenant_unique("message_id"),
        tenant_index("campaign_id"),
    )

    campaign_id: Mapped[UUID]
    message_id: Mapped[UUID]
    token: Mapped[str]
    created_at: Mapped[datetime]


class CampaignVisit(TenantOwned, Base):
    """Somebody pressed on from the page that a link leads to. Opening it counts nothing: mail scanners do that."""

    __tablename__ = "campaign_visit"
    __table_args__ = tenant_table(to_tenant("link_id", "campaign_link"), tenant_index("link_id", "at"))

    link_id: Mapped[UUID]
    at: Mapped[datetime]


class CampaignRegistration(TenantOwned, Base):
    """A booking that came through a campaign's link."""

    __tablename__ = "campaign_registration"
    __table_args__ = tenant_table(
        to_tenant("link_id", "campaign_link"),
        to_tenant("booking_id", "booking"),
        tenant_unique("booking_id"),
        tenant_index("link_id"),
    )

    link_id: Mapped[UUID]
    booking_id: Mapped[UUID]
    at: Mapped[datetime]
