"""Teams by Graph: webinar registrations, and attendance reports that come late, twice, without names, or not at all."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.directory.models import Learner
from app.imports.models import ImportRow, ImportRun
from app.imports.operations import resolve_row
from app.outside.connections import connect
from app.outside.errors import OutsideRefusal
from app.outside.models import OutsideEvent
from app.training.models import Attendance, AttendanceEvidence
from app.training.sessions.details import Places
from tests import servers
from tests.booking.support import NEXT_WEEK, make_session
from tests.outside.doubles import Fault
from tests.outside.graph_double import CLIENT, DIRECTORY, WEBINAR, Graph, graph, record
from tests.outside.support import (
    VALUES,
    connected,
    connection,
    linked,
    names,
    next_look,
    office_of,
    read_attendance,
    standing,
    work_of,
    work_on,
)
from tests.support import BYPASS_LOGIN, NOW, Installation, open_installation

FIRST, SECOND = "c9b6db1c-d5eb-427d-a5c0-20088d9b22d7", "b76965d4-0763-496e-9980-b323c5f3aa3b"


def at(minutes: int) -> str:
    """A moment of the webinar as Graph writes it."""
    return f"{NEXT_WEEK + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}.2782182Z"


@pytest.fixture
async def double() -> AsyncIterator[Graph]:
    """Graph, on loopback, with one webinar and five registrations."""
    async with graph() as opened:
        opened.webinars[WEBINAR] = {
            "id": WEBINAR, "displayName": "PRN medicines", "status": "published",
            "startDateTime": {"dateTime": f"{NEXT_WEEK:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "GMT Standard Time"},
        }  # fmt: skip
        opened.register(1, "Ada", "Example", "ada@example.org")
        opened.register(2, "Ben", "Carer", "ben@example.org")
        opened.register(3, "Cid", "Approval", "cid@example.org", "pendingApproval")
        opened.register(4, "Dot", "Rejected", "dot@example.org", "rejectedByOrganizer")
        opened.register(5, "Eve", "Waits", "eve@example.org", "waitlisted")
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Any, double: Graph
) -> AsyncIterator[Installation]:
    """The application with Graph's addresses."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    addresses = {"graph_url": double.url, "graph_login_url": double.url.removesuffix("/v1.0")}
    async with open_installation(urls, redis_url, data_dir, servers.running().tenants, **addresses) as opened:
        yield opened


async def seconds(installation: Installation) -> dict[str, int | None]:
    """The seconds that each learner attended."""
    async with work_of(installation) as work:
        rows = await work.session.execute(
            select(Learner.display_name, Attendance.seconds).join(
                Attendance, (Attendance.tenant_id == Learner.tenant_id) & (Attendance.learner_id == Learner.id)
            )
        )
        return dict(rows.all())


async def waiting(installation: Installation) -> list[ImportRow]:
    """Rows in the review queue."""
    async with work_of(installation) as work:
        found = select(ImportRow).where(ImportRow.kind == "review", ImportRow.state == "open").order_by(ImportRow.id)
        return list(await work.session.scalars(found))


async def report_note(installation: Installation) -> str | None:
    """What people are told about the webinar's reports."""
    async with work_of(installation) as work:
        return (await work.session.scalars(select(OutsideEvent.report_note))).one()


async def count(installation: Installation, model: Any) -> int:
    """Rows of a table."""
    async with work_of(installation) as work:
        return int((await work.session.execute(select(func.count()).select_from(model))).scalar_one())


@pytest.mark.row("A30")
@pytest.mark.row("A58")
async def test_registrations_are_booked_and_reports_become_minutes(installation: Installation, double: Graph) -> None:
    session_id = await make_session(installation, Places(10, "none"), online_mode="webinar")
    await connected(installation, "teams")
    await linked(installation, "teams", WEBINAR, session_id, "q1")
    await work_on(installation)
    states = list((await standing(installation)).values())
    assert states == [
        ("registered", "confirmed", None), ("registered", "confirmed", None), ("waiting", None, None),
        ("cancelled", None, None), ("waiting", None, None),
    ]  # fmt: skip
    assert await names(installation) == ["Ada Example", "Ben Carer"], "who has no place yet is nobody's learner yet"
    double.registrations[1] |= {"status": "canceled", "cancelationDateTime": "2026-11-24T09:00:00"}
    double.registrations[2]["status"] = "registered"
    await next_look(installation)
    states = list((await standing(installation)).values())
    assert states[1:3] == [("cancelled", None, None), ("registered", "confirmed", None)]

    ada, cid = double.registrations[0]["id"], double.registrations[2]["id"]
    double.reports[FIRST] = (
        7,
        [
            record("ada@private.example", "Ada at home", (at(0), at(40)), (at(30), at(60)), registrationId=ada),
            record(None, "Cid", (at(5), at(20)), registrationId=cid, role="None"),
            record(None, "Guest Somebody", (at(0), at(90))),
            record(None, "+44 20 ****1234", (at(0), at(80))),
            record(None, "+44 20 ****9999", (at(0), at(85))),
            record(None, None, (at(0), at(70))),
            record("ada.leader@council.example", "Ada Leader", (at(0), at(120)), role="Organizer"),
        ],
    )
    await read_attendance(installation, timedelta(days=7, hours=2))
    assert await seconds(installation) == {"Ada Example": 3600, "Cid Approval": 900}, "stays that overlap count once"
    rows = await waiting(installation)
    assert sorted(row.cells["Name"] for row in rows) == [
        "+44 20 ****1234", "+44 20 ****9999", "Guest Somebody", "Unnamed participant 10:00:00",
    ]  # fmt: skip
    async with work_of(installation) as work:
        phone = next(row for row in rows if row.cells["Name"].endswith("1234"))
        await resolve_row(work, phone.id, (await work.session.scalars(select(Learner.id))).first())
    assert len(await waiting(installation)) == 3, "two telephone numbers are two people"

    # The same report once more with a late record; and the meeting was started again, which makes another report.
    participants, records = double.reports[FIRST]
    late = record("eve@example.org", "Eve Waits", (at(0), at(100)))
    double.reports[FIRST] = (participants + 1, [*(records or []), late])
    double.reports[SECOND] = (
        1,
        [
            record("ada@example.org", "Ada Example", (at(50), at(80)), (at(100), at(110)), registrationId=ada),
            record("cid@example.org", "Cid", (at(20), at(20)), registrationId=cid),
        ],
    )
    await read_attendance(installation, timedelta(hours=20))
    end = await seconds(installation)
    assert (end["Ada Example"], end["Cid Approval"], end["Eve Waits"]) == (5400, 900, 6000)
    assert len(await waiting(installation)) == 3, "what was taken is not taken again"
    runs, lines = await count(installation, ImportRun), await count(installation, AttendanceEvidence)
    await read_attendance(installation, timedelta(hours=2))
    assert (runs, lines) == (3, await count(installation, AttendanceEvidence))
    assert await count(installation, ImportRun) == 3
    assert await seconds(installation) == end


