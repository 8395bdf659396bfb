"""Programmes, tiers and the matrix through GraphQL: publishing, widening, ordering, newly missing, overview."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.directory.models import JobRole
from app.training.models import Course, Programme
from app.training.requirements import standing
from tenants.audit import Action, AuditEvent
from tenants.base import table_of
from tenants.engine import create_engine
from tests.support import Installation
from tests.training.requirements.test_gating import against
from tests.training.requirements.world import (
    TODAY,
    World,
    change,
    complete,
    course,
    employ,
    employer,
    learner,
    open_world,
)

PROGRAMME = "... on ProgrammeChanged { programme { id version name status publishedWithoutMapping scope } }"
TIER = "... on TierChanged { tier { id name acceptedModes validityMonths programme { version } } }"
EMPLOYMENT = """... on EmploymentChanged { employment { id setting }
  newlyMissing { state requirement { topicCode tier { position } } employer { name } } }"""


async def people(installation: Installation) -> World:
    """Four people at two homes of two providers, and courses."""
    owner = create_engine(installation.urls.owner)
    async with owner.begin() as connection:
        have = set((await connection.execute(select(JobRole.code))).scalars())
        for code in {8, 16} - have:
            await connection.execute(table_of(JobRole).insert().values(code=code, label=f"Role {code}"))
    await owner.dispose()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await open_world(work)
        for name in ("Ann", "Bea", "Cat", "Dot"):
            learner(work, world, name)
        await employer(work, world, "Home", "P1", "Group")
        await employer(work, world, "Other", "P2")
        course(work, world, "Long", 1, duration_minutes=200, delivery_mode="e_learning")
        course(work, world, "Short course", 1, duration_minutes=30, delivery_mode="practical")
        await work.session.flush()
        employ(work, world, "Ann", "Home", job_role_code=8, setting="care_home_with_nursing")
        employ(work, world, "Bea", "Home", job_role_code=16, setting="care_home_with_nursing")
        employ(work, world, "Cat", "Other", job_role_code=8, setting="domiciliary")
        employ(work, world, "Dot", "Other", job_role_code=8, setting="domiciliary")
    return world


async def version(installation: Installation, world: World) -> int:
    """The programme's present version."""
    asked = "query($id: ID!) { programme(id: $id) { version } }"
    found = await installation.data(installation.north, asked, {"id": f"Programme:{world.programme}"})
    return int(found["programme"]["version"])


async def do(installation: Installation, world: World, field: str, answer: str, **given: Any) -> dict[str, Any]:
    """A change of the programme with its present version."""
    own = {"id": f"Programme:{world.programme}", "version": await version(installation, world)}
    return await change(installation, field, own | given, answer)


