"""What a hostile caller may send: each gets a coded answer, never a 500, and the next caller is served."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest

from medstead_graphql import limits
from tests import servers
from tests.graphql_api.serving import serving
from tests.support import Installation, open_installation

GOOD = b'{"query": "{ tenant { slug } }"}'
SLUG = {"tenant": {"slug": "north"}}
JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
TOO_LARGE = "BODY_TOO_LARGE"


async def send(installation: Installation, body: bytes, **headers: str) -> httpx2.Response:
    """POST a body as an authenticated caller."""
    token = await installation.token(installation.north)
    given = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await installation.http.post("/graphql", content=body, headers={"authorization": f"Bearer {token}"} | given)


def code_of(response: httpx2.Response) -> str:
    """The code of the first error."""
    code: str = response.json()["errors"][0]["extensions"]["code"]
    return code


def asked(query: str, variables: Any = None, **others: Any) -> bytes:
    """A request's body."""
    return orjson.dumps({"query": query, "variables": variables, **others})


BODIES = {
    "null": (b"null", 400, "INVALID_REQUEST"),
    "string": (b'"{ tenant { slug } }"', 400, "INVALID_REQUEST"),
    "number": (b"1", 400, "INVALID_REQUEST"),
    "list": (b"[" + GOOD + b"]", 400, "INVALID_REQUEST"),
    "no query": (b"{}", 400, "INVALID_REQUEST"),
    "variables in a list": (b'{"query": "{ tenant { slug } }", "variables": []}', 400, "INVALID_REQUEST"),
    "empty": (b"", 400, "INVALID_JSON"),
    "invalid UTF-8": (b'{"query": "\xff"}', 400, "INVALID_JSON"),
    "lone surrogate": (b'{"query": "{ a }", "variables": {"a": "\\ud800"}}', 400, "INVALID_JSON"),
    "NaN": (b'{"query": "{ a }", "variables": {"a": NaN}}', 400, "INVALID_JSON"),
    "100,000 levels": (b"[" * 100_000, 400, "INVALID_JSON"),
    "100,000 digits": (b'{"query": "{ a }", "variables": {"a": ' + b"1" * 100_000 + b"}}", 400, "INVALID_JSON"),
    "a million elements": (
        b'{"query": "{ a }", "variables": {"a": [' + b"1," * 999_999 + b"1]}}",
        413,
        "BODY_TOO_LARGE",
    ),
}


@pytest.mark.one_login
async def test_bodies_that_are_no_request(installation: Installation) -> None:
    for name, (body, status, code) in BODIES.items():
        response = await send(installation, body)
        assert (response.status_code, code_of(response)) == (status, code), name
        assert "data" not in response.json(), name
        assert (await send(installation, GOOD)).json()["data"] == SLUG, name


@pytest.mark.one_login
async def test_headers_that_ask_for_something_else(installation: Installation) -> None:
    for headers, status, code in (
        ({"content_encoding": "gzip"}, 415, "UNSUPPORTED_ENCODING"),
        ({"content_type": "text/plain"}, 415, "USE_JSON"),
        ({"content_type": "application/json-seq"}, 415, "USE_JSON"),
        ({"content_type": "application/json; charset=utf-16"}, 415, "USE_JSON"),
        ({"accept": "text/html"}, 406, "NOT_ACCEPTABLE"),
    ):
        body = gzip.compress(GOOD) if "content_encoding" in headers else GOOD
        response = await send(installation, body, **headers)
        assert (response.status_code, code_of(response)) == (status, code), headers
    for headers in ({"content_type": 'Application/JSON; charset="UTF-8"'}, {"content_encoding": "identity"}):
        assert (await send(installation, GOOD, **headers)).json()["data"] == SLUG, headers
    for method in ("GET", "PUT", "DELETE"):
        response = await installation.http.request(method, "/graphql", params={"query": "{ tenant { slug } }"})
        assert response.status_code == 405, method


