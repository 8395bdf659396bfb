"""The relay: fair between tenants, never more awake than workers can begin, nothing claimed that cannot be woken."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import redis.asyncio as redis

from app.identity.permissions import Role
from tenants.bookkeeping import WorkerHeartbeat
from tenants.context import PlatformContext
from tenants.delivery import Claim
from tenants.identifiers import new_id
from tenants.outbox import Pool, Topic
from tests.console.visitor import main_text, visitor_as
from tests.support import Installation
from tests.workers.conftest import LEASE, emit, message
from workers import health
from workers.queue import Queue, QueueUnavailable, queue_of
from workers.relay import AWAKE_PER_WORKER, Relay

ROOM = AWAKE_PER_WORKER[Pool.QUICK]


class Waker(Queue):
    """A queue that notes what it wakes, in order, and says how much is awake."""

    def __init__(self, awake: int = 0) -> None:
        super().__init__("redis://127.0.0.1:1/0", 60)
        self.awake = awake
        self.woken: list[UUID] = []
        self.pools: list[Pool] = []

    async def lengths(self) -> dict[Pool, int]:
        """How much is awake of each pool."""
        return dict.fromkeys(Pool, self.awake)

    async def wake(self, tenant_id: UUID, claim: Claim) -> None:
        """Note it."""
        self.woken.append(tenant_id)
        self.pools.append(claim.pool)


async def test_a_busy_tenant_shares_the_room_with_a_quiet_one(installation: Installation) -> None:
    for _ in range(50):
        await emit(installation, installation.north)
    await emit(installation, installation.south)
    waker = Waker()
    assert await Relay(installation.services, waker).look() == ROOM // 2 + 1
    assert waker.woken.count(installation.south) == 1


async def test_with_room_for_one_the_tenants_take_turns(installation: Installation) -> None:
    for _ in range(6):
        await emit(installation, installation.north)
        await emit(installation, installation.south)
    waker = Waker(awake=ROOM - 1)
    relay = Relay(installation.services, waker)
    for _ in range(6):
        assert await relay.look() == 1
    assert sorted(waker.woken[:2], key=str) == sorted([installation.north, installation.south], key=str)
    assert waker.woken == waker.woken[:2] * 3


async def test_nothing_is_claimed_beyond_the_room(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    assert await Relay(installation.services, Waker(awake=ROOM)).look() == 0
    assert (await message(installation, installation.north, outbox_id)).attempts == 0
    assert await Relay(installation.services, Waker(awake=ROOM - 1)).look() == 1
    assert (await message(installation, installation.north, outbox_id)).attempts == 1


async def test_long_work_keeps_no_place_from_quick_work(installation: Installation) -> None:
    for _ in range(3 * ROOM):
        await emit(installation, installation.north, topic=Topic.REPORT_BUILD)
    await emit(installation, installation.north)
    await emit(installation, installation.north, topic=Topic.MESSAGES_SEND)
    waker = Waker()
    assert await Relay(installation.services, waker).look() == AWAKE_PER_WORKER[Pool.LONG] + 2
    assert waker.pools == [Pool.QUICK, Pool.SENDING, *[Pool.LONG] * AWAKE_PER_WORKER[Pool.LONG]]


async def test_of_a_tenant_that_is_paused_nothing_is_begun(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await lead.get("/console/background-work")
    assert (await lead.post("/console/background-work/pause")).status_code == 422, "it is not done by the way"
    assert (await lead.post("/console/background-work/pause", {"sure": "yes"})).status_code == 303
    await emit(installation, installation.north)
    await emit(installation, installation.south)
    waker = Waker()
    relay = Relay(installation.services, waker)
    assert await relay.look() == 1
    assert waker.woken == [installation.south]
    assert await relay.look() == 0
    again = await lead.post("/console/background-work/pause", {"sure": "yes"})
    assert "paused already" in main_text(again)
    assert (await lead.post("/console/background-work/resume")).status_code == 303
    assert await relay.look() == 1
    assert waker.woken[1:] == [installation.north]


async def test_each_living_worker_makes_room(installation: Installation) -> None:
    for _ in range(3 * ROOM):
        await emit(installation, installation.north)
    await health.beat(installation.database, new_id())
    installation.clock.move(LEASE)
    for _ in range(2):
        await health.beat(installation.database, new_id())
    assert await Relay(installation.services, Waker()).look() == 2 * ROOM


async def test_while_the_queue_is_away_no_try_is_spent(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    away = Queue("redis://127.0.0.1:1/0", 60)
    for _ in range(3):
        with pytest.raises(QueueUnavailable):
            await Relay(installation.services, away).look()
        installation.clock.move(timedelta(hours=1))
    untouched = await message(installation, installation.north, outbox_id)
    assert (untouched.attempts, untouched.failures, untouched.lease_until) == (0, 0, None)
    assert await Relay(installation.services, Waker()).look() == 1


async def test_a_claim_is_woken_once_with_ids_only(installation: Installation, redis_url: str) -> None:
    outbox_id = await emit(installation, installation.north)
    queue = Queue(redis_url, LEASE.total_seconds())
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    try:
        await Relay(installation.services, queue).look()
        await queue.wake(installation.north, Claim(outbox_id, 1))
        assert await queue.lengths() == {Pool.QUICK: 1, Pool.SENDING: 0, Pool.LONG: 0}
        assert await client.zrange(queue_of(Pool.QUICK), 0, -1) == [f"outbox:{outbox_id}:1"]
        job = await client.get(f"arq:job:outbox:{outbox_id}:1")
        assert f'["{installation.north}","{outbox_id}",1]' in job
    finally:
        await queue.close()
        await client.aclose()


async def test_the_queue_delivers_what_was_woken_and_keeps_nothing(installation: Installation, redis_url: str) -> None:
    queue, stop = Queue(redis_url, LEASE.total_seconds()), asyncio.Event()
    claims = [Claim(new_id(), attempt) for attempt in (1, 2, 3)]
    delivered: list[tuple[UUID, Claim]] = []

    async def deliver(tenant_id: UUID, claim: Claim) -> None:
        delivered.append((tenant_id, claim))
        if len(delivered) == len(claims):
            stop.set()
        raise RuntimeError("a delivery that breaks off must not stop the others")

    for claim in claims:
        await queue.wake(installation.south, claim)
    await queue.work(Pool.QUICK, deliver, stop, grace_seconds=5)
    assert delivered == [(installation.south, claim) for claim in claims]
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    try:
        assert await client.keys("arq:*") == []
        assert sum((await queue.lengths()).values()) == 0
    finally:
        await queue.close()
        await client.aclose()


async def test_health_tells_whether_a_worker_lives(installation: Installation) -> None:
    async def asked() -> tuple[int, int]:
        answer = await installation.http.get("/health/workers")
        return answer.status_code, answer.json()["workers"]

    assert await asked() == (503, 0)
    first, second = new_id(), new_id()
    await health.beat(installation.database, first)
    await health.beat(installation.database, second)
    assert await asked() == (200, 2)
    await health.beat(installation.database, second, [Pool.QUICK, Pool.SENDING])
    installation.clock.move(timedelta(seconds=15))
    await health.beat(installation.database, first)
    installation.clock.move(timedelta(seconds=15))
    assert await asked() == (200, 1)
    await health.leave(installation.database, first)
    assert await asked() == (503, 0)
    installation.clock.move(health.FORGOTTEN_AFTER)
    await health.beat(installation.database, first)
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        assert await work.session.get(WorkerHeartbeat, second) is None
