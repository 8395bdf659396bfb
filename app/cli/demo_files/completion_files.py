"""The demonstration's exports of tier 1 completions: four layouts, overlaps, learners in progress, faulty rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from app.cli.demo_files.people import Person
from app.cli.demo_files.writing import Value, write_text, write_workbook

FIRST_DAY = date(2024, 11, 4)
LAST_DAY = date(2026, 10, 30)
PERIOD_STARTS = (date(2024, 11, 4), date(2025, 7, 1), date(2026, 1, 1), date(2026, 7, 1))
COURSES = (
    ("Safe administration of medicines", "PrescQIPP", "2"),
    ("Legal framework and accountability", "PrescQIPP", "1"),
    ("Record keeping and medicines errors", "PrescQIPP", "1"),
    ("Medicines awareness", "PrescQIPP", "1"),
    ("Medicines awareness", "Invented Care Academy", "1"),
    ("Safe administration of medicines", "PrescQIPP", "1"),
)
"""Title, training provider, version: one title comes from two providers, and one in two versions."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A completed course; times are local."""

    person: Person
    course: tuple[str, str, str]
    started: datetime
    completed: datetime
    minutes: int
    score: int
    certificate: str


@dataclass(frozen=True, slots=True)
class Written:
    """A file with what an import of it alone will refuse or count as in progress."""

    path: Path
    rejected: int
    not_completed: int


def completions_of(people: Sequence[Person], count: int, label: str, seed: int) -> list[Completion]:
    """Exactly `count` completions, more and more of them as time goes on, each person and course once; by time."""
    random = Random(f"completions {label} {seed}")  # noqa: S311 the same files every time
    days = (LAST_DAY - FIRST_DAY).days
    made: dict[tuple[str, tuple[str, str, str]], Completion] = {}
    while len(made) < count:
        number, course = random.randrange(len(people)), random.choice(COURSES)
        person = people[number]
        if (person.account, course) in made:
            continue
        day = FIRST_DAY + timedelta(days=int(days * random.random() ** 0.7))
        completed = datetime(day.year, day.month, day.day, random.randint(8, 21), random.randint(0, 59))  # noqa: DTZ001
        if number % 97 == 3 and completed.year == 2026:
            # Moved to another home, with the same account.
            person = replace(person, place=people[(number + 11) % len(people)].place)
        # Some learners click through in half an hour; the course is meant to take three hours or more.
        minutes = random.randint(25, 35) if random.random() < 0.04 else random.randint(180, 300)
        made[person.account, course] = Completion(
            person,
            course,
            completed - timedelta(minutes=minutes + random.randint(0, 60) * 24 * 60),
            completed,
            minutes,
            random.randint(75, 100),
            f"{label.upper()}-{len(made) + 1:05}",
        )
    return sorted(made.values(), key=lambda completion: (completion.completed, completion.certificate))


def write_completions(folder: Path, completions: Sequence[Completion], people: Sequence[Person]) -> list[Written]:
    """Write the export of each period; each but the first begins with the last rows of the one before."""
    written = []
    ends = (*PERIOD_STARTS[1:], LAST_DAY + timedelta(days=1))
    before: list[Completion] = []
    writers = (_workbook, _commas, _semicolons, _tabs)
    for number, (start, end, write) in enumerate(zip(PERIOD_STARTS, ends, writers, strict=True), 1):
        own = [completion for completion in completions if start <= completion.completed.date() < end]
        if own:
            rows = [*before[-40:], *own, *own[5:20]]
            path = folder / f"tier1-completions-{number}-{start:%Y-%m}"
            written.append(write(path, rows, people[number * 7 : number * 7 + 25], number > 1))
        before = own
    return written


_SPELLINGS = ("{}", "{} Ltd", "The {} Limited", "{}", "{} ")


def _employer(completion: Completion) -> str:
    name = completion.person.place.name
    return _SPELLINGS[len(completion.certificate + completion.person.email) % len(_SPELLINGS)].format(name)


