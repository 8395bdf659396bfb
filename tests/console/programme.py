"""A small programme for tests of pages: a file of each format, taken in whole, and sending files through the form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from tests.console.visitor import ORIGIN, Visitor
from tests.imports.support import SESSION, completion, completions, report, take
from tests.support import Installation

FEEDBACK = (
    b"ID,Start time,Completion time,How useful was the webinar?\n"
    b"1,16/09/2026 14:00:00,16/09/2026 14:05:00,Extremely useful\n"
    b"2,16/09/2026 14:00:00,16/09/2026 14:06:00,Extremely useful\n"
    b"3,16/09/2026 14:00:00,16/09/2026 14:07:00,Very useful\n"
    b"4,16/09/2026 14:00:00,16/09/2026 14:08:00,\n"
)
CHAMPIONS = (
    b"Name,Email,Care home,CQC location ID,Tier 3 completed,Start date,End date,Deputy\n"
    b"Zoe Ozols,zoe@care.example,Rose Lodge,1-900000001,16/09/2026,17/09/2026,,No\n"
    b"Ben Made-Up,ben@care.example,Rose Lodge,1-900000001,18/09/2026,18/09/2026,01/10/2026,Yes\n"
)
DIRECTORY = (
    b"Location ID,Location HSCA Start Date,Dormant (Y/N),Care home?,Location Name,Care homes beds,"
    b"Location Type/Sector,Location Local Authority,Location Postal Code,Provider ID,Provider Name\n"
    b"1-900000001,01/10/2010,N,Y,Rose Lodge,40,Social Care Org,Luton,LU1 1AA,1-800000001,Rose Care Limited\n"
    b"1-900000002,01/10/2010,N,Y,Ivy House,20,Social Care Org,Luton,LU1 1AB,1-800000001,Rose Care Limited\n"
)
PEOPLE = [
    ("Ada Host", "14:00:00", "15:30:00", "1h 30m", "ada@team.example", "Organizer"),
    ("Givenb Familyb", "14:01:00", "15:29:00", "1h 28m", "learner1@care.example", "Attendee"),
    ("Givend (Guest)", "14:00:00", "15:00:00", "1h", "", "Attendee"),
    ("Givend (Guest)", "15:00:00", "15:30:00", "30m", "", "Attendee"),
    ("Givenc", "14:00:00", "15:30:00", "1h 30m", "", "Attendee"),
]
"""Two lines name one guest in the same way."""

REJECTED = completion(1).replace("16/09/2026", "soon")
COMPLETIONS = completions([*(completion(number) for number in range(4)), REJECTED, completion(0)])
ATTENDANCE = report(PEOPLE)


@dataclass(frozen=True, slots=True)
class Programme:
    """The imports."""

    completions: UUID
    attendance: UUID


async def small_programme(installation: Installation, tenant_id: UUID) -> Programme:
    """Take a file of each format in."""
    area = {"local_authorities": ["Luton"]}
    await take(installation, tenant_id, DIRECTORY, "cqc_locations", area, filename="directory.csv")
    learned = await take(installation, tenant_id, COMPLETIONS, "completions", {"tier": 1}, filename="completions.csv")
    attended = await take(installation, tenant_id, ATTENDANCE, "teams_attendance", SESSION, filename="webinar.csv")
    await take(installation, tenant_id, FEEDBACK, "feedback", {"tier": 2, "invited": 8}, filename="feedback.csv")
    await take(installation, tenant_id, CHAMPIONS, "champions", {"tier": 3}, filename="champions.csv")
    return Programme(learned.id, attended.id)


async def upload(
    visitor: Visitor, content: bytes | None, fields: Mapping[str, Any] | None = None, filename: str = "file.csv"
) -> httpx2.Response:
    """Send a file through the form, as a browser does."""
    await visitor.get("/console/imports/start")
    files = {"file": (filename if content is not None else "", content or b"", "application/octet-stream")}
    return await visitor.http.post(
        "/console/imports/start",
        data={"token": visitor.token, **(fields or {})},
        files=files,
        headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"},
    )


def import_id(answer: httpx2.Response) -> UUID:
    """The import that a form led to."""
    assert answer.status_code == 303, answer.text
    return UUID(answer.headers["location"].partition("/imports/")[2].partition("?")[0])
