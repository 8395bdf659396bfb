"""Lists of Medication Champions, as programme teams keep them in spreadsheets."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from app.imports.formats.base import ChampionRecord, Context, Format, Ignored, Parsed, RawRow, Rejected
from app.imports.formats.dates import order_of, read_date
from app.imports.formats.tables import not_a_row, stage_table
from app.imports.formats.values import (
    Cells,
    Synonyms,
    columns_of,
    email_of,
    heading_key,
    location_id_of,
    named_columns,
    order_option,
    split_name,
    text_option,
    zone_of,
)

CODE = "champions"
EARLIEST = date(2000, 1, 1)
WANTED = "a column for the champion's name and one for the date trained, the start date or the care home"

COLUMNS = Synonyms({
    "trained": (
        "date trained", "trained", "trained on", "tier 3 completed", "tier 3 date", "date of training", "training date",
        "date tier 3 completed", "champion training date", "tier 3 training date", "tier 3", "date attended",
        "date completed", "completed", "completion date", "training completed", "date of tier 3", "tier 3 completed on",
        "date of tier 3 training", "champion day", "champion day attended", "champions day", "trained date",
        "tier 3 attended",
    ),
    "given_name": ("first name", "firstname", "forename", "given name", "champion first name", "forenames"),
    "family_name": ("surname", "last name", "lastname", "family name", "champion surname", "champion last name"),
    "full_name": (
        "name", "full name", "champion", "champion name", "name of champion", "medication champion",
        "medicines champion",
        "medication champion name", "staff name", "staff member", "medicines champion name",
        "name of medication champion",
    ),
    "email": ("email", "email address", "e mail", "e mail address", "champion email", "contact email", "work email"),
    "cqc_location_id": (
        "cqc location id", "cqc id", "location id", "cqc location", "cqc number", "cqc location number",
        "cqc registration number",
    ),
    "location": (
        "care home", "care home name", "location", "location name", "workplace", "home", "organisation", "employer",
        "service", "service name", "provider", "place of work", "home name", "care setting", "care service", "site",
        "name of care home", "name of home", "name of service",
    ),
    "job_role": ("role", "job role", "job title", "position", "post"),
    "started": (
        "start date", "started", "date started", "champion since", "champion from", "from", "appointed",
        "in role since",
        "date appointed", "start",
    ),
    "ended": (
        "end date", "left", "date left", "ended", "leaving date", "leave date", "stepped down", "to", "until", "end",
        "left on", "date stepped down", "leaver", "date of leaving", "champion until",
    ),
    "deputy": ("deputy", "deputy champion", "is deputy", "champion or deputy", "deputy y n", "champion deputy", "type"),
})  # fmt: skip

_YES = frozenset({"y", "yes", "true", "1", "x", "deputy", "deputy champion", "d", "ja", "✓", "✔"})


def weigh(cells: Sequence[str], named: Mapping[str, str] | None = None) -> float:
    """How much a line looks like the headings of a list of champions."""
    found = columns_of(cells, COLUMNS, named)
    if not found.keys() & {"full_name", "family_name"} or not found.keys() & {"trained", "started", "location"}:
        return 0.0
    if len(found) < 3 and not named:
        return 0.0
    keys = " | ".join(heading_key(cell) for cell in cells)
    value = 0.3 + min(len(found), 8) * 0.02
    value += 0.35 * ("champion" in keys or "tier 3" in keys)
    value += 0.25 * ("deputy" in found)
    value += 0.2 * bool(re.search(r"\b(date trained|trained on|training date|date of training)\b", keys))
    value += 0.1 * ("ended" in found and "started" in found)
    return min(value, 1.0)


def score(head: Sequence[Sequence[str]]) -> float:
    """As `Format.score`."""
    return max((weigh(cells) for cells in head), default=0.0)


def stage(path: Path, options: Mapping[str, Any]) -> Iterator[RawRow]:
    """As `Format.stage`."""
    named = named_columns(options)
    return stage_table(path, lambda cells: weigh(cells, named), WANTED)


def facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The order of day and month, where the dates prove one and no option says it."""
    if text_option(options, "date_order"):
        return {}
    named = named_columns(options)
    texts = [
        raw.cells.get(heading, "")
        for raw in stage(path, options)
        for name, heading in columns_of(raw.cells, COLUMNS, named).items()
        if name in ("trained", "started", "ended")
    ]
    order = order_of(texts)
    return {"date_order": order} if order else {}


def parse(raw: RawRow, context: Context) -> Parsed:
    """As `Format.parse`."""
    unsound = not_a_row(raw)
    if unsound is not None:
        return unsound
    cells = Cells(raw, COLUMNS, context)
    given, family = cells["given_name"], cells["family_name"]
    if not (given or family) and cells["full_name"]:
        given, family = split_name(cells["full_name"] or "")
    email = email_of(cells["email"])
    if not (given or family or email):
        if not any(cells[name] for name in ("trained", "started", "ended", "email")):
            # Lists hold lines for homes that have nobody yet.
            return Ignored()
        return Rejected(
            "NO_NAME", cells.heading("full_name"), "The row names no champion. Add the name or e-mail address."
        )
    if cells["email"] and not email:
        return Rejected(
            "BAD_EMAIL", cells.heading("email"), "The e-mail address is not valid. Correct it, or leave it empty."
        )
    dates: dict[str, date | None] = {}
    for name in ("trained", "started", "ended"):
        read = _date(cells, name, context)
        if isinstance(read, Rejected):
            return read
        dates[name] = read
    started, ended = dates["started"], dates["ended"]
    if started and ended and ended < started:
        return Rejected(
            "ENDED_BEFORE_START",
            cells.heading("ended"),
            "The champion's end date lies before the start date. Correct one.",
        )
    location_id = location_id_of(cells["cqc_location_id"])
    if cells["cqc_location_id"] and not location_id:
        return Rejected(
            "BAD_LOCATION_ID",
            cells.heading("cqc_location_id"),
            "The CQC location id is not one. It looks like 1-123456789.",
        )
    return ChampionRecord(
        given_name=given,
        family_name=family,
        email=email,
        location_name=cells["location"],
        cqc_location_id=location_id,
        trained_on=dates["trained"],
        started_on=started,
        ended_on=ended,
        deputy=heading_key(cells["deputy"] or "") in _YES,
        job_role=cells["job_role"],
    )


def _date(cells: Cells, name: str, context: Context) -> date | Rejected | None:
    text, field = cells[name], cells.heading(name)
    if text is None or heading_key(text) in {
        "no",
        "n",
        "not yet",
        "tbc",
        "booked",
        "current",
        "present",
        "ongoing",
        "never",
    }:
        return None
    try:
        day = read_date(text, order_option(context), zone_of(context.options))
    except ValueError:
        return Rejected("BAD_TIME_ZONE", "time_zone", "The time zone of the import is not known. Use Europe/London.")
    if day is None:
        return Rejected(
            "BAD_DATE", field, f"“{text[:60]}” is not a date that can be read. Write it as 16/09/2026 or 2026-09-16."
        )
    if day < EARLIEST:
        return Rejected("DATE_TOO_OLD", field, "The date lies before the year 2000. Correct it.")
    if name == "trained" and day > context.today:
        return Rejected(
            "DATE_IN_FUTURE",
            field,
            "The training date lies in the future. Import the champion again after the training.",
        )
    return day


FORMAT = Format(CODE, "list of Medication Champions", score, stage, parse, facts)
