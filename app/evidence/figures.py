"""The impact figures as SQL: each counts rows of one tenant in one period, and nothing is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
)

from app.directory.models import CqcLocation, TenantLocation
from app.evidence import definitions
from app.training.models import (
    Attendance,
    Completion,
    Course,
    FeedbackAnswer,
    FeedbackForm,
    FeedbackQuestion,
    FeedbackResponse,
    MedicationChampion,
    Tier,
    TrainingSession,
)
from tenants.clock import LONDON

Clause = ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included, as days in England."""

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError("a period ends on or after the day it starts")

    @property
    def start(self) -> datetime:
        """The first moment of the period."""
        return datetime.combine(self.first_day, time(), LONDON)

    @property
    def end(self) -> datetime:
        """The first moment after the period."""
        return datetime.combine(self.last_day + timedelta(days=1), time(), LONDON)


@dataclass(frozen=True, slots=True)
class Window:
    """A tenant and a period as SQL: bound parameters or literals. `start` is included, `end` is not."""

    tenant: Clause
    first_day: Clause
    last_day: Clause
    start: Clause
    end: Clause


def window(tenant_id: Any, period: Period) -> Window:
    """A window of plain values."""
    return Window(
        literal(tenant_id, Uuid()),
        literal(period.first_day, Date()),
        literal(period.last_day, Date()),
        literal(period.start, DateTime(timezone=True)),
        literal(period.end, DateTime(timezone=True)),
    )


