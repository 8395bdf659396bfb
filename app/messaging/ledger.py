"""The ledger at work: messages are asked for once, claimed for sending, and told what became of them.

Protocol: a message is `queued` until a worker claims it (`inflight`, with a lease). What it came to is written after it
was handed over. If the worker dies in between, the lease runs out and the message is claimed again as `uncertain`: it
is sent under the same reference, so that a mailbox keeps one copy, or the sender is first asked whether it has it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from app.messaging.models import Message, MessageSettings
from app.messaging.rules import Occasion, retry_after
from app.training.errors import TrainingRefusal
from tenants.audit import Action
from tenants.base import SCHEMA, among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

BATCH = 200
"""Messages that are claimed, written and sent together."""

UNBOUNDED = 600_000
"""A pace of so many a minute is beyond what a server takes: it is not counted, for counting costs with the pace."""

COLUMNS = (
    "id", "send_key", "occasion", "message_class", "template_id", "campaign_id", "reminder_id", "learner_id",
    "contact_id", "staff_member_id", "session_id", "booking_id", "subject_id", "state", "due_at", "attempts",
    "uncertain", "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A message to be: `key` makes it unique in the tenant. It goes to a learner, a contact or one of the staff."""

    key: str
    occasion: Occasion
    message_class: str
    template_id: UUID | None = None
    campaign_id: UUID | None = None
    reminder_id: UUID | None = None
    learner_id: UUID | None = None
    contact_id: UUID | None = None
    staff_member_id: UUID | None = None
    session_id: UUID | None = None
    booking_id: UUID | None = None
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: `sent`, `delivered`, `bounced`, `failed`, `withdrawn`, or `later`."""

    message_id: UUID
    state: str
    error: str | None = None
    reference: str | None = None
    attempts: int = 1


async def ask(work: UnitOfWork, asked: Iterable[Asked], due_at: datetime) -> int:
    """Queue messages for a moment; one that was asked for before is not asked for again. Gives how many were asked."""
    rows = [
        (
            new_id(), one.key, one.occasion.value, one.message_class, one.template_id, one.campaign_id,
            one.reminder_id, one.learner_id, one.contact_id, one.staff_member_id, one.session_id, one.booking_id,
            one.subject_id, "queued", due_at, 0, False, work.now,
        )
        for one in asked
    ]  # fmt: skip
    if rows:
        await work.insert_rows(Message, COLUMNS, rows, on_conflict="ON CONFLICT (tenant_id, send_key) DO NOTHING")
        send_at(work, due_at)
    return len(rows)


def send_at(work: UnitOfWork, due_at: datetime) -> None:
    """Have a worker send what is queued at that moment."""
    work.emit(Topic.MESSAGES_SEND, str(new_id()), at=max(due_at, work.now))


_CLAIM = f"""
    WITH found AS MATERIALIZED (
         SELECT id FROM {SCHEMA}.message
          WHERE tenant_id = $1 AND state = 'queued' AND due_at <= $2
          ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
    UPDATE {SCHEMA}.message m
       SET state = 'inflight', lease_until = $3
      FROM found
     WHERE m.tenant_id = $1 AND m.id = found.id
    RETURNING m.id
"""
"""Materialized: a plan that looks for each message by itself would begin the count anew every time."""
_TAKE_BACK = f"""
    UPDATE {SCHEMA}.message SET state = 'queued', uncertain = true, lease_until = NULL
     WHERE tenant_id = $1 AND state = 'inflight' AND lease_until <= $2
"""
_RECENT = f"""
    SELECT (SELECT count(*) FROM {SCHEMA}.message WHERE tenant_id = $1 AND sent_at > $2)
         + (SELECT count(*) FROM {SCHEMA}.message
             WHERE tenant_id = $1 AND state = 'inflight' AND lease_until > $3) AS count
"""
_SENT = f"""
    UPDATE {SCHEMA}.message
       SET state = 'sent', sent_at = $2, lease_until = NULL, attempts = attempts + 1, channel = $3, last_error = NULL,
           provider_reference = found.reference
      FROM (SELECT * FROM unnest($4::uuid[], $5::text[]) AS t (id, reference)) found
     WHERE tenant_id = $1 AND message.id = found.id AND state = 'inflight'
"""


async def take_back(work: UnitOfWork) -> None:
    """Queue again what a worker claimed that has died meanwhile: perhaps it sent it, perhaps not."""
    await (await work.driver()).execute(_TAKE_BACK, work.tenant_id, work.now)


async def claim(work: UnitOfWork, settings: MessageSettings, lease: timedelta) -> list[UUID]:
    """Messages that are due, for this worker to send until the lease ends; as many as the tenant's pace allows.

    `settings` must be locked, so that several workers keep the pace together.
    """
    room = BATCH
    if settings.per_minute < UNBOUNDED:
        (recent,) = await work.fetch(_RECENT, work.now - timedelta(minutes=1), work.now)
        room = min(BATCH, settings.per_minute - recent["count"])
    if room <= 0:
        return []
    rows = await work.fetch(_CLAIM, work.now, work.now + lease, room)
    return [row["id"] for row in rows]


async def enough_at_work(work: UnitOfWork) -> bool:
    """Whether others have more than a batch of the tenant's messages in hand, and so will look again by themselves.

    Whoever has some claims anew after each batch, so that nothing that is queued now is forgotten.
    """
    in_hand = select(func.count()).where(Message.state == "inflight", Message.lease_until > work.now)
    return (await work.session.scalars(in_hand)).one() > BATCH


async def look_after_leases(work: UnitOfWork, lease: timedelta) -> None:
    """Have a worker look when what others have in hand would come back, should they not live to note it.

    One look for all whose lease ends within the same span of a lease.
    """
    in_hand = select(func.max(Message.lease_until)).where(Message.state == "inflight")
    last = (await work.session.scalars(in_hand)).one()
    if last is not None:
        span = lease.total_seconds()
        ends = max(last, work.now).timestamp() // span * span + span
        work.emit(Topic.MESSAGES_SEND, f"lease:{ends:.3f}", at=datetime.fromtimestamp(ends, UTC))


async def more_is_due(work: UnitOfWork) -> bool:
    """Whether something is queued that is due already."""
    due = select(Message.id).where(Message.state == "queued", Message.due_at <= work.now).limit(1)
    return (await work.session.scalars(due)).first() is not None


async def settle(work: UnitOfWork, outcomes: Sequence[Outcome], channel: str) -> None:
    """Write down what became of claimed messages; those to be tried again come back by themselves."""
    sent = [one for one in outcomes if one.state == "sent"]
    if sent:
        await (await work.driver()).execute(
            _SENT, work.tenant_id, work.now, channel, [one.message_id for one in sent], [one.reference for one in sent]
        )
    for one in outcomes:
        if one.state == "sent":
            continue
        changes: dict[str, object] = {"lease_until": None, "last_error": one.error, "channel": channel}
        delay = retry_after(one.attempts) if one.state == "later" else None
        if delay is not None:
            changes |= {"state": "queued", "due_at": work.now + delay, "attempts": Message.attempts + 1}
            changes["uncertain"] = True  # silence may have hidden that it was taken
            send_at(work, work.now + delay)
        else:
            state = "failed" if one.state == "later" else one.state
            changes |= {"state": state, "ended_at": work.now, "attempts": Message.attempts + int(state != "withdrawn")}
        held = update(Message).where(Message.id == one.message_id, Message.state == "inflight").values(changes)
        await work.session.execute(held.execution_options(synchronize_session=False))


async def give_back(work: UnitOfWork, message_ids: Sequence[UUID], error: str, delay: timedelta) -> None:
    """Queue claimed messages again of which nothing is known: no attempt of theirs, such as when nobody answers."""
    held = (
        update(Message)
        .where(among(Message.id, message_ids), Message.state == "inflight")
        .values(state="queued", lease_until=None, due_at=work.now + delay, last_error=error, uncertain=True)
    )
    await work.session.execute(held.execution_options(synchronize_session=False))
    send_at(work, work.now + delay)


async def withdraw(work: UnitOfWork, message_id: UUID) -> None:
    """Take back a message that is still queued. Raises TrainingRefusal `NO_SUCH_MESSAGE` or `NOT_QUEUED`."""
    message = await _message(work, message_id)
    if message.state != "queued":
        raise TrainingRefusal("NOT_QUEUED", "It is not waiting any more, so it cannot be taken back.", "id")
    message.state, message.ended_at, message.last_error = "withdrawn", work.now, "BY_HAND"
    work.record(Action.MESSAGE_WITHDRAWN, "message", message_id, before={"state": "queued"})


async def retry(work: UnitOfWork, message_id: UUID) -> None:
    """Send a message again that failed or bounced. Raises TrainingRefusal `NO_SUCH_MESSAGE` or `NOT_FAILED`."""
    message = await _message(work, message_id)
    if message.state not in ("failed", "bounced"):
        raise TrainingRefusal("NOT_FAILED", "Only a message that failed or came back can be sent again.", "id")
    before = {"state": message.state, "last_error": message.last_error}
    message.state, message.due_at, message.attempts = "queued", work.now, 0
    message.ended_at = message.sent_at = message.provider_reference = None
    work.record(Action.MESSAGE_RETRIED, "message", message_id, before=before, after={"state": "queued"})
    send_at(work, work.now)


async def _message(work: UnitOfWork, message_id: UUID) -> Message:
    message = await work.session.get(Message, (work.tenant_id, message_id), with_for_update=True)
    if message is None:
        raise TrainingRefusal("NO_SUCH_MESSAGE", "There is no such message. Choose one from the list.", "id")
    return message


async def withdraw_of_booking(work: UnitOfWork, booking_id: UUID) -> None:
    """Take back what is still queued about a booking that has ended, but for the message that says so."""
    open_still = (
        update(Message)
        .where(
            Message.booking_id == booking_id,
            Message.state == "queued",
            Message.occasion != Occasion.BOOKING_ENDED.value,
        )
        .values(state="withdrawn", ended_at=work.now, last_error="BOOKING_ENDED")
    )
    await work.session.execute(open_still.execution_options(synchronize_session=False))
