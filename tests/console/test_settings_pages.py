"""Settings through the page: what is saved, what is refused, and two people at once."""

import re
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app.console.settings_pages import COLUMNS
from app.identity.permissions import Role
from app.imports.formats import completions as format_
from tenants.models import TenantSettings
from tests.console.programme import import_id, upload
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.imports.support import run_of, work_off
from tests.support import Installation

PAGE = "/console/settings"


async def stored(installation: Installation) -> TenantSettings:
    """The north's settings."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return (await session.scalars(select(TenantSettings))).one()


async def send(visitor: Visitor, version: int = 1, **fields: Any) -> httpx2.Response:
    """Send the form with some fields filled in differently."""
    sent = {"version": str(version), "threshold": "80", "count_unknown": "no"} | fields
    await visitor.get(PAGE)
    return await visitor.post(PAGE, sent)


async def test_settings_are_saved_and_shown(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    answer = await send(lead, threshold=" 75", count_unknown="yes", column_account="Staff no.")
    assert answer.headers["location"] == f"{PAGE}?done=settings-changed"
    saved = await stored(installation)
    assert (saved.attendance_threshold_percent, saved.count_unknown_durations, saved.version) == (75, True, 2)
    assert saved.column_mappings == {"completions": {"account": "Staff no."}}
    page = await lead.get(PAGE)
    assert 'value="75"' in page.text
    assert 'value="Staff no."' in page.text
    await send(lead, 2, threshold="75", count_unknown="yes")
    assert (await stored(installation)).column_mappings == {}


async def test_a_saved_column_reads_a_file_with_that_heading(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    content = b"Kursname,Wer,Fertig\nSafe handling,u1,16/09/2026 10:00\n"
    assert (await upload(lead, content, {"format": "completions"})).status_code == 422
    await send(lead, column_course="Kursname", column_account="Wer", column_completed="Fertig")
    taken = import_id(await upload(lead, content, {"format": "completions", "apply": "yes"}))
    await work_off(installation, installation.north, taken)
    run = await run_of(installation, installation.north, taken)
    assert run.counts["preview"]["rows"] == 1
    assert run.options["columns"]["account"] == "Wer"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"threshold": "101"}, "threshold"),
        ({"threshold": "most"}, "threshold"),
        ({"threshold": ""}, "threshold"),
        ({"count_unknown": ""}, "count_unknown"),
        ({"column_course": "x" * 301}, "column_course"),
        ({"version": "x"}, ""),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_saved(
    installation: Installation, fields: dict[str, Any], field: str
) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    sent: dict[str, Any] = {"column_email": "Mail"} | fields
    refused = await send(lead, **sent)
    assert refused.status_code == 422
    assert not field or f'href="#{field}"' in refused.text
    assert 'value="Mail"' in refused.text, "what was typed stays"
    assert (await stored(installation)).version == 1
    assert (await send(lead, column_email="Mail")).status_code == 303


async def test_two_people_at_once_see_each_other(installation: Installation) -> None:
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    other = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    assert (await send(other, threshold="60", column_email="Mail")).status_code == 303
    late = await send(lead, 1, threshold="90")
    assert late.status_code == 422
    text = main_text(late)
    assert "Somebody changed the settings meanwhile" in text
    assert "Attendance threshold: 60%" in text
    assert "Column for E-mail address: Mail" in text
    assert 'value="90"' in late.text, "what was typed stays"
    assert (await stored(installation)).attendance_threshold_percent == 60
    version = re.search(r'name="version" value="(\d+)"', late.text)
    assert version is not None
    assert (await send(lead, int(version[1]), threshold="90")).status_code == 303
    assert (await stored(installation)).attendance_threshold_percent == 90


def test_every_field_of_the_format_has_words() -> None:
    assert COLUMNS.keys() == format_.COLUMNS.words.keys()
