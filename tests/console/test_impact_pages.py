"""Impact through its page: figures as the API gives them, definitions, charts with tables, rows, downloads."""

import csv
import io
import re
from datetime import date
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app.console.impact_pages import shortcuts
from app.evidence.definitions import DEFINITIONS
from app.evidence.operations import refresh_figures
from app.identity.permissions import Role
from tenants.audit import Action, AuditEvent
from tenants.outbox import OutboxMessage, Topic
from tests.console.programme import small_programme
from tests.console.visitor import main_text, visitor_as
from tests.imports.support import completion, completions, take
from tests.support import Installation

PERIOD = "from=2026-04-01&to=2026-11-30"
FIGURE = "value numerator denominator definition { code version name numerator }"
SUMMARY = f"""{{ impactSummary(period: {{from: "2026-04-01", to: "2026-11-30"}}) {{
  tier1Completions {{ {FIGURE} completions {{ totalCount }} }}
  tier1Learners {{ {FIGURE} completions {{ totalCount }} }}
  webinarAttendances {{ {FIGURE} attendances {{ totalCount }} }}
  webinarPeople {{ {FIGURE} attendances {{ totalCount }} }}
  championsTrained {{ {FIGURE} champions {{ totalCount }} }}
  championsActive {{ {FIGURE} champions {{ totalCount }} }}
  championsPer100Locations {{ {FIGURE} champions {{ totalCount }} }}
  usefulness {{ {FIGURE} distribution {{ label count }} responses {{ responses notAnswered invited responseRate }}
    responseRows {{ totalCount }} }}
  practiceImprovement {{ {FIGURE} responseRows {{ totalCount }} }} }} }}"""


def table(answer: httpx2.Response) -> list[dict[str, str]]:
    """The rows of a download."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def api_figures(installation: Installation) -> dict[str, dict[str, Any]]:
    """Figures by code, as a partner reads them."""
    summary = (await installation.data(installation.north, SUMMARY))["impactSummary"]
    return {figure["definition"]["code"]: figure for figure in summary.values()}


async def refreshed(installation: Installation) -> None:
    """Count the months, as the worker would."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await refresh_figures(work)


