"""Attendance from Teams reports: minutes for every person, a queue for those who cannot be placed, nobody dropped."""

from typing import Any
from uuid import UUID

import pytest

from app.identity.permissions import Permission
from app.imports.errors import ImportRefusal
from tests.imports.support import SESSION, completion, completions, report, results, rows_of, send, take
from tests.support import Installation

PEOPLE = [
    ("Ada Host", "14:00:00", "15:30:00", "1h 30m", "ada@team.example", "Organizer"),
    ("Givenb Familyb", "14:01:00", "15:29:00", "1h 28m", "learner1@care.example", "Attendee"),
    ("Givenc Familyc", "14:01:00", "14:31:00", "30m", "learner2@care.example", "Attendee"),
    ("Newcomer Invented", "14:00:00", "15:30:00", "1h 30m", "newcomer@care.example", "Attendee"),
    ("Givend (Guest)", "14:00:00", "15:30:00", "1h 30m", "", "Attendee"),
    ("+44 7700 ***", "14:00:00", "15:00:00", "1h", "", "Attendee"),
]
ATTENDANCES = "{ attendances { nodes { seconds qualifies decidedBecause learner { displayName } } } }"
FIGURES = """{ impactSummary(period: {from: "2026-01-01", to: "2026-12-31"}) {
  webinarAttendances { value attendances { totalCount } } webinarPeople { value } } }"""
QUEUE = """{ importRows(where: {kind: {equals: "review"}, state: {equals: "open"}}) {
  totalCount nodes { id rowNumber reasonCode reason cells } } }"""
RESOLVE = """mutation($id: ID!, $learner: ID) { resolveImportRow(id: $id, learnerId: $learner) { __typename
  ... on ImportRowResolved { row { state } learner { id displayName } } ... on ImportRefused { code message } } }"""
DISMISS = """mutation($id: ID!) { dismissImportRow(id: $id) { __typename
  ... on ImportRowDismissed { row { state } } ... on ImportRefused { code } } }"""


async def attended(installation: Installation, tenant_id: UUID) -> dict[str, tuple[int, bool]]:
    """Who attended: seconds, and whether it counts."""
    nodes = (await installation.data(tenant_id, ATTENDANCES))["attendances"]["nodes"]
    return {node["learner"]["displayName"]: (node["seconds"], node["qualifies"]) for node in nodes}


async def figures(installation: Installation, tenant_id: UUID) -> tuple[float, float]:
    """Attendances and distinct people, as a partner reads them."""
    summary = (await installation.data(tenant_id, FIGURES))["impactSummary"]
    assert summary["webinarAttendances"]["attendances"]["totalCount"] == summary["webinarAttendances"]["value"]
    return summary["webinarAttendances"]["value"], summary["webinarPeople"]["value"]


async def queue(installation: Installation, tenant_id: UUID) -> list[dict[str, Any]]:
    """The rows that wait."""
    found: list[dict[str, Any]] = (await installation.data(tenant_id, QUEUE))["importRows"]["nodes"]
    return found


@pytest.mark.row("A30")
@pytest.mark.row("A48")
async def test_a_report_gives_minutes_and_a_queue(installation: Installation) -> None:
    north = installation.north
    await take(installation, north, completions([completion(number) for number in range(4)]))
    run = await take(installation, north, report(PEOPLE), "teams_attendance", SESSION)
    counts = results(run)
    assert run.rows_total == 7
    assert counts == {"ignored": 1, "hosts": 1, "matched": 2, "new_people": 1, "review": 2, "applied": 3}
    assert await attended(installation, north) == {
        "Givenb Familyb": (5280, True),
        "Givenc Familyc": (1800, False),
        "Newcomer Invented": (5400, True),
    }
    assert await figures(installation, north) == (2, 2)
    waiting = await queue(installation, north)
    assert [(row["reasonCode"], row["cells"]["Name"]) for row in waiting] == [
        ("NAME_ONLY", "Givend (Guest)"),
        ("NO_NAME", "+44 7700 ***"),
    ]


