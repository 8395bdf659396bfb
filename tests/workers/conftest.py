"""Fixtures of the worker tests: handlers for topics of the test's own, and messages to deliver."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from tenants import delivery
from tenants.delivery import Claim
from tenants.identifiers import new_id
from tenants.outbox import OutboxMessage, Pool, mark_due
from tests.support import Installation
from workers import handlers
from workers.handlers import Handler

LEASE = timedelta(seconds=60)
TOPIC = "test.topic"

Register = Callable[[Handler], None]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Registers a handler of the test's own topic for the time of the test."""
    monkeypatch.setattr(handlers, "_handlers", dict(handlers._handlers))
    return lambda handler: handlers.register(TOPIC, handler)


async def emit(
    installation: Installation, tenant_id: UUID, refs: Mapping[str, UUID] | None = None, *, topic: str = TOPIC
) -> UUID:
    """Write a message, of the test's topic where none is named, as a change would, and give its id."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        message = OutboxMessage(
            tenant_id=tenant_id,
            id=new_id(),
            topic=topic,
            dedupe_key=str(new_id()),
            refs={name: str(value) for name, value in (refs or {}).items()},
            request_id=work.context.request_id,
            created_at=work.now,
            available_at=work.now,
            attempts=0,
            failures=0,
        )
        work.add(message)
        await mark_due(work.session, tenant_id, work.now)
    return message.id


async def visit(installation: Installation, tenant_id: UUID, room: int = 10) -> list[Claim]:
    """What the relay claims in a tenant now."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await delivery.visit(work, dict.fromkeys(Pool, room), LEASE)


async def message(installation: Installation, tenant_id: UUID, outbox_id: UUID) -> OutboxMessage:
    """A message as it stands."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await work.session.get_one(OutboxMessage, (tenant_id, outbox_id))


async def due(installation: Installation) -> list[UUID]:
    """Tenants that the relay would look at now."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        return await delivery.due_tenants(work.session, work.now)
