"""Competence, confidence and progress through GraphQL."""

from datetime import timedelta
from typing import Any

import pytest

from app.training.requirements.rules import may_assess, next_progress
from tests.imports.support import completion, completions, take
from tests.support import Installation
from tests.training.requirements.test_programme import EMPLOYMENT, people
from tests.training.requirements.world import TODAY, World, change

ASSESSED = "... on CompetenceAssessed { assessment { id outcome reviewDueOn } }"


@pytest.mark.parametrize(
    ("rules", "roles", "profession", "competent", "may"),
    [
        ([(4, None, False)], {4}, None, False, True),
        ([(4, None, True)], {4}, None, False, False),
        ([(4, None, True)], {4}, None, True, True),
        ([(4, "Nurse", False)], {4}, None, True, False),
        ([(None, "Pharmacist", False)], set(), "pharmacist", False, True),
        ([(None, None, False)], {4}, "Pharmacist", True, False),
        ([], {4}, "Pharmacist", True, False),
    ],
)
def test_who_may_assess(
    rules: list[tuple[int | None, str | None, bool]],
    roles: set[int],
    profession: str | None,
    competent: bool,
    may: bool,
) -> None:
    assert may_assess(rules, roles=frozenset(roles), profession=profession, competent=competent) == may


@pytest.mark.row("A34")
@pytest.mark.parametrize(
    ("present", "told", "then"),
    [
        (None, "not_started", "not_started"),
        ("not_started", "in_progress", "in_progress"),
        ("in_progress", "completed", "completed"),
        ("completed", "in_progress", "completed"),
        ("completed", "not_started", "completed"),
        ("completed", "expired", "expired"),
        ("expired", "in_progress", "expired"),
        ("expired", "completed", "completed"),
    ],
)
def test_what_was_completed_is_not_begun_again(present: str | None, told: str, then: str) -> None:
    assert next_progress(present, told) == then


@pytest.mark.row("A34")
async def test_progress_goes_on_and_back_only_by_correction(installation: Installation) -> None:
    world = await people(installation)
    own = {"learnerId": f"Learner:{world.learners['Ann']}", "courseId": f"Course:{world.courses['Long']}"}
    answer = "... on ProgressRecorded { changed learner { progress { nodes { state correctedBecause } } } }"

    async def tell(state: str, hour: int) -> tuple[bool, str]:
        given = own | {"state": state, "toldAt": f"2026-11-20T{hour:02}:00:00Z", "source": "lms"}
        found = await change(installation, "recordProgress(ProgressInput)", given, answer)
        return found["changed"], found["learner"]["progress"]["nodes"][0]["state"]

    assert await tell("IN_PROGRESS", 8) == (True, "IN_PROGRESS")
    assert await tell("NOT_STARTED", 7) == (False, "IN_PROGRESS"), "an older report"
    assert await tell("COMPLETED", 9) == (True, "COMPLETED")
    assert await tell("IN_PROGRESS", 10) == (False, "COMPLETED"), "what was completed stays so"
    correct = "correctProgress(ProgressCorrectionInput)"
    corrected = "... on ProgressCorrected { progress { state correctedBecause } }"
    given = own | {"state": "IN_PROGRESS", "reason": ""}
    assert (await change(installation, correct, given, corrected))["code"] == "REASON_MISSING"
    given["reason"] = "The export was of another person"
    found = (await change(installation, correct, given, corrected))["progress"]
    assert found == {"state": "IN_PROGRESS", "correctedBecause": given["reason"]}


async def assess(installation: Installation, world: World, who: str, **others: Any) -> dict[str, Any]:
    """An assessment by a pharmacist unless told otherwise."""
    given = {
        "learnerId": f"Learner:{world.learners[who]}",
        "assessorName": "Pharmacist Example",
        "assessorProfession": "Pharmacist",
        "outcome": "COMPETENT",
        "skills": ["administers"],
        "assessedOn": TODAY.isoformat(),
    }
    return await change(installation, "assessCompetence(AssessmentInput)", given | others, ASSESSED)


