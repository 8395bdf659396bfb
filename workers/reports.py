"""Jobs of reports: building one that was asked for, asking for those that are due."""

import structlog

from app.messaging.staff import tell_of_report
from app.reporting.building import build
from app.reporting.operations import readers_of, request_due
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import ManyTransactions, OneTransaction, WorkerContext, register

log = structlog.get_logger()


async def _build(context: WorkerContext) -> None:
    services, snapshot_id = context.services, context.refs["snapshot_id"]
    days = services.settings.report_files_days
    if await build(services.database, context.tenant, snapshot_id, context.renew, days):
        log.info("report built", snapshot_id=str(snapshot_id))
    async with services.database.unit_of_work(context.tenant) as work:
        await context.renew(work)
        await tell_of_report(work, snapshot_id, await readers_of(work, snapshot_id))


async def _request_due(_: WorkerContext, work: UnitOfWork) -> None:
    await request_due(work)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.REPORT_BUILD, ManyTransactions(_build))
    register(Topic.REPORTS_DUE, OneTransaction(_request_due))
