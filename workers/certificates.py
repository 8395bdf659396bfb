"""Jobs of certificates and champions: issuing for a run, ending roles whose employment has ended."""

import structlog

from app.training.certificates.issuing import issue_chunk
from app.training.champion_register.operations import end_with_employment
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import ManyTransactions, OneTransaction, WorkerContext, register

log = structlog.get_logger()


async def _issue(context: WorkerContext) -> None:
    """Chunk by chunk, each committed; a worker that takes over goes on where the last commit was."""
    run_id, more = context.refs["run_id"], True
    while more:
        async with context.services.database.unit_of_work(context.tenant) as work:
            await context.renew(work)
            more = await issue_chunk(work, run_id, context.services.vault)
    log.info("certificates issued", run_id=str(run_id))


async def _end_champions(_: WorkerContext, work: UnitOfWork) -> None:
    await end_with_employment(work)


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.CERTIFICATES_ISSUE, ManyTransactions(_issue))
    register(Topic.CHAMPIONS_END, OneTransaction(_end_champions))
