"""Trusted documents by their ids, GET that changes nothing, the IDE in development, and what forms may not send."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from graphql import parse

from medstead_graphql.limits import check_price
from medstead_graphql.schema import Asked, schema
from medstead_graphql.trusted import TrustedDocument, trusted_documents
from tests import servers
from tests.graphql_api.test_hostile import GRAPHQL_JSON, asked, code_of, send
from tests.support import BYPASS_LOGIN, Installation, open_installation

ROOT = Path(__file__).resolve().parents[2]
BY_NAME = {document.name: document for document in trusted_documents()}
CARD, LEARNERS = BY_NAME["TenantCard"], BY_NAME["LearnerPages"]


@pytest.mark.parametrize("document", trusted_documents(), ids=lambda document: document.name)
async def test_every_trusted_document_is_served_within_all_limits(
    installation: Installation, document: TrustedDocument
) -> None:
    (definition,) = [node for node in parse(document.text).definitions if node.kind == "operation_definition"]
    assert definition.name.value == document.name  # type: ignore[attr-defined]
    found = schema.ask(document.text, document.variables, document.name)
    assert isinstance(found, Asked), found.errors
    check_price(found.price, installation.services.settings.graphql_maximum_cost)
    body = orjson.dumps({"documentId": document.id, "variables": document.variables})
    answer = await send(installation, body)
    assert answer.status_code == 200
    assert "errors" not in answer.json(), answer.text
    assert answer.json()["extensions"]["cost"]["requested"] == found.price.points, "it was prepared at the start"
    by_text = await send(installation, asked(document.text, document.variables))
    assert by_text.json()["data"] == answer.json()["data"]


def test_an_id_is_the_digest_of_the_exact_text() -> None:
    text = (ROOT / "graphql" / "documents" / "TenantCard.graphql").read_bytes()
    assert CARD.id == f"sha256:{hashlib.sha256(text).hexdigest()}"
    assert len({document.id for document in trusted_documents()}) == len(trusted_documents())


def test_the_wheel_brings_the_documents(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        for document in trusted_documents():
            name = f"medstead_graphql/documents/{document.name}.graphql"
            assert name in names
            assert opened.read(name).decode() == document.text


async def get(installation: Installation, parameters: dict[str, str], **headers: str) -> httpx2.Response:
    """GET as an authenticated caller."""
    token = await installation.token(installation.north)
    given = {"authorization": f"Bearer {token}"} | headers
    return await installation.http.get("/graphql", params=parameters, headers=given)


async def test_get_gives_a_trusted_document_to_a_caller_with_a_token(installation: Installation) -> None:
    variables = orjson.dumps({"first": 2}).decode()
    answer = await get(
        installation, {"documentId": LEARNERS.id, "variables": variables, "operationName": "LearnerPages"}
    )
    assert answer.json()["data"]["learners"]["nodes"] == []
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await get(installation, {"documentId": CARD.id})).json()["data"]["tenant"]["slug"] == "north"
    without = await installation.http.get("/graphql", params={"documentId": CARD.id})
    assert without.status_code == 401
    cookie = await installation.http.get(
        "/graphql",
        params={"documentId": CARD.id},
        headers={"cookie": f"authorization=Bearer {await installation.token(installation.north)}"},
    )
    assert cookie.status_code == 401, "a token is never a cookie"


@pytest.mark.one_login
async def test_get_refuses_everything_else(installation: Installation) -> None:
    for parameters, status, code in (
        ({"query": "{ tenant { slug } }"}, 405, "USE_POST"),
        ({"query": CARD.text, "documentId": CARD.id}, 405, "USE_POST"),
        ({}, 405, "USE_POST"),
        ({"documentId": CARD.id, "variables": "{"}, 400, "INVALID_JSON"),
        ({"documentId": CARD.id, "variables": "[]"}, 400, "INVALID_REQUEST"),
        ({"documentId": CARD.id, "operationName": "Other"}, 200, "UNKNOWN_OPERATION"),
        ({"documentId": "sha256:00"}, 200, "UNKNOWN_DOCUMENT"),
    ):
        answer = await get(installation, parameters)
        assert (answer.status_code, code_of(answer)) == (status, code), parameters
        assert "data" not in answer.json()


@pytest.mark.one_login
async def test_an_unknown_id_says_to_send_the_text(installation: Installation) -> None:
    answer = await send(installation, b'{"documentId": "sha256:00"}', accept=GRAPHQL_JSON)
    assert (answer.status_code, code_of(answer)) == (400, "UNKNOWN_DOCUMENT")
    assert "`query`" in answer.json()["errors"][0]["message"]
    for body in ({"documentId": CARD.id, "query": CARD.text}, {"documentId": 1}, {"documentId": None}):
        refused = await send(installation, orjson.dumps(body))
        assert (refused.status_code, code_of(refused)) == (400, "INVALID_REQUEST"), body


async def opened_with(login: str, redis_url: str, data_dir: Path, **settings: Any) -> AsyncIterator[Installation]:
    """The application with other settings."""
    async with servers.fresh_database() as name:
        urls = servers.running().urls(name, bypass=login == BYPASS_LOGIN)
        async with open_installation(urls, redis_url, data_dir, **settings) as opened:
            yield opened


@pytest.fixture
async def strict(login: str, redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application that runs trusted documents only."""
    async for opened in opened_with(login, redis_url, data_dir, graphql_trusted_only=True):
        yield opened


