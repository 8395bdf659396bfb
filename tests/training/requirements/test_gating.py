"""Who may book which tier: rules, alternatives, overrides, nominations, merged records."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.directory.models import CqcLocation
from app.training.errors import TrainingRefusal
from app.training.merging import merge_learners, undo_merge
from app.training.models import Programme, Tier
from app.training.requirements import rules
from app.training.requirements.gating import reasons_against
from app.training.requirements.models import PrerequisiteOverride, PrerequisiteRule
from app.training.requirements.prerequisites import NewRule, set_prerequisites
from app.training.requirements.rules import FOR_EVER, Facts, Rule, RuleKind, add_months
from tenants.audit import AuditEvent
from tests.support import Installation
from tests.training.requirements.world import (
    TODAY,
    World,
    attend,
    change,
    complete,
    course,
    employ,
    employer,
    learner,
    open_world,
    session,
)

TIER, COURSE = uuid4(), uuid4()
WHO = uuid4()
NOMINATION = "... on NominationChanged { nomination { id version status } }"


def codes(wanted: list[Rule], facts: Facts) -> list[str]:
    """Codes of the reasons on the day."""
    return [reason.code for reason in rules.reasons_against(wanted, facts, TODAY, WHO)]


@pytest.mark.parametrize(
    ("rule", "good", "bad", "code"),
    [
        (Rule(uuid4(), RuleKind.TIER_MET, 1, TIER), Facts(tiers={TIER: TODAY}), Facts(), "TIER_MISSING"),
        (
            Rule(uuid4(), RuleKind.TIER_MET, 1, TIER),
            Facts(tiers={TIER: FOR_EVER}),
            Facts(tiers={TIER: TODAY - timedelta(days=1)}),
            "TIER_EXPIRED",
        ),
        (Rule(uuid4(), RuleKind.COURSE_COMPLETED, 1, COURSE), Facts(courses={COURSE}), Facts(), "COURSE_MISSING"),
        (Rule(uuid4(), RuleKind.APPROVED_NOMINATION, 1), Facts(nominated=True), Facts(), "NOMINATION_MISSING"),
        (
            Rule(uuid4(), RuleKind.COMPETENCE_CURRENT, 1, skill="insulin"),
            Facts(skills={"insulin": TODAY}),
            Facts(skills={"inhalers": FOR_EVER}),
            "COMPETENCE_MISSING",
        ),
        (
            Rule(uuid4(), RuleKind.COMPETENCE_CURRENT, 1),
            Facts(skills={"insulin": TODAY, "inhalers": date.min}),
            Facts(skills={"insulin": TODAY - timedelta(days=1)}),
            "COMPETENCE_EXPIRED",
        ),
    ],
)
def test_each_kind_of_rule(rule: Rule, good: Facts, bad: Facts, code: str) -> None:
    assert codes([rule], good) == []
    assert codes([rule], bad) == [code]
    (reason,) = rules.reasons_against([rule], bad, TODAY, WHO)
    assert (reason.rule_id, reason.learner_id) == (rule.id, WHO)
    assert reason.message.endswith("first.")
    bad.passed = {rule.id}
    assert codes([rule], bad) == []
    bad.passed = {None}
    assert codes([rule], bad) == []
    bad.inside = False
    assert codes([rule], bad) == ["OUTSIDE_PROGRAMME"], "whom the programme is not for is let in by no override"


def test_alternatives_stand_for_each_other_and_groups_add_up() -> None:
    either = [Rule(uuid4(), RuleKind.TIER_MET, 1, TIER), Rule(uuid4(), RuleKind.COURSE_COMPLETED, 1, COURSE)]
    also = Rule(uuid4(), RuleKind.APPROVED_NOMINATION, 2)
    assert codes([*either, also], Facts()) == ["TIER_MISSING", "COURSE_MISSING", "NOMINATION_MISSING"]
    assert codes([*either, also], Facts(courses={COURSE})) == ["NOMINATION_MISSING"]
    assert codes([*either, also], Facts(tiers={TIER: TODAY}, nominated=True)) == []
    assert "Any one of these 2" in rules.reasons_against(either, Facts(), TODAY, WHO)[0].message


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 8, 31), 6, date(2026, 2, 28)),
        (date(2025, 11, 15), 1, date(2025, 12, 15)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
    ],
)
def test_months_end_where_postgresql_ends_them(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


async def small_programme(installation: Installation) -> World:
    """One learner who has done all, one who has done nothing, and what lies between."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await open_world(work)
        for name in ("All", "Nothing", "Short", "Expired", "Second record"):
            learner(work, world, name)
        await employer(work, world, "Home", "P1", "Group")
        await employer(work, world, "Other", "P2")
        for name, minutes in (("Long", 200), ("Short course", 30), ("Old", None)):
            course(work, world, name, 1, duration_minutes=minutes, delivery_mode="e_learning")
        session(work, world, "Webinar", 2, TODAY - timedelta(days=20))
        await work.session.flush()
        employ(work, world, "All", "Home")
        employ(work, world, "Nothing", "Other")
        complete(work, world, "All", "Long", TODAY - timedelta(days=30))
        attend(work, world, "All", "Webinar")
        complete(work, world, "Short", "Short course", TODAY - timedelta(days=30))
        attend(work, world, "Short", "Webinar", qualifies=False)
        complete(work, world, "Expired", "Old", add_months(TODAY, -13))
        complete(work, world, "Second record", "Long", TODAY - timedelta(days=5))
        tier = await work.session.get_one(Tier, (work.tenant_id, world.tiers[1]))
        tier.validity_months = 12
    return world


