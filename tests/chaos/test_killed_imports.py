"""An import whose worker is killed ten times comes to the state that one without kills comes to."""

import asyncio
import random
import signal
import time
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select

from app.imports.models import ImportRun
from tenants.audit import AuditEvent
from tests.chaos.support import PATIENCE_SECONDS, Post, ended
from tests.imports.support import completion, completions, results, run_of, send, work_off
from tests.imports.test_completions_import import figures
from tests.support import Installation

pytestmark = pytest.mark.one_login

ROWS = 24_000


def _steps(run: ImportRun) -> int:
    return run.rows_staged + run.rows_done


async def _until_further(installation: Installation, run: ImportRun) -> ImportRun:
    """Wait until the import has come further than `run`."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        now = await run_of(installation, installation.north, run.id)
        if _steps(now) > _steps(run) or now.state == "finished":
            return now
        assert time.monotonic() < end, f"the import stayed at {run.state} with {run.rows_staged} and {run.rows_done}"
        await asyncio.sleep(0.02)


async def _audited(installation: Installation, tenant_id: UUID) -> Counter[str]:
    """How often each action on imports stands in a trail: a chunk that is applied twice would stand there twice."""
    async with installation.database.session(installation.context(tenant_id)) as session:
        told = select(AuditEvent.action).where(AuditEvent.subject_type == "import")
        return Counter(await session.scalars(told))


@pytest.mark.long
async def test_ten_kills_during_an_import(installation: Installation, post: Post) -> None:
    content = completions([completion(number % 3_000, f"Course {number // 3_000}") for number in range(ROWS)])
    undisturbed = await send(installation, installation.south, content, options={"tier": 1})
    whole = await work_off(installation, installation.south, undisturbed.import_id)
    assert results(whole)["applied"] == ROWS

    received = await send(installation, installation.north, content, options={"tier": 1})
    run = await run_of(installation, installation.north, received.import_id)
    chance = random.Random(20261125)
    kills = 0
    while kills < 10:
        with post.worker() as process:
            run = await _until_further(installation, run)
            assert run.state != "finished", f"the import was over after {kills} kills: give it more rows"
            await asyncio.sleep(chance.uniform(0, 0.2))
            process.kill()
            assert await ended(process) == -signal.SIGKILL
        kills += 1
    with post.worker():
        while run.state != "finished":
            run = await _until_further(installation, run)
    assert run.counts == whole.counts
    assert (run.rows_done, run.rows_total) == (ROWS, ROWS)
    assert await figures(installation, installation.north) == await figures(installation, installation.south)
    assert await figures(installation, installation.north) == (ROWS, 3_000)
    assert await _audited(installation, installation.north) == await _audited(installation, installation.south)
