"""The demonstration's rules: a published programme, who needs what, nominations, competence and confidence."""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select

from app.directory.models import Employer, Employment, Learner
from app.training.mapping.state import has_locked_exercise
from app.training.models import Programme, Tier
from app.training.requirements import competence, confidence, matrix, nominations, programmes, standing
from app.training.requirements.models import EmploymentTask
from tenants.base import table_of
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.identifiers import new_id
from tenants.session import Database, UnitOfWork

SEED = 11
SENIOR_CARE_WORKER, REGISTERED_NURSE = 7, 16
GIVERS_ASSESSED = 60
RATED = 24
TOPICS = ("T05", "T09", "T14")
STATEMENTS = (
    "Keeps our charts in order and explains them well.",
    "Colleagues ask her first when a medicine changes.",
    "Wants to lead on reducing omitted doses.",
)


async def add_requirements(database: Database, context: TenantContext) -> None:
    """All of it, once: a programme that was published already is left as it is."""
    async with database.unit_of_work(context) as work:
        programme = (await work.session.scalars(select(Programme).order_by(Programme.created_at).limit(1))).one()
        if programme.status != "draft":
            return
        chance = random.Random(SEED)  # noqa: S311 - an invented world, the same at every start
        tiers = {tier.position: tier for tier in await work.session.scalars(select(Tier))}
        await _rules(work, programme, tiers)
        people = await _people(work)
        await _tasks(work, people)
        await _competence(work, chance)
        await _confidence(work, people, tiers, chance)
        await _nominations(work, chance)
        await work.session.refresh(programme)
        await programmes.publish_programme(
            work,
            programme.id,
            programme.version,
            has_locked_mapping=await has_locked_exercise(work),
            anyway=True,
        )
    async with database.unit_of_work(context) as work:
        await standing.compute(work)


async def _rules(work: UnitOfWork, programme: Programme, tiers: dict[int, Tier]) -> None:
    first = tiers[1]
    wanted = programmes.TierChange(first.name, first.minimum_minutes, [], 24, 90)
    await programmes.change_tier(work, first.id, programme.version, wanted)
    for row in (
        matrix.NewRequirement(tier_id=tiers[1].id),
        matrix.NewRequirement(task="administers", tier_id=tiers[2].id),
        matrix.NewRequirement(setting="domiciliary", topic_code="T20"),
        matrix.NewRequirement(job_role_code=SENIOR_CARE_WORKER, topic_code="T14"),
    ):
        await work.session.flush()
        await matrix.add_requirement(work, programme.id, programme.version, row)


async def _people(work: UnitOfWork) -> list[Any]:
    """Current employments: learner and employer."""
    rows = await work.session.execute(
        select(Employment.learner_id, Employment.employer_id, Learner.display_name)
        .join(Learner, and_(Learner.tenant_id == Employment.tenant_id, Learner.id == Employment.learner_id))
        .where(Employment.ended_on.is_(None), Learner.merged_into_id.is_(None))
        .order_by(Learner.name_key, Employment.id)
    )
    return list(rows.all())


async def _tasks(work: UnitOfWork, people: list[Any]) -> None:
    giving = [row for number, row in enumerate(people) if number % 5 < 2]
    await work.insert_rows(
        EmploymentTask,
        ("id", "learner_id", "employer_id", "task", "created_at"),
        ((new_id(), row.learner_id, row.employer_id, "administers", work.now) for row in giving),
        on_conflict="ON CONFLICT DO NOTHING",
    )


async def _competence(work: UnitOfWork, chance: random.Random) -> None:
    rules = [
        competence.NewAssessorRule(None, "Pharmacist", False),
        competence.NewAssessorRule(REGISTERED_NURSE, None, True),
    ]
    await competence.set_assessor_rules(work, rules)
    task = table_of(EmploymentTask)
    rows = await work.session.execute(
        select(task.c.learner_id).where(task.c.tenant_id == work.tenant_id).order_by(task.c.id).limit(GIVERS_ASSESSED)
    )
    for learner_id in dict.fromkeys(rows.scalars()):
        await competence.assess(
            work,
            learner_id=learner_id,
            assessor=competence.Assessor("Phyllis Pharmacist", profession="Pharmacist"),
            outcome="competent" if chance.random() < 0.9 else "not_yet_competent",
            skills=["administers"],
            assessed_on=london_date(work.now) - timedelta(days=chance.randrange(10, 420)),
        )


async def _confidence(work: UnitOfWork, people: list[Any], tiers: dict[int, Tier], chance: random.Random) -> None:
    for row in people[:RATED]:
        for topic in TOPICS:
            before = chance.randrange(1, 4)
            for moment, rating, ago in (("before", before, 40), ("after", min(5, before + chance.randrange(0, 3)), 10)):
                if moment == "after" and chance.random() < 0.2:
                    continue
                await confidence.rate(
                    work,
                    learner_id=row.learner_id,
                    tier_id=tiers[2].id,
                    topic_code=topic,
                    moment=moment,
                    rating=rating,
                    scale_points=5,
                    rated_on=london_date(work.now) - timedelta(days=ago),
                )


async def _nominations(work: UnitOfWork, chance: random.Random) -> None:
    rows = await work.session.execute(
        select(Employment.learner_id, Employer.tenant_location_id)
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .where(Employment.ended_on.is_(None), Employer.tenant_location_id.is_not(None))
        .order_by(Employment.id)
        .limit(40)
    )
    people = list({row.learner_id: row for row in rows}.values())
    chosen = chance.sample(people, k=min(6, len(people)))
    for number, row in enumerate(chosen):
        nomination_id = await nominations.nominate(
            work,
            learner_id=row.learner_id,
            tenant_location_id=row.tenant_location_id,
            nominator_name=f"Manager {number + 1} (invented)",
            nominator_role="Registered manager",
            statement=STATEMENTS[number % len(STATEMENTS)],
        )
        if number == 0:
            await nominations.approve(work, nomination_id, 1, "Meets all that tier 3 asks for")
        elif number == 1:
            await nominations.decline(work, nomination_id, 1, "Tier 1 first; please nominate again in spring")
