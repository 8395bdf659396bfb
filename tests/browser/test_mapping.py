"""The mapping in a real browser: topics, a draft filled by keyboard, locked; gaps, courses, regulations, templates."""

import pytest

from app.identity.permissions import Role
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.support import Installation
from tests.training.mapping.support import learned

pytestmark = pytest.mark.browser

EMAIL = "pat@example.org"


@pytest.mark.long
async def test_from_topics_to_a_template(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    await learned(served, served.north)
    page = journey.page
    await journey.sign_in(EMAIL)
    await journey.open("/console/mapping")
    await journey.press("Load the base taxonomy")
    assert "T40: Local guidance" in await journey.main()
    await journey.check("mapping")
    await journey.fill("Name", "Courses of 2027")
    await journey.press("Begin")
    await page.get_by_label("Assess a course").select_option("Covert medicines (Other Academy)")
    await journey.press("Go on")
    await page.get_by_label("Covered").first.select_option("Full")
    await page.get_by_label("Evidence (optional)").first.fill("Module 2")
    await journey.press("Save foundations")
    await journey.check("mapping-course")
    await journey.follow("Back to the matrix")
    exercise = page.url.partition("?")[0]
    cell = page.get_by_role("gridcell").first
    await cell.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("p")
    await page.get_by_text("Saved: Part").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("F")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("n")
    await page.get_by_text("Saved: None").wait_for()
    await journey.press("Weigh the courses")
    assert "None: no single course does." in await journey.main()
    assert [await page.get_by_role("gridcell").nth(at).inner_text() for at in range(4)] == [
        "Full",
        "Part",
        "Full",
        "None",
    ]
    await journey.check("mapping-matrix")
    await journey.press("Lock for ever")
    await journey.open(exercise)
    await journey.follow("Write a gap down")
    await page.get_by_label("Kind").select_option("Content")
    await journey.fill("What is missing", "Nothing on covert administration for home care")
    await journey.fill("Owner", "Pat Invented")
    await journey.fill("Due", "2026-12-31")
    await journey.press("Write down")
    await journey.press("Close the gap")
    assert "Name the course or session" in await journey.main()
    await journey.check("gap")
    await journey.fill("Decision (optional)", "The forum decided to write a module of its own.")
    await journey.press("Close the gap")
    await journey.open("/console/courses")
    await page.get_by_role("row").filter(has_text="PrescQIPP").get_by_role("link").click()
    await page.get_by_label("Scope").select_option("National")
    await journey.press("Save")
    await journey.check("course")
    await journey.follow("Change the topics")
    await journey.page.get_by_label("T05").check()
    await journey.check("course-topics")
    await journey.press("Save the topics")
    for path, name in (("courses/add", "course-add"), ("mapping/topics/add", "topic-add")):
        await journey.open(f"/console/{path}")
        await journey.check(name)
    await journey.open("/console/templates")
    await page.get_by_label("Programme", exact=True).select_option("Medicines training")
    await journey.fill("Name of the template", "Three tiers")
    await journey.fill("What it is for", "As we do it")
    await journey.press("Publish for all")
    await journey.fill("Name of your programme", "A second programme")
    await journey.press("Build a programme from it")
    await journey.check("templates")
