"""The champions' register through GraphQL and the worker: appointed, ended with the employment, counted; who stays."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.directory.models import Employment
from app.training.models import MedicationChampion
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tests.support import Installation
from tests.training.certificates.test_certificates import work_off
from tests.training.requirements.world import (
    TODAY,
    World,
    attend,
    change,
    employ,
    employer,
    learner,
    open_world,
    session,
)

CHAMPION = """... on ChampionChanged { champion { id version state startedOn endedOn trainedOn contactRoute deputy } }
  ... on ChampionRefused { reasons { code } }"""
WITHOUT = """{ locations(where: {champions: {none: {state: {equals: "active"}}}}) { nodes { cqc { name } } }
  championSummary { trained active locations covered uncovered perHundred } }"""
RETENTION = """query($on: Date!) { retention(on: $on) { champions people suppressed withEmployer inSector
  withEmployerShare inSectorShare } }"""


async def set_up(installation: Installation) -> World:
    """Two homes, a learner at each, one of them trained on a champions' day."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await open_world(work)
        for name in ("Ann", "Bea"):
            learner(work, world, name)
        await employer(work, world, "Home", "P1")
        await employer(work, world, "Other", "P2")
        session(work, world, "Day", 3, TODAY - timedelta(days=30), 300)
        await work.session.flush()
        attend(work, world, "Ann", "Day")
        employ(work, world, "Ann", "Home")
        employ(work, world, "Bea", "Other")
    return world


async def approved(installation: Installation, world: World, who: str, where: str) -> None:
    """A nomination, made and approved."""
    given = {
        "learnerId": f"Learner:{world.learners[who]}",
        "locationId": f"Location:{world.locations[where]}",
        "nominatorName": "Mx Example",
        "nominatorRole": "Manager",
        "statement": "Careful",
    }
    answer = "... on NominationChanged { nomination { id version } }"
    made = (await change(installation, "nominateChampion(NominationInput)", given, answer))["nomination"]
    await change(installation, "approveNomination(NominationDecisionInput)", made, answer)


async def without(installation: Installation) -> tuple[set[str], dict[str, Any]]:
    """Locations without an active champion, and the figures."""
    found = await installation.data(installation.north, WITHOUT)
    return {one["cqc"]["name"] for one in found["locations"]["nodes"]}, found["championSummary"]


@pytest.mark.row("A45")
@pytest.mark.row("A49")
async def test_champions_are_appointed_and_end_with_the_employment(installation: Installation) -> None:
    world = await set_up(installation)
    appoint = "appointChampion(AppointChampionInput)"
    ann = {"learnerId": f"Learner:{world.learners['Ann']}", "locationId": f"Location:{world.locations['Home']}"}
    bea = {"learnerId": f"Learner:{world.learners['Bea']}", "locationId": f"Location:{world.locations['Other']}"}
    refused = await change(installation, appoint, bea, CHAMPION)
    assert refused["code"] == "NOT_READY"
    assert [reason["code"] for reason in refused["reasons"]] == ["TIER_NOT_MET", "NO_APPROVED_NOMINATION"]
    await approved(installation, world, "Ann", "Other")
    (reason,) = (await change(installation, appoint, ann, CHAMPION))["reasons"]
    assert reason["code"] == "NO_APPROVED_NOMINATION", "one for another home does not count"
    await approved(installation, world, "Ann", "Home")
    assert await without(installation) == (
        {"Home", "Other"},
        {"trained": 0, "active": 0, "locations": 2, "covered": 0, "uncovered": 2, "perHundred": 0.0},
    )
    made = (await change(installation, appoint, ann | {"contactRoute": "Ext. 12"}, CHAMPION))["champion"]
    assert (made["state"], made["trainedOn"], made["contactRoute"]) == ("ACTIVE", "2026-10-25", "Ext. 12")
    assert (await change(installation, appoint, ann, CHAMPION))["code"] == "CHAMPION_ALREADY"
    assert await without(installation) == (
        {"Other"},
        {"trained": 1, "active": 1, "locations": 2, "covered": 1, "uncovered": 1, "perHundred": 50.0},
    )
    field = "changeChampion(ChangeChampionInput)"
    given = {"id": made["id"], "version": 1, "deputy": True}
    assert (await change(installation, field, given, CHAMPION))["champion"]["deputy"] is True
    assert (await change(installation, field, given, CHAMPION))["code"] == "CHANGED_MEANWHILE"

    async with installation.database.session(installation.context(installation.north)) as reading:
        employment = (
            await reading.scalars(select(Employment.id).where(Employment.learner_id == world.learners["Ann"]))
        ).one()
    left = {"id": f"Employment:{employment}", "endedOn": str(TODAY - timedelta(days=3)), "tasks": []}
    ended = "... on EmploymentChanged { employment { endedOn } }"
    done = await change(installation, "changeEmployment(EmploymentInput)", left, ended)
    assert done["__typename"] == "EmploymentChanged", done
    assert await work_off(installation, Topic.CHAMPIONS_END) == 1
    listed, figures = await without(installation)
    assert (listed, figures["active"], figures["trained"]) == ({"Home", "Other"}, 0, 1)
    asked = "query($id: ID!) { node(id: $id) { ... on MedicationChampion { state endedOn endedBecause version } } }"
    role = (await installation.data(installation.north, asked, {"id": made["id"]}))["node"]
    assert (role["state"], role["endedBecause"], role["version"]) == ("ENDED", "employment_ended", 3)
    assert role["endedOn"] == str(TODAY), "no sooner than the role began"
    assert [one["code"] for one in (await change(installation, appoint, ann, CHAMPION))["reasons"]] == [
        "EMPLOYMENT_ENDED"
    ]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        employ(work, world, "Ann", "Home", started_on=TODAY)
    back = (await change(installation, appoint, ann, CHAMPION))["champion"]
    assert (back["id"], back["state"], back["endedOn"]) == (made["id"], "ACTIVE", None)
    stop = {"id": back["id"], "version": back["version"], "reason": "New post"}
    end = "endChampion(EndChampionInput)"
    assert (await change(installation, end, stop | {"reason": ""}, CHAMPION))["code"] == "REASON_MISSING"
    over = (await change(installation, end, stop, CHAMPION))["champion"]
    assert (over["state"], over["endedOn"]) == ("ENDED", "2026-11-24")
    again = stop | {"version": over["version"]}
    assert (await change(installation, end, again, CHAMPION))["code"] == "ENDED_ALREADY"


