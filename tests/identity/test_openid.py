"""Sign-in by OpenID Connect, against a provider in a process of its own."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.identity.errors import IdentityRefusal
from app.identity.models import FederatedIdentity, Login, LoginSession, SignInAttempt
from app.identity.openid import Departure
from app.identity.permissions import Role
from app.identity.providers import providers_of, trust_provider
from app.identity.sessions import enter_tenant, principal_of
from app.identity.staff import end_staff, invite_staff
from tenants.audit import Action, AuditEvent
from tests.identity.people import PLATFORM, make_staff, present
from tests.identity.provider import CLIENT_ID, CLIENT_SECRET, RunningProvider, running_provider
from tests.support import Installation

EMAIL = "sam@nhs.example"
CLAIMS: dict[str, Any] = {"sub": "subject-1", "email": EMAIL, "email_verified": True}


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """One provider for the module; each test says what it vouches for."""
    with running_provider() as running:
        yield running


async def trust(installation: Installation, tenant_id: UUID, provider: RunningProvider) -> UUID:
    """Let a tenant's staff sign in by the provider."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await trust_provider(
            work,
            installation.services.vault,
            name="NHS sign-in",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            loopback=True,
        )


def say(installation: Installation, provider: RunningProvider, claims: dict[str, Any], **behaviour: Any) -> None:
    """The provider vouches for CLAIMS with changes, at the installation's time."""
    provider.say(CLAIMS | claims, int(installation.clock().timestamp()), **behaviour)


async def finish(installation: Installation, departure: Departure, answer: dict[str, str]) -> str:
    """What the return page does."""
    return await installation.services.openid.finish(
        state=answer["state"], code=answer["code"], issuer=answer.get("iss"), browser=departure.browser
    )


async def sign_in(
    installation: Installation, provider: RunningProvider, provider_id: UUID, code: str | None = None
) -> str:
    """The whole round trip."""
    departure = await installation.services.openid.begin(provider_id, code)
    return await finish(installation, departure, provider.visit(departure.url))


async def counts(installation: Installation) -> dict[str, int]:
    """Sessions and links that there are."""
    async with installation.database.session(PLATFORM) as session:
        return {
            table.__tablename__: (await session.scalars(select(func.count()).select_from(table))).one()
            for table in (LoginSession, FederatedIdentity)
        }


async def refusal(installation: Installation, provider: RunningProvider, provider_id: UUID) -> str:
    """The code of a round trip that must be refused and leave neither session nor link."""
    before = await counts(installation)
    with pytest.raises(IdentityRefusal) as refused:
        await sign_in(installation, provider, provider_id)
    assert await counts(installation) == before
    return refused.value.code


async def test_a_verified_address_on_the_staff_list_is_linked_once_and_known_by_subject_after(
    installation: Installation, provider: RunningProvider
) -> None:
    login_id, staff_id = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    session = await present(installation, await sign_in(installation, provider, provider_id))
    principal = await principal_of(installation.database, session)
    assert principal is not None
    assert (principal.id, principal.tenant_id) == (staff_id, installation.north)
    say(installation, provider, {"email": "renamed@nhs.example", "email_verified": False})
    again = await present(installation, await sign_in(installation, provider, provider_id))
    assert again.login_id == login_id
    async with installation.database.session(installation.context(installation.north)) as reading:
        trail = (await reading.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence))).all()
    assert [action for action in trail if action.startswith(("identity:login", "identity:session"))] == [
        Action.LOGIN_FEDERATED,
        Action.SIGNED_IN,
        Action.SIGNED_IN,
    ]


