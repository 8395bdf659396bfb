"""Exercises and gaps through the API: filled, locked, copied, compared, weighed; gaps closed by evidence alone."""

from uuid import UUID

import asyncpg
import pytest

from app.training.mapping.exercises import is_intact
from app.training.mapping.models import MappingExercise
from app.training.mapping.state import has_locked_exercise
from tests.console.programme import PEOPLE
from tests.imports.support import SESSION, report, take
from tests.support import Installation
from tests.training.mapping.support import Word, change, fill, learned, pairs

DIFFERENCES = """query ($id: ID!) { mappingExercise(id: $id) { previous { edition } status
  differences { change code clause course before after }
  cells(first: 5, where: {course: {scope: {equals: "local"}}}) { totalCount nodes { assessor coverage } } } }"""


@pytest.mark.row("A11")
@pytest.mark.row("A12")
@pytest.mark.row("A14")
@pytest.mark.row("A16")
@pytest.mark.row("A55")
async def test_an_exercise_from_its_start_to_the_next(installation: Installation) -> None:
    north = installation.north
    courses = await learned(installation, north)
    safe, other = courses["Safe handling of PrescQIPP"], courses["Safe handling of Other Academy"]
    covert = courses["Covert medicines of Other Academy"]
    local = {"id": other, "version": 1, "scope": Word("LOCAL")}
    assert (await change(installation, north, "updateCourse", "CourseChanged", input=local))["course"][
        "scope"
    ] == "LOCAL"
    assert (await change(installation, north, "loadBaseTaxonomy", "TaxonomyLoaded"))["added"] > 100
    assert (await change(installation, north, "loadBaseTaxonomy", "TaxonomyLoaded"))["added"] == 0

    started = await change(installation, north, "startMappingExercise", "MappingExerciseChanged", name="First")
    exercise = started["exercise"]
    lock = {"id": exercise["id"], "version": 1}
    nothing = await change(installation, north, "lockMappingExercise", "MappingExerciseChanged", input=lock)
    assert nothing["code"] == "NOTHING_MAPPED"
    places = await pairs(installation, north)
    homes = [place for (topic, document, _), place in places.items() if topic == "T17" or document == "NG46"]
    rest = [place for place in places.values() if place not in homes]
    cells = [(safe, place, "FULL") for place in rest] + [(other, place, "FULL") for place in homes]
    filled = (await fill(installation, north, exercise, [*cells, (covert, homes[0], "PARTIAL")]))["exercise"]
    assert filled["cells"]["totalCount"] == len(places) + 1
    late = await fill(installation, north, exercise, [(safe, rest[0], "NONE")])
    assert late["code"] == "CHANGED_MEANWHILE"
    wrong = await fill(installation, north, filled, [(safe, {**rest[0], "clause": homes[0]["clause"]}, "NONE")])
    assert wrong["code"] == "NOT_A_REFERENCE"

    async def weigh(**asked: object) -> dict[str, object]:
        found = await change(
            installation, north, "analyseMappingExercise", "MappingExerciseAnalysed", id=exercise["id"], **asked
        )
        analysis: dict[str, object] = found["analysis"]
        return analysis

    whole = await weigh()
    assert (whole["coversAll"], whole["proven"]) == ([], True)
    assert whole["smallest"] == [{"title": "Safe handling"}, {"title": "Safe handling"}]
    assert (whole["uncovered"], whole["faults"]) == ([], [])
    home_care = await weigh(setting="domiciliary")
    assert home_care["smallest"] == home_care["coversAll"] == [{"title": "Safe handling"}]
    scoped = await weigh(scope=Word("LOCAL"))
    assert isinstance(scoped["uncovered"], list)
    assert isinstance(scoped["courses"], list)
    assert (len(scoped["courses"]), len(scoped["uncovered"])) == (1, scoped["mandatoryTopics"] - 1)  # type: ignore[operator]

    locked = await change(
        installation,
        north,
        "lockMappingExercise",
        "MappingExerciseChanged",
        input=lock | {"version": filled["revision"]},
    )
    assert locked["exercise"]["status"] == "LOCKED"
    refused = await fill(installation, north, locked["exercise"], [(safe, rest[0], "NONE")])
    assert refused["code"] == "LOCKED"
    copied = await change(installation, north, "copyMappingExercise", "MappingExerciseChanged", id=exercise["id"])
    second = copied["exercise"]
    assert (second["edition"], second["cells"], second["status"]) == (2, filled["cells"], "DRAFT")
    again = await change(installation, north, "copyMappingExercise", "MappingExerciseChanged", id=exercise["id"])
    assert again["code"] == "DRAFT_EXISTS"
    changes = [
        (safe, rest[0], "PARTIAL"),
        (covert, homes[0], None),
        (covert, homes[1], "FULL"),
        (safe, rest[1], "FULL"),
    ]
    await fill(installation, north, second, changes)
    read = (await installation.data(north, DIFFERENCES, {"id": second["id"]}))["mappingExercise"]
    told = sorted((row["change"], row["course"], row["before"], row["after"]) for row in read["differences"])
    assert told == [
        ("ADDED", "Covert medicines", None, "FULL"),
        ("CHANGED", "Safe handling", "FULL", "PARTIAL"),
        ("REMOVED", "Covert medicines", "PARTIAL", None),
    ]
    assert (read["previous"], read["cells"]["totalCount"]) == ({"edition": 1}, len(homes))

    async with installation.database.unit_of_work(installation.context(north)) as work:
        assert await has_locked_exercise(work)
        first = await work.session.get_one(MappingExercise, (north, exercise_key(exercise["id"])))
        assert await is_intact(work.session, first)
    owner = await asyncpg.connect(installation.urls.owner)
    await owner.execute("UPDATE medstead.mapping_cell SET coverage = 'none' WHERE exercise_id = $1", first.id)
    await owner.close()
    async with installation.database.unit_of_work(installation.context(north)) as work:
        assert not await is_intact(work.session, first), "a change past the service is found"
    async with installation.database.unit_of_work(installation.context(installation.south)) as work:
        assert not await has_locked_exercise(work)
    await gaps(installation, second["id"], covert)


