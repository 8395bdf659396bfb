"""Reference data: asked for by the calendar, fetched and applied by workers for long work; and tenants are told."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy.dialects.postgresql import insert

from app.refreshing.cqc import Register
from app.refreshing.cqc_changes import link_new_locations
from app.refreshing.ods import Directory
from app.refreshing.operations import ask_again
from app.refreshing.running import run_one
from app.services import Services
from tenants.bookkeeping import ScheduleRun
from tenants.clock import LONDON, london_date
from tenants.context import ActorKind, PlatformContext
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import OneTransaction, WorkerContext, register

AT = time(2, 15)
"""In London, every night for CQC, whose data change daily; on Mondays for ODS."""
STEP_SECONDS = 5.0


async def step(services: Services) -> int:
    """Ask for what the calendar says, then work on one refresh. 1 where there was one."""
    settings = services.settings
    register_ = Register(services.outside, settings.cqc_url, settings.cqc_key) if settings.cqc_key else None
    directory = Directory(services.outside, settings.ods_url) if settings.ods_url else None
    sources = {"cqc": register_ is not None, "ods": directory is not None}
    for source, configured in sources.items():
        if configured:
            await _ask_by_calendar(services, source)
    lease = timedelta(seconds=max(settings.lease_seconds, 60))
    return int(await run_one(services.database, register_, directory, lease))


async def _ask_by_calendar(services: Services, source: str) -> None:
    day = london_date(services.clock())
    slot = datetime.combine(day, AT, LONDON).astimezone(UTC)
    if services.clock() < slot or (source == "ods" and day.weekday() != 0):
        return
    async with services.database.unit_of_work(PlatformContext("schedule", ActorKind.WORKER)) as work:
        row = insert(ScheduleRun).values(
            name=f"references.{source}", slot=slot, claimed_at=work.now, emitted_at=work.now
        )
        made = row.on_conflict_do_nothing().returning(ScheduleRun.slot)
        if (await work.session.execute(made)).first() is not None:
            await ask_again(work, source)


async def _link(context: WorkerContext, work: UnitOfWork) -> None:
    await link_new_locations(work, context.refs["refresh_id"])


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.LOCATIONS_LINK, OneTransaction(_link))
