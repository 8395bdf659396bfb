"""The training file of the ASC-WDS bulk upload: its 12 columns, and what its service finds wrong. Pure functions.

Codes and limits are those of the service that reads the file (NMDSdevopsServiceAdm/SopraSteria-SFC, its validator of
training files): 1000 and more are errors, which it refuses, 2000 and more are warnings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.training.requirements.rules import DeliveryMode, add_months

HEADINGS = (
    "LOCALESTID", "UNIQUEWORKERID", "CATEGORY", "TRAININGNAME", "ACCREDITED", "WHODELIVERED", "PROVIDERNAME",
    "HOWDELIVERED", "VALIDITY", "DATECOMPLETED", "EXPIRYDATE", "NOTES",
)  # fmt: skip
MEDICATION = 13
"""Medication management: the category of training that nothing else is said of."""
OTHER_PROVIDER = 999
IN_HOUSE, EXTERNAL = 1, 2
FACE_TO_FACE, E_LEARNING = 1, 2
LONGEST_ID, LONGEST_NAME, MOST_MONTHS = 50, 120, 999

_CODES = {
    "LOCALESTID_ERROR": 1000, "UNIQUE_WORKER_ID_ERROR": 1010, "DATE_COMPLETED_ERROR": 1020, "EXPIRY_DATE_ERROR": 1030,
    "TRAININGNAME_ERROR": 1040, "CATEGORY_ERROR": 1050, "PROVIDERNAME_ERROR": 1090, "VALIDITY_ERROR": 1110,
    "DATE_COMPLETED_WARNING": 2020, "TRAININGNAME_WARNING": 2040, "HOWDELIVERED_WARNING": 2100,
}  # fmt: skip
_SAFE_ID = re.compile(r"[+\-]?\w[\w \-.,/'&#:()]*")


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """A row of the file. Empty ids are not known yet; `months` None: it does not end."""

    local_id: str
    worker_id: str
    category: int
    name: str
    accredited: bool
    who: int
    provider_code: int
    how: int | None
    months: int | None
    completed_on: date

    @property
    def expires_on(self) -> date | None:
        """The last day on which it counts, as the service reckons: so many months later, less a day."""
        return None if self.months is None else expiry(self.completed_on, self.months)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a line of the file (the heading is line 1). An error keeps the file from being made."""

    line: int
    code: int
    name: str
    column: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether the service would refuse the row."""
        return self.code < 2000


def expiry(completed_on: date, months: int) -> date:
    """The last day: `months` after the completion, less one day."""
    return add_months(completed_on, months) - timedelta(days=1)


def how_delivered(mode: str | None, webinar_how: int) -> int | None:
    """HOWDELIVERED of a mode; it knows two values only, so a tenant says what webinars are. None: nothing is known."""
    if mode == DeliveryMode.WEBINAR:
        return webinar_how
    if mode == DeliveryMode.E_LEARNING:
        return E_LEARNING
    return None if mode is None else FACE_TO_FACE


def category_of(course: int | None, topics: Iterable[int]) -> int:
    """The category of a course: its own, else that of its topics where all that say one say the same."""
    if course is not None:
        return course
    said = set(topics)
    return said.pop() if len(said) == 1 else MEDICATION


def cells(row: TrainingRow) -> tuple[str, ...]:
    """The row as texts, in the order of HEADINGS."""
    expires_on = row.expires_on
    return (
        row.local_id,
        row.worker_id,
        str(row.category),
        shortened(row.name),
        str(int(row.accredited)),
        str(row.who),
        str(row.provider_code) if row.who == EXTERNAL else "",
        str(row.how or ""),
        "none" if row.months is None else str(row.months),
        f"{row.completed_on:%d/%m/%Y}",
        f"{expires_on:%d/%m/%Y}" if expires_on else "",
        "",
    )


def shortened(name: str) -> str:
    """The name as long as the service takes it."""
    plain = " ".join(name.split())
    return plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 1].rstrip()}…"


def faults_of_id(text: str) -> str | None:
    """What is wrong with a LOCALESTID or UNIQUEWORKERID; None for a sound one."""
    if not text:
        return "Enter the id."
    if len(text) > LONGEST_ID:
        return f"The id has more than {LONGEST_ID} characters. Give it a shorter one in the ASC-WDS."
    if not _SAFE_ID.fullmatch(text):
        return "A spreadsheet could take this id for a formula. Give it one of letters and digits in the ASC-WDS."
    return None


def check(rows: Iterable[TrainingRow], today: date, categories: Mapping[int, str]) -> list[Finding]:
    """What the service would find, line by line."""
    found: list[Finding] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in enumerate(rows, 2):
        faults = _faults(row, today, categories)
        first = seen.setdefault((row.local_id, row.worker_id, str(row.category), row.name, f"{row.completed_on}"), line)
        if first != line and row.worker_id:
            message = f"The same training on the same day stands in line {first}."
            faults.append(("DATE_COMPLETED_WARNING", "DATECOMPLETED", message))
        found += [Finding(line, _CODES[name], name, column, message) for name, column, message in faults]
    return found


def _faults(row: TrainingRow, today: date, categories: Mapping[int, str]) -> list[tuple[str, str, str]]:
    found = []
    for text, name, column, message in (
        (row.local_id, "LOCALESTID_ERROR", "LOCALESTID", "Enter the workplace’s id (LOCALESTID) on this page."),
        (row.worker_id, "UNIQUE_WORKER_ID_ERROR", "UNIQUEWORKERID", "Say which worker of the ASC-WDS this is."),
    ):
        fault = faults_of_id(text) if text else message
        if fault is not None:
            found.append((name, column, fault))
    if row.completed_on > today:
        found.append(("DATE_COMPLETED_ERROR", "DATECOMPLETED", "The day lies in the future. Correct the completion."))
    expires_on = row.expires_on
    if expires_on is not None and expires_on <= row.completed_on:
        message = "It would end before it was completed. Correct the validity of the tier."
        found.append(("EXPIRY_DATE_ERROR", "EXPIRYDATE", message))
    if row.months is not None and not 1 <= row.months <= MOST_MONTHS:
        message = f"The validity must be 1 to {MOST_MONTHS} months. Correct the tier."
        found.append(("VALIDITY_ERROR", "VALIDITY", message))
    if row.category not in categories:
        found.append(("CATEGORY_ERROR", "CATEGORY", "There is no such category. Choose another for the course."))
    if not row.name.strip():
        found.append(("TRAININGNAME_ERROR", "TRAININGNAME", "The training has no name. Give it one."))
    elif shortened(row.name) != " ".join(row.name.split()):
        message = f"The name is cut to {LONGEST_NAME} characters."
        found.append(("TRAININGNAME_WARNING", "TRAININGNAME", message))
    if row.how is None:
        message = "How it was delivered is not known and is left empty. Say it on the course’s page."
        found.append(("HOWDELIVERED_WARNING", "HOWDELIVERED", message))
    return found
