"""Schedules: London time across clock changes, made up for within the grace, emitted once by whoever came first."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants import registry
from tenants.bookkeeping import ScheduleRun
from tenants.clock import LONDON
from tenants.context import PlatformContext
from tenants.engine import create_engine
from tenants.outbox import OutboxMessage
from tenants.session import Database
from tests.support import Installation
from tests.workers.conftest import LEASE, due
from workers.schedules import SCHEDULES, Schedule, run_due, slots

NIGHTLY = SCHEDULES[0]


async def _go_live(installation: Installation, *tenants: UUID, status: str = "live") -> None:
    owner = Database(create_engine(installation.urls.owner), installation.clock)
    try:
        for tenant_id in tenants:
            async with owner.unit_of_work(installation.context(tenant_id)) as work:
                await registry.change_status(work, status)
    finally:
        await owner.dispose()


async def _messages(installation: Installation, tenant_id: UUID) -> list[str]:
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return list((await work.session.scalars(select(OutboxMessage.dedupe_key).order_by(OutboxMessage.id))).all())


def _london(day: date, at: time) -> datetime:
    return datetime.combine(day, at, LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 28, 3, tzinfo=UTC)),
        (datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 24, 2, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)),
        (datetime(2026, 7, 1, 2, tzinfo=UTC), datetime(2026, 7, 1, 2, tzinfo=UTC)),
    ],
)
def test_the_nightly_slot_is_three_in_london(now: datetime, expected: datetime) -> None:
    assert list(slots(NIGHTLY, now)) == [expected]


def test_every_night_of_a_year_has_one_slot_whatever_the_hour_a_worker_looks() -> None:
    found: set[datetime] = set()
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    while moment < datetime(2027, 1, 1, 12, tzinfo=UTC):
        found.update(slots(NIGHTLY, moment))
        moment += timedelta(hours=1)
    nights = sorted(slot.astimezone(LONDON) for slot in found)
    assert [night.date() for night in nights] == [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]
    assert {night.timetz().replace(tzinfo=None) for night in nights} == {time(3)}


def test_a_time_the_clock_skips_or_repeats_comes_once() -> None:
    half_past_one = Schedule("test", time(1, 30), timedelta(hours=20), NIGHTLY.emit)
    assert list(slots(half_past_one, datetime(2026, 3, 29, 12, tzinfo=UTC))) == [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    ]
    assert list(slots(half_past_one, datetime(2026, 10, 25, 12, tzinfo=UTC))) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    ]


async def test_a_slot_is_emitted_once_for_each_live_tenant(installation: Installation) -> None:
    await _go_live(installation, installation.north)
    emitted = await asyncio.gather(*(run_due(installation.database, LEASE, (NIGHTLY,)) for _ in range(4)))
    assert sorted(emitted) == [0, 0, 0, 1]
    slot = _london(installation.clock().date(), time(3)).isoformat()
    assert await _messages(installation, installation.north) == [f"evidence.refresh:nightly:{slot}"]
    assert await _messages(installation, installation.south) == []
    assert await due(installation) == [installation.north]
    installation.clock.move(timedelta(hours=2))
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 0
    installation.clock.move(timedelta(days=1))
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 1
    assert len(await _messages(installation, installation.north)) == 2


async def test_a_missed_slot_is_made_up_for_within_its_grace_only(installation: Installation) -> None:
    await _go_live(installation, installation.north)
    last_slot = _london(date(2026, 11, 24), time(3))
    installation.clock.move(timedelta(days=3) + last_slot + NIGHTLY.grace - installation.clock())
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 0
    assert await _messages(installation, installation.north) == []
    installation.clock.move(timedelta(days=1) - timedelta(seconds=1))
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 1
    slot = last_slot + timedelta(days=4)
    assert await _messages(installation, installation.north) == [f"evidence.refresh:nightly:{slot.isoformat()}"]


async def test_a_slot_left_half_emitted_is_taken_over(installation: Installation) -> None:
    """The worker died after it had claimed the slot and written for one tenant of two."""
    await _go_live(installation, installation.north, installation.south)
    slot = _london(installation.clock().date(), time(3))
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        work.add(ScheduleRun(name=NIGHTLY.name, slot=slot, claimed_at=work.now))
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        NIGHTLY.emit(work, slot)
    installation.clock.move(LEASE - timedelta(seconds=1))
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 0
    assert await _messages(installation, installation.south) == []
    installation.clock.move(timedelta(seconds=1))
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 1
    for tenant_id in (installation.north, installation.south):
        assert await _messages(installation, tenant_id) == [f"evidence.refresh:nightly:{slot.isoformat()}"]


async def test_a_suspended_tenant_gets_no_messages(installation: Installation) -> None:
    await _go_live(installation, installation.north, installation.south)
    await _go_live(installation, installation.south, status="suspended")
    assert await run_due(installation.database, LEASE, (NIGHTLY,)) == 1
    assert len(await _messages(installation, installation.north)) == 1
    assert await _messages(installation, installation.south) == []
