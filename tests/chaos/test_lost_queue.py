"""Valkey emptied, or killed and started again, in the middle of a run: nothing is lost but seconds."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from infra.embedded import start_valkey
from infra.embedded.valkey import ValkeyServer
from tenants.outbox import Pool
from tests.chaos.support import Post, open_post
from tests.chaos.worker_process import EFFECT
from tests.support import Installation
from workers.queue import queue_of

pytestmark = pytest.mark.one_login


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey of the test's own, that may be emptied and killed."""
    with start_valkey(tmp_path, durable=False) as server:
        yield server


@pytest.fixture
async def post(installation: Installation, valkey: ValkeyServer, tmp_path: Path) -> AsyncIterator[Post]:
    """Messages and worker processes that are woken by the test's own Valkey."""
    async with open_post(installation.urls, valkey.url, tmp_path) as opened:
        yield opened


EMPTY = "local awake = redis.call('ZCARD', KEYS[1]) redis.call('FLUSHALL') return awake"
"""Empties the whole server and gives how many messages were awake in it at that moment."""


async def test_an_emptied_queue_loses_nothing(installation: Installation, post: Post) -> None:
    messages = await post.emit(installation.north, EFFECT, 60)
    client = redis.Redis.from_url(post.redis_url)
    with post.worker(effect_seconds=0.05):
        for done in (5, 20, 40):
            await post.until_done(installation.north, done)
            while not await client.eval(EMPTY, 1, queue_of(Pool.QUICK)):
                pass
        assert await post.done(installation.north) < len(messages)
        await client.aclose()
        await post.until_done(installation.north, len(messages))
    assert await post.effects(installation.north) == Counter(map(str, messages))


async def test_a_killed_queue_loses_nothing(
    installation: Installation, post: Post, valkey: ValkeyServer, tmp_path: Path
) -> None:
    messages = await post.emit(installation.north, EFFECT, 60)
    with post.worker(effect_seconds=0.05) as process:
        await post.until_done(installation.north, 10)
        os.kill(valkey.pid, signal.SIGKILL)
        assert valkey.process is not None
        valkey.process.wait()
        at_loss = await post.done(installation.north)
        assert at_loss < len(messages)
        with start_valkey(tmp_path, durable=False) as again:
            assert again.url == valkey.url
            await post.until_done(installation.north, len(messages))
            assert process.is_alive()
    assert await post.effects(installation.north) == Counter(map(str, messages))
