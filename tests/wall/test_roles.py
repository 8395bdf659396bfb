"""Who connects as whom, and the refusal to start under a login that could pass the wall."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from app.services import Services
from tenants.context import PlatformContext, TenantContextMissing
from tenants.engine import UnsafeRole, create_engine
from tenants.outbox import OutboxMessage
from tenants.provision import APP, OWNER, DatabaseUrls, with_login
from tenants.session import Database
from tests import servers
from tests.support import BYPASS_LOGIN, NOW, Installation, settings_for

PASSWORD = secrets.token_urlsafe(16)


@pytest.mark.one_login
async def test_the_application_connects_as_the_runtime_role_and_tables_belong_to_the_owner(
    installation: Installation,
) -> None:
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        role = await work.session.execute(text("SELECT current_user, session_user"))
        assert tuple(role.one()) == (APP, APP)
        owners = await work.session.execute(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'medstead'")
        )
        assert owners.scalars().all() == [OWNER]
    reader = await installation.services.reader.value(installation.north, "SELECT current_user", [])
    assert reader == APP


async def test_both_logins_of_the_suite_are_what_they_say(installation: Installation, login: str) -> None:
    async with installation.database.unit_of_work(PlatformContext("test")) as work:
        bypasses = text("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert (await work.session.execute(bypasses)).scalar_one() is (login == BYPASS_LOGIN)


@pytest.fixture
async def intruder(database_name: str) -> AsyncIterator[tuple[asyncpg.Connection, DatabaseUrls]]:
    """A superuser's connection to make a login with, and the addresses of that login. Its name is the database's."""
    running = servers.running()
    superuser = await asyncpg.connect(with_login(running.superuser_url, "postgres", _password(running), database_name))
    name = f"intruder_{database_name}"
    urls = running.urls(database_name)
    address = with_login(running.superuser_url, name, PASSWORD, database_name)
    yield superuser, DatabaseUrls(app=address, owner=urls.owner, benchmark=urls.benchmark)
    await superuser.execute(f"REASSIGN OWNED BY {name} TO postgres; DROP OWNED BY {name}; DROP ROLE {name}")
    await superuser.close()


def _password(running: servers.Servers) -> str:
    return running.superuser_url.partition("://postgres:")[2].partition("@")[0]


@pytest.mark.parametrize(
    ("made_by", "fault"),
    [
        ("CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'", "is a superuser"),
        ("CREATE ROLE {name} LOGIN BYPASSRLS PASSWORD '{password}' IN ROLE medstead_app", "has BYPASSRLS"),
        ("CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE medstead_owner", "owns tables"),
        (
            "CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE medstead_app; "
            "ALTER TABLE medstead.learner OWNER TO {name}",
            "owns tables",
        ),
    ],
)
async def test_start_up_refuses_a_login_that_could_pass_the_wall(
    intruder: tuple[asyncpg.Connection, DatabaseUrls], made_by: str, fault: str, redis_url: str, tmp_path: Path
) -> None:
    superuser, urls = intruder
    name = urls.app.partition("://")[2].partition(":")[0]
    await superuser.execute(made_by.format(name=name, password=PASSWORD))
    await superuser.execute(f"GRANT CONNECT ON DATABASE {urls.app.rpartition('/')[2]} TO {name}")
    settings = settings_for(urls, redis_url, tmp_path)
    with pytest.raises(UnsafeRole, match=fault) as refused:
        await Services.open(settings, lambda: NOW)
    assert PASSWORD not in str(refused.value)


async def test_start_up_accepts_a_plain_member_of_the_runtime_role(
    intruder: tuple[asyncpg.Connection, DatabaseUrls], redis_url: str, tmp_path: Path
) -> None:
    """The control of the refusals above: the same login without the fault."""
    superuser, urls = intruder
    name = urls.app.partition("://")[2].partition(":")[0]
    await superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE medstead_app")
    services = await Services.open(settings_for(urls, redis_url, tmp_path), lambda: NOW)
    await services.close()


async def test_start_up_refuses_the_owner_itself(database_name: str, redis_url: str, tmp_path: Path) -> None:
    urls = servers.running().urls(database_name)
    as_owner = DatabaseUrls(app=urls.owner, owner=urls.owner, benchmark=urls.benchmark)
    with pytest.raises(UnsafeRole, match="has BYPASSRLS and owns tables"):
        await Services.open(settings_for(as_owner, redis_url, tmp_path), lambda: NOW)


async def test_a_session_without_a_context_does_not_begin(installation: Installation) -> None:
    async with installation.database._maker() as session:
        with pytest.raises(TenantContextMissing):
            await session.execute(text("SELECT 1"))


async def test_no_tenant_work_under_autocommit(installation: Installation) -> None:
    engine = create_engine(installation.urls.app).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with pytest.raises(TenantContextMissing, match="autocommit"):
            async with Database(engine, installation.clock).unit_of_work(
                installation.context(installation.north)
            ) as work:
                await work.session.execute(text("SELECT 1"))
    finally:
        await engine.dispose()


async def test_a_row_of_another_tenant_does_not_enter_a_session(installation: Installation) -> None:
    north = installation.context(installation.north)
    for context, row in (
        (north, OutboxMessage(tenant_id=installation.south)),
        (PlatformContext("test"), OutboxMessage(tenant_id=installation.north)),
    ):
        async with installation.database.session(context) as session:
            session.add(row)
            with pytest.raises(TenantContextMissing, match="belongs to another tenant"):
                await session.flush()