def _location(completion: Completion, known: bool) -> str:
    # Later exports leave the id out now and then: by then the employer's name is known.
    left_out = known and completion.minutes % 29 == 0
    return "" if left_out else completion.person.place.location_id


def _workbook(path: Path, rows: Sequence[Completion], others: Sequence[Person], known: bool) -> Written:
    headings = (
        "Course full name", "Username", "First name", "Last name", "Email address", "Institution", "CQC location ID",
        "Department", "Time started", "Time completed", "Status", "Time spent", "Grade", "Training provider",
        "Course version", "Certificate number",
    )  # fmt: skip
    lines: list[Sequence[Value]] = [["Course completions report"], [], headings]
    for row in rows:
        lines.append((
            row.course[0], row.person.account, row.person.given_name, row.person.family_name, row.person.email,
            _employer(row), _location(row, known), row.person.job_role, row.started, row.completed, "Completed",
            f"{row.minutes // 60}h {row.minutes % 60}m", row.score, row.course[1], int(row.course[2]), row.certificate,
        ))  # fmt: skip
    for number, person in enumerate(others):
        lines.append((
            COURSES[number % 4][0], person.account, person.given_name, person.family_name, person.email,
            person.place.name, person.place.location_id, person.job_role, datetime(2025, 3, 3, 9, 0), None,  # noqa: DTZ001
            "In progress" if number % 3 else "Not started", "0h 20m", None, COURSES[number % 4][1], 1, None,
        ))  # fmt: skip
    person = others[0]
    faulty: list[Sequence[Value]] = [
        ("Medicines awareness", person.account, "", "", "not an address", "", "", "", None, datetime(2025, 3, 3), "Completed"),  # noqa: DTZ001, E501
        ("", person.account, "", "", person.email, "", "", "", None, datetime(2025, 3, 3), "Completed", "", "", "PrescQIPP"),  # noqa: DTZ001, E501
        ("Medicines awareness", "", "", "", "", "", "", "", None, datetime(2025, 3, 3), "Completed", "", "", "PrescQIPP"),  # noqa: DTZ001, E501
    ]  # fmt: skip
    lines.extend(faulty)
    lines.append(("Total", len(rows)))
    return Written(
        write_workbook(path.with_suffix(".xlsx"), {"About": [["Invented data"]], "Completions": lines}),
        len(faulty),
        len(others),
    )


def _commas(path: Path, rows: Sequence[Completion], others: Sequence[Person], known: bool) -> Written:
    headings = (
        "Course name", "Username", "First name", "Surname", "Email address", "Organisation", "CQC location ID",
        "Job role", "Started", "Completed", "Status", "Time spent", "Grade", "Training provider", "Course version",
        "Certificate number",
    )  # fmt: skip
    lines: list[Sequence[Value]] = [headings]
    for number, row in enumerate(rows):
        # Someone typed a formula-like role; it is data.
        role = "=Care worker" if number == 11 else row.person.job_role
        lines.append((
            row.course[0], row.person.account, row.person.given_name, row.person.family_name, row.person.email.upper(),
            _employer(row), _location(row, known), role, _long(row.started), _long(row.completed), "Completed",
            f"{row.minutes // 60:02}:{row.minutes % 60:02}:00", f"{row.score}.00", row.course[1], row.course[2],
            row.certificate,
        ))  # fmt: skip
    blank = ("",) * 5
    for person in others:
        lines.append((
            COURSES[0][0], person.account, person.given_name, person.family_name, person.email, person.place.name, "",
            person.job_role, "1 July 2025, 9:00 AM", "-", "Not yet started", *blank,
        ))  # fmt: skip
    who = ("Medicines awareness", others[0].account, "", "", others[0].email, "", "", "", "")
    faulty: list[Sequence[Value]] = [
        (*who, "31 September 2025, 9:00 AM", "Completed", "", "", "PrescQIPP", "1", ""),
        (*who, "", "Completed", "", "", "PrescQIPP", "1", ""),
        (*who, "1 September 2027, 9:00 AM", "Completed", "", "", "PrescQIPP", "1", ""),
        (*who, "1 September 2025, 9:00 AM", "In progress", "", "", "PrescQIPP", "1", ""),
        (*who, "1 September 2025, 9:00 AM", "Completed", "", "", "PrescQIPP", "1", "", "one cell too many"),
    ]
    lines.extend(faulty)
    return Written(write_text(path.with_suffix(".csv"), lines), len(faulty), len(others))


