"""The main job in a real browser: a file comes in, is looked at, applied, answered, and becomes figures with charts."""

from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Browser, FilePayload, expect

from app.evidence.operations import refresh_figures
from app.identity.permissions import Role
from tests.browser.journey import Journey
from tests.console.programme import ATTENDANCE, COMPLETIONS, small_programme
from tests.identity.people import make_login, make_staff
from tests.imports.support import completion, completions, take, work_off
from tests.support import Installation

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"
PERIOD = "from=2026-04-01&to=2026-11-30"


async def sign_in(served: Installation, journey: Journey, role: Role = Role.PROGRAMME_LEAD) -> None:
    """Sign in with a role in the north."""
    await make_staff(served, served.north, EMAIL, role)
    await journey.sign_in(EMAIL)


async def choose(journey: Journey, name: str, content: bytes) -> None:
    """Choose a file."""
    file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content}
    await journey.page.locator("input[type=file]").set_input_files(files=[file])


def import_of(journey: Journey) -> UUID:
    """The import that the page is about."""
    return UUID(journey.page.url.partition("/imports/")[2][:36])


@pytest.mark.row("A30")
@pytest.mark.long
async def test_a_file_becomes_figures(served: Installation, journey: Journey) -> None:
    page = journey.page
    await take(served, served.north, COMPLETIONS, "completions", {"tier": 1}, filename="completions.csv")
    await sign_in(served, journey)
    await journey.follow("Imports")
    await journey.check("imports")
    await journey.press("Bring a file in")
    await journey.check("start")
    await choose(journey, "webinar.csv", ATTENDANCE)
    await page.get_by_label("Tier 1 completions export").check()
    await page.get_by_label("Tier of the training").select_option("2")
    await page.get_by_role("button", name="Bring in", exact=True).click()
    await expect(page.locator(".nhsuk-error-summary")).to_be_focused()
    assert "This looks like a Microsoft Teams attendance report" in await journey.main()
    assert "The file is still chosen" in await journey.main()
    await journey.check("start-refused")
    await page.get_by_role("button", name="Bring it in as a Microsoft Teams attendance report").click()
    await expect(page.get_by_role("link", name="Give its start and end")).to_be_visible()
    await journey.check("start-session")
    assert await page.locator("input[type=file]").evaluate("input => input.files.length") == 1
    await journey.fill("Title of the session (optional)", "When required medicines")
    await journey.fill("Day of the session (optional)", "2026-07-22")
    await journey.fill("Start (optional)", "14:00")
    await journey.fill("End (optional)", "15:30")
    await page.get_by_role("button", name="Bring in", exact=True).click()
    await page.wait_for_url("**/imports/*-*")
    assert await journey.heading() == "Microsoft Teams attendance report webinar.csv"
    await expect(page.get_by_text("Being read")).to_be_visible()
    await journey.check("import-staging")
    await work_off(served, served.north, import_of(journey))
    # The page follows by itself.
    await expect(page.get_by_text("Ready to apply")).to_be_visible()
    await journey.check("import-ready")
    await journey.press("Apply")
    await work_off(served, served.north, import_of(journey))
    await expect(page.get_by_text("What became of the rows")).to_be_visible()
    await journey.check("import-finished")
    await journey.follow("Answer the 3 rows in the review queue")
    await journey.check("review-queue")
    await page.get_by_role("link", name="Search for the learner (Givenc)").click()
    await journey.fill("Name or part of it", "famil")
    await journey.press("Search")
    await journey.check("review-entry")
    await page.get_by_role("button", name="This is Givenc Familyc").click()
    assert "The rows have been given to that learner" in await journey.main()
    await page.get_by_role("button", name="Leave out (Givend (Guest))").click()
    assert "Nothing waits for an answer" in await journey.main()
    await journey.check("review-queue-empty")
    async with served.database.unit_of_work(served.context(served.north)) as work:
        await refresh_figures(work)
    await journey.open(f"/console/impact?{PERIOD}")
    await journey.check("impact")
    figure = page.locator(".nhsuk-card", has=page.get_by_role("heading", name="Webinar attendances", exact=True))
    assert await figure.locator(".medstead-figure__value").inner_text() == "2"
    chart = page.get_by_role("img", name="Webinar attendances each month")
    drawn = await chart.locator("rect").evaluate_all("all => all.filter(one => one.getBBox().height > 0).length")
    assert drawn == 1
    for summary in await page.locator("main summary").all():
        await summary.click()
    await journey.check("impact-opened")


