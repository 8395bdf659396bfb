"""Pages in a browser: keyboard, 320 pixels, axe; a nomination decided, a requirement added; governance and money."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.identity.permissions import Role
from app.training.models import Programme
from app.training.requirements import competence, nominations, standing
from app.training.requirements.matrix import NewRequirement, Post, add_requirement, begin_employment
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.messaging.support import set_sender
from tests.support import Installation
from tests.training.requirements.test_programme import people
from tests.training.requirements.world import TODAY, World, complete

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"
FORMS = (
    "governance/objectives/add",
    "governance/items/add?kind=feedback_theme",
    "governance/incidents/add",
    "costs/streams/add",
    "costs/pools/add",
    "costs/rates",
    "provider-groups",
    "sessions/outlines",
    "messages",
    "messages/sender",
    "messages/templates",
    "messages/templates/add",
    "messages/reminders",
    "messages/nudges/dormant",
    "background-work",
)
"""Pages to fill in that need little to be there."""


async def set_up(served: Installation) -> World:
    """A published programme with a matrix, evidence, a nomination and an assessment."""
    world = await people(served)
    await set_sender(served)
    async with served.database.unit_of_work(served.context(served.north)) as work:
        complete(work, world, "Ann", "Long", TODAY - timedelta(days=10))
        await work.session.execute(update(Programme).values(status="published"))
        await nominations.nominate(
            work,
            learner_id=world.learners["Ann"],
            tenant_location_id=world.locations["Home"],
            nominator_name="Mx Manager Example",
            nominator_role="Registered manager",
            statement="Keeps the charts in order and explains them well.",
        )
        await add_requirement(work, world.programme, 1, NewRequirement(8, None, None, None, world.tiers[1]))
        await add_requirement(work, world.programme, 2, NewRequirement(None, "domiciliary", None, "T20"))
        rules = [competence.NewAssessorRule(None, "Pharmacist", needs_own_competence=False)]
        await competence.set_assessor_rules(work, rules)
        await competence.assess(
            work,
            learner_id=world.learners["Ann"],
            assessor=competence.Assessor("Pharmacist Example", profession="Pharmacist"),
            outcome="competent",
            skills=["administers"],
            assessed_on=TODAY - timedelta(days=400),
        )
        post = Post(8, "domiciliary", None, ["administers"])
        await begin_employment(work, world.learners["Ann"], world.employers["Other"], TODAY, post)
        await standing.compute(work)
    return world


@pytest.mark.long
async def test_a_lead_looks_after_the_programme(served: Installation, journey: Journey) -> None:
    await set_up(served)
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    await journey.sign_in(EMAIL)
    await journey.open("/console/programme")
    await journey.check("programme")
    await journey.follow("1. Foundation")
    await journey.fill("Valid for, in months", "24")
    await journey.check("tier")
    await journey.press("Save")
    assert "24 months" in await journey.main()
    await journey.follow("Medicines training")
    await journey.follow("2. Step up")
    await journey.page.get_by_label("Current competence", exact=True).check()
    await journey.page.get_by_label("Competence in what").select_option("Gives medicines")
    await journey.press("Add what is needed")
    assert "current competence: Gives medicines" in await journey.main()
    await journey.open("/console/programme/competence")
    await journey.check("competence")
    await journey.open("/console/programme/start")
    await journey.fill("Name", "For one provider")
    await journey.page.get_by_label("One provider", exact=True).check()
    await journey.page.get_by_label("Which provider").select_option("P1 (P1)")
    await journey.check("programme-start")
    await journey.press("Start the programme")
    await journey.press("Move down Foundation")
    await journey.check("one-programme")
    await journey.open("/console/requirements")
    await journey.page.get_by_label("Programme", exact=True).select_option("Medicines training")
    await journey.page.get_by_label("Task", exact=True).select_option("Gives medicines")
    await journey.fill("Or needs this topic", "t05")
    await journey.tab_to("Add the row")
    await journey.press("Add the row")
    await journey.check("requirements")
    assert "Topic T05" in await journey.main()
    await journey.open("/console/standing")
    await journey.check("standing")
    await journey.follow("P1")
    assert "Only within one provider" in await journey.main()
    await journey.open("/console/standing")
    await journey.follow("Ann")
    await journey.check("learner")
    learner = journey.page.url
    for path in ("assess", "confidence", "progress", "employments/begin"):
        await journey.open(f"{learner}/{path}")
        await journey.check(f"learner-{path.replace('/', '-')}")
    await journey.open(learner)
    await journey.follow("Home")
    await journey.check("employer")
    await journey.open("/console/nominations")
    await journey.check("nominations")
    await journey.follow("Ann")
    await journey.page.get_by_label("Approve: the learner may book the champions’ tier").check()
    await journey.check("nomination")
    await journey.press("Decide")
    assert "Approved" in await journey.main()
    for path in FORMS:
        await journey.open(f"/console/{path}")
        await journey.check(path.partition("?")[0].replace("/", "-"))
