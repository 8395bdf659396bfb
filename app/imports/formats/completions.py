"""Tier 1 completions as a learning system exports them (Moodle style, CSV or spreadsheet), columns nameable."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from app.imports.formats.base import CompletionRecord, Context, Format, NotCompleted, Parsed, RawRow, Rejected
from app.imports.formats.dates import Moment, order_of, read_duration, read_moment
from app.imports.formats.tables import not_a_row, stage_table
from app.imports.formats.values import (
    Cells,
    Synonyms,
    columns_of,
    email_of,
    heading_key,
    location_id_of,
    named_columns,
    number_of,
    order_option,
    split_name,
    text_option,
    zone_of,
)

CODE = "completions"
EARLIEST = date(2000, 1, 1)
WANTED = "a column for the learner (user name, e-mail or name) and one for the completion date or the status"

COLUMNS = Synonyms({
    "course": (
        "course", "course name", "course full name", "course fullname", "course title", "module", "module name",
        "module title", "learning title", "training course", "training title", "training name", "e learning module",
        "elearning module", "elearning course", "course short name", "activity name", "programme", "content title",
    ),
    "course_version": ("course version", "version", "module version", "course edition", "edition"),
    "training_provider": (
        "training provider", "course provider", "supplier", "training supplier", "provider of training", "vendor",
        "training organisation", "course supplier", "delivered by",
    ),
    "account": (
        "username", "user id", "userid", "user name", "learner id", "learner number", "account", "login", "login name",
        "lms id", "moodle id", "user account", "id number", "external id", "staff id", "payroll number",
        "employee number", "employee id",
    ),
    "email": (
        "email", "email address", "e mail", "e mail address", "user email", "learner email", "work email", "mail",
    ),
    "given_name": (
        "first name", "firstname", "forename", "forenames", "given name", "first names", "learner first name",
    ),
    "family_name": ("surname", "last name", "lastname", "family name", "learner surname", "learner last name"),
    "full_name": (
        "full name", "fullname", "learner", "learner name", "name", "user", "user full name", "name of learner",
        "staff name", "employee name", "employee", "first name surname", "first name last name", "user s full name",
        "participant", "student", "student name", "delegate", "delegate name",
    ),
    "cqc_location_id": (
        "cqc location id", "cqc id", "location id", "cqc location", "cqc location number", "cqc number",
        "cqc registration", "cqc registration number", "cqc location id number",
    ),
    "employer": (
        "organisation", "organization", "employer", "employer name", "workplace", "institution", "care home",
        "care home name", "company", "organisation name", "place of work", "service", "service name", "care provider",
        "provider", "provider name", "workplace name", "home", "location", "location name", "site", "branch",
    ),
    "job_role": ("job role", "job title", "role", "department", "position", "job", "occupation", "staff role"),
    "completed": (
        "completed", "date completed", "completion date", "time completed", "completed on", "completed at",
        "course complete", "course completed", "course completion date", "date of completion", "completion time",
        "completed date", "date passed", "passed on", "date achieved", "finished", "finish date", "end date",
        "completion date time", "time finished", "achieved date", "date finished", "course completion",
    ),
    "started": (
        "started", "time started", "start date", "date started", "started on", "started at", "start time",
        "enrolled", "enrolment date", "enrolled on", "first access", "date enrolled", "time enrolled",
    ),
    "status": (
        "status", "completion status", "course status", "progress status", "outcome", "result", "state",
        "completion state", "learner status", "progress", "complete",
    ),
    "minutes": (
        "time spent", "duration", "time taken", "total time", "time spent minutes", "time spent mins",
        "duration minutes", "duration mins", "minutes", "learning time", "time in course", "time on course",
        "time spent hours", "duration hours", "hours", "session time", "dedication", "total time spent", "cpd hours",
        "time spent hh mm", "time spent hh mm ss", "duration hh mm", "duration hh mm ss", "time spent seconds",
    ),
    "score": (
        "score", "grade", "mark", "final grade", "score %", "grade %", "percentage", "final score", "quiz score",
        "assessment score", "%", "course grade", "course total", "pass mark achieved", "best score",
    ),
    "certificate_number": (
        "certificate number", "certificate no", "certificate id", "certificate code", "certificate", "cert number",
        "cert no", "certificate reference", "certificate ref",
    ),
})  # fmt: skip

_COMPLETE = frozenset(
    {
        "complete", "completed", "passed", "pass", "achieved", "finished", "yes", "y", "true", "1", "100", "100%",
        "done", "certified", "successful", "competent", "satisfied", "complete pass", "completed pass",
        "completed passed", "passed completed", "course completed", "course complete",
    }
)  # fmt: skip
_INCOMPLETE = frozenset(
    {
        "in progress", "not started", "not complete", "not completed", "incomplete", "started", "failed", "fail",
        "enrolled", "not yet started", "no", "n", "false", "0", "0%", "not attempted", "ongoing", "in process",
        "pending",
        "registered", "not yet completed", "complete fail", "completed failed", "withdrawn", "expired not complete",
        "suspended", "assigned", "overdue", "not passed", "inprogress", "notstarted", "partially complete", "active",
    }
)  # fmt: skip
_NOT_BEGUN = frozenset(
    {"not started", "notstarted", "not yet started", "not attempted", "enrolled", "registered", "assigned", "pending"}
)
_NEVER = frozenset(
    {"never", "0", "not completed", "not complete", "not yet", "no", "in progress", "not started", "incomplete"}
)


def weigh(cells: Sequence[str], named: Mapping[str, str] | None = None) -> float:
    """How much a line looks like the headings of a completions export."""
    found = columns_of(cells, COLUMNS, named)
    learner = found.keys() & {"account", "email", "family_name", "full_name"}
    if not learner or not found.keys() & {"completed", "status"}:
        return 0.0
    value = 0.35 + min(len(found), 10) * 0.015
    if "course" in found:
        value += 0.35
    if "completed" in found:
        value += 0.1
    return min(value, 1.0)


def score(head: Sequence[Sequence[str]]) -> float:
    """As `Format.score`."""
    return max((weigh(cells) for cells in head), default=0.0)


def stage(path: Path, options: Mapping[str, Any]) -> Iterator[RawRow]:
    """As `Format.stage`."""
    named = named_columns(options)
    return stage_table(path, lambda cells: weigh(cells, named), WANTED)


def facts(path: Path, options: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The order of day and month, where the dates of the first rows prove one and no option says it."""
    if text_option(options, "date_order"):
        return {}
    texts: list[str] = []
    named = named_columns(options)
    for raw in stage(path, options):
        found = columns_of(raw.cells, COLUMNS, named)
        texts.extend(raw.cells.get(found[name], "") for name in ("completed", "started") if name in found)
        if len(texts) >= 4000:
            break
    order = order_of(texts, today)
    return {"date_order": order} if order else {}


