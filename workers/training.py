"""Jobs of training: where learners stand by the requirements."""

from app.training.requirements.standing import compute
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from workers.handlers import LONG_SECONDS, OneTransaction, WorkerContext, register


async def _compute_standing(context: WorkerContext, work: UnitOfWork) -> None:
    """Of the learner that the message names, else of the whole tenant."""
    learner_id = context.refs.get("learner_id")
    await compute(work, None if learner_id is None else [learner_id])


def register_handlers() -> None:
    """Register the handlers of this family."""
    register(Topic.STANDING_COMPUTE, OneTransaction(_compute_standing, LONG_SECONDS))
