"""The demonstration's files, taken in as a programme team would, come to the programme's figures in the API."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.cli.demo_files import write_demo_files
from app.training.settings import change_settings
from tests.imports.support import take
from tests.support import Installation

SUMMARY = """{ impactSummary(period: {from: "2024-11-01", to: "2026-10-31"}) {
  tier1Completions { value } tier1Learners { value } webinarAttendances { value } webinarPeople { value }
  championsTrained { value champions { totalCount } } championsActive { value }
  championsPer100Locations { value numerator denominator }
  usefulness { ...Share } practiceImprovement { ...PracticeShare } } }
fragment Share on UsefulnessFigure { value numerator denominator definition { code version }
  distribution { optionNumber label count } responses { responses notAnswered invited responseRate } }
fragment PracticeShare on PracticeFigure { value numerator denominator definition { code version }
  distribution { optionNumber label count } responses { responses notAnswered invited responseRate } }"""


async def import_all(installation: Installation, tenant_id: UUID, folder: Path, demo: str) -> dict[str, Any]:
    """Import every file; what a correct import comes to."""
    made = write_demo_files(folder, demo, seed=7)
    for file in made.files:
        run = await take(
            installation, tenant_id, file.path.read_bytes(), file.format_code, file.options, filename=file.path.name
        )
        assert run.state == "finished", run.error_message
        told = made.expected["files"][file.path.name]
        result = run.counts["result"]
        assert result.get("rejected", 0) == told["rejected"], file.path.name
        assert result.get("not_completed", 0) == told["not_completed"], file.path.name
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        await change_settings(work, version=1, count_unknown_durations=True)
    return made.expected


def agree(summary: dict[str, Any], expected: dict[str, Any]) -> None:
    """The API's figures are those that the files were written for."""
    assert summary["tier1Completions"]["value"] == expected["tier_1_completions"]
    assert summary["tier1Learners"]["value"] == expected["tier_1_learners"]
    assert summary["webinarAttendances"]["value"] == expected["webinar_attendances"]
    assert 0 < summary["webinarPeople"]["value"] < summary["webinarAttendances"]["value"]
    assert summary["championsTrained"]["value"] == expected["champions_trained"]
    assert summary["championsActive"]["value"] == expected["champions_active"]
    rate = summary["championsPer100Locations"]
    assert rate["denominator"] == expected["locations_counted"]
    assert rate["value"] == pytest.approx(100 * expected["champions_active"] / expected["locations_counted"])
    for name, share in (("usefulness", "usefulness"), ("practiceImprovement", "practice")):
        figure = summary[name]
        assert (figure["numerator"], figure["denominator"]) == (expected[share]["highest"], expected[share]["answers"])
        assert round(figure["value"], 1) == expected[share]["percent"]
        assert figure["responses"]["notAnswered"] == expected[share]["not_answered"]
        assert sum(option["count"] for option in figure["distribution"]) == figure["denominator"]
        assert figure["distribution"][-1]["count"] == figure["numerator"]
        rate = 100 * figure["responses"]["responses"] / figure["responses"]["invited"]
        assert figure["responses"]["responseRate"] == pytest.approx(rate)


@pytest.mark.row("A47")
@pytest.mark.row("A48")
@pytest.mark.row("A49")
@pytest.mark.row("A50")
@pytest.mark.row("A51")
@pytest.mark.long
async def test_the_programme_comes_to_its_published_figures(installation: Installation, tmp_path: Path) -> None:
    expected = await import_all(installation, installation.north, tmp_path, "bedfordshire-luton-milton-keynes")
    summary = (await installation.data(installation.north, SUMMARY))["impactSummary"]
    agree(summary, expected)
    assert summary["tier1Completions"]["value"] == 2446
    assert summary["webinarAttendances"]["value"] > 3500
    assert summary["championsTrained"]["value"] == 113
    assert (summary["usefulness"]["value"], summary["practiceImprovement"]["value"]) == (90, 85)
    empty = (await installation.data(installation.south, SUMMARY))["impactSummary"]
    assert empty["tier1Completions"]["value"] == empty["webinarAttendances"]["value"] == 0


@pytest.mark.row("C1")
@pytest.mark.long
async def test_a_board_and_a_council_share_locations_and_nothing_else(
    installation: Installation, tmp_path: Path
) -> None:
    council = await import_all(installation, installation.south, tmp_path / "south", "central-bedfordshire-council")
    before = (await installation.data(installation.south, SUMMARY))["impactSummary"]
    agree(before, council)
    await import_all(installation, installation.north, tmp_path / "north", "bedfordshire-luton-milton-keynes")
    after = (await installation.data(installation.south, SUMMARY))["impactSummary"]
    assert after == before
    listed = "{ locations(first: 100) { totalCount nodes { cqc { cqcLocationId } } } }"
    both = [await installation.data(tenant, listed) for tenant in (installation.north, installation.south)]
    north, south = ({node["cqc"]["cqcLocationId"] for node in data["locations"]["nodes"]} for data in both)
    assert both[0]["locations"]["totalCount"] == 160
    assert both[1]["locations"]["totalCount"] == len(south)
    assert north & south
