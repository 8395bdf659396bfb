"""The registry: boards and councils over time, as partners read them, and tenants that may go live."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from tenants.clock import SettableClock
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.organisations import organisation_id
from tenants.registry import TenantRefusal, change_status, create_tenant
from tenants.session import Database
from tests.support import NOW, Installation

BOARDS = """query($on: Date!, $first: Int!, $after: String) {
  organisations(first: $first, after: $after, where: {kind: {equals: "icb"}, establishedOn: {before: $on},
      or: [{abolishedOn: {isNull: true}}, {abolishedOn: {from: $on}}]}) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { name codes { scheme code validFrom validTo } successors { odsCode kind happenedOn } } } }"""


async def boards(installation: Installation, on: date) -> dict[str, dict[str, Any]]:
    """The Integrated Care Boards of a day by their ODS code, read page by page."""
    found: dict[str, dict[str, Any]] = {}
    after, more = None, True
    while more:
        variables = {"on": str(on), "first": 10, "after": after}
        page = (await installation.data(installation.north, BOARDS, variables))["organisations"]
        for node in page["nodes"]:
            (code,) = {code["code"] for code in node["codes"] if code["scheme"] == "ODS"}
            assert code not in found
            found[code] = node
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert page["totalCount"] == len(found)
    return found


async def test_boards_as_they_were_on_a_day(installation: Installation) -> None:
    before, after = (
        await boards(installation, date(2023, 6, 1)),
        await boards(installation, date(2026, 11, 24)),
    )
    assert (len(before), len(after)) == (42, 36)
    assert len(before.keys() - after.keys()) == 12
    assert after.keys() - before.keys() == {"S1Y5D", "D7T5G", "T6Y0W", "S9B9J", "S0E4D", "Z9B2Z"}
    assert {len(code) for code in after} == {3, 5}


async def test_succession_is_many_to_many(installation: Installation) -> None:
    before = await boards(installation, date(2023, 6, 1))
    steps = {code: {(step["odsCode"], step["kind"]) for step in node["successors"]} for code, node in before.items()}
    assert steps["QHG"] == {("S1Y5D", "MERGE")}
    assert steps["QNQ"] == {("S0E4D", "SPLIT"), ("S9B9J", "SPLIT"), ("QRL", "BOUNDARY_CHANGE")}
    # Suffolk and North East Essex went to Essex and to Norfolk and Suffolk: never to Surrey.
    assert steps["QJG"] == {("D7T5G", "SPLIT"), ("T6Y0W", "SPLIT")}
    assert sum(map(len, steps.values())) == 16


async def test_codes_of_one_body_move_apart(installation: Installation) -> None:
    codes = (await boards(installation, date(2026, 11, 24)))["QRL"]["codes"]
    assert [(code["scheme"], code["code"], code["validTo"]) for code in codes] == [
        ("ODS", "QRL", None),
        ("ONS_GSS", "E54000042", "2026-04-01"),
        ("ONS_GSS", "E54000067", None),
    ]


@pytest.fixture
async def owner(installation: Installation) -> AsyncIterator[Database]:
    database = Database(create_engine(installation.urls.owner), SettableClock(NOW))
    yield database
    await database.dispose()


@pytest.mark.row("C2")
async def test_a_tenant_goes_live_with_a_code_and_not_without(installation: Installation, owner: Database) -> None:
    told: dict[str, str] = {}
    for slug, body in (("known", organisation_id("icb", "QOP")), ("unknown", None)):
        context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
        async with owner.unit_of_work(context) as work:
            await create_tenant(work, slug, f"Tenant {slug}", "icb", body)
        try:
            async with owner.unit_of_work(context) as work:
                await change_status(work, "live")
        except TenantRefusal as refusal:
            told[slug] = refusal.code
        async with owner.session(PlatformContext("test")) as session:
            tenant = await session.get_one(Tenant, context.tenant_id)
        told[slug] = told.get(slug, "") + tenant.status
    assert told == {"known": "live", "unknown": "NOT_COMPLETEonboarding"}


@pytest.mark.parametrize(
    ("slug", "kind", "code"),
    [("North", "icb", "INVALID_SLUG"), ("a b", "icb", "INVALID_SLUG"), ("new", "trust", "INVALID_KIND"),
     ("north", "icb", "SLUG_TAKEN")],
)  # fmt: skip
async def test_tenants_that_cannot_be(
    installation: Installation, owner: Database, slug: str, kind: str, code: str
) -> None:
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    with pytest.raises(TenantRefusal) as refused:
        async with owner.unit_of_work(context) as work:
            await create_tenant(work, slug, "A tenant", kind)
    assert refused.value.code == code
    async with owner.session(PlatformContext("test")) as session:
        assert await session.get(Tenant, context.tenant_id) is None


def test_the_command_line_explains_itself() -> None:
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    for command in ("serve", "worker", "migrate", "import", "tenant", "staff", "audit"):
        assert command in shown.output
