"""Merging two records of one person, and parting them again: nothing is lost, nothing counts twice."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.merging import links_to_learners
from app.directory.models import Learner
from tenants.base import table_of
from tests.imports.support import SESSION, completion, completions, report, take
from tests.support import Installation

FIGURES = """{ impactSummary(period: {from: "2026-01-01", to: "2026-12-31"}) {
  tier1Completions { value } tier1Learners { value } webinarAttendances { value } webinarPeople { value } } }"""
MERGE = """mutation($keep: ID!, $merge: ID!, $reason: String!) {
  mergeLearners(keep: $keep, merge: $merge, reason: $reason) { __typename
    ... on LearnersMerged { learner { id displayName } merge { id reason undoneAt merged { id } } }
    ... on LearnerRefused { code message } } }"""
UNDO = """mutation($id: ID!) { undoLearnerMerge(id: $id) { __typename
  ... on LearnerMergeUndone { merge { undoneAt } } ... on LearnerRefused { code } } }"""


async def one_person_twice(installation: Installation, tenant_id: UUID) -> dict[str, str]:
    """Somebody with two accounts: one completion told of both, one of each, and half a webinar under each address."""
    rows = [
        completion(1, "Both"), completion(1, "First only"), completion(2, "Both"), completion(2, "Second only"),
    ]  # fmt: skip
    await take(installation, tenant_id, completions(rows), options={"tier": 1})
    halves = [
        ("Givenb Familyb", "14:00:00", "14:40:00", "40m", "learner1@care.example", "Attendee"),
        ("Givenc Familyc", "14:43:00", "15:29:00", "46m", "learner2@care.example", "Attendee"),
    ]
    await take(installation, tenant_id, report(halves), "teams_attendance", SESSION)
    found = await installation.data(tenant_id, "{ learners { nodes { id displayName } } }")
    return {node["displayName"]: node["id"] for node in found["learners"]["nodes"]}


async def everything(installation: Installation, tenant_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """All rows that point to learners, and the learners, but for when a decision on attendance was last drawn."""
    tables = {table.name: table for table, _ in links_to_learners()} | {"learner": table_of(Learner)}
    async with installation.database.session(installation.context(tenant_id)) as session:
        return {
            name: [
                {key: value for key, value in row.items() if (name, key) != ("attendance", "id")}
                for row in (
                    await session.execute(
                        select(table).where(table.c.tenant_id == tenant_id).order_by(*_order(name, table))
                    )
                ).mappings()
            ]
            for name, table in tables.items()
        }


def _order(name: str, table: Any) -> list[Any]:
    return [table.c.session_id, table.c.learner_id] if name == "attendance" else [table.c.id]


async def figures(installation: Installation, tenant_id: UUID) -> tuple[float, ...]:
    """Completions, learners, attendances, people."""
    summary = (await installation.data(tenant_id, FIGURES))["impactSummary"]
    return tuple(part["value"] for part in summary.values())


async def test_two_records_become_one_and_two_again(installation: Installation) -> None:
    north = installation.north
    people = await one_person_twice(installation, north)
    await one_person_twice(installation, installation.south)
    before = await everything(installation, north)
    beyond = await everything(installation, installation.south)
    assert await figures(installation, north) == (4, 2, 0, 0)

    variables = {"keep": people["Givenb Familyb"], "merge": people["Givenc Familyc"], "reason": "Changed her name"}
    merged = (await installation.data(north, MERGE, variables))["mergeLearners"]
    assert merged["learner"]["id"] == people["Givenb Familyb"]
    assert merged["merge"]["merged"]["id"] == people["Givenc Familyc"]
    # The completion that both had counts once, and the two halves of the webinar are one attendance.
    assert await figures(installation, north) == (3, 1, 1, 1)

    undone = (await installation.data(north, UNDO, {"id": merged["merge"]["id"]}))["undoLearnerMerge"]
    assert undone["merge"]["undoneAt"] is not None
    assert await everything(installation, north) == before
    assert await figures(installation, north) == (4, 2, 0, 0)
    assert await everything(installation, installation.south) == beyond


async def test_what_comes_after_a_merge_finds_the_kept_record(installation: Installation) -> None:
    north = installation.north
    people = await one_person_twice(installation, north)
    variables = {"keep": people["Givenb Familyb"], "merge": people["Givenc Familyc"], "reason": "One person"}
    await installation.data(north, MERGE, variables)
    await take(installation, north, completions([completion(2, "Later")]), options={"tier": 1})
    assert await figures(installation, north) == (4, 1, 1, 1)


async def test_merges_that_cannot_be(installation: Installation) -> None:
    north = installation.north
    people = await one_person_twice(installation, north)
    one, other = people["Givenb Familyb"], people["Givenc Familyc"]
    foreign = (await one_person_twice(installation, installation.south))["Givenb Familyb"]
    before = await everything(installation, north)
    for keep, merge, reason, code in (
        (one, one, "x", "SAME_LEARNER"),
        (one, foreign, "x", "NO_SUCH_LEARNER"),
        (foreign, one, "x", "NO_SUCH_LEARNER"),
        (one, other, "  ", "REASON_MISSING"),
    ):
        variables = {"keep": keep, "merge": merge, "reason": reason}
        refused = (await installation.data(north, MERGE, variables))["mergeLearners"]
        assert refused["code"] == code
    assert await everything(installation, north) == before
    made = await installation.data(north, MERGE, {"keep": one, "merge": other, "reason": "x"})
    again = await installation.data(north, MERGE, {"keep": one, "merge": other, "reason": "x"})
    assert again["mergeLearners"]["code"] == "MERGED_ALREADY"
    merge_id = made["mergeLearners"]["merge"]["id"]
    assert (await installation.data(installation.south, UNDO, {"id": merge_id}))["undoLearnerMerge"]["code"] == (
        "NO_SUCH_MERGE"
    )
    await installation.data(north, UNDO, {"id": merge_id})
    twice = await installation.data(north, UNDO, {"id": merge_id})
    assert twice["undoLearnerMerge"]["code"] == "UNDONE_ALREADY"
