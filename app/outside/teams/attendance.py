"""Attendance reports of linked webinars: what is new in each goes into an import of its own, as if it were a file.

So unknown people wait in the review queue, evidence knows its source, and what several reports tell of one person adds
up. Reports come up to two hours late, and again when a meeting was started again, so they are looked for during days.
"""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import and_, func, select

from app.imports.receiving import Incoming, examined, register
from app.outside.connections import Office, values_of
from app.outside.errors import OutsideRefused
from app.outside.looking import each, talk
from app.outside.models import OutsideConnection, OutsideEvent, OutsideRegistration, OutsideReport
from app.outside.teams.account import FORBIDDEN, Account, Report, open_account
from app.outside.teams.reading import Line, fresh, lines_of
from app.training.models import TrainingSession
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

LOOKED_FOR = timedelta(days=3)
"""After the session's end, or after it was linked: two nights at least."""
LATE = timedelta(hours=2)
NO_REPORTS, NO_RECORDS = "NO_REPORTS", "NO_RECORDS"
"""What people should know: there is no report, or a report does not say who was there."""
_PEOPLE = ("Email", "Role", "Medstead learner")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Webinar:
    """A linked webinar with the session that its reports are about."""

    id: UUID
    outside_id: str
    session_key: str
    title: str
    starts_at: datetime
    ends_at: datetime


async def read_reports(office: Office, connection_id: UUID) -> float | None:
    """Read the reports of webinars that are over; the seconds after which to try again, if they could not be asked."""
    async with office.work() as work:
        await office.renew(work)
        connection = await work.session.get(OutsideConnection, (work.tenant_id, connection_id))
        if connection is None or connection.state == "off":
            return None
        if connection.wait_until is not None and connection.wait_until > work.now:
            seconds = (connection.wait_until - work.now).total_seconds()
            return seconds if seconds <= timedelta(hours=1).total_seconds() else None
        webinars = await _webinars(work, connection_id)

    async def read_all() -> bool:
        account = open_account(office.fetching, office.settings, values_of(office, connection))
        return await each(webinars, lambda webinar: _read(office, account, webinar))

    return await talk(office, connection, read_all)


async def _webinars(work: UnitOfWork, connection_id: UUID) -> list[Webinar]:
    rows = await work.session.execute(
        select(OutsideEvent, TrainingSession)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == OutsideEvent.tenant_id, TrainingSession.id == OutsideEvent.session_id),
        )
        .where(
            OutsideEvent.connection_id == connection_id,
            OutsideEvent.state == "linked",
            TrainingSession.starts_at <= work.now,
            func.greatest(TrainingSession.ends_at, OutsideEvent.created_at) >= work.now - LOOKED_FOR,
        )
        .order_by(TrainingSession.starts_at, OutsideEvent.id)
    )
    return [
        Webinar(event.id, event.outside_id, session.external_key, session.title, session.starts_at, session.ends_at)
        for event, session in rows
    ]


async def _read(office: Office, account: Account, webinar: Webinar) -> None:
    hidden, count = False, 0
    try:
        async for report in account.reports(webinar.outside_id):
            count += 1
            hidden = hidden or (report.records is None and report.participants != 0)
            await _take(office, webinar, report, lines_of(report.records or ()))
    except OutsideRefused as refused:
        if refused.code != FORBIDDEN:
            raise
        hidden = True
    async with office.work() as work:
        await office.renew(work)
        event = await work.session.get_one(OutsideEvent, (work.tenant_id, webinar.id))
        late = work.now >= webinar.ends_at + LATE
        event.report_note = NO_RECORDS if hidden else NO_REPORTS if late and not count else None


