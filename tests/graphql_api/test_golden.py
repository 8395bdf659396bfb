"""Statement and plan of every example document are as committed: a change of either is seen before it is released.

Run with `--write-golden` to accept what has changed.
"""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from graphql import parse

from app.identity.permissions import SCOPES
from app.models import metadata
from infra.bench.reads.data import fill, row_id, tenant_id
from medstead_graphql.compiler.execute import Prepared
from medstead_graphql.compiler.plan import TENANT_VARIABLE, Plan, compile_root
from medstead_graphql.schema import schema
from tenants.base import TENANT
from tenants.context import bind_statement
from tenants.engine import plain_url
from tests import servers

DOCUMENTS = sorted((Path(__file__).resolve().parents[2] / "graphql" / "documents").glob("*.graphql"))
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ROWS = 10_000
"""Completions of each of two tenants: few enough for the planner's statistics to see every row, so that they are equal
in every run."""

GLOBAL_ID = re.compile(r"(\w+):[0-9a-f]{8}-[0-9a-f-]{27}")
TENANT_TABLES = {table.name for table in metadata.tables.values() if table.info["kind"] == TENANT}


@pytest.fixture(scope="module")
async def filled() -> AsyncIterator[tuple[str, UUID]]:
    """The runtime role's address of a database with rows, and a tenant in it."""
    async with servers.fresh_database() as name:
        superuser = servers.running().superuser_url.rpartition("/")[0] + f"/{name}"
        await fill(superuser, 1, 2, ROWS)
        yield servers.running().urls(name).app, tenant_id(1)


def compiled(path: Path, tenant: UUID) -> tuple[Plan, dict[str, Any]]:
    """The plan of a document with the variables beside it, whose ids are made those of rows."""
    document = parse(path.read_text(encoding="utf-8"))
    text = path.with_suffix(".variables.json").read_text(encoding="utf-8")
    text = GLOBAL_ID.sub(lambda found: f"{found[1]}:{row_id(tenant, found[1].lower(), 7)}", text)
    variables = orjson.loads(text)
    operation, errors = Prepared(document, ()).operation(schema._schema, None).read(variables)
    assert operation is not None, errors
    root = schema._schema.query_type
    assert root is not None
    return compile_root(operation, root, frozenset(str(scope) for scope in SCOPES)), operation.variables


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def faults(plan: dict[str, Any]) -> list[str]:
    """What of a plan would cost more with every tenant, or with every row of another."""
    found = []
    for node in nodes(plan):
        kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name", "")
        entered = "tenant_id = " in node.get("Index Cond", "")
        if kind == "Seq Scan" and table in TENANT_TABLES:
            found.append(f"sequential scan of {table}")
        if index and index.partition("_tenant_id_")[0].removesuffix("_pkey") in TENANT_TABLES and not entered:
            found.append(f"{index} is not entered by tenant: {node.get('Index Cond')}")
    return found


@pytest.mark.row("C4")
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
async def test_statement_and_plan_are_as_committed(
    filled: tuple[str, UUID], path: Path, pytestconfig: pytest.Config
) -> None:
    url, tenant = filled
    plan, variables = compiled(path, tenant)
    assert plan.errors == ()
    arguments = [get({**variables, TENANT_VARIABLE: tenant}) for get in plan.parameters]
    connection = await asyncpg.connect(plain_url(url))
    try:
        async with connection.transaction():
            await connection.execute(bind_statement(tenant))
            # A table of a few rows would be read whole; what counts is which way there is once it has grown. How an
            # index is read depends on how far the vacuum came beside other tests, so there is one way of that only.
            for way in ("seqscan", "bitmapscan", "indexonlyscan"):
                await connection.execute(f"SET LOCAL enable_{way} = off")
            explained = await connection.fetchval(f"EXPLAIN (COSTS OFF, FORMAT JSON) {plan.sql}", *arguments)
            lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {plan.sql}", *arguments)
            assert orjson.loads(await connection.fetchval(plan.sql, *arguments)) is not None
    finally:
        await connection.close()
    assert faults(orjson.loads(explained)[0]["Plan"]) == []
    told = f"{plan.sql}\n\n" + "".join(f"{line[0]}\n" for line in lines)
    golden = GOLDEN / f"{path.stem}.txt"
    if pytestconfig.getoption("--write-golden"):
        golden.write_text(told, encoding="utf-8")
    assert golden.is_file(), "There is no golden file yet: run the test with --write-golden and look at what it wrote."
    assert told == golden.read_text(encoding="utf-8"), "Look at the change; run with --write-golden to accept it."


def test_every_golden_file_has_its_document() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {path.stem for path in DOCUMENTS}


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("SELECT count(*) FROM medstead.completion WHERE minutes = 3", "sequential scan of completion"),
        ("SELECT id FROM medstead.learner WHERE id = gen_random_uuid()", "sequential scan of learner"),
    ],
)
async def test_a_plan_past_the_wall_is_a_fault(filled: tuple[str, UUID], statement: str, fault: str) -> None:
    """Asked by the superuser, for whom no tenant is bound."""
    superuser = servers.running().superuser_url.rpartition("/")[0] + "/" + filled[0].rpartition("/")[2]
    connection = await asyncpg.connect(superuser)
    try:
        explained = await connection.fetchval(f"EXPLAIN (COSTS OFF, FORMAT JSON) {statement}")
    finally:
        await connection.close()
    assert faults(orjson.loads(explained)[0]["Plan"]) == [fault]
