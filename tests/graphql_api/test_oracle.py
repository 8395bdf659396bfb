"""Generated documents over generated rows: the compiler's answer must be the plain executor's, letter by letter."""

import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from graphql import parse
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medstead_graphql.caller import Caller
from medstead_graphql.schema import schema
from tests import servers
from tests.conftest import ORACLE_PROFILE
from tests.graphql_api.contract import DEFAULT_ORDERS, MIXED, TABLES, UNIONS
from tests.graphql_api.documents import SCOPES, Asked, Maker
from tests.graphql_api.oracle import Cursors, Oracle, Order, canonical
from tests.graphql_api.shrinking import shrunk
from tests.graphql_api.world import World, make_world
from tests.support import BYPASS_LOGIN, RUNTIME_LOGIN, Installation, open_installation

SEED = 20_261_125
"""Of the rows. Documents come from hypothesis, which is derandomised unless --documents asks for more of them."""


class Scene:
    """The rows, and the service that reads them."""

    def __init__(self, installation: Installation, world: World, oracles: dict[UUID, Oracle]) -> None:
        self.installation, self.world, self.oracles = installation, world, oracles

    def __repr__(self) -> str:
        """Short: hypothesis shows it with every counter-example."""
        return "scene"

    async def served(self, tenant_id: UUID, asked: Asked) -> dict[str, Any]:
        """What the service answers, parsed."""
        services = self.installation.services
        caller = Caller(
            self.installation.context(tenant_id),
            asked.scopes,
            lambda sql, arguments: services.reader.value(tenant_id, sql, arguments),
            services.database,
            services.settings.data_dir / "uploads",
            services.vault,
            services.settings.webhook_allow_loopback,
        )
        result = await schema.execute(asked.text, asked.variables, caller, operation_name=asked.operation)
        errors = [error.formatted for error in result.errors or ()]
        answer: dict[str, Any] = orjson.loads(orjson.dumps({"data": result.data, "errors": errors}))
        return answer

    def maker(self, tenant_id: UUID, chance: random.Random) -> Maker:
        """A maker of documents for a tenant."""
        (other,) = set(self.oracles) - {tenant_id}
        oracle = self.oracles[tenant_id]
        return Maker(oracle.schema, self.world.seen[tenant_id], self.world.seen[other], oracle.cursors, chance)

    async def mint(self, tenant_id: UUID) -> None:
        """Have the service give the cursor of every row in every order that documents use."""
        oracle = self.oracles[tenant_id]
        maker = self.maker(tenant_id, random.Random())
        for name, default in DEFAULT_ORDERS.items():
            members = oracle.schema.type_map[f"{name}Order"].values  # type: ignore[attr-defined]
            for order in {default, *maker.orders(name), *[(member,) for member in members]} - {()} or {()}:
                await self._mint(tenant_id, name, order)
            if not default or name == "Learner":
                await self._mint(tenant_id, name, ())
        for field in MIXED:
            await self._mint_mixed(tenant_id, field)

    async def _mint_mixed(self, tenant_id: UUID, where: str) -> None:
        """Cursors of a mixed connection of all learners."""
        name = where.partition(".")[2]
        kind = next(union for union in UNIONS)
        cursors = self.oracles[tenant_id].cursors.given.setdefault((kind, ()), {})
        page = "(first: 100) { edges { cursor node { ... on Node { id } } } }"
        text = f"{{ learners(first: 100) {{ nodes {{ {name}{page} }} }} }}"
        answer = await self.served(tenant_id, Asked(text, {}, None, frozenset(SCOPES)))
        for page in _pages(answer["data"]):
            for edge in page["edges"]:
                cursors[UUID(edge["node"]["id"].partition(":")[2])] = edge["cursor"]
        assert cursors

    async def _mint(self, tenant_id: UUID, name: str, order: Order) -> None:
        cursors = self.oracles[tenant_id].cursors.given.setdefault((name, order), {})
        rows = {str(row["id"]): row["id"] for row in self.world.seen[tenant_id][TABLES[name]]}
        # Without people:read, learners are in the order of their ids.
        scopes = frozenset(SCOPES) - ({"people:read"} if name == "Learner" and not order else set())
        by = f"orderBy: [{', '.join(order)}]"
        for path in _paths(name):
            after = None
            while True:
                text = "query ($after: String) " + path.replace("%", f"first: 100, after: $after, {by}")
                answer = await self.served(tenant_id, Asked(text, {"after": after}, None, scopes))
                assert answer["errors"] == [], answer["errors"]
                pages = _pages(answer["data"])
                for page in pages:
                    for edge in page["edges"]:
                        cursors[rows[edge["node"]["id"].partition(":")[2]]] = edge["cursor"]
                if len(pages) != 1 or not pages[0]["pageInfo"]["hasNextPage"]:
                    break
                after = pages[0]["edges"][-1]["cursor"]
        assert set(cursors) == set(rows.values()), name


