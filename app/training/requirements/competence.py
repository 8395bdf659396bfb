"""Formal assessments of competence, apart from completions: before medicines are given, and reviewed every year."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.directory.models import Employment
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import said, standing_learner
from app.training.requirements.matrix import check_role
from app.training.requirements.models import AssessorRule, CompetenceAssessment, RequirementSettings
from app.training.requirements.rules import add_months, why_not_assess
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

REVIEW_MONTHS = 12
"""CQC, citing NICE: competence is reviewed every year."""

CONFIDENCE_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class NewAssessorRule:
    """Who may assess: everything that the rule names must hold."""

    job_role_code: int | None
    profession: str | None
    needs_own_competence: bool


@dataclass(frozen=True, slots=True)
class Assessor:
    """Who assessed: a learner of the tenant, or somebody from outside with a profession."""

    name: str
    learner_id: UUID | None = None
    profession: str | None = None


async def settings_of(work: UnitOfWork) -> RequirementSettings:
    """The tenant's choices, made with what is usual where nothing was chosen."""
    start = insert(RequirementSettings).values(
        tenant_id=work.tenant_id,
        id=work.tenant_id,
        competence_review_months=REVIEW_MONTHS,
        confidence_minimum=CONFIDENCE_MINIMUM,
    )
    await work.session.execute(start.on_conflict_do_nothing())
    return (await work.session.scalars(select(RequirementSettings))).one()


async def change_review(work: UnitOfWork, months: int) -> None:
    """Months until competence is reviewed; counts from the next assessment. Raises `OUT_OF_RANGE`."""
    if not 1 <= months <= 36:
        raise TrainingRefusal("OUT_OF_RANGE", "Enter from 1 to 36 months.", "reviewMonths")
    settings = await settings_of(work)
    before, settings.competence_review_months = settings.competence_review_months, months
    work.record(
        Action.ASSESSOR_RULES_CHANGED,
        "requirement_settings",
        work.tenant_id,
        before={"review_months": before},
        after={"review_months": months},
    )


async def change_confidence_minimum(work: UnitOfWork, people: int) -> None:
    """The fewest people whose change of confidence is told. Raises TrainingRefusal `OUT_OF_RANGE`."""
    if not 2 <= people <= 100:
        raise TrainingRefusal("OUT_OF_RANGE", "Enter from 2 to 100 people.", "people")
    settings = await settings_of(work)
    before, settings.confidence_minimum = settings.confidence_minimum, people
    work.record(
        Action.ASSESSOR_RULES_CHANGED,
        "requirement_settings",
        work.tenant_id,
        before={"confidence_minimum": before},
        after={"confidence_minimum": people},
    )


async def set_assessor_rules(work: UnitOfWork, wanted: Sequence[NewAssessorRule]) -> None:
    """Have exactly these people assess. Raises TrainingRefusal `NAMES_NOBODY` or `NO_SUCH_JOB_ROLE`."""
    for rule in wanted:
        if rule.job_role_code is None and not (rule.profession or "").strip():
            raise TrainingRefusal("NAMES_NOBODY", "Name a job role or a profession in each rule.", "rules")
        await check_role(work, rule.job_role_code, "rules")
    await work.session.execute(delete(AssessorRule))
    work.add(
        *(
            AssessorRule(
                tenant_id=work.tenant_id,
                id=new_id(),
                job_role_code=rule.job_role_code,
                profession=" ".join((rule.profession or "").split()) or None,
                needs_own_competence=rule.needs_own_competence,
                created_at=work.now,
            )
            for rule in wanted
        )
    )
    await work.session.flush()
    work.record(Action.ASSESSOR_RULES_CHANGED, "assessor_rule", None, after={"rules": len(wanted)})


