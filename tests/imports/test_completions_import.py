"""Completions from file to figure: once each, bad rows handed back, nothing lost when it stops in the middle."""

import csv
import io
from uuid import UUID

import pytest

from app.imports.applying import apply_import
from app.imports.errors import ImportRefusal
from app.imports.staging import stage_import
from tenants.session import UnitOfWork
from tests.imports.support import completion, completions, no_lease, results, rows_of, run_of, send, take, work_off
from tests.support import Installation

FIGURES = """query Figures($period: PeriodInput!) { impactSummary(period: $period) {
  tier1Completions { value definition { code version methodNote } completions { totalCount } }
  tier1Learners { value } } }"""
YEAR = {"period": {"from": "2026-01-01", "to": "2026-12-31"}}


async def figures(installation: Installation, tenant_id: UUID) -> tuple[float, float]:
    """Completions and distinct learners, as a partner reads them."""
    summary = (await installation.data(tenant_id, FIGURES, YEAR))["impactSummary"]
    assert summary["tier1Completions"]["completions"]["totalCount"] == summary["tier1Completions"]["value"]
    return summary["tier1Completions"]["value"], summary["tier1Learners"]["value"]


@pytest.mark.row("A18")
@pytest.mark.row("A47")
async def test_the_same_completions_come_in_once(installation: Installation) -> None:
    north, tier = installation.north, {"tier": 1}
    rows = [completion(number) for number in range(20)] + [completion(number, "Record keeping") for number in range(5)]
    run = await take(installation, north, completions([*rows, *rows[:3]]), options=tier)
    assert (run.state, run.rows_total, run.rows_done) == ("finished", 28, 28)
    assert (results(run)["applied"], results(run)["duplicates"]) == (25, 3)
    assert await figures(installation, north) == (25, 20)

    again = await send(installation, north, completions([*rows, *rows[:3]]), options=tier)
    assert (again.already, again.import_id) == (True, run.id)
    later = await take(installation, north, completions([*rows[10:], completion(99)]), options=tier)
    assert (results(later)["applied"], results(later)["duplicates"]) == (1, 15)
    assert await figures(installation, north) == (26, 21)
    assert await figures(installation, installation.south) == (0, 0)


@pytest.mark.row("A6")
async def test_one_title_of_two_training_providers_is_two_courses(installation: Installation) -> None:
    rows = [completion(1, "Medicines awareness"), completion(1, "Medicines awareness", provider="Invented Academy")]
    await take(installation, installation.north, completions(rows), options={"tier": 1})
    courses = await installation.data(installation.north, "{ courses { nodes { title trainingProvider { name } } } }")
    assert sorted((course["title"], course["trainingProvider"]["name"]) for course in courses["courses"]["nodes"]) == [
        ("Medicines awareness", "Invented Academy"),
        ("Medicines awareness", "PrescQIPP"),
    ]
    assert await figures(installation, installation.north) == (2, 1)


async def test_ten_thousand_rows_with_37_bad_ones(installation: Installation) -> None:
    bad = {number * 263 for number in range(37)}
    rows = [
        completion(number % 800, f"Course {number // 800}", day="31/02/2026" if number in bad else "16/09/2026")
        for number in range(10_000)
    ]
    token = await installation.token(installation.north)
    answer = await installation.http.post(
        "/uploads",
        params={"filename": "export.csv", "format": "completions", "options": '{"tier": 1}', "apply": "true"},
        content=completions(rows),
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 202, answer.text
    import_id = UUID(answer.json()["import_id"].removeprefix("Import:"))
    run = await work_off(installation, installation.north, import_id)
    assert run.state == "finished"
    assert (results(run)["applied"], results(run)["rejected"]) == (9_963, 37)
    assert await figures(installation, installation.north) == (9_963, 800)

    handed_back = await installation.http.post(
        f"/uploads/{import_id}/rejected.csv", headers={"authorization": f"Bearer {token}"}
    )
    lines = list(csv.DictReader(io.StringIO(handed_back.content.decode("utf-8-sig"))))
    assert len(lines) == 37
    assert {int(line["Row"]) - 2 for line in lines} == bad
    assert {line["Reason code"] for line in lines} == {"BAD_DATE"}
    # Mended and sent back as it came, the file brings in just those that were missing.
    mended = handed_back.content.replace(b"31/02/2026", b"28/02/2026")
    second = await take(installation, installation.north, mended, options={"tier": 1})
    assert results(second)["applied"] == 37
    assert await figures(installation, installation.north) == (10_000, 800)


async def test_a_file_of_another_format_is_refused_whole_and_named(installation: Installation) -> None:
    with pytest.raises(ImportRefusal) as refused:
        await send(installation, installation.north, completions([completion(1)]), "champions")
    assert refused.value.code == "WRONG_FORMAT"
    assert "tier 1 completions export" in refused.value.message
    imports = await installation.data(installation.north, "{ imports { totalCount } }")
    assert imports == {"imports": {"totalCount": 0}}
    found = await send(installation, installation.north, completions([completion(1)]), None)
    assert (await run_of(installation, installation.north, found.import_id)).format_code == "completions"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tier": 7}, "NO_SUCH_TIER"),
        ({"tier": "first"}, "INVALID_OPTION"),
        ({"colour": "blue"}, "UNKNOWN_OPTION"),
        ({"time_zone": "Europe/Lutonia"}, "INVALID_OPTION"),
        ({"columns": "all"}, "INVALID_OPTION"),
    ],
)
async def test_options_that_cannot_be(installation: Installation, options: dict[str, object], code: str) -> None:
    with pytest.raises(ImportRefusal) as refused:
        await send(installation, installation.north, completions([completion(1)]), "completions", options)
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