@pytest.mark.row("A63")
async def test_the_pathway_and_who_stays(installation: Installation) -> None:
    world = await set_up(installation)
    field, answer = "setPathway(PathwayInput)", "... on PathwayChanged { steps { id position name roleCategory } }"
    steps = [
        {"name": "Champion", "roleCategory": "ENHANCED_CARE_WORKER"},
        {"name": "Lead champion", "roleCategory": "PRACTICE_LEADER"},
    ]
    first, second = (await change(installation, field, {"steps": steps}, answer))["steps"]
    assert (first["position"], first["roleCategory"]) == (1, "ENHANCED_CARE_WORKER")
    reach, reached = "reachStep(ReachStepInput)", "... on StepReached { learnerStep { reachedOn step { name } } }"
    ann = {"learnerId": f"Learner:{world.learners['Ann']}", "stepId": first["id"]}
    assert (await change(installation, reach, ann | {"on": "2027-01-01"}, reached))["code"] == "IN_THE_FUTURE"
    for day in ("2026-10-01", "2026-10-02"):
        told = (await change(installation, reach, ann | {"on": day}, reached))["learnerStep"]
        assert told == {"reachedOn": day, "step": {"name": "Champion"}}
    kept = {"id": second["id"], "name": "Lead", "roleCategory": "PRACTICE_LEADER"}
    assert (await change(installation, field, {"steps": [kept]}, answer))["code"] == "STEP_IN_USE"
    order = [kept, {"id": first["id"], "name": "Champion", "roleCategory": "ENHANCED_CARE_WORKER"}]
    turned = (await change(installation, field, {"steps": order}, answer))["steps"]
    assert [(one["id"], one["name"]) for one in turned] == [(second["id"], "Lead"), (first["id"], "Champion")]

    before = date(2025, 11, 24)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(update(Employment).values(started_on=TODAY - timedelta(days=9)))
        for number in range(22):
            name = f"Learner {number:02}"
            who = learner(work, world, name)
            await work.session.flush()
            champion, stays, moves = number < 12, number % 2 == 0, number % 4 == 1
            ends = {} if stays else {"ended_on": TODAY - timedelta(days=40)}
            employ(work, world, name, "Home", started_on=before - timedelta(days=200), **ends)
            if moves:
                employ(work, world, name, "Other", started_on=TODAY - timedelta(days=30))
            if champion:
                work.add(
                    MedicationChampion(
                        tenant_id=work.tenant_id, id=new_id(), learner_id=who, tenant_location_id=None,
                        location_key=name, trained_on=before - timedelta(days=30), started_on=None, ended_on=None,
                        deputy=False, import_id=None, created_at=work.now,
                    )
                )  # fmt: skip
    found = (await installation.data(installation.north, RETENTION, {"on": str(TODAY)}))["retention"]
    assert found == [
        {"champions": True, "people": 12, "suppressed": False, "withEmployer": 6, "inSector": 9,
         "withEmployerShare": 0.5, "inSectorShare": 0.75},
        {"champions": False, "people": 10, "suppressed": False, "withEmployer": 5, "inSector": 8,
         "withEmployerShare": 0.5, "inSectorShare": 0.8},
    ]  # fmt: skip
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        first_role = select(MedicationChampion.id).order_by(MedicationChampion.id).limit(3)
        few = update(MedicationChampion).where(MedicationChampion.id.in_(first_role.scalar_subquery()))
        await work.session.execute(few.values(trained_on=TODAY))
    champions, others = (await installation.data(installation.north, RETENTION, {"on": str(TODAY)}))["retention"]
    assert (champions["people"], champions["suppressed"], champions["inSector"]) == (9, True, None)
    assert (others["people"], others["suppressed"]) == (13, False)