async def test_only_trusted_documents_are_run_where_that_is_set(strict: Installation) -> None:
    for query in ("{ tenant { slug } }", "{ __schema { types { name } } }", CARD.text + " "):
        answer = await send(strict, asked(query))
        assert (answer.status_code, code_of(answer)) == (200, "TRUSTED_ONLY")
    for body in (asked(CARD.text), orjson.dumps({"documentId": CARD.id})):
        assert (await send(strict, body)).json()["data"]["tenant"]["slug"] == "north"


@pytest.fixture
async def developing(login: str, redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application on a developer's machine."""
    async for opened in opened_with(login, redis_url, data_dir, environment="development"):
        yield opened


@pytest.mark.one_login
async def test_the_page_to_try_documents_is_served_in_development_alone(
    developing: Installation, installation: Installation
) -> None:
    accept = {"accept": "text/html,application/xhtml+xml"}
    page = await developing.http.get("/graphql", headers=accept)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "GraphiQL" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (await developing.http.get("/graphql", params={"query": "{ a }"})).status_code == 405
    elsewhere = await installation.http.get("/graphql", headers=accept)
    assert (elsewhere.status_code, code_of(elsewhere)) == (405, "USE_POST")
    assert "graphiql" not in elsewhere.text.lower()


@pytest.mark.one_login
async def test_what_a_form_in_a_browser_can_send_is_refused(installation: Installation) -> None:
    forms = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "")
    for content_type in forms:
        answer = await send(installation, asked("{ tenant { slug } }"), content_type=content_type)
        assert (answer.status_code, code_of(answer)) == (415, "USE_JSON"), content_type
    answer = await installation.http.post("/graphql", json={"query": CARD.text})
    assert answer.status_code == 401
    assert "set-cookie" not in (await send(installation, asked(CARD.text))).headers


async def test_get_changes_nothing_even_by_a_trusted_mutation(installation: Installation) -> None:
    change = "mutation { updateTenantSettings(input: {version: 1, attendanceThresholdPercent: 1}) { __typename } }"
    installation.app.state.graphql._trusted["sha256:change"] = change
    answer = await get(installation, {"documentId": "sha256:change"})
    assert (answer.status_code, code_of(answer)) == (405, "USE_POST")
    version = "{ tenant { settings { version } } }"
    assert await installation.data(installation.north, version) == {"tenant": {"settings": {"version": 1}}}
    by_post = await send(installation, b'{"documentId": "sha256:change"}')
    assert by_post.json()["data"] == {"updateTenantSettings": {"__typename": "SettingsChanged"}}
