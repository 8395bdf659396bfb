"""Which fields each client uses: counted once for each operation, by many processes, shown in console and command."""

import asyncio
from datetime import date, timedelta

import pytest

from app.identity.models import FieldUsage
from app.identity.permissions import SCOPES, Role
from app.identity.tidying import USAGE_KEPT
from app.identity.usage import uses
from medstead_graphql.schema import Asked, schema
from medstead_graphql.usage import Usage
from tenants import session
from tests.cli.test_identity_commands import run
from tests.console.visitor import main_text, visitor_as
from tests.graphql_api.test_hostile import asked, send
from tests.support import NOW, Installation
from workers.sweeper import tidy

CARD = "{ tenant { slug name settings { version } } again: tenant { slug } }"
TODAY = NOW.date()


async def used(installation: Installation) -> dict[str, tuple[int, date]]:
    """North's use of fields, as its console would be told."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return {use.field: (use.operations, use.last_day) for use in await uses(session)}


async def test_operations_are_counted_by_field_and_day(installation: Installation) -> None:
    for _ in range(3):
        await send(installation, asked(CARD))
    await send(installation, asked("{ nothing }"))
    await send(installation, asked("{ learners(first: 101) { nodes { id } } }"))
    flush = installation.app.state.graphql.usage.flush
    await flush()
    counted = await used(installation)
    assert counted["Query.tenant"] == (3, TODAY)
    assert counted["Tenant.slug"] == (3, TODAY), "once for each operation, however often it is selected"
    assert counted["TenantSettings.version"] == (3, TODAY)
    assert counted["Query.learners"] == (1, TODAY)
    installation.clock.move(timedelta(days=1))
    await send(installation, asked("{ tenant { slug } }"))
    await flush()
    await flush()
    counted = await used(installation)
    assert counted["Tenant.slug"] == (4, TODAY + timedelta(days=1))
    assert counted["Tenant.name"] == (3, TODAY)
    async with installation.database.session(installation.context(installation.south)) as session:
        assert await uses(session) == [], "another tenant sees nothing of it"
    installation.clock.move(USAGE_KEPT)
    await tidy(installation.database)
    assert {field for field, _ in (await used(installation)).items()} == {"Query.tenant", "Tenant.slug"}


async def test_many_processes_count_together_and_deadlock_never(installation: Installation) -> None:
    await installation.token(installation.north)
    client = installation.clients[installation.north, SCOPES].id
    operation = schema.ask(CARD, None, None)
    assert isinstance(operation, Asked)
    processes = [Usage(installation.database) for _ in range(8)]
    for _ in range(5):
        for usage in processes:
            for _ in range(10):
                usage.count(installation.north, client, operation.priced)
        await asyncio.gather(*(usage.flush() for usage in processes))
    assert {count for count, _ in (await used(installation)).values()} == {400}


async def test_counts_that_cannot_be_written_are_kept(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(installation, asked(CARD))
    usage = installation.app.state.graphql.usage
    with monkeypatch.context() as patch:
        patch.setattr(FieldUsage.__table__, "schema", "nowhere")
        session.insert_text.cache_clear()
        await usage.flush()
    session.insert_text.cache_clear()
    assert await used(installation) == {}
    await usage.flush()
    assert (await used(installation))["Tenant.slug"] == (1, TODAY)


async def test_what_was_counted_is_written_when_a_process_ends(installation: Installation) -> None:
    await send(installation, asked(CARD))
    assert await used(installation) == {}, "it is counted in the process until then"
    await installation.app.state.graphql.close()
    assert (await used(installation))["Tenant.slug"] == (1, TODAY)


async def test_the_console_shows_what_an_application_reads(installation: Installation) -> None:
    await send(installation, asked(CARD))
    await installation.app.state.graphql.usage.flush()
    administrator = await visitor_as(installation, Role.TENANT_ADMINISTRATOR)
    path = f"/console/api-clients/{installation.clients[installation.north, SCOPES].id}"
    text = main_text(await administrator.get(path))
    assert "What it reads" in text
    assert "Tenant.slug" in text
    assert "Will be removed" not in text
    installation.app.state.deprecated_fields = {"Tenant.slug": "Use Tenant.name. Removed after 2027-06-30."}
    text = main_text(await administrator.get(path))
    assert "Tenant.slug Will be removed Use Tenant.name. Removed after 2027-06-30." in text


@pytest.mark.one_login
async def test_the_command_tells_who_still_uses_a_field(installation: Installation) -> None:
    assert await run(installation, "usage") == (0, "No client used any field yet.")
    await send(installation, asked(CARD))
    token = await installation.token(installation.south)
    headers = {"authorization": f"Bearer {token}"}
    await installation.http.post("/graphql", json={"query": "{ tenant { kind } }"}, headers=headers)
    await installation.app.state.graphql.usage.flush()
    status, told = await run(installation, "usage", "--field", "Tenant.slug", COLUMNS="200")
    assert status == 0
    assert "north │ Test partner │ Tenant.slug │ 1 │ 2026-11-24" in told
    assert "south" not in told
    assert "south" in (await run(installation, "usage", COLUMNS="200"))[1]
    assert await run(installation, "usage", "--field", "Tenant.none") == (0, "No client used Tenant.none.")
