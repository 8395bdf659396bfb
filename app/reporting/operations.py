"""Changes of reports: asking for one, schedules, having files again, downloads. Who may ask stands in `access`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert

from app.directory.models import CqcLocation, CqcProvider, ProviderGroup, TenantLocation
from app.evidence.figures import Period
from app.identity.models import StaffMember
from app.reporting.building import files_until
from app.reporting.definitions import DEFINITIONS, Definition
from app.reporting.models import RHYTHMS, ReportReader, ReportSchedule, ReportSnapshot
from app.reporting.rules import due_periods, period_of
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, same_version
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report as somebody asks for it: of a provider, or of a group's locations, or of the whole tenant."""

    kind: str
    period: Period
    named: bool = False
    cqc_provider_id: str | None = None
    provider_group_id: UUID | None = None


async def request_report(work: UnitOfWork, wanted: Wanted) -> UUID:
    """Have a report built. Raises TrainingRefusal `UNKNOWN_REPORT`, `PERIOD_TO_COME`, `PROVIDER_MISSING` or
    `NO_SUCH_PROVIDER`."""
    definition = _definition(wanted.kind)
    if wanted.period.first_day > london_date(work.now):
        raise TrainingRefusal("PERIOD_TO_COME", "Choose a period that has begun.", "from")
    provider_id = await _provider(work, definition, wanted.cqc_provider_id, wanted.provider_group_id)
    row = ReportSnapshot(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=definition.kind,
        first_day=wanted.period.first_day,
        last_day=wanted.period.last_day,
        cqc_provider_id=provider_id,
        provider_group_id=wanted.provider_group_id if definition.of_provider else None,
        named=wanted.named and definition.names,
        state="waiting",
        steps_done=0,
        steps_total=len(definition.parts),
        requested_by=work.context.actor_id,
        requested_at=work.now,
    )
    work.add(row)
    await work.session.flush()
    _asked(work, row.id, definition.kind, named=row.named)
    return row.id


def _asked(work: UnitOfWork, snapshot_id: UUID, kind: str, *, named: bool) -> None:
    work.record(Action.REPORT_REQUESTED, "report_snapshot", snapshot_id, after={"kind": kind, "named": named})
    work.emit(Topic.REPORT_BUILD, str(snapshot_id), snapshot_id=snapshot_id)


def _definition(kind: str) -> Definition:
    if kind not in DEFINITIONS:
        raise TrainingRefusal("UNKNOWN_REPORT", f"Choose one of {', '.join(DEFINITIONS)}.", "kind")
    return DEFINITIONS[kind]