def exercise_key(text: str) -> UUID:
    """The row's id in a global id."""
    return UUID(text.partition(":")[2])


async def gaps(installation: Installation, exercise: str, course: str) -> None:
    """A16: three gaps, none of which closes without evidence."""
    north = installation.north
    await take(installation, north, report(PEOPLE), "teams_attendance", SESSION, filename="webinar.csv")
    session = (await installation.data(north, "{ sessions(first: 1) { nodes { id } } }"))["sessions"]["nodes"][0]["id"]
    evidence = ({"course": course}, {"session": session}, {"decision": "Accepted by the forum"})
    for kind, shown in zip(("CONTENT", "DELIVERY", "ACCESSIBILITY"), evidence, strict=True):
        entry = {
            "exercise": exercise,
            "kind": Word(kind),
            "title": "Nothing on fridges",
            "owner": "Pat Invented",
            "dueOn": "2027-01-31",
        }
        opened = await change(installation, north, "openMappingGap", "MappingGapChanged", input=entry)
        given = {"id": opened["gap"]["id"], "version": 1}
        for none in ({}, {"decision": "  "}):
            refused = await change(installation, north, "closeMappingGap", "MappingGapChanged", input=given | none)
            assert refused["code"] == "EVIDENCE_MISSING"
        moved = await change(
            installation, north, "updateMappingGap", "MappingGapChanged", input=given | {"dueOn": "2027-02-28"}
        )
        assert (moved["gap"]["dueOn"], moved["gap"]["owner"]) == ("2027-02-28", "Pat Invented")
        closed = await change(
            installation, north, "closeMappingGap", "MappingGapChanged", input=given | {"version": 2} | shown
        )
        assert closed["gap"]["status"] == "CLOSED"
        again = await change(
            installation, north, "closeMappingGap", "MappingGapChanged", input=given | {"version": 3} | shown
        )
        assert again["code"] == "CLOSED_ALREADY"
    query = '{ mappingGaps(first: 9, where: {status: {equals: "closed"}}) { totalCount } }'
    assert await installation.data(north, query) == {"mappingGaps": {"totalCount": 3}}
    assert await installation.data(installation.south, query) == {"mappingGaps": {"totalCount": 0}}
