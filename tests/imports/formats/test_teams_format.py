"""Microsoft Teams attendance reports in their old, new, webinar and translated forms, and attended time."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.imports.formats import FORMATS, UnreadableFile, detect
from app.imports.formats.base import AttendanceRecord, Context, Parsed, Rejected
from app.training.rules import attended_seconds, union_seconds

FORM = FORMATS["teams_attendance"]
TODAY = date(2026, 11, 24)
START = datetime(2026, 7, 22, 18, 0, tzinfo=UTC)

MEETING = """1. Summary
Meeting title\tPRN medicines
Attended participants\t3
Start time\t7/22/26, 7:00:00 PM
End time\t7/22/26, 8:30:05 PM
Meeting duration\t1h 30m 5s
Average attendance time\t1h 2m

2. Participants
Name\tFirst Join\tLast Leave\tIn-Meeting Duration\tEmail\tParticipant ID (UPN)\tRole
Ada Invented\t7/22/26, 7:00:11 PM\t7/22/26, 8:30:02 PM\t1h 20m 0s\tAda@Care.Example\tada@care.example\tOrganizer
Ben Made-Up (Guest)\t7/22/26, 7:10:00 PM\t7/22/26, 7:20:00 PM\t10m\t\t\tAttendee
+44 7700 ***\t7/22/26, 7:10:00 PM\t7/22/26, 8:20:00 PM\t1h 10m\t\t\tAttendee