async def _provider(
    work: UnitOfWork, definition: Definition, provider_id: str | None, group_id: UUID | None
) -> str | None:
    """The provider that a report is about, if it is about one."""
    if not definition.of_provider or group_id is not None:
        if group_id is not None:
            await found(work, ProviderGroup, group_id, "provider group", "providerGroup")
        return None
    if not provider_id:
        raise TrainingRefusal("PROVIDER_MISSING", "Choose the provider that the report is about.", "provider")
    here = (
        select(CqcProvider.id)
        .join(CqcLocation, CqcLocation.provider_id == CqcProvider.id)
        .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
        .where(CqcProvider.id == provider_id)
        .limit(1)
    )
    if (await work.session.scalars(here)).first() is None:
        raise TrainingRefusal(
            "NO_SUCH_PROVIDER", "There is no such provider here. Choose one from the list.", "provider"
        )
    return provider_id


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as somebody gives it; `readers` are members of the staff."""

    kind: str
    every: str
    readers: Sequence[UUID]
    named: bool = False
    cqc_provider_id: str | None = None


async def add_schedule(work: UnitOfWork, given: Schedule) -> UUID:
    """Have a report made after each period, first after the one that runs now.

    Raises TrainingRefusal as `request_report`, `UNKNOWN_RHYTHM`, `READERS_MISSING` or `NO_SUCH_STAFF_MEMBER`.
    """
    definition = _definition(given.kind)
    if given.every not in RHYTHMS:
        raise TrainingRefusal("UNKNOWN_RHYTHM", f"Choose one of {', '.join(RHYTHMS)}.", "every")
    provider_id = await _provider(work, definition, given.cqc_provider_id, None)
    readers = list(dict.fromkeys(given.readers))
    if not readers:
        raise TrainingRefusal("READERS_MISSING", "Choose at least one person who is to read it.", "readers")
    present = select(StaffMember.id).where(among(StaffMember.id, readers), StaffMember.ended_at.is_(None))
    if len((await work.session.scalars(present)).all()) != len(readers):
        raise TrainingRefusal("NO_SUCH_STAFF_MEMBER", "Choose people who work here.", "readers")
    row = ReportSchedule(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=definition.kind,
        cqc_provider_id=provider_id,
        named=given.named and definition.names,
        every=given.every,
        next_first_day=period_of(given.every, london_date(work.now)).first_day,
        active=True,
        version=1,
        created_by=work.context.actor_id,
        created_at=work.now,
    )
    work.add(row)
    await work.session.flush()
    for reader in readers:
        work.add(ReportReader(tenant_id=work.tenant_id, id=new_id(), schedule_id=row.id, staff_member_id=reader))
    after = {"kind": row.kind, "every": row.every, "active": True}
    work.record(Action.REPORT_SCHEDULE_SAVED, "report_schedule", row.id, after=after)
    return row.id


async def pause_schedule(work: UnitOfWork, schedule_id: UUID, version: int, *, active: bool) -> None:
    """Stop a schedule, or let it go on with the period that runs now. Raises TrainingRefusal `NO_SUCH_SCHEDULE` or
    `CHANGED_MEANWHILE`."""
    row = await found(work, ReportSchedule, schedule_id, "schedule", lock=True)
    same_version(row.version, version, "schedule")
    if active and not row.active:
        row.next_first_day = period_of(row.every, london_date(work.now)).first_day
    row.active, row.version = active, row.version + 1
    after = {"kind": row.kind, "every": row.every, "active": active}
    work.record(Action.REPORT_SCHEDULE_SAVED, "report_schedule", row.id, after=after)


async def request_due(work: UnitOfWork) -> int:
    """Ask for every scheduled report whose period has ended and that was not asked for; gives how many.

    Periods missed while nothing ran are made up for. The unique key of schedule and first day lets none come twice.
    """
    today, asked = london_date(work.now), 0
    schedules = select(ReportSchedule).where(ReportSchedule.active).order_by(ReportSchedule.id).with_for_update()
    for schedule in (await work.session.scalars(schedules)).all():
        for period in due_periods(schedule.every, schedule.next_first_day, today):
            values = {
                "tenant_id": work.tenant_id,
                "id": new_id(),
                "kind": schedule.kind,
                "first_day": period.first_day,
                "last_day": period.last_day,
                "cqc_provider_id": schedule.cqc_provider_id,
                "named": schedule.named,
                "state": "waiting",
                "steps_done": 0,
                "steps_total": len(DEFINITIONS[schedule.kind].parts),
                "schedule_id": schedule.id,
                "requested_by": schedule.created_by,
                "requested_at": work.now,
            }
            row = insert(ReportSnapshot).values(values).on_conflict_do_nothing().returning(ReportSnapshot.id)
            made = (await work.session.execute(row)).scalar_one_or_none()
            if made is not None:
                _asked(work, made, schedule.kind, named=schedule.named)
                asked += 1
            schedule.next_first_day = period.last_day + timedelta(days=1)
    return asked


async def readers_of(work: UnitOfWork, snapshot_id: UUID) -> list[UUID]:
    """Who is to read a report that is ready, because it was made by a schedule of theirs."""
    readers = (
        select(ReportReader.staff_member_id)
        .join(
            ReportSnapshot,
            and_(
                ReportSnapshot.tenant_id == ReportReader.tenant_id,
                ReportSnapshot.schedule_id == ReportReader.schedule_id,
            ),
        )
        .where(ReportSnapshot.id == snapshot_id, ReportSnapshot.state == "ready")
        .order_by(ReportReader.id)
    )
    return list(await work.session.scalars(readers))


async def renew_files(work: UnitOfWork, snapshot_id: UUID, days: int) -> None:
    """Let the files of a report be downloaded again for so many days. Raises TrainingRefusal `NO_SUCH_REPORT` or
    `NOT_READY`."""
    row = await _ready(work, snapshot_id)
    row.files_until = files_until(work.now, days)
    work.record(Action.REPORT_FILES_RENEWED, "report_snapshot", row.id)


async def note_download(work: UnitOfWork, snapshot_id: UUID, form: str) -> None:
    """Write down that somebody takes a report away as a file.

    Raises TrainingRefusal `NO_SUCH_REPORT`, `NOT_READY` or `FILES_EXPIRED`.
    """
    row = await _ready(work, snapshot_id)
    if row.files_until is None or row.files_until <= work.now:
        message = "The files of this report have expired. Have them made available again, then download them."
        raise TrainingRefusal("FILES_EXPIRED", message)
    work.record(Action.REPORT_DOWNLOADED, "report_snapshot", row.id, after={"form": form})


async def _ready(work: UnitOfWork, snapshot_id: UUID) -> ReportSnapshot:
    row = await found(work, ReportSnapshot, snapshot_id, "report", lock=True)
    if row.state != "ready":
        raise TrainingRefusal("NOT_READY", "The report is not ready yet. Wait until it is.")
    return row