class _Stopped(Exception):
    """The process went away."""


async def test_what_stops_anywhere_goes_on_from_there(installation: Installation) -> None:
    rows = [completion(number % 700, f"Course {number // 700}") for number in range(3_500)]
    whole = await take(installation, installation.south, completions(rows), options={"tier": 1})
    received = await send(installation, installation.north, completions(rows), options={"tier": 1})
    context = installation.context(installation.north)
    folder = installation.services.settings.data_dir / "uploads"
    steps = 0

    async def goes_away(_: UnitOfWork) -> None:
        nonlocal steps
        steps += 1
        if steps % 2 == 0:
            raise _Stopped

    tries = 0
    while (await run_of(installation, installation.north, received.import_id)).state != "finished":
        tries += 1
        assert tries < 30
        try:
            await stage_import(installation.database, context, received.import_id, folder, goes_away)
            await apply_import(installation.database, context, received.import_id, goes_away)
        except _Stopped:
            pass
    assert tries > 5
    run = await run_of(installation, installation.north, received.import_id)
    assert run.counts == whole.counts
    assert await figures(installation, installation.north) == await figures(installation, installation.south)


async def test_a_row_that_cannot_be_stored_does_not_stop_the_others(installation: Installation) -> None:
    rows = [completion(number) for number in range(9)]
    rows[4] = rows[4].replace(",85,", ",999999999,")
    run = await take(installation, installation.north, completions(rows), options={"tier": 1})
    assert (results(run)["applied"], results(run)["rejected"]) == (8, 1)
    (kept,) = await rows_of(installation, installation.north, run.id, "rejected")
    assert (kept.row_number, kept.reason_code) == (6, "CANNOT_BE_STORED")


async def test_an_import_waits_to_be_applied_and_can_be_given_up(installation: Installation) -> None:
    received = await send(installation, installation.north, completions([completion(1)]), auto_apply=False)
    run = await work_off(installation, installation.north, received.import_id)
    assert (run.state, run.counts["preview"]["sound"], run.rows_done) == ("ready", 1, 0)
    assert await figures(installation, installation.north) == (0, 0)
    given_up = """mutation($id: ID!) { cancelImport(id: $id) { __typename ... on ImportChanged { import { state } }
      ... on ImportRefused { code message } } }"""
    variables = {"id": f"Import:{received.import_id}"}
    foreign = await installation.data(installation.south, given_up, variables)
    assert foreign["cancelImport"]["code"] == "NO_SUCH_IMPORT"
    data = await installation.data(installation.north, given_up, variables)
    assert data == {"cancelImport": {"__typename": "ImportChanged", "import": {"state": "CANCELLED"}}}
    late = await installation.data(installation.north, given_up, variables)
    assert late["cancelImport"]["code"] == "TOO_LATE"
    await apply_import(installation.database, installation.context(installation.north), received.import_id, no_lease)
    assert await figures(installation, installation.north) == (0, 0)
    anew = await send(installation, installation.north, completions([completion(1)]))
    assert not anew.already


async def test_a_close_spelling_of_an_employer_is_pointed_out(installation: Installation) -> None:
    await take(installation, installation.north, completions([completion(1)]))
    row = completion(2).replace("Rose Lodge 2", "Rose Lodge Care Home 1")
    run = await take(installation, installation.north, completions([row]))
    assert results(run)["applied"] == 1
    (remark,) = await rows_of(installation, installation.north, run.id, "remark")
    assert remark.reason_code == "EMPLOYER_MAYBE_KNOWN"
    assert len(remark.candidates) == 1


async def test_short_completions_are_taken_and_flagged(installation: Installation) -> None:
    rows = [completion(1), completion(2).replace("3h 10m", "0h 40m")]
    await take(installation, installation.north, completions(rows), options={"tier": 1})
    found = await installation.data(installation.north, "{ completions { nodes { minutes shortDuration } } }")
    assert sorted((row["minutes"], row["shortDuration"]) for row in found["completions"]["nodes"]) == [
        (40, True),
        (190, False),
    ]
