"""Jobs of messages: sending what is due, planning reminders and asking for theirs, queueing campaigns."""

from datetime import timedelta

import structlog

from app.messaging import nudges, queueing, receipts, reminders
from app.messaging.models import MessageSettings
from app.messaging.notify import Notify
from app.messaging.notifying import notify_of
from app.messaging.sending import Office, Way, send_due
from app.messaging.settings import message_settings
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import LONG_SECONDS, ManyTransactions, OneTransaction, TryLater, WorkerContext, register

log = structlog.get_logger()


async def _send(context: WorkerContext) -> None:
    """One turn of the tenant's due messages; the message comes back while some are left."""
    services = context.services

    def way_for(settings: MessageSettings) -> Way:
        return _notify_of(context, settings) or services.mail

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


def _notify_of(context: WorkerContext, settings: MessageSettings) -> Notify | None:
    services = context.services
    return notify_of(settings, services.vault, services.settings.notify_url, services.clock)


async def _ask_receipts(context: WorkerContext) -> None:
    """Ask Notify for what it has not told."""
    services = context.services
    async with services.database.unit_of_work(context.tenant) as work:
        await context.renew(work)
        settings = await message_settings(work)
        way = None if settings is None else _notify_of(context, settings)
        asked = {} if way is None else await receipts.unanswered(work)
    if way is None or not asked:
        return
    found = await receipts.ask_again(way, asked)
    async with services.database.unit_of_work(context.tenant) as work:
        await context.renew(work)
        addresses = await receipts.addresses_of(work, [one.message_id for one in found])
        for outcome in found:
            await receipts.note(work, outcome, addresses.get(outcome.message_id))
    log.info("receipts asked for", asked=len(asked), known=len(found))


async def _plan(context: WorkerContext, work: UnitOfWork) -> None:
    await reminders.plan(work, context.refs.get("session_id"))


async def _remind(context: WorkerContext, work: UnitOfWork) -> None:
    count = await reminders.run(work, context.refs["reminder_id"])
    log.info("reminder run", reminder_id=str(context.refs["reminder_id"]), messages=count)


async def _nudge(_: WorkerContext, work: UnitOfWork) -> None:
    log.info("nudges asked for", messages=await nudges.run(work))


async def _campaign(context: WorkerContext) -> None:
    """Queue a campaign chunk by chunk, then look from time to time whether all its copies have come to an end."""
    services, campaign_id = context.services, context.refs["campaign_id"]
    came_to = queueing.Step.MORE
    while came_to is queueing.Step.MORE:
        async with services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            came_to = await queueing.step(work, campaign_id, services.vault)
    if came_to is queueing.Step.UNDER_WAY:
        raise TryLater(queueing.LOOK_AGAIN_SECONDS)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.MESSAGES_SEND, ManyTransactions(_send))
    register(Topic.RECEIPTS_ASK, ManyTransactions(_ask_receipts))
    register(Topic.REMINDERS_PLAN, OneTransaction(_plan, LONG_SECONDS))
    register(Topic.NUDGES_RUN, OneTransaction(_nudge, LONG_SECONDS))
    register(Topic.CAMPAIGN_QUEUE, ManyTransactions(_campaign))
    register(Topic.REMINDER_RUN, OneTransaction(_remind, LONG_SECONDS))
