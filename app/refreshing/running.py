"""A refresh at work: fetched, compared, and, once a person has approved it, applied; all of it in steps that commit.

A worker holds a refresh by a lease. One that dies is followed by another, which fetches anew, or applies what is left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import and_, delete, func, or_, select

from app.outside.errors import OutsideRefused, OutsideUnavailable
from app.refreshing.cqc import Register
from app.refreshing.cqc_changes import apply_locations, fetch_locations
from app.refreshing.holding import Held, Overtaken, note, platform
from app.refreshing.models import ReferenceChange, ReferenceRefresh
from app.refreshing.ods import Directory
from app.refreshing.ods_changes import apply_boards, fetch_boards
from app.refreshing.rules import is_large
from tenants.context import ActorKind, TenantContext
from tenants.models import Tenant
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

MOST_FAILURES = 12
FAILED_SECONDS = 60.0
FIRST_LOOK = timedelta(days=30)
OVERLAP = timedelta(hours=2)
"""So long before the end of the last applied look the next one begins: a source tells some changes late."""

log = structlog.get_logger()


async def run_one(database: Database, register: Register | None, directory: Directory | None, lease: timedelta) -> bool:
    """Work on the refresh that waits longest, if any; whether there was one."""
    held = await _claim(database, lease)
    if held is None:
        return False
    about = log.bind(refresh_id=str(held.id), source=held.source, state=held.state)
    try:
        if held.state == "fetching":
            await _fetch(held, register, directory)
        else:
            await _apply(held)
        about.info("refresh worked on")
    except Overtaken:
        about.warning("refresh was taken over by another worker")
    except OutsideUnavailable as away:
        about.warning("source does not answer", error=away.code)
        await _later(held, away.code, away.seconds)
    except OutsideRefused as refused:
        about.warning("source refused", error=refused.code)
        await _fail(held, refused.code)
    except Exception as error:
        about.error("refresh failed", error=type(error).__name__)
        await _later(held, type(error).__name__, FAILED_SECONDS)
    return True


async def _claim(database: Database, lease: timedelta) -> Held | None:
    async with database.unit_of_work(platform()) as work:
        free = or_(ReferenceRefresh.lease_until.is_(None), ReferenceRefresh.lease_until <= work.now)
        waiting = (
            select(ReferenceRefresh)
            .where(ReferenceRefresh.state.in_(("asked", "fetching", "approved", "applying")), free)
            .order_by(ReferenceRefresh.asked_at, ReferenceRefresh.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        refresh = (await work.session.scalars(waiting)).first()
        if refresh is None:
            return None
        if refresh.state in ("asked", "fetching"):
            if refresh.since is None:
                refresh.since = await _begins(work, refresh.source)
            refresh.state, refresh.until = "fetching", work.now
        else:
            refresh.state = "applying"
        refresh.lease_until = work.now + lease
        assert refresh.since is not None
        assert refresh.until is not None
        return Held(
            database,
            refresh.id,
            refresh.source,
            refresh.state,
            refresh.since,
            refresh.until,
            lease,
            refresh.lease_until,
        )


async def _begins(work: UnitOfWork, source: str) -> datetime:
    """Where the last look that was applied ended, less a little; a month ago if there was none."""
    last = select(func.max(ReferenceRefresh.until)).where(
        ReferenceRefresh.source == source, ReferenceRefresh.state == "applied"
    )
    ended = (await work.session.scalars(last)).one()
    return work.now - FIRST_LOOK if ended is None else ended - OVERLAP


async def _fetch(held: Held, register: Register | None, directory: Directory | None) -> None:
    async with held.work() as work:
        await work.session.execute(delete(ReferenceChange).where(ReferenceChange.refresh_id == held.id))
        await note(work, held, steps_done=0, steps_total=None, counts={}, error=None)
    if held.source == "cqc":
        if register is None:
            raise OutsideRefused("NO_KEY")
        left_out, known = await fetch_locations(held, register)
    else:
        if directory is None:
            raise OutsideRefused("NO_ADDRESS")
        left_out, known = await fetch_boards(held, directory)
    async with held.work() as work:
        counted = (
            select(ReferenceChange.kind, func.count())
            .where(ReferenceChange.refresh_id == held.id)
            .group_by(ReferenceChange.kind)
        )
        kinds = {row[0]: row[1] for row in await work.session.execute(counted)}
        counts = {**kinds, **left_out, "known": known}
        state = "ready" if kinds else "applied"
        finished = None if kinds else work.now
        await note(
            work, held, state=state, counts=counts, large=is_large(kinds, known), lease_until=None, failures=0,
            finished_at=finished,
        )  # fmt: skip


async def _apply(held: Held) -> None:
    """Apply what is left, chunk by chunk, then tell the tenants."""
    skipped = 0
    while True:
        async with held.work() as work:
            applied = await (apply_locations if held.source == "cqc" else apply_boards)(work, held.id, held.until)
            if applied is None:
                break
            skipped += applied
    if held.source == "cqc":
        await _tell_tenants(held)
    async with held.work() as work:
        refresh = await work.session.get_one(ReferenceRefresh, held.id)
        counts = {**refresh.counts, "changed_meanwhile": skipped}
        await note(work, held, state="applied", lease_until=None, finished_at=work.now, counts=counts)


async def _tell_tenants(held: Held) -> None:
    async with held.work() as work:
        tenants: Sequence[UUID] = (
            await work.session.scalars(select(Tenant.id).where(Tenant.status.in_(("live", "onboarding"))))
        ).all()
    for tenant_id in tenants:
        # The key holds the refresh: a worker that takes over tells nobody twice.
        async with held.database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
            work.emit(Topic.LOCATIONS_LINK, str(held.id), refresh_id=held.id)


async def _later(held: Held, code: str, seconds: float) -> None:
    async with held.database.unit_of_work(platform()) as work:
        mine = and_(ReferenceRefresh.id == held.id, ReferenceRefresh.lease_until == held.lease_until)
        refresh = (await work.session.scalars(select(ReferenceRefresh).where(mine).with_for_update())).first()
        if refresh is None:
            return
        refresh.failures += 1
        refresh.error, refresh.lease_until = code, work.now + timedelta(seconds=seconds)
        if refresh.failures >= MOST_FAILURES:
            refresh.state, refresh.lease_until, refresh.finished_at = "failed", None, work.now


async def _fail(held: Held, code: str) -> None:
    async with held.database.unit_of_work(platform()) as work:
        await note(work, held, state="failed", error=code, lease_until=None, finished_at=work.now)