async def _take(office: Office, webinar: Webinar, report: Report, lines: Sequence[Line]) -> None:
    """Put the lines of a report that went into no import yet into a new one."""
    async with office.work() as work:
        await office.renew(work)
        taken = await _taken(work, webinar.id, report)
        new = fresh(lines, taken)
        learners = await _learners(work, webinar.id, {one.registration_id for one in new if one.registration_id})
        today = london_date(work.now)
    if not new:
        return
    said = Incoming(f"Teams report {report.id[:8]}.tsv", "teams_attendance", _options(webinar), auto_apply=True)
    async with (
        examined(_content(webinar, new, learners), said, {}, today, office.folder) as file,
        office.work() as work,
    ):
        await office.renew(work)
        if await _taken(work, webinar.id, report, lock=True) != taken:
            return  # another job has been here; what is left is found by the next one
        received = await register(work, file)
        kept = await _report(work, webinar.id, report.id)
        assert kept is not None
        kept.taken = [*taken, *(line.key for line in new)]
        kept.participants, kept.import_id, kept.seen_at = report.participants, received.import_id, work.now
    log.info("attendance report", event_id=str(webinar.id), lines=len(new), import_id=str(received.import_id))


async def _taken(work: UnitOfWork, event_id: UUID, report: Report, *, lock: bool = False) -> list[str]:
    kept = await _report(work, event_id, report.id, lock=lock)
    if kept is None:
        work.add(
            OutsideReport(
                tenant_id=work.tenant_id,
                id=new_id(),
                event_id=event_id,
                outside_id=report.id,
                participants=report.participants,
                taken=[],
                seen_at=work.now,
                created_at=work.now,
            )
        )
        return []
    return list(kept.taken)


async def _report(work: UnitOfWork, event_id: UUID, report_id: str, *, lock: bool = False) -> OutsideReport | None:
    found = select(OutsideReport).where(OutsideReport.event_id == event_id, OutsideReport.outside_id == report_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return (await work.session.scalars(found)).one_or_none()


async def _learners(work: UnitOfWork, event_id: UUID, registrations: set[str]) -> dict[str, UUID]:
    """The learners of registrations, as far as it is known who they are."""
    rows = await work.session.execute(
        select(OutsideRegistration.outside_id, OutsideRegistration.learner_id).where(
            OutsideRegistration.event_id == event_id,
            OutsideRegistration.learner_id.is_not(None),
            OutsideRegistration.left_out.is_(False),
            among(OutsideRegistration.outside_id, registrations),
        )
    )
    return {outside_id: learner_id for outside_id, learner_id in rows if learner_id is not None}


def _options(webinar: Webinar) -> dict[str, str]:
    return {
        "session_key": webinar.session_key,
        "session_title": webinar.title,
        "starts_at": webinar.starts_at.isoformat(),
        "ends_at": webinar.ends_at.isoformat(),
        "online_mode": "webinar",
    }


async def _content(webinar: Webinar, lines: Sequence[Line], learners: Mapping[str, UUID]) -> AsyncIterator[bytes]:
    """The lines in the shape of the file that Teams lets people download."""
    written = io.StringIO()
    rows = csv.writer(written, dialect="excel-tab")
    rows.writerow(["1. Summary"])
    rows.writerow(["Meeting title", webinar.title])
    untimed = [line for line in lines if line.joined_at is None]
    if untimed:
        rows.writerow([])
        rows.writerow(["2. Participants"])
        rows.writerow(["Name", "First Join", "Last Leave", "In-Meeting Duration", *_PEOPLE])
        rows.writerows([line.name, "", "", _duration(line.seconds), *_person(line, learners)] for line in untimed)
    stays = [line for line in lines if line.joined_at is not None]
    if stays:
        rows.writerow([])
        rows.writerow(["3. In-Meeting Activities"])
        rows.writerow(["Name", "Join Time", "Leave Time", "Duration", *_PEOPLE])
        rows.writerows(
            [line.name, _moment(line.joined_at), _moment(line.left_at), "", *_person(line, learners)] for line in stays
        )
    yield written.getvalue().encode()


def _person(line: Line, learners: Mapping[str, UUID]) -> list[str]:
    learner_id = learners.get(line.registration_id or "")
    return [line.email or "", line.role, str(learner_id) if learner_id else ""]


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds // 3600}h {seconds % 3600 // 60}m {seconds % 60}s"