@pytest.mark.one_login
@pytest.mark.parametrize(
    ("accept", "media_type", "status"),
    [
        ("*/*", JSON, 200),
        (JSON, JSON, 200),
        (GRAPHQL_JSON, GRAPHQL_JSON, 400),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON, 400),
        (f"{GRAPHQL_JSON};q=0.1, {JSON}", JSON, 200),
    ],
)
async def test_the_answer_is_of_the_type_that_was_accepted(
    installation: Installation, accept: str, media_type: str, status: int
) -> None:
    for body, expected in ((GOOD, 200), (asked("{ nothing }"), status), (asked("{"), status)):
        response = await send(installation, body, accept=accept)
        assert (response.status_code, response.headers["content-type"]) == (expected, f"{media_type}; charset=utf-8")
        assert ("data" in response.json()) == (body == GOOD)


def bomb(levels: int) -> str:
    """Fragments of which each spreads the next one twice."""
    parts = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} a{n}: __typename }}" for n in range(levels)]
    return " ".join(["{ ...F0 }", *parts, f"fragment F{levels} on Query {{ __typename }}"])


def wide(levels: int) -> str:
    """As a bomb, but below a field, so that each spread counts anew."""
    parts = [
        f"fragment F{n} on Learner {{ x: mergedInto {{ ...F{n + 1} }} y: mergedInto {{ ...F{n + 1} }} }}"
        for n in range(levels)
    ]
    return " ".join(["{ learners { nodes { ...F0 } } }", *parts, f"fragment F{levels} on Learner {{ id }}"])