def completions_in(at: Window, completion: Any = Completion.__table__) -> ColumnElement[bool]:
    """Which completions figures IMP-01 and IMP-02 count."""
    tier_1 = select(Course.id).join(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
    tier_1 = tier_1.where(Course.tenant_id == at.tenant, Tier.tenant_id == at.tenant, Tier.position == 1)
    return and_(
        completion.c.tenant_id == at.tenant,
        completion.c.completed_at >= at.start,
        completion.c.completed_at < at.end,
        completion.c.course_id.in_(tier_1),
    )


def attendances_in(at: Window, attendance: Any = Attendance.__table__) -> ColumnElement[bool]:
    """Which attendances figures IMP-03 and IMP-04 count."""
    webinars = (
        select(TrainingSession.id)
        .join(Tier, and_(Tier.tenant_id == TrainingSession.tenant_id, Tier.id == TrainingSession.tier_id))
        .where(
            TrainingSession.tenant_id == at.tenant,
            Tier.tenant_id == at.tenant,
            Tier.position == 2,
            TrainingSession.starts_at >= at.start,
            TrainingSession.starts_at < at.end,
        )
    )
    return and_(attendance.c.tenant_id == at.tenant, attendance.c.qualifies, attendance.c.session_id.in_(webinars))


def champions_trained_in(at: Window, champion: Any = MedicationChampion.__table__) -> ColumnElement[bool]:
    """Which champion roles figure IMP-05 counts the people of."""
    return and_(
        champion.c.tenant_id == at.tenant, champion.c.trained_on >= at.first_day, champion.c.trained_on <= at.last_day
    )


def champions_active_in(at: Window, champion: Any = MedicationChampion.__table__) -> ColumnElement[bool]:
    """Which champion roles figures IMP-06 and IMP-07 count the people of."""
    return and_(
        champion.c.tenant_id == at.tenant,
        champion.c.trained_on <= at.last_day,
        or_(champion.c.started_on.is_(None), champion.c.started_on <= at.last_day),
        or_(champion.c.ended_on.is_(None), champion.c.ended_on > at.last_day),
    )


def responses_in(
    at: Window, scale: str, position: int, response: Any = FeedbackResponse.__table__
) -> ColumnElement[bool]:
    """Which feedback responses a top-box figure looks at: to forms of the tier that ask a question on the scale."""
    asked = (
        select(FeedbackForm.id)
        .join(Tier, and_(Tier.tenant_id == FeedbackForm.tenant_id, Tier.id == FeedbackForm.tier_id))
        .join(
            FeedbackQuestion,
            and_(FeedbackQuestion.tenant_id == FeedbackForm.tenant_id, FeedbackQuestion.form_id == FeedbackForm.id),
        )
        .where(
            FeedbackForm.tenant_id == at.tenant,
            Tier.tenant_id == at.tenant,
            FeedbackQuestion.tenant_id == at.tenant,
            Tier.position == position,
            FeedbackQuestion.scale == scale,
        )
    )
    return and_(
        response.c.tenant_id == at.tenant,
        response.c.submitted_at >= at.start,
        response.c.submitted_at < at.end,
        response.c.form_id.in_(asked),
    )


def _locations(at: Window) -> Any:
    """Live locations of the tenant; of a dual registration only the primary one counts."""
    return (
        select(func.count())
        .select_from(TenantLocation)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(
            TenantLocation.tenant_id == at.tenant,
            TenantLocation.relationship != "former",
            TenantLocation.since <= at.last_day,
            or_(TenantLocation.until.is_(None), TenantLocation.until > at.last_day),
            CqcLocation.dormant.is_not(True),
            or_(CqcLocation.deregistered_on.is_(None), CqcLocation.deregistered_on > at.last_day),
            or_(CqcLocation.primary_location_id.is_(None), CqcLocation.primary_location_id == CqcLocation.id),
        )
        .scalar_subquery()
    )


def _answers(at: Window, scale: str, position: int) -> Any:
    """Answers to the questions on `scale` in the responses of the period, one row each."""
    response, answer, question = (
        FeedbackResponse.__table__,
        FeedbackAnswer.__table__,
        FeedbackQuestion.__table__,
    )
    return (
        select(answer.c.option_number, func.jsonb_array_length(question.c.options).label("top"), question.c.options)
        .select_from(answer)
        .join(question, and_(question.c.tenant_id == answer.c.tenant_id, question.c.id == answer.c.question_id))
        .join(response, and_(response.c.tenant_id == answer.c.tenant_id, response.c.id == answer.c.response_id))
        .where(
            answer.c.tenant_id == at.tenant,
            question.c.tenant_id == at.tenant,
            question.c.scale == scale,
            responses_in(at, scale, position, response),
        )
        .subquery()
    )


def _value(code: str, parts: Mapping[str, Clause]) -> Clause:
    """The figure itself: the count, the percentage or the rate per 100; null when there is nothing to divide by."""
    if code not in {definitions.CHAMPIONS_PER_100_LOCATIONS, definitions.USEFULNESS, definitions.PRACTICE}:
        return cast(parts["numerator"], Float)
    return case((parts["denominator"] > 0, cast(parts["numerator"], Float) * 100 / parts["denominator"]), else_=null())


def _count(of: Any, what: Clause, condition: ColumnElement[bool]) -> Clause:
    counted: Clause = select(what).select_from(of).where(condition).scalar_subquery()
    return counted


def _completions(at: Window) -> tuple[Clause, Clause]:
    return _count(Completion.__table__, func.count(), completions_in(at)), _none()


def _learners(at: Window) -> tuple[Clause, Clause]:
    return _count(Completion.__table__, func.count(distinct(Completion.learner_id)), completions_in(at)), _none()


def _attendances(at: Window) -> tuple[Clause, Clause]:
    return _count(Attendance.__table__, func.count(), attendances_in(at)), _none()


def _people(at: Window) -> tuple[Clause, Clause]:
    return _count(Attendance.__table__, func.count(distinct(Attendance.learner_id)), attendances_in(at)), _none()


def _champions(condition: Callable[[Window], ColumnElement[bool]]) -> Callable[[Window], tuple[Clause, Clause]]:
    def parts(at: Window) -> tuple[Clause, Clause]:
        people = func.count(distinct(MedicationChampion.learner_id))
        return _count(MedicationChampion.__table__, people, condition(at)), _none()

    return parts


def _champion_rate(at: Window) -> tuple[Clause, Clause]:
    return _champions(champions_active_in)(at)[0], _locations(at)


def _top_box(scale: str, position: int) -> Callable[[Window], tuple[Clause, Clause]]:
    def parts(at: Window) -> tuple[Clause, Clause]:
        answers = _answers(at, scale, position)
        top = select(func.count()).select_from(answers).where(answers.c.option_number == answers.c.top)
        given = select(func.count(answers.c.option_number)).select_from(answers)
        return top.scalar_subquery(), given.scalar_subquery()

    return parts


def _none() -> Clause:
    return cast(null(), Integer)


_PARTS: dict[str, Callable[[Window], tuple[Clause, Clause]]] = {
    definitions.TIER_1_COMPLETIONS: _completions,
    definitions.TIER_1_LEARNERS: _learners,
    definitions.WEBINAR_ATTENDANCES: _attendances,
    definitions.WEBINAR_PEOPLE: _people,
    definitions.CHAMPIONS_TRAINED: _champions(champions_trained_in),
    definitions.CHAMPIONS_ACTIVE: _champions(champions_active_in),
    definitions.CHAMPIONS_PER_100_LOCATIONS: _champion_rate,
    definitions.USEFULNESS: _top_box("usefulness", 2),
    definitions.PRACTICE: _top_box("agreement", 3),
}

SCALES = {definitions.USEFULNESS: ("usefulness", 2), definitions.PRACTICE: ("agreement", 3)}
"""Which scale and tier a top-box figure looks at."""


def figure(code: str, at: Window) -> Select[Any]:
    """One figure as one row: code, numerator, denominator, value, and the window it was counted in."""
    numerator, denominator = _PARTS[code](at)
    counted = select(numerator.label("numerator"), denominator.label("denominator")).subquery()
    parts = {"numerator": counted.c.numerator, "denominator": counted.c.denominator}
    columns: list[Clause] = [
        literal(code, Text()).label("code"),
        counted.c.numerator,
        counted.c.denominator,
        _value(code, parts).label("value"),
        at.first_day.label("first_day"),
        at.last_day.label("last_day"),
        at.start.label("start"),
        at.end.label("end"),
    ]
    return select(*columns)


def distribution(code: str, at: Window) -> Select[Any]:
    """How many answers each option of a top-box figure's scale got: option_number, label, count; zeros included."""
    scale, position = SCALES[code]
    answers = _answers(at, scale, position)
    options = select(answers.c.options).limit(1).subquery()
    option = func.jsonb_array_elements_text(options.c.options).table_valued(
        "label", with_ordinality="number", joins_implicitly=True
    )
    option = option.render_derived(name="option")
    chosen = select(func.count()).select_from(answers).where(answers.c.option_number == option.c.number)
    return (
        select(
            cast(option.c.number, Integer).label("option_number"),
            option.c.label.label("label"),
            chosen.correlate(option).scalar_subquery().label("count"),
        )
        .select_from(options.join(option, literal(value=True)))
        .order_by(option.c.number)
    )


def response_counts(code: str, at: Window) -> Select[Any]:
    """Who answered a top-box figure's question: responses, not_answered, invited, response_rate in percent."""
    scale, position = SCALES[code]
    answers = _answers(at, scale, position)
    response = FeedbackResponse.__table__
    forms = select(response.c.form_id).where(responses_in(at, scale, position, response))
    invited = select(func.sum(FeedbackForm.invited)).where(
        FeedbackForm.tenant_id == at.tenant, FeedbackForm.id.in_(forms)
    )
    responses = _count(response, func.count(), responses_in(at, scale, position, response))
    asked = cast(invited.scalar_subquery(), Integer)
    return select(
        responses.label("responses"),
        _count(answers, func.count() - func.count(answers.c.option_number), literal(value=True)).label("not_answered"),
        asked.label("invited"),
        case((asked > 0, cast(responses, Float) * 100 / asked), else_=null()).label("response_rate"),
    )
