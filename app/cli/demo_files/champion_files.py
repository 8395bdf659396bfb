"""The demonstration's list of Medication Champions: spellings, leavers, deputies, a double role, faulty rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from app.cli.demo_files.people import Person
from app.cli.demo_files.writing import Value, write_text, write_workbook


@dataclass(frozen=True, slots=True)
class Champions:
    """The list with what its import will count: distinct people trained, and those still active at the end."""

    path: Path
    trained: int
    active: int
    rejected: int


HEADINGS = (
    "Name", "Email", "Care home", "CQC location ID", "Role", "Tier 3 completed", "Start date", "End date", "Deputy",
)  # fmt: skip


def write_champions(
    folder: Path, people: Sequence[Person], count: int, label: str, seed: int, *, spreadsheet: bool, last_day: date
) -> Champions:
    """Write a list in which exactly `count` people have completed tier 3."""
    random = Random(f"champions {label} {seed}")  # noqa: S311 the same files every time
    chosen = random.sample([person for person in people if not person.shared], count + 6)
    trained, untrained = chosen[:count], chosen[count:]
    days = sorted(date(2024, 12, 4) + timedelta(days=int(685 * random.random())) for _ in trained)
    rows: list[Sequence[Value]] = [("Medication Champions of the programme",), (), HEADINGS]
    active = 0
    for number, (person, day) in enumerate(zip(trained, days, strict=True)):
        left = day + timedelta(days=random.randint(60, 200)) if number % 14 == 3 else None
        active += left is None or left > last_day
        rows.append(_row(person, day, left, number))
    # One champion serves two homes, and one line was entered twice.
    rows.append(_row(trained[2], days[2], None, 2, trained[9].place.name, trained[9].place.location_id))
    rows.append(_row(trained[4], days[4], None, 4))
    rows += [
        (
            person.full_name,
            person.email,
            person.place.name,
            person.place.location_id,
            person.job_role,
            "Booked",
            "",
            "",
            "",
        )
        for person in untrained
    ]
    empty_home, other = people[1].place, people[2].place
    rows.append(("", "", empty_home.name, empty_home.location_id, "", "", "", "", ""))
    faulty: list[Sequence[Value]] = [
        ("Wrong Date", "", other.name, other.location_id, "", "30/02/2026", "", "", ""),
        ("Wrong Order", "", other.name, other.location_id, "", "02/03/2026", "10/03/2026", "01/03/2026", ""),
        ("Wrong Address", "no address", other.name, other.location_id, "", "02/03/2026", "", "", ""),
    ]
    rows += faulty
    rows.append(("Total", len(rows) - 3))
    path = folder / "medication-champions"
    if spreadsheet:
        write_workbook(path.with_suffix(".xlsx"), {"Champions": rows})
    else:
        write_text(path.with_suffix(".csv"), [_padded(row) for row in rows if row], "cp1252")
    return Champions(path.with_suffix(".xlsx" if spreadsheet else ".csv"), count, active, len(faulty))


def _row(
    person: Person, day: date, left: date | None, number: int, home: str | None = None, location_id: str | None = None
) -> Sequence[Value]:
    name = f"{person.family_name}, {person.given_name}" if number % 5 == 1 else person.full_name
    written = (f"{day:%d/%m/%Y}", f"{day.day} {day:%B %Y}", f"{day:%d-%b-%y}", f"{day:%Y-%m-%d}")[number % 4]
    return (
        name,
        person.email,
        home or (f"The {person.place.name}" if number % 6 == 2 else person.place.name),
        location_id or person.place.location_id,
        person.job_role,
        written,
        f"{day + timedelta(days=1):%d/%m/%Y}",
        f"{left:%d/%m/%Y}" if left else "",
        "Yes" if number % 9 == 4 else "No",
    )


def _padded(row: Sequence[Value]) -> Sequence[Value]:
    return [*row, *[""] * (len(HEADINGS) - len(row))]
