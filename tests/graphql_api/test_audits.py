"""The audits of GraphQL over HTTP that the npm package graphql-http brings; all that say MUST or SHOULD must pass."""

import asyncio
from pathlib import Path

import orjson
import pytest

from tests.graphql_api.npm import AUDITS
from tests.graphql_api.serving import serving
from tests.support import Installation


@pytest.mark.one_login
@pytest.mark.audits
async def test_every_audit_passes(installation: Installation) -> None:
    token = await installation.token(installation.north)
    script = Path(__file__).with_name("audits.mjs")
    async with serving(installation) as port:
        process = await asyncio.create_subprocess_exec(
            "node", script, AUDITS.folder, f"http://127.0.0.1:{port}/graphql", token, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
    results = orjson.loads(told)
    assert len(results) > 50
    failed = [(one["name"], one["reason"]) for one in results if one["status"] != "ok"]
    assert [one for one in failed if not one[0].startswith("MAY")] == []
