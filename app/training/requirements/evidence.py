"""What meets a tier, as SQL: completions of its courses and qualifying attendances at its sessions."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements.models import ShortCourseOverride
from app.training.requirements.rules import ONLINE_MODES, PRESENT_MODES
from tenants.base import table_of
from tenants.clock import LONDON

Clause = ColumnElement[Any]


def london_day(moment: Clause) -> Clause:
    """The day in England on which a moment fell."""
    return cast(func.timezone(LONDON.key, moment), Date)


def until(day: Clause, months: Clause) -> Clause:
    """The last day on which what was got on `day` counts; null: for ever. As `rules.valid_until`."""
    return cast(day + func.make_interval(0, months), Date)


def no_tier_is_too_short(minutes: Clause, tier: FromClause) -> Clause:
    """Whether so many minutes are enough for the tier, as far as both are known."""
    return or_(minutes.is_(None), tier.c.minimum_minutes.is_(None), minutes >= tier.c.minimum_minutes)


def course_counts(course: FromClause, tier: FromClause, tenant: Clause) -> Clause:
    """Whether a completion of the course can meet the tier: its mode is accepted, and it is long enough or let pass."""
    override = table_of(ShortCourseOverride).alias()
    let_pass = exists().where(
        override.c.tenant_id == tenant, override.c.course_id == course.c.id, override.c.tier_id == tier.c.id
    )
    accepted = or_(tier.c.accepted_modes == _NONE_NAMED, tier.c.accepted_modes.has_key(course.c.delivery_mode))
    return and_(accepted, or_(no_tier_is_too_short(course.c.duration_minutes, tier), let_pass))


def session_counts(session: FromClause, tier: FromClause) -> Clause:
    """Whether attendance at the session can meet the tier."""
    named = case(
        (session.c.online_mode == "none", _texts(PRESENT_MODES)),
        else_=_texts(ONLINE_MODES),
    )
    minutes = cast(func.extract("epoch", session.c.ends_at - session.c.starts_at) / 60, Integer)
    accepted = or_(tier.c.accepted_modes == _NONE_NAMED, tier.c.accepted_modes.has_any(named))
    return and_(accepted, no_tier_is_too_short(minutes, tier))


_NONE_NAMED: Any = cast(literal("[]", Text), table_of(Tier).c.accepted_modes.type)


def _texts(values: tuple[str, ...]) -> Clause:
    return literal([str(value) for value in values], ARRAY(Text))


def by_completion(tenant: Clause, who: FromClause | None = None) -> Select[Any]:
    """Completions that meet the tier of their course: learner_id, tier_id, day, until, kind, id. `who` has ids."""
    completion, course, tier = (table_of(table).alias() for table in (Completion, Course, Tier))
    day = london_day(completion.c.completed_at)
    columns = (
        completion.c.learner_id,
        tier.c.id.label("tier_id"),
        day.label("day"),
        until(day, tier.c.validity_months).label("until"),
        literal("completion", Text).label("kind"),
        completion.c.id,
    )
    return _only(who, completion, select(*columns)).where(
        completion.c.tenant_id == tenant,
        course.c.tenant_id == tenant,
        course.c.id == completion.c.course_id,
        tier.c.tenant_id == tenant,
        tier.c.id == course.c.tier_id,
        course_counts(course, tier, tenant),
    )


def by_attendance(tenant: Clause, who: FromClause | None = None) -> Select[Any]:
    """Attendances that meet the tier of their session, as `by_completion`."""
    attendance, session, tier = (table_of(table).alias() for table in (Attendance, TrainingSession, Tier))
    day = london_day(session.c.ends_at)
    columns = (
        attendance.c.learner_id,
        tier.c.id.label("tier_id"),
        day.label("day"),
        until(day, tier.c.validity_months).label("until"),
        literal("attendance", Text).label("kind"),
        attendance.c.id,
    )
    return _only(who, attendance, select(*columns)).where(
        attendance.c.tenant_id == tenant,
        attendance.c.qualifies,
        session.c.tenant_id == tenant,
        session.c.id == attendance.c.session_id,
        tier.c.tenant_id == tenant,
        tier.c.id == session.c.tier_id,
        session_counts(session, tier),
    )


def _only(who: FromClause | None, record: FromClause, statement: Select[Any]) -> Select[Any]:
    return statement if who is None else statement.where(record.c.learner_id.in_(select(who.c.id)))
