"""Whether workers live: each says so in a row of its own, and an endpoint counts those heard of lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse

from app.services import Services
from tenants.bookkeeping import WorkerHeartbeat
from tenants.context import ActorKind, PlatformContext
from tenants.outbox import Pool
from tenants.session import Database

LONGEST_BEAT_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=20)
"""A worker not heard of for so long is not alive in the eyes of the endpoint."""
FORGOTTEN_AFTER = timedelta(days=1)


def beat_seconds(lease_seconds: float) -> float:
    """How often a worker says that it lives: several times within a lease."""
    return min(LONGEST_BEAT_SECONDS, lease_seconds / 4)


async def beat(database: Database, worker_id: UUID, pools: Sequence[Pool] = tuple(Pool)) -> None:
    """Say that this worker lives, and forget those that have been silent for a day."""
    async with database.unit_of_work(PlatformContext("heartbeat", ActorKind.WORKER)) as work:
        row = insert(WorkerHeartbeat).values(id=worker_id, pools=list(pools), started_at=work.now, seen_at=work.now)
        await work.session.execute(
            row.on_conflict_do_update(index_elements=[WorkerHeartbeat.id], set_={"seen_at": row.excluded.seen_at})
        )
        await work.session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < work.now - FORGOTTEN_AFTER))


async def leave(database: Database, worker_id: UUID) -> None:
    """Say that this worker has stopped of its own accord."""
    async with database.unit_of_work(PlatformContext("heartbeat", ActorKind.WORKER)) as work:
        await work.session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.id == worker_id))


@dataclass(frozen=True, slots=True)
class Living:
    """How many workers have been heard of, and how many of them work for each pool."""

    workers: int
    pools: dict[Pool, int]


async def heard_of(session: AsyncSession, since: datetime) -> Living:
    """The workers that have been heard of after `since`."""
    served = (await session.scalars(select(WorkerHeartbeat.pools).where(WorkerHeartbeat.seen_at > since))).all()
    return Living(len(served), {pool: sum(pool in pools for pools in served) for pool in Pool})


async def workers(request: Request) -> JSONResponse:
    """Endpoint: 200 and the living workers of each pool; 503 when a pool has none or the database does not answer."""
    services: Services = request.app.state.services
    context = PlatformContext("health", ActorKind.PLATFORM, read_only=True)
    try:
        async with services.database.unit_of_work(context) as work:
            living = await heard_of(work.session, work.now - SILENT_AFTER)
    except (SQLAlchemyError, OSError):
        return JSONResponse({"status": "not known", "database": "no answer"}, status_code=503)
    missing = [pool.value for pool, count in living.pools.items() if not count]
    status = f"no worker lives for {', '.join(missing)}" if missing else "live"
    told = {"status": status, "workers": living.workers, "pools": living.pools}
    return JSONResponse(told, status_code=503 if missing else 200)
