"""Who is trained and who is not, as SQL: by provider, setting, job role or tier. Every view adds up to the same total.

What is counted is a post and a tier that it needs: a post is a learner at an employer, with the job role and setting
of the employment that began last, so each belongs to one provider, one setting and one job role.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
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
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from app.directory.models import CqcLocation, CqcProvider, Employer, Employment, JobRole, Learner, TenantLocation
from app.training.models import Tier
from app.training.requirements.models import (
    CompetenceAssessment,
    ConfidenceRating,
    EmploymentTask,
    LearnerStanding,
    Requirement,
)
from app.training.requirements.standing import employed, setting_of
from tenants.base import table_of

Clause = ColumnElement[Any]

TRAINED = ("met", "expiring")
GIVES_MEDICINES = "administers"


class By(StrEnum):
    """What the counts are split by."""

    PROVIDER = "provider"
    SETTING = "setting"
    JOB_ROLE = "job_role"
    TIER = "tier"


def posts(tenant: Clause, today: Clause) -> FromClause:
    """Each current post once: learner_id, employer_id, and key and label of its provider, setting and job role.

    An employer that is not at a CQC location stands for its own provider.
    """
    employment, learner, employer, location, cqc, provider, role = (
        table_of(table).alias()
        for table in (Employment, Learner, Employer, TenantLocation, CqcLocation, CqcProvider, JobRole)
    )
    rows = (
        employment.join(learner, and_(learner.c.tenant_id == tenant, learner.c.id == employment.c.learner_id))
        .join(employer, and_(employer.c.tenant_id == tenant, employer.c.id == employment.c.employer_id))
        .outerjoin(location, and_(location.c.tenant_id == tenant, location.c.id == employer.c.tenant_location_id))
        .outerjoin(cqc, cqc.c.id == location.c.location_id)
        .outerjoin(provider, provider.c.id == cqc.c.provider_id)
        .outerjoin(role, role.c.code == employment.c.job_role_code)
    )
    setting = func.coalesce(setting_of(employment, cqc), "")
    return (
        select(
            employment.c.learner_id,
            employment.c.employer_id,
            func.coalesce(provider.c.id, cast(employer.c.id, Text)).label("provider_key"),
            func.coalesce(provider.c.name, employer.c.name).label("provider_label"),
            setting.label("setting_key"),
            setting.label("setting_label"),
            func.coalesce(cast(employment.c.job_role_code, Text), "").label("job_role_key"),
            func.coalesce(role.c.label, "").label("job_role_label"),
        )
        .select_from(rows)
        .where(employment.c.tenant_id == tenant, employed(employment, today), learner.c.merged_into_id.is_(None))
        .ext(distinct_on(employment.c.learner_id, employment.c.employer_id))
        .order_by(
            employment.c.learner_id, employment.c.employer_id, employment.c.started_on.desc(), employment.c.id.desc()
        )
        .cte("posts")
    )


def _tier_needs(tenant: Clause, tier: Clause | None) -> FromClause:
    """Each tier that a post needs once, and whether it is met."""
    standing, requirement = table_of(LearnerStanding).alias(), table_of(Requirement).alias()
    statement = (
        select(
            standing.c.learner_id,
            standing.c.employer_id,
            requirement.c.tier_id,
            func.bool_or(or_(*(standing.c.state == state for state in TRAINED))).label("trained"),
        )
        .join(requirement, and_(requirement.c.tenant_id == tenant, requirement.c.id == standing.c.requirement_id))
        .where(standing.c.tenant_id == tenant, requirement.c.tier_id.is_not(None))
        .group_by(standing.c.learner_id, standing.c.employer_id, requirement.c.tier_id)
    )
    return (statement if tier is None else statement.where(requirement.c.tier_id == tier)).cte("tier_needs")


def oversight(
    tenant: Clause, today: Clause, by: By, *, tier: Clause | None = None, within: tuple[By, Clause] | None = None
) -> Select[Any]:
    """Rows of key, label, needing, trained, untrained, staff, by label; staff: posts whether or not they need it.

    `tier`: that one only. `within`: posts of one key of another view, for drilling down.
    """
    every, needs, level = posts(tenant, today), _tier_needs(tenant, tier), table_of(Tier).alias()
    post_of = and_(needs.c.learner_id == every.c.learner_id, needs.c.employer_id == every.c.employer_id)
    joined = every.outerjoin(needs, post_of)
    key: Clause
    label: Clause
    if by is By.TIER:
        joined = every.join(needs, post_of).join(
            level, and_(level.c.tenant_id == tenant, level.c.id == needs.c.tier_id)
        )
        key, label = cast(level.c.id, Text), cast(level.c.position, Text) + ". " + level.c.name
    else:
        key, label = every.c[f"{by}_key"], every.c[f"{by}_label"]
    needing = func.count(needs.c.tier_id)
    trained = needing.filter(needs.c.trained)
    staff = func.count(func.distinct(func.row(every.c.learner_id, every.c.employer_id)))
    columns: tuple[Clause, ...] = (
        key.label("key"),
        label.label("label"),
        cast(needing, Integer).label("needing"),
        cast(trained, Integer).label("trained"),
        cast(needing - trained, Integer).label("untrained"),
        cast(staff, Integer).label("staff"),
    )
    statement: Select[Any] = select(*columns).select_from(joined)
    if within is not None:
        statement = statement.where(every.c[f"{within[0]}_key"] == within[1])
    return statement.group_by(key, label).order_by(label, key)


def competence_coverage(tenant: Clause, today: Clause) -> Select[Any]:
    """TRN-08: people who give medicines, and those of them with an assessment in the last twelve months."""
    people = _givers(tenant, today)
    assessment = table_of(CompetenceAssessment).alias()
    assessed = exists().where(
        assessment.c.tenant_id == tenant,
        assessment.c.learner_id == people.c.learner_id,
        assessment.c.assessed_on <= today,
        assessment.c.assessed_on > today - func.make_interval(1),
    )
    columns: tuple[Clause, ...] = (
        cast(func.count(), Integer).label("giving"),
        cast(func.count().filter(assessed), Integer).label("assessed"),
    )
    return select(*columns).select_from(people)


def not_assessed(tenant: Clause, today: Clause) -> Select[Any]:
    """People who give medicines and have no current assessment that found them competent: learner_id, last due day.

    CQC: competence is assessed before medicines are given.
    """
    people, assessment = _givers(tenant, today), table_of(CompetenceAssessment).alias()
    latest = (
        select(assessment.c.learner_id, assessment.c.outcome, assessment.c.review_due_on)
        .where(assessment.c.tenant_id == tenant, assessment.c.assessed_on <= today)
        .ext(distinct_on(assessment.c.learner_id))
        .order_by(assessment.c.learner_id, assessment.c.assessed_on.desc(), assessment.c.created_at.desc())
        .subquery()
    )
    current = and_(latest.c.outcome == "competent", latest.c.review_due_on >= today)
    return (
        select(people.c.learner_id, latest.c.outcome, latest.c.review_due_on)
        .select_from(people.outerjoin(latest, latest.c.learner_id == people.c.learner_id))
        .where(func.coalesce(current, literal(False)).is_(False))
        .order_by(latest.c.review_due_on.nulls_first(), people.c.learner_id)
    )


def _givers(tenant: Clause, today: Clause) -> FromClause:
    every, task = posts(tenant, today), table_of(EmploymentTask).alias()
    return (
        select(every.c.learner_id)
        .distinct()
        .where(
            task.c.tenant_id == tenant,
            task.c.learner_id == every.c.learner_id,
            task.c.employer_id == every.c.employer_id,
            task.c.task == GIVES_MEDICINES,
        )
        .cte("givers")
    )


def confidence_change(tenant: Clause, tier: Clause, minimum: Clause) -> Select[Any]:
    """By topic and scale: people with both ratings (n), and means and mean change where n reaches the minimum."""
    before, after = table_of(ConfidenceRating).alias(), table_of(ConfidenceRating).alias()
    people = func.count()
    told = people >= minimum

    def mean(value: Clause) -> Clause:
        return func.round(func.avg(value), 2)

    columns = {
        "mean_before": mean(before.c.rating),
        "mean_after": mean(after.c.rating),
        "mean_change": mean(after.c.rating - before.c.rating),
    }
    return (
        select(
            before.c.topic_code,
            before.c.scale_points,
            cast(people, Integer).label("people"),
            (~told).label("suppressed"),
            *(case((told, value), else_=null()).label(name) for name, value in columns.items()),
        )
        .where(
            before.c.tenant_id == tenant,
            before.c.tier_id == tier,
            before.c.moment == "before",
            after.c.tenant_id == tenant,
            after.c.learner_id == before.c.learner_id,
            after.c.tier_id == before.c.tier_id,
            after.c.topic_code == before.c.topic_code,
            after.c.scale_points == before.c.scale_points,
            after.c.moment == "after",
        )
        .group_by(before.c.topic_code, before.c.scale_points)
        .order_by(before.c.topic_code, before.c.scale_points)
    )
