"""The programme's pages: what they show, what they change, and that files say the same as pages."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.directory.models import Employment
from app.identity.permissions import Role
from app.training.models import Programme, Tier
from app.training.requirements import nominations, standing
from app.training.requirements.models import ChampionNomination, LearnerStanding, Requirement
from tests.console.visitor import main_text, visitor_as
from tests.support import Installation
from tests.training.requirements.test_programme import people
from tests.training.requirements.world import TODAY, World, complete, employ


async def set_up(installation: Installation) -> tuple[World, UUID]:
    """People with two requirements computed, and a nomination."""
    world = await people(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        complete(work, world, "Ann", "Long", TODAY - timedelta(days=10))
        await work.session.execute(update(Programme).values(status="published"))
        nomination = await nominations.nominate(
            work,
            learner_id=world.learners["Ann"],
            tenant_location_id=world.locations["Home"],
            nominator_name="Mx Manager Example",
            nominator_role="Registered manager",
            statement="Careful",
        )
    return world, nomination


def rows_of(text: str) -> list[list[str]]:
    """Rows of a file, without its headings."""
    return list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))[1:]


@pytest.mark.row("A7")
@pytest.mark.row("A25")
@pytest.mark.row("A26")
@pytest.mark.row("A28")
async def test_the_team_runs_the_programme_in_the_console(installation: Installation) -> None:
    world, nomination = await set_up(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    shown = main_text(await lead.get("/console/programme"))
    assert "Tier 1 (Foundation); Tier 2 (Step up); an approved nomination" in shown
    tier = f"/console/programme/tiers/{world.tiers[1]}"
    page = await lead.get(tier)
    found = re.search(r'name="version" value="(\d+)"', page.text)
    assert found
    form = {"version": found[1], "name": "First steps", "validity_months": "x", "renewal_lead_days": "90"}
    assert "Enter a whole number" in main_text(await lead.post(tier, form))
    saved = await lead.post(tier, form | {"validity_months": "24", "modes": "e_learning"})
    assert saved.headers["location"] == "/console/programme?done=tier-changed"
    assert "Somebody changed the programme meanwhile" in main_text(
        await lead.post(tier, form | {"validity_months": "1"})
    )

    await lead.get("/console/requirements")
    row: dict[str, Any] = {"programme_id": str(world.programme), "job_role": "8", "tier_id": str(world.tiers[1])}
    assert "Choose a programme." in main_text(await lead.post("/console/requirements/add", row | {"programme_id": ""}))
    assert (await lead.post("/console/requirements/add", row)).status_code == 303
    assert "has that row already" in main_text(await lead.post("/console/requirements/add", row))
    assert (
        rows_of((await lead.get("/console/requirements/matrix.csv")).text)
        == [["Role 8", "Any setting", "Whatever they do", "Tier 1: First steps", "Medicines training"]]
        or "Tier 1: First steps" in (await lead.get("/console/requirements/matrix.csv")).text
    )
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await standing.compute(work)
    for view in ("provider", "setting", "job_role", "tier"):
        page = await lead.get(f"/console/standing?by={view}")
        total = re.search(r"All Needed (\d+) Trained (\d+) Not trained (\d+) Share (\d+)%", main_text(page))
        assert total
        assert total.groups() == ("3", "1", "2", "33"), view
        split = rows_of((await lead.get(f"/console/standing/overview.csv?by={view}")).text)
        assert [sum(int(one[column]) for one in split) for column in (1, 2, 3)] == [3, 1, 2]
    inside = main_text(await lead.get("/console/standing?by=setting&within=provider&key=P1"))
    assert "All Needed 1 Trained 1 Not trained 0 Share 100%" in inside

    learner = f"/console/standing/learners/{world.learners['Ann']}"
    text = main_text(await lead.get(learner))
    assert "Completed Long on 14 November 2026" in text
    assert "Tier 3: Medication Champions No. Complete tier 2 (Step up) first." in text
    tier3 = {"tier_id": str(world.tiers[3]), "reason": "Trained elsewhere", "until": "2026-12-01"}
    for wrong_, words in ((("until", ""), "Enter the last day"), (("reason", " "), "Say why the learner may pass")):
        assert words in main_text(await lead.post(f"{learner}/override", tier3 | dict([wrong_])))
    assert (await lead.post(f"{learner}/override", tier3)).status_code == 303
    assert "Tier 3: Medication Champions Yes." in main_text(await lead.get(learner))
    again = {
        "location_id": str(world.locations["Home"]),
        "nominator_name": "x",
        "nominator_role": "y",
        "statement": "z",
    }
    assert "waits for a decision already" in main_text(await lead.post(f"{learner}/nominate", again))
    bea = f"/console/standing/learners/{world.learners['Bea']}/nominate"
    assert "/console/nominations/" in (await lead.post(bea, again)).headers["location"]
    decide = f"/console/nominations/{nomination}"
    assert "Careful" in main_text(await lead.get(decide))
    wrong = await lead.post(f"{decide}/decide", {"version": "1", "decision": "decline"})
    assert "Say why the nomination is declined." in main_text(wrong)
    done = await lead.post(f"{decide}/decide", {"version": "1", "decision": "approve"})
    assert done.headers["location"] == "/console/nominations?done=nomination-decided"
    listed = rows_of((await lead.get("/console/nominations/all.csv")).text)
    assert [row[0::4] for row in listed] == [["Bea", "Waiting"], ["Ann", "Approved"]]
    analyst = await visitor_as(installation, Role.ANALYST)
    hidden = (await analyst.get("/console/nominations")).text
    assert "Registered manager" in hidden
    assert "Mx Manager Example" not in hidden
    assert ">Ann<" not in (await analyst.get(learner)).text

    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        requirement = (await work.session.scalars(select(Requirement.id))).one()
        first = Employment.learner_id == world.learners["Ann"]
        await work.session.execute(update(Employment).where(first).values(ended_on=TODAY - timedelta(days=5)))
        employ(work, world, "Ann", "Other", started_on=TODAY - timedelta(days=4))
        complete(work, world, "Ann", "Short course", TODAY - timedelta(days=2))
    seen = {}
    for name, employer in world.employers.items():
        seen[name] = rows_of((await lead.get(f"/console/standing/employers/{employer}/learning.csv")).text)
        assert main_text(await lead.get(f"/console/standing/employers/{employer}")).startswith(f"Learning {name}")
    assert seen == {
        "Home": [["Ann", "Completed", "Long", "2026-11-14"]],
        "Other": [["Ann", "Completed", "Short course", "2026-11-22"]],
    }, "each sees what fell into its own time"
    gone = await lead.post(f"/console/requirements/{requirement}/remove")
    assert gone.headers["location"] == "/console/requirements?done=requirement-removed"
    async with installation.database.session(installation.context(installation.north)) as reading:
        assert (await reading.scalars(select(LearnerStanding.id))).all() == []
        assert set(await reading.scalars(select(ChampionNomination.status))) == {"approved", "nominated"}
        assert (await reading.scalars(select(Tier.validity_months).where(Tier.position == 1))).one() == 24


@pytest.mark.row("A55")
async def test_publishing_without_a_locked_mapping_warns_and_then_obeys(installation: Installation) -> None:
    world = await people(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await lead.get("/console/programme")
    publish = f"/console/programme/{world.programme}/publish"
    warned = await lead.post(publish, {"version": "1"})
    assert warned.status_code == 422
    assert "Publish anyway" in warned.text
    done = await lead.post(publish, {"version": "1", "anyway": "yes"})
    assert done.headers["location"] == "/console/programme?done=programme-published"
    assert "although no mapping exercise was locked" in main_text(await lead.get("/console/programme"))
