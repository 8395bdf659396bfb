"""Nobody changes the trail unseen: the runtime role cannot, and whoever can is found out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli.audit import _walk
from app.cli.main import cli
from tenants.audit import (
    Action,
    AuditEvent,
    ChainFault,
    PlatformAuditEvent,
    _hashed_fields,
    chain_hash,
    verify,
)
from tenants.context import PlatformContext, bind_statement
from tenants.identifiers import new_id
from tests import servers
from tests.support import KEY, Installation

ROWS = 6
RunCli = Callable[..., tuple[int, str]]


@dataclass
class Trails:
    """An installation whose tenants have trails, with a superuser who may tamper with them."""

    installation: Installation
    superuser: asyncpg.Connection

    async def faults(self, tenant_id: UUID) -> list[ChainFault]:
        """What the check finds in a tenant's trail."""
        async with self.installation.database.unit_of_work(self.installation.context(tenant_id)) as work:
            return [fault async for fault in verify(work.session, tenant_id)]

    async def tamper(self, statement: str) -> None:
        """Change north's trail behind the application's back; `$1` in the statement is the tenant."""
        await self.superuser.execute("SET session_replication_role = replica")
        await self.superuser.execute(statement, self.installation.north)


async def _record(installation: Installation, tenant_id: UUID, number: int) -> None:
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        after = {"number": number, "ratio": number / 7, "words": "Zoë said “no”", "list": [1, None, {"a": True}]}
        work.record(Action.SETTINGS_CHANGED, "tenant_settings", tenant_id, before={"number": number - 1}, after=after)


@pytest.fixture
async def trails(installation: Installation, database_name: str) -> AsyncIterator[Trails]:
    """Trails of several rows in both tenants."""
    for tenant_id in (installation.north, installation.south):
        for number in range(ROWS):
            await _record(installation, tenant_id, number)
    superuser = await asyncpg.connect(servers.running().superuser_url, database=database_name)
    yield Trails(installation, superuser)
    await superuser.close()


TRAIL = "medstead.audit_event WHERE tenant_id = $1"
COLUMNS = (
    "tenant_id, id, sequence, at, actor_kind, actor_id, request_id, action, subject_type, subject_id, "
    "before, after, previous_hash, hash"
)


def _copy(sequence: str, **changed: str) -> str:
    """An INSERT of a copy of row 4 under another id and sequence, or with other columns changed."""
    values = {name: name for name in COLUMNS.split(", ")} | {"id": "uuidv7()", "sequence": sequence} | changed
    chosen = ", ".join(values.values())
    return f"INSERT INTO medstead.audit_event ({COLUMNS}) SELECT {chosen} FROM {TRAIL} AND sequence = 4"


TAMPERING = {
    "a changed text": (
        "UPDATE medstead.audit_event SET action = 'x' WHERE tenant_id = $1 AND sequence = 3",
        3,
        "altered",
    ),
    "a changed actor": (
        "UPDATE medstead.audit_event SET actor_id = uuidv7() WHERE tenant_id = $1 AND sequence = 3",
        3,
        "altered",
    ),
    "a moved time": (
        "UPDATE medstead.audit_event SET at = at + interval '1 microsecond' WHERE tenant_id = $1 AND sequence = 3",
        3,
        "altered",
    ),
    "a changed detail": (
        "UPDATE medstead.audit_event SET after = after || '{\"number\": 99}' WHERE tenant_id = $1 AND sequence = 3",
        3,
        "altered",
    ),
    "a changed detail of the past": (
        "UPDATE medstead.audit_event SET before = NULL WHERE tenant_id = $1 AND sequence = 3",
        3,
        "altered",
    ),
    "a removed row": (f"DELETE FROM {TRAIL} AND sequence = 3", 3, "rows 3 to 3 are missing"),
    "a removed start": (f"DELETE FROM {TRAIL} AND sequence <= 2", 1, "rows 1 to 2 are missing"),
    "a cut end": (f"DELETE FROM {TRAIL} AND sequence >= 6", 6, "missing from the end"),
    "an emptied trail": (f"DELETE FROM {TRAIL}", 1, "missing from the end"),
    "a lost head": ("DELETE FROM medstead.audit_head WHERE tenant_id = $1", 9, "head of the chain is missing"),
    "a head set back": (
        "UPDATE medstead.audit_head SET sequence = 5, hash = (SELECT hash FROM medstead.audit_event e "
        "WHERE e.tenant_id = $1 AND e.sequence = 5) WHERE tenant_id = $1",
        8,
        "does not match the last row",
    ),
    "a row put at the end": (_copy("9"), 9, "does not follow"),
    "a row put before the start": (_copy("0"), 0, "before the start"),
    "a replaced row": (
        "WITH other AS (SELECT * FROM medstead.audit_event WHERE tenant_id = $1 AND sequence = 5) "
        "UPDATE medstead.audit_event e SET after = other.after, before = other.before FROM other "
        "WHERE e.tenant_id = $1 AND e.sequence = 4",
        4,
        "altered",
    ),
}


