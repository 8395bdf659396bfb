"""Provider groups: made and filled in the console and by the API; a manager sees a new location at once."""

import re
from datetime import date

import pytest

from app.directory.models import CqcLocation, CqcProvider, TenantLocation
from app.identity.permissions import Role
from tenants.identifiers import new_id
from tests.console.visitor import main_text, visitor_as
from tests.support import NOW, Installation

HOME = "/console/provider-groups"
CHANGE = """mutation ($id: ID!, $location: ID!) { result: %s { __typename
  ... on ProviderGroupChanged { providerGroup { name } } ... on UserError { code } } }"""


async def add_locations(installation: Installation) -> None:
    """Two homes of one provider and one of another."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        for provider, name in (("1-1", "Oak Care"), ("1-2", "Elm Care")):
            work.add(CqcProvider(id=provider, name=name, updated_at=NOW))
        await work.session.flush()
        for key, name, provider in (
            ("1-10", "Rose Lodge", "1-1"),
            ("1-11", "Ivy House", "1-1"),
            ("1-12", "Fern", "1-2"),
        ):
            work.add(
                CqcLocation(
                    id=key, original_id=key, name=name, provider_id=provider, service_types=[], user_bands=[],
                    regulated_activities=[], updated_at=NOW,
                )
            )  # fmt: skip
            await work.session.flush()
            work.add(
                TenantLocation(
                    tenant_id=work.tenant_id, id=new_id(), location_id=key, relationship="in_area",
                    since=date(2020, 1, 1), created_at=NOW,
                )
            )  # fmt: skip


@pytest.mark.row("A35")
@pytest.mark.row("A69")
async def test_a_group_is_made_filled_and_chosen(installation: Installation) -> None:
    await add_locations(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    empty = await lead.post(f"{HOME}/add", {"name": " "})
    assert (empty.status_code, 'href="#name"' in empty.text) == (422, True)
    made = await lead.post(f"{HOME}/add", {"name": "Oak homes"})
    path = made.headers["location"].partition("?")[0]
    assert "It has no location yet." in main_text(await lead.get(path))
    found = await lead.get(f"{path}?name=oak")
    ticked = re.findall(r'name="locations" type="checkbox" value="([0-9a-f-]+)"', found.text)
    assert len(ticked) == 2
    assert "Fern" not in main_text(found)
    nothing = await lead.post(f"{path}/locations?name=oak", {})
    assert (nothing.status_code, "Tick at least one location." in nothing.text) == (422, True)
    assert (await lead.post(f"{path}/locations", {"locations": ticked})).status_code == 303
    assert "Ivy House" in main_text(await reader.get(path))
    assert "<form" not in (await reader.get(path)).text.partition("<main")[2]
    assert (await reader.get(f"{path}/locations.csv")).text.count("1-1") == 2
    assert (await lead.post(f"{path}/{ticked[0]}/remove")).status_code == 303
    assert (await lead.post(f"{path}/{ticked[0]}/remove")).status_code == 404
    assert "Which group Choose Oak homes" in main_text(await lead.get("/console/programme/start"))

    group = f"ProviderGroup:{path.rpartition('/')[2]}"
    given = {"id": group, "location": f"Location:{ticked[0]}"}
    for call, told in (
        ("addProviderGroupLocations(id: $id, locationIds: [$location])", {"providerGroup": {"name": "Oak homes"}}),
        ("removeProviderGroupLocation(id: $id, locationId: $location)", {"providerGroup": {"name": "Oak homes"}}),
        ("removeProviderGroupLocation(id: $id, locationId: $location)", {"code": "NO_SUCH_LOCATION"}),
        ('createProviderGroup(name: "Oak homes", locationIds: [$location])', {"code": "NAME_TAKEN"}),
        ('createProviderGroup(name: "Elm", locationIds: [$location])', {"providerGroup": {"name": "Elm"}}),
    ):
        document = CHANGE % call
        if "$id" not in call:
            document = document.replace("$id: ID!, ", "")
        asked = {key: value for key, value in given.items() if f"${key}" in call}
        answer = (await installation.data(installation.north, document, asked))["result"]
        assert told.items() <= answer.items(), call
