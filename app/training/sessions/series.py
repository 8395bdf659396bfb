"""Series of sessions: a rule over a local time, and the sessions that it makes, each of which can be changed alone."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.sessions.details import Places, SessionDetails
from app.training.sessions.models import SessionSeries
from app.training.sessions.operations import cancel_session, create_session
from app.training.sessions.rules import BadRule, occurrences
from tenants.audit import Action
from tenants.clock import LONDON
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a series takes place: an RRULE from the first day on, at a local time of day, for so many minutes."""

    rrule: str
    first_day: date
    local_time: time
    minutes: int


async def create_series(
    work: UnitOfWork, outline: SessionDetails, recurrence: Recurrence, until: date
) -> tuple[UUID, int]:
    """A series and its sessions to `until`, as drafts; its id and how many sessions. Times of `outline` do not count.

    Raises TrainingRefusal `RRULE` or as `create_session`.
    """
    if not 5 <= recurrence.minutes <= 1440:
        raise TrainingRefusal("MINUTES", "A session takes from 5 minutes to 24 hours.", "minutes")
    series = SessionSeries(
        tenant_id=work.tenant_id,
        id=new_id(),
        title=" ".join(outline.title.split()),
        kind=outline.kind,
        tier_id=outline.tier_id,
        venue_id=outline.venue_id,
        online_mode=outline.online_mode,
        first_day=recurrence.first_day,
        local_time=f"{recurrence.local_time:%H:%M}",
        minutes=recurrence.minutes,
        rrule=recurrence.rrule.strip().removeprefix("RRULE:"),
        excluded=[],
        version=1,
        created_at=work.now,
    )
    work.add(series)
    await work.session.flush()
    made = await _make(work, series, outline, until)
    work.record(Action.SERIES_CREATED, "session_series", series.id, after={"rrule": series.rrule, "sessions": made})
    if not made:
        raise TrainingRefusal(
            "RRULE", "The rule gives no session up to that day. Look at the first and last day.", "rrule"
        )
    return series.id, made


async def extend_series(work: UnitOfWork, series_id: UUID, until: date) -> int:
    """Make the sessions of a series that are still missing up to `until`, like its latest one; how many were made.

    Raises TrainingRefusal `NO_SUCH_SERIES` or `RRULE`.
    """
    series = await _series(work, series_id)
    latest = (
        await work.session.scalars(
            select(TrainingSession)
            .where(TrainingSession.series_id == series_id)
            .order_by(TrainingSession.occurrence.desc())
            .limit(1)
        )
    ).first()
    outline = SessionDetails(
        title=series.title,
        starts_at=work.now,
        ends_at=work.now + timedelta(minutes=series.minutes),
        kind=series.kind,
        tier_id=series.tier_id,
        online_mode=series.online_mode,
        venue_id=series.venue_id,
        join_url=None if latest is None else latest.join_url,
        description=None if latest is None else latest.description,
    )
    made = await _make(work, series, outline, until)
    work.record(Action.SERIES_CHANGED, "session_series", series_id, after={"made": made, "until": until.isoformat()})
    return made


async def exclude_day(work: UnitOfWork, series_id: UUID, day: date, because: str) -> None:
    """Leave a day out of a series; its session is cancelled. Raises TrainingRefusal `NO_SUCH_DAY`."""
    series = await _series(work, series_id)
    session = (
        await work.session.scalars(
            select(TrainingSession).where(
                TrainingSession.series_id == series_id,
                TrainingSession.occurrence >= datetime.combine(day, time(), LONDON),
                TrainingSession.occurrence < datetime.combine(day + timedelta(days=1), time(), LONDON),
            )
        )
    ).first()
    if session is None:
        raise TrainingRefusal("NO_SUCH_DAY", "The series has no session on that day. Choose one of its days.", "day")
    if session.state != "cancelled":
        await cancel_session(work, session.id, session.version, because)
    if day.isoformat() not in series.excluded:
        series.excluded = sorted([*series.excluded, day.isoformat()])
    series.version += 1
    work.record(Action.SERIES_CHANGED, "session_series", series_id, after={"excluded": day.isoformat()})


async def _series(work: UnitOfWork, series_id: UUID) -> SessionSeries:
    found = await work.session.get(SessionSeries, (work.tenant_id, series_id), with_for_update={"key_share": True})
    if found is None:
        raise TrainingRefusal("NO_SUCH_SERIES", "There is no such series. Choose one from the list.", "id")
    return found


async def _make(work: UnitOfWork, series: SessionSeries, outline: SessionDetails, until: date) -> int:
    excluded = {date.fromisoformat(day) for day in series.excluded}
    try:
        starts = occurrences(series.rrule, series.first_day, time.fromisoformat(series.local_time), until, excluded)
    except BadRule as error:
        raise TrainingRefusal("RRULE", str(error), "rrule") from error
    known = set(
        await work.session.scalars(select(TrainingSession.occurrence).where(TrainingSession.series_id == series.id))
    )
    made = 0
    for start in starts:
        if start in known:
            continue
        details = replace(outline, starts_at=start, ends_at=start + timedelta(minutes=series.minutes))
        await create_session(
            work, replace(details, places=_moved(outline, start)), series_id=series.id, occurrence=start
        )
        made += 1
    return made


def _moved(outline: SessionDetails, start: datetime) -> Places | None:
    """The outline's places, with their times as far from this start as they were from the outline's."""
    places = outline.places
    if places is None:
        return None

    def move(at: datetime | None) -> datetime | None:
        return None if at is None else start + (at - outline.starts_at)

    return replace(
        places,
        opens_at=move(places.opens_at),
        closes_at=move(places.closes_at),
        cancel_until=move(places.cancel_until),
    )
