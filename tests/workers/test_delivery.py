"""The life of a message: claimed once, taken back, tried less and less often, dead, replayed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from tenants import delivery
from tenants.audit import AuditEvent
from tenants.delivery import LONGEST_DELAY, MAXIMUM_FAILURES, DeliveryRefusal, LeaseLost, retry_delay
from tenants.identifiers import new_id
from tenants.outbox import OutboxMessage, Pool, TenantWork
from tenants.session import UnitOfWork
from tests.support import Installation
from tests.workers.conftest import LEASE, due, emit, message, visit


def test_the_delay_doubles_up_to_an_hour() -> None:
    delays = [retry_delay(failures, LEASE) for failures in range(1, MAXIMUM_FAILURES)]
    assert delays[0] == timedelta(seconds=5)
    assert all(later == min(2 * sooner, LONGEST_DELAY) for sooner, later in pairwise(delays))
    assert delays[-1] == LONGEST_DELAY == retry_delay(10_000, LEASE)
    with pytest.raises(ValueError, match="after a failure"):
        retry_delay(0, LEASE)


async def test_a_message_is_claimed_once_and_only_in_its_tenant(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    assert await due(installation) == [installation.north]
    assert await visit(installation, installation.south) == []
    (claim,) = await visit(installation, installation.north)
    assert (claim.outbox_id, claim.attempt) == (outbox_id, 1)
    assert await visit(installation, installation.north) == []
    assert await due(installation) == []


async def test_messages_are_claimed_oldest_first_within_the_room(installation: Installation) -> None:
    messages = []
    for _ in range(3):
        messages.append(await emit(installation, installation.north))
        installation.clock.move(timedelta(seconds=1))
    assert [claim.outbox_id for claim in await visit(installation, installation.north, 2)] == messages[:2]
    assert await due(installation) == [installation.north]
    assert [claim.outbox_id for claim in await visit(installation, installation.north, 2)] == messages[2:]


async def test_two_relays_at_once_never_claim_the_same(installation: Installation) -> None:
    messages = {await emit(installation, installation.north) for _ in range(30)}
    claimed: list[delivery.Claim] = []
    while len(claimed) < 30:
        for claims in await asyncio.gather(*(visit(installation, installation.north, 4) for _ in range(4))):
            claimed += claims
    assert {claim.outbox_id for claim in claimed} == messages
    assert all(claim.attempt == 1 for claim in claimed)


async def test_no_message_is_missed_that_is_written_while_the_relay_looks(installation: Installation) -> None:
    """The marker must be locked before the outbox is read, or the relay would forget the tenant."""
    await emit(installation, installation.north)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        assert len(await delivery.visit(work, dict.fromkeys(Pool, 10), LEASE)) == 1
        writing = asyncio.create_task(emit(installation, installation.north))
        done, _ = await asyncio.wait({writing}, timeout=0.2)
        assert not done, "the writer did not wait for the relay's look"
    later = await writing
    assert await due(installation) == [installation.north]
    assert [claim.outbox_id for claim in await visit(installation, installation.north)] == [later]


async def test_an_expired_lease_is_taken_back_and_its_holder_is_shut_out(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    (first,) = await visit(installation, installation.north)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        assert await delivery.begin(work, first, work.now + LEASE) is not None
    async with installation.database.unit_of_work(context) as work:
        assert await delivery.begin(work, first, work.now + LEASE) is None, "the same claim was begun on twice"
        await delivery.renew(work, first, work.now + 2 * LEASE)
    installation.clock.move(LEASE)
    assert await due(installation) == [installation.north]
    assert await visit(installation, installation.north) == [], "the lease had been renewed"
    installation.clock.move(LEASE)
    assert await visit(installation, installation.north) == [], "a message taken back waits before its next try"
    taken_back = await message(installation, installation.north, outbox_id)
    assert (taken_back.lease_until, taken_back.failures, taken_back.last_error) == (None, 1, "LeaseExpired")
    installation.clock.move(retry_delay(1, LEASE))
    (second,) = await visit(installation, installation.north)
    assert second.attempt == 2
    too_late: list[Callable[[UnitOfWork], Awaitable[None]]] = [
        lambda work: delivery.renew(work, first, work.now + LEASE),
        lambda work: delivery.finish(work, first),
        lambda work: delivery.fail(work, first, "Late", LEASE),
        lambda work: delivery.postpone(work, first, LEASE),
    ]
    for late in too_late:
        with pytest.raises(LeaseLost):
            async with installation.database.unit_of_work(context) as work:
                await late(work)
    async with installation.database.unit_of_work(context) as work:
        await delivery.finish(work, second)
    finished = await message(installation, installation.north, outbox_id)
    assert (finished.done_at, finished.failures) == (installation.clock(), 1)


async def test_a_claim_that_nobody_began_on_is_no_failure(installation: Installation) -> None:
    """However often the queue forgets: the message is claimed anew at once, and its earlier claims are void."""
    await emit(installation, installation.north)
    claims = []
    for number in range(1, 2 * MAXIMUM_FAILURES):
        (claim,) = await visit(installation, installation.north)
        assert claim.attempt == number
        claims.append(claim)
        installation.clock.move(LEASE)
    untouched = await message(installation, installation.north, claims[0].outbox_id)
    assert (untouched.failures, untouched.dead_at, untouched.last_error) == (0, None, None)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        begun = [await delivery.begin(work, claim, work.now + LEASE) is not None for claim in claims]
    assert begun == [False] * (len(claims) - 1) + [True]


async def test_a_message_that_is_worked_on_is_not_taken_back(installation: Installation) -> None:
    await emit(installation, installation.north)
    (claim,) = await visit(installation, installation.north)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await delivery.hold(work, claim) is not None
        installation.clock.move(2 * LEASE)
        assert await visit(installation, installation.north) == []
        async with installation.database.unit_of_work(installation.context(installation.north)) as other:
            assert await delivery.hold(other, claim) is None, "two held one message at once"
        await delivery.finish(work, claim)
    assert (await message(installation, installation.north, claim.outbox_id)).failures == 0
    assert await visit(installation, installation.north) == []
    assert await due(installation) == []


async def test_a_message_dies_after_too_many_failures_and_can_be_replayed(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    context = installation.context(installation.north)
    for failures in range(1, MAXIMUM_FAILURES + 1):
        (claim,) = await visit(installation, installation.north)
        async with installation.database.unit_of_work(context) as work:
            await delivery.fail(work, claim, "SomeError:SOME_CODE", LEASE)
        installation.clock.move(retry_delay(failures, LEASE))
    dead = await message(installation, installation.north, outbox_id)
    assert dead.dead_at is not None
    assert (dead.failures, dead.last_error, dead.done_at) == (MAXIMUM_FAILURES, "SomeError:SOME_CODE", None)
    installation.clock.move(timedelta(days=1))
    assert await visit(installation, installation.north) == []

    async with installation.database.unit_of_work(context) as work:
        await delivery.replay(work, outbox_id)
        told = work.context.request_id
    (claim,) = await visit(installation, installation.north)
    assert (claim.outbox_id, claim.attempt) == (outbox_id, MAXIMUM_FAILURES + 1)
    async with installation.database.unit_of_work(context) as work:
        event = (await work.session.scalars(select(AuditEvent).where(AuditEvent.request_id == told))).one()
    assert (event.action, event.subject_id) == ("tenants:outbox:replay", outbox_id)
    assert event.before == {"failures": MAXIMUM_FAILURES, "last_error": "SomeError:SOME_CODE"}


async def test_only_a_dead_message_of_the_tenant_can_be_replayed(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.north)
    for tenant_id, asked, code in (
        (installation.north, outbox_id, "NOT_DEAD"),
        (installation.north, new_id(), "UNKNOWN_MESSAGE"),
        (installation.south, outbox_id, "UNKNOWN_MESSAGE"),
    ):
        with pytest.raises(DeliveryRefusal) as refused:
            async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
                await delivery.replay(work, asked)
        assert refused.value.code == code
    unchanged = await message(installation, installation.north, outbox_id)
    assert (unchanged.attempts, unchanged.failures, unchanged.dead_at) == (0, 0, None)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        replays = select(AuditEvent).where(AuditEvent.action == "tenants:outbox:replay")
        assert (await work.session.scalars(replays)).all() == []


async def test_the_sweep_finds_what_the_bookkeeping_has_lost(installation: Installation) -> None:
    outbox_id = await emit(installation, installation.south)
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        await work.session.delete(await work.session.get_one(TenantWork, installation.south))
    assert await due(installation) == []
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        await delivery.mark_every_tenant_due(work.session, work.now)
    assert set(await due(installation)) == {installation.north, installation.south}
    assert [claim.outbox_id for claim in await visit(installation, installation.south)] == [outbox_id]
    assert await visit(installation, installation.north) == []
    assert await due(installation) == []


async def test_what_was_done_long_ago_is_forgotten_and_what_was_given_up_is_not(installation: Installation) -> None:
    done, dead, late = [await emit(installation, installation.north) for _ in range(3)]
    elsewhere = await emit(installation, installation.south)
    now = installation.clock()
    for tenant_id, outbox_id, values in (
        (installation.north, done, {"done_at": now}),
        (installation.north, dead, {"dead_at": now}),
        (installation.north, late, {"done_at": now + timedelta(days=2)}),
        (installation.south, elsewhere, {"done_at": now}),
    ):
        async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
            row = await work.session.get_one(OutboxMessage, (tenant_id, outbox_id))
            for name, value in values.items():
                setattr(row, name, value)
    installation.clock.move(delivery.KEPT + timedelta(days=1))
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await delivery.forget_done(work) == 1
        left = set(await work.session.scalars(select(OutboxMessage.id)))
    assert left == {dead, late}
    assert (await message(installation, installation.south, elsewhere)).done_at is not None, "another tenant's stays"