async def against(installation: Installation, world: World, tier: int, on: date = TODAY) -> dict[str, list[str]]:
    """Codes by learner's name, of all learners at once and of each alone."""
    names = {identifier: name for name, identifier in world.learners.items()}
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        found = await reasons_against(work, tier_id=world.tiers[tier], learner_ids=names, on=on)
        for learner_id in names:
            alone = await reasons_against(work, tier_id=world.tiers[tier], learner_ids=[learner_id], on=on)
            assert alone.get(learner_id) == found.get(learner_id)
    return {names[learner_id]: [reason.code for reason in reasons] for learner_id, reasons in found.items()}


async def nominate(installation: Installation, world: World, who: str) -> dict[str, Any]:
    """The nomination of a learner of Home."""
    given = {
        "learnerId": f"Learner:{world.learners[who]}",
        "locationId": f"Location:{world.locations['Home']}",
        "nominatorName": "Mx Manager Example",
        "nominatorRole": "Registered manager",
        "statement": "Careful and liked",
    }
    return await change(installation, "nominateChampion(NominationInput)", given, NOMINATION)


@pytest.mark.row("A25")
@pytest.mark.row("A26")
async def test_foundation_first_and_an_approved_nomination_for_the_third_tier(installation: Installation) -> None:
    world = await small_programme(installation)
    assert await against(installation, world, 1) == {}
    assert await against(installation, world, 2) == {
        "Nothing": ["TIER_MISSING"],
        "Short": ["TIER_MISSING"],
        "Expired": ["TIER_EXPIRED"],
    }
    assert await against(installation, world, 2, TODAY - timedelta(days=31)) == {
        "All": ["TIER_MISSING"],
        "Nothing": ["TIER_MISSING"],
        "Short": ["TIER_MISSING"],
        "Second record": ["TIER_MISSING"],
    }, "what came later does not count, and what ended on that day still does"
    third = await against(installation, world, 3)
    assert third["All"] == ["NOMINATION_MISSING"]
    assert third["Nothing"] == ["TIER_MISSING", "TIER_MISSING", "NOMINATION_MISSING"]

    made = await nominate(installation, world, "All")
    assert made["nomination"]["status"] == "NOMINATED"
    assert (await against(installation, world, 3))["All"] == ["NOMINATION_MISSING"], "nominated is not approved"
    assert (await nominate(installation, world, "All"))["code"] == "NOMINATED_ALREADY"
    decision = {"id": made["nomination"]["id"], "version": 1, "reason": "A good choice"}
    approved = await change(installation, "approveNomination(NominationDecisionInput)", decision, NOMINATION)
    assert approved["nomination"] == {"id": decision["id"], "version": 2, "status": "APPROVED"}
    assert "All" not in await against(installation, world, 3)
    decline = "declineNomination(NominationDecisionInput)"
    assert (await change(installation, decline, decision, NOMINATION))["code"] == "CHANGED_MEANWHILE"
    assert (await change(installation, decline, decision | {"version": 2}, NOMINATION))["code"] == "DECIDED_ALREADY"
    withdraw = "withdrawNomination(NominationDecisionInput)"
    nothing_said = decision | {"version": 2, "reason": " "}
    assert (await change(installation, withdraw, nothing_said, NOMINATION))["code"] == "REASON_MISSING"
    gone = await change(installation, withdraw, decision | {"version": 2, "reason": "Left the home"}, NOMINATION)
    assert gone["nomination"]["status"] == "WITHDRAWN"
    assert (await against(installation, world, 3))["All"] == ["NOMINATION_MISSING"]
    assert (await nominate(installation, world, "All"))["nomination"]["status"] == "NOMINATED"
    async with installation.database.session(installation.context(installation.north)) as reading:
        told = await reading.execute(
            select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.after)
            .where(AuditEvent.subject_type == "champion_nomination")
            .order_by(AuditEvent.sequence)
        )
        events = told.all()
    assert [event.after["status"] for event in events] == ["nominated", "approved", "withdrawn", "nominated"]
    assert [event.after.get("reason") for event in events] == [None, "A good choice", "Left the home", None]
    assert all(event.actor_id is not None for event in events)


