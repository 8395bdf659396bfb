"""The alarm clock: wakes a handler for a claimed message through arq on Valkey. The only module that knows arq.

Nothing here is true for long: when Valkey forgets, leases run out in PostgreSQL and the relay wakes again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker, func
from redis.exceptions import RedisError

from tenants.delivery import Claim
from tenants.outbox import Pool

JOB = "deliver"
PLACES: Mapping[Pool, int] = {Pool.QUICK: 4, Pool.SENDING: 4, Pool.LONG: 2}
"""How many messages of each pool a worker delivers at once."""
POLL_SECONDS = 0.05
JOB_SECONDS = 3600.0 + 60
"""arq's own limit, a little above the longest that a handler gives itself."""

Deliver = Callable[[UUID, Claim], Awaitable[None]]

log = structlog.get_logger()


class QueueUnavailable(RuntimeError):
    """Valkey does not answer. Nothing is lost: what is claimed comes back when its lease has run out."""


def queue_of(pool: Pool) -> str:
    """The key of a pool's queue in Valkey."""
    return f"medstead:wake:{pool}"


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, default=str)


def _settings(url: str) -> RedisSettings:
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0
    return settings


class Queue:
    """Wakes handlers, and runs them when woken."""

    def __init__(self, url: str, lease_seconds: float) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._pool: ArqRedis | None = None

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            self._pool = await create_pool(_settings(self._url), job_serializer=_dump, job_deserializer=orjson.loads)
        return self._pool

    async def lengths(self) -> dict[Pool, int]:
        """How many messages of each pool have been woken and not finished. Raises QueueUnavailable."""
        try:
            connected = await self._connected()
            return {pool: int(await connected.zcard(queue_of(pool))) for pool in Pool}
        except (RedisError, OSError) as error:
            raise QueueUnavailable(type(error).__name__) from error

    async def wake(self, tenant_id: UUID, claim: Claim) -> None:
        """Have some worker deliver the claimed message soon. Raises QueueUnavailable."""
        try:
            await (await self._connected()).enqueue_job(
                JOB,
                str(tenant_id),
                str(claim.outbox_id),
                claim.attempt,
                _job_id=f"outbox:{claim.outbox_id}:{claim.attempt}",
                _queue_name=queue_of(claim.pool),
            )
        except (RedisError, OSError) as error:
            raise QueueUnavailable(type(error).__name__) from error

    async def work(self, pool: Pool, deliver: Deliver, stop: asyncio.Event, grace_seconds: float) -> None:
        """Deliver messages of a pool until `stop`, then give those that run `grace_seconds` before they are cancelled.

        Raises QueueUnavailable when Valkey goes away; deliveries that were running have ended by then.
        """

        async def job(ctx: dict[Any, Any], *arguments: Any, **_: Any) -> None:
            tenant_id, outbox_id, attempt = arguments
            try:
                await deliver(UUID(tenant_id), Claim(UUID(outbox_id), attempt))
            except Exception as error:  # arq would log the text of the error, which may hold a person's data
                log.error("delivery broke off", outbox_id=outbox_id, error=type(error).__name__)

        try:
            connections = await create_pool(_settings(self._url), job_serializer=_dump, job_deserializer=orjson.loads)
        except (RedisError, OSError) as error:
            raise QueueUnavailable(type(error).__name__) from error
        worker = Worker(
            functions=[func(job, name=JOB, timeout=JOB_SECONDS, keep_result=0, max_tries=1)],
            redis_pool=connections,
            queue_name=queue_of(pool),
            handle_signals=False,
            max_jobs=PLACES[pool],
            job_timeout=JOB_SECONDS,
            keep_result=0,
            max_tries=1,
            poll_delay=POLL_SECONDS,
            retry_jobs=False,
            health_check_interval=30,
            job_serializer=_dump,
            job_deserializer=orjson.loads,
            log_results=False,
        )
        # arq leaves a killed worker's jobs in the queue for its longest time-out; ours are void once the lease is over.
        worker.in_progress_timeout_s = self._lease_seconds
        polling = asyncio.ensure_future(worker.main())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            worker.allow_pick_jobs = False
            if worker.tasks:
                await asyncio.wait(set(worker.tasks.values()), timeout=grace_seconds)
        finally:
            running = [*worker.tasks.values(), *worker.job_tasks.values(), polling, stopping]
            lost = polling.done() and not polling.cancelled() and polling.exception()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await connections.close(close_connection_pool=True)
        if isinstance(lost, RedisError | OSError):
            raise QueueUnavailable(type(lost).__name__) from lost
        if isinstance(lost, BaseException):
            raise lost

    async def close(self) -> None:
        """Close the connection for waking."""
        if self._pool is not None:
            await self._pool.close(close_connection_pool=True)
            self._pool = None