@pytest.mark.row("A17")
@pytest.mark.row("A55")
@pytest.mark.row("A69")
async def test_a_programme_is_published_widened_and_its_tiers_arranged(installation: Installation) -> None:
    world = await people(installation)
    publish = "publishProgramme(PublishProgrammeInput)"
    assert (await do(installation, world, publish, PROGRAMME))["code"] == "NO_LOCKED_MAPPING"
    done = (await do(installation, world, publish, PROGRAMME, anyway=True))["programme"]
    assert (done["status"], done["publishedWithoutMapping"]) == ("PUBLISHED", True)
    assert (await do(installation, world, publish, PROGRAMME, anyway=True))["code"] == "PUBLISHED_ALREADY"
    async with installation.database.session(installation.context(installation.north)) as reading:
        told = select(AuditEvent.after).where(AuditEvent.action == Action.PROGRAMME_PUBLISHED)
        assert (await reading.scalars(told)).all() == [{"status": "published", "without_mapping": True}]

    first, second, third = (f"Tier:{world.tiers[position]}" for position in (1, 2, 3))
    arrange = "arrangeTiers(ArrangeTiersInput)"
    order = [{"tierId": second}, {"tierId": first}, {"name": "Extra"}, {"tierId": third}]
    assert (await do(installation, world, arrange, PROGRAMME, order=order))["__typename"] == "ProgrammeChanged"
    asked = "{ tiers { nodes { id position name prerequisites { totalCount } } } }"
    tiers = (await installation.data(installation.north, asked))["tiers"]["nodes"]
    assert [tier["name"] for tier in tiers] == ["Step up", "Foundation", "Extra", "Medication Champions"]
    assert [tier["prerequisites"]["totalCount"] for tier in tiers] == [1, 0, 0, 3]
    back = [{"tierId": first}, {"tierId": second}, {"tierId": third}]
    assert (await do(installation, world, arrange, PROGRAMME, order=back))["__typename"] == "ProgrammeChanged"
    assert (await do(installation, world, arrange, PROGRAMME, order=back[1:]))["code"] == "TIER_IN_USE"
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        complete(work, world, "Ann", "Long", TODAY)
    assert (await do(installation, world, arrange, PROGRAMME, order=order))["code"] == "HAS_HISTORY"
    renamed = {"name": "First steps", "validityMonths": 12, "acceptedModes": ["e_learning", "practical"]}
    tier = await do(installation, world, "changeTier(TierInput)", TIER, **(renamed | {"id": first}))
    assert tier["tier"]["name"] == "First steps", "names are free for ever"
    stale = {"id": first, "version": 1, "name": "Late"}
    assert (await change(installation, "changeTier(TierInput)", stale, TIER))["code"] == "CHANGED_MEANWHILE"

    single = {"name": "Own", "scope": "SINGLE_PROVIDER", "cqcProviderId": "CqcProvider:P2"}
    start = "startProgramme(NewProgrammeInput)"
    assert (await change(installation, start, single | {"cqcProviderId": None}, PROGRAMME))[
        "code"
    ] == "SCOPE_INCOMPLETE"
    own = (await change(installation, start, single, PROGRAMME))["programme"]
    assert (own["scope"], own["status"]) == ("SINGLE_PROVIDER", "DRAFT")
    published = {"id": own["id"], "version": own["version"], "anyway": True}
    own = (await change(installation, publish, published, PROGRAMME))["programme"]

    async def seen() -> dict[str, list[str]]:
        asked = "query($id: ID!) { openProgrammes(locationId: $id) { name } }"
        found = {}
        for name, location in world.locations.items():
            answer = await installation.data(installation.north, asked, {"id": f"Location:{location}"})
            found[name] = [one["name"] for one in answer["openProgrammes"]]
        return found

    assert await seen() == {"Home": ["Medicines training"], "Other": ["Medicines training", "Own"]}
    completions = "{ completions { totalCount } }"
    before = await installation.data(installation.north, completions)
    widen = "widenProgramme(WidenProgrammeInput)"
    narrower = {"id": own["id"], "version": own["version"], "scope": "SINGLE_PROVIDER"}
    assert (await change(installation, widen, narrower, PROGRAMME))["code"] == "NOT_WIDER"
    await change(installation, widen, narrower | {"scope": "SYSTEM"}, PROGRAMME)
    assert await seen() == {name: ["Medicines training", "Own"] for name in ("Home", "Other")}
    assert await installation.data(installation.north, completions) == before


@pytest.mark.row("A5")
@pytest.mark.row("A20")
@pytest.mark.row("A23")
async def test_short_courses_and_modes_of_delivery(installation: Installation) -> None:
    world = await people(installation)
    first = f"Tier:{world.tiers[1]}"
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        complete(work, world, "Ann", "Long", TODAY)
        complete(work, world, "Bea", "Short course", TODAY)
    assert await against(installation, world, 2) == {name: ["TIER_MISSING"] for name in ("Bea", "Cat", "Dot")}
    let = """mutation($id: ID!, $why: String!) { letShortCourseCount(courseId: $id, reason: $why) {
      __typename ... on UserError { code } } }"""
    codes = []
    for name, why in (("Long", "x"), ("Short course", " "), ("Short course", "Hands on"), ("Short course", "x")):
        given = {"id": f"Course:{world.courses[name]}", "why": why}
        answer = (await installation.data(installation.north, let, given))["letShortCourseCount"]
        codes.append(answer.get("code", answer["__typename"]))
    assert codes == ["NOT_SHORT", "REASON_MISSING", "CourseRulesChanged", "LET_PASS_ALREADY"]
    assert await against(installation, world, 2) == {name: ["TIER_MISSING"] for name in ("Cat", "Dot")}
    modes = [(["webinar"], {"Ann", "Bea", "Cat", "Dot"}), (["practical"], {"Ann", "Cat", "Dot"})]
    modes += [(["e_learning", "practical"], {"Cat", "Dot"})]
    for accepted, missing in modes:
        tier: dict[str, Any] = {"id": first, "name": "Foundation", "minimumMinutes": 180, "acceptedModes": accepted}
        answer = await do(installation, world, "changeTier(TierInput)", TIER, **tier)
        assert answer["tier"]["acceptedModes"] == accepted
        assert (await against(installation, world, 2)).keys() == missing
    wrong = {"id": first, "name": "Foundation", "acceptedModes": ["by_post"]}
    assert (await do(installation, world, "changeTier(TierInput)", TIER, **wrong))["code"] == "UNKNOWN_MODE"