@pytest.mark.parametrize(
    ("claims", "behaviour"),
    [
        pytest.param({"nonce": "another"}, {}, id="wrong nonce"),
        pytest.param({"aud": "another-client"}, {}, id="wrong audience"),
        pytest.param({"aud": [CLIENT_ID, "another"], "azp": "another"}, {}, id="made out to another party"),
        pytest.param({"iss": "https://other.example"}, {}, id="other issuer"),
        pytest.param({"exp": 1}, {}, id="expired"),
        pytest.param({"iat": 9_999_999_999}, {}, id="issued in the future"),
        pytest.param({"sub": None}, {}, id="no subject"),
        pytest.param({}, {"sign_with": "stranger"}, id="signed by a stranger"),
        pytest.param({}, {"sign_with": "secret"}, id="signed with the client's secret"),
    ],
)
async def test_an_id_token_that_does_not_hold_opens_nothing(
    installation: Installation, provider: RunningProvider, claims: dict[str, Any], behaviour: dict[str, Any]
) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, claims, **behaviour)
    assert await refusal(installation, provider, provider_id) == "ID_TOKEN_REFUSED"
    say(installation, provider, {})
    assert await sign_in(installation, provider, provider_id)


async def test_a_state_is_used_once_in_one_browser_and_not_for_long(
    installation: Installation, provider: RunningProvider
) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    openid = installation.services.openid

    async def code_of_refusal(departure: Departure, answer: dict[str, str]) -> str:
        before = await counts(installation)
        with pytest.raises(IdentityRefusal) as refused:
            await finish(installation, departure, answer)
        assert await counts(installation) == before
        return refused.value.code

    departure = await openid.begin(provider_id)
    answer = provider.visit(departure.url)
    other_browser = await openid.begin(provider_id)
    assert await code_of_refusal(Departure("", other_browser.browser), answer) == "RETURN_REFUSED"
    assert await code_of_refusal(departure, answer | {"state": "invented"}) == "RETURN_REFUSED"
    await finish(installation, departure, answer)
    fresh = provider.visit((await openid.begin(provider_id)).url)
    replayed = answer | {"code": fresh["code"]}
    assert await code_of_refusal(departure, replayed) == "RETURN_REFUSED"

    late = await openid.begin(provider_id)
    answer = provider.visit(late.url)
    installation.clock.move(timedelta(minutes=10))
    assert await code_of_refusal(late, answer) == "RETURN_REFUSED"

    mixed = await openid.begin(provider_id)
    answer = provider.visit(mixed.url) | {"iss": "https://other.example"}
    assert await code_of_refusal(mixed, answer) == "RETURN_REFUSED"


async def test_a_code_of_another_round_trip_does_not_pass_pkce(
    installation: Installation, provider: RunningProvider
) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    mine, stolen = [await installation.services.openid.begin(provider_id) for _ in range(2)]
    answer = provider.visit(mine.url) | {"code": provider.visit(stolen.url)["code"]}
    before = await counts(installation)
    with pytest.raises(IdentityRefusal) as refused:
        await finish(installation, mine, answer)
    assert refused.value.code == "PROVIDER_REFUSED"
    assert await counts(installation) == before


async def test_new_keys_of_the_provider_are_fetched(installation: Installation, provider: RunningProvider) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    await sign_in(installation, provider, provider_id)
    say(installation, provider, {}, rotate=True)
    assert await sign_in(installation, provider, provider_id)


async def test_a_provider_that_describes_itself_as_another_is_refused(
    installation: Installation, provider: RunningProvider
) -> None:
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {}, describe_as="https://other.example")
    assert await refusal(installation, provider, provider_id) == "PROVIDER_REFUSED"


async def test_a_provider_that_does_not_answer_is_told_in_words(installation: Installation) -> None:
    with running_provider() as gone:
        provider_id = await trust(installation, installation.north, gone)
    assert await refusal(installation, gone, provider_id) == "PROVIDER_UNREACHABLE"


@pytest.mark.row("C1")
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"email_verified": False}, id="not verified"),
        pytest.param({"email_verified": "true"}, id="verified as text"),
        pytest.param({"email": "colleague@nhs.example"}, id="same domain, not on the list"),
        pytest.param({"email": "other@nhs.example"}, id="staff of another tenant"),
    ],
)
async def test_an_address_links_only_if_verified_and_on_this_tenants_list(
    installation: Installation, provider: RunningProvider, claims: dict[str, Any]
) -> None:
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    await make_staff(installation, installation.south, "other@nhs.example", Role.TENANT_ADMINISTRATOR)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, claims)
    assert await refusal(installation, provider, provider_id) == "NOT_ON_STAFF_LIST"
    say(installation, provider, {})
    assert await sign_in(installation, provider, provider_id)


