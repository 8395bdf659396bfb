"""Connections that are used again, and requests that are cut off: nobody sees another's rows, nothing is left open."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text

from app.directory.models import Employer
from tenants.audit import Action, AuditEvent, verify
from tenants.context import TenantContext
from tenants.engine import create_engine, plain_url
from tenants.identifiers import new_id
from tenants.reads import Reader
from tenants.session import Database
from tests.support import Installation

pytestmark = pytest.mark.one_login

SEEN = "SELECT coalesce(json_agg(DISTINCT tenant_id::text), '[]')::text FROM medstead.tier"
ONE = 1
CLOSE_STEPS = 60


async def _names(database: Database, context: TenantContext) -> tuple[int, set[UUID]]:
    """The server process that answered, and whose rows it showed."""
    async with database.unit_of_work(context) as work:
        process = (await work.session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        seen = (await work.session.execute(text("SELECT DISTINCT tenant_id FROM medstead.tier"))).scalars()
        return process, set(seen)


@pytest.fixture
async def database(installation: Installation) -> AsyncIterator[Database]:
    """A database with a single connection, so that everybody gets the same one."""
    engine = create_engine(installation.urls.app, pool_size=ONE)
    engine.sync_engine.pool._max_overflow = 0  # type: ignore[attr-defined]
    database = Database(engine, installation.clock)
    yield database
    await database.dispose()


@pytest.fixture
async def reader(installation: Installation) -> AsyncIterator[Reader]:
    """A reader with a single connection."""
    reader = await Reader.open(installation.urls.app, size=ONE)
    yield reader
    await reader.close()


async def test_a_connection_used_again_shows_the_next_tenant_its_own(
    installation: Installation, database: Database
) -> None:
    answers = [
        (tenant_id, await _names(database, installation.context(tenant_id)))
        for tenant_id in (installation.north, installation.south) * 3
    ]
    assert len({process for _, (process, _) in answers}) == 1, "the test wants one and the same connection"
    for tenant_id, (_, seen) in answers:
        assert seen == {tenant_id}


async def test_a_reader_used_again_shows_the_next_tenant_its_own(installation: Installation, reader: Reader) -> None:
    processes = set()
    for tenant_id in (installation.north, installation.south) * 3:
        processes.add(await reader.value(tenant_id, "SELECT pg_backend_pid()", []))
        assert await reader.value(tenant_id, SEEN, []) == f'["{tenant_id}"]'
    assert len(processes) == 1


async def test_a_reader_changes_nothing(installation: Installation, reader: Reader) -> None:
    change = "UPDATE medstead.tier SET name = 'changed' RETURNING name"
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.value(installation.north, change, [])
    names = "SELECT count(*) FROM medstead.tier WHERE name = 'changed'"
    assert await reader.value(installation.north, names, []) == 0


async def test_a_failed_read_leaves_the_connection_usable(installation: Installation, reader: Reader) -> None:
    for _ in range(3):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await reader.value(installation.north, "SELECT 1 / $1::int", [0])
        assert await reader.value(installation.south, SEEN, []) == f'["{installation.south}"]'


async def _open_transactions(installation: Installation) -> int:
    """Transactions of the runtime role in this database that stand open or run, as the owner of the server sees it."""
    watcher = await asyncpg.connect(plain_url(installation.urls.owner))
    try:
        found: int = await watcher.fetchval(
            """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                AND usename = 'medstead_app' AND xact_start IS NOT NULL"""
        )
        return found
    finally:
        await watcher.close()


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What the driver and the pool complain of while the test runs, which would otherwise only be logged."""
    loop = asyncio.get_running_loop()
    before, found = loop.get_exception_handler(), list[str]()
    loop.set_exception_handler(lambda _, context: found.append(str(context["message"])))
    yield found
    loop.set_exception_handler(before)


async def _cut_off(work: "asyncio.Task[object]", steps: int) -> bool:
    """Let a task run for so many turns of the loop, then cancel it. Tells whether it was still running."""
    for _ in range(steps):
        await asyncio.sleep(0)
        if work.done():
            break
    work.cancel()
    await asyncio.wait({work})
    return work.cancelled()


async def test_reads_cut_off_at_any_moment_leave_nothing_behind(
    installation: Installation, reader: Reader, complaints: list[str]
) -> None:
    cut = finished = steps = 0
    while finished < 5:
        slow = "SELECT pg_sleep(0.01)::text || $1::text"
        work: asyncio.Task[object] = asyncio.create_task(reader.value(installation.north, slow, ["x"]))
        if await _cut_off(work, steps):
            cut += 1
        else:
            finished += 1
            assert work.result() == "x"
        assert await reader.value(installation.south, SEEN, []) == f'["{installation.south}"]'
        assert await _open_transactions(installation) == 0
        assert complaints == []
        steps = steps + 1 if cut < CLOSE_STEPS else steps * 2
    assert cut >= CLOSE_STEPS


async def test_changes_cut_off_at_any_moment_are_whole_or_nothing(
    installation: Installation, database: Database, complaints: list[str]
) -> None:
    north = installation.context(installation.north)

    async def change(name: str) -> None:
        async with database.unit_of_work(north) as work:
            employer = Employer(tenant_id=work.tenant_id, id=new_id(), name=name, kind="agency", created_at=work.now)
            work.add(employer)
            work.record(Action.EMPLOYER_CREATED, "employer", employer.id)
            await work.session.execute(text("SELECT pg_sleep(0.005)"))

    cut = finished = steps = 0
    while finished < 5:
        work: asyncio.Task[object] = asyncio.create_task(change(str(steps)))
        if await _cut_off(work, steps):
            cut += 1
        else:
            finished += 1
            work.result()
        assert (await _names(database, installation.context(installation.south)))[1] == {installation.south}
        assert await _open_transactions(installation) == 0
        assert complaints == []
        steps = steps + 1 if cut < CLOSE_STEPS else steps * 2
    assert cut >= CLOSE_STEPS
    async with database.unit_of_work(north) as work_after:
        rows = set((await work_after.session.scalars(select(Employer.id))).all())
        told = select(AuditEvent.subject_id).where(AuditEvent.action == Action.EMPLOYER_CREATED)
        assert set((await work_after.session.scalars(told)).all()) == rows
        assert finished <= len(rows) < finished + cut
        assert [fault async for fault in verify(work_after.session, installation.north)] == []
