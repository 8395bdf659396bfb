"""Applies feedback: the form, its questions, and responses without names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, sound_rows
from app.imports.formats.base import FeedbackRecord
from app.imports.formats.scales import option_number
from app.training.courses import text_key, tier_at
from app.training.feedback import (
    FormInFile,
    NewAnswer,
    NewResponse,
    PlacedQuestion,
    QuestionInFile,
    place_form,
    place_questions,
    record_responses,
)
from tenants.session import UnitOfWork


async def apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """As `Applier`."""
    outcome = Outcome()
    options = context.options
    title = options.get("form_title") or Path(context.filename).stem
    tier = await tier_at(work, options["tier"]) if "tier" in options else None
    form_id = await place_form(
        work,
        FormInFile(
            options.get("form_key") or text_key(title), title, tier.id if tier else None, options.get("invited")
        ),
    )
    questions = await place_questions(
        work,
        form_id,
        [
            QuestionInFile(item["text"], item["position"], item["scale"], item["options"])
            for item in context.reading.facts["questions"]
        ],
    )
    responses = []
    for _, record in sound_rows(rows, outcome):
        assert isinstance(record, FeedbackRecord)
        answers = [_answer(questions, question, said) for question, said in record.answers.items()]
        responses.append(
            NewResponse(record.respondent_key, record.submitted_at, [answer for answer in answers if answer])
        )
    stored = await record_responses(work, form_id, context.import_id, responses)
    outcome.counts["applied"] += stored
    outcome.counts["duplicates"] += len(responses) - stored
    return outcome


def _answer(questions: Mapping[str, PlacedQuestion], text: str, said: str | None) -> NewAnswer | None:
    question = questions.get(text)
    if question is None:
        return None
    number = option_number(question.scale, said) if question.scale and said else None
    if number is not None:
        return NewAnswer(question.id, number + 1, None)
    return NewAnswer(question.id, None, said)
