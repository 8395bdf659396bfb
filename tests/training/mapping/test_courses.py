"""Courses through the API: the inventory, merges, use and reach, evidence for a regulation, templates."""

import re

import asyncpg
import pytest

from app.identity.permissions import Role
from tenants.audit import Action
from tests.console.visitor import Visitor, main_text, visitor_as
from tests.imports.support import SESSION, completion, completions, report, take
from tests.support import Installation
from tests.training.mapping.support import Row, Word, change, fill, learned, pairs
from tests.webhooks.support import events, trail

COUNTS = "{ courses(first: 20) { nodes { title status mergedInto { title } completions { totalCount } } } }"


async def counts(installation: Installation) -> list[tuple[str, str, int]]:
    """Title, status and completions of each course."""
    nodes = (await installation.data(installation.north, COUNTS))["courses"]["nodes"]
    return sorted((row["title"], row["status"], row["completions"]["totalCount"]) for row in nodes)


@pytest.mark.row("A4")
@pytest.mark.row("A6")
@pytest.mark.row("A64")
async def test_two_entries_of_a_course_and_the_way_back(installation: Installation) -> None:
    north = installation.north
    courses = await learned(installation, north)
    keep, merge = courses["Safe handling of PrescQIPP"], courses["Safe handling of Other Academy"]
    before = await counts(installation)
    assert before.count(("Safe handling", "ACTIVE", 2)) == 1, "the same title of two providers is two courses"
    assert before.count(("Safe handling", "ACTIVE", 1)) == 1
    # The kept course has a completion of learner 3 already, which both tell: it must not count twice.
    more = completions([completion(3), completion(5, provider="Other Academy")])
    await take(installation, north, more, options={"tier": 1}, filename="more.csv")
    same = await change(installation, north, "mergeCourses", "CoursesMerged", keep=keep, merge=keep, reason="x")
    assert same["code"] == "SAME_COURSE"
    merged = await change(
        installation, north, "mergeCourses", "CoursesMerged", keep=keep, merge=merge, reason="renamed"
    )
    assert merged["merge"]["merged"] == {"status": "MERGED", "mergedInto": {"id": keep}}
    assert ("Safe handling", "ACTIVE", 4) in await counts(installation)
    again = await change(installation, north, "mergeCourses", "CoursesMerged", keep=keep, merge=merge, reason="x")
    assert again["code"] == "MERGED_ALREADY"
    refused = await change(
        installation, north, "updateCourse", "CourseChanged", input={"id": merge, "version": 2, "url": None}
    )
    assert refused["code"] == "COURSE_MERGED"
    later = completions([completion(4, provider="Other Academy")])
    await take(installation, north, later, options={"tier": 1}, filename="later.csv")
    assert ("Safe handling", "ACTIVE", 5) in await counts(installation), "files that name the merged one mean the kept"
    merge_id = merged["merge"]["id"]
    undone = await change(installation, north, "undoCourseMerge", "CourseMergeUndone", id=merge_id)
    assert undone["merge"]["merged"]["status"] == "ACTIVE"
    assert {("Safe handling", "ACTIVE", 4), ("Safe handling", "ACTIVE", 2)} <= set(await counts(installation))
    twice = await change(installation, north, "undoCourseMerge", "CourseMergeUndone", id=merge_id)
    assert twice["code"] == "UNDONE_ALREADY"
    south = await change(
        installation, installation.south, "mergeCourses", "CoursesMerged", keep=keep, merge=merge, reason="x"
    )
    assert south["code"] == "NO_SUCH_COURSE"

    told = [(event.type, event.subject) for event in await events(installation) if event.type.startswith("courses")]
    assert told == [("courses.merged", merge_id), ("courses.merge_undone", merge_id)]
    (audited,) = await trail(installation, Action.COURSES_MERGED)
    assert audited.after is not None
    assert audited.after["moved"] == {"completion.course_id": 1}

    entry = {"course": keep, "awardingBody": "Invented Institute", "reference": "X-1", "validFrom": "2026-09-17"}
    assert "accreditation" in await change(installation, north, "accreditCourse", "CourseAccredited", input=entry)
    early = entry | {"reference": "X-0", "validFrom": "2025-09-17", "validTo": "2026-09-16", "level": "2"}
    await change(installation, north, "accreditCourse", "CourseAccredited", input=early)
    read = "{ completions(first: 50) { nodes { accreditedBy { reference level } course { id } } } }"
    applied = (await installation.data(north, read))["completions"]["nodes"]
    levels = {str(row["accreditedBy"]) for row in applied if row["course"]["id"] == keep}
    assert levels == {"[{'reference': 'X-0', 'level': '2'}]"}, "as of the day of the completion, not today"


