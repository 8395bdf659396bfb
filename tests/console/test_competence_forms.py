"""A learner’s competence, confidence, employment, progress and overrides in the console; the rules of competence."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.directory.models import JobRole
from app.identity.permissions import Role
from app.training.mapping.taxonomy import NewTopic, save_topic
from app.training.models import Programme
from app.training.requirements.matrix import NewRequirement, add_requirement
from tests.console.visitor import main_text, visitor_as
from tests.support import Installation
from tests.training.requirements.test_programme import people
from tests.training.requirements.world import TODAY, World

SETTINGS = "/console/programme/competence"


async def set_up(installation: Installation) -> tuple[World, dict[int, str]]:
    """People, a topic of the tenant's own, a requirement of whoever gives medicines; and what job roles are called."""
    world = await people(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await save_topic(work, NewTopic("T05", "Covert medicines", "Practice"))
        await add_requirement(work, world.programme, 1, NewRequirement(None, None, "administers", "T05"))
        await work.session.execute(update(Programme).values(status="published"))
        roles = {role.code: role.label for role in await work.session.scalars(select(JobRole))}
    return world, roles


@pytest.mark.row("A27")
async def test_who_may_assess_and_an_assessment_by_them(installation: Installation) -> None:
    world, roles = await set_up(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    assess = f"/console/standing/learners/{world.learners['Ann']}/assess"
    assert "Nobody may assess yet" in main_text(await lead.get(assess))
    assert "Nobody yet: no assessment can be recorded." in main_text(await lead.get(SETTINGS))
    add = f"{SETTINGS}/assessors/add"
    assert "Choose a job role, or name a profession." in (await lead.post(add, {"needs_own": "yes"})).text
    assert (await lead.post(add, {"job_role_code": "16", "needs_own": "yes"})).status_code == 303
    assert (await lead.post(add, {"profession": " Pharmacist "})).status_code == 303
    again = await lead.post(add, {"profession": "Pharmacist"})
    assert (again.status_code, "There is such a rule already" in again.text) == (422, True)
    shown = await lead.get(SETTINGS)
    assert roles[16] in main_text(shown)
    assert "Bea" in main_text(shown), "she has a job role that a rule names"
    why = "their own competence is not assessed, or was due for review"
    assert f"May assess today Not today: {why}" in main_text(shown)
    assert f"Not today: {why}" in (await lead.get(f"{SETTINGS}/assessors.csv")).text

    given: dict[str, Any] = {
        "assessor_id": str(world.learners["Bea"]), "outcome": "competent", "skills": ["administers"],
        "topics": ["T05"], "assessed_on": TODAY.isoformat(),
    }  # fmt: skip
    page = await lead.get(assess)
    assert f"Bea, {roles[16]} (may not today: {why})" in page.text
    for fields, words, field in (
        ({}, f"That person may not assess: {why}.", "assessor_id"),
        ({"assessor_id": ""}, "Choose the assessor, or name somebody from outside.", "assessor_id"),
        ({"assessor_id": "", "assessor_name": "Dr Example"}, "name neither their job role nor", "assessor_id"),
        ({"assessor_id": str(world.learners["Ann"])}, "Nobody assesses themselves.", "assessor_id"),
        ({"outcome": ""}, "Choose the outcome.", "outcome"),
        ({"skills": [], "topics": []}, "Say which topics or tasks were assessed.", "skills"),
        ({"assessed_on": (TODAY + timedelta(days=1)).isoformat()}, "it cannot be to come", "assessed_on"),
    ):
        refused = await lead.post(assess, given | fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
        assert 'value="T05" checked' in refused.text or fields.get("topics") == [], "what was ticked is kept"
    outside = {"assessor_id": "", "assessor_name": "Dr Example", "assessor_profession": "Pharmacist"}
    bea = assess.replace(str(world.learners["Ann"]), str(world.learners["Bea"]))
    assert (await lead.post(bea, given | outside)).status_code == 303
    assert f"Bea, {roles[16]}<" in (await lead.get(assess)).text, "with her own competence she may assess"
    done = await lead.post(assess, given)
    standing = done.headers["location"].partition("?")[0]
    kept = main_text(await lead.get(standing))
    assert "Skills T05, Gives medicines Review due 24 November 2027 Assessor Bea" in kept

    for path, name, wrong, right in (("review", "review_months", "40", "6"), ("minimum", "people", "x", "3")):
        answer = await lead.post(f"{SETTINGS}/{path}", {name: wrong})
        assert (answer.status_code, f'value="{wrong}"' in answer.text) == (422, True)
        assert (await lead.post(f"{SETTINGS}/{path}", {name: right})).status_code == 303
    read = await reader.get(SETTINGS)
    assert "reviewed every 6 months" in main_text(read)
    assert "told of 3 people or more" in main_text(read)
    assert "Bea" not in main_text(read)
    assert "<form" not in read.text.partition("<main")[2]
    rules = re.findall(r"/assessors/([0-9a-f-]{36})/remove", (await lead.get(SETTINGS)).text)
    assert (await lead.post(f"{SETTINGS}/assessors/{rules[0]}/remove")).status_code == 303
    late = await lead.post(f"{SETTINGS}/assessors/{rules[0]}/remove")
    assert late.status_code == 404, "it was taken away already"
    for path in (assess, add, f"{SETTINGS}/review", f"{SETTINGS}/minimum", f"{SETTINGS}/assessors/{rules[1]}/remove"):
        assert (await reader.post(path)).status_code == 403, path


@pytest.mark.row("A34")
async def test_confidence_before_and_after_by_hand(installation: Installation) -> None:
    world, _ = await set_up(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    standing = f"/console/standing/learners/{world.learners['Ann']}"
    page = f"{standing}/confidence"
    assert "Nothing was told yet." in main_text(await lead.get(page))
    given = {
        "tier_id": str(world.tiers[1]), "topic_code": "T05", "moment": "before", "rating": "2", "scale_points": "5",
        "rated_on": "2026-11-01",
    }  # fmt: skip
    assert (await lead.post(page, given)).status_code == 303
    for fields, words, field in (
        ({"moment": ""}, "Choose when it was told.", "moment"),
        ({"tier_id": ""}, "Choose the tier.", "tier_id"),
        ({"rating": "6"}, "Give a rating from 1", "rating"),
        ({"moment": "after", "scale_points": "7"}, "on another scale", "scale_points"),
        ({"rated_on": "2027-01-01"}, "it cannot be to come", "rated_on"),
    ):
        refused = await lead.post(page, given | fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
    assert "on 1 November 2026 After – Change –" in main_text(await lead.get(page))
    await lead.post(page, given | {"moment": "after", "rating": "4", "rated_on": "2026-11-20"})
    pair = "Topic T05 Before 2 of 5, on 1 November 2026 After 4 of 5, on 20 November 2026 Change +2"
    assert pair in main_text(await lead.get(page))
    assert pair in main_text(await reader.get(standing))
    assert "+2" in (await reader.get(f"{page}.csv")).text
    assert page not in (await reader.get(standing)).text.replace(f"{page}.csv", "")
    assert (await reader.get(page)).status_code == 403
    assert (await reader.post(page, given)).status_code == 403


@pytest.mark.row("A27")
async def test_employment_progress_and_overrides_of_a_learner(installation: Installation) -> None:
    world, roles = await set_up(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    standing = f"/console/standing/learners/{world.learners['Ann']}"
    begin = f"{standing}/employments/begin"
    await lead.get(begin)
    there: dict[str, Any] = {
        "employer_id": str(world.employers["Other"]), "started_on": "2026-11-02", "job_role_code": "8",
        "setting": "domiciliary", "tasks": ["administers", "stores"],
    }  # fmt: skip
    for fields, words, field in (
        ({"employer_id": ""}, "Choose the employer.", "employer_id"),
        ({"started_on": ""}, "Enter the first day.", "started_on"),
        ({"ended_on": "2026-11-01"}, "The last day cannot be before the first.", "ended_on"),
        ({"employer_id": str(world.employers["Home"])}, "The learner works there already.", "employer_id"),
    ):
        refused = await lead.post(begin, there | fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
        assert 'value="stores" checked' in refused.text
    done = await lead.post(begin, there)
    assert done.headers["location"] == f"{standing}?done=employment-changed-missing", "topic T05 is required now"
    shown = await lead.get(standing)
    works = f"Employer Other Job role {roles[8]} Setting Care at home Tasks Gives medicines, Stores medicines"
    assert f"{works} First day 2 November 2026 Last day –" in main_text(shown)
    employment = re.findall(r'href="([^"]+/employments/[0-9a-f-]{36})"', shown.text)[0]
    form = await lead.get(employment)
    assert all(f'value="{task}" checked' in form.text for task in ("administers", "stores"))
    change: dict[str, Any] = {"job_role_code": "8", "setting": "", "tasks": ["stores"], "ended_on": "2026-11-01"}
    assert "The last day cannot be before the first." in (await lead.post(employment, change)).text
    ended = await lead.post(employment, change | {"ended_on": "2026-11-20"})
    assert ended.headers["location"] == f"{standing}?done=employment-changed"
    assert "Setting – Tasks Stores medicines First day 2 November 2026 Last day 20 November 2026" in main_text(
        await lead.get(standing)
    )
    again = await lead.post(begin, there)
    assert (again.status_code, "works there already" in again.text) == (422, True), "from the same first day"
    stranger = employment.replace(str(world.learners["Ann"]), str(world.learners["Bea"]))
    assert (await lead.get(stranger)).status_code == 404

    progress = f"{standing}/progress"
    told = {"course_id": str(world.courses["Long"]), "state": "in_progress", "reason": "The test account was counted"}
    for missing, words in (
        ("course_id", "Choose the course."), ("state", "Choose how far"), ("reason", "Say why the state is corrected.")
    ):  # fmt: skip
        refused = await lead.post(progress, told | {missing: ""})
        assert (refused.status_code, words in refused.text, f'href="#{missing}"' in refused.text) == (422, True, True)
    assert (await lead.post(progress, told)).status_code == 303
    assert "Course Long State In progress" in main_text(await lead.get(standing))
    assert "The test account was counted" not in (await reader.get(standing)).text

    granted = {"tier_id": str(world.tiers[2]), "reason": "Trained elsewhere", "until": "2026-12-01"}
    await lead.post(f"{standing}/override", granted)
    shown = await lead.get(standing)
    assert "Tier 2: Step up Yes." in main_text(shown)
    end = re.findall(r'action="([^"]+/overrides/[0-9a-f-]{36}/end)"', shown.text)[0]
    assert (await lead.post(end.replace(str(world.learners["Ann"]), str(world.learners["Bea"])))).status_code == 404
    assert (await lead.post(end)).headers["location"] == f"{standing}?done=override-ended"
    over = main_text(await lead.get(standing))
    assert "Tier 2: Step up No." in over
    assert "State Ended" in over
    assert "The override was ended already" in main_text(await lead.post(end))
    for path in (begin, employment, progress, end):
        assert (await reader.post(path)).status_code == 403, path
        assert path not in (await reader.get(standing)).text
