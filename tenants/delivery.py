"""The life of an outbox message after it is written: claimed, renewed, done, failed, dead, replayed.

A claim gives the message a lease and a new attempt number. Whoever holds both may work on it; every change here asks
for both again, so that a worker that was thought dead cannot act for a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import Action
from tenants.base import among
from tenants.models import Tenant, TenantSettings
from tenants.outbox import IN_POOL, OutboxMessage, Pool, TenantWork, mark_due
from tenants.session import UnitOfWork

MAXIMUM_FAILURES = 12
"""After so many failures a message is dead: with a lease of a minute that is after two and a half hours."""
LONGEST_DELAY = timedelta(hours=1)
KEPT = timedelta(days=90)
FORGOTTEN_AT_ONCE = 10_000
PAUSED_LOOK = timedelta(minutes=1)
"""When a tenant is looked at again whose work is paused; going on looks at once."""
LEASE_LOST = "LeaseExpired"
"""`last_error` of a message whose handler went silent after it had begun: most likely its process died."""


class DeliveryRefusal(Exception):
    """A message cannot be replayed as asked. The message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class LeaseLost(RuntimeError):
    """The message is no longer held under this attempt: another worker has it, so this one must stop."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that may be worked on under this attempt."""

    outbox_id: UUID
    attempt: int
    pool: Pool = field(default=Pool.QUICK, compare=False)


def retry_delay(failures: int, lease: timedelta) -> timedelta:
    """How long to wait after the n-th failure: a twelfth of the lease, then twice as long each time, up to an hour."""
    if failures < 1:
        raise ValueError("there is a delay only after a failure")
    return min(lease / 12 * (1 << min(failures - 1, 32)), LONGEST_DELAY)


async def due_tenants(session: AsyncSession, now: datetime) -> list[UUID]:
    """Tenants that the relay should look at, the longest due first."""
    due = select(TenantWork.tenant_id).where(TenantWork.due_at <= now).order_by(TenantWork.due_at)
    return list((await session.scalars(due)).all())


async def mark_every_tenant_due(session: AsyncSession, now: datetime) -> None:
    """Have the relay look into every tenant once: `tenant_work` is a hint, the outbox is the truth."""
    tenants = (await session.scalars(select(Tenant.id).order_by(Tenant.id))).all()
    if tenants:
        marker = insert(TenantWork).values([{"tenant_id": tenant_id, "due_at": now} for tenant_id in tenants])
        await session.execute(
            marker.on_conflict_do_update(
                index_elements=[TenantWork.tenant_id],
                set_={"due_at": func.least(TenantWork.due_at, marker.excluded.due_at)},
            )
        )


async def visit(work: UnitOfWork, room: Mapping[Pool, int], lease: timedelta) -> list[Claim]:
    """Re-arm what was left behind in the bound tenant, claim due messages, note when to look again.

    `room`: how many messages at most of each pool. Of a tenant whose work is paused nothing is claimed.

    The marker is locked before the outbox is read: whoever writes a message meanwhile waits here and then makes the
    tenant due once more, so that no message can fall between the look and the note.
    """
    marker = await work.session.scalar(
        select(TenantWork)
        .where(TenantWork.tenant_id == work.tenant_id, TenantWork.due_at <= work.now)
        .with_for_update(skip_locked=True)
    )
    if marker is None:
        return []
    paused = await work.session.scalar(select(TenantSettings.work_paused_at))
    if paused is not None:
        marker.due_at = work.now + PAUSED_LOOK
        return []
    await _sweep(work, lease)
    claims = [claim for pool in Pool if room[pool] > 0 for claim in await _claim(work, pool, room[pool], lease)]
    next_due = await work.session.scalar(
        select(func.min(func.coalesce(OutboxMessage.lease_until, OutboxMessage.available_at))).where(_open())
    )
    if next_due is None:
        await work.session.delete(marker)
    else:
        marker.due_at = next_due
    return claims


def _open() -> ColumnElement[bool]:
    return and_(OutboxMessage.done_at.is_(None), OutboxMessage.dead_at.is_(None))


async def _sweep(work: UnitOfWork, lease: timedelta) -> None:
    """Take messages back whose lease has run out. One that a handler holds locked is alive and left alone.

    A claim that no handler began on says nothing against the message: the wake-up was lost, or came too late.
    """
    expired = (
        select(OutboxMessage)
        .where(_open(), OutboxMessage.lease_until <= work.now)
        .order_by(OutboxMessage.id)
        .with_for_update(skip_locked=True)
    )
    for message in (await work.session.scalars(expired)).all():
        if message.begun_at is None:
            message.lease_until = None
        else:
            _count_failure(message, LEASE_LOST, work.now, lease)
    await work.session.flush()


def _in(pool: Pool) -> ColumnElement[bool]:
    if pool in IN_POOL:
        return among(OutboxMessage.topic, IN_POOL[pool])
    return not_(among(OutboxMessage.topic, frozenset().union(*IN_POOL.values())))


async def _claim(work: UnitOfWork, pool: Pool, room: int, lease: timedelta) -> list[Claim]:
    waiting = (
        select(OutboxMessage)
        .where(_open(), OutboxMessage.lease_until.is_(None), OutboxMessage.available_at <= work.now, _in(pool))
        .order_by(OutboxMessage.available_at, OutboxMessage.id)
        .limit(room)
        .with_for_update(skip_locked=True)
    )
    messages = (await work.session.scalars(waiting)).all()
    for message in messages:
        message.attempts += 1
        message.lease_until, message.begun_at = work.now + lease, None
    await work.session.flush()
    return [Claim(message.id, message.attempts, pool) for message in messages]


