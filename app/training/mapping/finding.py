"""Rows of the mapping by id, and the refusals when they are not there or have been changed meanwhile."""

from typing import Any, TypeVar
from uuid import UUID

from app.training.errors import TrainingRefusal
from app.training.mapping.models import MappingExercise
from tenants.base import Base
from tenants.session import UnitOfWork

Row = TypeVar("Row", bound=Base)


def words(text: str | None, field: str, what: str, longest: int = 300) -> str:
    """The text without doubled spaces. Raises `TEXT_MISSING` or `TEXT_TOO_LONG`."""
    plain = " ".join((text or "").split())
    if not plain:
        raise TrainingRefusal("TEXT_MISSING", f"Enter {what}.", field)
    if len(plain) > longest:
        raise TrainingRefusal("TEXT_TOO_LONG", f"Shorten {what} to {longest} characters.", field)
    return plain


def optional_words(text: str | None, field: str, what: str, longest: int = 2000) -> str | None:
    """As `words`, or None where nothing was given."""
    return words(text, field, what, longest) if text and text.strip() else None


def one_of(value: str | None, allowed: tuple[str, ...], field: str) -> str | None:
    """One of the stable words, or None. Raises `UNKNOWN_CHOICE`."""
    if value in (None, ""):
        return None
    if value not in allowed:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(allowed)}.", field)
    return value


async def found(
    work: UnitOfWork, model: type[Row], row_id: UUID, what: str, field: str = "id", *, lock: bool = False
) -> Row:
    """A row of the tenant. Raises `NO_SUCH_…` after the words in `what`."""
    row = await work.session.get(model, (work.tenant_id, row_id), with_for_update=lock, populate_existing=lock)
    if row is None:
        code = f"NO_SUCH_{what.upper().replace(' ', '_')}"
        raise TrainingRefusal(code, f"There is no such {what}. Choose one from the list.", field)
    return row


def same_version(present: int, given: int, what: str) -> None:
    """Raises `CHANGED_MEANWHILE` if the row is another than the one that was read."""
    if present != given:
        message = f"Somebody changed the {what} meanwhile. Read it again, then send your change once more."
        raise TrainingRefusal("CHANGED_MEANWHILE", message, "version")


async def draft(work: UnitOfWork, exercise_id: UUID) -> MappingExercise:
    """An exercise that may be changed, locked for this transaction. Raises `NO_SUCH_MAPPING_EXERCISE` or `LOCKED`."""
    exercise = await found(work, MappingExercise, exercise_id, "mapping exercise", lock=True)
    if exercise.status != "draft":
        raise TrainingRefusal("LOCKED", "This exercise is locked for ever. Start its next version to change something.")
    return exercise


def told(row: Any, *columns: str) -> dict[str, Any]:
    """Columns of a row, JSON-ready, for the trail."""
    return {
        name: value if isinstance(value, str | int | bool | list | None) else str(value)
        for name in columns
        for value in [getattr(row, name)]
    }
