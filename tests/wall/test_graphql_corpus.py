"""Every field of every type, read by one tenant beside another with the same business keys: nothing of it is seen."""

import re
from dataclasses import dataclass
from uuid import UUID

import orjson
import pytest
from graphql import get_named_type
from sqlalchemy import Table

from medstead_graphql.compiler.declare import SOURCES
from medstead_graphql.schema import schema
from tenants.base import TENANT
from tenants.identifiers import new_id
from tests.support import RUNTIME_LOGIN, Installation
from tests.wall.corpus import Corpus
from tests.wall.rows import Row, fill

pytestmark = pytest.mark.row("C1")

UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Scene:
    """Both tenants' rows, and the global ids of what they own by type."""

    installation: Installation
    rows: dict[UUID, dict[str, Row]]

    def ids(self, tenant_id: UUID) -> dict[str, str]:
        """Global ids by type name."""
        own = {"Tenant": f"Tenant:{tenant_id}"}
        for name, source in SOURCES.items():
            table = source.table.__table__
            assert isinstance(table, Table)
            if table.info["kind"] == TENANT:
                own[name] = f"{name}:{self.rows[tenant_id][table.name]['id']}"
        return own

    def uuids(self, tenant_id: UUID) -> set[str]:
        """Every uuid in the tenant's rows that the other tenant's rows do not hold too."""
        found = {owner: set(UUIDS.findall(str(rows))) for owner, rows in self.rows.items()}
        (other,) = set(self.rows) - {tenant_id}
        return found[tenant_id] - found[other] | {str(tenant_id)}


@pytest.fixture
async def scene(installation: Installation) -> Scene:
    """Both tenants with a row in every table."""
    return Scene(installation, await fill(installation.urls.owner, (installation.north, installation.south)))


def test_the_corpus_selects_every_field_that_can_be_read() -> None:
    corpus = Corpus(schema._schema)
    assert len(list(corpus.documents({name: f"{name}:x" for name in SOURCES}))) > len(SOURCES)
    assert corpus.selected == corpus.readable()


@pytest.mark.long
async def test_no_document_shows_anything_of_another_tenant(scene: Scene, login: str) -> None:
    # One tenant reads under each login: both walls are tried, and both directions.
    reader, other = scene.installation.north, scene.installation.south
    if login != RUNTIME_LOGIN:
        reader, other = other, reader
    seen: set[str] = set()
    for document in Corpus(schema._schema).documents(scene.ids(reader)):
        data = await scene.installation.data(reader, document)
        assert data != {}, document
        assert None not in data.values(), document
        seen |= set(UUIDS.findall(orjson.dumps(data).decode()))
    assert seen & scene.uuids(other) == set()
    assert {global_id.partition(":")[2] for global_id in scene.ids(reader).values()} <= seen


@pytest.mark.row("C4")
async def test_another_tenants_id_finds_what_an_unknown_id_finds(scene: Scene) -> None:
    north, south = scene.installation.north, scene.installation.south
    query = schema._schema.query_type
    assert query is not None
    by_id = {name: get_named_type(found.type).name for name, found in query.fields.items() if "id" in found.args}
    asked = 0
    for field, kind in by_id.items():
        for name, ours in scene.ids(north).items():
            if kind not in (name, "Node"):
                continue
            asked += 1
            ask = f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}"
            theirs = await scene.installation.graphql(north, ask, {"id": scene.ids(south)[name]})
            nobodys = await scene.installation.graphql(north, ask, {"id": f"{name}:{new_id()}"})
            assert theirs == nobodys == {"data": {field: None}}
            assert await scene.installation.data(north, ask, {"id": ours}) == {field: {"id": ours}}
    assert asked > len(scene.ids(north))
