"""Completions as sources tell them. The same completion from the same source is one, however often it is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.training.models import Completion
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewCompletion:
    """A completion with the row of the file that it comes from, if it comes from one."""

    learner_id: UUID
    course_id: UUID
    completed_at: datetime
    source: str
    minutes: int | None
    score: Decimal | None
    certificate_number: str | None
    short_duration: bool
    import_id: UUID | None
    import_row_number: int | None


def is_short(minutes: int | None, minimum: int | None) -> bool:
    """Whether the recorded time is below the tier's minimum: accepted, and flagged for a person."""
    return minutes is not None and minimum is not None and minutes < minimum


async def record_completions(work: UnitOfWork, completions: Sequence[NewCompletion]) -> int:
    """Store those that are new; how many were."""
    return sum(stored is not None for stored in await record_each(work, completions))


async def record_each(work: UnitOfWork, completions: Sequence[NewCompletion]) -> list[UUID | None]:
    """Store those that are new; the id of each, None for one that was there."""
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
    stored = set(
        await work.session.scalars(select(Completion.id).where(among(Completion.id, [row for row, _ in made])))
    )
    return [identifier if identifier in stored else None for identifier, _ in made]


async def take_back(work: UnitOfWork, completion: Completion, reason: str, told: dict[str, Any]) -> None:
    """Delete a completion that rests on nothing any more; the trail keeps what it was and why it went."""
    before = {
        "learner": str(completion.learner_id),
        "course": str(completion.course_id),
        "completed_at": completion.completed_at.isoformat(),
        "source": completion.source,
    }
    await work.session.delete(completion)
    await work.session.flush()
    after = {"reason": reason} | told
    work.record(Action.COMPLETION_TAKEN_BACK, "completion", completion.id, before=before, after=after)