async def test_competence_before_medicines_by_whom_may_assess_and_reviewed(installation: Installation) -> None:
    world = await people(installation)
    north = installation.north
    rules = """mutation($rules: [AssessorRuleInput!]!) { setAssessorRules(rules: $rules) {
      __typename ... on UserError { code } } }"""
    asked = """{ competenceCoverage(on: "2026-11-24") { giving assessed }
      employmentTasks(where: {task: {equals: "administers"}, learner: {competenceAssessments: {none: {
        outcome: {equals: "competent"}, reviewDueOn: {from: "2026-11-24"}}}}}) {
        nodes { learner { displayName } } } }"""
    found = await installation.data(north, "{ learners { nodes { displayName employments { nodes { id } } } } }")
    for one in found["learners"]["nodes"]:
        if one["displayName"] in ("Ann", "Cat"):
            given = {"id": one["employments"]["nodes"][0]["id"], "jobRoleCode": 8, "tasks": ["administers"]}
            await change(installation, "changeEmployment(EmploymentInput)", given, EMPLOYMENT)

    async def listed() -> tuple[dict[str, int], set[str]]:
        found = await installation.data(north, asked)
        names = {one["learner"]["displayName"] for one in found["employmentTasks"]["nodes"]}
        return found["competenceCoverage"], names

    assert await listed() == ({"giving": 2, "assessed": 0}, {"Ann", "Cat"}), "who gives medicines unassessed is listed"
    assert (await assess(installation, world, "Ann"))["code"] == "ASSESSOR_NOT_ELIGIBLE", "nobody may assess yet"
    nobody = (await installation.data(north, rules, {"rules": [{"needsOwnCompetence": True}]}))["setAssessorRules"]
    assert nobody["code"] == "NAMES_NOBODY"
    own = [{"profession": "Pharmacist"}, {"jobRoleCode": 16, "needsOwnCompetence": True}]
    assert (await installation.data(north, rules, {"rules": own}))["setAssessorRules"][
        "__typename"
    ] == "AssessorRulesSet"
    bea = {"assessorId": f"Learner:{world.learners['Bea']}", "assessorProfession": None}
    assert (await assess(installation, world, "Ann", **bea))["code"] == "ASSESSOR_NOT_ELIGIBLE", "not competent herself"
    assert (await assess(installation, world, "Bea", **bea))["code"] == "OWN_ASSESSMENT"
    assert (await assess(installation, world, "Bea"))["assessment"]["reviewDueOn"] == "2027-11-24"
    assert (await assess(installation, world, "Ann", **bea))["assessment"]["outcome"] == "COMPETENT"
    assert (await assess(installation, world, "Ann", skills=[" "]))["code"] == "SKILLS_MISSING"
    to_come = (TODAY + timedelta(days=1)).isoformat()
    assert (await assess(installation, world, "Ann", assessedOn=to_come))["code"] == "STILL_TO_COME"
    long_ago = (TODAY - timedelta(days=366)).isoformat()
    assert "assessment" in await assess(installation, world, "Cat", assessedOn=long_ago)
    assert await listed() == ({"giving": 2, "assessed": 1}, {"Cat"}), "a year ago is to be reviewed"
    months = "mutation { setCompetenceReview(months: 24) { __typename } }"
    assert (await installation.data(north, months))["setCompetenceReview"]["__typename"] == "AssessorRulesSet"
    assert (await assess(installation, world, "Cat"))["assessment"]["reviewDueOn"] == "2028-11-24"


@pytest.mark.row("A27")
async def test_confidence_is_compared_for_people_with_both_ratings_only(installation: Installation) -> None:
    world = await people(installation)
    tier = f"Tier:{world.tiers[2]}"
    answer = "... on ConfidenceRated { rating { id } }"

    async def rate(who: str, moment: str, rating: int, topic: str = "T05", points: int = 5) -> dict[str, Any]:
        given = {
            "learnerId": f"Learner:{world.learners[who]}",
            "tierId": tier,
            "topicCode": topic,
            "moment": moment,
            "rating": rating,
            "scalePoints": points,
            "ratedOn": TODAY.isoformat(),
        }
        return await change(installation, "rateConfidence(ConfidenceInput)", given, answer)

    for who, before, after in (("Ann", 1, 3), ("Bea", 2, 4), ("Cat", 3, 4)):
        await rate(who, "BEFORE", before)
        await rate(who, "AFTER", after)
    await rate("Dot", "BEFORE", 1)
    await rate("Ann", "BEFORE", 2, "T06")
    await rate("Ann", "AFTER", 5, "T06")
    assert (await rate("Dot", "AFTER", 5, points=10))["code"] == "OTHER_SCALE"
    assert (await rate("Dot", "AFTER", 6))["code"] == "OFF_SCALE"
    asked = """query($id: ID!) { confidenceChanges(tierId: $id) {
      topicCode people suppressed meanBefore meanAfter meanChange } }"""
    found = (await installation.data(installation.north, asked, {"id": tier}))["confidenceChanges"]
    hidden = dict.fromkeys(("meanBefore", "meanAfter", "meanChange"))
    assert found == [
        {"topicCode": "T05", "people": 3, "suppressed": True, **hidden},
        {"topicCode": "T06", "people": 1, "suppressed": True, **hidden},
    ]
    fewer = "mutation { setConfidenceMinimum(people: 3) { __typename ... on UserError { code } } }"
    done = await installation.data(installation.north, fewer)
    assert done["setConfidenceMinimum"]["__typename"] == "AssessorRulesSet"
    found = (await installation.data(installation.north, asked, {"id": tier}))["confidenceChanges"]
    assert found[0] == {
        "topicCode": "T05",
        "people": 3,
        "suppressed": False,
        "meanBefore": 2.0,
        "meanAfter": 3.67,
        "meanChange": 1.67,
    }


@pytest.mark.row("A34")
async def test_progress_comes_with_completions_files_and_never_takes_a_completion_back(
    installation: Installation,
) -> None:
    north = installation.north

    def told(number: int, status: str, course: str = "Safe handling") -> str:
        return f"{course},u{number},,,learner{number}@care.example,,,{status},,,PrescQIPP"

    await take(installation, north, completions([completion(1), completion(2, "Records")]), options={"tier": 1})
    rows = [told(1, "In progress"), told(2, "Not started"), told(1, "In progress", "Records"), told(3, "In progress")]
    await take(installation, north, completions(rows), options={"tier": 1})
    asked = """{ learners { nodes { displayName progress { nodes { state course { title } } } }  } }"""

    async def kept() -> set[tuple[str, str, str]]:
        found = (await installation.data(north, asked))["learners"]["nodes"]
        return {
            (one["displayName"], row["course"]["title"], row["state"])
            for one in found
            for row in one["progress"]["nodes"]
        }

    assert await kept() == {
        ("Givenb Familyb", "Safe handling", "COMPLETED"),
        ("Givenb Familyb", "Records", "IN_PROGRESS"),
        ("Givenc Familyc", "Safe handling", "NOT_STARTED"),
    }, "what was completed is not begun again, and who is not known is not made"
    await take(installation, north, completions([completion(1, "Records")]), options={"tier": 1})
    assert ("Givenb Familyb", "Records", "COMPLETED") in await kept()
