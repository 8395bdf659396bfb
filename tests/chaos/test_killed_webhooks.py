"""A worker killed while a receiver has its request: the event arrives in the end, under the id it always had."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from multiprocessing.context import ForkServerProcess

import pytest
from sqlalchemy import select

from app.webhooks.models import WebhookAttempt
from tests.chaos.support import PATIENCE_SECONDS, Post, ended
from tests.support import Installation
from tests.webhooks.receiver import OK, Reply, is_signed, receiving
from tests.webhooks.support import attempts, deliveries, events, happen, make_endpoint

pytestmark = pytest.mark.one_login


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what must come."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not await reached():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.05)


def killing(process: ForkServerProcess, then: Reply | None = None) -> Reply:
    """Kill the worker that has sent the request, after an answer if one is given."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if then is not None:
            await then(reader, writer)
            await writer.drain()
        process.kill()

    return reply


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "with the answer on its way"])
async def test_a_killed_worker_costs_an_attempt_and_nothing_else(
    installation: Installation, post: Post, answered: bool
) -> None:
    post = replace(post, others={"webhook_allow_loopback": True})

    async def delivered() -> bool:
        return [one.state for one in await deliveries(installation)] == ["delivered"]

    async with receiving() as receiver:
        made = await make_endpoint(installation, receiver.url)
        with post.worker() as doomed:
            receiver.replies.append(killing(doomed, OK if answered else None))
            await happen(installation)
            await ended(doomed)
        was_noted = await delivered()
        assert not was_noted or answered
        (before,) = await attempts(installation)
        assert (before.number, before.ended_at is None) == (1, not was_noted), "written down before it was sent"
        with post.worker():
            await until(delivered)
    (event,) = await events(installation)
    assert len(receiver.received) == (1 if was_noted else 2)
    assert {request.headers["webhook-id"] for request in receiver.received} == {str(event.id)}
    assert len({request.body for request in receiver.received}) == 1
    assert all(is_signed(request, made.secret, time.time()) for request in receiver.received)
    told = [(one.number, one.error_code, one.status_code) for one in await attempts(installation)]
    assert told == ([(1, None, 200)] if was_noted else [(1, "INTERRUPTED", None), (2, None, 200)])


async def test_five_kills_among_thirty_events_lose_none(installation: Installation, post: Post) -> None:
    post = replace(post, others={"webhook_allow_loopback": True})
    count = 30

    async def all_delivered() -> bool:
        return [one.state for one in await deliveries(installation)] == ["delivered"] * count

    async with receiving() as receiver:
        await make_endpoint(installation, receiver.url)
        for _ in range(count):
            await happen(installation)
        for _ in range(5):
            with post.worker() as doomed:
                receiver.replies += [OK, killing(doomed)]
                await ended(doomed)
            receiver.replies.clear()
        with post.worker():
            await until(all_delivered)
    arrived = Counter(request.headers["webhook-id"] for request in receiver.received)
    assert set(arrived) == {str(event.id) for event in await events(installation)}
    # At least once: only what was on its way when its worker died came again.
    async with installation.database.session(installation.context(installation.north)) as session:
        cut_off = select(WebhookAttempt).where(WebhookAttempt.error_code == "INTERRUPTED")
        interrupted = len((await session.scalars(cut_off)).all())
    assert arrived.total() - count <= interrupted <= 10
    assert interrupted >= 5
