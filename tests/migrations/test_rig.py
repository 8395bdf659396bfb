"""Migrations go up, down and up again, agree with the models, and are guarded while they run."""

import asyncio
import itertools
import multiprocessing
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from app.models import metadata
from migrations import runner
from migrations.guards import MIGRATION_LOCK
from tests import servers
from tests.migrations.linter import HAZARDS, hazards

_numbers = itertools.count()
_processes = multiprocessing.get_context("spawn")


def _ask(url: str, question: str) -> list[Any]:
    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(question)]
        finally:
            await connection.close()

    return asyncio.run(ask())


@contextmanager
def _database(like: str = "template1") -> Iterator[str]:
    """The owner's address of a new database."""
    running = servers.running()
    name = f"migrations_{os.getpid()}_{next(_numbers)}"
    _ask(running.superuser_url, f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY file_copy OWNER medstead_owner")
    yield running.urls(name).owner
    _ask(running.superuser_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty() -> Iterator[str]:
    """The owner's address of a database without anything in it."""
    with _database() as url:
        yield url


@pytest.fixture
def copied() -> Iterator[str]:
    """The owner's address of a database that was migrated already, to be changed."""
    with _database(servers.TEMPLATE) as url:
        yield url


def _tables(url: str) -> set[str]:
    names = set(_ask(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'medstead'"))
    return names - {"alembic_version"}


def _version(url: str) -> list[str]:
    return _ask(url, "SELECT version_num FROM medstead.alembic_version")


def _grants(url: str) -> set[str]:
    return set(
        _ask(
            url,
            """SELECT format('%s %s %s', table_name, grantee, privilege_type)
                 FROM information_schema.role_table_grants WHERE table_schema = 'medstead'""",
        )
    )


HEAD = (runner.FOLDER / "HEAD").read_text().strip()


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(runner.FOLDER))


def test_the_head_file_names_the_one_head() -> None:
    assert _script().get_heads() == [HEAD]


def test_up_down_and_up_again(empty: str) -> None:
    models = {table.name for table in metadata.tables.values()}
    runner.upgrade(empty)
    assert (_version(empty), _tables(empty)) == ([HEAD], models)
    granted = _grants(empty)
    runner.downgrade(empty, "base")
    assert (_version(empty), _tables(empty)) == ([], set())
    assert (
        _ask(
            empty,
            "SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace "
            "WHERE nspname = 'medstead' AND typname NOT LIKE '%alembic_version'",
        )
        == []
    )
    runner.upgrade(empty)
    assert (_version(empty), _tables(empty), _grants(empty)) == ([HEAD], models, granted)
    assert runner.drift(empty) == []


@pytest.mark.long
def test_each_revision_can_be_undone_and_done_again(empty: str) -> None:
    for script in reversed(list(_script().walk_revisions())):
        runner.upgrade(empty, script.revision)
        before = _tables(empty)
        runner.downgrade(empty, "-1")
        runner.upgrade(empty, script.revision)
        assert (_version(empty), _tables(empty)) == ([script.revision], before)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE medstead.learner ADD COLUMN stray text",
        "ALTER TABLE medstead.learner DROP COLUMN family_name",
        "CREATE TABLE medstead.stray (id uuid PRIMARY KEY)",
        "DROP INDEX medstead.outbox_open_index",
        "ALTER TABLE medstead.learner ALTER COLUMN family_name SET NOT NULL",
        "ALTER TABLE medstead.course ALTER COLUMN version TYPE integer USING 1",
        "ALTER TABLE medstead.tier DROP CONSTRAINT tier_tenant_id_programme_id_position_key",
    ],
)
def test_drift_is_seen(copied: str, change: str) -> None:
    _ask(copied, change)
    assert len(runner.drift(copied)) == 1, "the change, for without it there is none"


def test_the_offline_sql_is_guarded_and_complete() -> None:
    sql = runner.offline_sql()
    first_revision = sql.index("-- Running upgrade")
    lock = f"pg_try_advisory_lock({MIGRATION_LOCK})"
    for guard in (
        lock,
        "SET lock_timeout = '3s'",
        "SET statement_timeout = '5min'",
    ):
        assert 0 <= sql.index(guard) < first_revision
    assert sql.index(lock) < sql.index("SET lock_timeout"), "a second deployer must be able to wait"
    # A revision that works beside the running service has a transaction before and one after.
    lines = sql.splitlines()
    assert lines.count("BEGIN;") == lines.count("COMMIT;") >= len(list(_script().walk_revisions()))
    assert set(re.findall(r"CREATE TABLE medstead\.(\w+)", sql)) - {"alembic_version"} == {
        table.name for table in metadata.tables.values()
    }


def test_the_offline_sql_does_what_the_online_migration_does(empty: str, migrated: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(empty)
        try:
            # One by one, as psql does: an index made concurrently stands in no transaction.
            for statement in filter(None, runner.offline_sql().split(";\n\n")):
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
    assert (_version(empty), _grants(empty)) == (_version(migrated), _grants(migrated))
    assert runner.drift(empty) == []


@pytest.fixture
def migrated() -> str:
    """The owner's address of the migrated template."""
    return servers.running().urls(servers.TEMPLATE).owner


def test_no_revision_would_stop_a_running_service() -> None:
    assert list(hazards(runner.offline_sql())) == []


@pytest.mark.parametrize(
    ("hazard", "breach", "sound"),
    [
        ("index", "CREATE INDEX a ON old (b)", "CREATE INDEX CONCURRENTLY a ON old (b)"),
        ("index", "CREATE UNIQUE INDEX a ON old (b)", "CREATE UNIQUE INDEX a ON new (b)"),
        (
            "constraint",
            "ALTER TABLE old ADD CONSTRAINT a CHECK (b > 0)",
            "ALTER TABLE old ADD CONSTRAINT a CHECK (b > 0) NOT VALID",
        ),
        ("not null", "ALTER TABLE old ALTER COLUMN a SET NOT NULL", "ALTER TABLE new ALTER COLUMN a SET NOT NULL"),
        (
            "new column",
            "ALTER TABLE old ADD COLUMN a INTEGER NOT NULL",
            "ALTER TABLE old ADD COLUMN a INTEGER DEFAULT 0 NOT NULL",
        ),
        ("type", "ALTER TABLE old ALTER COLUMN a TYPE TEXT", "ALTER TABLE old ALTER COLUMN a SET DEFAULT 'x'"),
        ("removal", "DROP TABLE old", "DROP TABLE new"),
        ("removal", "ALTER TABLE old DROP COLUMN a", "ALTER TABLE old ADD COLUMN a TEXT"),
        ("removal", "ALTER TABLE old RENAME COLUMN a TO b", "ALTER TABLE new RENAME COLUMN a TO b"),
    ],
)
def test_the_linter_sees_each_hazard(hazard: str, breach: str, sound: str) -> None:
    script = "-- Running upgrade 1 -> 2\n\nCREATE TABLE new (\n    a TEXT\n);\n\n{};\n\nCOMMIT;\n"
    assert [found.partition(": ")[2].split(" on ")[0] for found in hazards(script.format(breach))] == [hazard]
    assert list(hazards(script.format(sound))) == []
    assert hazard in {known.name for known in HAZARDS}


def test_every_revision_runs_under_the_guards(empty: str) -> None:
    seen: list[tuple[str, ...]] = []

    def look(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if "alembic_version" in statement and statement.startswith(("INSERT", "UPDATE")):
            row = connection.exec_driver_sql(
                """SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),
                          current_setting('search_path'), (SELECT count(*)::text FROM pg_locks
                           WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid())"""
            ).one()
            seen.append(tuple(row))

    event.listen(Engine, "before_cursor_execute", look)
    try:
        runner.upgrade(empty)
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    assert seen == [("3s", "5min", "pg_catalog", "1")] * len(list(_script().walk_revisions()))


def test_a_migration_that_cannot_have_its_lock_gives_up_whole(empty: str) -> None:
    runner.upgrade(empty, "0007")
    before = _tables(empty)

    async def hold_and_migrate() -> None:
        holder = await asyncpg.connect(empty)
        try:
            async with holder.transaction():
                await holder.execute("LOCK TABLE medstead.tenant IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(DBAPIError, match="lock timeout"):
                    await asyncio.to_thread(runner.downgrade, empty, "base")
        finally:
            await holder.close()

    asyncio.run(hold_and_migrate())
    assert (_version(empty), _tables(empty)) == (["0007"], before)
    runner.downgrade(empty, "base")
    assert _tables(empty) == set()


def test_two_deployers_at_once_do_no_harm(empty: str) -> None:
    deployers = [_processes.Process(target=runner.upgrade, args=(empty,)) for _ in range(2)]
    for deployer in deployers:
        deployer.start()
    for deployer in deployers:
        deployer.join()
    assert [deployer.exitcode for deployer in deployers] == [0, 0]
    assert _version(empty) == [HEAD]
    assert runner.drift(empty) == []


def test_a_deployer_waits_for_another_for_longer_than_for_a_table(empty: str) -> None:
    """Held for as long as it takes to see the second one wait beyond the lock timeout."""
    deployer = _processes.Process(target=runner.upgrade, args=(empty,))
    waits = """SELECT extract(epoch FROM clock_timestamp() - query_start)::float FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'DO%' AND wait_event = 'PgSleep'"""

    async def hold() -> None:
        holder = await asyncpg.connect(empty)
        try:
            await holder.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
            deployer.start()
            end = time.monotonic() + 30
            while (await holder.fetchval(waits) or 0) < 3.5:
                assert time.monotonic() < end, "the second deployer did not wait"
                assert deployer.is_alive(), "the second deployer gave up"
                await asyncio.sleep(0.05)
            assert await holder.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'medstead'") == 0
        finally:
            await holder.close()

    asyncio.run(hold())
    deployer.join()
    assert deployer.exitcode == 0
    assert _version(empty) == [HEAD]
