"""What governance is asked: what is late, who changed what, what an objective moves, how content is received."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Numeric,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.governance.models import (
    ITEM_KINDS,
    ActionPlan,
    FeedbackSubject,
    GovernanceItem,
    ObjectiveTag,
    PartnerOrganisation,
    PlanAction,
)
from app.governance.rules import CLOSED
from app.training.booking.models import Booking
from app.training.models import (
    Attendance,
    Completion,
    Course,
    FeedbackAnswer,
    FeedbackForm,
    FeedbackQuestion,
    FeedbackResponse,
    Programme,
)
from app.training.requirements.models import CourseProgress, LearnerStanding, Requirement
from tenants.audit import AuditEvent
from tenants.base import table_of

Clause = ColumnElement[Any]


def history(tenant: Clause, subject_type: str, subject_id: Clause) -> Select[Any]:
    """The audit trail of one row, latest first: at, action, by (kind of actor), before, after."""
    event = table_of(AuditEvent).alias()
    return (
        select(event.c.at, event.c.action, event.c.actor_kind.label("by"), event.c.before, event.c.after)
        .where(
            event.c.tenant_id == tenant,
            event.c.subject_type == subject_type,
            event.c.subject_id == subject_id,
        )
        .order_by(event.c.sequence.desc())
        .limit(200)
    )


@dataclass(frozen=True, slots=True)
class Late:
    """Something that should have been done: an item (with its kind) or an action of a plan (`plan_action`)."""

    id: UUID
    kind: str
    title: str
    organisation: str
    owner: str
    due_on: date
    status: str
    belongs_to: UUID | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """Items of a kind that are not closed; how many of them are overdue, how many are past their review date."""

    kind: str
    open: int
    overdue: int
    review_due: int


async def late(session: AsyncSession, today: date) -> list[Late]:
    """All that is overdue on a day, the latest first; `belongs_to`: the forum's session or the plan."""
    items = (
        select(
            GovernanceItem.id,
            GovernanceItem.kind,
            GovernanceItem.title,
            PartnerOrganisation.name,
            GovernanceItem.owner,
            GovernanceItem.due_on,
            GovernanceItem.status,
            GovernanceItem.session_id,
        )
        .join(
            PartnerOrganisation,
            and_(
                PartnerOrganisation.tenant_id == GovernanceItem.tenant_id,
                PartnerOrganisation.id == GovernanceItem.owner_organisation_id,
            ),
        )
        .where(GovernanceItem.due_on < today, GovernanceItem.status.not_in(CLOSED))
    )
    actions = (
        select(
            PlanAction.id,
            literal("plan_action"),
            PlanAction.title,
            PartnerOrganisation.name,
            PlanAction.owner,
            PlanAction.due_on,
            PlanAction.status,
            PlanAction.plan_id,
        )
        .join(ActionPlan, and_(ActionPlan.tenant_id == PlanAction.tenant_id, ActionPlan.id == PlanAction.plan_id))
        .join(
            PartnerOrganisation,
            and_(
                PartnerOrganisation.tenant_id == ActionPlan.tenant_id,
                PartnerOrganisation.id == ActionPlan.owner_organisation_id,
            ),
        )
        .where(PlanAction.due_on < today, PlanAction.status.not_in(CLOSED), ActionPlan.status == "open")
    )
    found: list[Any] = [row for statement in (items, actions) for row in await session.execute(statement)]
    rows = [Late(*row) for row in found]
    return sorted(rows, key=lambda row: (row.due_on, row.id))


async def counts_by_kind(session: AsyncSession, today: date) -> list[KindCount]:
    """Items by kind, in the order of the kinds."""
    opened = GovernanceItem.status.not_in(CLOSED)
    rows = await session.execute(
        select(
            GovernanceItem.kind,
            func.count().filter(opened),
            func.count().filter(opened, GovernanceItem.due_on < today),
            func.count().filter(opened, GovernanceItem.review_on < today),
        ).group_by(GovernanceItem.kind)
    )
    told = {row[0]: KindCount(*row) for row in rows}
    return [told.get(kind, KindCount(kind, 0, 0, 0)) for kind in ITEM_KINDS]


