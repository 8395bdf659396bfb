"""The rows that a figure counts, newest first, a page at a time; names only where they are asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, cast, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import CqcLocation, Learner, TenantLocation
from app.evidence import definitions
from app.evidence.figures import (
    SCALES,
    Period,
    Window,
    attendances_in,
    champions_active_in,
    champions_trained_in,
    completions_in,
    responses_in,
    window,
)
from app.training.models import (
    Attendance,
    Completion,
    Course,
    FeedbackAnswer,
    FeedbackForm,
    FeedbackQuestion,
    FeedbackResponse,
    MedicationChampion,
    TrainingSession,
)

PAGE = 50


@dataclass(frozen=True, slots=True)
class Counted:
    """A counted row: its id, the learner it is about with the name if that was asked for, and its cells."""

    id: UUID
    learner_id: UUID | None
    name: str | None
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rows of a figure are: a word for them, headings of the cells, and how to read these."""

    noun: str
    headings: Sequence[str]
    table: Any
    when: Any
    """The first cell; it orders the rows, with the id."""
    columns: Sequence[Any]
    joins: Sequence[tuple[Any, ColumnElement[bool]]]
    about_people: bool = True


def _same(owner: Any, column: Any, target: Any) -> ColumnElement[bool]:
    return and_(target.tenant_id == owner.tenant_id, target.id == column)


_COMPLETIONS = Kind(
    "completions",
    ("Completed", "Course", "Minutes", "Source"),
    Completion,
    Completion.completed_at,
    (Course.title, Completion.minutes, Completion.source),
    ((Course, _same(Completion, Completion.course_id, Course)),),
)
_ATTENDANCES = Kind(
    "attendances",
    ("Began", "Session", "Minutes attended"),
    Attendance,
    TrainingSession.starts_at,
    (TrainingSession.title, cast(func.round(Attendance.seconds / 60.0), Integer)),
    ((TrainingSession, _same(Attendance, Attendance.session_id, TrainingSession)),),
)
_CHAMPIONS = Kind(
    "champion roles",
    ("Trained", "Began", "Ended", "Location"),
    MedicationChampion,
    MedicationChampion.trained_on,
    (MedicationChampion.started_on, MedicationChampion.ended_on, CqcLocation.name),
    (
        (TenantLocation, _same(MedicationChampion, MedicationChampion.tenant_location_id, TenantLocation)),
        (CqcLocation, CqcLocation.id == TenantLocation.location_id),
    ),
)
_RESPONSES = Kind(
    "responses",
    ("Given", "Form", "Answer"),
    FeedbackResponse,
    FeedbackResponse.submitted_at,
    (FeedbackForm.title,),
    ((FeedbackForm, _same(FeedbackResponse, FeedbackResponse.form_id, FeedbackForm)),),
    about_people=False,
)

KINDS: Mapping[str, Kind] = {
    definitions.TIER_1_COMPLETIONS: _COMPLETIONS,
    definitions.TIER_1_LEARNERS: _COMPLETIONS,
    definitions.WEBINAR_ATTENDANCES: _ATTENDANCES,
    definitions.WEBINAR_PEOPLE: _ATTENDANCES,
    definitions.CHAMPIONS_TRAINED: _CHAMPIONS,
    definitions.CHAMPIONS_ACTIVE: _CHAMPIONS,
    definitions.CHAMPIONS_PER_100_LOCATIONS: _CHAMPIONS,
    definitions.USEFULNESS: _RESPONSES,
    definitions.PRACTICE: _RESPONSES,
}
"""What each figure counts. A figure of people counts the people of these rows, each once."""


def _condition(code: str, at: Window) -> ColumnElement[bool]:
    if code in SCALES:
        return responses_in(at, *SCALES[code])
    if code == definitions.CHAMPIONS_TRAINED:
        return champions_trained_in(at)
    by_kind = {"completions": completions_in, "attendances": attendances_in, "champion roles": champions_active_in}
    return by_kind[KINDS[code].noun](at)


async def counted_rows(
    session: AsyncSession,
    tenant_id: UUID,
    code: str,
    period: Period,
    *,
    names: bool,
    after: UUID | None = None,
    size: int = PAGE,
) -> list[Counted]:
    """Up to `size` rows behind the row `after`. An `after` that the figure does not count gives the first page."""
    kind = KINDS[code]
    statement = _statement(code, kind, names=names).where(_condition(code, window(tenant_id, period)))
    if after is not None:
        last = (await session.execute(statement.where(kind.table.id == after))).first()
        if last is not None:
            statement = statement.where(tuple_(kind.when, kind.table.id) < tuple_(literal(last[3]), literal(after)))
    rows = await session.execute(statement.order_by(kind.when.desc(), kind.table.id.desc()).limit(size))
    return [Counted(row[0], row[1], row[2], row[3:]) for row in rows]


def _statement(code: str, kind: Kind, *, names: bool) -> Select[Any]:
    """Id, learner, name, then the cells, of which the first is `kind.when`."""
    table = kind.table
    learner = table.learner_id if kind.about_people else literal(None)
    named = kind.about_people and names
    answers = [_answers(SCALES[code][0])] if code in SCALES else []
    statement = select(
        table.id, learner, Learner.display_name if named else literal(None), kind.when, *kind.columns, *answers
    ).select_from(table)
    for joined, condition in kind.joins:
        statement = statement.outerjoin(joined, condition)
    return statement.outerjoin(Learner, _same(table, table.learner_id, Learner)) if named else statement


def _answers(scale: str) -> ColumnElement[Any]:
    """What a response says on the scale, in the words of the form."""
    label = FeedbackQuestion.options[FeedbackAnswer.option_number - 1].as_string()
    said: ColumnElement[Any] = (
        select(func.string_agg(label, "; "))
        .select_from(FeedbackAnswer)
        .join(FeedbackQuestion, _same(FeedbackAnswer, FeedbackAnswer.question_id, FeedbackQuestion))
        .where(
            FeedbackAnswer.tenant_id == FeedbackResponse.tenant_id,
            FeedbackAnswer.response_id == FeedbackResponse.id,
            FeedbackQuestion.scale == scale,
        )
        .correlate(FeedbackResponse)
        .scalar_subquery()
    )
    return said