USE = """{ coursesInUse { title trainingProvider learners employers topics tier }
  topicsInUse { code courses employers } }"""
REACH = "query ($language: String) { accessGaps(language: $language) { name tier1 } courseReach { name tier1 tier2 } }"
EVIDENCE = """{ guidanceDocuments(first: 1, where: {code: {equals: "REG18"}}) { nodes { title
  evidencedTopics(on: "2026-11-24") { code courses learners employed }
  evidencedCourses(on: "2026-11-24") { code number course coverage learners } } } }"""


@pytest.mark.row("A4")
@pytest.mark.row("A5")
@pytest.mark.row("A10")
@pytest.mark.row("A13")
@pytest.mark.row("A15")
async def test_who_uses_what_who_reaches_what_and_what_shows_a_regulation(installation: Installation) -> None:
    north = installation.north
    courses = await learned(installation, north)
    safe, covert = courses["Safe handling of PrescQIPP"], courses["Covert medicines of Other Academy"]
    await change(installation, north, "loadBaseTaxonomy", "TaxonomyLoaded")
    faulty = "{ topics(first: 9, where: {references: {none: {}}}) { nodes { id code } } }"
    (fault,) = (await installation.data(north, faulty))["topics"]["nodes"]
    assert fault["code"] == "T40"
    local = {"code": "PRN-1", "title": "Our PRN policy", "kind": Word("LOCAL"), "reviewOn": "2026-01-31"}
    document = (await change(installation, north, "createGuidanceDocument", "GuidanceSaved", input=local))["document"]
    reference = {"topic": fault["id"], "document": document["id"], "number": "whole", "summary": "When to give"}
    await change(installation, north, "addTopicReference", "TopicReferenceAdded", input=reference)
    assert (await installation.data(north, faulty))["topics"]["nodes"] == []
    late = '{ guidanceDocuments(first: 9, where: {reviewOn: {before: "2026-11-24"}}) { nodes { code } } }'
    assert (await installation.data(north, late))["guidanceDocuments"]["nodes"] == [{"code": "PRN-1"}]

    started = await change(installation, north, "startMappingExercise", "MappingExerciseChanged", name="First")
    places = await pairs(installation, north, "T01", "T02")
    law, skilled = places["T01", "REG18", "18(2)(a)"], places["T02", "REG18", "18(1)"]
    cells: list[tuple[str, Row, str | None]] = [
        (safe, law, "FULL"),
        (covert, law, "PARTIAL"),
        (covert, skilled, "NONE"),
    ]
    await fill(installation, north, started["exercise"], cells)
    use = await installation.data(north, USE)
    assert {
        (row["title"], row["trainingProvider"], row["learners"], row["employers"]) for row in use["coursesInUse"]
    } == {
        ("Safe handling", "PrescQIPP", 2, 2),
        ("Safe handling", "Other Academy", 1, 1),
        ("Covert medicines", "Other Academy", 1, 1),
    }
    by_code = {row["code"]: (row["courses"], row["employers"]) for row in use["topicsInUse"]}
    assert (by_code["T01"], by_code["T02"], len(by_code)) == ((2, 2), (0, 0), 40)

    (shown,) = (await installation.data(north, EVIDENCE))["guidanceDocuments"]["nodes"]
    topics = {row["code"]: (row["courses"], row["learners"], row["employed"]) for row in shown["evidencedTopics"]}
    assert topics == {"T01": (1, 2, 3), "T02": (0, 0, 3), "T37": (0, 0, 3)}
    assert [(row["course"], row["coverage"], row["learners"]) for row in shown["evidencedCourses"]] == [
        ("Covert medicines", "PARTIAL", 1),
        ("Safe handling", "FULL", 2),
    ]

    nobody = (await installation.data(north, REACH, {"language": None}))["accessGaps"]
    employers = {row["name"] for row in nobody}
    assert len(employers) == 3
    assert all(row["tier1"] == 0 for row in nobody), "nothing is told of access yet"
    rose = '{ employers(first: 1, where: {name: {equals: "Rose Lodge 1"}}) { nodes { id } } }'
    licensee = (await installation.data(north, rose))["employers"]["nodes"][0]["id"]
    missing = {"course": safe, "kind": Word("LICENSED")}
    assert (await change(installation, north, "addCourseAccess", "CourseAccessAdded", input=missing))["code"]
    licence = missing | {"employer": licensee, "language": "Welsh"}
    access = await change(installation, north, "addCourseAccess", "CourseAccessAdded", input=licence)
    gaps = (await installation.data(north, REACH, {"language": None}))["accessGaps"]
    assert {row["name"] for row in gaps} == employers - {"Rose Lodge 1"}
    assert len((await installation.data(north, REACH, {"language": "Polish"}))["accessGaps"]) == len(employers)
    free = {"id": covert, "version": 1, "accessKind": Word("FREE"), "durationMinutes": 30}
    short = await change(installation, north, "updateCourse", "CourseChanged", input=free)
    assert short["course"]["belowTierMinimum"] is True
    assert len((await installation.data(north, REACH, {}))["accessGaps"]) == len(employers) - 1, (
        "30 minutes are no tier 1"
    )
    await change(
        installation, north, "updateCourse", "CourseChanged", input=free | {"version": 2, "durationMinutes": 180}
    )
    assert (await installation.data(north, REACH, {}))["accessGaps"] == []
    await change(installation, north, "removeCourseAccess", "CourseChanged", id=access["access"]["id"])
    wrong = free | {"version": 2}
    assert (await change(installation, north, "updateCourse", "CourseChanged", input=wrong))[
        "code"
    ] == "CHANGED_MEANWHILE"