def _one(statement: Select[Any], row: FromClause) -> Clause:
    """The one value of a statement about a row of an outer one."""
    return statement.correlate(row).scalar_subquery()


def _count(condition: Clause, distinct: Clause | None = None) -> Select[Any]:
    counted = func.count() if distinct is None else func.count(func.distinct(distinct))
    return select(cast(counted, Integer)).where(condition)


def citing_plans(tenant: Clause, course: FromClause) -> Clause:
    """How many action plans cite a course: the metric of A53."""
    action = table_of(PlanAction).alias()
    cites = and_(action.c.tenant_id == tenant, action.c.course_id == course.c.id)
    return _one(_count(cites, action.c.plan_id), course)


def objective_activity(tenant: Clause, objective: FromClause) -> Select[Any]:
    """What serves an objective: tag_id, kind, title, subject, total, done.

    A programme tells tiers needed by people in post and tiers met; a course learners who began it and who completed
    it; a plan its actions and those done.
    """
    return activity_of(tenant, objective.c.id, objective)


def activity_of(tenant: Clause, objective_id: Clause, *outer: FromClause) -> Select[Any]:
    """As `objective_activity`, for an objective's id; `outer`: the table of the statement around it that has the id."""
    tag = table_of(ObjectiveTag).alias()
    of_objective = and_(tag.c.tenant_id == tenant, tag.c.objective_id == objective_id)
    parts = [_programmes(tenant, tag), _courses(tenant, tag), _plans(tenant, tag)]
    every = union_all(*(part.where(of_objective).correlate(*outer) for part in parts)).subquery()
    return select(every).order_by(every.c.kind, every.c.title, every.c.tag_id)


def _tagged(tenant: Clause, tag: FromClause, kind: str, thing: FromClause, node: str, title: str) -> Select[Any]:
    columns: tuple[Clause, ...] = (
        (literal("ObjectiveTag:", Text) + cast(tag.c.id, Text)).label("tag_id"),
        literal(kind, Text).label("kind"),
        thing.c[title].label("title"),
        (literal(f"{node}:", Text) + cast(thing.c.id, Text)).label("subject"),
    )
    same = and_(thing.c.tenant_id == tenant, thing.c.id == tag.c[f"{kind}_id"])
    return select(*columns).select_from(tag.join(thing, same))


def _programmes(tenant: Clause, tag: FromClause) -> Select[Any]:
    programme, requirement, standing = (table_of(x).alias() for x in (Programme, Requirement, LearnerStanding))
    held = and_(
        requirement.c.tenant_id == tenant,
        requirement.c.programme_id == programme.c.id,
        requirement.c.tier_id.is_not(None),
        standing.c.tenant_id == tenant,
        standing.c.requirement_id == requirement.c.id,
    )
    met = or_(standing.c.state == "met", standing.c.state == "expiring")
    return _tagged(tenant, tag, "programme", programme, "Programme", "name").add_columns(
        _one(_count(held), programme).label("total"), _one(_count(and_(held, met)), programme).label("done")
    )


def _courses(tenant: Clause, tag: FromClause) -> Select[Any]:
    course = table_of(Course).alias()
    return _tagged(tenant, tag, "course", course, "Course", "title").add_columns(
        begun(tenant, course).label("total"), completed(tenant, course).label("done")
    )


def _plans(tenant: Clause, tag: FromClause) -> Select[Any]:
    plan, action = table_of(ActionPlan).alias(), table_of(PlanAction).alias()
    of_plan = and_(action.c.tenant_id == tenant, action.c.plan_id == plan.c.id)
    return _tagged(tenant, tag, "plan", plan, "ActionPlan", "title").add_columns(
        _one(_count(of_plan), plan).label("total"),
        _one(_count(and_(of_plan, action.c.status == "done")), plan).label("done"),
    )


