"""Signing in with a password and a code, on a real database."""

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.identity.errors import IdentityRefusal
from app.identity.models import Login, LoginSession
from app.identity.permissions import Role
from app.identity.rules import Stage
from app.identity.sessions import browser_session
from tenants.audit import Action, PlatformAuditEvent
from tests.identity.people import (
    PASSWORD,
    PLATFORM,
    attempt,
    code_of,
    enrol,
    make_login,
    present,
    second_factor,
    seen,
)
from tests.support import Installation

EMAIL = "sam@example.org"


async def actions(installation: Installation) -> list[str]:
    """Actions in the platform's own trail, in order."""
    async with installation.database.session(PLATFORM) as session:
        rows = await session.scalars(select(PlatformAuditEvent.action).order_by(PlatformAuditEvent.id))
        return list(rows)


async def counted(installation: Installation) -> int:
    """How many failures have counted towards a wait."""
    async with installation.database.session(PLATFORM) as session:
        failed = select(PlatformAuditEvent).where(PlatformAuditEvent.action == Action.SIGN_IN_FAILED)
        return len([row for row in await session.scalars(failed) if row.after is not None])


async def sessions(installation: Installation) -> int:
    """How many sessions there are."""
    async with installation.database.session(PLATFORM) as session:
        return (await session.scalars(select(func.count()).select_from(LoginSession))).one()


async def test_the_right_password_opens_a_session_and_the_address_may_be_written_in_any_case(
    installation: Installation,
) -> None:
    login_id = await make_login(installation, EMAIL)
    session = await present(installation, await attempt(installation, " Sam@Example.org "))
    assert (session.login_id, session.stage, session.tenant_id) == (login_id, Stage.SIGNED_IN, None)
    assert await actions(installation) == [Action.LOGIN_CREATED, Action.SIGNED_IN]


async def test_a_wrong_password_an_unknown_address_and_a_disabled_login_open_nothing(
    installation: Installation,
) -> None:
    login_id = await make_login(installation, EMAIL)
    assert await attempt(installation, EMAIL, "wrong password") is None
    assert await attempt(installation, "nobody@example.org") is None
    assert await attempt(installation, "not an address") is None
    async with installation.database.unit_of_work(PLATFORM) as work:
        (await work.session.get_one(Login, login_id)).disabled_at = work.now
    assert await attempt(installation, EMAIL) is None
    assert await sessions(installation) == 0
    assert await actions(installation) == [Action.LOGIN_CREATED, *[Action.SIGN_IN_FAILED] * 4]
    assert await counted(installation) == 1, "only a wrong password for an open login brings the wait nearer"


async def test_a_disabled_login_ends_its_open_sessions(installation: Installation) -> None:
    login_id = await make_login(installation, EMAIL)
    token = await attempt(installation, EMAIL)
    assert await seen(installation, token) is not None
    async with installation.database.unit_of_work(PLATFORM) as work:
        (await work.session.get_one(Login, login_id)).disabled_at = work.now
    assert await seen(installation, token) is None