@pytest.mark.row("A1")
async def test_a_template_goes_to_another_tenant_without_a_person(installation: Installation) -> None:
    north, south = installation.north, installation.south
    courses = await learned(installation, north)
    safe = courses["Safe handling of PrescQIPP"]
    people = [("Ada Host", "14:00:00", "15:30:00", "1h 30m", "ada@team.example", "Organizer")]
    await take(installation, north, report(people), "teams_attendance", SESSION, filename="webinar.csv")
    await change(installation, north, "loadBaseTaxonomy", "TaxonomyLoaded")
    facts = {"id": safe, "version": 1, "scope": Word("NATIONAL"), "languages": ["English"], "expectedMinutesMin": 180}
    await change(installation, north, "updateCourse", "CourseChanged", input=facts)
    exercise = (await change(installation, north, "startMappingExercise", "MappingExerciseChanged", name="M"))[
        "exercise"
    ]
    (place, *_) = (await pairs(installation, north, "T17")).values()
    filled = (await fill(installation, north, exercise, [(safe, place, "FULL")]))["exercise"]
    locked = {"id": exercise["id"], "version": filled["revision"]}
    await change(installation, north, "lockMappingExercise", "MappingExerciseChanged", input=locked)
    owner = await asyncpg.connect(installation.urls.owner)
    (programme,) = await owner.fetch("SELECT id FROM medstead.programme WHERE tenant_id = $1", north)
    given = {"programme": f"Programme:{programme['id']}", "name": "Three tiers", "summary": "As we do it"}
    for version in (1, 2):
        published = await change(installation, north, "publishProgrammeTemplate", "TemplatePublished", **given)
        assert published["template"]["version"] == version
    document = published["template"]["document"]
    assert {name: len(entries) for name, entries in document["sections"].items()} == {
        "tiers": 3, "guidance": 16, "topics": 40, "courses": 3, "coverage": 1, "session_outlines": 1,
        "prerequisites": 4, "requirements": 0, "course_topics": 1,
    }  # fmt: skip
    assert document["sections"]["session_outlines"][0]["duration_minutes"] == 90
    for private in ("Given", "Family", "care.example", "Rose", "Ada", "Sam", str(north)):
        assert private not in str(document), private

    listed = "{ programmeTemplates(first: 5) { nodes { id version publisherName } } }"
    template = (await installation.data(south, listed))["programmeTemplates"]["nodes"][0]
    assert (template["version"], template["publisherName"]) == (2, "Tenant north")
    cloned = await change(
        installation, south, "cloneProgrammeTemplate", "TemplateCloned", id=template["id"], name="Ours"
    )
    assert cloned["origin"] == {
        "programmeName": "Ours",
        "templateVersion": 2,
        "publisherName": "Tenant north",
        "template": {"id": template["id"]},
    }
    again = await change(
        installation, south, "cloneProgrammeTemplate", "TemplateCloned", id=template["id"], name="Ours"
    )
    assert again["code"] == "NAME_TAKEN"
    read = """{ courses(first: 9) {
      nodes { title scope languages expectedMinutesMin tier { position } } }
      topics { totalCount } tiers { totalCount } learners { totalCount } completions { totalCount }
      mappingExercises(first: 2) {
        nodes { status cells(first: 2) { nodes { assessor coverage topic { code } } } } } }"""
    there = await installation.data(south, read)
    assert {
        "title": "Safe handling", "scope": "NATIONAL", "languages": ["English"], "expectedMinutesMin": 180,
        "tier": {"position": 1},
    } in there["courses"]["nodes"]  # fmt: skip
    assert (len(there["courses"]["nodes"]), there["topics"], there["tiers"]) == (
        3,
        {"totalCount": 40},
        {"totalCount": 6},
    )
    assert (there["learners"], there["completions"]) == ({"totalCount": 0}, {"totalCount": 0})
    rules = """{ tiers(where: {position: {equals: 3}}) {
      nodes { prerequisites { nodes { kind needsTier { name position } } } } } }"""
    gating = [
        [(rule["kind"], rule["needsTier"] and rule["needsTier"]["position"]) for rule in tier["prerequisites"]["nodes"]]
        for tier in (await installation.data(south, rules))["tiers"]["nodes"]
    ]
    assert gating == [[("TIER_MET", 1), ("TIER_MET", 2), ("APPROVED_NOMINATION", None)]] * 2, "its own, and the clone's"
    (mapped,) = there["mappingExercises"]["nodes"]
    assert (mapped["status"], mapped["cells"]["nodes"]) == (
        "DRAFT",
        [{"assessor": "Tenant north, template version 2", "coverage": "FULL", "topic": {"code": "T17"}}],
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _as_runtime(installation, "UPDATE medstead.programme_template SET name = 'x'")
    await owner.close()
    await planned_from_an_outline(await visitor_as(installation, Role.PROGRAMME_LEAD, south))


async def planned_from_an_outline(lead: Visitor) -> None:
    """The clone's outline begins the form of a session, which lasts as long as the publisher's."""
    listed = await lead.get("/console/sessions/outlines")
    assert "Programme Ours From Tenant north Kind Training How people join Webinar Minutes 90" in main_text(listed)
    file = await lead.get("/console/sessions/outlines.csv")
    title, tier, *_ = file.text.splitlines()[1].split(",")
    (path,) = re.findall(r'href="(/console/sessions/add[?]outline=[^"]+)"', listed.text)
    form = (await lead.get(path)).text
    assert f'value="{title}"' in form
    chosen = {
        name: value
        for select in form.split("<select")[1:]
        for name, value in re.findall(
            r' name="(\w+)".*?value="([^"]*)" selected', select.partition("</select>")[0], re.S
        )
    }
    sent = chosen | {"title": title, "minutes": "90"}
    assert re.search(rf'value="{chosen["tier"]}" selected>[^<]*Ours: {tier[0]} ', form)
    kept = await lead.post("/console/sessions/add", sent)
    assert (kept.status_code, 'name="minutes" value="90"' in kept.text) == (422, True), "it has no beginning yet"
    planned = await lead.post("/console/sessions/add", sent | {"starts_at": "2027-03-27T23:30"})
    assert planned.status_code == 303, main_text(planned)
    shown = main_text(await lead.get(planned.headers["location"]))
    assert "27 March 2027, 23:30" in shown
    assert "28 March 2027, 02:00" in shown, "the clocks go forward meanwhile"
    assert (await lead.get(f"{path}0")).status_code == 404


async def _as_runtime(installation: Installation, statement: str) -> None:
    """What the service's own role would be told."""
    connection = await asyncpg.connect(installation.urls.app)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
