"""Pages of reports and stories: asked for, read, taken away; and what nobody else may see."""

import io
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, select

from app.directory.models import ProviderGroupLocation
from app.identity.models import StaffMember
from app.identity.permissions import Role
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.reporting.support import ROSE, THORN, Scene, made, make_scene
from tests.support import Installation
from tests.webhooks.support import work_off
from workers import reports, webhooks

ASKED = {"from": "2025-12-01", "to": "2026-11-30"}


async def ask(
    installation: Installation, visitor: Visitor, fields: dict[str, Any], desk: str = "/console/reports"
) -> str:
    """Ask for a report by the form, have it made, and give the address of its page."""
    reports.register_handlers()
    webhooks.register_handlers()
    await visitor.get(f"{desk}/ask")
    answer = await visitor.post(f"{desk}/ask", ASKED | fields)
    assert answer.status_code == 303, main_text(answer)
    path = answer.headers["location"].partition("?")[0]
    waiting = main_text(await visitor.get(path))
    assert "The report waits for its turn" in waiting
    progress = (await visitor.get(f"{path}/progress")).json()
    assert (progress["state"], progress["done"]) == ("waiting", 0)
    await work_off(installation)
    return str(path)


async def files_of(visitor: Visitor, path: str) -> str:
    """The words of every file of a report's page, and of the page."""
    shown = await visitor.get(path)
    told = [main_text(shown)]
    for action in re.findall(r'action="([^"]+\.(?:csv|xlsx|pdf))"', shown.text):
        answer = await visitor.post(action)
        assert answer.status_code == 200, action
        if action.endswith(".xlsx"):
            book = load_workbook(io.BytesIO(answer.content), read_only=True)
            told += [str(row) for sheet in book for row in sheet.iter_rows(values_only=True)]
        elif action.endswith(".csv"):
            told.append(answer.content.decode("utf-8-sig"))
        else:
            assert answer.content.startswith(b"%PDF-")
    return "\n".join(told)


async def audited(installation: Installation, action: Action) -> list[dict[str, Any] | None]:
    """What the trail says of an action."""
    async with installation.database.session(installation.context(installation.north)) as session:
        found = await session.scalars(
            select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.sequence)
        )
        return [event.after for event in found]


