"""Campaigns and contacts in the console: written, counted, approved by another; refusals keep what was typed."""

import re

from app.identity.permissions import Role
from app.training.sessions.details import Places
from tests.booking.support import make_session, make_staff
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.messaging.campaigning import BODY
from tests.messaging.support import set_sender
from tests.support import Installation
from tests.training.requirements import world as worlds

HOME = "/console/campaigns"


def versioned(answer_text: str) -> dict[str, str]:
    """The version that a page's forms hold."""
    found = re.search(r'name="version" value="(\d+)"', answer_text)
    assert found is not None
    return {"version": found[1]}


async def test_a_campaign_goes_from_one_person_to_the_next(installation: Installation) -> None:
    await make_staff(installation, 1, home="Rose Lodge", setting="care_home_with_nursing")
    await make_staff(installation, 1, home="Agency")
    session_id = await make_session(installation, Places(10, "promote"))
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await worlds.open_world(work)
    writer = await visitor_as(installation, Role.COMMUNICATIONS)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    reader = await visitor_as(installation, Role.INFORMATION_GOVERNANCE)

    found = await writer.get("/console/contacts/add?search=rose")
    place = re.findall(r'value="(location:[0-9a-f-]{36})"', found.text)[0]
    given = {"place": place, "role": "office", "address": "rose", "name": "Sam", "search": "rose"}
    refused = await writer.post("/console/contacts/add", given)
    assert refused.status_code == 422
    assert "Enter an e-mail address" in main_text(refused)
    assert f'value="{place}" checked' in re.sub(r"\s+", " ", refused.text)
    assert (await writer.post("/console/contacts/add", given | {"address": "rose@care.example"})).status_code == 303
    assert "rose@care.example" not in (await writer.get("/console/contacts")).text, "who may not see names"
    assert "rose@care.example" in main_text(await lead.get("/console/contacts?place=rose&role=office"))
    assert "rose@care.example" not in (await lead.get("/console/contacts?place=thorn")).text
    assert "Agency (employer)" in main_text(await writer.get("/console/contacts/add?search=agency"))

    location = re.findall(r"1-\d+", (await lead.get("/console/directory/locations")).text)[0]
    wanted = (("Training lead", "Ida", "ida@care.example"), ("Office", "", "rose@care.example"))
    table = (("location_id", "role", "name", "address"), *((location, *line) for line in wanted))
    lines = "\n".join(",".join(line) for line in table)
    for data, problem in (
        (b"a,b\r\n1,2\r\n", "must name the columns"),
        (b"\xff\xfe", "not a CSV in UTF-8"),
        (lines.replace("ida@", "ida").encode(), "Line 2: Enter an e-mail address"),
        (lines.replace(location, "1-1").encode(), "Line 2: The location is none of yours"),
        (lines.encode(), None),
    ):
        await lead.get("/console/contacts/file")
        answer = await lead.http.post(
            "/console/contacts/file",
            data={"token": lead.token},
            files={"file": ("contacts.csv", data, "text/csv")},
            headers={"origin": "http://testserver", "sec-fetch-site": "same-origin"},
        )
        assert answer.status_code == (422 if problem else 303), data
        assert problem is None or problem in main_text(answer)
    assert "ida@care.example" in main_text(await lead.get("/console/contacts"))

    text = {
        "name": "Spring",
        "message_class": "programme",
        "subject": "News",
        "body": BODY,
        "starts_at": "2026-12-01T10:00",
    }
    refused = await writer.post(f"{HOME}/write", text)
    assert refused.status_code == 422
    assert "Choose at least one session" in main_text(refused)
    assert 'value="2026-12-01T10:00"' in refused.text
    made = await writer.post(f"{HOME}/write", text | {"sessions": str(session_id)})
    recipients = made.headers["location"].partition("?")[0]
    campaign = recipients.removesuffix("/recipients")
    version = versioned((await writer.get(recipients)).text)
    refused = await writer.post(
        recipients, version | {"who": "learners", "roles": ["office"], "settings": ["domiciliary"]}
    )
    assert "Only contacts have roles" in main_text(refused)
    assert 'value="domiciliary" checked' in re.sub(r"\s+", " ", refused.text)
    chosen = version | {
        "who": "contacts",
        "roles": ["office"],
        "local_authorities": ["Luton"],
        "without_champion": "yes",
    }
    assert (await writer.post(recipients, chosen)).status_code == 303
    assert (await writer.post(recipients, chosen)).status_code == 422, "somebody changed it meanwhile"
    page = await writer.get(campaign)
    assert "Addresses that get it 1" in main_text(page)
    assert "Local authority: Luton Only where there is no Medication Champion" in main_text(page)
    assert "Say first who the messages come from" in main_text(page)
    await set_sender(installation)
    page = await writer.get(campaign)
    assert "Dear <strong>" not in page.text
    assert '<a href="http://testserver/go/north/sample">Book here</a>' in page.text
    assert "medicines@" not in main_text(page)

    assert (await reader.get(campaign)).status_code == 200
    assert "What comes next" not in (await reader.get(campaign)).text
    assert (await reader.post(f"{campaign}/submit", version)).status_code == 403

    async def press(visitor: Visitor, step: str) -> str:
        shown = await visitor.get(campaign)
        answer = await visitor.post(f"{campaign}/{step}", versioned(shown.text))
        if answer.status_code == 422:
            return main_text(answer)
        return main_text(await visitor.get(answer.headers["location"]))

    assert "waits for somebody else" in await press(writer, "submit")
    assert "You wrote it. Ask somebody else" in await press(writer, "approve")
    assert "draft again" in await press(lead, "take-back")
    change = await writer.get(f"{campaign}/change")
    assert 'value="2026-12-01T10:00"' in change.text
    changed = versioned(change.text) | text | {"sessions": str(session_id), "subject": "Other news"}
    assert (await writer.post(f"{campaign}/change", changed)).status_code == 303
    await press(writer, "submit")
    approved = await press(lead, "approve")
    assert "Begins 1 December 2026, 10:00" in approved
    assert "Approved by Sam Field" in approved
    assert "is withdrawn" in await press(writer, "withdraw")
    assert "Copies Count 0" in main_text(await lead.get(campaign))
    assert "Still to be sent,0" in (await reader.get(f"{campaign}/funnel.csv")).text
    assert "Spring" in (await reader.get(f"{HOME}/all.csv")).text
    assert "Spring" in main_text(await lead.get(HOME))
    stranger = await visitor_as(installation, Role.TENANT_ADMINISTRATOR, installation.south, "south@example.org")
    for path in (campaign, recipients, f"{campaign}/funnel.csv"):
        assert (await stranger.get(path)).status_code == 404

    first = re.findall(r'href="(/console/contacts/[0-9a-f-]{36})"', (await lead.get("/console/contacts")).text)[0]
    await lead.get(first)
    assert (await stranger.get(first)).status_code == 404
    assert (await lead.post(f"{first}/end")).status_code == 303
    await lead.get("/console/contacts")
    assert "has ended already" in main_text(await lead.post(f"{first}/end"))
