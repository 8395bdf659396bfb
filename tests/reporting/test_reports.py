"""What reports count, hide and name; that a snapshot never changes and every form tells the same."""

import asyncio
import io
import zipfile
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from app.evidence.figures import Period
from app.identity.permissions import Permission, Role
from app.reporting import impact_parts, operations
from app.reporting.building import build
from app.reporting.content import MASK, Section, Table
from app.reporting.keeping import Opened, Tampered, lots_of, open_report
from app.reporting.models import ReportContent, ReportRows, ReportSchedule, ReportSnapshot
from app.reporting.pdf import draw_pdf, page_data
from app.reporting.reading import Reading
from app.reporting.spreadsheet import spreadsheet
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Completion
from tenants.audit import Action, AuditEvent
from tests.identity.people import make_staff
from tests.reporting.support import ROSE, THORN, YEAR, figures, made, make_scene, opened
from tests.support import Installation
from tests.webhooks.support import work_off
from workers import reports, webhooks


async def table_of(installation: Installation, found: Opened, key: str) -> list[list[Any]]:
    """All rows of a table of a report."""
    (table,) = [table for section in found.report.sections for table in section.tables if table.key == key]
    assert isinstance(table, Table)
    async with installation.database.session(installation.context(installation.north)) as session:
        return [list(row) async for lot in lots_of(session, found, table) for row in lot]


async def everything(installation: Installation, found: Opened) -> str:
    """All that a report tells, as text."""
    told = [str(found.report)]
    for section in found.report.sections:
        for table in section.tables:
            told += [str(row) for row in await table_of(installation, found, table.key)]
    return "\n".join(told)


async def files(installation: Installation, found: Opened) -> tuple[bytes, dict[str, bytes]]:
    """The PDF, and the sheets of the spreadsheet by name."""
    async with installation.database.session(installation.context(installation.north)) as session:
        data = await page_data(session, found)
        with await spreadsheet(session, found) as book, zipfile.ZipFile(io.BytesIO(book.read())) as parts:
            sheets = {name: parts.read(name) for name in parts.namelist() if "worksheets" in name}
    return await asyncio.to_thread(draw_pdf, data, 1_700_000_000), sheets


@pytest.mark.row("A47")
@pytest.mark.row("A48")
@pytest.mark.row("A49")
@pytest.mark.row("A50")
@pytest.mark.row("A51")
@pytest.mark.row("A52")
@pytest.mark.row("A53")
async def test_the_impact_report_counts_events_and_people_apart_and_hides_small_numbers(
    installation: Installation,
) -> None:
    await make_scene(installation)
    found = await opened(installation, await made(installation, "impact"))
    told = figures(found)
    assert {key: told[key][0] for key in ("IMP-01", "IMP-02", "IMP-03", "IMP-04", "IMP-05", "IMP-06")} == {
        "IMP-01": 19, "IMP-02": 10, "IMP-03": 104, "IMP-04": 10, "IMP-05": 8, "IMP-06": 8,
    }  # fmt: skip
    assert told["IMP-07"] == (400.0, 8, 2)
    assert told["IMP-08"] == (90.0, 90, 100)
    assert told["IMP-08-open"][0] == 20
    assert told["IMP-08-rate"] == (80.0, 120, 150)
    assert await table_of(installation, found, "IMP-08-answers") == [
        ["Not useful", 0, 0.0], ["A little useful", 0, 0.0], ["Very useful", 10, 10.0], ["Extremely useful", 90, 90.0],
    ]  # fmt: skip
    # Three of twenty did not agree most strongly: they are few, so neither they nor the others are told.
    assert told["IMP-09"] == (MASK, MASK, MASK)
    assert [row[1] for row in await table_of(installation, found, "IMP-09-answers")] == [0, 0, MASK, MASK]
    assert (told["plans-cqc"][0], told["plans-local"][0]) == (1, 0)
    months = await table_of(installation, found, "attendance-months")
    assert [row[1] for row in months] == [9, 10] * 5 + [9]
    assert {row[2] for row in months} == {None}, "no rule fires"
    (chart,) = [chart for section in found.report.sections for chart in section.charts if chart.kind == "xmr"]
    assert set(chart.variations) == {"common"}
    trend = next(section for section in found.report.sections if section.key == "trend")
    assert any("on trial" in words for words in trend.text), "eleven months"
    text = await everything(installation, found)
    assert "Ourperson" not in text
    assert "Invented Award" in text
    assert all(figure.method and figure.when for section in found.report.sections for figure in section.figures)
    short = await opened(
        installation, await made(installation, "impact", period=Period(date(2026, 2, 2), date(2026, 2, 28)))
    )
    assert figures(short)["IMP-01"][0] == 0
    assert figures(short)["IMP-07"] == (None, 0, 0), "nothing to divide by before the locations were known"


