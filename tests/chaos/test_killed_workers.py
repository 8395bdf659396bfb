"""A worker killed at any step leaves exactly one effect of each message, and another worker carries on."""

import asyncio
import random
import signal
from collections import Counter

import pytest

from tests.chaos.support import Post, ended
from tests.chaos.worker_process import CHUNK_COUNT, CHUNKS, EFFECT, Kill
from tests.support import Installation

pytestmark = pytest.mark.one_login

KILLED = -signal.SIGKILL


@pytest.mark.row("C6")
@pytest.mark.parametrize(
    ("kill", "done_when_killed"),
    [
        (Kill.BETWEEN_CLAIM_AND_WAKE, 0),
        (Kill.BEFORE_EFFECT, 0),
        (Kill.AFTER_EFFECT, 0),
        (Kill.BEFORE_COMMIT, 0),
        (Kill.AFTER_COMMIT, 1),
    ],
)
async def test_one_effect_wherever_the_worker_was_killed(
    installation: Installation, post: Post, kill: Kill, done_when_killed: int
) -> None:
    (message,) = await post.emit(installation.north, EFFECT, 1)
    with post.worker(kill) as process:
        assert await ended(process) == KILLED
    assert (await post.done(installation.north), (await post.effects(installation.north)).total()) == (
        done_when_killed,
        done_when_killed,
    )
    await post.emit(installation.north, EFFECT, 1)  # a later message shows that the next worker has done its round
    with post.worker():
        await post.until_done(installation.north, 2)
    effects = await post.effects(installation.north)
    assert effects[str(message)] == 1
    assert effects.total() == 2


@pytest.mark.parametrize(("kill", "chunks_when_killed"), [(Kill.WITHIN_CHUNK, 2), (Kill.AFTER_CHUNK, 3)])
async def test_a_long_effect_is_taken_up_where_it_was_left(
    installation: Installation, post: Post, kill: Kill, chunks_when_killed: int
) -> None:
    (message,) = await post.emit(installation.north, CHUNKS, 1)
    with post.worker(kill) as process:
        assert await ended(process) == KILLED
    assert (await post.effects(installation.north)).total() == chunks_when_killed
    with post.worker():
        await post.until_done(installation.north, 1)
    assert await post.effects(installation.north) == Counter(f"{message} chunk {n}" for n in range(CHUNK_COUNT))


async def test_ten_kills_at_any_moment_lose_and_repeat_nothing(installation: Installation, post: Post) -> None:
    chance = random.Random(20261124)
    messages = await post.emit(installation.north, EFFECT, 90)
    done = 0
    for _ in range(10):
        with post.worker(effect_seconds=0.02) as process:
            await post.until_done(installation.north, done + 3)
            await asyncio.sleep(chance.uniform(0, 0.05))
            process.kill()
            assert await ended(process) == KILLED
        done = await post.done(installation.north)
        assert done < len(messages)
        effects = await post.effects(installation.north)
        assert effects.total() == done
    with post.worker(), post.worker():
        await post.until_done(installation.north, len(messages))
    assert await post.effects(installation.north) == Counter(map(str, messages))


async def test_two_workers_share_the_messages_and_repeat_none(installation: Installation, post: Post) -> None:
    messages = await post.emit(installation.north, EFFECT, 100)
    with post.worker(effect_seconds=0.05) as first, post.worker(effect_seconds=0.05) as second:
        await post.until_done(installation.north, len(messages))
        assert await post.processes(installation.north) == {first.pid, second.pid}
    assert await post.effects(installation.north) == Counter(map(str, messages))


async def test_a_busy_tenant_does_not_starve_another(installation: Installation, post: Post) -> None:
    await post.emit(installation.north, EFFECT, 500)
    with post.worker(effect_seconds=0.01):
        await post.until_done(installation.north, 10)
        await post.emit(installation.south, EFFECT, 1)
        before = await post.done(installation.north)
        await post.until_done(installation.south, 1)
        after = await post.done(installation.north)
    assert after - before <= 60, "the one message waited for the many"
    assert after < 500


async def test_a_worker_told_to_stop_finishes_what_it_does(installation: Installation, post: Post) -> None:
    messages = await post.emit(installation.north, EFFECT, 40)
    with post.worker(effect_seconds=0.1) as process:
        await post.until_done(installation.north, 2)
        process.terminate()
        assert await ended(process) == 0
    done = await post.done(installation.north)
    assert 2 <= done < len(messages)
    assert (await post.effects(installation.north)).total() == done
    answer = await installation.http.get("/health/workers")
    assert (answer.status_code, answer.json()["workers"]) == (503, 0)