async def test_unknown_addresses_cost_a_hash_as_known_ones_do(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.identity import passwords

    checked: list[str] = []
    verify = passwords._verify

    def counting(stored: str, password: str) -> bool:
        checked.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", counting)
    await make_login(installation, EMAIL)
    await attempt(installation, EMAIL, "wrong")
    await attempt(installation, "nobody@example.org", "wrong")
    assert len(checked) == 2
    assert checked[1] == passwords.NOBODY
    known, unknown = (stored.rpartition("$")[0].rpartition("$")[0] for stored in checked)
    assert known == unknown  # the same parameters, so the same work


async def test_after_five_failures_even_the_right_password_waits_and_the_wait_doubles(
    installation: Installation,
) -> None:
    await make_login(installation, EMAIL)
    for _ in range(5):
        assert await attempt(installation, EMAIL, "wrong") is None
    assert await attempt(installation, EMAIL) is None
    installation.clock.move(timedelta(seconds=29))
    assert await attempt(installation, EMAIL) is None
    installation.clock.move(timedelta(seconds=1))
    assert await attempt(installation, EMAIL, "wrong") is None
    installation.clock.move(timedelta(seconds=59))
    assert await attempt(installation, EMAIL) is None
    installation.clock.move(timedelta(seconds=1))
    assert await attempt(installation, EMAIL) is not None
    trail = await actions(installation)
    assert await counted(installation) == 6
    assert trail.count(Action.SIGN_IN_FAILED) == 9
    assert trail.count(Action.LOGIN_LOCKED) == 2
    for _ in range(4):
        assert await attempt(installation, EMAIL, "wrong") is None
    assert await attempt(installation, EMAIL) is not None, "success starts the count again"


async def test_attempts_sent_together_get_no_more_tries_than_one_after_another(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    answers = await asyncio.gather(*(attempt(installation, EMAIL, "wrong") for _ in range(9)))
    assert answers == [None] * 9
    assert await counted(installation) == 5
    assert await attempt(installation, EMAIL) is None


async def test_a_code_is_asked_once_enrolled_and_works_once(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    first = await attempt(installation, EMAIL)
    secret, fresh = await enrol(installation, first)
    assert (await present(installation, fresh)).stage is Stage.SIGNED_IN
    assert await seen(installation, first) is None, "the token known before enrolment is worth nothing after it"

    waiting = await attempt(installation, EMAIL)
    assert (await present(installation, waiting)).stage is Stage.SECOND_FACTOR
    assert await second_factor(installation, waiting, code_of(installation, secret)) is None, "used to enrol"
    installation.clock.move(timedelta(seconds=30))
    code = code_of(installation, secret)
    done = await second_factor(installation, waiting, code)
    assert (await present(installation, done)).stage is Stage.SIGNED_IN
    assert await seen(installation, waiting) is None

    again = await attempt(installation, EMAIL)
    assert await second_factor(installation, again, code) is None
    assert (await present(installation, again)).stage is Stage.SECOND_FACTOR


async def test_guessing_codes_makes_the_login_wait_too(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    secret, _ = await enrol(installation, await attempt(installation, EMAIL))
    waiting = await attempt(installation, EMAIL)
    installation.clock.move(timedelta(minutes=1))
    right = code_of(installation, secret)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    for _ in range(5):
        assert await second_factor(installation, waiting, wrong) is None
    assert await second_factor(installation, waiting, right) is None
    assert await attempt(installation, EMAIL) is None
    installation.clock.move(timedelta(seconds=30))
    assert await second_factor(installation, waiting, code_of(installation, secret)) is not None


async def test_an_unfinished_sign_in_lapses_after_ten_minutes(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    await enrol(installation, await attempt(installation, EMAIL))
    waiting = await attempt(installation, EMAIL)
    installation.clock.move(timedelta(minutes=9, seconds=59))
    assert await seen(installation, waiting) is not None
    installation.clock.move(timedelta(seconds=1))
    assert await seen(installation, waiting) is None


async def test_where_a_second_factor_is_required_enrolment_comes_before_anything_else(
    installation: Installation,
) -> None:
    await make_login(installation, EMAIL)
    required = installation.services.settings.model_copy(update={"require_second_factor": True})
    token = await attempt(installation, EMAIL, settings=required)
    assert (await present(installation, token)).stage is Stage.ENROLMENT
    assert Action.SIGNED_IN not in await actions(installation)
    _, done = await enrol(installation, token)
    assert (await present(installation, done)).stage is Stage.SIGNED_IN
    assert (await actions(installation))[-2:] == [Action.LOGIN_TOTP_ENROLLED, Action.SIGNED_IN]


async def test_platform_roles_in_production_need_a_second_factor_whatever_the_setting(
    installation: Installation,
) -> None:
    await make_login(installation, EMAIL)
    await make_login(installation, "lead@example.org", Role.NATIONAL_LEAD)
    lax = installation.services.settings.model_copy(update={"environment": "production"})
    assert lax.require_second_factor is False
    assert (await present(installation, await attempt(installation, EMAIL, settings=lax))).stage is Stage.SIGNED_IN
    lead = await attempt(installation, "lead@example.org", settings=lax)
    assert (await present(installation, lead)).stage is Stage.ENROLMENT


async def test_an_app_cannot_be_replaced_by_a_second_enrolment(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    secret, token = await enrol(installation, await attempt(installation, EMAIL))
    with pytest.raises(IdentityRefusal) as refused:
        await enrol(installation, token)
    assert refused.value.code == "ALREADY_ENROLLED"
    installation.clock.move(timedelta(minutes=1))
    waiting = await attempt(installation, EMAIL)
    assert await second_factor(installation, waiting, code_of(installation, secret)) is not None


async def test_neither_passwords_nor_secrets_nor_tokens_are_stored_as_they_are(installation: Installation) -> None:
    await make_login(installation, EMAIL)
    secret, token = await enrol(installation, await attempt(installation, EMAIL))
    assert token is not None
    async with installation.database.session(PLATFORM) as session:
        login = (await session.scalars(select(Login))).one()
        rows = (await session.scalars(select(LoginSession))).all()
    assert login.password_hash is not None
    assert login.password_hash.startswith("$argon2id$")
    assert PASSWORD not in login.password_hash
    assert secret.encode() not in (login.totp_secret or b"")
    assert all(token.encode() not in row.token_hash for row in rows)
    assert await browser_session(installation.database, installation.services.vault, token + "x") is None


@pytest.mark.parametrize(
    ("email", "password", "name", "code"),
    [
        ("nowhere", PASSWORD, "Sam", "INVALID_EMAIL"),
        ("new@example.org", "short", "Sam", "WEAK_PASSWORD"),
        ("new@example.org", PASSWORD, "  ", "NAME_MISSING"),
        ("SAM@example.org", PASSWORD, "Sam", "LOGIN_EXISTS"),
    ],
)
async def test_a_login_that_cannot_be_made_leaves_nothing(
    installation: Installation, email: str, password: str, name: str, code: str
) -> None:
    from app.identity.staff import create_login

    await make_login(installation, EMAIL)
    before = await actions(installation)
    with pytest.raises(IdentityRefusal) as refused:
        async with installation.database.unit_of_work(PLATFORM) as work:
            await create_login(work, email=email, display_name=name, password=password)
    assert refused.value.code == code
    async with installation.database.session(PLATFORM) as session:
        assert (await session.scalars(select(Login.email))).all() == [EMAIL]
    assert await actions(installation) == before


def test_passwords_of_people_cost_what_they_should() -> None:
    """Outside the tests, which hash by as little work as there is: at least what RFC 9106 recommends second."""
    asked = "from app.identity.passwords import _hasher as h; print(h.type.name, h.time_cost, h.memory_cost)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == "ID"
    assert (int(told[1]) >= 3, int(told[2]) >= 64 * 1024) == (True, True)