def _paths(name: str) -> list[str]:
    """Documents that list all rows of a type: at the root, or below each row that has some."""
    page = "(%) { edges { cursor node { id } } pageInfo { hasNextPage } }"
    for field, definition in schema._schema.query_type.fields.items():  # type: ignore[union-attr]
        if str(definition.type) == f"{name}Connection!":
            return [f"{{ {field}{page} }}"]
    nested = {
        "Employment": "learners(first: 100) { nodes { employments%s } }",
        "WebhookAttempt": "webhookDeliveries(first: 100) { nodes { attempts%s } }",
        "SessionFacilitator": "sessions(first: 100) { nodes { facilitators%s } }",
        "AgendaItem": "sessions(first: 100) { nodes { agenda%s } }",
        "SessionTopic": "sessions(first: 100) { nodes { topics%s } }",
        "SessionGuidance": "sessions(first: 100) { nodes { guidance%s } }",
        "PlaceReserve": "sessions(first: 100) { nodes { reserves%s } }",
        "PlaceOffer": "bookings(first: 100) { nodes { offers%s } }",
        "CourseAccreditation": "courses(first: 100) { nodes { accreditations%s } }",
        "CourseAccess": "courses(first: 100) { nodes { access%s } }",
        "GuidanceClause": "guidanceDocuments(first: 100) { nodes { clauses%s } }",
        "TopicReference": "topics(first: 100) { nodes { references%s } }",
        "MappingCell": "mappingExercises(first: 100) { nodes { cells%s } }",
        "MappingAnalysis": "mappingExercises(first: 100) { nodes { analyses%s } }",
        "ChangeTheme": "contentChanges(first: 100) { nodes { themes%s } }",
        "ObjectiveTag": "strategicObjectives(first: 100) { nodes { tags%s } }",
        "FundedCourse": "fundingStreams(first: 100) { nodes { courses%s } }",
        "FeedbackQuestion": "feedbackForms(first: 100) { nodes { questions%s } }",
        "FeedbackResponse": "feedbackForms(first: 100) { nodes { responses%s } }",
        "FeedbackAnswer": "feedbackForms(first: 100) { nodes { responses(first: 100) { nodes { answers%s } } } }",
    }
    return [f"{{ {nested[name].replace('%s', page)} }}"]


def _pages(data: Any) -> list[Any]:
    """Every connection in an answer that has edges."""
    if isinstance(data, list):
        return [page for part in data for page in _pages(part)]
    if not isinstance(data, dict):
        return []
    return [data] if "edges" in data else [page for part in data.values() for page in _pages(part)]


@pytest.fixture(scope="module", params=[RUNTIME_LOGIN, BYPASS_LOGIN])
async def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One database for all documents."""
    async with servers.fresh_database() as name:
        urls = servers.running().urls(name, bypass=request.param == BYPASS_LOGIN)
        async with open_installation(urls, servers.running().redis_url, tmp_path_factory.mktemp("data")) as opened:
            world = await make_world(opened, SEED)
            oracles = {tenant: Oracle(rows, tenant, Cursors()) for tenant, rows in world.seen.items()}
            made = Scene(opened, world, oracles)
            for tenant in oracles:
                await made.mint(tenant)
            yield made


def difference(ours: Any, theirs: Any, path: tuple[Any, ...] = ()) -> str:
    """Where two answers part, for people."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and list(ours) == list(theirs):
        parts = [(key, ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        parts = [(number, one, other) for number, (one, other) in enumerate(zip(ours, theirs, strict=True))]
    else:
        return f"at {path}: {ours} where {theirs} was expected"
    found = next((part for part in parts if canonical(part[1]) != canonical(part[2])), None)
    return "the same" if found is None else difference(found[1], found[2], (*path, found[0]))


async def compare(scene: Scene, tenant_id: UUID, asked: Asked) -> bool:
    """Both answers to a document are the same; False if neither takes it. Where they part, says so for a small one."""
    told = await differing(scene, tenant_id, asked)
    if told is None:
        return True
    if told == NOT_VALID:
        return False

    async def differs(candidate: Asked) -> bool:
        return await differing(scene, tenant_id, candidate) not in (None, NOT_VALID)

    small = await shrunk(asked, differs)
    found = await differing(scene, tenant_id, small)
    pytest.fail(f"{found}\n{small.text}\n{small.variables}\n{sorted(small.scopes)}", pytrace=False)


NOT_VALID = "the document is not valid"


async def differing(scene: Scene, tenant_id: UUID, asked: Asked) -> str | None:
    """What is different in the answers: data, or the errors' paths and codes; None if nothing is."""
    oracle = scene.oracles[tenant_id]
    answer = await scene.served(tenant_id, asked)
    if any(error["extensions"]["code"] == "INVALID_DOCUMENT" for error in answer["errors"]):
        return NOT_VALID
    if any(error["extensions"]["code"] != "FORBIDDEN" for error in answer["errors"]):
        return str(answer["errors"])
    expected = oracle.execute(parse(asked.text), asked.variables, asked.operation, asked.scopes)
    errors = sorted(
        (tuple(part for part in error.get("path") or () if isinstance(part, str)), error["extensions"]["code"])
        for error in answer["errors"]
    )
    if errors != expected.errors:
        return f"{errors} where {expected.errors} was expected"
    if canonical(answer["data"]) != canonical(expected.data):
        return difference(answer["data"], expected.data)
    return None


@settings(settings.get_profile(ORACLE_PROFILE))
@given(seed=st.integers(0, 2**64 - 1), north=st.booleans())
@pytest.mark.long
async def test_the_compiler_answers_as_the_oracle(scene: Scene, seed: int, north: bool) -> None:
    tenant_id = scene.installation.north if north else scene.installation.south
    assume(await compare(scene, tenant_id, scene.maker(tenant_id, random.Random(seed)).make()))
