"""The servers of a test run: one PostgreSQL and one Valkey, with a migrated template that each test copies."""

import asyncio
import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson

from app.reference import load_reference_data
from infra.embedded import start_postgres, start_valkey
from migrations import runner
from tenants.clock import SettableClock
from tenants.provision import APP, DatabaseUrls, RolePasswords, prepare_database, with_login

TEMPLATE = "medstead_template"
PEOPLED = "medstead_peopled"
"""A second template that has two tenants already: making them anew takes half of what opening a test takes."""
BYPASS = "medstead_bypass"
"""A login with the rights of the runtime role that row-level security does not bind: for the second run."""
VARIABLE = "MEDSTEAD_TEST_SERVERS"
_numbers = itertools.count()


@dataclass(frozen=True)
class Servers:
    """Addresses that the worker processes of a run get by environment."""

    superuser_url: str
    owner_password: str
    app_password: str
    benchmark_password: str
    redis_url: str
    north: str = ""
    south: str = ""

    @property
    def tenants(self) -> tuple[UUID, UUID]:
        """The tenants of databases that were copied from PEOPLED."""
        return UUID(self.north), UUID(self.south)

    @property
    def passwords(self) -> RolePasswords:
        """Passwords of the three logins."""
        return RolePasswords(self.owner_password, self.app_password, self.benchmark_password)

    def urls(self, database: str, *, bypass: bool = False) -> DatabaseUrls:
        """Addresses of a database for each role; with `bypass` the application's login is not bound by RLS."""
        passwords = self.passwords
        return DatabaseUrls(
            app=with_login(self.superuser_url, BYPASS if bypass else APP, passwords.app, database),
            owner=with_login(self.superuser_url, "medstead_owner", passwords.owner, database),
            benchmark=with_login(self.superuser_url, "medstead_benchmark", passwords.benchmark, database),
        )


def start(stack: ExitStack) -> Servers:
    """Start both servers, migrate the template, and leave word for child processes. Ends with the stack."""
    folder = Path(tempfile.mkdtemp(prefix="medstead-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    folder.chmod(0o711)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    postgres = stack.enter_context(start_postgres(folder, durable=False))
    valkey = stack.enter_context(start_valkey(folder, durable=False))
    owner, runtime, benchmark = (secrets.token_urlsafe(16) for _ in range(3))
    servers = Servers(postgres.superuser_url, owner, runtime, benchmark, valkey.url)
    urls = asyncio.run(_make_template(servers))
    runner.upgrade(urls.owner)
    asyncio.run(load_reference_data(urls.owner))
    north, south = asyncio.run(_people(servers))
    servers = replace(servers, north=str(north), south=str(south))
    os.environ[VARIABLE] = orjson.dumps(asdict(servers)).decode()
    return servers


async def _make_template(servers: Servers) -> DatabaseUrls:
    connection = await asyncpg.connect(servers.superuser_url)
    try:
        # Thousands of connections are opened: by secrets as long as these the least work that SCRAM allows is enough.
        await connection.execute("ALTER DATABASE postgres SET scram_iterations = 1")
        superuser = urlsplit(servers.superuser_url).password
        await connection.execute(f"SET scram_iterations = 1; ALTER ROLE postgres PASSWORD '{superuser}'")
        urls = await prepare_database(servers.superuser_url, TEMPLATE, servers.passwords)
        await connection.execute(
            f"CREATE ROLE {BYPASS} LOGIN BYPASSRLS IN ROLE {APP} PASSWORD '{servers.app_password}'"
        )
    finally:
        await connection.close()
    return urls


async def _people(servers: Servers) -> tuple[UUID, UUID]:
    """Copy the template and make the tenants in the copy; their ids."""
    from tests.support import NOW, make_tenants

    administrator = await asyncpg.connect(servers.superuser_url)
    try:
        await administrator.execute(f"CREATE DATABASE {PEOPLED} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        await administrator.execute(f"GRANT CONNECT ON DATABASE {PEOPLED} TO medstead_owner")
    finally:
        await administrator.close()
    return await make_tenants(servers.urls(PEOPLED), SettableClock(NOW))


@asynccontextmanager
async def fresh_database(template: str = TEMPLATE) -> AsyncIterator[str]:
    """A migrated database of the caller's own, by name; dropped when the block ends."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    administrator = await asyncpg.connect(running().superuser_url)
    try:
        await administrator.execute(
            f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER medstead_owner"
        )
        await administrator.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        await administrator.execute(f"GRANT CONNECT ON DATABASE {name} TO medstead_app, medstead_benchmark")
        yield name
        await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await administrator.close()


def running() -> Servers:
    """The servers that the controlling process has started."""
    return Servers(**orjson.loads(os.environ[VARIABLE]))
