"""What Notify tells afterwards: receipts that come once, five times, first, or never, and asking for those."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.messaging.composing import ADDRESSES
from app.messaging.ledger import Outcome
from app.messaging.models import Message
from app.messaging.notify import FINAL, Notify
from app.messaging.sending import mark_undeliverable
from tenants.session import UnitOfWork

REFERENCE = re.compile(r"m-([0-9a-f]{32})")
ASKED_AFTER, NOT_AFTER = timedelta(minutes=30), timedelta(days=4)
"""Notify tries for three days; receipts are asked for in between, where none has come."""
ASKED_AT_ONCE = 200


def message_of(reference: str) -> UUID | None:
    """The message that our reference names."""
    found = REFERENCE.fullmatch(reference)
    return UUID(found[1]) if found else None


async def note(work: UnitOfWork, outcome: Outcome, address: str | None) -> bool:
    """Write down what became of a message; False if there is no such message. What is final stays as it is."""
    message = await work.session.get(Message, (work.tenant_id, outcome.message_id), with_for_update=True)
    if message is None:
        return False
    if message.state in ("sent", "inflight") and outcome.state in FINAL:
        if message.state == "inflight":  # the receipt has overtaken our own note
            message.sent_at, message.attempts, message.channel = work.now, message.attempts + 1, "notify"
        message.state, message.ended_at, message.lease_until = outcome.state, work.now, None
        message.last_error = outcome.error
        message.provider_reference = message.provider_reference or outcome.reference
        await work.session.flush()
        if outcome.state == "bounced" and address:
            await mark_undeliverable(work, [message.id], [address])
    return True


async def unanswered(work: UnitOfWork) -> dict[UUID, str]:
    """Messages that were handed to Notify and of which nothing was heard: our id and its id."""
    found = (
        select(Message.id, Message.provider_reference)
        .where(
            Message.state == "sent",
            Message.channel == "notify",
            Message.provider_reference.is_not(None),
            Message.sent_at.between(work.now - NOT_AFTER, work.now - ASKED_AFTER),
        )
        .order_by(Message.sent_at)
        .limit(ASKED_AT_ONCE)
    )
    return {row.id: row.provider_reference for row in await work.session.execute(found)}


async def ask_again(way: Notify, asked: dict[UUID, str]) -> list[Outcome]:
    """What Notify knows of them by now, where it is final."""
    return [outcome for outcome in await way.look_up(asked) if outcome.state in FINAL]


async def addresses_of(work: UnitOfWork, message_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where messages go now, for marking addresses that do not exist."""
    rows = await work.fetch(ADDRESSES, list(message_ids))
    return {row["id"]: row["address"] for row in rows if row["address"]}
