"""Where learners stand: the pure rules and the SQL agree; what changes is written, and only that."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.directory.models import Employment, JobRole
from app.training.models import Completion, Programme, Tier
from app.training.requirements import rules, standing
from app.training.requirements.models import CourseTopic, EmploymentTask, LearnerStanding, Requirement
from app.training.requirements.rules import FOR_EVER, Evidence, Spell, requires, standing_on, valid_until
from tenants.base import table_of
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tests.support import Installation
from tests.training.requirements.world import (
    TODAY,
    World,
    complete,
    course,
    employ,
    employer,
    learner,
    open_world,
)

LEARNERS, EMPLOYERS = ("A", "B", "C"), ("Home", "Other")
ROLES, SETTINGS, TASKS = (8, 16), ("domiciliary", "care_home_with_nursing"), ("administers", "orders")
COURSES: dict[str, tuple[int | None, tuple[str, ...]]] = {
    "One": (1, ()),
    "Two": (2, ("T01",)),
    "Loose": (None, ("T01", "T02")),
}

AGO = (-3, 0, 1, 20, 27, 30, 31, 32, 150, 180, 184, 185, 300, 345, 364, 365, 366, 400)

rows = st.fixed_dictionaries(
    {
        "role": st.sampled_from((None, *ROLES)),
        "setting": st.sampled_from((None, *SETTINGS)),
        "task": st.sampled_from((None, *TASKS)),
        "needs": st.sampled_from((1, 2, "T01", "T02", "T03")),
    }
)
spells = st.fixed_dictionaries(
    {
        "who": st.sampled_from(LEARNERS),
        "where": st.sampled_from(EMPLOYERS),
        "role": st.sampled_from((None, *ROLES)),
        "setting": st.sampled_from((None, *SETTINGS)),
        "started": st.integers(1, 4),
        "ended": st.sampled_from((None, None, 0, 1)),
    }
)
completions = st.fixed_dictionaries(
    {"who": st.sampled_from(LEARNERS), "what": st.sampled_from(tuple(COURSES)), "ago": st.sampled_from(AGO)}
)
worlds = st.fixed_dictionaries(
    {
        "matrix": st.lists(rows, min_size=3, max_size=6),
        "spells": st.lists(
            spells, min_size=3, max_size=6, unique_by=lambda one: (one["who"], one["where"], one["started"])
        ),
        "tasks": st.sets(
            st.tuples(st.sampled_from(LEARNERS), st.sampled_from(EMPLOYERS), st.sampled_from(TASKS)), max_size=4
        ),
        "completions": st.lists(
            completions, min_size=5, max_size=10, unique_by=lambda one: (one["who"], one["what"], one["ago"])
        ),
        "months": st.tuples(st.sampled_from((1, 12, None)), st.sampled_from((6, None))),
        "lead": st.sampled_from((60, 30, 0)),
    }
)


async def made(installation: Installation) -> World:
    """People, employers and courses; nothing is required, done or completed."""
    owner = create_engine(installation.urls.owner)
    async with owner.begin() as connection:
        have = set((await connection.execute(select(JobRole.code))).scalars())
        for code in set(ROLES) - have:
            await connection.execute(table_of(JobRole).insert().values(code=code, label=f"Role {code}"))
    await owner.dispose()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await open_world(work)
        for name in LEARNERS:
            learner(work, world, name)
        await employer(work, world, "Home", "P1")
        await employer(work, world, "Other")
        for name, (tier, topics) in COURSES.items():
            course(work, world, name, tier)
            await work.session.flush()
            for topic in topics:
                work.add(
                    CourseTopic(tenant_id=work.tenant_id, id=new_id(), course_id=world.courses[name], topic_code=topic)
                )
        await work.session.execute(update(Programme).values(status="published"))
    return world


def by_the_rules(world: World, told: dict[str, Any], requirements: dict[UUID, dict[str, Any]]) -> dict[Any, Any]:
    """Standing by learner, employer and requirement, from the pure rules alone."""
    months = dict(zip((1, 2), told["months"], strict=True))
    found: dict[Any, Any] = {}
    for spell in told["spells"]:
        ended = spell["ended"]
        if ended is not None and ended > 0:
            continue
        tasks = frozenset(t for who, where, t in told["tasks"] if (who, where) == (spell["who"], spell["where"]))
        for requirement_id, row in requirements.items():
            if not requires(row["role"], row["setting"], row["task"], has=(spell["role"], spell["setting"], tasks)):
                continue
            evidence = []
            for item in told["completions"]:
                tier, topics = COURSES[item["what"]]
                if item["who"] == spell["who"] and (row["needs"] == tier or row["needs"] in topics):
                    day = TODAY - timedelta(days=item["ago"])
                    end = valid_until(day, months[tier] if tier else None)
                    evidence.append(Evidence(end, day, item["id"], told["lead"] if tier else standing.LEAD_DAYS))
            state, best = standing_on(TODAY, evidence)
            key = world.learners[spell["who"]], world.employers[spell["where"]], requirement_id
            until = None if best is None or best.until == FOR_EVER else best.until
            found[key] = (state, until, best and best.id)
    return found


async def store(work: Any, world: World, told: dict[str, Any]) -> dict[UUID, dict[str, Any]]:
    """Write what is generated in the place of what was there; the requirements by id."""
    for table in (LearnerStanding, Requirement, EmploymentTask, Completion, Employment):
        await work.session.execute(delete(table))
    for position, months in zip((1, 2), told["months"], strict=True):
        values = {"validity_months": months, "renewal_lead_days": told["lead"]}
        await work.session.execute(update(Tier).where(Tier.id == world.tiers[position]).values(values))
    requirements = {new_id(): row for row in told["matrix"]}
    for identifier, row in requirements.items():
        of_tier = row["needs"] in (1, 2)
        work.add(
            Requirement(
                tenant_id=work.tenant_id,
                id=identifier,
                programme_id=world.programme,
                job_role_code=row["role"],
                setting=row["setting"],
                task=row["task"],
                tier_id=world.tiers[row["needs"]] if of_tier else None,
                topic_code=None if of_tier else row["needs"],
                created_at=work.now,
            )
        )
    for spell in told["spells"]:
        employ(
            work,
            world,
            spell["who"],
            spell["where"],
            job_role_code=spell["role"],
            setting=spell["setting"],
            started_on=TODAY - timedelta(days=spell["started"]),
            ended_on=None if spell["ended"] is None else TODAY - timedelta(days=spell["ended"]),
        )
    for who, where, task in told["tasks"]:
        work.add(
            EmploymentTask(
                tenant_id=work.tenant_id,
                id=new_id(),
                learner_id=world.learners[who],
                employer_id=world.employers[where],
                task=task,
                created_at=work.now,
            )
        )
    for item in told["completions"]:
        item["id"] = complete(work, world, item["who"], item["what"], TODAY - timedelta(days=item["ago"]))
    await work.session.flush()
    return requirements


async def stored(work: Any) -> dict[Any, Any]:
    """What is kept, in the shape of `by_the_rules`."""
    rows_ = await work.session.execute(
        select(
            LearnerStanding.learner_id,
            LearnerStanding.employer_id,
            LearnerStanding.requirement_id,
            LearnerStanding.state,
            LearnerStanding.valid_until,
            LearnerStanding.evidence_id,
        )
    )
    return {tuple(row[:3]): tuple(row[3:]) for row in rows_}


async def test_the_statement_agrees_with_the_rules(installation: Installation) -> None:
    world = await made(installation)
    seen: set[str] = set()

    async def compare(told: dict[str, Any]) -> None:
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            requirements = await store(work, world, told)
            expected = by_the_rules(world, told, requirements)
            # One learner by the statement for some, then the others by the statement for all.
            await standing.compute(work, [world.learners["A"]])
            some = {key: value for key, value in expected.items() if key[0] == world.learners["A"]}
            assert await stored(work) == some
            await standing.compute(work)
            assert await stored(work) == expected
            assert (await standing.compute(work)).states == {}, "what has not changed is not written"
            seen.update(state for state, _, _ in expected.values())

    examples: list[dict[str, Any]] = []

    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given(worlds)
    def generate(told: dict[str, Any]) -> None:
        examples.append(told)

    generate()
    for told in examples:
        await compare(told)
    assert seen == {"met", "expiring", "expired", "missing"}


def test_rows_of_the_matrix_add_up_and_null_is_whichever() -> None:
    has = (8, "domiciliary", frozenset({"orders"}))
    assert requires(None, None, None, has=has)
    assert requires(8, "domiciliary", "orders", has=has)
    assert not requires(16, None, None, has=has)
    assert not requires(None, "extra_care", None, has=has)
    assert not requires(None, None, "administers", has=has)


@pytest.mark.row("A28")
@pytest.mark.parametrize(("days", "visible"), [(-1, False), (0, True), (5, True), (10, True), (11, False)])
def test_an_employer_sees_what_fell_into_its_time(days: int, *, visible: bool) -> None:
    here, there = uuid4(), uuid4()
    own = [Spell(here, TODAY, TODAY + timedelta(days=10)), Spell(there, TODAY + timedelta(days=11), None)]
    day = TODAY + timedelta(days=days)
    assert rules.visible_to_employer(day, own, here) == visible
    assert rules.visible_to_employer(day, own, there) == (days >= 11)
