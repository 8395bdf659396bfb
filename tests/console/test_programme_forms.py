"""Programmes in the console: begun, renamed, opened to more providers, retired; their tiers, and what tiers ask for."""

import re
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from app.identity.permissions import Role
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.support import Installation
from tests.training.requirements.test_programme import people
from tests.training.requirements.world import TODAY, complete

HOME = "/console/programme"


def version_on(page: httpx2.Response) -> str:
    """The version that the page's forms carry."""
    found = re.search(r'name="version" value="(\d+)"', page.text)
    assert found
    return found[1]


async def send(visitor: Visitor, page: str, action: str, **fields: str) -> httpx2.Response:
    """Send a form from a page that was just opened."""
    return await visitor.post(f"{page}/{action}", fields | {"version": version_on(await visitor.get(page))})


def tiers_on(page: httpx2.Response) -> list[str]:
    """The tiers in the order in which the page shows them."""
    return re.findall(r">\d\. ([^<]+)</a>", page.text)


@pytest.mark.row("A17")
@pytest.mark.row("A69")
async def test_a_programme_is_begun_named_widened_and_retired(installation: Installation) -> None:
    world = await people(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    start = await lead.get(f"{HOME}/start")
    assert "P2 (P2)" in start.text, "a provider with a location here can be chosen"
    for fields, words, field in (
        ({"name": "Ours"}, "Choose whom the programme is for.", "scope"),
        ({"name": "Ours", "scope": "provider_group"}, "Choose the group.", "provider_group_id"),
        ({"name": "Ours", "scope": "single_provider"}, "Choose the provider.", "cqc_provider_id"),
        ({"name": "Medicines training", "scope": "system"}, "There is a programme of that name already", "name"),
    ):
        refused = await lead.post(f"{HOME}/start", fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
        assert f'value="{fields["name"]}"' in refused.text, "what was typed is kept"
    made = await lead.post(f"{HOME}/start", {"name": "Ours", "scope": "single_provider", "cqc_provider_id": "P1"})
    page = made.headers["location"].partition("?")[0]
    shown = await lead.get(page)
    assert "For One provider: P1" in main_text(shown)
    assert tiers_on(shown) == ["Foundation", "Step up", "Medication Champions"]

    assert "Give the programme a name." in (await send(lead, page, "rename", name=" ")).text
    assert (await send(lead, page, "rename", name="Our homes")).status_code == 303
    stale = await lead.post(f"{page}/rename", {"name": "Another", "version": "1"})
    assert (stale.status_code, "Somebody changed the programme meanwhile" in stale.text) == (422, True)
    assert 'value="Another"' in stale.text
    assert "Choose the group." in (await send(lead, page, "widen", scope="provider_group")).text
    group = {"scope": "provider_group", "provider_group_id": str(world.groups["Group"])}
    assert (await send(lead, page, "widen", **group)).status_code == 303
    assert "For One group of providers: Group" in main_text(await lead.get(page))
    assert 'value="single_provider"' not in (await lead.get(page)).text, "it is never made narrower"
    assert (await send(lead, page, "widen", scope="system")).status_code == 303
    assert "Open it to more providers" not in (await lead.get(page)).text
    assert "Only a published programme can be retired" in (await send(lead, page, "retire")).text
    assert (await send(lead, page, "publish", anyway="yes")).status_code == 303
    assert (await send(lead, page, "retire")).status_code == 303
    assert "State Retired" in main_text(await lead.get(page))

    read = await reader.get(page)
    assert (read.status_code, "<form" in read.text.partition("<main")[2]) == (200, False)
    assert f"{HOME}/start" not in (await reader.get(HOME)).text
    for path in (f"{HOME}/start", f"{page}/rename", f"{page}/widen", f"{page}/retire", f"{page}/tiers"):
        assert (await reader.post(path, {"version": "1"})).status_code == 403, path
    nowhere = f"{HOME}/{world.employers['Home']}"
    assert (await lead.get(nowhere)).status_code == 404
    assert (await lead.post(f"{nowhere}/rename", {"version": "1", "name": "x"})).status_code == 404


async def test_tiers_are_ordered_until_somebody_has_learned(installation: Installation) -> None:
    world = await people(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    page = f"{HOME}/{world.programme}"
    tier = world.tiers

    async def press(do: str, **fields: str) -> httpx2.Response:
        return await send(lead, page, "tiers", do=do, **fields)

    assert (await press(f"down:{tier[1]}")).headers["location"] == f"{page}?done=tiers-arranged"
    assert tiers_on(await lead.get(page)) == ["Step up", "Foundation", "Medication Champions"]
    await press(f"up:{tier[1]}")
    assert "Give the new tier a name." in main_text(await press("add", tier_name=" "))
    await press("add", tier_name="Train the trainer")
    assert tiers_on(await lead.get(page)) == ["Foundation", "Step up", "Medication Champions", "Train the trainer"]
    assert "Courses, sessions, requirements or feedback refer to a tier" in main_text(await press(f"remove:{tier[1]}"))
    await press(f"remove:{tier[2]}")
    assert tiers_on(await lead.get(page)) == ["Foundation", "Medication Champions", "Train the trainer"]
    assert "That tier is not there any more" in main_text(await press(f"up:{tier[2]}"))
    late = await lead.post(f"{page}/tiers", {"version": "1", "do": f"down:{tier[1]}"})
    assert "Somebody changed the programme meanwhile" in main_text(late)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        complete(work, world, "Ann", "Long", TODAY - timedelta(days=10))
    refused = await press(f"down:{tier[1]}")
    assert "so the tiers keep their order" in main_text(refused)
    assert "Move down" not in refused.text
    assert "so its tiers keep their order" in main_text(refused), "the page says so before anybody tries"


def needs_of(page: httpx2.Response) -> list[str]:
    """What the page says that somebody needs, a line for each."""
    listed = page.text.partition("What somebody needs before a place")[2].partition("Ask for something more")[0]
    items = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
    words = [" ".join(re.sub(r"<form.*?</form>|<[^>]+>", " ", item, flags=re.DOTALL).split()) for item in items]
    return [text for text in words if text]


@pytest.mark.row("A18")
async def test_what_a_tier_asks_for_is_added_and_removed(installation: Installation) -> None:
    world = await people(installation)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    page = f"{HOME}/tiers/{world.tiers[3]}"
    start = ["Tier 1 (Foundation)", "Tier 2 (Step up)", "an approved nomination"]
    assert needs_of(await lead.get(page)) == start
    choices = (await lead.get(page)).text.partition('name="rule_tier"')[2].partition("</select>")[0]
    assert str(world.tiers[3]) not in choices, "a tier cannot need itself"

    async def add(**fields: str) -> httpx2.Response:
        return await send(lead, page, "rules/add", **fields)

    course: UUID = world.courses["Long"]
    for fields, words, field in (
        ({}, "Choose what is needed.", "rule_kind"),
        ({"rule_kind": "tier_met"}, "Choose the tier.", "rule_tier"),
        ({"rule_kind": "course_completed", "rule_beside": "1"}, "Choose the course.", "rule_course"),
        ({"rule_kind": "approved_nomination"}, "That is asked for already.", "rule_kind"),
        ({"rule_kind": "competence_current", "rule_beside": "77"}, "That is not asked for any more.", "rule_beside"),
    ):
        refused = await add(**fields)
        assert (refused.status_code, words in refused.text, f'href="#{field}"' in refused.text) == (422, True, True)
        kind = fields.get("rule_kind")
        assert kind is None or re.search(rf'value="{kind}" checked', refused.text), "what was chosen is kept"
    added = await add(rule_kind="course_completed", rule_course=str(course), rule_beside="1")
    assert added.headers["location"] == f"{page}?done=prerequisite-added"
    await add(rule_kind="competence_current", rule_skill="administers")
    either = "Tier 1 (Foundation) or the course Long"
    assert needs_of(await lead.get(page)) == [either, *start[1:], "current competence: Gives medicines"]
    assert f"{either}; {'; '.join(start[1:])}; current competence" in main_text(await reader.get(HOME))

    rules = re.findall(r"/rules/([0-9a-f-]{36})/remove", (await lead.get(page)).text)
    stale = await lead.post(f"{page}/rules/{rules[0]}/remove", {"version": "1"})
    assert "Somebody changed the programme meanwhile" in main_text(stale)
    assert (await send(lead, page, f"rules/{rules[0]}/remove")).status_code == 303
    for rule in rules[2:]:
        await send(lead, page, f"rules/{rule}/remove")
    assert needs_of(await lead.get(page)) == ["the course Long"], "the alternative stands alone now"
    await send(lead, page, f"rules/{rules[1]}/remove")
    assert "Nothing: anybody whom the programme is for" in main_text(await lead.get(page))
    assert (await send(lead, page, f"rules/{rules[1]}/remove")).status_code == 404
    for path in ("rules/add", f"rules/{rules[1]}/remove"):
        assert (await reader.post(f"{page}/{path}", {"version": "1"})).status_code == 403