async def test_the_queue_is_answered_by_keyboard_alone(served: Installation, journey: Journey) -> None:
    made = await small_programme(served, served.north)
    await sign_in(served, journey)
    await journey.open(f"/console/imports/{made.attendance}/review")
    await journey.tab_to("Somebody new (Givenc)")
    async with journey.page.expect_navigation():
        await journey.page.keyboard.press("Enter")
    assert "A new learner has been made" in await journey.main()
    await journey.tab_to("Search for the learner (Givend (Guest))")
    async with journey.page.expect_navigation():
        await journey.page.keyboard.press("Enter")
    await journey.tab_to("Name or part of it")
    await journey.page.keyboard.type("familyd")
    async with journey.page.expect_navigation():
        await journey.page.keyboard.press("Enter")
    await journey.tab_to("This is Givend Familyd (Rose Lodge 3)")
    async with journey.page.expect_navigation():
        await journey.page.keyboard.press("Enter")
    assert "The rows have been given to that learner" in await journey.main()


async def test_bringing_a_file_in_works_without_scripts(
    served: Installation, browser: Browser, address: str, pictures: Path | None
) -> None:
    context = await browser.new_context(base_url=address, java_script_enabled=False)
    journey = Journey(await context.new_page(), pictures)
    await sign_in(served, journey)
    await journey.open("/console/imports/start")
    await choose(journey, "webinar.csv", ATTENDANCE)
    await journey.page.get_by_label("Tier 1 completions export").check()
    await journey.press("Bring in")
    assert "Choose the file again first" in await journey.main()
    await choose(journey, "completions.csv", COMPLETIONS)
    await journey.press("Bring in")
    assert "completions.csv" in await journey.heading()
    await work_off(served, served.north, import_of(journey))
    await journey.follow("Load again")
    assert "Ready to apply" in await journey.main()
    await context.close()


@pytest.mark.long
async def test_what_there_is_to_look_at(served: Installation, journey: Journey) -> None:
    made = await small_programme(served, served.north)
    other = completion(2).replace("u2,Givenc,Familyc", "u77,Quinn,Otherwise")
    await take(served, served.north, completions([other]), "completions", {"tier": 1}, filename="more.csv")
    await sign_in(served, journey)
    for name, path in {
        "imports": "imports",
        "import": f"imports/{made.completions}",
        "rejected": f"imports/{made.completions}/rejected",
        "remarks": f"imports/{made.completions}/remarks",
        "review-suggestion": "imports/review",
        "impact-rows": f"impact/IMP-01?{PERIOD}",
        "impact-attendances": f"impact/IMP-03?{PERIOD}",
        "impact-champions": f"impact/IMP-06?{PERIOD}",
        "impact-responses": f"impact/IMP-08?{PERIOD}",
        "impact-refused": "impact?from=2026-04-02&to=2026-04-01",
        "impact-nothing": "impact?from=2020-04-01&to=2020-05-01",
        "directory": "directory",
        "locations": "directory/locations",
        "location": "directory/locations/1-900000001",
        "employers": "directory/employers",
        "learners": "directory/learners",
        "imports-stored": "directory/imports",
        "settings": "settings",
        "home": "",
    }.items():
        await journey.open(f"/console/{path}")
        await journey.check(name)
    await journey.open("/console/directory/learners")
    await journey.follow("Details of Ben Made-Up")
    await journey.check("learner")


async def test_settings_refused_and_saved(served: Installation, journey: Journey) -> None:
    await sign_in(served, journey)
    await journey.open("/console/settings")
    await journey.page.get_by_text("Headings in your files").click()
    await journey.fill("Course", "Kursname")
    await journey.fill("Attendance threshold", "many")
    await journey.press("Save")
    await journey.check("settings-refused")
    await journey.fill("Attendance threshold", "75")
    await journey.press("Save")
    assert "The settings have been changed" in await journey.main()
    await journey.check("settings-saved")


async def test_the_platforms_registry(served: Installation, journey: Journey) -> None:
    await make_login(served, "operator@example.org", Role.PLATFORM_OPERATOR)
    await journey.sign_in("operator@example.org")
    await journey.check("home-operator")
    for name in ("registry", "registry/tenants", "registry/organisations"):
        await journey.open(f"/console/{name}")
        await journey.check(name.replace("/", "-"))
    await journey.follow("Details of Bedford Borough Council")
    await journey.check("organisation")