3. In-Meeting Activities
Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole
Ada Invented\t7/22/26, 7:00:11 PM\t7/22/26, 7:30:11 PM\t30m\tada@care.example\tOrganizer
Ada Invented\t7/22/26, 7:40:02 PM\t7/22/26, 8:30:02 PM\t50m\tada@care.example\tOrganizer
"""


def read(
    folder: Path, text: str, options: dict[str, Any] | None = None, encoding: str = "utf-16"
) -> tuple[dict[str, Any], list[tuple[str, Parsed]]]:
    path = folder / "report.csv"
    path.write_text(text, encoding=encoding)
    assert detect(path, "report.csv")[0].format_code == "teams_attendance"
    facts = FORM.facts(path, options or {}, TODAY)
    context = Context(TODAY, options or {}, facts)
    return facts, [(raw.section, FORM.parse(raw, context)) for raw in FORM.stage(path, options or {})]


def people(rows: list[tuple[str, Parsed]], section: str = "participants") -> list[AttendanceRecord]:
    return [parsed for where, parsed in rows if where == section and isinstance(parsed, AttendanceRecord)]


@pytest.mark.row("A30")
def test_a_meeting_report_yields_minutes_for_every_person(tmp_path: Path) -> None:
    facts, rows = read(tmp_path, MEETING)
    assert facts == {
        "date_order": "month_first", "date_order_certain": True, "durations_hidden": False, "title": "PRN medicines",
        "started_at": "2026-07-22T18:00:00+00:00", "ended_at": "2026-07-22T19:30:05+00:00", "participants": 3,
    }  # fmt: skip
    ada, ben, phone = people(rows)
    assert ada == AttendanceRecord(
        "Ada Invented", "ada@care.example", "organizer", START + timedelta(seconds=11),
        START + timedelta(minutes=90, seconds=2), 4800, "ada@care.example",
    )  # fmt: skip
    assert (ben.display_name, ben.email, ben.seconds) == ("Ben Made-Up (Guest)", None, 600)
    assert (phone.display_name, phone.seconds) == ("+44 7700 ***", 4200)
    assert [record.seconds for record in people(rows, "activities")] == [1800, 3000]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-be", "utf-16-le"])
def test_the_same_from_other_encodings_and_as_commas(tmp_path: Path, encoding: str) -> None:
    _, rows = read(tmp_path, MEETING, encoding=encoding)
    quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split("\t")) for line in MEETING.splitlines())
    assert read(tmp_path, quoted, encoding=encoding)[1] == rows


def test_day_first_reports_and_the_order_option(tmp_path: Path) -> None:
    ambiguous = MEETING.replace("7/22/26", "3/4/26").replace("Meeting duration\t1h 30m 5s\n", "")
    facts, rows = read(tmp_path, ambiguous)
    assert (facts["date_order"], facts["date_order_certain"]) == ("day_first", False)
    assert people(rows)[0].joined_at == datetime(2026, 4, 3, 18, 0, 11, tzinfo=UTC)
    facts, rows = read(tmp_path, ambiguous, {"date_order": "month_first"})
    assert facts["date_order_certain"]
    assert people(rows)[0].joined_at == datetime(2026, 3, 4, 19, 0, 11, tzinfo=UTC)


def test_the_length_of_the_meeting_settles_the_order(tmp_path: Path) -> None:
    night = (
        MEETING.replace("7/22/26, 8", "1/6/26, 8").replace("7/22/26", "1/5/26").replace("1h 30m 5s", "1 day 1h 30m 5s")
    )
    facts, _ = read(tmp_path, night)
    assert (facts["date_order"], facts["date_order_certain"]) == ("month_first", True)


def test_another_time_zone(tmp_path: Path) -> None:
    _, rows = read(tmp_path, MEETING, {"time_zone": "UTC"})
    assert people(rows)[0].joined_at == START + timedelta(hours=1, seconds=11)


def test_hidden_durations_stay_unknown(tmp_path: Path) -> None:
    facts, rows = read(
        tmp_path, "2. Participants\nName\tEmail\tParticipant ID (UPN)\tRole\nAda\ta@b.example\t\tAttendee\n"
    )
    assert facts["durations_hidden"]
    assert [record.seconds for record in people(rows)] == [None]
    blank = MEETING.replace("1h 20m 0s", "").replace("10m\t", "\t")
    assert people(read(tmp_path, blank)[1])[0].seconds is None


def test_a_webinar_report_tells_who_did_not_come(tmp_path: Path) -> None:
    text = (
        "First Name\tLast Name\tEmail\tRegistration Time\tRegistration Status\tJoin Time\tLeave Time\t"
        "Time in Session\tRole\n"
        "Ada\tInvented\tada@care.example\t20/07/2026, 10:00:00\tRegistered\t22/07/2026, 19:00:00\t"
        "22/07/2026, 20:00:00\t1h\tAttendee\n"
        "Cy\tAbsent\tcy@care.example\t20/07/2026, 10:00:00\tRegistered\t\t\t\tAttendee\n"
    )
    _, rows = read(tmp_path, text)
    assert [(record.display_name, record.seconds) for record in people(rows)] == [
        ("Ada Invented", 3600),
        ("Cy Absent", 0),
    ]


def test_the_oldest_form_pairs_joining_with_leaving(tmp_path: Path) -> None:
    text = (
        "Full Name\tUser Action\tTimestamp\n"
        "Ada Invented\tJoined\t22/07/2026, 19:00:00\nBen\tJoined before\t22/07/2026, 19:00:00\n"
        "Ada Invented\tLeft\t22/07/2026, 19:30:00\nAda Invented\tJoined\t22/07/2026, 19:40:00\n"
        "Ada Invented\tLeft\t22/07/2026, 19:50:00\n"
    )
    _, rows = read(tmp_path, text)
    assert [(record.display_name, record.seconds) for record in people(rows)] == [
        ("Ada Invented", 1800), ("Ada Invented", 600), ("Ben", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("summary", "section", "headings", "role"),
    [
        ("1. Zusammenfassung\nStartzeit\t22.07.2026, 19:00:00", "2. Teilnehmer",
         "Name\tErster Beitritt\tLetztes Verlassen\tDauer\tE-Mail\tTeilnehmer-ID (UPN)\tRolle", "Teilnehmer"),
        ("1. Résumé\nHeure de début\t22/07/2026 19:00:00", "2. Participants",
         "Nom\tPremière connexion\tDernière sortie\tDurée en réunion\tAdresse e-mail\tID du participant (UPN)\tRôle",
         "Participant"),
        ("1. Resumen\nHora de inicio\t22/7/2026, 19:00:00", "2. Participantes",
         "Nombre\tPrimera unión\tÚltima salida\tDuración\tCorreo electrónico\tId. de participante (UPN)\tRol",
         "Asistente"),
    ],
)  # fmt: skip
def test_reports_in_other_languages(tmp_path: Path, summary: str, section: str, headings: str, role: str) -> None:
    row = f"Ada\t22/07/2026, 19:00:00\t22/07/2026, 20:00:00\t1 h 0 min\ta@b.example\tx\t{role}"
    facts, rows = read(tmp_path, f"{summary}\n\n{section}\n{headings}\n{row}\n")
    assert facts["started_at"] == "2026-07-22T18:00:00+00:00"
    (record,) = people(rows)
    assert (record.seconds, record.role, record.joined_at) == (3600, "attendee", START)


def test_rows_that_cannot_be_are_rejected(tmp_path: Path) -> None:
    odd = MEETING.replace("\t7/22/26, 7:10:00 PM\t7/22/26, 7:20:00 PM\t10m", "\tat seven\t7/22/26, 7:20:00 PM\t10m")
    _, rows = read(tmp_path, odd)
    assert [parsed.code for _, parsed in rows if isinstance(parsed, Rejected)] == ["BAD_DATE"]
    odd = MEETING.replace("7/22/26, 7:20:00 PM\t10m", "7/22/26, 7:05:00 PM\t")
    assert [parsed.code for _, parsed in read(tmp_path, odd)[1] if isinstance(parsed, Rejected)] == ["LEFT_BEFORE_JOIN"]


def test_unknown_headings_refuse_the_file_instead_of_losing_people(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        "1. Summary\nStart time\t22/07/2026\n\n2. Participants\nFoo\tBar\tBaz\nAda\t1\t2\n", encoding="utf-16"
    )
    with pytest.raises(UnreadableFile) as refusal:
        list(FORM.stage(path, {}))
    assert refusal.value.code == "NO_HEADER"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_attended_time_counts_overlaps_once_and_adds_restarts() -> None:
    assert union_seconds([(at(0), at(30)), (at(20), at(40)), (at(50), at(60))]) == 3000
    assert attended_seconds([(at(0), at(30), 1800), (at(0), at(30), 1800)]) == 1800
    # One person's line of the participants' section with absences, and her stays from the activities.
    assert attended_seconds([(at(0), at(60), 2400), (at(0), at(20), 1200), (at(40), at(60), 1200)]) == 2400
    # The meeting was restarted: two reports.
    assert attended_seconds([(at(0), at(30), 1500), (at(35), at(60), 1500)]) == 3000
    assert attended_seconds([(None, None, 600), (None, None, 600)]) == 600
    assert attended_seconds([(None, None, None), (at(0), None, None)]) is None
    assert attended_seconds([]) is None


stays = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 100), st.integers(0, 100)).map(
        lambda made: (at(made[0]), at(made[0] + made[1]), min(made[1], made[2]) * 60)
    ),
    min_size=1,
    max_size=8,
)


@given(stays, st.randoms())
def test_attended_time_knows_no_order_and_no_second_count(lines: list[Any], random: Any) -> None:
    seconds = attended_seconds(lines)
    assert seconds is not None
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert attended_seconds(shuffled) == seconds == attended_seconds(lines + lines)
    assert seconds <= union_seconds((joined, left) for joined, left, _ in lines)