@pytest.mark.row("A54")
@pytest.mark.row("A67")
async def test_an_evidence_pack_tells_of_one_provider_and_names_its_staff_if_asked(installation: Installation) -> None:
    await make_scene(installation)
    pack = await opened(installation, await made(installation, "evidence_pack", named=True, cqc_provider_id=ROSE))
    told = figures(pack)
    assert told["people"][0] == 10
    assert told["met"] == (90.0, 9, 10)
    assert told["assessed"] == (10.0, 1, 10)
    assert told["covered"] == (100.0, 1, 1)
    staff = await table_of(installation, pack, "staff")
    assert [row[0] for row in staff] == [f"Ourperson {letter}" for letter in "ABCDEFGHIJ"]
    assert (staff[0][9], staff[9][7]) == ("Competent", "Foundation")
    learned = await table_of(installation, pack, "training")
    assert told["learned"][0] == len(learned) == 18 + 9 * 6 + 10 * 5
    assert not [row for row in learned if row[1] < "2025-06-01"], "she worked elsewhere then"
    assert [row[:3] for row in await table_of(installation, pack, "plans")] == [
        ["Plan of Rose", "Train everybody", "Foundation"]
    ]
    assert len(await table_of(installation, pack, "champions")) == 8
    assert "Invented Award" in await everything(installation, pack)
    assert "Strangerson" not in await everything(installation, pack)
    assert "Thorn" not in await everything(installation, pack)
    bare = await opened(installation, await made(installation, "evidence_pack", cqc_provider_id=ROSE))
    text = await everything(installation, bare)
    assert "Person 1" in text
    assert [name for name in ("Ourperson", "Strangerson", "Assessor X") if name in text] == []
    assert figures(bare) == told, "only names are left out"
    other = await opened(installation, await made(installation, "evidence_pack", named=True, cqc_provider_id=THORN))
    assert [row[0] for row in await table_of(installation, other, "staff")] == ["Strangerson A", "Strangerson B"]
    context = installation.context(installation.north)
    for provider, code in ((None, "PROVIDER_MISSING"), ("1-NONE", "NO_SUCH_PROVIDER")):
        async with installation.database.unit_of_work(context) as work:
            with pytest.raises(TrainingRefusal) as why:
                await operations.request_report(work, operations.Wanted("evidence_pack", YEAR, False, provider))
        assert why.value.code == code


async def test_reports_for_the_board_add_up_and_name_owners_if_asked(installation: Installation) -> None:
    await make_scene(installation)
    board = await opened(installation, await made(installation, "board", named=True))
    assert figures(board)["tier-1"] == (83.3, 10, 12)
    assert figures(board)["overdue"][0] == 1
    assert figures(board)["covered"] == (50.0, 1, 2)
    assert await table_of(installation, board, "without-champion") == [["Thorn House", "Not known", None]]
    by_setting = await table_of(installation, board, "by-setting")
    assert [sum(row[at] for row in by_setting) for at in (3, 4, 5)] == [12, 10, 2]
    assert "Pat Owner" in await everything(installation, board)
    coverage = await opened(installation, await made(installation, "coverage"))
    assert await table_of(installation, coverage, "by-setting") == by_setting
    actions = await opened(installation, await made(installation, "actions", named=False))
    assert [row[0] for row in await table_of(installation, actions, "actions")] == ["Too few nurses", "Train everybody"]
    assert "Pat Owner" not in await everything(installation, actions)


