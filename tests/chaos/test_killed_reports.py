"""A report whose worker is killed while it counts comes out once, and as without kills."""

import asyncio
import signal
import time
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select

from app.reporting.models import ReportContent, ReportSnapshot
from app.reporting.operations import Wanted, request_report
from tenants.audit import Action, AuditEvent
from tests.chaos.support import PATIENCE_SECONDS, Post, ended
from tests.reporting.support import YEAR, made, make_scene, opened
from tests.support import Installation

pytestmark = pytest.mark.one_login


async def _until(installation: Installation, snapshot_id: UUID, state: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        async with installation.database.session(installation.context(installation.north)) as session:
            row = await session.get_one(ReportSnapshot, (installation.north, snapshot_id))
        if row.state == state:
            return
        assert time.monotonic() < end, f"the report stayed at {row.state}: {row.error}"
        await asyncio.sleep(0.02)


async def test_kills_while_a_report_is_built(installation: Installation, post: Post) -> None:
    await make_scene(installation)
    undisturbed = await opened(installation, await made(installation, "coverage"))
    async with post.database.unit_of_work(installation.context(installation.north)) as work:
        snapshot_id = await request_report(work, Wanted("coverage", YEAR))
    # Whoever counts waits here, so that the kill comes in the middle.
    owner = await asyncpg.connect(installation.urls.owner)
    waiting = owner.transaction()
    await waiting.start()
    await owner.execute("LOCK TABLE medstead.learner_standing IN ACCESS EXCLUSIVE MODE")
    for _ in range(2):
        with post.worker() as process:
            await _until(installation, snapshot_id, "building")
            await asyncio.sleep(0.2)
            process.kill()
            assert await ended(process) == -signal.SIGKILL
    await waiting.rollback()
    await owner.close()
    with post.worker():
        await _until(installation, snapshot_id, "ready")
    assert (await opened(installation, snapshot_id)).sha256 == undisturbed.sha256
    async with installation.database.session(installation.context(installation.north)) as session:
        kept = select(func.count()).where(ReportContent.snapshot_id == snapshot_id)
        told = select(func.count()).where(
            AuditEvent.action == Action.REPORT_BUILT, AuditEvent.subject_id == snapshot_id
        )
        assert [(await session.scalars(one)).one() for one in (kept, told)] == [1, 1]
