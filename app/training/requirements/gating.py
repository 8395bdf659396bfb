"""Who may book a place on a tier on a day, and every reason against those who may not."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Date,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from app.directory.models import CqcLocation, Employer, Employment, Learner, ProviderGroupLocation, TenantLocation
from app.training.errors import Reason
from app.training.models import Completion, Course, Programme, Tier
from app.training.requirements import rules
from app.training.requirements.evidence import by_attendance, by_completion, london_day
from app.training.requirements.models import (
    ChampionNomination,
    CompetenceAssessment,
    PrerequisiteOverride,
    PrerequisiteRule,
)
from app.training.requirements.rules import FOR_EVER, Facts, Rule, RuleKind
from tenants.base import table_of
from tenants.session import UnitOfWork

_TENANT = bindparam("tenant", type_=Uuid)
_TIER = bindparam("tier", type_=Uuid)
_ON = bindparam("on", type_=Date)


async def reasons_against(
    work: UnitOfWork, *, tier_id: UUID | None, learner_ids: Collection[UUID], on: date
) -> dict[UUID, tuple[Reason, ...]]:
    """Why learners may not have a place on the tier on that day; who is absent may. No tier, no rules.

    A learner whose record was merged into another is judged by the kept one.
    """
    asked = list(dict.fromkeys(learner_ids))
    if tier_id is None or not asked:
        return {}
    prepared = await _rules(work, tier_id)
    if not prepared:
        return {}
    scope, group_id, provider_id = prepared[0].scope, prepared[0].provider_group_id, prepared[0].cqc_provider_id
    wanted = [
        Rule(row.id, RuleKind(row.kind), row.alternatives, row.needs, row.needs_skill, row.needs_name)
        for row in prepared
        if row.id is not None
    ]
    if not wanted and scope == "system":
        return {}
    facts = await _facts(work, tier_id, wanted, asked, on)
    if scope != "system":
        await _look_inside(work, facts, asked, group_id, provider_id, on)
    found = {learner_id: rules.reasons_against(wanted, facts[learner_id], on, learner_id) for learner_id in asked}
    return {learner_id: reasons for learner_id, reasons in found.items() if reasons}


async def _rules(work: UnitOfWork, tier_id: UUID) -> Sequence[Any]:
    asked = {"tenant": work.tenant_id, "tier": tier_id}
    found: Sequence[Any] = (await work.session.execute(_rules_statement(), asked)).all()
    return found


async def _facts(
    work: UnitOfWork, tier_id: UUID, wanted: Sequence[Rule], asked: list[UUID], on: date
) -> dict[UUID, Facts]:
    kinds = {rule.kind for rule in wanted}
    values = {
        "tenant": work.tenant_id,
        "learners": asked,
        "tier": tier_id,
        "tiers": [rule.needs for rule in wanted if rule.kind is RuleKind.TIER_MET],
        "courses": [rule.needs for rule in wanted if rule.kind is RuleKind.COURSE_COMPLETED],
        "nominations": RuleKind.APPROVED_NOMINATION in kinds,
        "competence": RuleKind.COMPETENCE_CURRENT in kinds,
        "on": on,
    }
    found: dict[UUID, Facts] = defaultdict(Facts)
    for row in await work.session.execute(_facts_statement(), values):
        facts = found[row.asked_id]
        match row.kind:
            case "tier":
                facts.tiers[row.subject] = max(row.until or FOR_EVER, facts.tiers.get(row.subject, date.min))
            case "course":
                facts.courses.add(row.subject)
            case "nomination":
                facts.nominated = True
            case "skill":
                facts.skills[row.skill] = row.until
            case "override":
                facts.passed.add(row.subject)
    return found


async def _look_inside(
    work: UnitOfWork, facts: dict[UUID, Facts], asked: list[UUID], group: UUID | None, provider: str | None, on: date
) -> None:
    values = {"tenant": work.tenant_id, "learners": asked, "group": group, "provider": provider, "on": on}
    inside = set((await work.session.execute(_inside_statement(), values)).scalars())
    for learner_id in asked:
        facts[learner_id].inside = learner_id in inside


@cache
def _rules_statement() -> Select[Any]:
    """The programme's scope beside each rule of the tier; one row with nulls where the tier has no rules."""
    tier, programme, rule = table_of(Tier).alias(), table_of(Programme).alias(), table_of(PrerequisiteRule).alias()
    needed_tier, needed_course = table_of(Tier).alias(), table_of(Course).alias()
    joined = (
        tier.join(programme, and_(programme.c.tenant_id == _TENANT, programme.c.id == tier.c.programme_id))
        .outerjoin(rule, and_(rule.c.tenant_id == _TENANT, rule.c.tier_id == tier.c.id))
        .outerjoin(needed_tier, and_(needed_tier.c.tenant_id == _TENANT, needed_tier.c.id == rule.c.needs_tier_id))
        .outerjoin(
            needed_course, and_(needed_course.c.tenant_id == _TENANT, needed_course.c.id == rule.c.needs_course_id)
        )
    )
    called = literal("tier ", Text) + cast(needed_tier.c.position, Text) + " (" + needed_tier.c.name + ")"
    return (
        select(
            programme.c.scope,
            programme.c.provider_group_id,
            programme.c.cqc_provider_id,
            rule.c.id,
            rule.c.kind,
            rule.c.alternatives,
            rule.c.needs_skill,
            func.coalesce(rule.c.needs_tier_id, rule.c.needs_course_id).label("needs"),
            func.coalesce(called, needed_course.c.title, "").label("needs_name"),
        )
        .select_from(joined)
        .where(tier.c.tenant_id == _TENANT, tier.c.id == _TIER)
        .order_by(rule.c.alternatives, rule.c.id)
    )


