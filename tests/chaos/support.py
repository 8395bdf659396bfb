"""What chaos tests share: worker processes, messages to deliver, and the count of effects."""

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.directory.models import Employer
from tenants.audit import AuditEvent
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.outbox import OutboxMessage, mark_due
from tenants.provision import DatabaseUrls
from tenants.session import Database
from tests.chaos.worker_process import Kill, serve
from tests.support import settings_for

LEASE_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""A test fails when what it waits for has not come by then; it never waits longer than it must."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.chaos.worker_process"])


@dataclass
class Post:
    """Messages in one database, and the worker processes that deliver them. Real time, short leases."""

    database: Database
    urls: DatabaseUrls
    redis_url: str
    data_dir: Path
    others: dict[str, Any] = field(default_factory=dict)
    """Settings beside those of every test."""

    def start(self, kill: Kill = Kill.NEVER, effect_seconds: float = 0.0) -> ForkServerProcess:
        """Start a worker process; end it with `ended` or in a `worker` block."""
        others = {"lease_seconds": LEASE_SECONDS} | self.others
        settings = settings_for(self.urls, self.redis_url, self.data_dir, **others)
        values: dict[str, Any] = settings.model_dump(mode="json")
        process = _processes.Process(target=serve, args=(values, kill, effect_seconds))
        process.start()
        return process

    @contextmanager
    def worker(self, kill: Kill = Kill.NEVER, effect_seconds: float = 0.0) -> Iterator[ForkServerProcess]:
        """A worker process for the time of the block."""
        process = self.start(kill, effect_seconds)
        try:
            yield process
        finally:
            process.kill()
            process.join()

    async def emit(self, tenant_id: UUID, topic: str, count: int) -> list[UUID]:
        """Write messages of a test topic as a change would."""
        messages = []
        async with self.database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
            for _ in range(count):
                message = OutboxMessage(
                    tenant_id=tenant_id,
                    id=new_id(),
                    topic=topic,
                    dedupe_key=str(new_id()),
                    refs={},
                    request_id=work.context.request_id,
                    created_at=work.now,
                    available_at=work.now,
                    attempts=0,
                    failures=0,
                )
                messages.append(message.id)
                work.add(message)
            await mark_due(work.session, tenant_id, work.now)
        return messages

    async def done(self, tenant_id: UUID) -> int:
        """How many messages of the tenant are done."""
        async with self.database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
            counted = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.done_at.is_not(None))
            return (await work.session.scalars(counted)).one()

    async def until_done(self, tenant_id: UUID, count: int) -> None:
        """Wait until `count` messages of the tenant are done."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (done := await self.done(tenant_id)) < count:
            assert time.monotonic() < end, f"{done} of {count} messages were done in {PATIENCE_SECONDS} s"
            await asyncio.sleep(0.02)

    async def effects(self, tenant_id: UUID) -> Counter[str]:
        """How many rows each effect left; the audit trail must tell the same number."""
        async with self.database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
            names = Counter((await work.session.scalars(select(Employer.name))).all())
            told = select(func.count()).select_from(AuditEvent).where(AuditEvent.subject_type == "employer")
            assert (await work.session.scalars(told)).one() == names.total()
            return names

    async def processes(self, tenant_id: UUID) -> set[int]:
        """Ids of the processes that brought effects about."""
        async with self.database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
            told = select(AuditEvent.after).where(AuditEvent.subject_type == "employer")
            return {after["process"] for after in (await work.session.scalars(told)).all() if after}


async def ended(process: ForkServerProcess) -> int | None:
    """Wait for a process to end and give its exit code; negative for a signal."""
    await _until(lambda: not process.is_alive(), "the worker process did not end")
    process.join()
    return process.exitcode


async def _until(reached: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < end, otherwise
        await asyncio.sleep(0.01)


@asynccontextmanager
async def open_post(urls: DatabaseUrls, redis_url: str, data_dir: Path) -> AsyncIterator[Post]:
    """A post on a migrated database with tenants."""
    database = Database(create_engine(urls.app), system_clock)
    try:
        yield Post(database, urls, redis_url, data_dir)
    finally:
        await database.dispose()
