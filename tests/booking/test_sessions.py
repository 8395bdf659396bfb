"""Sessions through the API: series, remarks before publishing, facilitators, half-days, check-in, and who may come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.training.booking.models import Booking
from app.training.models import Tier, TrainingSession
from app.training.sessions.details import Places
from tests.booking.support import NEXT_WEEK, book, change, let_time_pass, make_session, make_staff
from tests.imports.support import SESSION, report, take
from tests.support import NOW, Installation

SAVED = "SessionSaved { session { id version state startsAt places { capacity } } remarks { code message } }"


def session_input(**others: str) -> str:
    """A session as a literal."""
    fields = {
        "title": '"PRN medicines"',
        "startsAt": f'"{NEXT_WEEK.isoformat()}"',
        "endsAt": f'"{(NEXT_WEEK + timedelta(hours=2)).isoformat()}"',
    }
    return "{" + ", ".join(f"{name}: {value}" for name, value in (fields | others).items()) + "}"


async def team_member(installation: Installation, number: str) -> tuple[str, list[dict[str, str]]]:
    """A pharmacist's id and what is remarked on."""
    made = await change(
        installation,
        "saveTeamMember",
        "TeamMemberSaved { teamMember { id profession roles } remarks { code message } }",
        input=f'{{name: "Ada Leader", profession: PHARMACIST, roles: [FACILITATOR], registrationNumber: "{number}"}}',
    )
    return made["teamMember"]["id"], made["remarks"]


@pytest.mark.row("A3")
@pytest.mark.row("A29")
async def test_what_is_looked_at_before_a_session_is_published(installation: Installation) -> None:
    member, remarked = await team_member(installation, "")
    assert [remark["code"] for remark in remarked] == ["REGISTRATION_MISSING"]
    made = await change(
        installation,
        "createSession",
        SAVED,
        input=session_input(onlineMode="MEETING", places="{capacity: 350}", joinUrl='"https://meet.example/1"'),
    )
    assert [(remark["code"], "250" in remark["message"]) for remark in made["remarks"]] == [("MEETING_TOO_LARGE", True)]
    session = made["session"]["id"]
    nobody = await change(installation, "publishSession", SAVED, id=f'"{session}"', version=1)
    assert nobody["code"] == "NO_FACILITATOR"
    changed = session_input(onlineMode="MEETING", places="{capacity: 350}", facilitatorIds=f'["{member}"]')
    await change(installation, "updateSession", SAVED, input=f'{{id: "{session}", version: 1, session: {changed}}}')
    published = await change(installation, "publishSession", SAVED, id=f'"{session}"', version=2)
    assert published["session"]["state"] == "PUBLISHED"
    assert [remark["code"] for remark in published["remarks"]] == [
        "MEETING_TOO_LARGE", "NO_JOIN_URL", "REGISTRATION_MISSING",
    ]  # fmt: skip
    bounds = await change(
        installation,
        "updateTenantSettings",
        "SettingsChanged { tenant { settings { meetingPeopleAtMost version } } }",
        input="{version: 1, meetingPeopleAtMost: 400}",
    )
    assert bounds["tenant"]["settings"] == {"meetingPeopleAtMost": 400, "version": 2}
    again = await change(
        installation, "updateSession", SAVED, input=f'{{id: "{session}", version: 3, session: {changed}}}'
    )
    assert "MEETING_TOO_LARGE" not in [remark["code"] for remark in again["remarks"]]