def _who() -> CTE:
    """The learners that are asked about, each with the record that stands for it: `asked_id`, `id`."""
    learner, onwards = table_of(Learner).alias(), table_of(Learner).alias()
    asked = bindparam("learners", type_=ARRAY(Uuid))
    chain = (
        select(learner.c.id.label("asked_id"), learner.c.id, learner.c.merged_into_id)
        .where(learner.c.tenant_id == _TENANT, learner.c.id == any_(asked))
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(chain.c.asked_id, onwards.c.id, onwards.c.merged_into_id).where(
            onwards.c.tenant_id == _TENANT, onwards.c.id == chain.c.merged_into_id
        )
    )
    return select(chain.c.asked_id, chain.c.id).where(chain.c.merged_into_id.is_(None)).cte("who")


@cache
def _facts_statement() -> Any:
    """Facts of the learners by kind: asked_id, kind, subject, skill, until."""
    who = _who()
    tiers, courses = bindparam("tiers", type_=ARRAY(Uuid)), bindparam("courses", type_=ARRAY(Uuid))
    parts: list[Select[Any]] = []
    for evidence in (by_completion(_TENANT, who).subquery(), by_attendance(_TENANT, who).subquery()):
        last = func.max(func.coalesce(evidence.c.until, FOR_EVER))
        part = _part(who, evidence, "tier", evidence.c.tier_id, until=last)
        parts.append(
            part.where(evidence.c.tier_id == any_(tiers), evidence.c.day <= _ON).group_by(
                who.c.asked_id, evidence.c.tier_id
            )
        )
    completion = table_of(Completion).alias()
    parts.append(
        _part(who, completion, "course", completion.c.course_id)
        .where(
            completion.c.tenant_id == _TENANT,
            completion.c.course_id == any_(courses),
            london_day(completion.c.completed_at) <= _ON,
        )
        .distinct()
    )
    nomination = table_of(ChampionNomination).alias()
    parts.append(
        _part(who, nomination, "nomination", null())
        .where(
            bindparam("nominations", type_=Boolean),
            nomination.c.tenant_id == _TENANT,
            nomination.c.status == "approved",
        )
        .distinct()
    )
    skills = _latest_skills(who)
    parts.append(
        _part(who, skills, "skill", null(), skill=skills.c.skill, until=skills.c.review_due_on).where(
            bindparam("competence", type_=Boolean), skills.c.outcome == "competent"
        )
    )
    override = table_of(PrerequisiteOverride).alias()
    parts.append(
        _part(who, override, "override", override.c.rule_id).where(
            override.c.tenant_id == _TENANT,
            override.c.tier_id == _TIER,
            override.c.until >= _ON,
            override.c.ended_at.is_(None),
        )
    )
    return union_all(*parts)


def _part(
    who: CTE,
    record: FromClause,
    kind: str,
    subject: ColumnElement[Any],
    *,
    skill: ColumnElement[Any] | None = None,
    until: ColumnElement[Any] | None = None,
) -> Select[Any]:
    return select(
        who.c.asked_id,
        literal(kind, Text).label("kind"),
        cast(subject, Uuid).label("subject"),
        cast(null() if skill is None else skill, Text).label("skill"),
        cast(null() if until is None else until, Date).label("until"),
    ).where(record.c.learner_id == who.c.id)


def _latest_skills(who: CTE) -> FromClause:
    """The last assessment of each skill of each learner up to the day."""
    assessment = table_of(CompetenceAssessment).alias()
    skill = func.jsonb_array_elements_text(assessment.c.skills).table_valued("value").render_derived()
    return (
        select(assessment.c.learner_id, skill.c.value.label("skill"), assessment.c.outcome, assessment.c.review_due_on)
        .select_from(assessment.join(skill, literal(True)))
        .where(
            assessment.c.tenant_id == _TENANT,
            assessment.c.learner_id.in_(select(who.c.id)),
            assessment.c.assessed_on <= _ON,
        )
        .ext(distinct_on(assessment.c.learner_id, skill.c.value))
        .order_by(
            assessment.c.learner_id, skill.c.value, assessment.c.assessed_on.desc(), assessment.c.created_at.desc()
        )
        .subquery()
    )


@cache
def _inside_statement() -> Select[Any]:
    """Those of the learners who work on that day where the programme's group or provider has its locations."""
    who = _who()
    employment, employer, location, cqc, member = (
        table_of(table).alias() for table in (Employment, Employer, TenantLocation, CqcLocation, ProviderGroupLocation)
    )
    group, provider = bindparam("group", type_=Uuid), bindparam("provider", type_=Text)
    in_group = (
        select(member.c.id)
        .where(
            member.c.tenant_id == _TENANT,
            member.c.provider_group_id == group,
            member.c.tenant_location_id == location.c.id,
        )
        .exists()
    )
    return (
        select(who.c.asked_id)
        .distinct()
        .where(
            employment.c.tenant_id == _TENANT,
            employment.c.learner_id == who.c.id,
            employment.c.started_on <= _ON,
            or_(employment.c.ended_on.is_(None), employment.c.ended_on >= _ON),
            employer.c.tenant_id == _TENANT,
            employer.c.id == employment.c.employer_id,
            location.c.tenant_id == _TENANT,
            location.c.id == employer.c.tenant_location_id,
            cqc.c.id == location.c.location_id,
            or_(in_group, cqc.c.provider_id == provider),
        )
    )
