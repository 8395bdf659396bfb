"""Pages of the mapping on the demonstration's own mapping: what they show, their downloads, forms that are refused."""

import re
from html import unescape

import pytest

from app.cli.demo_mapping import load_mapping
from app.identity.permissions import Role
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.support import Installation
from tests.training.mapping.support import learned

PAGES = (
    "mapping", "mapping/topics", "mapping/guidance", "gaps", "courses", "courses/in-use", "courses/access",
    "regulations", "templates",
)  # fmt: skip


@pytest.mark.row("A1")
@pytest.mark.row("A10")
@pytest.mark.row("A15")
@pytest.mark.row("A16")
async def test_the_demonstrations_mapping_on_its_pages(installation: Installation) -> None:
    await learned(installation, installation.north)
    context = installation.context(installation.north)
    for _ in range(2):
        await load_mapping(installation.database, context, publish=True)
    lead, reader = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    files = set()
    for path in PAGES:
        shown = await reader.get(f"/console/{path}")
        assert shown.status_code == 200, path
        assert '<form method="post" action="/console/' + path.partition("/")[0] not in shown.text, "an analyst reads"
        found = {unescape(name) for name in re.findall(r'href="(/console/[^"]+\.csv[^"]*)"', shown.text)}
        assert found, path
        files |= found
    start = main_text(await reader.get("/console/mapping"))
    assert "LOCAL-PRN: When required medicines in our area (invented), due 25 October 2026" in start
    exercises = re.findall(r'href="(/console/mapping/[0-9a-f-]{36})"', (await reader.get("/console/mapping")).text)
    draft, locked = exercises
    whole = main_text(await reader.get(f"{locked}?setting=domiciliary"))
    assert "Locked" in whole
    assert "for: home care" in whole
    assert "T09" not in whole.partition("Matrix")[2].partition("Download")[0], "care homes alone need reconciliation"
    compared = await reader.get(f"{draft}/differences")
    assert "A module was added." in main_text(compared)
    reach = main_text(await reader.get("/console/courses/access"))
    assert reach.count("No tier 1") == 3, "these employers are in no local authority, and what is free is too short"
    assert "Overdue" in main_text(await reader.get("/console/gaps?state=open"))
    listed = (await reader.get("/console/regulations")).text
    (regulation,) = re.findall(r'href="(/console/regulations/[0-9a-f-]{36})">Regulation 18', listed)
    files |= {f"{regulation}/topics.csv", f"{regulation}/courses.csv", f"{locked}/matrix.csv?scope=national"}
    files |= {f"{locked}/shares.csv?setting=domiciliary", f"{draft}/differences.csv"}
    for path in sorted(files):
        download = await reader.get(path)
        assert (download.status_code, download.headers["content-type"]) == (200, "text/csv; charset=utf-8"), path
        assert len(download.text.splitlines()) > 1 or "origins" in path, path
    await refused(lead, locked, draft)


async def refused(lead: Visitor, locked: str, draft: str) -> None:
    """Forms with faults say what to do, and change nothing."""
    await lead.get(draft)
    late = await lead.post(f"{draft}/lock", {"version": "1"})
    assert (late.status_code, "Somebody changed the exercise meanwhile" in late.text) == (422, True)
    closed = await lead.post(f"{locked}/cells", {"version": "1"})
    assert (closed.status_code, closed.json()) == (422, {"message": "Choose a course."})
    for path, fields, field in (
        ("/console/gaps/open", {"due_on": "soon", "exercise": locked.rpartition("/")[2]}, "due_on"),
        ("/console/templates/publish", {"programme": ""}, "programme"),
        ("/console/mapping/start", {"name": ""}, "name"),
        ("/console/mapping/guidance/add", {"code": "SC1", "kind": "local", "title": "x"}, "code"),
    ):
        answer = await lead.post(path, fields)
        assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True), path