@pytest.mark.row("A26")
async def test_an_override_says_who_why_and_until_and_ends_by_itself(installation: Installation) -> None:
    world = await small_programme(installation)
    override = "overridePrerequisite(PrerequisiteOverrideInput)"
    answer = "... on OverrideChanged { override { id reason until grantedBy grantedAt rule { id } } }"
    given = {
        "learnerId": f"Learner:{world.learners['Nothing']}",
        "tierId": f"Tier:{world.tiers[2]}",
        "reason": "Knows it from another area",
        "until": (TODAY + timedelta(days=7)).isoformat(),
    }
    made = (await change(installation, override, given, answer))["override"]
    assert (made["reason"], made["until"], made["rule"]) == (given["reason"], given["until"], None)
    assert made["grantedBy"] is not None
    assert "Nothing" not in await against(installation, world, 2, TODAY + timedelta(days=7))
    assert "Nothing" in await against(installation, world, 2, TODAY + timedelta(days=8))
    yesterday = given | {"until": (TODAY - timedelta(days=1)).isoformat()}
    assert (await change(installation, override, yesterday, answer))["code"] == "OVER_ALREADY"
    rule = "PrerequisiteRule:" + str((await rules_of(installation, world, 3))[0])
    assert (await change(installation, override, given | {"ruleId": rule}, answer))["code"] == "NO_SUCH_RULE"
    one = given | {"ruleId": rule, "tierId": f"Tier:{world.tiers[3]}"}
    assert (await change(installation, override, one, answer))["override"]["rule"]["id"] == rule
    assert (await against(installation, world, 3))["Nothing"] == ["TIER_MISSING", "NOMINATION_MISSING"]
    end = "mutation($id: ID!) { endPrerequisiteOverride(id: $id) { __typename ... on UserError { code } } }"
    for expected in ({"__typename": "OverrideChanged"}, {"__typename": "OverrideRefused", "code": "ENDED_ALREADY"}):
        ended = await installation.data(installation.north, end, {"id": made["id"]})
        assert ended["endPrerequisiteOverride"] == expected
    assert (await against(installation, world, 2))["Nothing"] == ["TIER_MISSING"]


