"""The demonstration's Teams attendance reports: several forms, a restarted webinar, guests, phones, hidden times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from app.cli.demo_files.people import Person
from app.cli.demo_files.writing import Value, write_text
from tenants.clock import LONDON

LENGTH = timedelta(minutes=90)
TOPICS = (
    "When required (PRN) medicines", "Covert administration", "Homely remedies", "Controlled drugs in care homes",
    "Time-critical medicines", "Transfer of care", "Antipsychotics and dementia",
)  # fmt: skip

Stay = tuple[datetime, datetime]
Moments = Callable[[datetime], str]


def _seconds(stay: Stay) -> int:
    return round((stay[1] - stay[0]).total_seconds())


@dataclass(frozen=True, slots=True)
class Attendee:
    """A line of a report: who, as the report shows them, and when they were there."""

    name: str
    email: str
    role: str
    stays: tuple[Stay, ...]
    given_name: str = ""
    family_name: str = ""

    @property
    def seconds(self) -> int:
        """Time in all stays."""
        return sum(_seconds(stay) for stay in self.stays)


@dataclass(frozen=True, slots=True)
class Webinar:
    """A webinar with its reports and how many of its attendances count."""

    title: str
    starts: datetime
    attended: int
    hidden: bool
    paths: tuple[Path, ...]
    options: dict[str, Any]
    below: int
    unmatched: int


def write_webinars(
    folder: Path, counts: Sequence[int], people: Sequence[Person], label: str, seed: int, team: str
) -> list[Webinar]:
    """Write the reports of one webinar for each count; exactly that many people count as having attended."""
    random = Random(f"webinars {label} {seed}")  # noqa: S311 the same files every time
    known = [person for person in people if not person.shared]
    return [
        _webinar(folder, number, count, len(counts), known, label, random, team) for number, count in enumerate(counts)
    ]


def _webinar(
    folder: Path, number: int, count: int, total: int, known: Sequence[Person], label: str, random: Random, team: str
) -> Webinar:
    day = datetime(2024, 11, 13, 14, 0) + timedelta(days=7 * round(number * 100 / max(total, 8)))  # noqa: DTZ001
    topic = TOPICS[number % len(TOPICS)]
    present = random.sample(known, count + count // 15 + 1)
    full, brief = present[:count], present[count:]
    restarted = number == 5
    hidden = number == 8
    attendees = [_attendee(random, person, day, restarted) for person in full]
    if not hidden:
        attendees += [_line(random, person, (_early(random, day),)) for person in brief]
    guests = [
        Attendee(f"{person.given_name} (Guest)", "", "Attendee", (_stay(day, 88),))
        for person in random.sample(known, 4)
    ] + [Attendee("+44 7700 ***", "", "Attendee", (_stay(day, 85),))]
    hosts = [
        Attendee("Medicines Team", f"medicines.team@{team}.example", "Organizer", (_stay(day, 89),)),
        Attendee("Facilitator Invented", f"facilitator@{team}.example", "Presenter", (_stay(day, 89),)),
    ]
    random.shuffle(attendees)
    everyone = [*hosts, *attendees, *guests]
    form, order = (
        (_hidden, None) if hidden else (_american, "month_first") if restarted else _FORMS[number % len(_FORMS)]
    )
    path = folder / f"webinar-{number + 1:02}-{day:%Y-%m-%d}.csv"
    paths: tuple[Path, ...]
    if restarted:
        halves = [_part(everyone, half) for half in (0, 1)]
        paths = tuple(
            _meeting(path.with_stem(f"{path.stem}-report-{half}"), topic, lines, _us)
            for half, lines in enumerate(halves, 1)
        )
    else:
        absent = [item for item in random.sample(known, min(12, len(known))) if item not in present]
        paths = (form(path, topic, everyone, absent),)
    starts = day.replace(tzinfo=LONDON).astimezone(UTC)
    return Webinar(
        topic,
        starts,
        count,
        hidden,
        paths,
        {
            "session_key": f"{label}-webinar-{number + 1:02}",
            "session_title": f"{topic} ({day:%B %Y})",
            "starts_at": starts.isoformat(),
            "ends_at": (starts + LENGTH).isoformat(),
            "tier": 2,
            "online_mode": "webinar",
            "time_zone": "Europe/London",
        }
        | ({"date_order": order} if order else {}),
        0 if hidden else len(brief),
        len(guests),
    )


def _early(random: Random, day: datetime) -> Stay:
    """Someone who looked in and left."""
    return _stay(day + timedelta(minutes=random.randint(0, 30)), random.randint(3, 30))


def _stay(start: datetime, minutes: float) -> Stay:
    return start, start + timedelta(minutes=minutes)


def _shown(item: Attendee, *stays: Stay) -> Attendee:
    return Attendee(item.name, item.email, item.role, stays, item.given_name, item.family_name)


def _line(random: Random, person: Person, stays: tuple[Stay, ...]) -> Attendee:
    shown = random.random()
    name = person.full_name
    if shown < 0.1:
        name = f"{person.family_name}, {person.given_name}"
    elif shown < 0.2:
        name = f"{person.full_name} (Guest)"
    return Attendee(name, person.email, "Attendee", stays, person.given_name, person.family_name)


def _attendee(random: Random, person: Person, day: datetime, restarted: bool) -> Attendee:
    """Someone who was there for at least four fifths: in one stay, with a break, or over a restart."""
    late = random.randint(0, 5)
    joined = day + timedelta(minutes=late, seconds=random.randint(0, 59))
    end = day + timedelta(minutes=random.randint(85, 89), seconds=random.randint(0, 59))
    if restarted:
        # The meeting broke down after 40 minutes and began again 3 minutes later: neither part is enough alone.
        return _line(random, person, ((joined, day + timedelta(minutes=40)), (day + timedelta(minutes=43), end)))
    if random.random() < 0.2:
        pause = day + timedelta(minutes=random.randint(20, 60))
        return _line(random, person, ((joined, pause), (pause + timedelta(minutes=4), end)))
    return _line(random, person, ((joined, end),))


def _part(lines: Sequence[Attendee], half: int) -> list[Attendee]:
    parts = []
    for item in lines:
        if len(item.stays) == 2:
            parts.append(_shown(item, item.stays[half]))
        elif half == 0:
            parts.append(item)
    return parts


def _us(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at:%y}, {(at.hour - 1) % 12 + 1}:{at:%M:%S}\u202f{'AM' if at.hour < 12 else 'PM'}"


def _british(at: datetime) -> str:
    return f"{at:%d/%m/%Y, %H:%M:%S}"


def _length(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return " ".join(f"{amount}{unit}" for amount, unit in ((hours, "h"), (rest // 60, "m"), (rest % 60, "s")) if amount)


def _meeting(path: Path, title: str, lines: Sequence[Attendee], written: Moments) -> Path:
    """The present form with three sections, in UTF-16 with tabs."""
    begin = min(joined for item in lines for joined, _ in item.stays)
    end = max(left for item in lines for _, left in item.stays)
    rows: list[Sequence[Value]] = [
        ("1. Summary",), ("Meeting title", title), ("Attended participants", len(lines)),
        ("Start time", written(begin)), ("End time", written(end)),
        ("Meeting duration", _length(round((end - begin).total_seconds()))), ("",),
        ("2. Participants",),
        ("Name", "First Join", "Last Leave", "In-Meeting Duration", "Email", "Participant ID (UPN)", "Role"),
    ]  # fmt: skip
    rows += [
        (item.name, written(item.stays[0][0]), written(item.stays[-1][1]), _length(item.seconds), item.email,
         item.email, item.role)
        for item in lines
    ]  # fmt: skip
    rows += [("",), ("3. In-Meeting Activities",), ("Name", "Join Time", "Leave Time", "Duration", "Email", "Role")]
    rows += [
        (
            item.name,
            written(joined),
            written(left),
            _length(_seconds((joined, left))),
            item.email,
            item.role,
        )
        for item in lines
        for joined, left in item.stays
    ]
    return write_text(path, rows, "utf-16", "\t", "\n")


def _american(path: Path, title: str, lines: Sequence[Attendee], absent: Sequence[Person]) -> Path:
    return _meeting(path, title, lines, _us)


def _meeting_british(path: Path, title: str, lines: Sequence[Attendee], absent: Sequence[Person]) -> Path:
    return _meeting(path, title, lines, _british)


def _registrations(path: Path, title: str, lines: Sequence[Attendee], absent: Sequence[Person]) -> Path:
    """The webinar form: registrations with the time in session; those who did not come have none."""
    rows: list[Sequence[Value]] = [
        ("First Name", "Last Name", "Email", "Registration Time", "Registration Status", "Join Time", "Leave Time",
         "Time in Session", "Role"),
    ]  # fmt: skip
    for item in lines:
        joined, left = item.stays[0][0], item.stays[-1][1]
        rows.append((
            item.given_name or item.name, item.family_name, item.email, _british(joined - timedelta(days=9)),
            "Registered", _british(joined), _british(left), _length(item.seconds), item.role,
        ))  # fmt: skip
    for person in absent:
        rows.append((
            person.given_name, person.family_name, person.email, _british(lines[0].stays[0][0] - timedelta(days=9)),
            "Registered", "", "", "", "Attendee",
        ))  # fmt: skip
    return write_text(path, rows, "utf-8-sig", ",")


def _events(path: Path, title: str, lines: Sequence[Attendee], absent: Sequence[Person]) -> Path:
    """An older form without sections: one row a stay."""
    rows: list[Sequence[Value]] = [
        ("Meeting Summary",), ("Total Number of Participants", len(lines)), ("Meeting Title", title), ("",),
        ("Full Name", "Join Time", "Leave Time", "Duration", "Email", "Role", "Participant ID (UPN)"),
    ]  # fmt: skip
    rows += [
        (item.name, _british(joined), _british(left), _length(_seconds((joined, left))), item.email,
         item.role, item.email)
        for item in lines
        for joined, left in item.stays
    ]  # fmt: skip
    return write_text(path, rows, "utf-16", "\t", "\n")


def _hidden(path: Path, title: str, lines: Sequence[Attendee], absent: Sequence[Person]) -> Path:
    """Where the policy shows only who attended: no times."""
    rows: list[Sequence[Value]] = [
        ("1. Summary",), ("Meeting title", title), ("Attended participants", len(lines)), ("",), ("2. Participants",),
        ("Name", "Email", "Participant ID (UPN)", "Role"),
    ]  # fmt: skip
    rows += [(item.name, item.email, item.email, item.role) for item in lines]
    return write_text(path, rows, "utf-16", "\t", "\n")


_FORMS: tuple[tuple[Callable[[Path, str, Sequence[Attendee], Sequence[Person]], Path], str | None], ...] = (
    (_meeting_british, None),
    (_american, "month_first"),
    (_registrations, None),
    (_events, None),
)