@pytest.mark.row("A21")
async def test_a_series_keeps_its_local_time_across_clock_changes(installation: Installation) -> None:
    made = await change(
        installation,
        "createSessionSeries",
        "SessionSeriesSaved { sessionsMade series { id rrule sessions(orderBy: [STARTS_AT_ASC]) "
        "{ nodes { startsAt endsAt state version places { closesAt } } } } }",
        input='{rrule: "FREQ=WEEKLY;BYDAY=TH", firstDay: "2027-03-18", localTime: "14:00:00", minutes: 90, '
        f'until: "2027-04-08", session: {session_input(places="{capacity: 400}")}}}',
    )
    assert made["sessionsMade"] == 4
    found = made["series"]["sessions"]["nodes"]
    assert [node["startsAt"][:16] for node in found] == [
        "2027-03-18T14:00", "2027-03-25T14:00", "2027-04-01T13:00", "2027-04-08T13:00",
    ]  # fmt: skip
    assert found[2]["places"]["closesAt"] == found[2]["startsAt"]
    series = made["series"]["id"]
    ended = await change(
        installation,
        "excludeSessionDay",
        'SessionSeriesSaved { series { excluded sessions(where: {state: {equals: "cancelled"}}) { totalCount } } }',
        id=f'"{series}"',
        day='"2027-03-25"',
        reason='"Easter"',
    )
    assert ended["series"] == {"excluded": ["2027-03-25"], "sessions": {"totalCount": 1}}
    made_more = "SessionSeriesSaved { sessionsMade }"
    local = await change(
        installation,
        "createGuidanceDocument",
        "GuidanceSaved { document { id } }",
        input='{code: "LOCAL1", title: "Covert administration in our area", kind: LOCAL, reviewOn: "2027-03-01"}',
    )
    guided = session_input(guidanceIds=f'["{local["document"]["id"]}"]', title='"Covert administration"')
    warned = await change(installation, "createSession", SAVED, input=guided)
    assert "GUIDANCE_OVERDUE" not in [remark["code"] for remark in warned["remarks"]], "not yet past its day"
    late = guided.replace("2026-12-01", "2027-03-02")
    warned = await change(installation, "createSession", SAVED, input=late)
    assert "Covert administration in our area" in next(
        remark["message"] for remark in warned["remarks"] if remark["code"] == "GUIDANCE_OVERDUE"
    )
    more = await change(installation, "extendSessionSeries", made_more, id=f'"{series}"', until='"2027-04-22"')
    assert more["sessionsMade"] == 2
    for rule in ("every other month", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"):
        refused = await change(
            installation,
            "createSessionSeries",
            "SessionSeriesSaved { sessionsMade }",
            input=f'{{rrule: "{rule}", firstDay: "2027-03-18", localTime: "14:00:00", minutes: 90, '
            f'until: "2027-04-08", session: {session_input()}}}',
        )
        assert (refused["code"], refused["path"]) == ("RRULE", ["rrule"])


async def attendance(installation: Installation, session_id: Any) -> list[dict[str, Any]]:
    """Decisions on who attended."""
    data = await installation.data(
        installation.north,
        f'{{ session(id: "Session:{session_id}") {{ attendances {{ nodes {{ qualifies decidedBecause firstHalf '
        "secondHalf learner { id } } } } }",
    )
    nodes: list[dict[str, Any]] = data["session"]["attendances"]["nodes"]
    return nodes


@pytest.mark.row("A24")
async def test_a_full_day_needs_both_halves_unless_somebody_decides_otherwise(installation: Installation) -> None:
    _, staff = await make_staff(installation, 3)
    starts = NEXT_WEEK
    session = await make_session(
        installation,
        Places(20),
        kind="champions_day",
        ends_at=starts + timedelta(hours=7),
        second_part_at=starts + timedelta(hours=4),
        online_mode="none",
    )
    made = await book(installation, session, staff)
    grouped = await change(
        installation,
        "allocateGroups",
        "SessionBookingsChanged { count session { bookings { nodes { workGroup } } } }",
        id=f'"Session:{session}"',
        size=2,
    )
    assert grouped["count"] == 2
    assert sorted(node["workGroup"] for node in grouped["session"]["bookings"]["nodes"]) == [1, 1, 2]
    references = [row["reference"] for row in made["bookings"]]
    checked = "AttendanceMarked { already session { id } }"
    await let_time_pass(installation, starts - NOW + timedelta(minutes=5))
    scan = {"sessionId": f'"Session:{session}"', "reference": f'"{references[0].lower()}"'}
    assert (await change(installation, "checkIn", checked, **scan))["already"] is False
    assert (await change(installation, "checkIn", checked, **scan))["already"] is True
    await change(installation, "checkIn", checked, **(scan | {"reference": f'"{references[1]}"'}))
    wrong = await change(installation, "checkIn", checked, **(scan | {"reference": '"ABCD2345"'}))
    assert wrong["code"] == "NO_SUCH_REFERENCE"
    first = await attendance(installation, session)
    assert {(row["decidedBecause"], row["firstHalf"], row["secondHalf"]) for row in first} == {
        ("half_missing", True, None)
    }
    await let_time_pass(installation, timedelta(hours=4))
    await change(installation, "checkIn", checked, **scan)
    third = f'{{sessionId: "Session:{session}", learnerId: "Learner:{staff[2]}", part: 2, present: true}}'
    await change(installation, "markAttendance", checked, input=third)
    unsaid = f'{{sessionId: "Session:{session}", learnerId: "Learner:{staff[2]}", present: true, reason: " "}}'
    assert (await change(installation, "overrideAttendance", checked, input=unsaid))["code"] == "REASON_MISSING"
    said = unsaid.replace('" "', '"Came late: a resident fell ill"')
    await change(installation, "overrideAttendance", checked, input=said)
    found = {row["learner"]["id"].partition(":")[2]: row for row in await attendance(installation, session)}
    assert {learner: (row["qualifies"], row["decidedBecause"]) for learner, row in found.items()} == {
        str(staff[0]): (True, "both_halves"),
        str(staff[1]): (False, "half_missing"),
        str(staff[2]): (True, "overridden"),
    }


@pytest.mark.row("A25")
@pytest.mark.row("A26")
async def test_foundation_comes_first_and_only_the_nominated_become_champions(installation: Installation) -> None:
    _, (learner,) = await make_staff(installation, 1, setting="care_home_with_nursing")
    async with installation.database.session(installation.context(installation.north)) as session:
        found_tiers = await session.execute(select(Tier.position, Tier.id))
        tiers = {row.position: row.id for row in found_tiers}
    third = await make_session(installation, Places(20), tier_id=tiers[3])
    refused = await book(installation, third, [learner])
    assert refused["code"] == "REQUIREMENTS"
    assert [reason["code"] for reason in refused["reasons"]] == [
        "TIER_MISSING", "TIER_MISSING", "NOMINATION_MISSING",
    ]  # fmt: skip
    assert all(reason["ruleId"] and reason["learnerId"] == f"Learner:{learner}" for reason in refused["reasons"])
    asked = await installation.data(
        installation.north,
        f'{{ bookingObstacles(sessionId: "Session:{third}", learnerIds: ["Learner:{learner}"]) {{ code }} }}',
    )
    assert [reason["code"] for reason in asked["bookingObstacles"]] == [reason["code"] for reason in refused["reasons"]]
    shown = await installation.data(
        installation.north, "{ locations { nodes { id } } tiers { nodes { id position } } }"
    )
    location = shown["locations"]["nodes"][0]["id"]
    nominated = await change(
        installation,
        "nominateChampion",
        "NominationChanged { nomination { id version status } }",
        input=f'{{learnerId: "Learner:{learner}", locationId: "{location}", nominatorName: "Mary Manager", '
        'nominatorRole: "Registered manager", statement: "Careful and patient"}',
    )
    assert nominated["nomination"]["status"] == "NOMINATED"
    waiting = await book(installation, third, [learner])
    assert "NOMINATION_MISSING" in [reason["code"] for reason in waiting["reasons"]]
    approved = await change(
        installation,
        "approveNomination",
        "NominationChanged { nomination { status } }",
        input=f'{{id: "{nominated["nomination"]["id"]}", version: {nominated["nomination"]["version"]}}}',
    )
    assert approved["nomination"]["status"] == "APPROVED"
    left = await book(installation, third, [learner])
    assert [reason["code"] for reason in left["reasons"]] == ["TIER_MISSING", "TIER_MISSING"]
    overridden = await change(
        installation,
        "overridePrerequisite",
        "OverrideChanged { override { id } }",
        input=f'{{learnerId: "Learner:{learner}", tierId: "Tier:{tiers[3]}", until: "2027-01-31", '
        'reason: "Trained in another area"}',
    )
    assert "override" in overridden, overridden
    made = await book(installation, third, [learner])
    assert made["bookings"][0]["state"] == "CONFIRMED"
    async with installation.database.session(installation.context(installation.north)) as session:
        assert (await session.scalars(select(Booking.learner_id))).all() == [learner]
        assert (await session.get_one(TrainingSession, (installation.north, third))).tier_id == tiers[3]


async def test_the_report_of_a_planned_webinar_becomes_its_evidence(installation: Installation) -> None:
    installation.clock.move(timedelta(days=-150))
    starts = datetime(2026, 7, 22, 13, tzinfo=UTC)
    session = await make_session(
        installation,
        Places(10),
        title="When  Required medicines",
        starts_at=starts,
        ends_at=starts + timedelta(minutes=90),
    )
    installation.clock.move(timedelta(days=60))
    people = [("Givenb Familyb", "14:01:00", "15:29:00", "1h 28m", "learner1@care.example", "Attendee")]
    await take(installation, installation.north, report(people), "teams_attendance", SESSION, filename="webinar.csv")
    assert [row["decidedBecause"] for row in await attendance(installation, session)] == ["reaches_threshold"]
    counted = await installation.data(installation.north, "{ sessions { totalCount } }")
    assert counted["sessions"]["totalCount"] == 1, "no second session is made for the report"