async def require(installation: Installation, world: World, **row: Any) -> dict[str, Any]:
    """A row of the matrix."""
    given = {"programmeId": f"Programme:{world.programme}", "version": await version(installation, world)}
    answer = "... on RequirementAdded { requirement { id } }"
    return await change(installation, "addRequirement(RequirementInput)", given | row, answer)


@pytest.mark.row("A7")
@pytest.mark.row("A9")
@pytest.mark.row("A56")
@pytest.mark.row("A28")
async def test_requirements_by_role_setting_and_task_and_who_meets_them(installation: Installation) -> None:
    world = await people(installation)
    north = installation.north
    async with installation.database.unit_of_work(installation.context(north)) as work:
        await work.session.execute(update(Programme).values(status="published"))
        complete(work, world, "Ann", "Long", TODAY - timedelta(days=10))
        complete(work, world, "Cat", "Long", TODAY - timedelta(days=10))
    first, second = (f"Tier:{world.tiers[position]}" for position in (1, 2))
    matrix: list[dict[str, Any]] = [
        {"jobRoleCode": 8, "tierId": first},
        {"setting": "domiciliary", "topicCode": "t20"},
        {"task": "administers", "tierId": second},
        {"setting": "care_home_with_nursing", "topicCode": "T05"},
    ]
    for row in matrix:
        assert (await require(installation, world, **row))["__typename"] == "RequirementAdded"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"tierId": first, "jobRoleCode": 8}, "REQUIRED_ALREADY"),
        ({"jobRoleCode": 8}, "NEEDS_NOTHING"),
        ({"jobRoleCode": 9_999, "tierId": first}, "NO_SUCH_JOB_ROLE"),
        ({"setting": "hospital", "tierId": first}, "NO_SUCH_SETTING"),
        ({"task": "guesses", "tierId": first}, "NO_SUCH_TASK"),
    ]
    for row, code in wrong:
        assert (await require(installation, world, **row))["code"] == code
    async with installation.database.unit_of_work(installation.context(north)) as work:
        await standing.compute(work)
    asked = """{ learners { nodes { displayName employments { nodes { id employer { id name } } }
      standing { nodes { state requirement { topicCode tier { position } } } } } } }"""

    async def stands() -> dict[str, set[tuple[Any, str]]]:
        found = (await installation.data(north, asked))["learners"]["nodes"]
        return {
            one["displayName"]: {
                (row["requirement"]["topicCode"] or row["requirement"]["tier"]["position"], row["state"])
                for row in one["standing"]["nodes"]
            }
            for one in found
        }

    assert await stands() == {
        "Ann": {(1, "MET"), ("T05", "MISSING")},
        "Bea": {("T05", "MISSING")},
        "Cat": {(1, "MET"), ("T20", "MISSING")},
        "Dot": {(1, "MISSING"), ("T20", "MISSING")},
    }, "the same role needs other topics in another setting"
    people_ = {one["displayName"]: one for one in (await installation.data(north, asked))["learners"]["nodes"]}
    bea = people_["Bea"]["employments"]["nodes"][0]["id"]
    given = {"id": bea, "jobRoleCode": 8, "setting": "domiciliary", "tasks": ["administers"]}
    changed = await change(installation, "changeEmployment(EmploymentInput)", given, EMPLOYMENT)
    newly = {
        (row["requirement"]["topicCode"] or row["requirement"]["tier"]["position"]) for row in changed["newlyMissing"]
    }
    assert newly == {1, 2, "T20"}
    assert (await stands())["Bea"] == {(1, "MISSING"), (2, "MISSING"), ("T20", "MISSING")}
    again = await change(installation, "changeEmployment(EmploymentInput)", given, EMPLOYMENT)
    assert again["newlyMissing"] == []

    views: dict[str, list[dict[str, Any]]] = {}
    over = """query($by: OversightBy!, $tier: ID, $within: OversightWithin) {
      oversight(on: "2026-11-24", by: $by, tierId: $tier, within: $within) {
        key label needing trained untrained staff } }"""
    for by in ("PROVIDER", "SETTING", "JOB_ROLE", "TIER"):
        views[by] = (await installation.data(north, over, {"by": by}))["oversight"]
    totals = {
        by: tuple(sum(row[n] for row in rows) for n in ("needing", "trained", "untrained"))
        for by, rows in views.items()
    }
    assert set(totals.values()) == {(5, 2, 3)}, "every view adds up to the same"
    assert sum(row["staff"] for row in views["PROVIDER"]) == 4
    assert {row["key"]: (row["needing"], row["trained"], row["staff"]) for row in views["PROVIDER"]} == {
        "P1": (3, 1, 2),
        "P2": (2, 1, 2),
    }
    for row in views["PROVIDER"]:
        inside = {"by": "SETTING", "within": {"by": "PROVIDER", "key": row["key"]}}
        parts = (await installation.data(north, over, inside))["oversight"]
        for name in ("needing", "trained", "untrained", "staff"):
            assert sum(part[name] for part in parts) == row[name]
    one = (await installation.data(north, over, {"by": "PROVIDER", "tier": second}))["oversight"]
    assert [(row["needing"], row["trained"]) for row in one] == [(1, 0), (0, 0)]

    # Somebody who moves keeps the tier: it is theirs, not the employer's.
    ann = people_["Ann"]
    leave = {"id": ann["employments"]["nodes"][0]["id"], "jobRoleCode": 8, "endedOn": "2026-11-23"}
    await change(installation, "changeEmployment(EmploymentInput)", leave, EMPLOYMENT)
    assert (await stands())["Ann"] == set()
    begin = {
        "learnerId": f"Learner:{world.learners['Ann']}",
        "employerId": f"Employer:{world.employers['Other']}",
        "startedOn": "2026-11-24",
        "jobRoleCode": 8,
        "setting": "domiciliary",
    }
    begun = await change(installation, "beginEmployment(NewEmploymentInput)", begin, EMPLOYMENT)
    assert [row["requirement"]["topicCode"] for row in begun["newlyMissing"]] == ["T20"]
    assert (await stands())["Ann"] == {(1, "MET"), ("T20", "MISSING")}
    assert (await change(installation, "beginEmployment(NewEmploymentInput)", begin, EMPLOYMENT))[
        "code"
    ] == "EMPLOYED_ALREADY"
    remove = "mutation($id: ID!) { removeRequirement(id: $id) { __typename } }"
    rows = (await installation.data(north, "{ requirements { nodes { id topicCode } } }"))["requirements"]["nodes"]
    await installation.data(north, remove, {"id": next(row["id"] for row in rows if row["topicCode"] == "T20")})
    assert (await stands())["Ann"] == {(1, "MET")}
    cover = """mutation($id: ID!) { setCourseTopics(courseId: $id, topicCodes: ["t05"]) { __typename } }"""
    await installation.data(north, cover, {"id": f"Course:{world.courses['Long']}"})
    async with installation.database.unit_of_work(installation.context(north)) as work:
        assert (await work.session.scalars(select(Course.title).where(Course.id == world.courses["Long"]))).all() == [
            "Long"
        ]
        assert (await standing.compute(work)).states == {}, "nobody who needs T05 has completed it"