def parse(raw: RawRow, context: Context) -> Parsed:
    """As `Format.parse`."""
    unsound = not_a_row(raw)
    if unsound is not None:
        return unsound
    cells = Cells(raw, COLUMNS, context)
    account, email = cells["account"], email_of(cells["email"])
    completed = _completion(cells, context)
    if not isinstance(completed, Moment):
        return completed if isinstance(completed, Rejected) else _not_completed(cells, context, account, email)
    given, family = cells["given_name"], cells["family_name"]
    if not (given or family) and cells["full_name"]:
        given, family = split_name(cells["full_name"] or "")
    if account and not email and email_of(account):
        email = email_of(account)
    if cells["email"] and not email:
        return Rejected(
            "BAD_EMAIL", cells.heading("email"), "The e-mail address is not valid. Correct it, or leave it empty."
        )
    if not (account or email or given or family):
        return Rejected(
            "NO_LEARNER", cells.heading("email"), "The row names no learner. Add a user name, e-mail or name."
        )
    title = cells["course"] or text_option(context.options, "course_title")
    if not title:
        return Rejected("NO_COURSE", cells.heading("course"), "The row names no course. Add the course's title.")
    provider = cells["training_provider"] or text_option(context.options, "training_provider")
    if not provider:
        return Rejected(
            "NO_TRAINING_PROVIDER",
            cells.heading("training_provider"),
            "The row does not say who provides the course. Add a column Training provider, or name it when you import.",
        )
    remarks = ["CLOCK_CHANGE"] if completed.shifted else []
    location_id = location_id_of(cells["cqc_location_id"])
    if cells["cqc_location_id"] and not location_id:
        remarks.append("BAD_LOCATION_ID")
    started = read_moment(cells["started"] or "", order_option(context), zone_of(context.options))
    if started is not None and started.at > completed.at:
        # A start without a time counts as midnight, so only a later day contradicts the completion.
        remarks.append("STARTED_AFTER_COMPLETION")
    minutes = _minutes(cells)
    if cells["minutes"] and minutes is None:
        remarks.append("BAD_DURATION")
    return CompletionRecord(
        training_provider=provider,
        course_title=title,
        course_version=cells["course_version"] or text_option(context.options, "course_version") or "",
        account=account,
        email=email,
        given_name=given,
        family_name=family,
        employer_name=cells["employer"],
        cqc_location_id=location_id,
        job_role=cells["job_role"],
        started_at=started.at if started and started.at.date() >= EARLIEST else None,
        completed_at=completed.at,
        minutes=minutes,
        score=number_of(cells["score"]),
        certificate_number=cells["certificate_number"],
        remarks=tuple(remarks),
    )


