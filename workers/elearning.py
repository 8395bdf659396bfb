"""Jobs of e-learning: taking in what statements mean, and finding what can be claimed for."""

from app.training.elearning.accounts import look_again
from app.training.elearning.deriving import Busy, derive_some
from app.training.refunds.operations import find_claims
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import ManyTransactions, OneTransaction, TryLater, WorkerContext, register

AGAIN_SECONDS = 1.0


async def _derive(context: WorkerContext) -> None:
    """Some statements at a time, until none is open. With `again`, those who wait are looked for once more first."""
    database = context.services.database
    if "again" in context.refs:
        async with database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            await look_again(work)
    open_still = True
    try:
        while open_still:
            async with database.unit_of_work(context.tenant) as work:
                await context.renew(work)
                open_still = await derive_some(work) > 0
    except Busy as busy:
        raise TryLater(AGAIN_SECONDS) from busy


async def _find_claims(_: WorkerContext, work: UnitOfWork) -> None:
    await find_claims(work)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.STATEMENTS_DERIVE, ManyTransactions(_derive))
    register(Topic.LDSS_CLAIMS, OneTransaction(_find_claims))
