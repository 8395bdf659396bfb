"""Imports through the pages: each format by the form, refusals and their correction, results, rejected rows."""

import csv
import io
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from app.console import import_words
from app.identity.permissions import Role
from app.imports.formats import FORMATS
from app.imports.models import ImportRun
from app.imports.options import option_names
from tenants.audit import Action, AuditEvent
from tests.console.programme import (
    ATTENDANCE,
    CHAMPIONS,
    COMPLETIONS,
    DIRECTORY,
    FEEDBACK,
    import_id,
    small_programme,
    upload,
)
from tests.console.visitor import main_text, visitor_as
from tests.imports.support import run_of, work_off
from tests.support import Installation

SESSION_FIELDS = {
    "session_title": "When required medicines",
    "session_day": "2026-07-22",
    "session_starts": "14:00",
    "session_ends": "15.30",
    "time_zone": "Europe/London",
    "tier": "2",
}
FORMS: dict[str, tuple[bytes, dict[str, Any], dict[str, Any]]] = {
    "completions": (
        COMPLETIONS,
        {"tier": "1", "source": "moodle", "training_provider": "PrescQIPP", "date_order": "day_first"},
        {"tier": 1, "source": "moodle", "training_provider": "PrescQIPP", "date_order": "day_first"},
    ),
    "teams_attendance": (
        ATTENDANCE,
        SESSION_FIELDS,
        {
            "tier": 2,
            "session_title": "When required medicines",
            "starts_at": "2026-07-22T13:00:00+00:00",
            "ends_at": "2026-07-22T14:30:00+00:00",
            "time_zone": "Europe/London",
        },
    ),
    "feedback": (
        FEEDBACK,
        {"tier": "2", "form_title": "Webinar feedback", "invited": "8"},
        {"tier": 2, "form_title": "Webinar feedback", "invited": 8},
    ),
    "champions": (CHAMPIONS, {"tier": "3"}, {"tier": 3}),
    "cqc_locations": (
        DIRECTORY,
        {"local_authorities": "Luton\r\n\r\nBedford"},
        {"local_authorities": ["Luton", "Bedford"]},
    ),
}
"""Format → file, fields of the form, options kept. Fields of other formats are sent too, as a browser does."""


