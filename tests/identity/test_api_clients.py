"""Partner applications: grants, scopes, secrets, revocation, tokens that do not hold, and the wall between tenants."""

import asyncio
import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import func, select

from app.identity.api_clients import NewClient, add_secret, create_client, revoke_client, revoke_secret
from app.identity.errors import IdentityRefusal
from app.identity.models import ApiClient, ApiClientSecret, SigningKey
from app.identity.permissions import SCOPES, Permission
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.identity.people import PLATFORM
from tests.support import Installation

P = Permission
QUERY = {"query": "{ tenant { slug } }"}


async def make_client(installation: Installation, tenant_id: UUID, scopes: frozenset[Permission] = SCOPES) -> NewClient:
    """A client of a tenant."""
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        return await create_client(work, installation.services.vault, "Care Portal", scopes)


async def second_secret(installation: Installation, client: NewClient) -> str:
    """A further secret for a client of north."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        return await add_secret(work, installation.services.vault, client.id)


async def ask(installation: Installation, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and body of the token endpoint for a form."""
    answer = await installation.http.post("/oauth/token", data=fields, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


async def grant(installation: Installation, client: NewClient, secret: str | None = None, **more: str) -> Any:
    """Status and body for a client's id and secret in the form."""
    fields = {"grant_type": "client_credentials", "client_id": client.client_id}
    return await ask(installation, fields | {"client_secret": secret or client.secret} | more)


async def use(installation: Installation, token: str) -> tuple[int, dict[str, Any]]:
    """Status and body of a read with a token."""
    answer = await installation.http.post("/graphql", json=QUERY, headers={"authorization": f"Bearer {token}"})
    body = answer.json()
    body.pop("extensions", None)
    return answer.status_code, body


async def rows(installation: Installation) -> list[int]:
    """How many clients, secrets and audit rows north has."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return [
            (await session.scalars(select(func.count()).select_from(table))).one()
            for table in (ApiClient, ApiClientSecret, AuditEvent)
        ]


async def test_a_token_is_granted_by_form_and_by_basic_and_reads_the_tenant(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    status, by_form = await grant(installation, client)
    assert (status, by_form["token_type"], by_form["expires_in"]) == (200, "Bearer", 3600)
    assert set(by_form["scope"].split()) == set(SCOPES)
    encoded = base64.b64encode(f"{quote(client.client_id)}:{quote(client.secret)}".encode()).decode()
    status, by_basic = await ask(installation, {"grant_type": "client_credentials"}, authorization=f"Basic {encoded}")
    assert status == 200
    for answer in (by_form, by_basic):
        assert await use(installation, answer["access_token"]) == (200, {"data": {"tenant": {"slug": "north"}}})


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "client-unknown"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"scope": "audit:read"}, 400, "invalid_scope"),
        ({"scope": "nonsense"}, 400, "invalid_scope"),
    ],
)
async def test_a_refused_grant_says_why_in_oauths_words(
    installation: Installation, change: dict[str, str], status: int, error: str
) -> None:
    client = await make_client(installation, installation.north)
    fields = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.secret,
    }
    assert (await ask(installation, fields))[0] == 200
    answer = await ask(installation, fields | change)
    assert (answer[0], answer[1]["error"]) == (status, error)
    assert "access_token" not in answer[1]


async def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    wrong = await grant(installation, client, "wrong")
    unknown = await grant(installation, NewClient(new_id(), "client-unknown", "wrong"))
    assert wrong == unknown


@pytest.mark.row("C4")
async def test_a_token_holds_what_was_asked_and_granted_and_the_tenant_still_allows(
    installation: Installation,
) -> None:
    granted = frozenset({P.TENANT_READ, P.DIRECTORY_READ})
    client = await make_client(installation, installation.north, granted)
    _, narrow = await grant(installation, client, scope="tenant:read")
    assert narrow["scope"] == "tenant:read"
    principal = await installation.services.clients.principal(narrow["access_token"])
    assert principal.permissions == {P.TENANT_READ}
    status, refused = await grant(installation, client, scope="tenant:read people:read")
    assert (status, refused["error"]) == (400, "invalid_scope")
    _, wide = await grant(installation, client)
    assert (await installation.services.clients.principal(wide["access_token"])).permissions == granted
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        (await work.session.get_one(ApiClient, (installation.north, client.id))).scopes = ["directory:read"]
    installation.clock.move(timedelta(minutes=1))
    principal = await installation.services.clients.principal(wide["access_token"])
    assert principal.permissions == {P.DIRECTORY_READ}, "what the tenant took back bites in tokens that are out"


async def test_scopes_that_are_for_people_alone_cannot_be_granted(installation: Installation) -> None:
    before = await rows(installation)
    for scopes in ({P.AUDIT_READ}, {P.TENANT_READ, P.STAFF_WRITE}, set()):
        with pytest.raises(IdentityRefusal) as refused:
            await make_client(installation, installation.north, frozenset(scopes))
        assert refused.value.code == ("UNKNOWN_SCOPE" if scopes else "SCOPE_MISSING")
    assert await rows(installation) == before


async def test_two_secrets_live_while_one_is_changed_for_the_other(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    newer = await second_secret(installation, client)
    for secret in (client.secret, newer):
        assert (await grant(installation, client, secret))[0] == 200
    before = await rows(installation)
    with pytest.raises(IdentityRefusal) as refused:
        await second_secret(installation, client)
    assert refused.value.code == "TWO_SECRETS_LIVE"
    assert await rows(installation) == before
    context = installation.context(installation.north)
    async with installation.database.session(context) as session:
        oldest = (await session.scalars(select(ApiClientSecret.id).order_by(ApiClientSecret.id))).all()[0]
    for _ in range(2):
        async with installation.database.unit_of_work(context) as work:
            await revoke_secret(work, oldest)
    assert (await grant(installation, client, client.secret))[0] == 401
    assert (await grant(installation, client, newer))[0] == 200
    newest = await second_secret(installation, client)
    assert (await grant(installation, client, newest))[0] == 200
    async with installation.database.session(context) as session:
        trail = (await session.scalars(select(AuditEvent.action).order_by(AuditEvent.sequence))).all()
    assert [action for action in trail if "api_client" in action] == [
        Action.API_CLIENT_CREATED,
        Action.API_CLIENT_SECRET_ADDED,
        Action.API_CLIENT_SECRET_ADDED,
        Action.API_CLIENT_SECRET_REVOKED,
        Action.API_CLIENT_SECRET_ADDED,
    ]


async def test_secrets_added_at_the_same_moment_are_never_three(installation: Installation) -> None:
    client = await make_client(installation, installation.north)

    async def add() -> str:
        try:
            await second_secret(installation, client)
        except IdentityRefusal as refusal:
            return refusal.code
        return "added"

    answers = await asyncio.gather(*(add() for _ in range(4)))
    assert sorted(answers) == ["TWO_SECRETS_LIVE"] * 3 + ["added"]


async def test_secrets_are_stored_as_keyed_hashes_and_stay_out_of_the_trail(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    async with installation.database.session(installation.context(installation.north)) as session:
        secret = (await session.scalars(select(ApiClientSecret))).one()
        trail = (await session.scalars(select(AuditEvent.after))).all()
    assert client.secret.encode() not in secret.secret_hash
    assert secret.hint == client.secret[-4:]
    assert client.secret not in str(trail)


async def test_revocation_bites_within_a_minute_and_other_clients_go_on(installation: Installation) -> None:
    client, other = [await make_client(installation, installation.north) for _ in range(2)]
    token = (await grant(installation, client))[1]["access_token"]
    others = (await grant(installation, other))[1]["access_token"]
    assert (await use(installation, token))[0] == 200
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await revoke_client(work, client.id)
    assert (await grant(installation, client))[0] == 401, "no new token at all"
    installation.clock.move(timedelta(seconds=59))
    status, body = await use(installation, token)
    assert (status, body["error"]) == (401, "INVALID_TOKEN")
    assert (await use(installation, others))[0] == 200
    before = await rows(installation)
    for change in (revoke_client, lambda work, id_: add_secret(work, installation.services.vault, id_)):
        with pytest.raises(IdentityRefusal) as refused:
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                await change(work, client.id)
        assert refused.value.code == "UNKNOWN_CLIENT"
    assert await rows(installation) == before


async def test_a_token_expires_after_an_hour(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    token = (await grant(installation, client))[1]["access_token"]
    installation.clock.move(timedelta(minutes=59, seconds=59))
    assert (await use(installation, token))[0] == 200
    installation.clock.move(timedelta(seconds=1))
    assert (await use(installation, token))[0] == 401


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def _read(part: str) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return value


def _other_tenant(token: str, installation: Installation) -> str:
    header, body, signature = token.split(".")
    return f"{header}.{_part(_read(body) | {'tenant': str(installation.south)})}.{signature}"


def _more_scopes(token: str, _: Installation) -> str:
    header, body, signature = token.split(".")
    return f"{header}.{_part(_read(body) | {'scope': 'people:read'})}.{signature}"


def _no_algorithm(token: str, _: Installation) -> str:
    header, body, _signature = token.split(".")
    return f"{_part(_read(header) | {'alg': 'none'})}.{body}."


def _cut(token: str, _: Installation) -> str:
    return token[:-4]


def _own_key(token: str, _: Installation) -> str:
    key = OKPKey.generate_key("Ed25519")
    header, body, _signature = token.split(".")
    return jwt.encode(_read(header) | {"alg": "Ed25519"}, _read(body), key, algorithms=["Ed25519"])


def _signed_with_the_public_key(token: str, _: Installation) -> str:
    import hashlib
    import hmac

    header, body, _signature = token.split(".")
    said = f"{_part(_read(header) | {'alg': 'HS256'})}.{body}"
    digest = hmac.new(b"public", said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "tamper", [_other_tenant, _more_scopes, _no_algorithm, _cut, _own_key, _signed_with_the_public_key]
)
async def test_a_token_that_was_touched_opens_nothing(
    installation: Installation, tamper: Callable[[str, Installation], str]
) -> None:
    client = await make_client(installation, installation.north)
    token = (await grant(installation, client))[1]["access_token"]
    assert (await use(installation, token))[0] == 200
    status, body = await use(installation, tamper(token, installation))
    assert (status, body["error"]) == (401, "INVALID_TOKEN")


async def test_a_token_of_another_installation_or_audience_opens_nothing(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    token = (await grant(installation, client))[1]["access_token"]
    async with installation.database.session(PLATFORM) as session:
        row = (await session.scalars(select(SigningKey))).one()
    key = OKPKey.import_key(orjson.loads(installation.services.vault.decrypt(row.private_key)))
    header, body, _ = token.split(".")
    for change in ({}, {"iss": "https://other.example"}, {"aud": "other"}):
        made = jwt.encode(_read(header), _read(body) | change, key, algorithms=["Ed25519"])
        assert (await use(installation, made))[0] == (401 if change else 200)


async def test_anybody_can_verify_our_tokens_by_the_published_keys(installation: Installation) -> None:
    client = await make_client(installation, installation.north)
    token = (await grant(installation, client))[1]["access_token"]
    published = (await installation.http.get("/.well-known/jwks.json")).json()
    header, body, signature = token.split(".")
    (key,) = [key for key in published["keys"] if key["kid"] == _read(header)["kid"]]
    assert "d" not in key
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(base64.urlsafe_b64decode(signature + "=="), f"{header}.{body}".encode())
    assert _read(body)["sub"] == client.client_id


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Token abc", "Bearer not-a-token"])
async def test_a_request_without_a_token_is_asked_for_one(installation: Installation, header: str) -> None:
    answer = await installation.http.post("/graphql", json=QUERY, headers={"authorization": header})
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.row("C4")
async def test_another_tenants_row_is_as_unknown_as_one_that_never_was(installation: Installation) -> None:
    theirs = await installation.data(installation.south, "{ tenant { id } }")
    document = """query ($id: ID!) {
        node(id: $id) { id }
        learner(id: $learner) { id }
    }""".replace("$id: ID!", "$id: ID!, $learner: ID!")
    answers = []
    for tenant in (theirs["tenant"]["id"], f"Tenant:{new_id()}"):
        variables = {"id": tenant, "learner": f"Learner:{tenant.partition(':')[2]}"}
        answers.append(await installation.graphql(installation.north, document, variables))
    assert answers[0] == answers[1] == {"data": {"node": None, "learner": None}}
    own = await installation.data(installation.south, document, {"id": theirs["tenant"]["id"], "learner": "Learner:x"})
    assert own["node"] == {"id": theirs["tenant"]["id"]}


@pytest.mark.row("C4")
async def test_another_tenants_client_is_as_unknown_as_one_that_never_was(installation: Installation) -> None:
    theirs = await make_client(installation, installation.south)
    messages = set()
    for target in (theirs.id, new_id()):
        with pytest.raises(IdentityRefusal) as refused:
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                await revoke_client(work, target)
        messages.add((refused.value.code, refused.value.message))
        with pytest.raises(IdentityRefusal) as refused:
            async with installation.database.unit_of_work(installation.context(installation.north)) as work:
                await revoke_secret(work, target)
        messages.add((refused.value.code, refused.value.message))
    assert {code for code, _ in messages} == {"UNKNOWN_CLIENT", "UNKNOWN_SECRET"}
    assert len(messages) == 2
    assert (await grant(installation, theirs))[0] == 200


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 400),
        ("application/x-www-form-urlencoded", b"grant_type=" + b"x" * 20_000, 400),
        ("multipart/form-data; boundary=x", b"--x--", 400),
    ],
)
async def test_the_token_endpoint_takes_small_forms_only(
    installation: Installation, content_type: str, body: bytes, status: int
) -> None:
    answer = await installation.http.post("/oauth/token", content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request")
