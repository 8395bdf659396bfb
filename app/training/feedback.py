"""Feedback: forms, their questions on named scales, and responses without the names of those who gave them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.training.courses import text_key
from app.training.models import FeedbackAnswer, FeedbackForm, FeedbackQuestion, FeedbackResponse
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class FormInFile:
    """A form as an import names it. `invited`: how many people were asked, where it is known."""

    key: str
    title: str
    tier_id: UUID | None
    invited: int | None


@dataclass(frozen=True, slots=True)
class QuestionInFile:
    """A question; `scale` and `options` from the least to the most, or None and empty for free text."""

    text: str
    position: int
    scale: str | None
    options: Sequence[str]


@dataclass(frozen=True, slots=True)
class PlacedQuestion:
    """A question's row."""

    id: UUID
    scale: str | None


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer: the option's number from 1 (the least), or words, or neither where the question was left open."""

    question_id: UUID
    option_number: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class NewResponse:
    """One response to a form."""

    respondent_key: str
    submitted_at: datetime
    answers: Sequence[NewAnswer]


async def place_form(work: UnitOfWork, wanted: FormInFile) -> UUID:
    """Find the form by its key or make it; a later file may tell how many were invited."""
    statement = insert(FeedbackForm).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        title=wanted.title,
        source_key=wanted.key,
        tier_id=wanted.tier_id,
        invited=wanted.invited,
        created_at=work.now,
    )
    await work.session.execute(statement.on_conflict_do_nothing())
    form = (await work.session.execute(select(FeedbackForm).where(FeedbackForm.source_key == wanted.key))).scalar_one()
    form.invited = wanted.invited if wanted.invited is not None else form.invited
    form.tier_id = form.tier_id or wanted.tier_id
    return form.id


async def place_questions(
    work: UnitOfWork, form_id: UUID, wanted: Sequence[QuestionInFile]
) -> Mapping[str, PlacedQuestion]:
    """Question text → its row; the scale that was found first stays."""
    await work.insert_rows(
        FeedbackQuestion,
        ("id", "form_id", "position", "text", "key", "scale", "options"),
        (
            (
                new_id(), form_id, item.position, item.text, text_key(item.text), item.scale,
                orjson.dumps(list(item.options)).decode(),
            )
            for item in wanted
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    rows = await work.session.execute(
        select(FeedbackQuestion.key, FeedbackQuestion.id, FeedbackQuestion.scale).where(
            FeedbackQuestion.form_id == form_id
        )
    )
    by_key: dict[str, Any] = {key: PlacedQuestion(identifier, scale) for key, identifier, scale in rows}
    return {item.text: by_key[text_key(item.text)] for item in wanted}


async def record_responses(work: UnitOfWork, form_id: UUID, import_id: UUID, responses: Sequence[NewResponse]) -> int:
    """Store those that are new; how many were. A response told again changes nothing."""
    made = {new_id(): response for response in responses}
    await work.insert_rows(
        FeedbackResponse,
        ("id", "form_id", "respondent_key", "submitted_at", "import_id"),
        (
            (identifier, form_id, response.respondent_key, response.submitted_at, import_id)
            for identifier, response in made.items()
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    stored = (await work.session.scalars(select(FeedbackResponse.id).where(among(FeedbackResponse.id, made)))).all()
    await work.insert_rows(
        FeedbackAnswer,
        ("id", "response_id", "question_id", "option_number", "text"),
        (
            (new_id(), identifier, answer.question_id, answer.option_number, answer.text)
            for identifier in stored
            for answer in made[identifier].answers
        ),
    )
    return len(stored)
