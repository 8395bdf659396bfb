"""Journeys through the console in a real browser."""

import re
from uuid import UUID

import pytest
from sqlalchemy import update

from app.identity.models import Login
from app.identity.permissions import Role
from app.identity.providers import trust_provider
from app.identity.staff import create_login
from tests.browser.journey import Journey
from tests.identity.people import PASSWORD, PLATFORM, code_of, make_login, make_staff
from tests.identity.provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.support import Installation

pytestmark = pytest.mark.browser

EMAIL = "sam@example.org"


async def test_signing_in_by_keyboard_alone(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    keyboard = journey.page.keyboard
    await journey.open("/console/")
    await journey.tab_to("Skip to main content")
    await journey.tab_to("E-mail address")
    await keyboard.type(EMAIL)
    await journey.tab_to("Password")
    await keyboard.type("not the password")
    async with journey.page.expect_navigation():
        await keyboard.press("Enter")
    focused = await journey.page.evaluate("document.activeElement.className")
    assert "nhsuk-error-summary" in focused, "the reader hears of the problem first"
    assert (await journey.page.title()).startswith("Error: ")
    await journey.check("sign-in-refused")
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    assert await journey.page.evaluate("document.activeElement.id") == "email"
    await journey.tab_to("Password")
    await keyboard.type(PASSWORD)
    async with journey.page.expect_navigation():
        await keyboard.press("Enter")
    assert await journey.heading() == "Tenant administrator Tenant north"
    await journey.tab_to("Staff")
    async with journey.page.expect_navigation():
        await keyboard.press("Enter")
    assert await journey.heading() == "Staff"
    await journey.tab_to("Sign out")
    async with journey.page.expect_navigation():
        await keyboard.press("Enter")
    assert "You have signed out" in await journey.main()


async def test_enrolling_an_app_and_signing_in_with_its_code(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.ANALYST)
    await journey.sign_in(EMAIL)
    await journey.check("home-analyst")
    await journey.follow("Set up an authenticator app")
    await journey.check("enrol")
    await journey.page.get_by_text("I cannot scan the picture").click()
    secret = (await journey.page.locator(".medstead-code").inner_text()).replace(" ", "")
    picture = journey.page.locator("img.medstead-qr")
    assert await picture.evaluate("image => image.complete && image.naturalWidth > 100")
    await journey.fill("Six-digit code", "000000")
    await journey.press("Finish")
    await journey.check("enrol-refused")
    await journey.page.get_by_text("I cannot scan the picture").click()
    assert (await journey.page.locator(".medstead-code").inner_text()).replace(" ", "") == secret
    await journey.fill("Six-digit code", code_of(served, secret))
    await journey.press("Finish")
    assert "tied to your login" in await journey.main()
    await journey.press("Sign out")
    await journey.sign_in(EMAIL)
    assert await journey.heading() == "Enter your code"
    await journey.check("second-factor")
    await journey.open("/console/")
    assert await journey.heading() == "Enter your code", "nothing opens before the code"
    await journey.fill("Six-digit code", code_of(served, secret, 1))
    await journey.press("Continue")
    assert "Tenant north" in await journey.heading()


async def test_a_person_in_two_tenants_chooses_and_changes(served: Installation, journey: Journey) -> None:
    login_id, _ = await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    await make_staff(served, served.south, EMAIL, Role.INFORMATION_GOVERNANCE, login_id)
    await journey.sign_in(EMAIL)
    await journey.check("choose-tenant")
    await journey.press("Continue")
    assert "Choose a tenant from the list" in await journey.main()
    await journey.page.get_by_label("Tenant south").check()
    await journey.press("Continue")
    assert await journey.heading() == "Information governance Tenant south"
    await journey.follow("Tenant south")
    await journey.page.get_by_label("Tenant north").check()
    await journey.press("Continue")
    assert await journey.heading() == "Tenant administrator Tenant north"


async def test_inviting_somebody_who_then_joins_changes_role_and_leaves(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    await journey.sign_in(EMAIL)
    await journey.check("home-administrator")
    await journey.open("/console/staff")
    await journey.check("staff")
    await journey.press("Invite somebody")
    await journey.check("invite")
    await journey.press("Invite")
    await journey.check("invite-refused")
    await journey.fill("Full name", "Kim Ahmed-Whittington")
    await journey.fill("E-mail address", "kim@example.org")
    await journey.page.get_by_label("Role").select_option("Analyst")
    await journey.press("Invite")
    await journey.check("invited")
    code = await journey.page.locator(".medstead-code").inner_text()
    assert re.fullmatch(r"[A-Z2-9]{5}(-[A-Z2-9]{5}){3}", code)
    await journey.press("Sign out")
    await journey.follow("Use an invitation code")
    await journey.check("invitation")
    await journey.fill("Invitation code", code)
    await journey.fill("Choose a password", PASSWORD)
    await journey.fill("The password again", "something else")
    await journey.press("Join")
    assert "not the same" in await journey.main()
    await journey.fill("Choose a password", PASSWORD)
    await journey.fill("The password again", PASSWORD)
    await journey.press("Join")
    await journey.sign_in("kim@example.org")
    assert await journey.heading() == "Analyst Tenant north"
    await journey.press("Sign out")
    await journey.sign_in(EMAIL)
    await journey.open("/console/staff")
    await journey.follow("Kim Ahmed-Whittington")
    await journey.check("staff-member")
    await journey.page.get_by_label("Role").select_option("Facilitator")
    await journey.press("Change role")
    assert "Facilitator" in await journey.main()
    await journey.check("staff-changed")
    await journey.follow("Kim Ahmed-Whittington")
    await journey.press("End access")
    assert "Kim" not in await journey.main()


async def test_letting_an_application_in_and_out(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.TENANT_ADMINISTRATOR)
    await journey.sign_in(EMAIL)
    await journey.open("/console/api-clients")
    await journey.check("applications-none")
    await journey.press("Let an application in")
    await journey.fill("Name of the application", "Care Portal by Harbour Software")
    await journey.press("Let in")
    await journey.check("application-refused")
    await journey.page.get_by_label("See impact figures").check()
    await journey.press("Let in")
    await journey.check("application-secret")
    client_id, secret = await journey.page.locator(".medstead-code").all_inner_texts()
    granted = await served.services.clients.grant(client_id, secret, None)
    assert granted["scope"] == "evidence:read"
    await journey.follow("Go to the application’s page")
    assert secret not in await journey.page.content()
    await journey.press("Add a secret")
    ask = {"query": '{ impactSummary(period: {from: "2026-01-01", to: "2026-12-31"}) { firstDay } }'}
    headers = {"authorization": f"Bearer {granted['access_token']}"}
    await served.http.post("/graphql", json=ask, headers=headers)
    await served.app.state.graphql.usage.flush()
    served.app.state.deprecated_fields = {
        "ImpactSummary.firstDay": "Use FigurePoint.periodStart. Removed after 2027-06-30."
    }
    await journey.follow("Go to the application’s page")
    assert "ImpactSummary.firstDay" in await journey.main()
    await journey.check("application")
    await journey.press(f"Revoke the secret that ends in {secret[-4:]}")
    assert "The secret has been revoked" in await journey.main()
    await journey.press("Revoke access")
    await journey.check("applications")
    assert "Revoked" in await journey.main()


async def test_reading_the_audit_trail_page_by_page(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.INFORMATION_GOVERNANCE)
    for number in range(49):
        await make_staff(served, served.north, "", Role.ANALYST, await _bare_login(served, number))
    await journey.sign_in(EMAIL)
    await journey.follow("Audit trail")
    await journey.check("audit")
    rows = await journey.page.locator("tbody tr td:first-child").all_inner_texts()
    numbers = [int(text.split()[-1]) for text in rows]
    assert len(numbers) == 50
    await journey.page.get_by_text("Details of change").first.click()
    assert "staff_member" in await journey.main()
    await journey.follow("Earlier changes")
    earlier = [int(t.split()[-1]) for t in await journey.page.locator("tbody tr td:first-child").all_inner_texts()]
    assert numbers + earlier == list(range(numbers[0], 0, -1))
    await journey.follow("Newest changes")


async def _bare_login(served: Installation, number: int) -> UUID:
    """A login without a password, which costs no hash."""
    async with served.database.unit_of_work(PLATFORM) as work:
        return await create_login(work, email=f"person{number}@example.org", display_name="P", password=None)


async def test_signing_in_by_the_organisation(served: Installation, journey: Journey) -> None:
    await make_staff(served, served.north, EMAIL, Role.ANALYST)
    with running_provider() as provider:
        async with served.database.unit_of_work(served.context(served.north)) as work:
            await trust_provider(
                work,
                served.services.vault,
                name="County sign-in",
                issuer=provider.issuer,
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                loopback=True,
            )
        claims = {"sub": "subject-9", "email": EMAIL, "email_verified": True}
        provider.say(claims, int(served.clock().timestamp()))
        await journey.open("/console/sign-in")
        await journey.follow("Sign in with your organisation")
        await journey.check("organisation")
        await journey.fill("Short name of the tenant", "nowhere")
        await journey.press("Continue")
        assert "No organisation signs in under that short name" in await journey.main()
        await journey.fill("Short name of the tenant", "north")
        await journey.press("Continue")
        await journey.check("organisation-found")
        await journey.page.get_by_role("button", name="Continue to County sign-in").click()
        await journey.page.wait_for_url("**/console/")
        assert await journey.heading() == "Analyst Tenant north"
        await journey.follow("Tenant north")
        assert "work in this tenant only" in await journey.main()
        await journey.check("tenant-by-organisation")
        await journey.open("/console/sign-in/return?error=access_denied&state=x")
        await journey.check("organisation-refused")


async def test_a_national_lead_and_a_page_that_is_not_for_them(served: Installation, journey: Journey) -> None:
    await make_login(served, EMAIL, Role.NATIONAL_LEAD)
    await journey.sign_in(EMAIL)
    assert await journey.heading() == "National lead The platform"
    await journey.check("home-national-lead")
    await journey.open("/console/staff")
    assert await journey.heading() == "Your role does not open this page"
    await journey.check("forbidden")
    async with served.database.unit_of_work(PLATFORM) as work:
        await work.session.execute(update(Login).values(disabled_at=work.now))
    await journey.open("/console/")
    assert await journey.heading() == "Sign in to Medstead"
    await journey.check("sign-in")
