"""Well-known clients use the API as they come: Relay compiles for it; Apollo, urql and gql page through all of it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.async_transport import AsyncTransport
from graphql import ExecutionResult, get_named_type

from medstead_graphql.compiler.declare import SOURCES
from medstead_graphql.schema import schema
from tenants.base import TENANT, table_of
from tests.graphql_api.npm import CLIENTS
from tests.graphql_api.serving import serving
from tests.graphql_api.test_hostile import asked, send
from tests.graphql_api.world import add_rows, make_world
from tests.support import Installation

pytestmark = pytest.mark.one_login

HERE = Path(__file__).with_name("clients")
SCHEMA = HERE.parents[2] / "graphql" / "schema.graphql"
PAGE = 4
SHORT = {"nudgeRules"}
"""Lists that hold one row for each of a few kinds."""
VARIABLES = {
    "LearnersPageQuery": {"count": 5, "where": None},
    "LearnersPagePaginationQuery": {"count": 5},
    "LearnersPageLearnerQuery": {"id": "Learner:00000000-0000-0000-0000-000000000000"},
    "LearnersPageFiguresQuery": {"period": {"from": "2026-01-01", "to": "2026-12-31"}},
    "LearnersPageNodeQuery": {"id": "Course:00000000-0000-0000-0000-000000000000"},
    "LearnersPageChangeMutation": {"input": {"version": 1, "attendanceThresholdPercent": 70}},
}


async def node(*arguments: str | Path) -> bytes:
    """What a program of node prints. Its complaints are part of the failure."""
    process = await asyncio.create_subprocess_exec(
        "node", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, complaints = await process.communicate()
    assert process.returncode == 0, (told + complaints).decode()
    return told


@pytest.mark.clients
async def test_relay_compiles_for_the_contract_and_its_documents_are_answered(
    installation: Installation, tmp_path: Path
) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    source.mkdir()
    made.mkdir()
    (source / "LearnersPage.js").write_bytes((HERE / "LearnersPage.js").read_bytes())
    settings = {"src": str(source), "schema": str(SCHEMA), "language": "javascript", "artifactDirectory": str(made)}
    (tmp_path / "relay.config.json").write_bytes(orjson.dumps(settings))
    compiler = CLIENTS.folder / "node_modules" / "relay-compiler" / "cli.js"
    await node(compiler, tmp_path / "relay.config.json")
    texts = {}
    for artifact in made.glob("*.graphql.js"):
        for line in artifact.read_text().splitlines():
            name, found, text = line.strip().partition(": ")
            if found and name == '"text"' and text != "null":
                texts[artifact.name.partition(".")[0]] = orjson.loads(text)
    assert set(texts) == set(VARIABLES)
    for name, text in texts.items():
        answer = await send(installation, asked(text, VARIABLES[name], operationName=name))
        assert "errors" not in answer.json(), (name, answer.text)


def root_connections() -> dict[str, str]:
    """Root fields that are connections, with the type of their nodes."""
    query = schema._schema.query_type
    assert query is not None
    names = {name: get_named_type(field.type).name for name, field in query.fields.items()}
    return {name: type_.removesuffix("Connection") for name, type_ in names.items() if type_.endswith("Connection")}


async def rows(installation: Installation) -> dict[str, set[str]]:
    """Global ids of what north sees, by root connection."""
    connection = await asyncpg.connect(installation.urls.owner)
    found: dict[str, set[str]] = {}
    try:
        for field, type_name in root_connections().items():
            table = table_of(SOURCES[type_name].table)
            where = f"WHERE tenant_id = '{installation.north}'" if table.info["kind"] == TENANT else ""
            ids = await connection.fetch(f"SELECT id FROM {table.fullname} {where}")
            found[field] = {f"{type_name}:{row['id']}" for row in ids}
    finally:
        await connection.close()
    return found


Page = Callable[[str, str, list[str]], Awaitable[dict[str, Any]]]
"""Pages through root fields at an address with a token; gives the ids by field and way."""


@pytest.mark.clients
@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_a_client_pages_through_everything_while_rows_come(installation: Installation, client: str) -> None:
    async def page(url: str, token: str, fields: list[str]) -> dict[str, Any]:
        listed = orjson.dumps(fields).decode()
        shown = await node(HERE / "paging.mjs", CLIENTS.folder, url, token, client, str(PAGE), listed)
        told: dict[str, Any] = orjson.loads(shown)
        return told

    await pages_while_rows_come(installation, page)


async def test_python_gql_pages_through_everything_while_rows_come(installation: Installation) -> None:
    """It asks for the schema first, and looks at each document before it sends it."""

    async def page(url: str, token: str, fields: list[str]) -> dict[str, Any]:
        async with Client(transport=Http(url, token), fetch_schema_from_transport=True) as session:
            return {
                field: {way: await ids_by_gql(session, field, backwards=way == "backwards") for way in WAYS}
                for field in fields
            }

    await pages_while_rows_come(installation, page)


WAYS = ("forwards", "backwards")


class Http(AsyncTransport):
    """Sends requests of gql with the HTTP client that the service itself uses."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url, {"authorization": f"Bearer {token}"}

    async def connect(self) -> None:
        """Open."""
        self._http = httpx2.AsyncClient(headers=self._headers, timeout=30)

    async def close(self) -> None:
        """Close."""
        await self._http.aclose()

    async def execute(self, request: GraphQLRequest) -> ExecutionResult:
        """Send one request."""
        answer = (await self._http.post(self._url, json=request.payload)).json()
        return ExecutionResult(answer.get("data"), answer.get("errors"), answer.get("extensions"))

    def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """There are no subscriptions."""
        raise LookupError("subscriptions are not offered")


async def ids_by_gql(session: Any, field: str, *, backwards: bool) -> list[str]:
    """Ids of all rows of a root field."""
    document = gql(
        f"""query Page($first: Int, $after: String, $last: Int, $before: String) {{
          {field}(first: $first, after: $after, last: $last, before: $before) {{
            nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
    )
    found: list[str] = []
    cursor = None
    while True:
        document.variable_values = {"last": PAGE, "before": cursor} if backwards else {"first": PAGE, "after": cursor}
        told = (await session.execute(document))[field]
        ids, info = [row["id"] for row in told["nodes"]], told["pageInfo"]
        found = ids + found if backwards else found + ids
        if not info["hasPreviousPage" if backwards else "hasNextPage"]:
            return found
        cursor = info["startCursor" if backwards else "endCursor"]


async def pages_while_rows_come(installation: Installation, page: Page) -> None:
    """Every row that was there before comes once, in both ways, while others are written."""
    await make_world(installation, 20_261_125)
    await add_rows(installation.urls.owner, installation.north, 1)
    before = await rows(installation)
    assert {field for field, found in before.items() if len(found) <= PAGE} <= SHORT, "one page would show nothing"
    token = await installation.token(installation.north)

    async def write() -> None:
        for seed in itertools.count(100):
            await add_rows(installation.urls.owner, installation.north, seed, 2)

    async with serving(installation) as port:
        writing = asyncio.create_task(write())
        try:
            told = await page(f"http://127.0.0.1:{port}/graphql", token, list(before))
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    after = await rows(installation)
    assert sum(map(len, after.values())) > sum(map(len, before.values())) + 100, "rows came meanwhile"
    assert told.keys() == before.keys()
    for field, ways in told.items():
        for way, ids in ways.items():
            assert len(ids) == len(set(ids)), f"{field} {way}: something came twice"
            assert before[field] <= set(ids) <= after[field], f"{field} {way}: something is missing"
