"""Certificates and champions in a browser: issued, checked by anybody, a champion appointed; keyboard, 320 px, axe."""

import pytest

from app.identity.permissions import Role
from app.training.champion_register.pathway import Step, set_pathway
from app.training.requirements import nominations
from tenants.outbox import Topic
from tests.browser.journey import Journey
from tests.identity.people import make_staff
from tests.support import Installation
from tests.training.certificates.test_certificates import work_off
from tests.training.certificates.test_champions import set_up

pytestmark = pytest.mark.browser

EMAIL = "lead@example.org"


@pytest.mark.long
async def test_a_lead_certifies_and_appoints_and_anybody_verifies(served: Installation, journey: Journey) -> None:
    world = await set_up(served)
    async with served.database.unit_of_work(served.context(served.north)) as work:
        nomination = await nominations.nominate(
            work,
            learner_id=world.learners["Ann"],
            tenant_location_id=world.locations["Home"],
            nominator_name="Mx Manager Example",
            nominator_role="Registered manager",
            statement="Keeps the charts in order.",
        )
        await nominations.approve(work, nomination, 1)
        await set_pathway(work, [Step("Champion", "enhanced_care_worker"), Step("Lead champion", "practice_leader")])
    await make_staff(served, served.north, EMAIL, Role.PROGRAMME_LEAD)
    await journey.sign_in(EMAIL)
    await journey.open("/console/certificates")
    await journey.follow("Write the template")
    await journey.fill("Issuer", "Invented ICB")
    await journey.press("Save")
    await journey.check("template refused")
    assert "Write the disclaimer" in await journey.main()
    await journey.fill("Who signs", "Sam Signatory")
    await journey.fill("Role of whoever signs", "Programme lead")
    await journey.fill("Disclaimer", "Guidance only. It is no assessment of competence.")
    await journey.press("Save")
    await journey.page.get_by_label("For a session", exact=True).select_option(index=1)
    await journey.tab_to("Issue")
    await journey.press("Issue")
    await work_off(served, Topic.CERTIFICATES_ISSUE)
    await journey.open("/console/certificates")
    await journey.check("certificates")
    await journey.follow("NORTH-000001")
    await journey.check("certificate")
    await journey.follow("What anybody sees who checks it")
    await journey.check("verified")
    assert "This certificate is valid" in await journey.main()
    address = journey.page.url
    await journey.follow("Check another certificate")
    await journey.check("verify")
    await journey.fill("Verification code or certificate number", "no such code")
    await journey.press("Check")
    await journey.check("verify nothing")
    await journey.open("/console/certificates/revoke")
    await journey.page.get_by_label("Of a session", exact=True).select_option(index=1)
    await journey.press("Count them")
    await journey.check("revoke")
    await journey.fill("Why they are revoked", "Wrong recording")
    await journey.press("Revoke")
    await journey.page.goto(address)
    await journey.check("revoked")
    assert "This certificate was revoked" in await journey.main()

    await journey.open("/console/champions")
    await journey.page.get_by_label("Approved nomination", exact=True).select_option(index=1)
    await journey.fill("How the home and health professionals reach them (optional)", "Extension 12")
    await journey.press("Appoint")
    await journey.check("champions")
    assert "1 of 2" in await journey.main()
    await journey.follow("Ann")
    await journey.page.get_by_label("Step", exact=True).select_option("1. Champion")
    await journey.fill("Reached on", "2026-11-01")
    await journey.press("Record")
    await journey.check("champion")
    await journey.open("/console/champions/pathway")
    await journey.check("pathway")
    await journey.open(f"/console/standing/learners/{world.learners['Ann']}")
    assert "NORTH-000001" in await journey.main()