@pytest.mark.row("A54")
async def test_a_snapshot_stays_and_gives_the_same_figures_in_every_form(installation: Installation) -> None:
    await make_scene(installation)
    first = await opened(installation, await made(installation, "evidence_pack", named=True, cqc_provider_id=ROSE))
    second = await opened(installation, await made(installation, "evidence_pack", named=True, cqc_provider_id=ROSE))
    assert first.sha256 == second.sha256, "two builds of the same data"
    before, files_before = await everything(installation, first), await files(installation, first)
    assert files_before[0].startswith(b"%PDF-")
    assert b"pdfuaid" in files_before[0], "tagged by PDF/UA"
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        await work.session.execute(update(Attendance).values(qualifies=False))
        await work.session.execute(update(Completion).values(completed_at=Completion.completed_at + timedelta(days=9)))
    again = await opened(installation, first.snapshot.id)
    assert await everything(installation, again) == before
    assert await files(installation, again) == files_before, "byte by byte"
    assert (await opened(installation, await made(installation, "impact"))).sha256 != first.sha256
    async with installation.database.session(context) as session:
        with await spreadsheet(session, again) as file:
            book = load_workbook(io.BytesIO(file.read()), read_only=True)
    rows = list(book["Figures"].iter_rows(min_row=2, values_only=True))
    assert {row[1]: row[2] for row in rows}["Requirements met"] == 90
    assert len(list(book["Training of the staff"].rows)) == 1 + figures(again)["learned"][0]


@pytest.mark.one_login
async def test_what_a_snapshot_tells_cannot_be_changed_and_tampering_is_seen(installation: Installation) -> None:
    await make_scene(installation)
    snapshot_id = await made(installation, "coverage")
    context = installation.context(installation.north)
    for forbidden in (
        update(ReportContent).values(sha256="0"),
        update(ReportRows).values(number=9),
        update(ReportSnapshot).values(named=True),
    ):
        async with installation.database.session(context) as session:
            with pytest.raises(DBAPIError, match="permission denied"):
                await session.execute(forbidden)
    owner = await asyncpg.connect(installation.urls.owner)
    rows = "UPDATE medstead.report_rows SET rows = '[[\"Tier 1\", 1, 1, 0, 100.0]]' WHERE table_key = 'by-tier'"
    await owner.execute(rows)
    found = await opened(installation, snapshot_id)
    with pytest.raises(Tampered, match="by-tier"):
        await everything(installation, found)
    await owner.execute("UPDATE medstead.report_content SET data = jsonb_set(data, '{about}', '\"Another\"')")
    await owner.close()
    async with installation.database.session(context) as session:
        snapshot = await session.get_one(ReportSnapshot, (installation.north, snapshot_id))
        with pytest.raises(Tampered):
            await open_report(session, snapshot)


async def test_a_build_that_was_broken_off_is_begun_again_and_kept_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_scene(installation)

    async def broken(_: Reading) -> Section:
        raise RuntimeError("the power failed")

    context = installation.context(installation.north)
    with monkeypatch.context() as patched:
        parts = impact_parts.__name__
        patched.setattr(f"{parts}.attendance_trend", broken)
        from app.reporting import building, definitions

        definition = definitions.DEFINITIONS["impact"]
        worse = {**definitions.DEFINITIONS, "impact": _with(definition, broken)}
        patched.setattr(building, "DEFINITIONS", worse)
        snapshot_id = await made(installation, "impact")
        async with installation.database.session(context) as session:
            row = await session.get_one(ReportSnapshot, (installation.north, snapshot_id))
        assert (row.state, row.error, row.steps_done) == ("failed", "RuntimeError", 2)
    installation.clock.move(timedelta(hours=1))
    await work_off(installation)
    found = await opened(installation, snapshot_id)
    assert found.snapshot.steps_done == found.snapshot.steps_total == 6

    async def renew(_: object) -> None:
        return

    assert not await build(installation.database, context, snapshot_id, renew, 14), "it is there already"
    async with installation.database.session(context) as session:
        assert (await session.scalars(select(func.count()).select_from(ReportContent))).one() == 1


def _with(definition: Any, part: Any) -> Any:
    from dataclasses import replace

    return replace(definition, parts=(*definition.parts[:2], part, *definition.parts[3:]))


