"""Reports and stories in a browser: axe, 320 pixels, keyboard; a report asked for, and its PDF taken away."""

from pathlib import Path

import pytest

from app.identity.permissions import Role
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.reporting.support import ROSE, made, make_scene
from tests.support import Installation
from tests.webhooks.support import work_off

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"


@pytest.mark.long
async def test_a_lead_hands_evidence_out(served: Installation, journey: Journey, tmp_path: Path) -> None:
    await make_scene(served)
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    pack = await made(served, "evidence_pack", named=True, cqc_provider_id=ROSE)
    await journey.sign_in(EMAIL)
    await journey.check("start")
    await journey.open("/console/reports/ask")
    assert not await journey.page.get_by_label("Provider", exact=True).is_visible()
    await journey.page.get_by_label("Evidence pack for an inspection").check()
    assert await journey.page.get_by_label("Provider", exact=True).is_visible()
    await journey.page.get_by_label("Impact report for funders").check()
    await journey.check("report-ask")
    await journey.press("Ask for it")
    assert "0 of 6" not in await journey.main()
    await journey.check("report-waiting")
    await work_off(served)
    await journey.page.get_by_role("heading", name="Webinar attendance over time").wait_for()
    await journey.check("report-impact")
    await journey.tab_to("PDF")
    async with journey.page.expect_download() as downloading:
        await journey.page.keyboard.press("Enter")
    taken = tmp_path / "report.pdf"
    await (await downloading.value).save_as(taken)
    assert taken.read_bytes().startswith(b"%PDF-")
    await journey.open("/console/stories/add")
    await journey.fill("Title", "A better round")
    await journey.fill("The story", "It went well.")
    await journey.press("Save")
    await journey.check("story")
    for name, path in (
        ("reports", "/console/reports"),
        ("pack", f"/console/reports/{pack}"),
        ("pack-training", f"/console/reports/{pack}/tables/training"),
        ("schedules", "/console/reports/schedules"),
        ("schedule-add", "/console/reports/schedules/add"),
        ("stories", "/console/stories"),
    ):
        await journey.open(path)
        await journey.check(f"report-{name}")
