"""The partner guide's examples are sent as they stand, in their order."""

import re
from pathlib import Path
from typing import Any

import httpx2
import orjson

from app.identity.api_clients import create_client
from app.identity.permissions import SCOPES
from tests.support import Installation

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "graphql.md"
BLOCK = re.compile(r"^```(http|graphql|json variables)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_every_example_of_the_guide_works(installation: Installation) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        client = await create_client(work, installation.services.vault, "Partner of the guide", frozenset(SCOPES))
    known = {"{client_id}": client.client_id, "{client_secret}": client.secret}
    answers: list[Any] = []
    blocks = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    for number, (kind, text) in enumerate(blocks):
        if kind == "http":
            for word, value in known.items():
                text = text.replace(word, value)
            answer = await send(installation, text)
        elif kind == "graphql":
            following = blocks[number + 1]
            variables = orjson.loads(following[1]) if following[0] == "json variables" else None
            answer = await installation.http.post(
                "/graphql",
                json={"query": text, "variables": variables},
                headers={"authorization": f"Bearer {known['{token}']}"},
            )
        else:
            continue
        assert answer.status_code in (200, 202), (text, answer.text)
        answers.append(answer.json())
        assert "errors" not in answers[-1], (text, answers[-1])
        if "access_token" in answers[-1]:
            known["{token}"] = answers[-1]["access_token"]
    token, tenant, page, upload, changed = answers
    assert token["token_type"].lower() == "bearer"
    assert tenant["data"]["tenant"]["slug"] == "north"
    assert page["data"]["learners"]["pageInfo"] == {"hasNextPage": False, "endCursor": None}
    assert upload["import_id"].startswith("Import:")
    settings = {"version": 2, "attendanceThresholdPercent": 75}
    assert changed["data"]["updateTenantSettings"] == {
        "__typename": "SettingsChanged",
        "tenant": {"settings": settings},
    }


async def send(installation: Installation, text: str) -> httpx2.Response:
    """A request as the guide writes it: request line, headers, body."""
    head, _, body = text.partition("\n\n")
    line, *rest = head.splitlines()
    method, target = line.split(" ", 1)
    headers = dict(header.split(": ", 1) for header in rest)
    return await installation.http.request(method, target, headers=headers, content=body.rstrip("\n").encode())