NOT_NOT = "{not: " * 100 + "{}" + "}" * 100
DOCUMENTS: dict[str, tuple[str, Any, str | None]] = {
    "10,000 aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}", None, "INVALID_DOCUMENT"),
    "1,000 aliases": ("{" + " ".join(f"a{n}: __typename" for n in range(1_000)) + "}", None, "TOO_MANY_ALIASES"),
    "equal fields": ("{ tenant {" + " slug" * 3_900 + "} }", None, "TOO_MANY_FIELDS"),
    "equal fields unused": (
        "{ tenant { slug } } fragment A on Tenant {" + " slug" * 3_900 + "}",
        None,
        "TOO_MANY_FIELDS",
    ),
    "directives": ("{ tenant { slug" + " @skip(if: false)" * 500 + "} }", None, "TOO_MANY_DIRECTIVES"),
    "cyclic fragments": (
        "{ tenant { ...A } } fragment A on Tenant { ...B } fragment B on Tenant { ...A }",
        None,
        "INVALID_DOCUMENT",
    ),
    "bomb of 2^20": (bomb(20), None, "TOO_MANY_ALIASES"),
    "bomb of 2^40": (bomb(40), None, "TOO_MANY_ALIASES"),
    "wide bomb of 2^20": (wide(20), None, "TOO_DEEP"),
    "too deep": ("{ learners { nodes" + " { mergedInto" * 20 + " { id }" + " }" * 22, None, "TOO_DEEP"),
    "deep": ("{ learners { nodes" + " { mergedInto" * 200 + " { id }" + " }" * 202, None, "INVALID_DOCUMENT"),
    "deeper": ("{" * 3_900, None, "INVALID_DOCUMENT"),
    "deep value": (f"{{ learners(where: {NOT_NOT}) {{ totalCount }} }}", None, "TOO_DEEP"),
    "deep list": ("{ learners(first: " + "[" * 300 + "]" * 300 + ") { totalCount } }", None, "INVALID_DOCUMENT"),
    "deep variable": (
        "query ($w: LearnerFilter) { learners(where: $w) { totalCount } }",
        {"w": orjson.loads(NOT_NOT.replace("not", '"not"'))},
        "TOO_DEEP",
    ),
    "many filters": (
        "query ($w: [LearnerFilter!]) { learners(where: {or: $w}) { totalCount } }",
        {"w": [{}] * 20_000},
        "TOO_MANY_VALUES",
    ),
    "many texts": (
        "query ($w: [String!]) { learners(where: {displayName: {oneOf: $w}}) { totalCount } }",
        {"w": [""] * 50_000},
        "TOO_MANY_VALUES",
    ),
    "digits": (f"{{ learners(first: {'9' * 100_000}) {{ totalCount }} }}", None, "INVALID_VALUE"),
    "beyond int64": ("{ learners(first: 99999999999999999999) { totalCount } }", None, "INVALID_DOCUMENT"),
    "beyond int64, variable": (
        "query ($n: Int) { learners(first: $n) { nodes { id } } }",
        {"n": 9_223_372_036_854_775_808},
        "INVALID_DOCUMENT",
    ),
    "NUL": ('{ learners(where: {displayName: {equals: "\\u0000"}}) { totalCount } }', None, "INVALID_VALUE"),
    "NUL, variable": (
        "query ($t: String) { learners(where: {displayName: {equals: $t}}) { totalCount } }",
        {"t": "\0"},
        "INVALID_VALUE",
    ),
    "NUL in the document": ("{ tenant \0 }", None, "INVALID_DOCUMENT"),
    "NUL in a cursor": ('{ learners(after: "WyIAIiwgIiJd") { nodes { id } } }', None, "INVALID_CURSOR"),
    "lone surrogate": (
        '{ learners(where: {displayName: {equals: "\\ud800"}}) { totalCount } }',
        None,
        "INVALID_DOCUMENT",
    ),
    "year 10000": (
        '{ learners(where: {createdAt: {from: "10000-01-01T00:00:00Z"}}) { totalCount } }',
        None,
        "INVALID_DOCUMENT",
    ),
    "before year 1": (
        '{ learners(where: {createdAt: {from: "0001-01-01T00:00:00+14:00"}}) { totalCount } }',
        None,
        "INVALID_VALUE",
    ),
    "after year 9999": (
        '{ learners(where: {createdAt: {before: "9999-12-31T23:59:59-14:00"}}) { totalCount } }',
        None,
        "INVALID_VALUE",
    ),
    "period": (
        '{ impactSummary(period: {from: "0001-01-01", to: "9999-12-31"}) { firstDay } }',
        None,
        "INVALID_PERIOD",
    ),
    "no operation": ("fragment A on Tenant { slug }", None, "INVALID_DOCUMENT"),
    "subscription": ("subscription { tenant { slug } }", None, "INVALID_DOCUMENT"),
    "empty": ("", None, "NO_DOCUMENT"),
    "page of 0": ("{ learners(first: 0) { nodes { id } } }", None, "INVALID_PAGE"),
    "first and last": ("{ learners(first: 1, last: 1) { nodes { id } } }", None, "INVALID_PAGE"),
    "cursor of nothing": ('{ learners(after: "?") { nodes { id } } }', None, "INVALID_CURSOR"),
    "id of nothing": ('{ learner(id: "?") { id } }', None, "INVALID_ID"),
}


@pytest.mark.one_login
@pytest.mark.parametrize("name", DOCUMENTS)
async def test_documents_that_would_cost_too_much_or_mean_nothing(installation: Installation, name: str) -> None:
    query, variables, code = DOCUMENTS[name]
    async with asyncio.timeout(20):
        for accept, status in ((JSON, 200), (GRAPHQL_JSON, 400)):
            response = await send(installation, asked(query, variables), accept=accept)
            assert (response.status_code, code_of(response)) == (status, code)
            assert "data" not in response.json()
            assert len(response.content) < 40_000
    assert (await send(installation, GOOD)).json()["data"] == SLUG


@pytest.mark.one_login
async def test_the_operation_must_be_one_of_the_document(installation: Installation) -> None:
    two = "query A { tenant { slug } } query B { __typename }"
    assert (await send(installation, asked(two, operationName="A", extensions={"a": 1}))).json()["data"] == SLUG
    for name in (None, "C", ""):
        assert code_of(await send(installation, asked(two, operationName=name))) == "UNKNOWN_OPERATION"