def _count_failure(message: OutboxMessage, error: str, now: datetime, lease: timedelta) -> None:
    message.failures += 1
    message.last_error = error
    message.lease_until = None
    if message.failures >= MAXIMUM_FAILURES:
        message.dead_at = now
    else:
        message.available_at = now + retry_delay(message.failures, lease)


async def begin(work: UnitOfWork, claim: Claim, until: datetime) -> OutboxMessage | None:
    """Begin on the claimed message, held until `until`; nothing if it is done, lost, or has been begun on already."""
    message = await hold(work, claim)
    if message is None or message.begun_at is not None:
        return None
    message.begun_at, message.lease_until = work.now, until
    return message


async def hold(work: UnitOfWork, claim: Claim) -> OutboxMessage | None:
    """The claimed message, locked until the transaction ends; nothing if it is done, lost, or held by another now."""
    held = select(OutboxMessage).where(
        OutboxMessage.id == claim.outbox_id,
        _open(),
        OutboxMessage.attempts == claim.attempt,
        OutboxMessage.lease_until.is_not(None),
    )
    return (await work.session.scalars(held.with_for_update(skip_locked=True))).one_or_none()


async def renew(work: UnitOfWork, claim: Claim, until: datetime, *, progressed: bool = False) -> None:
    """Hold the claim until `until`, and keep its row locked until the transaction ends. Raises LeaseLost.

    Work that has `progressed` has not failed in vain: its failures are forgotten, so that a long effect which is cut
    off again and again is neither made to wait longer and longer nor given up.
    """
    changes: dict[str, Any] = {"lease_until": until} | ({"failures": 0} if progressed else {})
    renewed = (
        update(OutboxMessage)
        .where(
            OutboxMessage.id == claim.outbox_id,
            _open(),
            OutboxMessage.attempts == claim.attempt,
            OutboxMessage.lease_until.is_not(None),
        )
        .values(changes)
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    if (await work.session.execute(renewed)).first() is None:
        raise LeaseLost(f"message {claim.outbox_id} is no longer held under attempt {claim.attempt}")


async def finish(work: UnitOfWork, claim: Claim) -> None:
    """The effect has been brought about. Raises LeaseLost."""
    (await _held(work, claim)).done_at = work.now


async def fail(work: UnitOfWork, claim: Claim, error: str, lease: timedelta) -> None:
    """The effect failed with `error`, a class and a code: try later, or give up after too many. Raises LeaseLost."""
    message = await _held(work, claim)
    _count_failure(message, error, work.now, lease)
    if message.dead_at is None:
        await mark_due(work.session, work.tenant_id, message.available_at)


async def postpone(work: UnitOfWork, claim: Claim, delay: timedelta) -> None:
    """Give the message back, to be claimed again after `delay`; this is no failure. Raises LeaseLost."""
    message = await _held(work, claim)
    message.lease_until, message.available_at = None, work.now + delay
    await mark_due(work.session, work.tenant_id, message.available_at)


async def _held(work: UnitOfWork, claim: Claim) -> OutboxMessage:
    message = await hold(work, claim)
    if message is None:
        raise LeaseLost(f"message {claim.outbox_id} is no longer held under attempt {claim.attempt}")
    return message


async def replay(work: UnitOfWork, outbox_id: UUID) -> None:
    """Give a dead message its tries again. Raises DeliveryRefusal `UNKNOWN_MESSAGE` or `NOT_DEAD`."""
    message = await work.session.get(OutboxMessage, (work.tenant_id, outbox_id), with_for_update=True)
    if message is None:
        raise DeliveryRefusal("UNKNOWN_MESSAGE", "There is no such message in this tenant. Open the list again.")
    if message.dead_at is None:
        raise DeliveryRefusal("NOT_DEAD", "Only a dead message can be replayed; this one is done or still being tried.")
    before = {"failures": message.failures, "last_error": message.last_error}
    message.dead_at, message.failures, message.available_at = None, 0, work.now
    await mark_due(work.session, work.tenant_id, work.now)
    work.record(Action.OUTBOX_REPLAYED, "outbox", message.id, before=before, after={"failures": 0})


async def forget_done(work: UnitOfWork) -> int:
    """Forget what was done long ago, at most so many at once; how many. What was given up stays for a person."""
    old = (
        select(OutboxMessage.id)
        .where(OutboxMessage.done_at < work.now - KEPT)
        .order_by(OutboxMessage.done_at)
        .limit(FORGOTTEN_AT_ONCE)
    )
    gone = delete(OutboxMessage).where(OutboxMessage.id.in_(old)).returning(OutboxMessage.id)
    return len((await work.session.scalars(gone.execution_options(synchronize_session=False))).all())


async def pause(work: UnitOfWork, *, paused: bool) -> None:
    """Begin no background work of the bound tenant, or go on. What a worker has begun on comes to its end.

    Raises DeliveryRefusal `PAUSED_ALREADY` or `NOT_PAUSED`.
    """
    settings = (await work.session.scalars(select(TenantSettings).with_for_update())).one()
    if paused == (settings.work_paused_at is not None):
        if paused:
            raise DeliveryRefusal("PAUSED_ALREADY", "The work is paused already. Nothing was changed.")
        raise DeliveryRefusal("NOT_PAUSED", "The work is not paused. Nothing was changed.")
    settings.work_paused_at = work.now if paused else None
    work.record(Action.WORK_PAUSED, "tenant_settings", settings.id, after={"paused": paused})
    if not paused:
        await mark_due(work.session, work.tenant_id, work.now)
