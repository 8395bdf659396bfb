"""Jobs of outside systems: looking into them, acting on their notices, reading attendance reports."""

from app.outside import linking
from app.outside.connections import Office
from app.outside.eventbrite import notices
from app.outside.looking import look
from app.outside.settling import settle
from app.outside.teams.attendance import read_reports
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import ManyTransactions, OneTransaction, TryLater, WorkerContext, register


def office_of(context: WorkerContext) -> Office:
    """What a job needs to talk to outside systems."""
    services = context.services
    return Office(
        lambda: services.database.unit_of_work(context.tenant),
        context.renew,
        services.outside,
        services.settings,
        services.vault,
    )


async def _look_all(context: WorkerContext, work: UnitOfWork) -> None:
    await linking.ask_all(work, Topic.OUTSIDE_LOOK, str(context.outbox_id))
    await notices.tidy(work)


async def _attendance_all(context: WorkerContext, work: UnitOfWork) -> None:
    await linking.ask_all(work, Topic.OUTSIDE_ATTENDANCE, str(context.outbox_id))


async def _look(context: WorkerContext) -> None:
    _later(await look(office_of(context), context.refs["connection_id"]))
    if "attendance_of" in context.refs:
        async with context.services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            key, connection_id = f"after:{context.outbox_id}", context.refs["attendance_of"]
            work.emit(Topic.OUTSIDE_ATTENDANCE, key, connection_id=connection_id)


async def _attendance(context: WorkerContext) -> None:
    _later(await read_reports(office_of(context), context.refs["connection_id"]))


async def _notice(context: WorkerContext) -> None:
    _later(await notices.act(office_of(context), context.refs["notice_id"]))


async def _settle(context: WorkerContext) -> None:
    await settle(office_of(context), context.refs["registration_id"])


def _later(seconds: float | None) -> None:
    if seconds is not None:
        raise TryLater(seconds)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.OUTSIDE_LOOK_ALL, OneTransaction(_look_all))
    register(Topic.OUTSIDE_ATTENDANCE_ALL, OneTransaction(_attendance_all))
    register(Topic.OUTSIDE_LOOK, ManyTransactions(_look))
    register(Topic.OUTSIDE_ATTENDANCE, ManyTransactions(_attendance))
    register(Topic.OUTSIDE_NOTICE, ManyTransactions(_notice))
    register(Topic.OUTSIDE_SETTLE, ManyTransactions(_settle))