@pytest.mark.one_login
async def test_an_unexpected_error_tells_the_request_id_and_nothing_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise LookupError("a secret")

    with monkeypatch.context() as patch:
        patch.setattr(type(installation.services.reader), "value", fails)
        response = await send(installation, GOOD)
    assert (response.status_code, code_of(response)) == (500, "INTERNAL_ERROR")
    assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]
    assert b"secret" not in response.content
    assert (await send(installation, GOOD)).json()["data"] == SLUG


# --- what only a real server shows ------------------------------------------------------------------------------------


async def raw(port: int, token: str, headers: str, *body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a request has been begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: {JSON}\r\nauthorization: Bearer {token}\r\n"
    writer.write(f"{head}{headers}\r\n".encode())
    for part in body:
        writer.write(part)
    await writer.drain()
    return reader, writer


@pytest.mark.one_login
async def test_large_and_slow_bodies_are_cut_off(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await installation.token(installation.north)
    async with serving(installation) as port, asyncio.timeout(30):
        reader, writer = await raw(port, token, "content-length: 52428800\r\n", b"x")
        assert b" 413 " in await reader.readline()
        writer.close()
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        reader, writer = await raw(port, token, "transfer-encoding: chunked\r\n", *[chunk] * 8)
        assert b" 413 " in await reader.readline()
        writer.close()
        monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)
        reader, writer = await raw(port, token, "content-length: 100\r\n", b"{")
        assert b" 408 " in await reader.readline()
        writer.close()
        reader, writer = await raw(port, token, f"content-length: {len(GOOD)}\r\n", GOOD)
        assert b" 200 " in await reader.readline()
        writer.close()


@pytest.fixture
async def impatient(redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application on a database that gives each statement two seconds."""
    async with servers.fresh_database() as name:
        administrator = await asyncpg.connect(servers.running().superuser_url)
        try:
            await administrator.execute(f"ALTER ROLE medstead_app IN DATABASE {name} SET statement_timeout = '2s'")
        finally:
            await administrator.close()
        async with open_installation(servers.running().urls(name), redis_url, data_dir) as opened:
            yield opened


WAITING = """SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND usename = 'medstead_app' AND wait_event_type = 'Lock'"""


async def waiting(connection: asyncpg.Connection, count: int) -> None:
    """Return when so many statements of the application wait for a lock."""
    async with asyncio.timeout(30):
        while await connection.fetchval(WAITING) != count:  # noqa: ASYNC110 - only the database knows
            await asyncio.sleep(0.01)


async def test_a_statement_that_takes_too_long_says_so(impatient: Installation) -> None:
    document = asked("{ learners { totalCount } }")
    locker = await asyncpg.connect(impatient.urls.owner)
    try:
        async with locker.transaction():
            await locker.execute("LOCK TABLE medstead.learner IN ACCESS EXCLUSIVE MODE")
            response = await send(impatient, document)
            assert (response.status_code, code_of(response)) == (200, "TOO_SLOW")
            assert (await send(impatient, GOOD)).json()["data"] == SLUG
    finally:
        await locker.close()
    assert (await send(impatient, document)).json()["data"] == {"learners": {"totalCount": 0}}


@pytest.mark.one_login
async def test_a_caller_who_goes_away_cancels_the_statement(installation: Installation) -> None:
    token = await installation.token(installation.north)
    body = asked("{ learners { totalCount } }")
    locker = await asyncpg.connect(installation.urls.owner)
    database = installation.urls.app.rpartition("/")[2]
    watcher = await asyncpg.connect(f"{servers.running().superuser_url.rpartition('/')[0]}/{database}")
    try:
        async with serving(installation) as port, locker.transaction():
            await locker.execute("LOCK TABLE medstead.learner IN ACCESS EXCLUSIVE MODE")
            _, writer = await raw(port, token, f"content-length: {len(body)}\r\n", body)
            await waiting(watcher, 1)
            writer.close()
            await waiting(watcher, 0)
            assert (await send(installation, GOOD)).json()["data"] == SLUG
    finally:
        await watcher.close()
        await locker.close()
    assert (await send(installation, body)).json()["data"] == {"learners": {"totalCount": 0}}