async def test_an_invitation_links_whatever_address_the_provider_gives(
    installation: Installation, provider: RunningProvider
) -> None:
    provider_id = await trust(installation, installation.north, provider)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        invited = await invite_staff(
            work, installation.services.vault, email=EMAIL, display_name="Sam", role=Role.REVIEWER
        )
    say(installation, provider, {"sub": "subject-2", "email": "s.field@council.example", "email_verified": False})
    assert await refusal(installation, provider, provider_id) == "NOT_ON_STAFF_LIST"
    session = await present(installation, await sign_in(installation, provider, provider_id, invited.code))
    assert session.email == EMAIL
    with pytest.raises(IdentityRefusal) as refused:
        await installation.services.openid.begin(provider_id, invited.code)
    assert refused.value.code == "INVITATION_REFUSED"
    assert await sign_in(installation, provider, provider_id)


@pytest.mark.row("C1")
async def test_a_providers_word_counts_in_its_own_tenant_only(
    installation: Installation, provider: RunningProvider
) -> None:
    login_id, _ = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    await make_staff(installation, installation.south, EMAIL, Role.TENANT_ADMINISTRATOR, login_id)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    token = await sign_in(installation, provider, provider_id)
    session = await present(installation, token)
    with pytest.raises(IdentityRefusal) as refused:
        async with installation.database.unit_of_work(installation.context(installation.south)) as work:
            await enter_tenant(work, session.id)
    assert refused.value.code == "TENANT_NOT_OPEN"
    assert (await present(installation, token)).tenant_id == installation.north


async def test_a_link_does_not_open_to_somebody_who_left(installation: Installation, provider: RunningProvider) -> None:
    login_id, staff_id = await make_staff(installation, installation.north, EMAIL, Role.ANALYST)
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    await sign_in(installation, provider, provider_id)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await end_staff(work, staff_id)
    assert await refusal(installation, provider, provider_id) == "NOT_ON_STAFF_LIST"
    await make_staff(installation, installation.north, EMAIL, Role.ANALYST, login_id)
    async with installation.database.unit_of_work(PLATFORM) as work:
        (await work.session.get_one(Login, login_id)).disabled_at = work.now
    assert await refusal(installation, provider, provider_id) == "NOT_ON_STAFF_LIST"


async def test_the_browser_is_sent_with_pkce_state_and_nonce_and_no_secret_is_stored_open(
    installation: Installation, provider: RunningProvider
) -> None:
    provider_id = await trust(installation, installation.north, provider)
    say(installation, provider, {})
    departure = await installation.services.openid.begin(provider_id)
    query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    assert query["redirect_uri"] == "http://testserver/console/sign-in/return"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert len({query["state"], query["nonce"], query["code_challenge"], departure.browser}) == 4
    async with installation.database.session(PLATFORM) as session:
        attempt = (await session.scalars(select(SignInAttempt))).one()
    assert query["state"].encode() not in attempt.state_hash
    assert CLIENT_SECRET not in str((await providers_of(installation.database, "north"))[0].client_secret)


@pytest.mark.parametrize(
    "issuer",
    ["http://id.example", "https://id.example?x=1", "https://u:p@id.example", "ftp://id.example", "id.example"],
)
async def test_an_issuer_must_be_a_plain_https_address(installation: Installation, issuer: str) -> None:
    with pytest.raises(IdentityRefusal) as refused:
        async with installation.database.unit_of_work(installation.context(installation.north)) as work:
            await trust_provider(
                work, installation.services.vault, name="x", issuer=issuer, client_id="x", client_secret="x"
            )
    assert refused.value.code == "INVALID_ISSUER"
    assert await providers_of(installation.database, "north") == []
