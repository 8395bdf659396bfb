"""What operations cost: rows, pages by variables, counts, directives, fragments; and how long it takes to know."""

import time
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from medstead_graphql.compiler.declare import COUNT_COST, STATEMENT_COST
from medstead_graphql.limits import MAXIMUM_ROWS
from medstead_graphql.pricing import COMMAND_COST, INTROSPECTION_COST, Price, PricedOperation, priced
from medstead_graphql.schema import Asked, schema
from tests.graphql_api.test_hostile import asked, code_of, send
from tests.support import Installation

PERIOD = '(period: {from: "2026-01-01", to: "2026-12-31"})'
PAGE = "query ($n: Int, $m: Int) { learners(first: $n) { nodes { completions(last: $m) { nodes { id } } } } }"
IF = "query ($more: Boolean!) { learners(first: 10) { nodes { id mergedInto @include(if: $more) { id } } } }"


def operation(text: str) -> PricedOperation:
    """The priced operation of a document."""
    document = parse(text)
    definition = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return priced(schema._schema, document, definition)


def price(text: str, variables: dict[str, Any] | None = None) -> tuple[int, int]:
    """Points and rows."""
    found = operation(text).price(variables or {})
    return found.points, found.rows


@pytest.mark.parametrize(
    ("text", "points", "rows"),
    [
        ("{ __typename }", 0, 0),
        ("{ tenant { slug name organisation { name } } }", 2, 2),
        ("{ learners(first: 10) { nodes { id createdAt } } }", 1 + 10, 10),
        ("{ learners { nodes { id } } }", 1 + 50, 50),
        ("{ learners(first: 10) { edges { cursor node { id mergedInto { id } } } } }", 1 + 10 * 2, 20),
        ("{ learners(first: 10) { nodes { identifierCount } } }", 1 + 10 * 2, 10),
        ("{ learners(first: 10) { pageInfo { hasNextPage } } }", 1 + 10, 10),
        ("{ learners { totalCount } }", 1 + COUNT_COST, 0),
        ("{ learners(first: 5) { totalCount nodes { id } } }", 1 + COUNT_COST + 5, 5),
        ("{ a: tenant { id } b: tenant { id } }", 2, 2),
        ("{ learners(first: 10) { nodes { completions(first: 7) { nodes { id } } } } }", 1 + 10 * (1 + 1 + 7), 80),
        (f"{{ impactSummary{PERIOD} {{ usefulness {{ value }} }} }}", 2 * STATEMENT_COST, 2),
        ("{ learners(first: 3) { ... on LearnerConnection { nodes { ...L } } } } fragment L on Learner { id }", 4, 3),
        ("{ learners(first: 3) @skip(if: true) { nodes { id } } tenant { id } }", 1, 1),
        ("{ learners(first: 3) @include(if: true) { nodes { id } } }", 4, 3),
        ('{ node(id: "x") { id ... on Learner { mergedInto { id } } ... on Course { tier { id } } } }', 2, 2),
        ("{ __schema { types { name } } }", INTROSPECTION_COST, 0),
    ],
)
def test_prices(text: str, points: int, rows: int) -> None:
    assert price(text) == (points, rows)


def test_a_mutation_costs_its_command_and_the_dearest_answer() -> None:
    changed = "... on SettingsChanged { tenant { settings { version } } }"
    text = "mutation { updateTenantSettings(input: {version: 1}) { %s ... on UserError { code } } }"
    assert price(text % changed) == (COMMAND_COST + 2, 2)


def test_pages_are_as_large_as_the_variables_say() -> None:
    found = operation(PAGE)
    assert found.price({"n": 2, "m": 3}) == Price(1 + 2 * (1 + 1 + 3), 2 + 2 * 3)
    assert found.price({"n": 2, "m": 4}).points == 1 + 2 * (1 + 1 + 4)
    assert found.price({"n": None}).points == 1 + 50 * (1 + 1 + 50)
    assert found.price({"n": 2**31 - 1, "m": -5}).points == 1 + 100 * (1 + 1 + 1)


def test_variables_of_skip_and_include_count() -> None:
    found = operation(IF)
    assert (found.price({"more": True}).points, found.price({"more": False}).points) == (21, 11)
    assert operation(IF.replace("include", "skip")).price({"more": True}).points == 11


def test_fields_are_told_once_with_their_types() -> None:
    text = "{ learners { edges { node { ...L } } pageInfo { endCursor } } }"
    assert operation(f"{text} fragment L on Learner {{ id m: mergedInto {{ id }} }}").fields == {
        "Query.learners",
        "LearnerConnection.edges",
        "LearnerEdge.node",
        "LearnerConnection.pageInfo",
        "PageInfo.endCursor",
        "Learner.id",
        "Learner.mergedInto",
    }


def test_a_bomb_of_fragments_is_priced_in_linear_time() -> None:
    """2^60 rows by fragments that each spread the next twice; priced without the limits that refuse them sooner."""
    parts = ["query ($n: Int) { learners(first: $n) { nodes { ...F0 } ...C0 } }"]
    for n in range(60):
        body = f"completions(first: $n) {{ nodes {{ learner {{ ...F{n + 1} }} l: learner {{ ...F{n + 1} }} }} }}"
        parts.append(f"fragment F{n} on Learner {{ {body} }}")
        parts.append(f"fragment C{n} on LearnerConnection {{ ...C{n + 1} ...C{n + 1} }}")
    parts += ["fragment F60 on Learner { id }", "fragment C60 on LearnerConnection { nodes { id } }"]
    started = time.perf_counter()
    found = operation(" ".join(parts)).price({"n": 2})
    assert time.perf_counter() - started < 2
    assert found.points > 2**60


@pytest.mark.one_login
async def test_what_costs_too_much_is_refused_with_its_cost(installation: Installation) -> None:
    ask = "query ($n: Int) { learners(first: $n) { nodes { %s } } }"
    costly = ask % "completions(first: $n) { nodes { course { id } learner { id } } }"
    many = ask % "completions(first: $n) { nodes { id } } attendances(first: $n) { nodes { id } }"
    for text, code, key, found, limit in (
        (costly, "TOO_COSTLY", "cost", 30_201, 25_000),
        (many, "TOO_MANY_ROWS", "rows", 20_100, MAXIMUM_ROWS),
    ):
        response = await send(installation, asked(text, {"n": 100}))
        assert (response.status_code, code_of(response)) == (200, code)
        error = response.json()["errors"][0]
        assert error["extensions"] == {"code": code, key: found, "limit": limit}
        assert str(found) in error["message"]
        assert "data" in (await send(installation, asked(text, {"n": 10}))).json()


def test_the_price_is_found_once_for_each_operation() -> None:
    text = "query A { tenant { slug } } query B { learners { totalCount } }"
    first, again, other = (schema.ask(text, None, name) for name in ("A", "A", "B"))
    assert isinstance(first, Asked)
    assert isinstance(again, Asked)
    assert isinstance(other, Asked)
    assert first.priced is again.priced
    assert (first.price.points, other.price.points) == (1, 1 + COUNT_COST)
