"""Which handler brings about the effect of which topic, and the delivery of one claimed message to its handler."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.services import Services
from tenants import delivery
from tenants.context import ActorKind, TenantContext
from tenants.delivery import Claim, LeaseLost
from tenants.outbox import OutboxMessage
from tenants.session import UnitOfWork

TRANSACTION_SECONDS = 120.0
LONG_SECONDS = 3600.0

log = structlog.get_logger()


class TryLater(Exception):
    """Raised by a handler whose time has not come: the message returns after `seconds`, and that is no failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class NoHandler(LookupError):
    """No handler is registered for the topic: this process is older than the one that wrote the message."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a handler gets: services, the tenant to act in, the message's refs, and the means to keep its lease.

    `tenant` carries the request id of the change that wrote the message. `renew` takes a unit of work, holds the
    message for another lease and keeps its row locked until that work ends: call it first in every transaction of a
    long effect. It raises LeaseLost when another worker has taken over; let that pass through.
    """

    services: Services
    tenant: TenantContext
    outbox_id: UUID
    refs: dict[str, UUID]
    renew: Callable[[UnitOfWork], Awaitable[None]]

    @property
    def request_id(self) -> UUID:
        """The request behind the change that wrote the message."""
        return self.tenant.request_id


@dataclass(frozen=True, slots=True)
class OneTransaction:
    """An effect of one transaction, committed together with the note that the message is done."""

    effect: Callable[[WorkerContext, UnitOfWork], Awaitable[None]]
    seconds: float = TRANSACTION_SECONDS


@dataclass(frozen=True, slots=True)
class ManyTransactions:
    """A long effect that commits step by step, can be begun again at any step, and renews its lease in each."""

    effect: Callable[[WorkerContext], Awaitable[None]]
    seconds: float = LONG_SECONDS


Handler = OneTransaction | ManyTransactions

_handlers: dict[str, Handler] = {}


def register(topic: str, handler: Handler) -> None:
    """Have `handler` bring about the effects of `topic`; each topic has one, and to say it again changes nothing."""
    if _handlers.setdefault(topic, handler) != handler:
        raise ValueError(f"topic {topic} has another handler already")


def error_name(error: BaseException) -> str:
    """Class and code of an error, never its text: that may hold a person's data."""
    code = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else getattr(error, "code", None)
    name = type(error).__name__
    return f"{name}:{code}" if isinstance(code, str) and re.fullmatch(r"[A-Z0-9_]{1,60}", code) else name


async def deliver(services: Services, tenant_id: UUID, claim: Claim) -> None:
    """Bring about the effect of a claimed message, or note why not. Raises only when the database fails too."""
    lease = timedelta(seconds=services.settings.lease_seconds)
    about = log.bind(tenant_id=str(tenant_id), outbox_id=str(claim.outbox_id), attempt=claim.attempt)
    message = await _begin(services, tenant_id, claim, lease)
    if message is None:
        about.debug("message is not ours to deliver")
        return
    about = about.bind(topic=message.topic, request_id=str(message.request_id))
    tenant = TenantContext(tenant_id, ActorKind.WORKER, request_id=message.request_id)
    try:
        done = await _bring_about(services, tenant, claim, message, lease)
        about.debug("message delivered" if done else "message is not ours to deliver")
    except LeaseLost:
        about.warning("message was taken over by another worker")
    except TryLater as later:
        await _hand_back(services, tenant, claim, timedelta(seconds=later.seconds))
        about.debug("message postponed", seconds=later.seconds)
    except asyncio.CancelledError:
        # This process is stopping: let another worker have the message at once.
        await asyncio.shield(_hand_back(services, tenant, claim, timedelta()))
        about.info("message given back")
        raise
    except Exception as error:
        name = error_name(error)
        with suppress(LeaseLost):
            async with services.database.unit_of_work(tenant) as work:
                await delivery.fail(work, claim, name, lease)
        about.warning("message failed", error=name)


async def _begin(services: Services, tenant_id: UUID, claim: Claim, lease: timedelta) -> OutboxMessage | None:
    async with services.database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
        return await delivery.begin(work, claim, services.clock() + lease)


async def _bring_about(
    services: Services, tenant: TenantContext, claim: Claim, message: OutboxMessage, lease: timedelta
) -> bool:
    """Run the handler and mark the message done. False if the message was gone before the effect began."""
    handler = _handlers.get(message.topic)
    if handler is None:
        raise NoHandler(message.topic)

    renewals = 0

    async def renew(work: UnitOfWork) -> None:
        nonlocal renewals
        renewals += 1
        # The first is before the effect, the second begins its first step; at the third, one step has been committed.
        await delivery.renew(work, claim, services.clock() + lease, progressed=renewals > 2)

    refs = {name: UUID(value) for name, value in message.refs.items()}
    context = WorkerContext(services, tenant, claim.outbox_id, refs, renew)
    async with asyncio.timeout(handler.seconds):
        if isinstance(handler, OneTransaction):
            async with services.database.unit_of_work(tenant) as work:
                if await delivery.hold(work, claim) is None:
                    return False
                await handler.effect(context, work)
                await delivery.finish(work, claim)
        else:
            await handler.effect(context)
            async with services.database.unit_of_work(tenant) as work:
                await delivery.finish(work, claim)
    return True


async def _hand_back(services: Services, tenant: TenantContext, claim: Claim, delay: timedelta) -> None:
    with suppress(LeaseLost):
        async with services.database.unit_of_work(tenant) as work:
            await delivery.postpone(work, claim, delay)