async def test_the_queue_is_answered_once_by_somebody_who_may(installation: Installation) -> None:
    north = installation.north
    await take(installation, north, completions([completion(number) for number in range(4)]))
    await take(installation, north, report(PEOPLE), "teams_attendance", SESSION)
    guest, phone = await queue(installation, north)
    learners = await installation.data(
        north, '{ learners(where: {displayName: {equals: "Givend Familyd"}}) { nodes { id } } }'
    )
    (learner,) = learners["learners"]["nodes"]
    variables = {"id": guest["id"], "learner": learner["id"]}

    refused = await installation.data(installation.south, RESOLVE, variables)
    assert refused["resolveImportRow"]["code"] == "NO_SUCH_ROW"
    forbidden = await installation.graphql(
        north, RESOLVE, variables, scopes={Permission.IMPORTS_READ, Permission.PEOPLE_READ}
    )
    assert forbidden["data"] == {"resolveImportRow": None}
    assert forbidden["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    nobody = await installation.data(north, RESOLVE, variables | {"learner": f"Learner:{north}"})
    assert nobody["resolveImportRow"]["code"] == "NO_SUCH_LEARNER"
    assert len(await queue(installation, north)) == 2
    assert await figures(installation, north) == (2, 2)

    done = (await installation.data(north, RESOLVE, variables))["resolveImportRow"]
    assert done == {
        "__typename": "ImportRowResolved",
        "row": {"state": "RESOLVED"},
        "learner": {"id": learner["id"], "displayName": "Givend Familyd"},
    }
    assert await figures(installation, north) == (3, 3)
    twice = (await installation.data(north, RESOLVE, variables))["resolveImportRow"]
    assert twice["code"] == "NOT_WAITING"
    dismissed = await installation.data(north, DISMISS, {"id": phone["id"]})
    assert dismissed["dismissImportRow"]["row"] == {"state": "DISMISSED"}
    assert await queue(installation, north) == []
    assert await figures(installation, north) == (3, 3)


async def test_a_guest_may_be_somebody_new(installation: Installation) -> None:
    run = await take(installation, installation.north, report(PEOPLE[4:5]), "teams_attendance", SESSION)
    (guest,) = await queue(installation, installation.north)
    done = await installation.data(installation.north, RESOLVE, {"id": guest["id"]})
    assert done["resolveImportRow"]["learner"]["displayName"] == "Givend (Guest)"
    assert await figures(installation, installation.north) == (1, 1)
    (row,) = await rows_of(installation, installation.north, run.id, "review")
    assert row.state == "resolved"


async def test_a_restarted_webinar_has_two_reports_and_one_attendance(installation: Installation) -> None:
    north = installation.north
    person = ("Givenb Familyb", "learner1@care.example")
    first = [(person[0], "14:00:00", "14:40:00", "40m", person[1], "Attendee")]
    second = [(person[0], "14:43:00", "15:28:00", "45m", person[1], "Attendee")]
    await take(installation, north, report(first), "teams_attendance", SESSION)
    assert await attended(installation, north) == {person[0]: (2400, False)}
    await take(installation, north, report(second), "teams_attendance", SESSION)
    assert await attended(installation, north) == {person[0]: (5100, True)}
    sessions = await installation.data(north, "{ sessions { totalCount nodes { title startsAt } } }")
    assert sessions["sessions"]["totalCount"] == 1
    assert sessions["sessions"]["nodes"][0]["startsAt"] == "2026-07-22T13:00:00+00:00"


async def test_hidden_durations_count_as_the_tenant_chose(installation: Installation) -> None:
    north = installation.north
    hidden = "2. Participants\nName\tEmail\tParticipant ID (UPN)\tRole\nAda\ta@care.example\t\tAttendee\n".encode(
        "utf-16"
    )
    await take(installation, north, hidden, "teams_attendance", SESSION)
    assert await figures(installation, north) == (0, 0)
    change = """mutation($version: Int!, $count: Boolean, $percent: Int) { updateTenantSettings(input: {
      version: $version, countUnknownDurations: $count, attendanceThresholdPercent: $percent }) { __typename
      ... on SettingsChanged { tenant { settings { version countUnknownDurations } } }
      ... on SettingsRefused { code path } } }"""
    changed = await installation.data(north, change, {"version": 1, "count": True})
    assert changed["updateTenantSettings"]["tenant"]["settings"] == {"version": 2, "countUnknownDurations": True}
    assert await figures(installation, north) == (1, 1)
    stale = await installation.data(north, change, {"version": 1, "count": False})
    assert stale["updateTenantSettings"]["code"] == "CHANGED_MEANWHILE"
    absurd = await installation.data(north, change, {"version": 2, "percent": 101})
    assert (absurd["updateTenantSettings"]["code"], absurd["updateTenantSettings"]["path"]) == (
        "INVALID_THRESHOLD",
        ["attendanceThresholdPercent"],
    )
    assert await figures(installation, north) == (1, 1)


async def test_another_threshold_is_applied_to_every_attendance(installation: Installation) -> None:
    north = installation.north
    await take(installation, north, report(PEOPLE[1:4]), "teams_attendance", SESSION)
    assert await figures(installation, north) == (2, 2)
    change = "mutation($input: TenantSettingsInput!) { updateTenantSettings(input: $input) { __typename } }"
    await installation.data(north, change, {"input": {"version": 1, "attendanceThresholdPercent": 30}})
    assert await figures(installation, north) == (3, 3)
    await installation.data(north, change, {"input": {"version": 2, "attendanceThresholdPercent": 99}})
    assert await figures(installation, north) == (1, 1)


async def test_a_report_that_does_not_say_when_is_refused_until_somebody_does(installation: Installation) -> None:
    with pytest.raises(ImportRefusal) as refused:
        await send(installation, installation.north, report(PEOPLE), "teams_attendance")
    assert refused.value.code == "SESSION_UNKNOWN"
    times = {name: SESSION[name] for name in ("starts_at", "ends_at")}
    run = await take(installation, installation.north, report(PEOPLE), "teams_attendance", times)
    assert run.state == "finished"
    found = await installation.data(installation.north, "{ sessions { nodes { title } } }")
    assert found["sessions"]["nodes"] == [{"title": "When required medicines"}]