def _not_completed(cells: Cells, context: Context, account: str | None, email: str | None) -> NotCompleted:
    return NotCompleted(
        account,
        email,
        cells["training_provider"] or text_option(context.options, "training_provider"),
        cells["course"] or text_option(context.options, "course_title"),
        cells["course_version"] or text_option(context.options, "course_version") or "",
        "not_started" if heading_key(cells["status"] or "") in _NOT_BEGUN else "in_progress",
    )


def _completion(cells: Cells, context: Context) -> Moment | Rejected | None:
    """When the course was completed; None when it was not."""
    status = heading_key(cells["status"] or "")
    text = cells["completed"] or ""
    # Words such as "Completed" and "0" stand in for dates; a date is longer and begins with a digit.
    word = heading_key(text) if len(text) < 6 or not text[0].isdigit() else ""
    if text and (word in _COMPLETE or word in _INCOMPLETE or word in _NEVER):
        status, text = status or word, ""
    try:
        moment = read_moment(text, order_option(context), zone_of(context.options)) if text else None
    except ValueError:
        return Rejected("BAD_TIME_ZONE", "time_zone", "The time zone of the import is not known. Use Europe/London.")
    field = cells.heading("completed")
    if moment is not None and moment.at < datetime.combine(date(1971, 1, 1), time(), UTC):
        # Learning systems write the epoch for "never".
        moment, text = None, ""
    if text and moment is None and heading_key(text) not in _NEVER:
        return Rejected(
            "BAD_DATE",
            field,
            f"“{text[:60]}” is not a date that can be read, day first. Write it as 16/09/2026 or 2026-09-16.",
        )
    if moment is None:
        if status in _COMPLETE:
            return Rejected("NO_COMPLETION_DATE", field, "The row is marked complete and has no date. Add the date.")
        return None
    if status in _INCOMPLETE:
        return Rejected(
            "STATUS_CONTRADICTS_DATE",
            cells.heading("status"),
            f"The row has a completion date and the status “{cells['status'] or status}”. Correct one of them.",
        )
    if moment.at > datetime.combine(context.today, time(), UTC) + timedelta(days=1):
        return Rejected(
            "DATE_IN_FUTURE",
            field,
            "The completion date lies in the future. Check the date, and the order of day and month.",
        )
    if moment.at.date() < EARLIEST:
        return Rejected("DATE_TOO_OLD", field, "The completion date lies before the year 2000. Correct it.")
    return moment


def _minutes(cells: Cells) -> int | None:
    heading = heading_key(cells.heading("minutes")).split()
    unit = 3600 if "hours" in heading or "hrs" in heading else 1 if "seconds" in heading else 60
    seconds = read_duration(cells["minutes"] or "", unit)
    return None if seconds is None else seconds // 60


FORMAT = Format(CODE, "tier 1 completions export", score, stage, parse, facts)
