"""Filters by linked and listed rows, rows by their ids, answers that are hidden, many first readers of a document."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.directory.models import Learner
from app.identity.permissions import SCOPES, Permission
from app.training.models import Completion, Course, Tier, TrainingProvider
from tenants.identifiers import new_id
from tests.support import NOW, Installation

PEOPLE = ("Ada", "Beth", "Cara")


@pytest.fixture
async def trained(installation: Installation) -> dict[str, str]:
    """Three learners of `north`: Ada finished two courses, the first of tier 1, Beth the second only, Cara none."""
    north = installation.north
    ids = {name: new_id() for name in (*PEOPLE, "provider", "first", "second")}
    async with installation.database.unit_of_work(installation.context(north)) as work:
        tier = (await work.session.scalars(select(Tier).where(Tier.position == 1))).first()
        assert tier is not None
        work.add(TrainingProvider(tenant_id=north, id=ids["provider"], name="Invented", key="invented"))
        for number, name in enumerate(PEOPLE):
            work.add(
                Learner(
                    tenant_id=north,
                    id=ids[name],
                    display_name=name,
                    family_name=name,
                    name_key=name.lower(),
                    created_at=NOW + timedelta(seconds=number),
                )
            )
        await work.session.flush()
        for title in ("first", "second"):
            work.add(
                Course(
                    tenant_id=north,
                    id=ids[title],
                    training_provider_id=ids["provider"],
                    title=title,
                    title_key=title,
                    version="1",
                    tier_id=tier.id if title == "first" else None,
                    created_at=NOW,
                )
            )
        await work.session.flush()
        for person, course, minutes in (("Ada", "first", 40), ("Ada", "second", 5), ("Beth", "second", 50)):
            work.add(
                Completion(
                    tenant_id=north,
                    id=new_id(),
                    learner_id=ids[person],
                    course_id=ids[course],
                    completed_at=NOW,
                    source="test",
                    minutes=minutes,
                    short_duration=False,
                    created_at=NOW,
                )
            )
    return {name: f"{'Learner' if name in PEOPLE else 'Course'}:{key}" for name, key in ids.items()}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("{completions: {some: {course: {tier: {position: {equals: 1}}}}}}", ["Ada"]),
        ("{completions: {none: {course: {tier: {position: {equals: 1}}}}}}", ["Beth", "Cara"]),
        ("{completions: {every: {minutes: {atLeast: 30}}}}", ["Beth", "Cara"]),
        ("{completions: {some: {}, every: {minutes: {atLeast: 30}}}}", ["Beth"]),
        ("{not: {completions: {some: {}}}}", ["Cara"]),
        ('{or: [{completions: {none: {}}}, {displayName: {equals: "Ada"}}]}', ["Ada", "Cara"]),
        ('{completions: {some: {learner: {displayName: {startsWith: "b"}}}}}', ["Beth"]),
        ("{mergedInto: {}}", []),
        ("{completions: {some: null, none: null}}", list(PEOPLE)),
    ],
)
async def test_lists_are_filtered_by_what_their_rows_lead_to(
    installation: Installation, trained: dict[str, str], where: str, found: list[str]
) -> None:
    ask = f"{{ learners(where: {where}) {{ nodes {{ displayName }} totalCount }} }}"
    learners = (await installation.data(installation.north, ask))["learners"]
    assert [learner["displayName"] for learner in learners["nodes"]] == found
    assert learners["totalCount"] == len(found)
    assert (await installation.data(installation.south, ask))["learners"]["nodes"] == []


@pytest.mark.parametrize(
    ("where", "without"),
    [
        ("{completions: {some: {}}}", Permission.TRAINING_READ),
        ('{completions: {none: {learner: {familyName: {equals: "Ada"}}}}}', Permission.PEOPLE_READ),
    ],
)
async def test_a_filter_needs_the_scopes_of_what_it_looks_at(
    installation: Installation, trained: dict[str, str], where: str, without: Permission
) -> None:
    ask = f"{{ learners(where: {where}) {{ totalCount }} }}"
    answer = await installation.graphql(installation.north, ask, scopes=SCOPES - {without})
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_rows_come_in_the_order_of_their_ids(installation: Installation, trained: dict[str, str]) -> None:
    ask = """query ($ids: [ID!]!) {
        nodes(ids: $ids) { __typename ... on Learner { displayName } ... on Course { title } } }"""
    unknown = f"Learner:{new_id()}"
    ids = [trained["second"], trained["Cara"], unknown, "Nothing:1", trained["Ada"], trained["Ada"]]
    ada = {"__typename": "Learner", "displayName": "Ada"}
    data = await installation.data(installation.north, ask, {"ids": ids})
    assert data["nodes"] == [
        {"__typename": "Course", "title": "second"},
        {"__typename": "Learner", "displayName": "Cara"},
        None,
        None,
        ada,
        ada,
    ]
    assert (await installation.data(installation.south, ask, {"ids": ids}))["nodes"] == [None] * 6
    assert await installation.data(installation.north, ask, {"ids": []}) == {"nodes": []}
    refused = await installation.graphql(installation.north, ask, {"ids": [unknown] * 101})
    assert refused["errors"][0]["extensions"]["code"] == "TOO_MANY_IDS"
    refused = await installation.graphql(installation.north, ask, {"ids": ["no id"]})
    assert refused["errors"][0]["extensions"]["code"] == "INVALID_ID"


async def test_a_type_that_may_not_be_read_is_null_among_rows_by_id(
    installation: Installation, trained: dict[str, str]
) -> None:
    ask = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [trained["Ada"], trained["first"]]
    answer = await installation.graphql(
        installation.north, ask, {"ids": ids}, scopes=SCOPES - {Permission.TRAINING_READ}
    )
    assert answer["data"] == {"nodes": [{"id": trained["Ada"]}, None]}
    assert [error["path"] for error in answer["errors"]] == [["nodes"]]


async def test_many_first_readers_of_a_document_get_the_same_answer(
    installation: Installation, trained: dict[str, str]
) -> None:
    document = """query ($first: Int, $names: Boolean!) {
        learners(first: $first) { nodes { id displayName @include(if: $names) } } }"""

    async def ask(number: int) -> Any:
        variables = {"first": 1 + number % 3, "names": number % 2 == 0}
        return await installation.data(installation.north, document, variables)

    await installation.token(installation.north)

    answers = await asyncio.gather(*[ask(number) for number in range(30)])
    for number, answer in enumerate(answers):
        asked = PEOPLE[: 1 + number % 3]
        named = [{"id": trained[name]} | ({"displayName": name} if number % 2 == 0 else {}) for name in asked]
        assert answer["learners"]["nodes"] == named


async def test_what_may_not_be_read_hides_the_answer_of_a_mutation_and_not_its_effect(
    installation: Installation, trained: dict[str, str]
) -> None:
    ask = """mutation ($keep: ID!, $merge: ID!) { mergeLearners(keep: $keep, merge: $merge, reason: "twice") {
        ... on LearnersMerged { learner { id completions { totalCount } } } ... on UserError { code } } }"""
    ids = {"keep": trained["Ada"], "merge": trained["Beth"]}
    scopes = SCOPES - {Permission.TRAINING_READ}
    answer = await installation.graphql(installation.north, ask, ids, scopes=scopes)
    assert answer["data"] == {"mergeLearners": None}
    assert [(error["extensions"]["code"], error["path"]) for error in answer["errors"]] == [
        ("FORBIDDEN", ["mergeLearners", "learner", "completions"])
    ]
    again = await installation.graphql(installation.north, ask, ids, scopes=scopes)
    assert again["data"] == {"mergeLearners": {"code": "MERGED_ALREADY"}}
