"""The partner guide's examples are sent as they stand, in their order."""

import re
from pathlib import Path
from typing import Any

import httpx2
import orjson

from app.identity.api_clients import create_client
from app.identity.idempotency import KEPT
from app.identity.permissions import SCOPES
from app.settings import Settings
from medstead_graphql import limits
from medstead_graphql.account import BYTES_OF_A_POINT, POINTS_OF_A_SECOND, REFUSED_COST
from medstead_graphql.compiler.declare import COUNT_COST, STATEMENT_COST
from medstead_graphql.pricing import COMMAND_COST, INTROSPECTION_COST
from medstead_graphql.trusted import trusted_documents
from tests.support import Installation

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "graphql.md"
BLOCK = re.compile(r"^```(http|graphql|json variables)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_every_example_of_the_guide_works(installation: Installation) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        client = await create_client(work, installation.services.vault, "Partner of the guide", frozenset(SCOPES))
    known = {"{client_id}": client.client_id, "{client_secret}": client.secret}
    known |= {f"{{{document.name}}}": document.id for document in trusted_documents()}
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
    token, tenant, page, upload, changed, once, card = answers
    assert token["token_type"].lower() == "bearer"
    assert tenant["data"]["tenant"]["slug"] == "north"
    assert page["data"]["learners"]["pageInfo"] == {"hasNextPage": False, "endCursor": None}
    assert upload["import_id"].startswith("Import:")
    settings = {"version": 2, "attendanceThresholdPercent": 75}
    assert changed["data"]["updateTenantSettings"] == {
        "__typename": "SettingsChanged",
        "tenant": {"settings": settings},
    }
    assert once["data"] == {"updateTenantSettings": {"__typename": "SettingsChanged"}}
    assert card["data"]["tenant"]["settings"] == {"version": 3, "attendanceThresholdPercent": 80}
    assert card["extensions"]["cost"].keys() == {"requested", "actual", "limit", "left", "restoresPerSecond"}


async def send(installation: Installation, text: str) -> httpx2.Response:
    """A request as the guide writes it: request line, headers, body."""
    head, _, body = text.partition("\n\n")
    line, *rest = head.splitlines()
    method, target = line.split(" ", 1)
    headers = dict(header.split(": ", 1) for header in rest)
    return await installation.http.request(method, target, headers=headers, content=body.rstrip("\n").encode())


def test_the_figures_of_the_guide_are_the_ones_that_count() -> None:
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    default = {name: field.default for name, field in Settings.model_fields.items()}
    for sentence in (
        f"A bucket holds {default['graphql_bucket']:,} points and gets {default['graphql_restored']:,} back",
        f"may cost {default['graphql_maximum_cost']:,} points",
        f"may have {limits.MAXIMUM_ROWS:,} rows",
        f"{limits.MAXIMUM_DIRECTIVES} directives",
        f"with a statement of its own | {STATEMENT_COST} |",
        f"| a mutation | {COMMAND_COST}, and its answer |",
        f"| `__schema`, `__type` | {INTROSPECTION_COST:,} |",
        f"seen lately | {REFUSED_COST}, and 1 for each 100 characters |",
        f"a point for {BYTES_OF_A_POINT} bytes of its answer, at most its price; or",
        f"or a point for {1000 / POINTS_OF_A_SECOND:g} ms of the database's time",
    ):
        assert sentence in text
    assert COUNT_COST == STATEMENT_COST
    assert KEPT.total_seconds() == 24 * 3600
