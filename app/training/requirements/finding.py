"""Finding the rows that an operation is about, or refusing with what to do."""

from typing import TypeVar
from uuid import UUID

from app.directory.models import Learner
from app.training.errors import TrainingRefusal
from tenants.base import TenantOwned
from tenants.session import UnitOfWork

Found = TypeVar("Found", bound=TenantOwned)


async def row_of(work: UnitOfWork, model: type[Found], row_id: UUID, code: str, thing: str, field: str = "") -> Found:
    """The row, locked until the work ends. Raises TrainingRefusal with `code` if there is none."""
    row = await work.session.get(model, (work.tenant_id, row_id), with_for_update=True, populate_existing=True)
    if row is None:
        raise TrainingRefusal(code, f"There is no such {thing}. Choose one from the list.", field)
    return row


async def standing_learner(work: UnitOfWork, learner_id: UUID, field: str = "learnerId") -> UUID:
    """The learner, or the record that theirs was merged into. Raises TrainingRefusal `NO_SUCH_LEARNER`."""
    following: UUID | None = learner_id
    while following is not None:
        learner = await work.session.get(Learner, (work.tenant_id, following))
        if learner is None:
            raise TrainingRefusal("NO_SUCH_LEARNER", "There is no such learner. Choose one from the list.", field)
        learner_id, following = learner.id, learner.merged_into_id
    return learner_id


def said(text: str, code: str, message: str, field: str) -> str:
    """The text without doubled spaces. Raises TrainingRefusal if nothing was said."""
    plain = " ".join(text.split())
    if not plain:
        raise TrainingRefusal(code, message, field)
    return plain


def same_version(version: int, present: int, thing: str) -> None:
    """Raises TrainingRefusal `CHANGED_MEANWHILE` unless the caller has read the present version."""
    if version != present:
        message = f"Somebody changed the {thing} meanwhile. Read it again first."
        raise TrainingRefusal("CHANGED_MEANWHILE", message, "version")
