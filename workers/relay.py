"""The relay: finds tenants with due messages, claims a fair share from each, and has handlers woken for them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

import structlog

from app.services import Services
from tenants import delivery
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.delivery import Claim
from tenants.outbox import Pool
from workers import health
from workers.queue import PLACES, Queue

AWAKE_PER_WORKER = {pool: 2 * places for pool, places in PLACES.items()}
"""How many messages may be awake for each living worker of a pool: enough to keep it busy, few enough to start within a
lease."""

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

        Each pool has room of its own, which the tenants share.

        Asks the queue first: what nobody could be woken for is not claimed, so a long loss of Valkey costs no tries.
        """
        database = self._services.database
        awake = await self._queue.lengths()
        lease = timedelta(seconds=self._services.settings.lease_seconds)
        async with database.unit_of_work(PlatformContext("relay", ActorKind.WORKER)) as work:
            # A killed worker's messages stay in the queue for a lease, so it counts for as long.
            living = await health.heard_of(work.session, work.now - lease)
            due = await delivery.due_tenants(work.session, work.now)
        room = {pool: AWAKE_PER_WORKER[pool] * max(living.pools[pool], 1) - awake[pool] for pool in Pool}
        woken = 0
        waiting = self._in_turn(due)
        for position, tenant_id in enumerate(waiting):
            if all(left <= 0 for left in room.values()):
                break
            others = len(waiting) - position
            share = {pool: max(1, left // others) if left > 0 else 0 for pool, left in room.items()}
            for claim in await self._serve(tenant_id, share, lease):
                room[claim.pool] -= 1
                woken += 1
        return woken

    def _in_turn(self, due: Iterable[UUID]) -> list[UUID]:
        """Whoever has waited longest for a turn comes first; among new ones, the longest due."""
        return sorted(due, key=lambda tenant_id: self._turns.get(tenant_id, 0))

    async def _serve(self, tenant_id: UUID, share: Mapping[Pool, int], lease: timedelta) -> list[Claim]:
        async with self._services.database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
            claims = await delivery.visit(work, share, lease)
        if claims:
            self._turn += 1
            self._turns[tenant_id] = self._turn
            log.debug("messages claimed", tenant_id=str(tenant_id), count=len(claims))
        for claim in claims:
            await self._queue.wake(tenant_id, claim)
        return claims