@pytest.mark.one_login
async def test_pages_limits_tokens_and_links(installation: Installation, double: Graph) -> None:
    session_id = await make_session(installation, Places(10, "none"))
    await connected(installation, "teams")
    await linked(installation, "teams", WEBINAR, session_id, "q1")
    double.faults = [("/registrations", Fault(429, {"retry-after": "45"}))]
    await work_on(installation)
    assert (await connection(installation, "teams")).error_code == "STATUS_429"
    await work_on(installation, timedelta(seconds=46))
    assert len(await standing(installation)) == 5, "three pages"
    assert double.tokens == 1, "one token for all of it"
    double.valid.clear()
    await next_look(installation)
    assert ((await connection(installation, "teams")).error_code, double.tokens) == (None, 2)
    double.faults = [("/registrations", Fault(401))] * 2
    await next_look(installation)
    assert (await connection(installation, "teams")).error_code == "STATUS_401"
    double.foreign_link = "https://graph.example/v1.0/solutions?$skiptoken=2"
    await next_look(installation)
    assert (await connection(installation, "teams")).error_code == "FOREIGN_LINK"
    double.foreign_link = None
    double.faults = [("/registrations", Fault(302, {"location": "http://127.0.0.1:1/"}))]
    await next_look(installation)
    assert (await connection(installation, "teams")).error_code == "REDIRECTED"
    double.registrations = [one for one in double.registrations if one["firstName"] != "Ben"]
    await next_look(installation, timedelta(hours=24))
    assert list((await standing(installation)).values())[1] == ("gone", None, None)
    await installation.services.outside.close()


@pytest.mark.one_login
async def test_reports_without_names_say_so(installation: Installation, double: Graph) -> None:
    session_id = await make_session(installation, Places(10, "none"))
    await connected(installation, "teams")
    await linked(installation, "teams", WEBINAR, session_id, "q1")
    await read_attendance(installation, timedelta(days=7, hours=3))
    assert await report_note(installation) is None, "reports come up to two hours late"
    await read_attendance(installation, timedelta(hours=2))
    assert await report_note(installation) == "NO_REPORTS"
    double.reports[FIRST] = (2, None)
    await read_attendance(installation, timedelta(hours=12))
    assert await report_note(installation) == "NO_RECORDS"
    hidden: dict[str, Any] = {"totalAttendanceInSeconds": None, "attendanceIntervals": []}
    double.reports[FIRST] = (2, [record("ada@example.org", "Ada Example", **hidden)])
    await read_attendance(installation)
    assert await report_note(installation) is None
    assert await seconds(installation) == {"Ada Example": None}
    assert installation.clock() > NOW


@pytest.mark.one_login
async def test_an_application_is_tried_before_it_counts(installation: Installation, double: Graph) -> None:
    codes = []
    office = office_of(installation)
    for values, faults in (
        ({"directory_id": f"{DIRECTORY}/x", "client_id": CLIENT, "client_secret": "s"}, []),
        (VALUES["teams"] | {"client_secret": "wrong"}, []),
        (VALUES["teams"], [("/webinars", Fault(403))]),
        (VALUES["teams"], [("/oauth2/", Fault(503))]),
        (VALUES["teams"], [("/oauth2/", Fault(200, body=b'{"token_type": "Bearer"}'))]),
    ):
        double.faults = list(faults)
        with pytest.raises(OutsideRefusal) as refused:
            await connect(office, "teams", values)
        codes.append(refused.value.code)
    assert codes == ["BAD_ID", "NOT_TAKEN", "NOT_TAKEN", "NO_ANSWER", "NO_ANSWER"]
