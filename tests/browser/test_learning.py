"""Learning systems, ASC-WDS files and LDSS deadlines in a browser: axe, 320 pixels, keyboard."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.identity.permissions import Role
from app.training.asc_wds.operations import name_workplace, take_workers
from app.training.asc_wds.worker_file import read_workers
from app.training.elearning import meaning
from app.training.elearning.models import LearningAccount
from app.training.models import Course
from app.training.refunds.models import LdssClaim
from app.training.refunds.operations import CourseGiven, find_claims, save_course
from tests.asc_wds.test_files import AMY, FILE, scene
from tests.browser.journey import Journey
from tests.elearning.learning_system import COURSE, LearningSystemDouble, connected, statement
from tests.identity.people import make_staff
from tests.support import Installation
from tests.webhooks.support import work_off

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"


@pytest.mark.long
async def test_a_lead_lets_e_learning_count_and_hands_files_out(served: Installation, journey: Journey) -> None:
    world = await scene(served)
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    lms = LearningSystemDouble(served, await connected(served))
    assert (await lms.post([statement(meaning.PASSED), statement(meaning.PASSED, who="77")])).status_code == 200
    await journey.sign_in(EMAIL)
    await journey.open("/console/learning-systems/activities")
    await journey.follow(COURSE)
    await journey.page.get_by_label("Course", exact=True).first.select_option(index=1)
    await journey.check("activity-link")
    await journey.press("Link")
    await work_off(served)
    async with served.database.unit_of_work(served.context(served.north)) as work:
        course = (await work.session.scalars(select(Course.id).where(Course.title == "Foundation"))).one()
        await save_course(work, CourseGiven(course, "LC-1", Decimal(30), date(2026, 8, 1)))
        await find_claims(work)
        await name_workplace(work, world.employers["Rose Lodge"], "ROSE 1")
        await take_workers(work, [world.employers["Rose Lodge"]], read_workers(FILE.format("W1", AMY, "", "").encode()))
        account = (await work.session.scalars(select(LearningAccount.id).order_by(LearningAccount.id))).first()
        claim = (await work.session.scalars(select(LdssClaim.id).order_by(LdssClaim.due_on))).first()
    home, rose = "/console/learning-systems", world.employers["Rose Lodge"]
    for name, path in (
        ("systems", home),
        ("system-add", f"{home}/add"),
        ("system", f"{home}/{lms.system.id}"),
        ("activities", f"{home}/activities"),
        ("structure", f"{home}/activities/structure"),
        ("waiting", f"{home}/waiting"),
        ("account", f"{home}/accounts/{account}?name=amy"),
        ("asc-wds", "/console/asc-wds"),
        ("asc-wds-settings", "/console/asc-wds/settings"),
        ("asc-wds-desk", f"/console/asc-wds/{rose}"),
        ("ldss", "/console/ldss"),
        ("ldss-courses", "/console/ldss/courses"),
        ("ldss-claim", f"/console/ldss/{claim}"),
    ):
        await journey.open(path)
        await journey.check(f"learning-{name}")
    await journey.tab_to("Save")
    await journey.page.keyboard.press("Enter")
    await journey.page.get_by_text("What became of the claim has been kept").wait_for()
