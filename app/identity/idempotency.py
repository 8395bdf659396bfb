"""Answers that are remembered under a client's key, so that a repeated request has its effect once.

A record is written in the transaction of the effect: neither can be there without the other. Whoever comes second
waits on the unique index until the first has ended, and then finds its answer or, if it failed, goes on itself.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from app.identity.errors import IdentityRefusal
from app.identity.models import IdempotencyRecord
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

KEPT = timedelta(hours=24)
"""How long an answer is remembered."""
QUERY_CANCELLED = "57014"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with a key: who sends it, digests of the key and of what was sent, and the scopes held."""

    api_client_id: UUID
    key_hash: bytes
    request_hash: bytes
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one field, a sealed JSON text, and its errors, a JSON text."""

    answer: bytes
    errors: str


async def claim_or_recall(work: UnitOfWork, attempt: Attempt, response_key: str) -> Answer | None:
    """None if this transaction may bring the effect about, and must then `keep` the answer; else the answer kept.

    Raises IdentityRefusal `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_KEY_IN_USE`, or `FORBIDDEN` when the answer was made
    with scopes that are not held any more.
    """
    table = IdempotencyRecord
    same_key = (table.api_client_id == attempt.api_client_id, table.key_hash == attempt.key_hash)
    await work.session.execute(delete(table).where(*same_key, table.expires_at <= work.now))
    others = select(table.id).where(*same_key, table.request_hash != attempt.request_hash).limit(1)
    if (await work.session.scalars(others)).first() is not None:
        raise _reused()
    claim = insert(table).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        api_client_id=attempt.api_client_id,
        key_hash=attempt.key_hash,
        response_key=response_key,
        request_hash=attempt.request_hash,
        scopes=sorted(attempt.scopes),
        created_at=work.now,
        expires_at=work.now + KEPT,
    )
    try:
        claimed = await work.session.scalars(claim.on_conflict_do_nothing().returning(table.id))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != QUERY_CANCELLED:
            raise
        message = "The first request with this Idempotency-Key is still at work. Send yours again in a while."
        raise IdentityRefusal("IDEMPOTENCY_KEY_IN_USE", message) from error
    if claimed.first() is not None:
        return None
    kept = (await work.session.scalars(select(table).where(*same_key, table.response_key == response_key))).one()
    if kept.request_hash != attempt.request_hash:
        raise _reused()
    lost = sorted(set(kept.scopes) - attempt.scopes)
    if lost:
        message = f"The remembered answer was made with scopes that you hold no more: {', '.join(lost)}. "
        raise IdentityRefusal("FORBIDDEN", message + "Ask the tenant to grant them.")
    assert kept.answer is not None
    assert kept.errors is not None
    return Answer(kept.answer, kept.errors)


async def keep(work: UnitOfWork, attempt: Attempt, response_key: str, answer: Answer) -> None:
    """Write the answer into the record that this transaction has claimed."""
    table = IdempotencyRecord
    await work.session.execute(
        update(table)
        .where(
            table.api_client_id == attempt.api_client_id,
            table.key_hash == attempt.key_hash,
            table.response_key == response_key,
        )
        .values(answer=answer.answer, errors=answer.errors)
    )


def _reused() -> IdentityRefusal:
    message = "This Idempotency-Key was used for another request. Use a new key for each request, its own to retry."
    return IdentityRefusal("IDEMPOTENCY_KEY_REUSED", message)
