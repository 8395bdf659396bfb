"""The delivery of one message to its handler: done, failed, postponed, taken over, stopped."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.directory.models import Employer
from tenants import delivery
from tenants.audit import Action, AuditEvent
from tenants.context import ActorKind
from tenants.delivery import Claim
from tenants.identifiers import new_id
from tenants.session import UnitOfWork
from tests.support import Installation
from tests.workers.conftest import LEASE, Register, due, emit, message, visit
from workers.handlers import ManyTransactions, OneTransaction, TryLater, WorkerContext, deliver, error_name

SECRET = "Mrs Doe of Rose Cottage"


class CodedRefusal(Exception):
    """A refusal as the domains raise them."""

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.code = "NOT_THIS_WAY"


async def _leave_a_trace(work: UnitOfWork) -> None:
    work.add(Employer(tenant_id=work.tenant_id, id=new_id(), name="trace", kind="agency", created_at=work.now))
    work.record(Action.EMPLOYER_CREATED, "employer", None)
    await work.session.flush()


async def _traces(installation: Installation) -> tuple[int, int]:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        rows = select(func.count()).select_from(Employer)
        told = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == Action.EMPLOYER_CREATED)
        return (await work.session.scalars(rows)).one(), (await work.session.scalars(told)).one()


async def _claim(installation: Installation, **refs: UUID) -> Claim:
    outbox_id = await emit(installation, installation.north, refs)
    (claim,) = await visit(installation, installation.north)
    assert claim.outbox_id == outbox_id
    return claim


async def test_an_effect_is_committed_with_its_message(installation: Installation, registered: Register) -> None:
    seen: list[WorkerContext] = []

    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        seen.append(context)
        await _leave_a_trace(work)

    registered(OneTransaction(effect))
    subject = new_id()
    claim = await _claim(installation, subject=subject)
    for _ in range(3):  # woken again and again
        await deliver(installation.services, installation.north, claim)
    assert await _traces(installation) == (1, 1)
    done = await message(installation, installation.north, claim.outbox_id)
    assert done.done_at == installation.clock()
    (context,) = seen
    assert context.refs == {"subject": subject}
    assert (context.request_id, context.tenant.actor_kind) == (done.request_id, ActorKind.WORKER)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        event = select(AuditEvent).where(AuditEvent.action == Action.EMPLOYER_CREATED)
        assert (await work.session.scalars(event)).one().request_id == done.request_id


async def test_a_message_woken_twice_at_once_is_worked_on_once(
    installation: Installation, registered: Register
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    calls = 0

    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        nonlocal calls
        calls += 1
        begun.set()
        await go_on.wait()
        await _leave_a_trace(work)

    registered(OneTransaction(effect))
    claim = await _claim(installation)
    first = asyncio.create_task(deliver(installation.services, installation.north, claim))
    await begun.wait()
    second = asyncio.create_task(deliver(installation.services, installation.north, claim))
    ended, _ = await asyncio.wait({second}, timeout=10)
    go_on.set()
    assert ended, "the second waited, or worked on it too"
    await first
    assert (calls, await _traces(installation)) == (1, (1, 1))


@pytest.mark.parametrize("kind", ["one transaction", "many transactions"])
async def test_a_failed_effect_leaves_a_class_and_a_code_only(
    installation: Installation, registered: Register, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        await _leave_a_trace(work)
        raise CodedRefusal

    async def long_effect(context: WorkerContext) -> None:
        async with context.services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            await effect(context, work)

    registered(OneTransaction(effect) if kind == "one transaction" else ManyTransactions(long_effect))
    claim = await _claim(installation)
    await deliver(installation.services, installation.north, claim)
    assert await _traces(installation) == (0, 0)
    failed = await message(installation, installation.north, claim.outbox_id)
    assert (failed.done_at, failed.failures, failed.last_error) == (None, 1, "CodedRefusal:NOT_THIS_WAY")
    assert failed.available_at == installation.clock() + delivery.retry_delay(1, LEASE)
    assert SECRET not in capsys.readouterr().out
    installation.clock.move(delivery.retry_delay(1, LEASE))
    assert await due(installation) == [installation.north]


async def test_an_error_of_the_database_is_told_by_its_state(installation: Installation, registered: Register) -> None:
    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        await work.session.execute(text("SELECT 1 / :zero"), {"zero": 0})

    registered(OneTransaction(effect))
    claim = await _claim(installation)
    await deliver(installation.services, installation.north, claim)
    failed = await message(installation, installation.north, claim.outbox_id)
    assert failed.last_error is not None
    assert failed.last_error.endswith(":22012")


def test_a_code_that_could_hold_words_is_not_kept() -> None:
    error = CodedRefusal()
    error.code = SECRET
    assert error_name(error) == "CodedRefusal"


async def test_a_message_may_come_later_without_having_failed(installation: Installation, registered: Register) -> None:
    tries = 0

    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        nonlocal tries
        tries += 1
        await _leave_a_trace(work)
        if tries < 20:
            raise TryLater(90)

    registered(OneTransaction(effect))
    claim = await _claim(installation)
    for _ in range(19):
        await deliver(installation.services, installation.north, claim)
        assert await _traces(installation) == (0, 0)
        installation.clock.move(timedelta(seconds=89))
        assert await visit(installation, installation.north) == []
        installation.clock.move(timedelta(seconds=1))
        (claim,) = await visit(installation, installation.north)
    await deliver(installation.services, installation.north, claim)
    assert await _traces(installation) == (1, 1)
    assert (await message(installation, installation.north, claim.outbox_id)).failures == 0


async def test_a_topic_that_this_process_does_not_know_waits(installation: Installation) -> None:
    claim = await _claim(installation)
    await deliver(installation.services, installation.north, claim)
    waiting = await message(installation, installation.north, claim.outbox_id)
    assert (waiting.done_at, waiting.last_error, waiting.failures) == (None, "NoHandler", 1)


async def test_a_topic_has_one_handler(registered: Register) -> None:
    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        await _leave_a_trace(work)

    registered(OneTransaction(effect))
    registered(OneTransaction(effect))
    with pytest.raises(ValueError, match="has another handler already"):
        registered(OneTransaction(effect, seconds=1))


async def test_a_long_effect_keeps_its_lease_and_stops_when_it_is_lost(
    installation: Installation, registered: Register
) -> None:
    """Two steps in time keep the lease; the third comes too late, after another worker has taken over."""
    steps: list[int] = []

    async def effect(context: WorkerContext) -> None:
        for step, wait in enumerate((0.75, 0.75, 3.0, 0.75)):
            async with context.services.database.unit_of_work(context.tenant) as work:
                await context.renew(work)
                await _leave_a_trace(work)
            steps.append(step)
            installation.clock.move(wait * LEASE)
            assert await visit(installation, installation.north) == []

    registered(ManyTransactions(effect))
    claim = await _claim(installation)
    await deliver(installation.services, installation.north, claim)
    assert steps == [0, 1, 2]
    assert await _traces(installation) == (3, 3)
    lost = await message(installation, installation.north, claim.outbox_id)
    assert (lost.done_at, lost.failures, lost.last_error) == (None, 1, "LeaseExpired")


async def test_a_stopped_worker_gives_its_message_back(installation: Installation, registered: Register) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        await _leave_a_trace(work)
        begun.set()
        await never.wait()

    registered(OneTransaction(effect))
    claim = await _claim(installation)
    delivering = asyncio.create_task(deliver(installation.services, installation.north, claim))
    await begun.wait()
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert await _traces(installation) == (0, 0)
    back = await message(installation, installation.north, claim.outbox_id)
    assert (back.failures, back.lease_until, back.available_at) == (0, None, installation.clock())
    assert [again.attempt for again in await visit(installation, installation.north)] == [2]


async def test_an_effect_that_hangs_is_ended(installation: Installation, registered: Register) -> None:
    async def effect(context: WorkerContext, work: UnitOfWork) -> None:
        await _leave_a_trace(work)
        await asyncio.Event().wait()

    registered(OneTransaction(effect, seconds=0.05))
    claim = await _claim(installation)
    await deliver(installation.services, installation.north, claim)
    assert await _traces(installation) == (0, 0)
    assert (await message(installation, installation.north, claim.outbox_id)).last_error == "TimeoutError"