def _long(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}, {(at.hour - 1) % 12 + 1}:{at.minute:02} {'AM' if at.hour < 12 else 'PM'}"


def _semicolons(path: Path, rows: Sequence[Completion], others: Sequence[Person], known: bool) -> Written:
    headings = (
        "Module", "User ID", "Learner", "E-mail", "Workplace", "CQC ID", "Job title", "Date started", "Date completed",
        "Duration (mins)", "Score", "Supplier", "Version", "Certificate no",
    )  # fmt: skip
    lines: list[Sequence[Value]] = [headings]
    for row in rows:
        lines.append((
            row.course[0], row.person.account, f"{row.person.family_name}, {row.person.given_name}", row.person.email,
            _employer(row), _location(row, known), row.person.job_role, f"{row.started:%d/%m/%Y %H:%M}",
            f"{row.completed:%d/%m/%Y %H:%M}", row.minutes, f"{row.score}%", row.course[1], row.course[2],
            row.certificate,
        ))  # fmt: skip
    for person in others:
        lines.append((
            COURSES[1][0], person.account, f"{person.family_name}, {person.given_name}", person.email,
            person.place.name, "", person.job_role, "05/01/2026 09:00", "", "", "", "PrescQIPP", "1", "",
        ))  # fmt: skip
    path = write_text(path.with_suffix(".csv"), lines, "cp1252", ";")
    person = others[0]
    with path.open("ab") as file:
        file.write(f"Medicines awareness;{person.account};short row\r\n".encode("cp1252"))
        # A byte that Windows-1252 does not have.
        file.write(b"Medicines awareness;x1;Damaged \x81;;;;;;05/01/2026 09:00;;;PrescQIPP;1;\r\n")
        file.write(f"Medicines awareness;{person.account};;;;;;;14/25/2026;;;PrescQIPP;1;\r\n".encode("cp1252"))
    return Written(path, 3, len(others))


def _tabs(path: Path, rows: Sequence[Completion], others: Sequence[Person], known: bool) -> Written:
    headings = (
        "Course", "Username", "First name", "Surname", "Email", "Employer", "CQC location ID", "Job role", "Started on",
        "Completed on", "Completion status", "Time taken", "Final grade", "Course provider", "Course version",
        "Certificate ID",
    )  # fmt: skip
    lines: list[Sequence[Value]] = [headings]
    for row in rows:
        lines.append((
            row.course[0], row.person.account, row.person.given_name, row.person.family_name, row.person.email,
            _employer(row), _location(row, known), row.person.job_role, f"{row.started:%Y-%m-%d %H:%M}",
            f"{row.completed:%Y-%m-%d %H:%M}", "Passed", f"{row.minutes} min", row.score, row.course[1], row.course[2],
            row.certificate,
        ))  # fmt: skip
    for person in others:
        lines.append((
            COURSES[2][0], person.account, person.given_name, person.family_name, person.email, person.place.name, "",
            person.job_role, "2026-07-06 09:00", "Never", "In progress", "", "", "PrescQIPP", "1", "",
        ))  # fmt: skip
    lines.append(("Total", len(rows), *[""] * 14))
    return Written(write_text(path.with_suffix(".csv"), lines, "utf-16", "\t", "\n"), 0, len(others))