async def rules_of(installation: Installation, world: World, tier: int) -> list[UUID]:
    """Ids of a tier's rules in order."""
    wanted = select(PrerequisiteRule.id).where(PrerequisiteRule.tier_id == world.tiers[tier])
    async with installation.database.session(installation.context(installation.north)) as reading:
        return list(await reading.scalars(wanted.order_by(PrerequisiteRule.alternatives)))


async def test_scope_alternatives_and_merged_records(installation: Installation) -> None:
    world = await small_programme(installation)
    context = installation.context(installation.north)
    before = await rules_of(installation, world, 3)
    async with installation.database.unit_of_work(context) as work:
        programme = await work.session.get_one(Programme, (work.tenant_id, world.programme))
        programme.scope, programme.provider_group_id = "provider_group", world.groups["Group"]
        wanted = [
            NewRule(RuleKind.TIER_MET, 1, world.tiers[1]),
            NewRule(RuleKind.COURSE_COMPLETED, 1, needs_course_id=world.courses["Short course"]),
        ]
        await set_prerequisites(work, world.tiers[3], programme.version, wanted)
    after = await rules_of(installation, world, 3)
    assert before[0] in after, "a rule that stays keeps its id"
    found = await against(installation, world, 3)
    assert "All" not in found
    assert found["Short"] == ["OUTSIDE_PROGRAMME"]
    assert found["Nothing"] == ["OUTSIDE_PROGRAMME", "TIER_MISSING", "COURSE_MISSING"]
    async with installation.database.unit_of_work(context) as work:
        programme = await work.session.get_one(Programme, (work.tenant_id, world.programme))
        programme.scope, programme.provider_group_id, programme.cqc_provider_id = "single_provider", None, "P2"
        assert (await work.session.scalars(select(CqcLocation.provider_id))).all() == ["P1", "P2"]
    assert (await against(installation, world, 3))["All"] == ["OUTSIDE_PROGRAMME"]
    async with installation.database.unit_of_work(context) as work:
        await work.session.execute(update(Programme).values(scope="system", cqc_provider_id=None))
        merge = await merge_learners(work, world.learners["Nothing"], world.learners["Second record"], "One person")
    assert await against(installation, world, 2) == {"Short": ["TIER_MISSING"], "Expired": ["TIER_EXPIRED"]}
    async with installation.database.unit_of_work(context) as work:
        await undo_merge(work, merge)
        assert (await work.session.scalars(select(PrerequisiteOverride))).all() == []
    assert "Nothing" in await against(installation, world, 2)
    async with installation.database.unit_of_work(context) as work:
        assert await reasons_against(work, tier_id=None, learner_ids=world.learners.values(), on=TODAY) == {}
        tier = await work.session.get_one(Tier, (work.tenant_id, world.tiers[1]))
        tier.accepted_modes = ["practical"]
    assert "All" in await against(installation, world, 2), "e-learning is not among the accepted modes"


def test_tiers_that_need_each_other_are_out_of_reach() -> None:
    first, second, third = (uuid4() for _ in range(3))
    ladder: dict[UUID, list[tuple[int, UUID | None]]] = {
        first: [],
        second: [(1, first)],
        third: [(1, first), (2, second)],
    }
    assert rules.out_of_reach(ladder) == set()
    assert rules.out_of_reach(ladder | {first: [(1, third)]}) == {first, second, third}
    assert rules.out_of_reach(ladder | {first: [(1, third), (1, None)]}) == set(), "something else will do instead"
    assert rules.out_of_reach({second: [(1, second), (2, None)]}) == {second}


@pytest.mark.row("A26")
async def test_rules_that_lead_back_are_refused(installation: Installation) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        tiers = (await work.session.scalars(select(Tier).order_by(Tier.position))).all()
        programme = (await work.session.scalars(select(Programme))).one()
        with pytest.raises(TrainingRefusal) as refused:
            await set_prerequisites(work, tiers[0].id, programme.version, [NewRule(RuleKind.TIER_MET, 1, tiers[2].id)])
    assert refused.value.code == "NEEDS_ITSELF"