async def test_schedules_ask_for_each_period_once_and_make_up_for_what_was_missed(installation: Installation) -> None:
    _, reader = await make_staff(installation, installation.north, "reader@example.org", Role.PROGRAMME_LEAD)
    context = installation.context(installation.north)

    async def due() -> int:
        async with installation.database.unit_of_work(context) as work:
            return await operations.request_due(work)

    async with installation.database.unit_of_work(context) as work:
        schedule_id = await operations.add_schedule(work, operations.Schedule("impact", "month", [reader, reader]))
        for wrong, code in (
            (operations.Schedule("impact", "day", [reader]), "UNKNOWN_RHYTHM"),
            (operations.Schedule("impact", "week", []), "READERS_MISSING"),
            (operations.Schedule("impact", "week", [UUID(int=1)]), "NO_SUCH_STAFF_MEMBER"),
            (operations.Schedule("evidence_pack", "week", [reader]), "PROVIDER_MISSING"),
        ):
            with pytest.raises(TrainingRefusal) as why:
                await operations.add_schedule(work, wrong)
            assert why.value.code == code
    assert await due() == 0, "November is not over"
    installation.clock.move(timedelta(days=70))
    assert sorted(await asyncio.gather(due(), due())) == [0, 3], "November to January, in February"
    assert await due() == 0
    async with installation.database.session(context) as session:
        asked = await session.scalars(select(ReportSnapshot).order_by(ReportSnapshot.first_day))
        assert [(row.first_day, row.last_day) for row in asked] == [
            (date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 12, 1), date(2026, 12, 31)),
            (date(2027, 1, 1), date(2027, 1, 31)),
        ]  # fmt: skip
    async with installation.database.unit_of_work(context) as work:
        await operations.pause_schedule(work, schedule_id, 1, active=False)
    installation.clock.move(timedelta(days=60))
    assert await due() == 0
    async with installation.database.unit_of_work(context) as work:
        await operations.pause_schedule(work, schedule_id, 2, active=True)
        row = await work.session.get_one(ReportSchedule, (work.tenant_id, schedule_id))
        assert row.next_first_day == date(2027, 4, 1), "the pause is not made up for"
        told = await work.session.scalars(select(func.count()).where(AuditEvent.action == Action.REPORT_SCHEDULE_SAVED))
        assert told.one() == 2


async def test_partners_ask_for_reports_and_read_figures_that_their_scopes_open(installation: Installation) -> None:
    await make_scene(installation)
    reports.register_handlers()
    webhooks.register_handlers()
    asked = """mutation($kind: ReportKind!, $from: Date!, $provider: String) {
      requestReport(input: {kind: $kind, period: {from: $from, to: "2026-11-30"}, provider: $provider}) {
        __typename ... on ReportRequested { report { id state } } ... on UserError { code path } } }"""
    told = """{ reports(first: 5) { nodes { kind state stepsDone stepsTotal provider { name }
      figures { key value numerator denominator suppressed definitionCode } } } }"""
    scopes = [Permission.EVIDENCE_READ, Permission.DIRECTORY_READ]

    async def ask(kind: str, scopes: list[Permission], **more: str) -> dict[str, Any]:
        variables = {"kind": kind, "from": "2025-12-01"} | more
        answer = await installation.graphql(installation.north, asked, variables, scopes=scopes)
        found: dict[str, Any] = answer["data"]["requestReport"]
        return found

    made_ = await ask("IMPACT", scopes)
    assert made_["report"]["state"] == "WAITING"
    assert await ask("BOARD", scopes) == {"__typename": "ReportRefused", "code": "SCOPE_MISSING", "path": ["kind"]}
    assert (await ask("IMPACT", scopes, **{"from": "2027-01-01"}))["code"] == "INVALID_PERIOD"
    assert (await ask("EVIDENCE_PACK", [*scopes, Permission.TRAINING_READ]))["code"] == "PROVIDER_MISSING"
    pack = await ask("EVIDENCE_PACK", [*scopes, Permission.TRAINING_READ], provider=ROSE)
    assert "report" in pack
    await work_off(installation)
    seen = (await installation.graphql(installation.north, told, scopes=scopes))["data"]["reports"]["nodes"]
    (first, second) = seen
    assert (first["kind"], first["provider"], first["figures"]) == ("EVIDENCE_PACK", {"name": ROSE}, [])
    assert (second["kind"], second["state"], second["stepsDone"]) == ("IMPACT", "READY", 6)
    figures_ = {figure.pop("key"): figure for figure in second["figures"]}
    assert figures_["IMP-08"] == {
        "value": 90.0, "numerator": 90, "denominator": 100, "suppressed": False, "definitionCode": "IMP-08",
    }  # fmt: skip
    assert figures_["IMP-09"]["suppressed"]
    assert figures_["IMP-09"]["value"] is None
    more = await installation.graphql(installation.north, told, scopes=[*scopes, Permission.TRAINING_READ])
    assert more["data"]["reports"]["nodes"][0]["figures"][0]["value"] == 10
    found = await opened(installation, UUID(pack["report"]["id"].partition(":")[2]))
    assert not found.report.named
