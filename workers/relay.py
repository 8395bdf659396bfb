"""The relay: finds tenants with due messages, claims a fair share from each, and has handlers woken for them."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog

from app.services import Services
from tenants import delivery
from tenants.context import ActorKind, PlatformContext, TenantContext
from workers import health
from workers.queue import JOBS_AT_ONCE, Queue

AWAKE_PER_WORKER = 2 * JOBS_AT_ONCE
"""How many messages may be awake for each living worker: enough to keep it busy, few enough to start within a lease."""

log = structlog.get_logger()


class Relay:
    """Claims and wakes. Remembers which tenant had its turn when, so that a busy one waits for the others."""

    def __init__(self, services: Services, queue: Queue) -> None:
        self._services = services
        self._queue = queue
        self._turns: dict[UUID, int] = {}
        self._turn = 0

    async def look(self) -> int:
        """One round over the tenants that are due. Gives how many handlers were woken; raises QueueUnavailable.

        Asks the queue first: what nobody could be woken for is not claimed, so a long loss of Valkey costs no tries.
        """
        database = self._services.database
        awake = await self._queue.length()
        lease = timedelta(seconds=self._services.settings.lease_seconds)
        async with database.unit_of_work(PlatformContext("relay", ActorKind.WORKER)) as work:
            # A killed worker's messages stay in the queue for a lease, so it counts for as long.
            workers = await health.heard_of(work.session, work.now - lease)
            due = await delivery.due_tenants(work.session, work.now)
        room = AWAKE_PER_WORKER * max(workers, 1) - awake
        woken = 0
        waiting = self._in_turn(due)
        for position, tenant_id in enumerate(waiting):
            if woken >= room:
                break
            share = max(1, (room - woken) // (len(waiting) - position))
            woken += await self._serve(tenant_id, share, lease)
        return woken

    def _in_turn(self, due: Iterable[UUID]) -> list[UUID]:
        """Whoever has waited longest for a turn comes first; among new ones, the longest due."""
        return sorted(due, key=lambda tenant_id: self._turns.get(tenant_id, 0))

    async def _serve(self, tenant_id: UUID, share: int, lease: timedelta) -> int:
        async with self._services.database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
            claims = await delivery.visit(work, share, lease)
        if claims:
            self._turn += 1
            self._turns[tenant_id] = self._turn
            log.debug("messages claimed", tenant_id=str(tenant_id), count=len(claims))
        for claim in claims:
            await self._queue.wake(tenant_id, claim)
        return len(claims)