def completed(tenant: Clause, course: FromClause) -> Clause:
    """Learners who completed a course."""
    completion = table_of(Completion).alias()
    done = and_(completion.c.tenant_id == tenant, completion.c.course_id == course.c.id)
    return _one(_count(done, completion.c.learner_id), course)


def begun(tenant: Clause, course: FromClause) -> Clause:
    """Learners who completed a course or are told to have begun it."""
    completion, progress = table_of(Completion).alias(), table_of(CourseProgress).alias()
    also = exists().where(
        completion.c.tenant_id == tenant,
        completion.c.course_id == progress.c.course_id,
        completion.c.learner_id == progress.c.learner_id,
    )
    only_begun = and_(
        progress.c.tenant_id == tenant,
        progress.c.course_id == course.c.id,
        progress.c.state != "not_started",
        ~also.correlate(progress),
    )
    return cast(completed(tenant, course) + _one(_count(only_begun, progress.c.learner_id), course), Integer)


def _percent(part: Clause, whole: Clause) -> Clause:
    return cast(func.round(cast(part, Numeric) * 100 / func.nullif(whole, 0), 1), Float)


def _feedback(tenant: Clause, subject: FromClause, link: str) -> list[Clause]:
    """Answers on scales to forms about a course or session (`link` is its column): the share of the topmost answer."""
    told, form, response, answer, question = (
        table_of(x).alias() for x in (FeedbackSubject, FeedbackForm, FeedbackResponse, FeedbackAnswer, FeedbackQuestion)
    )
    about = and_(told.c.tenant_id == tenant, told.c[link] == subject.c.id)
    given = and_(about, response.c.tenant_id == tenant, response.c.form_id == told.c.form_id)
    rated = and_(
        given,
        answer.c.tenant_id == tenant,
        answer.c.response_id == response.c.id,
        answer.c.option_number.is_not(None),
        question.c.tenant_id == tenant,
        question.c.id == answer.c.question_id,
        question.c.scale.is_not(None),
    )
    topmost = answer.c.option_number == func.jsonb_array_length(question.c.options)
    answers, top = _one(_count(rated), subject), _one(_count(and_(rated, topmost)), subject)
    asked = select(cast(func.sum(form.c.invited), Integer)).where(
        about, form.c.tenant_id == tenant, form.c.id == told.c.form_id
    )
    return [
        _one(_count(given), subject).label("responses"),
        _one(asked, subject).label("invited"),
        answers.label("answers"),
        top.label("top_box"),
        _percent(top, answers).label("top_box_percent"),
    ]


def course_kpis(tenant: Clause, course: FromClause) -> Select[Any]:
    """KPIs of a course: begun, completed (learners), completions, percent completed, and its feedback."""
    completion = table_of(Completion).alias()
    every = and_(completion.c.tenant_id == tenant, completion.c.course_id == course.c.id)
    have, did = begun(tenant, course), completed(tenant, course)
    return select(
        have.label("begun"),
        did.label("completed"),
        _one(_count(every), course).label("completions"),
        _percent(did, have).label("completed_percent"),
        *_feedback(tenant, course, "course_id"),
    )


def session_kpis(tenant: Clause, session: FromClause) -> Select[Any]:
    """KPIs of a session: booked (places held), attended, percent of those booked who came, and its feedback."""
    booking, attendance = table_of(Booking).alias(), table_of(Attendance).alias()
    held = and_(booking.c.tenant_id == tenant, booking.c.session_id == session.c.id, booking.c.state == "confirmed")
    came = and_(
        attendance.c.tenant_id == tenant, attendance.c.session_id == session.c.id, attendance.c.qualifies.is_(True)
    )
    booked, present = _one(_count(held), session), _one(_count(came), session)
    both = _one(_count(and_(held, came, attendance.c.learner_id == booking.c.learner_id)), session)
    return select(
        booked.label("booked"),
        present.label("attended"),
        _percent(both, booked).label("attended_percent"),
        *_feedback(tenant, session, "session_id"),
    )