@pytest.mark.row("A54")
async def test_a_report_is_asked_for_read_and_taken_away(installation: Installation) -> None:
    await make_scene(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    assert "No report has been asked for yet" in main_text(await lead.get("/console/reports"))
    await lead.get("/console/reports/ask")
    for wrong, message in (
        ({}, "Choose a report"),
        ({"kind": "impact", "from": "soon"}, "Enter a date"),
        ({"kind": "impact", "from": "2026-12-31", "to": "2027-01-31"}, "Choose a period that has begun"),
        ({"kind": "evidence_pack"}, "Choose the provider"),
    ):
        answer = await lead.post("/console/reports/ask", ASKED | wrong)
        assert answer.status_code == 422
        assert message in main_text(answer)
        assert f'value="{(ASKED | wrong)["to"]}"' in answer.text, "what was typed stays"
    path = await ask(installation, lead, {"kind": "impact"})
    text = await files_of(lead, path)
    for words in ("90.0%", "90 of 100 answers", "Not shown", "Invented Award", "No month differs", "IMP-01, version 1"):
        assert words in text, words
    assert "<svg" in (await lead.get(path)).text
    assert len(await audited(installation, Action.REPORT_DOWNLOADED)) == 3 + 4
    installation.clock.move(timedelta(days=15))
    await lead.sign_in("programme.lead@example.org")
    late = await lead.get(path)
    assert "have expired" in main_text(late)
    assert (await lead.post(f"{path}/report.pdf")).status_code == 422
    assert (await lead.post(f"{path}/files")).status_code == 303
    assert (await lead.post(f"{path}/report.pdf")).status_code == 200
    assert (await lead.get("/console/reports/all.csv")).text.count("Impact report") == 1
    pack = await ask(installation, lead, {"kind": "evidence_pack", "provider": ROSE, "named": "yes"})
    rows = main_text(await lead.get(f"{pack}/tables/training"))
    assert "Rows 1 to 122 of 122" in rows
    assert "Ourperson J" in rows
    assert (await lead.get(f"{pack}/tables/training?page=2")).status_code == 404
    assert (await lead.get(f"{pack}/tables/nothing")).status_code == 404
    stranger = await visitor_as(installation, Role.PROGRAMME_LEAD, installation.south, "south@example.org")
    for address in (path, f"{path}/progress", f"{pack}/tables/training"):
        assert (await stranger.get(address)).status_code == 404
    assert (await stranger.post(f"{pack}/report.pdf")).status_code == 404


@pytest.mark.row("A67")
async def test_a_manager_and_a_commissioner_see_no_names_that_are_not_for_them(installation: Installation) -> None:
    scene = await make_scene(installation)
    named = [await made(installation, "evidence_pack", named=True, cqc_provider_id=one) for one in (ROSE, THORN)]
    board = await made(installation, "board", named=True)
    analyst = await visitor_as(installation, Role.ANALYST)
    for hidden in (*named, board):
        assert (await analyst.get(f"/console/reports/{hidden}")).status_code == 404
        assert (await analyst.post(f"/console/reports/{hidden}/report.xlsx")).status_code == 404
    assert "Evidence pack" not in main_text(await analyst.get("/console/reports"))
    # To ask for names does not give them to somebody who may not see them.
    path = await ask(installation, analyst, {"kind": "evidence_pack", "provider": ROSE, "named": "yes"})
    text = await files_of(analyst, path)
    assert "Person 1" in text
    assert [name for name in ("Ourperson", "Strangerson", "Assessor X") if name in text] == []
    voice = await visitor_as(installation, Role.COMMUNICATIONS)
    assert (await voice.get(path)).status_code == 404, "evidence of training needs training:read"
    await voice.get("/console/reports/ask")
    assert (await voice.post("/console/reports/ask", ASKED | {"kind": "board"})).status_code == 422

    manager = await visitor_as(installation, Role.PROVIDER_MANAGER, email="manager@example.org")
    desk = "/console/my-locations/reports"
    await join(installation, scene, "Rose Lodge")
    own = await ask(installation, manager, {"kind": "board"}, desk)
    text = await files_of(manager, own)
    assert "Ourperson A" in text
    assert [name for name in ("Strangerson", "Thorn") if name in text] == []
    for hidden in (*named, board, UUID(path.rpartition("/")[2])):
        assert (await manager.get(f"{desk}/{hidden}")).status_code == 404
        assert (await manager.get(f"/console/reports/{hidden}")).status_code == 403
    assert main_text(await manager.get(desk)).count("Evidence pack for an inspection") == 1
    other = await visitor_as(installation, Role.PROVIDER_MANAGER, email="other@example.org")
    assert (await other.get(own)).status_code == 404
    assert "No report" in main_text(await other.get(desk))
    # A location that leaves the group takes its people along.
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(delete(ProviderGroupLocation))
    assert (await manager.get(own)).status_code == 404
    assert (await manager.post(f"{own}/report.pdf")).status_code == 404


async def join(installation: Installation, scene: Scene, home: str) -> None:
    """Put a location into the group of the manager."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        group = await work.session.scalars(
            select(StaffMember.provider_group_id).where(StaffMember.provider_group_id.is_not(None))
        )
        work.add(
            ProviderGroupLocation(
                tenant_id=work.tenant_id, id=new_id(), provider_group_id=group.one(),
                tenant_location_id=scene.world.locations[home],
            )
        )  # fmt: skip


@pytest.mark.row("A62")
async def test_a_story_is_told_with_consent_and_a_second_persons_approval_only(installation: Installation) -> None:
    await make_scene(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    second = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    await lead.get("/console/stories/add?name=Ourperson")
    assert (await lead.post("/console/stories/add", {"title": "", "text": "x"})).status_code == 422
    answer = await lead.post("/console/stories/add", {"title": "A better round", "text": "Zebra words.\nMore."})
    story = answer.headers["location"].partition("?")[0]

    async def told() -> list[bool]:
        """Whether a report asked for now tells it, of each kind in every form."""
        found = []
        for kind in ("impact", "stories"):
            text = await files_of(lead, await ask(installation, lead, {"kind": kind}))
            found.append("Zebra words" in text)
        return found

    async def send(visitor: Visitor, what: str, fields: dict[str, Any] | None = None) -> int:
        shown = await visitor.get(story)
        version = re.findall(r'name="version" value="(\d+)"', shown.text)
        return (await visitor.post(f"{story}/{what}", {"version": (version or ["1"])[0]} | (fields or {}))).status_code

    consent = {"given_by": "Alex Invented", "given_on": "2026-11-01", "document": "Form 7 in the office"}
    assert await told() == [False, False], "a draft"
    assert await send(second, "approve") == 422, "no consent"
    assert await send(lead, "consent", consent | {"given_on": "2027-01-01"}) == 422
    assert await send(lead, "consent", consent | {"document": ""}) == 422
    assert await send(lead, "consent", consent) == 303
    assert await told() == [False, False], "not approved"
    assert await send(lead, "approve") == 422, "the author is no second person"
    assert await send(lead, "change", {"title": "A better round", "text": "Zebra words, again."}) == 303
    assert await send(second, "approve") == 422, "the consent was to other words"
    assert await send(lead, "consent", consent) == 303
    assert await send(second, "approve") == 303
    assert await send(lead, "change", {"title": "x", "text": "y"}) == 422, "what is approved stays"
    assert await told() == [True, True]
    before = await ask(installation, lead, {"kind": "impact"})
    assert "Zebra" in await files_of(lead, before)
    assert "Zebra" in main_text(await (await visitor_as(installation, Role.ANALYST)).get(story))
    assert await send(second, "withdraw") == 303
    assert await told() == [False, False]
    gone = await files_of(lead, before)
    assert "Zebra" not in gone, "not even by a report that was made before"
    assert "One story has been withdrawn" in gone
    analyst = await visitor_as(installation, Role.ANALYST, email="another@example.org")
    assert (await analyst.get(story)).status_code == 404
    assert (await analyst.post(f"{story}/approve", {"version": "1"})).status_code == 403
    assert "Zebra" not in (await lead.get("/console/stories/all.csv")).text


async def test_reports_that_come_by_themselves_are_added_and_paused(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    home = "/console/reports/schedules"
    assert "None is running" in main_text(await lead.get(home))
    form = await lead.get(f"{home}/add")
    (reader,) = re.findall(r'name="readers" type="checkbox" value="([0-9a-f-]{36})"', form.text)
    refused = await lead.post(f"{home}/add", {"kind": "impact", "every": "month"})
    assert refused.status_code == 422
    assert "at least one person" in main_text(refused)
    fields = {"kind": "impact", "every": "month", "readers": [reader]}
    assert (await lead.post(f"{home}/add", fields)).status_code == 303
    shown = await lead.get(home)
    for words in ("Impact report for funders", "The whole programme", "Every month", "1 November 2026", "Sam Field"):
        assert words in main_text(shown)
    (pause,) = re.findall(rf'action="({home}/[^"]+)"', shown.text)
    assert (await lead.post(pause)).status_code == 303
    assert (await lead.post(pause)).status_code == 422, "somebody was there before"
    shown = await lead.get(home)
    assert "None is running" in main_text(shown)
    (resume,) = re.findall(rf'action="({home}/[^"]+)"', shown.text)
    assert (await lead.post(resume)).status_code == 303
    analyst = await visitor_as(installation, Role.ANALYST)
    assert f'action="{home}' not in (await analyst.get(home)).text
    assert (await analyst.get(f"{home}/add")).status_code == 403
    assert (await analyst.post(resume)).status_code == 403


@pytest.mark.row("A67")
async def test_the_start_page_leads_with_what_fits_the_role(installation: Installation) -> None:
    scene = await make_scene(installation)
    analyst = main_text(await (await visitor_as(installation, Role.ANALYST)).get("/console/"))
    assert "10 Learners who completed a tier 1 course, last 12 months" in analyst
    assert "83% of 12 posts that need tier 1. Foundation have it" in analyst
    manager = await visitor_as(installation, Role.PROVIDER_MANAGER)
    assert "0 people at your 0 locations" in main_text(await manager.get("/console/"))
    await join(installation, scene, "Rose Lodge")
    own = main_text(await manager.get("/console/"))
    assert "10 people at your 1 location now 1 of them still have something to learn Evidence packs" in own
    educator = main_text(await (await visitor_as(installation, Role.FACILITATOR)).get("/console/"))
    assert "0 nominations that wait for a decision" in educator
    assert "Learners who completed" not in educator
