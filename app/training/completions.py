"""Completions as sources tell them. The same completion from the same source is one, however often it is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from app.training.models import Completion
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewCompletion:
    """A completion with the row of the file that it comes from."""

    learner_id: UUID
    course_id: UUID
    completed_at: datetime
    source: str
    minutes: int | None
    score: Decimal | None
    certificate_number: str | None
    short_duration: bool
    import_id: UUID
    import_row_number: int


def is_short(minutes: int | None, minimum: int | None) -> bool:
    """Whether the recorded time is below the tier's minimum: accepted, and flagged for a person."""
    return minutes is not None and minimum is not None and minutes < minimum


async def record_completions(work: UnitOfWork, completions: Sequence[NewCompletion]) -> int:
    """Store those that are new; how many were."""
    made = [(new_id(), item) for item in completions]
    await work.insert_rows(
        Completion,
        (
            "id", "learner_id", "course_id", "completed_at", "source", "minutes", "score", "certificate_number",
            "short_duration", "import_id", "import_row_number", "created_at",
        ),
        (
            (
                identifier, item.learner_id, item.course_id, item.completed_at, item.source, item.minutes, item.score,
                item.certificate_number, item.short_duration, item.import_id, item.import_row_number, work.now,
            )
            for identifier, item in made
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    stored = select(func.count()).select_from(Completion).where(among(Completion.id, [row for row, _ in made]))
    return (await work.session.execute(stored)).scalar_one()