async def assess(
    work: UnitOfWork,
    *,
    learner_id: UUID,
    assessor: Assessor,
    outcome: str,
    skills: Collection[str],
    assessed_on: date,
) -> UUID:
    """Keep an assessment; the next review is due as the tenant has chosen.

    Raises TrainingRefusal `NO_SUCH_LEARNER`, `ASSESSOR_MISSING`, `OWN_ASSESSMENT`, `ASSESSOR_NOT_ELIGIBLE`,
    `UNKNOWN_OUTCOME`, `SKILLS_MISSING` or `STILL_TO_COME`.
    """
    name = said(assessor.name, "ASSESSOR_MISSING", "Say who assessed the learner.", "assessorName")
    if outcome not in ("competent", "not_yet_competent"):
        raise TrainingRefusal("UNKNOWN_OUTCOME", "Choose competent or not_yet_competent.", "outcome")
    assessed = sorted({" ".join(skill.split()) for skill in skills} - {""})
    if not assessed:
        raise TrainingRefusal("SKILLS_MISSING", "Say which topics or tasks were assessed.", "skills")
    if assessed_on > london_date(work.now):
        raise TrainingRefusal(
            "STILL_TO_COME", "Enter the day on which it took place; it cannot be to come.", "assessedOn"
        )
    learner_id = await standing_learner(work, learner_id)
    assessor_id = None
    if assessor.learner_id is not None:
        assessor_id = await standing_learner(work, assessor.learner_id, "assessorId")
    if assessor_id == learner_id:
        raise TrainingRefusal("OWN_ASSESSMENT", "Nobody assesses themselves. Name another assessor.", "assessorId")
    people = [] if assessor_id is None else [assessor_id]
    if (await why_not(work, people, assessor.profession, assessed_on))[assessor_id] is not None:
        message = "Your rules do not let that person assess. Name another assessor, or change who may assess first."
        raise TrainingRefusal("ASSESSOR_NOT_ELIGIBLE", message, "assessorId")
    months = (await settings_of(work)).competence_review_months
    assessment = CompetenceAssessment(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        assessor_learner_id=assessor_id,
        assessor_name=name,
        assessor_profession=assessor.profession,
        outcome=outcome,
        skills=assessed,
        assessed_on=assessed_on,
        review_due_on=add_months(assessed_on, months),
        recorded_by=work.context.actor_id,
        created_at=work.now,
    )
    work.add(assessment)
    await work.session.flush()
    work.record(
        Action.COMPETENCE_ASSESSED,
        "competence_assessment",
        assessment.id,
        after={"learner": str(learner_id), "outcome": outcome, "skills": len(assessed), "on": assessed_on.isoformat()},
    )
    announce(work, EventType.COMPETENCE_ASSESSED, f"CompetenceAssessment:{assessment.id}")
    return assessment.id


async def why_not(
    work: UnitOfWork, people: Collection[UUID], profession: str | None, on: date
) -> dict[UUID | None, str | None]:
    """Why each of these learners, and somebody from outside (None), may not assess on that day with that profession.

    A code of `rules.why_not_assess`; None: they may.
    """
    rules = [
        (rule.job_role_code, rule.profession, rule.needs_own_competence)
        for rule in await work.session.scalars(select(AssessorRule))
    ]
    held = await work.session.execute(
        select(Employment.learner_id, Employment.job_role_code).where(
            among(Employment.learner_id, people),
            Employment.started_on <= on,
            or_(Employment.ended_on.is_(None), Employment.ended_on >= on),
        )
    )
    roles: dict[UUID, set[int]] = {}
    for learner_id, code in held:
        if code is not None:
            roles.setdefault(learner_id, set()).add(code)
    own = await work.session.scalars(
        select(CompetenceAssessment)
        .where(among(CompetenceAssessment.learner_id, people), CompetenceAssessment.assessed_on <= on)
        .order_by(CompetenceAssessment.assessed_on, CompetenceAssessment.created_at)
    )
    latest = {one.learner_id: one for one in own}
    competent = {one.learner_id for one in latest.values() if one.outcome == "competent" and one.review_due_on >= on}
    found: dict[UUID | None, str | None] = {
        person: why_not_assess(
            rules, roles=frozenset(roles.get(person, ())), profession=profession, competent=person in competent
        )
        for person in people
    }
    return found | {None: why_not_assess(rules, roles=frozenset(), profession=profession, competent=False)}
