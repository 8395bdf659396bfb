"""Where learners stand: computed in one statement for one learner or a whole tenant; only what changed is written."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from app.directory.models import CqcLocation, Employer, Employment, Learner, ProviderGroupLocation, TenantLocation
from app.training.models import Completion, Course, Programme, Tier
from app.training.requirements.evidence import by_attendance, by_completion, london_day, until
from app.training.requirements.models import CourseTopic, EmploymentTask, LearnerStanding, Requirement
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import table_of
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

LEAD_DAYS = 90
"""Days before its end from which a topic is told as expiring, where its course stands in no tier."""

_TENANT = bindparam("tenant", type_=Uuid)
_TODAY = bindparam("today", type_=Date)
_LEARNERS = bindparam("learners", type_=ARRAY(Uuid))


@dataclass(slots=True)
class Changes:
    """What a computation changed: rows by their new state (`gone`: no longer required), and those newly missing."""

    states: Counter[str] = field(default_factory=Counter)
    newly_missing: list[UUID] = field(default_factory=list)


def request(work: UnitOfWork, learner_id: UUID, key: str) -> None:
    """Have a learner's standing computed soon; `key` tells one change from another."""
    work.emit(Topic.STANDING_COMPUTE, f"{learner_id}:{key}", learner_id=learner_id)


def request_all(work: UnitOfWork, key: str) -> None:
    """Have the standing of the whole tenant computed soon."""
    work.emit(Topic.STANDING_COMPUTE, key)


async def request_by_hand(work: UnitOfWork) -> None:
    """The same, because a person asked; each asking computes once."""
    work.record(Action.STANDING_REQUESTED, "learner_standing", None)
    request_all(work, f"request:{work.context.request_id}")


async def compute(work: UnitOfWork, learner_ids: Collection[UUID] | None = None) -> Changes:
    """Bring the standing of these learners (None: of all) up to date as of today in England."""
    values: dict[str, Any] = {"tenant": work.tenant_id, "today": london_date(work.now)}
    if learner_ids is not None:
        values["learners"] = list(learner_ids)
    await work.session.flush()
    if learner_ids is None:
        rows = await _all_changes(work, values)
    else:
        rows = (await work.session.execute(_changes(True), values)).all()
    changes = Changes()
    written, gone = [], []
    for row in rows:
        changes.states[row.state or "gone"] += 1
        if row.state is None:
            gone.append((row.id,))
            continue
        identifier = row.id or new_id()
        written.append(
            (
                identifier, row.learner_id, row.employer_id, row.requirement_id, row.state, work.now, row.valid_until,
                row.evidence_kind, row.evidence_id, work.now,
            )
        )  # fmt: skip
        if row.state == "missing" and row.before != "missing":
            changes.newly_missing.append(identifier)
    await _write(work, written, gone)
    if rows:
        work.record(Action.STANDING_COMPUTED, "learner_standing", None, after=dict(changes.states))
        announce(work, EventType.STANDING_CHANGED, f"Tenant:{work.tenant_id}")
    return changes


async def _all_changes(work: UnitOfWork, values: dict[str, Any]) -> Sequence[Any]:
    """For a whole tenant. How many rows of the matrix fit whom cannot be foreseen, and a loop over too few that were
    foreseen would compare everything with everything, so loops are the last resort here.
    """
    await work.session.execute(text("SET LOCAL enable_nestloop = off"))
    rows: Sequence[Any] = (await work.session.execute(_changes(False), values)).all()
    await work.session.execute(text("SET LOCAL enable_nestloop = on"))
    return rows


