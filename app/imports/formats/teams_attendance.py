"""Microsoft Teams attendance reports of meetings and webinars, in their old and new forms."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.imports.formats.base import (
    AttendanceRecord,
    Context,
    Format,
    Ignored,
    Parsed,
    RawRow,
    Rejected,
    UnreadableFile,
)
from app.imports.formats.dates import DAY_FIRST, MONTH_FIRST, order_of, read_duration, read_moment
from app.imports.formats.tables import Header, no_rows, not_a_row, rows_under, sheet_lines, unique_names
from app.imports.formats.teams_words import (
    FACTS,
    PARTICIPANTS,
    PEOPLE,
    SUMMARY,
    is_joining,
    role_of,
    section_of,
)
from app.imports.formats.text_files import Line
from app.imports.formats.values import (
    Cells,
    clean,
    columns_of,
    email_of,
    heading_key,
    named_columns,
    order_option,
    text_option,
    zone_of,
)

CODE = "teams_attendance"
_HEADINGS = frozenset(word for words in PEOPLE.words.values() for word in words)
_DATES = ("joined", "left", "timestamp")


def weigh(cells: Sequence[str], named: Mapping[str, str] | None = None) -> float:
    """How much a line looks like the headings of an attendance report's people."""
    found = columns_of(cells, PEOPLE, named)
    if not found.keys() & {"name", "given_name", "family_name", "email"}:
        return 0.0
    keys = {heading_key(cell) for cell in cells}
    if {"action", "timestamp"} <= found.keys():
        return 0.85
    value = 0.0
    value += 0.3 * ("joined" in found) + 0.3 * ("left" in found) + 0.15 * ("duration" in found)
    value += 0.2 * bool(
        keys & {"participant id upn", "first join", "last leave", "in meeting duration", "time in session"}
    )
    value += 0.35 * ("registration" in found and "registered" in found)
    if value < 0.3 and not ("duration" in found and "role" in found) and not ("upn" in found and "role" in found):
        # Where the policy hides times, a report is no more than names, addresses and roles.
        return 0.0
    return min(0.4 + value, 1.0)


def score(head: Sequence[Sequence[str]]) -> float:
    """As `Format.score`."""
    best = max((weigh(cells) for cells in head), default=0.0)
    sections = {section_of(_first(cells)) for cells in head if sum(bool(cell) for cell in cells) == 1}
    facts_found = {name for cells in head for name in columns_of(cells[:1], FACTS)}
    if best and (PARTICIPANTS in sections or SUMMARY in sections):
        return max(best, 0.95)
    return 0.6 if not best and SUMMARY in sections and "started" in facts_found else best


def stage(path: Path, options: Mapping[str, Any]) -> Iterator[RawRow]:
    """As `Format.stage`: the summary, one row a fact, then people, then their stays."""
    named = named_columns(options)
    section, header = SUMMARY, None
    waiting: dict[str, RawRow] = {}
    empty = True
    for _, line in sheet_lines(path):
        filled = sum(bool(cell) for cell in line.cells)
        opened = section_of(_first(line.cells)) if filled == 1 else None
        if opened is not None:
            section, header = opened, None
        elif (header is None or _may_be_headings(line.cells, named)) and weigh(line.cells, named) > 0:
            section = PARTICIPANTS if section == SUMMARY else section
            header = Header(None, line.number, unique_names(line.cells), False)
        elif header is not None:
            for raw in rows_under(header, iter([line]), section):
                empty = False
                yield from _stays(raw, waiting)
        elif section == SUMMARY:
            yield _fact(line)
        elif filled > 1:
            raise UnreadableFile(
                "NO_HEADER",
                f"The headings of row {line.number} are not known. Name the columns, or export it in English.",
            )
    yield from waiting.values()
    if empty:
        if header is not None or section != SUMMARY:
            raise no_rows()
        raise UnreadableFile(
            "NO_HEADER",
            "No list of participants was found. Download the attendance report again from the meeting in Teams.",
        )


def _may_be_headings(cells: Sequence[str], named: Mapping[str, str]) -> bool:
    first = heading_key(cells[0])
    return first in _HEADINGS or first in {heading_key(heading) for heading in named.values()}


def _first(cells: Sequence[str]) -> str:
    return next((cell for cell in cells if cell), "")


def _fact(line: Line) -> RawRow:
    cells = [cell for cell in line.cells if cell]
    return RawRow(line.number, SUMMARY, {cells[0]: ", ".join(cells[1:])})


def _stays(raw: RawRow, waiting: dict[str, RawRow]) -> Iterator[RawRow]:
    """Turn the oldest form, a row for each joining and each leaving, into a row for each stay."""
    found = columns_of(raw.cells, PEOPLE)
    if "action" not in found or "timestamp" not in found:
        yield raw
        return
    joining = is_joining(raw.cells[found["action"]])
    who = " ".join(
        raw.cells.get(found[name], "") for name in ("name", "given_name", "family_name", "email") if name in found
    )
    at = raw.cells[found["timestamp"]]
    if "utc" in heading_key(found["timestamp"]).split() and not at.endswith("Z"):
        at = f"{at} UTC"
    others = {name: cell for name, cell in raw.cells.items() if name not in (found["action"], found["timestamp"])}
    if joining is None:
        yield raw
    elif joining:
        if who in waiting:
            yield waiting.pop(who)
        waiting[who] = RawRow(raw.number, raw.section, {**others, "Join time": at, "Leave time": ""})
    elif who in waiting:
        joined = waiting.pop(who)
        yield RawRow(joined.number, joined.section, {**joined.cells, "Leave time": at})
    else:
        yield RawRow(raw.number, raw.section, {**others, "Join time": "", "Leave time": at})


def facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What the report as a whole tells.

    `date_order` and `date_order_certain` (proved by the file, or said by the option); `durations_hidden`; and, as far
    as the summary has them, `title`, `started_at` and `ended_at` (ISO 8601, UTC) and `participants`.
    """
    summary: dict[str, str] = {}
    texts: list[str] = []
    timed = False
    for raw in stage(path, options):
        if raw.section == SUMMARY:
            for name in columns_of(raw.cells, FACTS):
                summary.setdefault(name, next(iter(raw.cells.values())))
            continue
        found = columns_of(raw.cells, PEOPLE, named_columns(options))
        texts.extend(raw.cells.get(found[name], "") for name in _DATES if name in found)
        timed = timed or any(
            clean(raw.cells.get(found[name])) for name in ("duration", "joined", "left") if name in found
        )
    texts.extend(summary.get(name, "") for name in ("started", "ended"))
    proved = order_of(texts, today) or _order_by_length(summary)
    order = proved or text_option(options, "date_order") or DAY_FIRST
    told: dict[str, Any] = {
        "date_order": order,
        "date_order_certain": proved is not None or text_option(options, "date_order") is not None or not any(texts),
        "durations_hidden": not timed,
    }
    if clean(summary.get("title")):
        told["title"] = clean(summary["title"])
    for name, key in (("started", "started_at"), ("ended", "ended_at")):
        moment = read_moment(summary.get(name, ""), order, _zone(options))
        if moment is not None:
            told[key] = moment.at.isoformat()
    if summary.get("participants", "").strip().isdecimal():
        told["participants"] = int(summary["participants"])
    return told


def _zone(options: Mapping[str, Any]) -> ZoneInfo:
    try:
        return zone_of(options)
    except ValueError as error:
        raise UnreadableFile(
            "BAD_TIME_ZONE", "The time zone of the import is not known. Use a name such as Europe/London."
        ) from error


def _order_by_length(summary: Mapping[str, str]) -> str | None:
    """The order in which start and end are as far apart as the summary says the meeting was long."""
    seconds = read_duration(summary.get("duration", ""))
    if seconds is None:
        return None
    fitting = []
    for order in (DAY_FIRST, MONTH_FIRST):
        start, end = (read_moment(summary.get(name, ""), order) for name in ("started", "ended"))
        if start and end and abs((end.at - start.at) - timedelta(seconds=seconds)) <= timedelta(minutes=2):
            fitting.append(order)
    return fitting[0] if len(fitting) == 1 else None


def parse(raw: RawRow, context: Context) -> Parsed:
    """As `Format.parse`. Lines of the summary are Ignored: `facts` has them."""
    if raw.section == SUMMARY:
        return Ignored()
    unsound = not_a_row(raw)
    if unsound is not None:
        return unsound
    cells = Cells(raw, PEOPLE, context)
    upn = cells["upn"]
    email = email_of(cells["email"]) or (email_of(upn) if upn and "#ext#" not in upn.casefold() else None)
    name = cells["name"] or " ".join(part for part in (cells["given_name"], cells["family_name"]) if part) or None
    if name is None and email is None:
        return Rejected(
            "NO_NAME", cells.heading("name"), "The row names no participant. Add the name or e-mail address."
        )
    times: dict[str, datetime | None] = {}
    remarks: list[str] = []
    for column in ("joined", "left"):
        read = _moment(cells, column, context)
        if isinstance(read, Rejected):
            return read
        times[column] = read[0]
        if read[1] and "CLOCK_CHANGE" not in remarks:
            remarks.append("CLOCK_CHANGE")
    joined, left = times["joined"], times["left"]
    seconds = read_duration(cells["duration"] or "", unit=1, two_parts=60)
    if cells["duration"] and seconds is None:
        remarks.append("BAD_DURATION")
    if joined and left and left < joined:
        if seconds is None:
            return Rejected(
                "LEFT_BEFORE_JOIN", cells.heading("left"), "The person left before joining. Correct the times."
            )
        joined = left = None
        remarks.append("TIMES_CONTRADICT")
    if seconds is None and joined and left and not _spans_stays(cells, raw):
        seconds = round((left - joined).total_seconds())
    if (
        seconds is None
        and joined is None
        and cells.has("registration")
        and not context.facts.get("durations_hidden", True)
    ):
        seconds = 0
    learner_id = _learner(cells["learner"])
    role = role_of(cells["role"])
    return AttendanceRecord(name or "", email, role, joined, left, seconds, upn, tuple(remarks), learner_id)


def _learner(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _spans_stays(cells: Cells, raw: RawRow) -> bool:
    """Whether first join and last leave may hold absences between them, so that their distance is no duration."""
    return raw.section == PARTICIPANTS and heading_key(cells.heading("joined")).startswith(
        ("first", "erst", "premier", "primera")
    )


def _moment(cells: Cells, column: str, context: Context) -> tuple[datetime | None, bool] | Rejected:
    text = cells[column]
    if text is None:
        return None, False
    try:
        moment = read_moment(text, order_option(context), zone_of(context.options))
    except ValueError:
        return Rejected("BAD_TIME_ZONE", "time_zone", "The time zone of the import is not known. Use Europe/London.")
    field = cells.heading(column)
    if moment is None:
        return Rejected("BAD_DATE", field, f"“{text[:60]}” is not a time that can be read. Download the report again.")
    if moment.at > datetime.combine(context.today, datetime.min.time(), UTC) + timedelta(days=1):
        return Rejected("DATE_IN_FUTURE", field, "The time lies in the future. Check the order of day and month.")
    return moment.at, moment.shifted


FORMAT = Format(CODE, "Microsoft Teams attendance report", score, stage, parse, facts)
