"""Every table of tenants, one by one: what one tenant may do to its own row it cannot do to another's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Table

from tenants.context import bind_statement
from tenants.identifiers import new_id
from tests.support import Installation
from tests.wall.rows import Row, fill, is_instead, linking_column, links, tenant_tables

pytestmark = [pytest.mark.one_login, pytest.mark.row("C1")]


@dataclass
class Wall:
    """A connection of the runtime role, one of the owner, and the rows of both tenants."""

    runtime: asyncpg.Connection
    owner: asyncpg.Connection
    ours: UUID
    theirs: UUID
    rows: dict[UUID, dict[str, Row]]

    async def attempt(self, connection: asyncpg.Connection, statement: str, *arguments: Any) -> str:
        """What came of a statement as our tenant, rolled back: the number of rows, or the error's SQLSTATE."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(bind_statement(self.ours))
            status: str = await connection.execute(statement, *arguments)
            return status.rpartition(" ")[2]
        except asyncpg.PostgresError as error:
            return str(error.sqlstate)
        finally:
            await transaction.rollback()


@pytest.fixture
async def wall(installation: Installation) -> AsyncIterator[Wall]:
    """Both tenants with a row in every table."""
    rows = await fill(installation.urls.owner, (installation.north, installation.south))
    runtime = await asyncpg.connect(installation.urls.app)
    owner = await asyncpg.connect(installation.urls.owner)
    yield Wall(runtime, owner, installation.north, installation.south, rows)
    await runtime.close()
    await owner.close()


ROW_SECURITY, NO_PRIVILEGE, NO_SUCH_KEY, THERE_ALREADY = "42501", "42501", "23503", "23505"
NO_TENANT = {"42704", "22P02"}
"""The setting was never made on this connection, or is empty again after the transaction that made it."""


async def _may(wall: Wall, table: Table, what: str) -> bool:
    allowed: bool = await wall.runtime.fetchval("SELECT has_table_privilege($1, $2)", table.fullname, what)
    return allowed


async def test_a_tenant_reads_its_own_rows_only(wall: Wall) -> None:
    for table in tenant_tables():
        async with wall.runtime.transaction():
            await wall.runtime.execute(bind_statement(wall.ours))
            seen = {row["tenant_id"] for row in await wall.runtime.fetch(f"SELECT tenant_id FROM {table.fullname}")}
        assert seen == {wall.ours}, table.name
        by_id = f"SELECT FROM {table.fullname} WHERE id = $1"
        for tenant_id, found in ((wall.ours, "1"), (wall.theirs, "0")):
            row = wall.rows[tenant_id][table.name]
            assert await wall.attempt(wall.runtime, by_id, row["id"]) == found, table.name


@pytest.mark.parametrize(
    ("privilege", "statement"),
    [
        ("UPDATE", "UPDATE {table} SET tenant_id = tenant_id WHERE id = $1"),
        ("DELETE", "DELETE FROM {table} WHERE id = $1"),
    ],
)
async def test_a_tenant_changes_its_own_rows_only(wall: Wall, privilege: str, statement: str) -> None:
    tried = 0
    for table in tenant_tables():
        command = statement.format(table=table.fullname)
        ours, theirs = (wall.rows[tenant_id][table.name]["id"] for tenant_id in (wall.ours, wall.theirs))
        if not await _may(wall, table, privilege):
            assert await wall.attempt(wall.runtime, command, theirs) == NO_PRIVILEGE, table.name
            continue
        tried += 1
        # Its own row cannot always be deleted, for others refer to it; but it is found.
        assert await wall.attempt(wall.runtime, command, ours) in {"1", NO_SUCH_KEY}, table.name
        assert await wall.attempt(wall.runtime, command, theirs) == "0", table.name
    assert tried >= len(tenant_tables()) // 2


async def test_a_tenant_inserts_and_moves_rows_into_no_other(wall: Wall) -> None:
    for table in tenant_tables():
        record = f"json_populate_record(null::{table.fullname}, $1::text::json)"
        insert = f"INSERT INTO {table.fullname} SELECT r.* FROM {record} r"
        for tenant_id, outcome in ((wall.ours, THERE_ALREADY), (wall.theirs, ROW_SECURITY)):
            as_text = await wall.owner.fetchval(
                f"SELECT to_json(t)::text FROM {table.fullname} t WHERE id = $1", wall.rows[tenant_id][table.name]["id"]
            )
            assert await wall.attempt(wall.runtime, insert, as_text) == outcome, table.name
        if await _may(wall, table, "UPDATE"):
            move = f"UPDATE {table.fullname} SET tenant_id = $2 WHERE id = $1"
            ours = wall.rows[wall.ours][table.name]["id"]
            assert await wall.attempt(wall.runtime, move, ours, wall.theirs) == ROW_SECURITY, table.name


async def test_no_foreign_key_links_two_tenants_or_tells_that_a_row_exists(wall: Wall) -> None:
    """As the owner, whom row-level security does not bind: the keys alone must hold."""
    tried = 0
    for table in tenant_tables():
        for key in links(table):
            tried += 1
            column = linking_column(key)
            other = is_instead(key)
            emptied = f', "{other}" = NULL' if other else ""
            link = f'UPDATE {table.fullname} SET "{column}" = $2{emptied} WHERE tenant_id = $3 AND id = $1'
            ours = wall.rows[wall.ours][table.name]["id"]
            target = key.referred_table.name
            for linked, outcome in (
                (wall.rows[wall.ours][target]["id"], "1"),
                (wall.rows[wall.theirs][target]["id"], NO_SUCH_KEY),
                (new_id(), NO_SUCH_KEY),
            ):
                assert await wall.attempt(wall.owner, link, ours, linked, wall.ours) == outcome, (table.name, column)
    assert tried > 30


async def test_without_a_tenant_there_is_an_error_and_not_nothing(wall: Wall, installation: Installation) -> None:
    for before in (None, bind_statement(wall.ours)):
        fresh = await asyncpg.connect(installation.urls.app)
        if before:
            async with fresh.transaction():
                await fresh.execute(before)
        for table in tenant_tables():
            for statement in (f"SELECT FROM {table.fullname}", f"SELECT count(*) FROM {table.fullname}"):
                with pytest.raises(asyncpg.PostgresError) as refused:
                    await fresh.fetch(statement)
                assert refused.value.sqlstate in NO_TENANT, table.name
        await fresh.close()
