"""Jobs of messages: sending what is due, planning reminders and asking for theirs, nudges."""

from datetime import timedelta

import structlog

from app.messaging import reminders
from app.messaging.models import MessageSettings
from app.messaging.sending import Office, Way, send_due
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import LONG_SECONDS, ManyTransactions, OneTransaction, TryLater, WorkerContext, register

log = structlog.get_logger()


async def _send(context: WorkerContext) -> None:
    """One turn of the tenant's due messages; the message comes back while some are left."""
    services = context.services

    def way_for(_: MessageSettings) -> Way:
        return services.mail

    office = Office(
        lambda: services.database.unit_of_work(context.tenant),
        context.renew,
        way_for,
        services.vault,
        services.settings.base_url,
        timedelta(seconds=services.settings.lease_seconds),
    )
    left = await send_due(office)
    if left is not None:
        raise TryLater(left)


async def _plan(context: WorkerContext, work: UnitOfWork) -> None:
    await reminders.plan(work, context.refs.get("session_id"))


async def _remind(context: WorkerContext, work: UnitOfWork) -> None:
    count = await reminders.run(work, context.refs["reminder_id"])
    log.info("reminder run", reminder_id=str(context.refs["reminder_id"]), messages=count)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.MESSAGES_SEND, ManyTransactions(_send))
    register(Topic.REMINDERS_PLAN, OneTransaction(_plan, LONG_SECONDS))
    register(Topic.REMINDER_RUN, OneTransaction(_remind, LONG_SECONDS))