async def _write(work: UnitOfWork, written: Sequence[tuple[Any, ...]], gone: Sequence[tuple[Any, ...]]) -> None:
    await work.insert_rows(
        LearnerStanding,
        (
            "id", "learner_id", "employer_id", "requirement_id", "state", "since", "valid_until", "evidence_kind",
            "evidence_id", "computed_at",
        ),
        written,
        on_conflict=(
            "ON CONFLICT (tenant_id, learner_id, employer_id, requirement_id) DO UPDATE SET since = CASE WHEN "
            "learner_standing.state = excluded.state THEN learner_standing.since ELSE excluded.since END, "
            "state = excluded.state, valid_until = excluded.valid_until, evidence_kind = excluded.evidence_kind, "
            "evidence_id = excluded.evidence_id, computed_at = excluded.computed_at"
        ),
    )  # fmt: skip
    table = table_of(LearnerStanding)
    await work.run_rows(f"DELETE FROM {table.schema}.{table.name} WHERE tenant_id = $1 AND id = $2", gone)


def setting_of(employment: FromClause, cqc: FromClause) -> ColumnElement[Any]:
    """The setting of an employment: its own, else that of the employer's CQC location."""
    return func.coalesce(employment.c.setting, cqc.c.primary_setting)


def employed(employment: FromClause, today: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether an employment runs on a day."""
    return and_(employment.c.started_on <= today, or_(employment.c.ended_on.is_(None), employment.c.ended_on >= today))


def _needs(some: bool) -> Select[Any]:
    """What each learner needs at each employer: rows of the matrix that fit one of the current employments."""
    employment, employer, location, cqc, learner = (
        table_of(table).alias() for table in (Employment, Employer, TenantLocation, CqcLocation, Learner)
    )
    requirement, programme, task, member = (
        table_of(table).alias() for table in (Requirement, Programme, EmploymentTask, ProviderGroupLocation)
    )
    posts = (
        employment.join(employer, and_(employer.c.tenant_id == _TENANT, employer.c.id == employment.c.employer_id))
        .join(learner, and_(learner.c.tenant_id == _TENANT, learner.c.id == employment.c.learner_id))
        .outerjoin(location, and_(location.c.tenant_id == _TENANT, location.c.id == employer.c.tenant_location_id))
        .outerjoin(cqc, cqc.c.id == location.c.location_id)
    )
    does = exists().where(
        task.c.tenant_id == _TENANT,
        task.c.learner_id == employment.c.learner_id,
        task.c.employer_id == employment.c.employer_id,
        task.c.task == requirement.c.task,
    )
    in_group = exists().where(
        member.c.tenant_id == _TENANT,
        member.c.provider_group_id == programme.c.provider_group_id,
        member.c.tenant_location_id == location.c.id,
    )
    rows = posts.join(requirement, requirement.c.tenant_id == _TENANT).join(
        programme, and_(programme.c.tenant_id == _TENANT, programme.c.id == requirement.c.programme_id)
    )
    statement = (
        select(
            employment.c.learner_id,
            employment.c.employer_id,
            requirement.c.id.label("requirement_id"),
            func.coalesce(cast(requirement.c.tier_id, Text), requirement.c.topic_code).label("subject"),
        )
        .distinct()
        .select_from(rows)
        .where(
            employment.c.tenant_id == _TENANT,
            employed(employment, _TODAY),
            learner.c.merged_into_id.is_(None),
            programme.c.status == "published",
            or_(
                programme.c.scope == "system",
                and_(programme.c.scope == "provider_group", in_group),
                and_(programme.c.scope == "single_provider", cqc.c.provider_id == programme.c.cqc_provider_id),
            ),
            or_(requirement.c.job_role_code.is_(None), requirement.c.job_role_code == employment.c.job_role_code),
            or_(requirement.c.setting.is_(None), requirement.c.setting == setting_of(employment, cqc)),
            or_(requirement.c.task.is_(None), does),
        )
    )
    return statement.where(employment.c.learner_id == any_(_LEARNERS)) if some else statement


def _by_topic(who: FromClause | None) -> Select[Any]:
    """Completions of courses that cover a topic; they end as the course's tier does."""
    completion, course, covers, tier = (table_of(table).alias() for table in (Completion, Course, CourseTopic, Tier))
    day = london_day(completion.c.completed_at)
    rows = (
        completion.join(course, and_(course.c.tenant_id == _TENANT, course.c.id == completion.c.course_id))
        .join(covers, and_(covers.c.tenant_id == _TENANT, covers.c.course_id == course.c.id))
        .outerjoin(tier, and_(tier.c.tenant_id == _TENANT, tier.c.id == course.c.tier_id))
    )
    statement = select(
        completion.c.learner_id,
        covers.c.topic_code.label("subject"),
        day.label("day"),
        until(day, tier.c.validity_months).label("until"),
        literal("completion", Text).label("kind"),
        completion.c.id,
        func.coalesce(tier.c.renewal_lead_days, LEAD_DAYS).label("lead"),
    ).select_from(rows)
    statement = statement.where(completion.c.tenant_id == _TENANT)
    return statement if who is None else statement.where(completion.c.learner_id.in_(select(who.c.id)))


def _best_evidence(some: bool) -> FromClause:
    """For each learner and subject (a tier or a topic) what counts longest, and of those the latest."""
    chosen = func.unnest(_LEARNERS).table_valued("id").render_derived() if some else None
    tier = table_of(Tier).alias()
    parts = []
    for met in (by_completion(_TENANT, chosen).subquery(), by_attendance(_TENANT, chosen).subquery()):
        columns = (met.c.learner_id, cast(met.c.tier_id, Text).label("subject"), met.c.day, met.c.until, met.c.kind)
        parts.append(
            select(*columns, met.c.id, tier.c.renewal_lead_days.label("lead"))
            .select_from(met.join(tier, tier.c.id == met.c.tier_id))
            .where(tier.c.tenant_id == _TENANT)
        )
    every = union_all(*parts, _by_topic(chosen)).subquery()
    return (
        select(every)
        .where(every.c.day <= _TODAY)
        .ext(distinct_on(every.c.learner_id, every.c.subject))
        .order_by(
            every.c.learner_id,
            every.c.subject,
            every.c.until.desc().nulls_first(),
            every.c.day.desc(),
            every.c.id.desc(),
        )
        .cte("best")
    )


@cache
def _changes(some: bool) -> Select[Any]:
    """Rows whose standing differs from the stored one; state null: no longer required."""
    needs, best = _needs(some).cte("needs"), _best_evidence(some)
    state = case(
        (best.c.id.is_(None), "missing"),
        (best.c.until < _TODAY, "expired"),
        (best.c.until <= _TODAY + best.c.lead, "expiring"),
        else_="met",
    )
    now = (
        select(
            needs.c.learner_id,
            needs.c.employer_id,
            needs.c.requirement_id,
            state.label("state"),
            best.c.until.label("valid_until"),
            best.c.kind.label("evidence_kind"),
            best.c.id.label("evidence_id"),
        )
        .select_from(
            needs.outerjoin(best, and_(best.c.learner_id == needs.c.learner_id, best.c.subject == needs.c.subject))
        )
        .cte("now_so")
    )
    stored = table_of(LearnerStanding).alias()
    kept = select(stored).where(stored.c.tenant_id == _TENANT)
    if some:
        kept = kept.where(stored.c.learner_id == any_(_LEARNERS))
    before = kept.cte("before")
    keys = ("learner_id", "employer_id", "requirement_id")
    told = ("state", "valid_until", "evidence_kind", "evidence_id")
    joined = now.join(before, and_(*(now.c[key] == before.c[key] for key in keys)), full=True)
    return (
        select(
            before.c.id,
            before.c.state.label("before"),
            *(now.c[name] for name in (*keys, *told)),
        )
        .select_from(joined)
        .where(or_(*(now.c[name].is_distinct_from(before.c[name]) for name in told)))
        .order_by(now.c.learner_id, now.c.employer_id, now.c.requirement_id, before.c.id)
    )
