"""What happens by the calendar: schedules, their slots in London time, and the emission of each slot once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tenants.bookkeeping import ScheduleRun
from tenants.clock import LONDON, london_date
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.models import Tenant
from tenants.outbox import Topic
from tenants.session import Database, UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every day at `at` in London, for each live tenant: `emit` writes the messages of a slot.

    A slot missed while no worker ran is made up for until `grace` has passed; later it is left out.
    """

    name: str
    at: time
    grace: timedelta
    emit: Callable[[UnitOfWork, datetime], None]


def _refresh_figures(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.FIGURES_REFRESH, f"nightly:{slot.isoformat()}")


def _compute_standing(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.STANDING_COMPUTE, f"nightly:{slot.isoformat()}")


def _end_champions(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.CHAMPIONS_END, f"nightly:{slot.isoformat()}")


def _derive_statements(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.STATEMENTS_DERIVE, f"nightly:{slot.isoformat()}", again=work.tenant_id)


def _find_claims(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.LDSS_CLAIMS, f"nightly:{slot.isoformat()}")


def _ask_receipts(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.RECEIPTS_ASK, f"hourly:{slot.isoformat()}")


def _nudge(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.NUDGES_RUN, f"daily:{slot.isoformat()}")


def _request_reports(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.REPORTS_DUE, f"daily:{slot.isoformat()}")


def _look_outside(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.OUTSIDE_LOOK_ALL, f"hourly:{slot.isoformat()}")


def _read_attendance(work: UnitOfWork, slot: datetime) -> None:
    work.emit(Topic.OUTSIDE_ATTENDANCE_ALL, f"nightly:{slot.isoformat()}")


SCHEDULES = (
    Schedule("figures.nightly", time(3), timedelta(hours=20), _refresh_figures),
    # Files may have brought the people whose statements wait.
    Schedule("statements.nightly", time(0, 30), timedelta(hours=20), _derive_statements),
    Schedule("ldss.nightly", time(2), timedelta(hours=20), _find_claims),
    # After midnight, for what is valid until yesterday has expired today.
    Schedule("standing.nightly", time(1, 30), timedelta(hours=20), _compute_standing),
    Schedule("champions.nightly", time(1), timedelta(hours=20), _end_champions),
    Schedule("nudges.daily", time(10), timedelta(hours=8), _nudge),
    # After standing and figures, so that a report tells of yesterday as it ended.
    Schedule("reports.daily", time(4), timedelta(hours=20), _request_reports),
    # Before figures and standing, so that last evening's attendance counts in the morning.
    Schedule("attendance.nightly", time(0, 30), timedelta(hours=20), _read_attendance),
    *(Schedule(f"outside.{hour:02}", time(hour, 40), timedelta(minutes=50), _look_outside) for hour in range(24)),
    *(Schedule(f"receipts.{hour:02}", time(hour, 20), timedelta(minutes=50), _ask_receipts) for hour in range(24)),
)


def slots(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """The slots in UTC that have come and whose grace has not passed at `now`, in order.

    A time that the clock skips in spring comes when the clocks have gone forward; one that comes twice in autumn
    counts the first time.
    """
    day = london_date(now - schedule.grace)
    while day <= london_date(now):
        slot = datetime.combine(day, schedule.at, LONDON).astimezone(UTC)
        if now - schedule.grace < slot <= now:
            yield slot
        day += timedelta(days=1)


async def run_due(database: Database, lease: timedelta, schedules: tuple[Schedule, ...] = SCHEDULES) -> int:
    """Emit every slot that is due and not emitted yet. Gives how many slots this call emitted."""
    emitted = 0
    for schedule in schedules:
        for slot in slots(schedule, database.clock()):
            if await _claim(database, schedule, slot, lease):
                await _emit(database, schedule, slot)
                emitted += 1
    return emitted


async def _claim(database: Database, schedule: Schedule, slot: datetime, lease: timedelta) -> bool:
    """Insert the slot's row, or take it over from a worker that died before it had written all messages."""
    async with database.unit_of_work(PlatformContext("schedule", ActorKind.WORKER)) as work:
        run = await work.session.get(ScheduleRun, (schedule.name, slot))
        if run is not None and (run.emitted_at is not None or run.claimed_at > work.now - lease):
            return False
        row = insert(ScheduleRun).values(name=schedule.name, slot=slot, claimed_at=work.now)
        claimed = row.on_conflict_do_update(
            index_elements=[ScheduleRun.name, ScheduleRun.slot],
            set_={"claimed_at": row.excluded.claimed_at},
            where=ScheduleRun.emitted_at.is_(None) & (ScheduleRun.claimed_at <= work.now - lease),
        ).returning(ScheduleRun.slot)
        return (await work.session.execute(claimed)).first() is not None


async def _emit(database: Database, schedule: Schedule, slot: datetime) -> None:
    platform = PlatformContext("schedule", ActorKind.WORKER)
    async with database.unit_of_work(platform) as work:
        tenants = (await work.session.scalars(select(Tenant.id).where(Tenant.status == "live"))).all()
    for tenant_id in tenants:
        # The outbox key holds the slot, so that a take-over writes only what is missing.
        async with database.unit_of_work(TenantContext(tenant_id, ActorKind.WORKER)) as work:
            schedule.emit(work, slot)
    async with database.unit_of_work(platform) as work:
        run = await work.session.get_one(ScheduleRun, (schedule.name, slot))
        run.emitted_at = work.now
    log.info("slot emitted", schedule=schedule.name, slot=slot.isoformat(), tenants=len(tenants))
