"""One worker process: relay, sweeper, schedules, heartbeat and the queue's worker, started and stopped together."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from app.logs import configure_logs
from app.services import Services
from app.settings import Settings
from tenants.clock import Clock, system_clock
from tenants.delivery import Claim
from tenants.identifiers import new_id
from tenants.outbox import Pool
from workers import (
    booking,
    certificates,
    elearning,
    evidence,
    health,
    imports,
    messages,
    outside,
    references,
    reports,
    schedules,
    sweeper,
    training,
    webhooks,
)
from workers.handlers import deliver, error_name
from workers.queue import PLACES, Queue, QueueUnavailable
from workers.relay import Relay

GRACE_SECONDS = 20.0
"""How long running deliveries may go on after a signal to stop; platforms usually kill after 30 s."""
LOOK_SECONDS = 0.5
SCHEDULE_SECONDS = 10.0
RECONNECT_SECONDS = 0.5

Step = Callable[[], Awaitable[int | None]]

log = structlog.get_logger()


async def run(
    settings: Settings,
    clock: Clock = system_clock,
    *,
    stop: asyncio.Event | None = None,
    pools: Sequence[Pool] = tuple(Pool),
) -> None:
    """Work for `pools` until `stop` is set or, without one, until SIGTERM or SIGINT; then finish within the grace."""
    if stop is not None:
        await _run(settings, clock, stop, pools)
        return
    signalled, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    try:
        await _run(settings, clock, signalled, pools)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(settings: Settings, clock: Clock, stop: asyncio.Event, pools: Sequence[Pool]) -> None:
    booking.register_handlers()
    certificates.register_handlers()
    elearning.register_handlers()
    evidence.register_handlers()
    imports.register_handlers()
    messages.register_handlers()
    references.register_handlers()
    outside.register_handlers()
    reports.register_handlers()
    training.register_handlers()
    webhooks.register_handlers()
    configure_logs(settings)
    services = await Services.open(settings, clock, connections=sum(PLACES[pool] for pool in pools))
    queue = Queue(settings.redis_url, settings.lease_seconds)
    relay = Relay(services, queue)
    worker_id = new_id()
    lease = timedelta(seconds=settings.lease_seconds)

    room = asyncio.Event()

    async def deliver_one(tenant_id: UUID, claim: Claim) -> None:
        try:
            await deliver(services, tenant_id, claim)
        finally:
            room.set()

    async def look() -> int:
        room.clear()
        return await relay.look()

    async def beat() -> None:
        await health.beat(services.database, worker_id, pools)

    async def work_for(pool: Pool) -> None:
        await queue.work(pool, deliver_one, stop, GRACE_SECONDS)

    steps: tuple[tuple[str, float, Step], ...] = (
        ("relay", LOOK_SECONDS, look),
        ("heartbeat", health.beat_seconds(settings.lease_seconds), beat),
        ("sweeper", sweeper.SWEEP_SECONDS, lambda: sweeper.sweep(services.database)),
        ("tidying", sweeper.TIDY_SECONDS, lambda: sweeper.tidy(services.database)),
        ("schedules", SCHEDULE_SECONDS, lambda: schedules.run_due(services.database, lease)),
    )
    if Pool.LONG in pools:
        steps += (("references", references.STEP_SECONDS, lambda: references.step(services)),)
    # What is there by now stays: looking through it again and again for rubbish costs a sender a tenth of its time.
    gc.collect()
    gc.freeze()
    try:
        await beat()
        log.info("worker started", worker_id=str(worker_id), pools=[pool.value for pool in pools])
        async with asyncio.TaskGroup() as loops:
            for name, seconds, step in steps:
                loops.create_task(_repeat(name, step, seconds, stop, room if step is look else stop))
            for pool in pools:
                step = partial(work_for, pool)
                loops.create_task(_repeat(f"queue {pool}", step, RECONNECT_SECONDS, stop, stop))
        await health.leave(services.database, worker_id)
        log.info("worker stopped", worker_id=str(worker_id))
    finally:
        await queue.close()
        await services.close()


async def _repeat(name: str, step: Step, seconds: float, stop: asyncio.Event, sooner: asyncio.Event) -> None:
    """Do `step` every `seconds` until `stop`; at once again when it found something to do or `sooner` is set.

    A step that fails is logged and tried again: a worker outlives its database and its queue.
    """
    while not stop.is_set():
        found: int | None = None
        try:
            found = await step()
        except QueueUnavailable as lost:
            log.warning("queue does not answer", loop=name, error=str(lost))
        except Exception as error:
            log.error("step failed", loop=name, error=error_name(error))
        if not found:
            waits = [asyncio.ensure_future(event.wait()) for event in {stop, sooner}]
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
