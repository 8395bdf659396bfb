"""Commands about people and their sign-in, run as an operator runs them."""

import asyncio
import os
import re
import sys

import pytest
from sqlalchemy import select

from app.identity.models import IdentityProvider, Login
from app.identity.permissions import Role
from app.identity.sessions import workplaces
from app.identity.sign_in import take_invitation
from tests import servers
from tests.identity.people import PASSWORD, PLATFORM, attempt, enrol, make_staff, present, seen
from tests.support import KEY, Installation

pytestmark = pytest.mark.one_login


async def run(installation: Installation, *arguments: str, **environment: str) -> tuple[int, str]:
    """Status and output of `medstead …` on the installation's database."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from app.cli.main import main; main()",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ
        | {
            "DATABASE_URL": installation.urls.app,
            "REDIS_URL": servers.running().redis_url,
            "MEDSTEAD_SECRET_KEY": KEY,
            "MEDSTEAD_ENVIRONMENT": "test",
        }
        | environment,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, " ".join(output.decode().split())


async def test_a_reset_gives_a_new_password_takes_the_app_away_and_signs_out(installation: Installation) -> None:
    await make_staff(installation, installation.north, "sam@example.org", Role.ANALYST)
    _, token = await enrol(installation, await attempt(installation, "sam@example.org"))
    status, output = await run(installation, "staff", "reset", "nobody@example.org")
    assert (status, "Nobody signs in" in output) == (1, True)
    assert await seen(installation, token) is not None
    status, output = await run(installation, "staff", "reset", " Sam@example.org")
    assert status == 0, output
    assert await seen(installation, token) is None
    assert await attempt(installation, "sam@example.org", PASSWORD) is None
    password = re.findall(r"this once: (\S+)", output)[0]
    session = await present(installation, await attempt(installation, "sam@example.org", password))
    assert not session.enrolled
    async with installation.database.session(PLATFORM) as reading:
        assert password not in str((await reading.scalars(select(Login.password_hash))).one())


async def test_a_new_person_gets_a_password_and_a_known_one_a_code(installation: Installation) -> None:
    first = ("staff", "add", "sam@example.org", "Sam", "--role", "analyst", "--tenant", "north")
    status, output = await run(installation, *first)
    assert status == 0, output
    password = re.findall(r"this once: (\S+)", output)[0]
    token = await attempt(installation, "sam@example.org", password)
    login_id = (await present(installation, token)).login_id
    second = ("staff", "add", "Sam@example.org", "Sam", "--role", "reviewer", "--tenant", "south")
    status, output = await run(installation, *second)
    assert status == 0, output
    assert [place.name for place in await workplaces(installation.database, login_id)] == ["Tenant north"]
    code = re.findall(r"this once: (\S+)", output)[0]
    vault = installation.services.vault
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        await take_invitation(work, vault, code, login_id=login_id, password=None)
    assert len(await workplaces(installation.database, login_id)) == 2
    status, output = await run(installation, "staff", "add", "lead@example.org", "Lead", "--role", "national_lead")
    assert status == 0, output
    status, output = await run(installation, "staff", "add", "lead@example.org", "Lead", "--role", "national_lead")
    assert (status, "already" in output) == (1, True)


async def test_a_provider_is_trusted_for_one_tenant_with_its_secret_kept_encrypted(
    installation: Installation,
) -> None:
    said = ("provider", "trust", "north", "County sign-in", "https://id.county.example", "medstead")
    status, output = await run(installation, *said, MEDSTEAD_PROVIDER_SECRET="the secret")
    assert status == 0, output
    assert "/console/sign-in/return" in output
    async with installation.database.session(PLATFORM) as session:
        row = (await session.scalars(select(IdentityProvider))).one()
    assert (row.tenant_id, row.issuer) == (installation.north, "https://id.county.example")
    assert installation.services.vault.decrypt(row.client_secret) == b"the secret"
    plain = ("provider", "trust", "north", "x", "http://id.county.example", "x")
    status, output = await run(installation, *plain, MEDSTEAD_PROVIDER_SECRET="x")
    assert (status, "https://" in output) == (1, True)
    async with installation.database.session(PLATFORM) as session:
        assert len((await session.scalars(select(IdentityProvider))).all()) == 1
