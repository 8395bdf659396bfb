"""What generated documents have found wrong with pages and filters, each as small as it can be told."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.directory.models import Learner
from app.identity.permissions import SCOPES, Permission
from tenants.identifiers import new_id
from tests.support import NOW, Installation

NAMES = ("Άννα ΟΔΟΣ", "Beth", "Cara")


@pytest.fixture
async def learners(installation: Installation) -> list[str]:
    """Ids of three learners of `north`, in the order of their names."""
    ids = [new_id() for _ in NAMES]
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        for number, (learner_id, name) in enumerate(zip(ids, NAMES, strict=True)):
            work.add(
                Learner(
                    tenant_id=installation.north,
                    id=learner_id,
                    display_name=name,
                    family_name=name,
                    name_key=str(number),
                    created_at=NOW + timedelta(microseconds=number),
                )
            )
    return [f"Learner:{learner_id}" for learner_id in ids]


async def page(installation: Installation, arguments: str, selection: str) -> Any:
    """A page of learners."""
    return (await installation.data(installation.north, f"{{ learners{arguments} {{ {selection} }} }}"))["learners"]


@pytest.mark.parametrize("arguments", ["", "(first: 1)", '(where: {familyName: {equals: "nobody"}})'])
@pytest.mark.parametrize("inside", ["__typename", "hasPreviousPage", "__typename @skip(if: true)"])
async def test_page_information_alone_is_one_object(
    installation: Installation, learners: list[str], arguments: str, inside: str
) -> None:
    told = await page(installation, arguments, f"pageInfo {{ {inside} }}")
    expected: dict[str, Any] = {"__typename": "PageInfo", "hasPreviousPage": False}
    assert told["pageInfo"] == ({} if "@skip" in inside else {inside: expected[inside]})


async def test_there_is_an_earlier_page_only_where_rows_are(installation: Installation, learners: list[str]) -> None:
    cursors = [edge["cursor"] for edge in (await page(installation, "", "edges { cursor }"))["edges"]]
    asked = "nodes { id } pageInfo { hasPreviousPage hasNextPage }"
    after_first = await page(installation, f'(first: 1, after: "{cursors[0]}")', asked)
    assert after_first["nodes"] == [{"id": learners[1]}]
    assert after_first["pageInfo"] == {"hasPreviousPage": True, "hasNextPage": True}
    filtered = await page(
        installation, f'(first: 1, after: "{cursors[0]}", where: {{familyName: {{equals: "Cara"}}}})', asked
    )
    assert filtered["nodes"] == [{"id": learners[2]}]
    assert filtered["pageInfo"] == {"hasPreviousPage": False, "hasNextPage": False}
    before_last = await page(installation, f'(last: 1, before: "{cursors[2]}")', asked)
    assert before_last["nodes"] == [{"id": learners[1]}]
    assert before_last["pageInfo"] == {"hasPreviousPage": True, "hasNextPage": True}
    filtered = await page(
        installation, f'(last: 1, before: "{cursors[2]}", where: {{familyName: {{equals: "Beth"}}}})', asked
    )
    assert filtered["nodes"] == [{"id": learners[1]}]
    assert filtered["pageInfo"] == {"hasPreviousPage": False, "hasNextPage": False}


@pytest.mark.parametrize(("asked", "found"), [("ΟΔΟΣ", 0), ("οδος", None), ("οδοσ", 0), ("BETH", 1), ("B_th", None)])
async def test_letters_of_any_size_are_compared_by_one_rule(
    installation: Installation, learners: list[str], asked: str, found: int | None
) -> None:
    told = await page(installation, f'(where: {{displayName: {{contains: "{asked}"}}}})', "nodes { id }")
    assert told["nodes"] == ([] if found is None else [{"id": learners[found]}])


async def test_an_object_may_have_more_fields_than_a_function_of_the_database_takes(
    installation: Installation, learners: list[str]
) -> None:
    many = " ".join(f"a{number}: id" for number in range(59))
    told = await page(installation, "(first: 1, orderBy: [CREATED_AT_ASC])", f"nodes {{ {many} }}")
    assert told["nodes"] == [{f"a{number}": learners[0] for number in range(59)}]


WITHOUT_NAMES = frozenset(SCOPES) - {Permission.PEOPLE_READ}


@pytest.mark.parametrize(
    "arguments",
    [
        '(where: {familyName: {equals: "Beth"}})',
        '(where: {not: {or: [{displayName: {contains: "e"}}]}})',
        "(orderBy: [CREATED_AT_ASC, NAME_KEY_DESC])",
    ],
)
async def test_names_cannot_be_found_out_by_filters_and_orders(
    installation: Installation, learners: list[str], arguments: str
) -> None:
    document = f"{{ learners{arguments} {{ nodes {{ id }} }} }}"
    refused = await installation.graphql(installation.north, document, scopes=WITHOUT_NAMES)
    assert refused["data"] is None
    (error,) = refused["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["learners"], "FORBIDDEN")
    assert (await installation.data(installation.north, document))["learners"]["nodes"] != []


async def test_cursors_of_learners_do_not_tell_names(installation: Installation, learners: list[str]) -> None:
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        await work.session.execute(update(Learner).values(name_key="secret name"))
    document = "{ learners { edges { cursor } pageInfo { startCursor endCursor } } }"
    for scopes, told in ((frozenset(SCOPES), True), (WITHOUT_NAMES, False)):
        answer = await installation.graphql(installation.north, document, scopes=scopes)
        page = answer["data"]["learners"]
        cursors = [edge["cursor"] for edge in page["edges"]]
        assert len(cursors) == len(learners)
        assert [b"secret name" in base64.b64decode(cursor) for cursor in cursors] == [told] * len(learners)
        assert page["pageInfo"] == {"startCursor": cursors[0], "endCursor": cursors[-1]}
