"""Builds a report from one view of the database, part by part; a worker that takes over begins again at the first."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import (
    CqcLocation,
    CqcProvider,
    Employer,
    ProviderGroup,
    ProviderGroupLocation,
    TenantLocation,
)
from app.evidence.figures import Period
from app.reporting.content import Report
from app.reporting.definitions import DEFINITIONS, Definition
from app.reporting.keeping import keep, store
from app.reporting.models import ReportSnapshot
from app.reporting.reading import Reading
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.models import Tenant
from tenants.session import Database, UnitOfWork

Renew = Callable[[UnitOfWork], Awaitable[None]]


async def build(database: Database, context: TenantContext, snapshot_id: UUID, renew: Renew, files_for: int) -> bool:
    """Count everything that the report tells and keep it; False if it is kept already. `files_for`: days.

    All parts read the database as it was at one moment. How far it is can be seen meanwhile.
    """
    async with database.unit_of_work(context) as work:
        await renew(work)
        snapshot = await _locked(work, snapshot_id)
        if snapshot.state == "ready":
            return False
        definition = DEFINITIONS[snapshot.kind]
        snapshot.state, snapshot.error, snapshot.steps_done = "building", None, 0
        snapshot.steps_total = len(definition.parts)
    try:
        await _build(database, context, snapshot, definition, renew, files_for)
    except Exception as error:
        async with database.unit_of_work(context) as work:
            failed = update(ReportSnapshot).where(ReportSnapshot.id == snapshot_id, ReportSnapshot.state == "building")
            await work.session.execute(failed.values(state="failed", error=type(error).__name__))
        raise
    return True


async def _build(
    database: Database,
    context: TenantContext,
    snapshot: ReportSnapshot,
    definition: Definition,
    renew: Renew,
    files_for: int,
) -> None:
    reads = TenantContext(context.tenant_id, context.actor_kind, context.actor_id, context.request_id, read_only=True)
    as_of = database.clock()
    async with database.session(reads) as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        reading, about = await _reading(session, snapshot, definition, as_of)
        sections = []
        for number, part in enumerate(definition.parts, 1):
            sections.append(await part(reading))
            async with database.unit_of_work(context) as work:
                await renew(work)
                told = update(ReportSnapshot).where(ReportSnapshot.id == snapshot.id)
                await work.session.execute(told.values(steps_done=number))
        tenant = await session.get_one(Tenant, context.tenant_id)
    report = Report(
        kind=definition.kind,
        version=definition.version,
        title=definition.title,
        tenant=tenant.name,
        about=about or tenant.name,
        first_day=snapshot.first_day,
        last_day=snapshot.last_day,
        masked=definition.masked,
        named=snapshot.named,
        sections=sections,
    )
    kept = keep(report)
    async with database.unit_of_work(context) as work:
        await renew(work)
        row = await _locked(work, snapshot.id)
        await store(work, snapshot.id, kept, as_of, reading.locations)
        row.state, row.built_at = "ready", work.now
        row.files_until = files_until(work.now, files_for)
        after = {"kind": row.kind, "sha256": kept.sha256, "named": row.named}
        work.record(Action.REPORT_BUILT, "report_snapshot", row.id, after=after)


def files_until(now: datetime, days: int) -> datetime:
    """Until when files can be downloaded, if that is allowed for so many days from now."""
    return now + timedelta(days=days)


async def _locked(work: UnitOfWork, snapshot_id: UUID) -> ReportSnapshot:
    return await work.session.get_one(ReportSnapshot, (work.tenant_id, snapshot_id), with_for_update=True)


async def _reading(
    session: AsyncSession, snapshot: ReportSnapshot, definition: Definition, now: datetime
) -> tuple[Reading, str | None]:
    """What the parts read with, and what the report is about."""
    locations: tuple[UUID, ...] | None = None
    employers: tuple[UUID, ...] | None = None
    about = None
    if definition.of_provider:
        about, locations = await _places(session, snapshot)
        found = select(Employer.id).where(among(Employer.tenant_location_id, locations)).order_by(Employer.id)
        employers = tuple(await session.scalars(found))
    period = Period(snapshot.first_day, snapshot.last_day)
    reading = Reading(
        session,
        snapshot.tenant_id,
        now,
        london_date(now),
        period,
        snapshot.named,
        definition.masked,
        snapshot.cqc_provider_id,
        locations,
        employers,
    )
    return reading, about


async def _places(session: AsyncSession, snapshot: ReportSnapshot) -> tuple[str, tuple[UUID, ...]]:
    """Name and locations of the provider or group. Raises NoResultFound for one that is not there."""
    listed = select(TenantLocation.id).order_by(TenantLocation.id)
    if snapshot.provider_group_id is not None:
        group = await session.get_one(ProviderGroup, (snapshot.tenant_id, snapshot.provider_group_id))
        members = select(ProviderGroupLocation.tenant_location_id).where(
            ProviderGroupLocation.tenant_id == snapshot.tenant_id,
            ProviderGroupLocation.provider_group_id == group.id,
        )
        return group.name, tuple(await session.scalars(listed.where(TenantLocation.id.in_(members))))
    provider = await session.get_one(CqcProvider, snapshot.cqc_provider_id)
    of_provider = listed.join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
    of_provider = of_provider.where(CqcLocation.provider_id == provider.id)
    return provider.name, tuple(await session.scalars(of_provider))