@pytest.mark.row("A47")
@pytest.mark.row("A48")
@pytest.mark.row("A49")
@pytest.mark.row("A50")
async def test_the_page_and_its_download_say_what_the_api_says(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    visitor = await visitor_as(installation, Role.ANALYST)
    told = await api_figures(installation)
    assert told["IMP-01"]["value"] == 4
    assert (told["IMP-08"]["numerator"], told["IMP-08"]["denominator"]) == (2, 3)
    page = main_text(await visitor.get(f"/console/impact?{PERIOD}"))
    rows = table(await visitor.get(f"/console/impact/figures.csv?{PERIOD}"))
    assert [row["Code"] for row in rows] == [definition.code for definition in DEFINITIONS]
    for row in rows:
        figure = told[row["Code"]]
        assert (float(row["Value"]) if row["Value"] else None) == figure["value"]
        assert row["Numerator"] == str(figure["numerator"])
        assert row["Denominator"] == ("" if figure["denominator"] is None else str(figure["denominator"]))
        definition = figure["definition"]
        assert (row["Figure"], row["Counts"]) == (definition["name"], definition["numerator"])
        assert (
            f"Definition {definition['code']}, version {definition['version']} Counts {definition['numerator']}" in page
        )
    assert f"{told['IMP-08']['value']:.1f} % of answers 2 of 3 answers" in page.replace("66.7%", "66.7 %")
    assert "50.0 champions per 100 locations 1 of 2 locations" in page
    assert "4 responses from 8 people invited: a response rate of 50.0%. 1 left the question open" in page
    assert "Never add them up" in page


async def test_a_figure_leads_to_exactly_the_rows_it_counts(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    lead, analyst = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    told = await api_figures(installation)
    named = 0
    for code, figure in told.items():
        count = next(
            value["totalCount"] for value in figure.values() if isinstance(value, dict) and "totalCount" in value
        )
        rows = table(await lead.get(f"/console/impact/{code}/rows.csv?{PERIOD}"))
        assert len({row["Id"] for row in rows}) == len(rows) == count, code
        page = await lead.get(f"/console/impact/{code}?{PERIOD}")
        assert page.text.count('<tr class="nhsuk-table__row"') == count, code
        hidden = table(await analyst.get(f"/console/impact/{code}/rows.csv?{PERIOD}"))
        assert [row["Id"] for row in hidden] == [row["Id"] for row in rows]
        assert all("Learner" not in row for row in hidden)
        if figure["definition"]["name"].startswith(("Learners", "People")):
            assert len({row["Learner id"] for row in rows}) == figure["value"]
        named += sum("Learner" in row for row in rows)
    assert named > 8
    answers = [row["Answer"] for row in table(await lead.get(f"/console/impact/IMP-08/rows.csv?{PERIOD}"))]
    assert answers == ["", "Very useful", "Extremely useful", "Extremely useful"]


async def test_rows_go_on_page_by_page_and_the_download_holds_all(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.impact_pages.PAGE", 3)
    monkeypatch.setattr("app.console.impact_pages.EXPORT_PAGE", 2)
    # All of one moment, so that only the id tells them apart.
    await take(installation, installation.north, completions([completion(n) for n in range(8)]), options={"tier": 1})
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    seen: list[str] = []
    path: str | None = f"/console/impact/IMP-01?{PERIOD}"
    while path is not None:
        text = (await lead.get(path)).text
        seen += re.findall(r"/console/directory/learners/([0-9a-f-]{36})", text)
        onward = re.search(r'href="([^"]+)" rel="next"', text)
        path = onward[1].replace("&amp;", "&") if onward else None
    assert len(set(seen)) == len(seen) == 8
    downloaded = table(await lead.get(f"/console/impact/IMP-01/rows.csv?{PERIOD}"))
    assert [row["Learner id"] for row in downloaded] == seen


async def test_what_a_spreadsheet_would_run_is_made_harmless(installation: Installation) -> None:
    sly = completion(1).replace("Givenb,Familyb", "=HYPERLINK(1),Familyb")
    await take(installation, installation.north, completions([sly]), options={"tier": 1})
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    (row,) = table(await lead.get(f"/console/impact/IMP-01/rows.csv?{PERIOD}"))
    assert row["Learner"].startswith("'=HYPERLINK")


async def test_months_are_drawn_with_their_table_and_download(installation: Installation) -> None:
    await small_programme(installation, installation.north)
    visitor = await visitor_as(installation, Role.COMMUNICATIONS)
    before = main_text(await visitor.get(f"/console/impact?{PERIOD}"))
    assert "Monthly figures have not been counted yet" in before
    await refreshed(installation)
    page = await visitor.get(f"/console/impact?{PERIOD}")
    assert "Monthly figures were last counted on 24 November 2026, 10:00" in main_text(page)
    assert page.text.count('class="medstead-chart"') == 2
    assert "<title>September 2026: 4</title>" in page.text
    assert "<title>July 2026: 1</title>" in page.text
    months = table(await visitor.get(f"/console/impact/IMP-01/chart.csv?{PERIOD}"))
    assert [(row["From"], row["Count"]) for row in months if row["Count"] != "0"] == [("2026-09-01", "4")]
    assert len(months) == 8
    answers = table(await visitor.get(f"/console/impact/IMP-08/chart.csv?{PERIOD}"))
    assert [(row["Answer"], row["Count"]) for row in answers][-3:] == [
        ("Very useful", "1"), ("Extremely useful", "2"), ("Not answered", "1"),
    ]  # fmt: skip
    assert (await visitor.get(f"/console/impact/IMP-05/chart.csv?{PERIOD}")).status_code == 404


async def test_counting_again_is_asked_for_each_time(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.ANALYST)
    for _ in range(2):
        assert (await visitor.post("/console/impact/refresh")).status_code == 303
    async with installation.database.session(installation.context(installation.north)) as session:
        asked = await session.scalars(select(OutboxMessage).where(OutboxMessage.topic == Topic.FIGURES_REFRESH))
        assert len(asked.all()) == 2
        told = select(AuditEvent).where(AuditEvent.action == Action.FIGURES_REFRESH_REQUESTED)
        assert len((await session.scalars(told)).all()) == 2
    assert (await visitor.get("/console/impact/refresh")).status_code in (404, 405)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-04-01", "to"),
        ("from=soon&to=2026-04-01", "from"),
        ("from=2026-04-02&to=2026-04-01", "to"),
        ("from=1999-12-31&to=2026-04-01", "from"),
        ("from=2026-04-01&to=9999-12-31", "to"),
    ],
)
async def test_what_is_no_period_is_refused(installation: Installation, query: str, field: str) -> None:
    visitor = await visitor_as(installation, Role.ANALYST)
    refused = await visitor.get(f"/console/impact?{query}")
    assert refused.status_code == 422
    assert f'href="#{field}"' in refused.text
    assert (await visitor.get(f"/console/impact/figures.csv?{query}")).status_code == 404
    assert (await visitor.get(f"/console/impact/IMP-01?{query}")).status_code == 404
    assert (await visitor.get("/console/impact/IMP-99")).status_code == 404


def test_periods_that_are_offered() -> None:
    def offered(today: date, start: date | None = None) -> dict[str, tuple[str, str]]:
        return {s.label: (str(s.period.first_day), str(s.period.last_day)) for s in shortcuts(today, start)}

    assert offered(date(2026, 3, 31)) == {
        "Last 12 months": ("2025-04-01", "2026-03-31"),
        "This financial year": ("2025-04-01", "2026-03-31"),
        "Last financial year": ("2024-04-01", "2025-03-31"),
    }
    assert offered(date(2026, 4, 1))["This financial year"] == ("2026-04-01", "2027-03-31")
    assert offered(date(2028, 2, 29))["Last 12 months"] == ("2027-03-01", "2028-02-29")
    assert offered(date(2026, 4, 1), date(2024, 11, 5))["Since the start"] == ("2024-11-05", "2026-04-01")
    assert "Since the start" not in offered(date(2026, 4, 1), date(2026, 4, 2))
