"""What tests of the mapping share: courses with completions, topics, an exercise that is filled, by the API alone."""

from typing import Any
from uuid import UUID

from tests.console.programme import DIRECTORY
from tests.imports.support import completion, completions, take
from tests.support import Installation

Row = dict[str, Any]
REFUSED = "... on MappingRefused { code path }"
SELECT = {
    "CourseChanged": "course { id revision status tier { position } scope languages belowTierMinimum }",
    "CourseAccredited": "accreditation { id level }",
    "CourseAccessAdded": "access { id kind }",
    "CoursesMerged": "course { id } merge { id reason merged { status mergedInto { id } } }",
    "CourseMergeUndone": "merge { undoneAt merged { status } }",
    "TaxonomyLoaded": "added",
    "GuidanceSaved": "document { id version code }",
    "TopicSaved": "topic { id version mandatoryIn }",
    "TopicReferenceAdded": "reference { id topic { code } clause { id number } }",
    "MappingExerciseChanged": "exercise { id edition revision status seal cells { totalCount } }",
    "MappingExerciseAnalysed": """analysis { id setting scope proven mandatoryTopics uncovered faults
        courses { title covered percent courseId } coversAll { title } smallest { title } }""",
    "MappingGapChanged": """gap { id status version owner dueOn closingDecision
        closingCourse { title } closingSession { title } }""",
    "TemplatePublished": "template { id version publisherName document }",
    "TemplateCloned": "origin { programmeName templateVersion publisherName template { id } }",
}
"""What is read of each success."""


async def change(installation: Installation, tenant_id: UUID, field: str, kind: str, **given: Any) -> Row:
    """The answer of a mutation: its success, or `code` and `path` of the refusal. `kind`: the type of the success."""
    arguments = ", ".join(f"{name}: {literal(value)}" for name, value in given.items())
    called = f"{field}({arguments})" if given else field
    document = f"mutation {{ result: {called} {{ ... on {kind} {{ {SELECT[kind]} }} {REFUSED} }} }}"
    data = await installation.data(tenant_id, document)
    result: Row = data["result"]
    return result


class Word(str):
    """A word of an enum."""


def literal(value: Any) -> str:
    """A GraphQL literal."""
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return str(value) if isinstance(value, int) else '"' + str(value) + '"'


async def learned(installation: Installation, tenant_id: UUID) -> dict[str, str]:
    """Two homes of the register, and three courses that people completed; ids of the courses by title and provider."""
    area = {"local_authorities": ["Luton"]}
    await take(installation, tenant_id, DIRECTORY, "cqc_locations", area, filename="directory.csv")
    rows = [
        completion(1, "Safe handling"),
        completion(2, "Safe handling"),
        completion(3, "Safe handling", provider="Other Academy"),
        completion(1, "Covert medicines", provider="Other Academy"),
    ]
    await take(installation, tenant_id, completions(rows), options={"tier": 1}, filename="learned.csv")
    data = await installation.data(tenant_id, "{ courses(first: 20) { nodes { id title trainingProvider { name } } } }")
    return {f"{row['title']} of {row['trainingProvider']['name']}": row["id"] for row in data["courses"]["nodes"]}


async def pairs(installation: Installation, tenant_id: UUID, *codes: str) -> dict[tuple[str, str, str], Row]:
    """`{topic, clause}` for cells, by topic's code, document's code and number, of all topics or those named."""
    document = """query ($after: String) { topics(first: 50, after: $after) { nodes { id code references(first: 10) {
        nodes { clause { id number document { code } } } } } } }"""
    data = await installation.data(tenant_id, document)
    return {
        (topic["code"], clause["document"]["code"], clause["number"]): {"topic": topic["id"], "clause": clause["id"]}
        for topic in data["topics"]["nodes"]
        if not codes or topic["code"] in codes
        for clause in [reference["clause"] for reference in topic["references"]["nodes"]]
    }


async def fill(
    installation: Installation, tenant_id: UUID, exercise: Row, cells: list[tuple[str, Row, str | None]]
) -> Row:
    """Fill cells: course, place, coverage."""
    given = [
        {"course": course, **place, "coverage": Word(coverage) if coverage else None}
        for course, place, coverage in cells
    ]
    entry = {"exercise": exercise["id"], "version": exercise["revision"], "assessor": "Sam Invented", "cells": given}
    return await change(installation, tenant_id, "setMappingCells", "MappingExerciseChanged", input=entry)
