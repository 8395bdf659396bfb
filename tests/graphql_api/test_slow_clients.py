"""A caller who reads slowly holds neither a transaction nor a connection to the database."""

import asyncio

import asyncpg
import orjson
import pytest

from app.directory.models import Learner
from tenants.identifiers import new_id
from tests import servers
from tests.graphql_api.serving import serving
from tests.support import NOW, Installation

CALLERS = 12
"""More than the reader has connections."""
LONG_NAME = "Ada " * 12_500


@pytest.mark.one_login
async def test_answers_that_nobody_takes_hold_nothing(installation: Installation) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        work.add(
            Learner(
                tenant_id=installation.north,
                id=new_id(),
                display_name=LONG_NAME,
                name_key="ada",
                created_at=NOW,
            )
        )
    token = await installation.token(installation.north)
    many = " ".join(f"a{number}: displayName" for number in range(50))
    body = orjson.dumps({"query": f"{{ learners {{ nodes {{ {many} }} }} }}"})
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    database = installation.urls.app.rpartition("/")[2]
    watcher = await asyncpg.connect(f"{servers.running().superuser_url.rpartition('/')[0]}/{database}")
    try:
        async with serving(installation) as port, asyncio.timeout(60):
            writers = []
            for _ in range(CALLERS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
                writer.write(request)
                assert b" 200 " in await reader.readline()
                writers.append(writer)
            held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE $1"
            assert await watcher.fetchval(held, "idle") > 0
            assert await watcher.fetchval(held, "idle in transaction%") == 0
            small = await installation.data(installation.north, "{ tenant { slug } }")
            assert small == {"tenant": {"slug": "north"}}
            for writer in writers:
                writer.close()
    finally:
        await watcher.close()