@pytest.mark.parametrize("name", TAMPERING)
@pytest.mark.row("C7")
async def test_tampering_is_found_in_the_one_trail(trails: Trails, name: str) -> None:
    statement, sequence, problem = TAMPERING[name]
    north, south = trails.installation.north, trails.installation.south
    assert await trails.faults(north) == await trails.faults(south) == []
    await trails.tamper(statement)
    faults = await trails.faults(north)
    assert (faults[0].sequence, problem in faults[0].problem) == (sequence, True), faults
    assert await trails.faults(south) == []


async def test_a_row_rewritten_with_a_fitting_hash_breaks_the_next(trails: Trails) -> None:
    """Somebody who knows how the hash is made, and remakes it for one row."""
    north = trails.installation.north
    await trails.tamper(f"DELETE FROM {TRAIL} AND sequence > 7")
    await trails.tamper(
        "UPDATE medstead.audit_head SET sequence = 7, hash = (SELECT hash FROM medstead.audit_event e "
        "WHERE e.tenant_id = $1 AND e.sequence = 7) WHERE tenant_id = $1"
    )
    assert await trails.faults(north) == [], "a cut with a fitting head leaves a shorter trail that holds"
    async with trails.installation.database.unit_of_work(trails.installation.context(north)) as work:
        row = (await work.session.scalars(select(AuditEvent).where(AuditEvent.sequence == 4))).one()
    row.action = "x"
    forged = chain_hash(row.previous_hash, _hashed_fields(row))
    await trails.superuser.execute(
        "UPDATE medstead.audit_event SET action = 'x', hash = $2 WHERE tenant_id = $1 AND sequence = 4", north, forged
    )
    (fault,) = await trails.faults(north)
    assert (fault.sequence, "does not follow" in fault.problem) == (5, True)


@pytest.mark.one_login
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE medstead.audit_event SET action = action",
        "UPDATE medstead.audit_event SET after = NULL WHERE sequence = 1",
        "DELETE FROM medstead.audit_event",
        "TRUNCATE medstead.audit_event",
        "DELETE FROM medstead.audit_head",
        "UPDATE medstead.platform_audit_event SET action = action",
        "DELETE FROM medstead.platform_audit_event",
        "TRUNCATE medstead.platform_audit_event",
        "DROP TABLE medstead.audit_event",
        "ALTER TABLE medstead.audit_event DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_runtime_role_can_only_append(trails: Trails, statement: str) -> None:
    runtime = await asyncpg.connect(trails.installation.urls.app)
    try:
        async with runtime.transaction():
            await runtime.execute(bind_statement(trails.installation.north))
            assert await runtime.fetchval("SELECT count(*) FROM medstead.audit_event") == ROWS + 2
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with runtime.transaction():
                    await runtime.execute(statement)
    finally:
        await runtime.close()
    assert await trails.faults(trails.installation.north) == []