async def count_of_runs(installation: Installation) -> int:
    """Imports of the north."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return (await session.scalars(select(func.count()).select_from(ImportRun))).one()


@pytest.mark.parametrize("code", FORMS)
async def test_a_file_of_each_format_comes_in_by_the_form_and_adds_up(installation: Installation, code: str) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    content, fields, options = FORMS[code]
    others = {
        "session_title": "",
        "form_title": "",
        "invited": "",
        "local_authorities": "",
        "time_zone": "Europe/London",
    }
    taken = import_id(await upload(visitor, content, others | fields | {"format": code, "apply": "yes"}))
    run = await run_of(installation, installation.north, taken)
    assert (run.format_code, run.options, run.auto_apply) == (code, options, True)
    run = await work_off(installation, installation.north, taken)
    assert run.state == "finished"
    told = import_words.outcomes(run)
    assert sum(item.number for item in told) == run.rows_total
    page = main_text(await visitor.get(f"/console/imports/{taken}"))
    assert f"Together {run.rows_total}" in page
    assert "Finished" in page


async def test_a_format_is_found_out_and_a_tier_that_does_not_suit_is_left_out(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    found = {}
    for name, content in (("a.csv", COMPLETIONS), ("b.csv", DIRECTORY)):
        answer = await upload(visitor, content, {"format": "find_out", "tier": "1"}, name)
        run = await run_of(installation, installation.north, import_id(answer))
        found[run.format_code] = run.options
    assert found == {"completions": {"tier": 1}, "cqc_locations": {}}


async def test_a_file_of_another_format_is_refused_with_its_correction(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    refused = await upload(visitor, FEEDBACK, {"format": "completions", "tier": "2"})
    assert refused.status_code == 422
    assert "This looks like feedback form responses" in main_text(refused)
    assert 'href="#file"' in refused.text
    correction = re.search(r'name="instead" value="(\w+)"', refused.text)
    assert correction is not None
    assert await count_of_runs(installation) == 0
    mended = await upload(visitor, FEEDBACK, {"format": "completions", "tier": "2", "instead": correction[1]})
    run = await run_of(installation, installation.north, import_id(mended))
    assert (run.format_code, run.options) == ("feedback", {"tier": 2})


@pytest.mark.parametrize(
    ("content", "fields", "field", "words"),
    [
        pytest.param(None, {"format": "completions"}, "file", "Choose a file.", id="no file"),
        pytest.param(b"", {"format": "completions"}, "file", "The file is empty", id="empty file"),
        pytest.param(b"nothing,known\n1,2\n", {}, "format", "resembles nothing", id="not found out"),
        pytest.param(COMPLETIONS, {"format": "nonsense"}, "format", "There is no format", id="unknown format"),
        pytest.param(COMPLETIONS, {"format": "completions", "tier": "7"}, "tier", "no tier 7", id="no such tier"),
        pytest.param(FEEDBACK, {"format": "feedback", "invited": "many"}, "invited", "a whole number", id="invited"),
        pytest.param(ATTENDANCE, {"format": "teams_attendance"}, "session_starts", "Give its start", id="no session"),
        pytest.param(
            ATTENDANCE,
            {"format": "teams_attendance", "session_day": "2026-07-22", "session_starts": "noon"},
            "session_starts",
            "Enter the day of the session",
            id="no time",
        ),
        pytest.param(
            ATTENDANCE,
            {"format": "teams_attendance"} | SESSION_FIELDS | {"session_ends": "13:00"},
            "session_ends",
            "let the end be later",
            id="ends before it starts",
        ),
    ],
)
async def test_what_is_wrong_stands_in_the_summary_and_beside_the_field(
    installation: Installation, content: bytes | None, fields: dict[str, str], field: str, words: str
) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    refused = await upload(visitor, content, fields)
    assert refused.status_code == 422
    assert main_text(refused).count(words) == 2, main_text(refused)
    assert f'href="#{field}"' in refused.text
    assert re.search(rf'id="{field}"', refused.text)
    assert await count_of_runs(installation) == 0


async def test_the_same_file_comes_in_once(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    first = await upload(visitor, COMPLETIONS, {"format": "completions"})
    second = await upload(visitor, COMPLETIONS, {"format": "completions"})
    assert import_id(first) == import_id(second)
    assert "nothing was added" in main_text(await visitor.get(second.headers["location"]))
    assert await count_of_runs(installation) == 1


async def test_an_import_is_looked_at_applied_and_not_applied_twice(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    taken = import_id(await upload(visitor, COMPLETIONS, {"format": "completions", "tier": "1"}))
    path = f"/console/imports/{taken}"
    assert (await visitor.get(f"{path}/progress")).json() == {
        "state": "staging", "done": 0, "total": None, "text": "0 rows read so far",
    }  # fmt: skip
    early = await visitor.post(f"{path}/apply")
    assert early.status_code == 422
    assert "Only one that is ready can be applied" in main_text(early)
    run = await work_off(installation, installation.north, taken)
    assert run.state == "ready"
    page = main_text(await visitor.get(path))
    assert "Can be applied 5 Rejected 1 Together 6" in page
    assert (await visitor.post(f"{path}/apply")).headers["location"] == f"{path}?done=import-applied"
    assert (await visitor.get(f"{path}/progress")).json()["text"] == "0 of 6 rows done"
    assert "<progress" in (await visitor.get(path)).text
    run = await work_off(installation, installation.north, taken)
    page = main_text(await visitor.get(path))
    assert "Applied 4 Known already, so not stored twice 1 Rejected 1 Together 6" in page
    assert (await visitor.post(f"{path}/cancel")).status_code == 422
    assert (await run_of(installation, installation.north, taken)).counts == run.counts


async def test_an_import_is_given_up(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    taken = import_id(await upload(visitor, COMPLETIONS, {"format": "completions"}))
    await work_off(installation, installation.north, taken)
    await visitor.post(f"/console/imports/{taken}/cancel")
    assert "Given up" in main_text(await visitor.get(f"/console/imports/{taken}"))
    refused = await visitor.post(f"/console/imports/{taken}/apply")
    assert refused.status_code == 422
    assert (await run_of(installation, installation.north, taken)).state == "cancelled"


async def test_who_may_only_look_changes_nothing(installation: Installation) -> None:
    lead, analyst = [await visitor_as(installation, role) for role in (Role.PROGRAMME_LEAD, Role.ANALYST)]
    taken = import_id(await upload(lead, COMPLETIONS, {"format": "completions"}))
    await work_off(installation, installation.north, taken)
    assert "Give up" not in main_text(await analyst.get(f"/console/imports/{taken}"))
    for change in ("apply", "cancel"):
        assert (await analyst.post(f"/console/imports/{taken}/{change}")).status_code == 403
    assert (await upload(analyst, FEEDBACK, {"format": "feedback"})).status_code == 403
    assert (await run_of(installation, installation.north, taken)).state == "ready"
    assert await count_of_runs(installation) == 1
    assert (await lead.post(f"/console/imports/{taken}/apply")).status_code == 303


async def test_rejected_rows_are_shown_and_downloaded_with_an_audit_row(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    analyst = await visitor_as(installation, Role.ANALYST)
    made = await small_programme(installation, installation.north)
    path = f"/console/imports/{made.completions}/rejected"
    assert "Givenb" in main_text(await visitor.get(path))
    hidden = main_text(await analyst.get(path))
    assert "Givenb" not in hidden
    assert "Your role does not show what the rows say" in hidden
    assert (await analyst.post(f"{path}.csv")).status_code == 403
    assert await exports(installation) == 0
    answer = await visitor.post(f"{path}.csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["First name"], row["Row"]) == ("Givenb", "6")
    assert row["Reason"]
    assert await exports(installation) == 1


async def exports(installation: Installation) -> int:
    """Audited downloads of rejected rows."""
    async with installation.database.session(installation.context(installation.north)) as session:
        told = select(func.count()).where(AuditEvent.action == Action.IMPORT_REJECTS_EXPORTED)
        return (await session.scalars(told)).one()


async def test_the_list_goes_back_page_by_page_without_gap(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.import_pages.PAGE", 2)
    visitor = await visitor_as(installation, Role.ANALYST)
    await small_programme(installation, installation.north)
    seen: list[str] = []
    path: str | None = "/console/imports"
    while path is not None:
        text = (await visitor.get(path)).text
        seen += re.findall(r'href="/console/imports/[0-9a-f-]{36}">([\w.]+)<', text)
        onward = re.search(r'href="(/console/imports\?after=[^"]+)" rel="next"', text)
        path = onward[1] if onward else None
    assert seen == ["champions.csv", "feedback.csv", "webinar.csv", "completions.csv", "directory.csv"]


async def test_a_file_larger_than_the_limit_is_refused_while_it_arrives(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imports.receiving.LARGEST_FILE", 1000)
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    refused = await upload(visitor, COMPLETIONS * 4, {"format": "completions"})
    assert refused.status_code == 422
    assert "larger than" in main_text(refused)
    assert await count_of_runs(installation) == 0


async def test_a_field_cannot_carry_what_only_a_file_may(installation: Installation) -> None:
    visitor = await visitor_as(installation, Role.PROGRAMME_LEAD)
    refused = await upload(visitor, COMPLETIONS, {"format": "completions", "session_title": "x" * 70_000})
    assert refused.status_code == 400
    assert await count_of_runs(installation) == 0


def test_every_option_and_outcome_has_words() -> None:
    names = {name for code in FORMATS for name in option_names(code)}
    assert names == import_words.OPTIONS.keys()