async def test_what_belongs_to_no_tenant_is_recorded_apart(installation: Installation) -> None:
    subject = new_id()
    async with installation.database.unit_of_work(PlatformContext("test", actor_id=subject)) as work:
        work.record(Action.LOGIN_LOCKED, "login", subject, after={"attempts": 5})
        request_id = work.context.request_id
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        found = select(PlatformAuditEvent).where(PlatformAuditEvent.request_id == request_id)
        row = (await work.session.scalars(found)).one()
        assert (row.action, row.subject_id, row.actor_id, row.at) == (
            Action.LOGIN_LOCKED,
            subject,
            subject,
            installation.clock(),
        )
        assert row.after == {"attempts": 5}


async def test_the_chain_holds_under_twenty_writers(installation: Installation) -> None:
    async def write(number: int) -> None:
        for step in range(5):
            await _record(installation, installation.north if number % 4 else installation.south, step)

    await asyncio.gather(*(write(number) for number in range(20)))
    for tenant_id, rows in ((installation.north, 15 * 5), (installation.south, 5 * 5)):
        async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
            sequences = (await work.session.scalars(select(AuditEvent.sequence).order_by(AuditEvent.sequence))).all()
            assert list(sequences) == list(range(1, rows + 3))
            assert [fault async for fault in verify(work.session, tenant_id)] == []


async def test_a_change_that_is_rolled_back_leaves_no_link(installation: Installation) -> None:
    async def change() -> None:
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            work.record(Action.SETTINGS_CHANGED, "tenant_settings", None)
            await work.settle()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await change()
    await _record(installation, installation.north, 1)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert (await work.session.scalars(select(func.count()).select_from(AuditEvent))).one() == 3
        assert [fault async for fault in verify(work.session, installation.north)] == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"é', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(detail=JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_detail_can_be_checked_again_from_what_is_stored(installation: Installation, detail: object) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        work.record(Action.SETTINGS_CHANGED, "tenant_settings", None, after={"detail": detail})
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        last = (await work.session.scalars(select(func.max(AuditEvent.sequence)))).one()
        faults = [fault async for fault in verify(work.session, installation.north)]
    assert [fault for fault in faults if fault.sequence == last] == []


@pytest.fixture
def run_cli(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> Callable[..., tuple[int, str]]:
    """Runs `medstead audit …` in a thread of its own and gives exit code and output."""
    for name, value in {
        "MEDSTEAD_ENVIRONMENT": "test",
        "DATABASE_URL": installation.urls.app,
        "DATABASE_OWNER_URL": installation.urls.owner,
        "REDIS_URL": redis_url,
        "MEDSTEAD_SECRET_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["audit", *arguments])
        return result.exit_code, result.output

    return run


async def test_the_command_tells_what_does_not_hold(trails: Trails, run_cli: RunCli) -> None:
    code, output = await asyncio.to_thread(run_cli, "verify")
    assert code == 0
    assert "north: 8 rows, the trail holds, end " in output
    assert "south: 8 rows, the trail holds, end " in output
    await trails.tamper(f"DELETE FROM {TRAIL} AND sequence = 3")
    code, output = await asyncio.to_thread(run_cli, "verify")
    assert code == 1
    assert "north: row 3: rows 3 to 3 are missing" in output
    assert "north: 7 rows, 1 faults, end " in output
    assert "south: 8 rows, the trail holds" in output
    code, output = await asyncio.to_thread(run_cli, "verify", "--tenant", "south")
    assert (code, "north" in output) == (0, False)
    code, output = await asyncio.to_thread(run_cli, "verify", "--tenant", "nowhere")
    assert (code, "There is no tenant 'nowhere'. There are: north, south." in output) == (1, True)


async def test_the_command_is_not_misled_by_rows_written_while_it_walks(installation: Installation) -> None:
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await _record(installation, installation.north, 1)

    writers = [asyncio.create_task(write()) for _ in range(3)]
    counted = set()
    for _ in range(15):
        (trail,) = await _walk(installation.urls.app, "north")
        counted.add(trail.rows)
        assert trail.faults == []
    stop.set()
    await asyncio.gather(*writers)
    assert len(counted) > 1, "nothing was written while the command walked"
