"""What things cost, from what is stored: sessions, units by quarter, and whether seats and enrolments agree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.training.funding.models import LicenceEnrolment, LicencePool, StaffRate, TimeLog
from app.training.funding.rules import (
    Rate,
    Seats,
    SessionCost,
    SessionInputs,
    Time,
    UnitCost,
    per_learner,
    per_session_unit,
    quarter_of,
    session_cost,
)
from app.training.models import Attendance, MedicationChampion, TrainingSession
from app.training.sessions.models import SessionFacilitator, TeamMember, Venue
from tenants.base import among
from tenants.clock import LONDON

MOST_SESSIONS = 2_000


async def session_costs(session: AsyncSession, first: date, last: date, now: datetime) -> list[SessionCost]:
    """Costs of the sessions that were held by now, from the first day to the last, earliest first, at most 2,000."""
    day = cast(func.timezone(LONDON.key, TrainingSession.starts_at), Date)
    held = (
        select(TrainingSession, day, Venue.day_cost)
        .outerjoin(Venue, and_(Venue.tenant_id == TrainingSession.tenant_id, Venue.id == TrainingSession.venue_id))
        .where(day.between(first, last), TrainingSession.state == "published", TrainingSession.ends_at <= now)
        .order_by(TrainingSession.starts_at, TrainingSession.id)
        .limit(MOST_SESSIONS)
    )
    rows = (await session.execute(held)).all()
    ids = [row.id for row, _, _ in rows]
    leaders: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    led = (
        select(SessionFacilitator.session_id, TeamMember.id, TeamMember.profession)
        .join(TeamMember, _is(SessionFacilitator, SessionFacilitator.team_member_id, TeamMember))
        .where(among(SessionFacilitator.session_id, ids))
        .order_by(TeamMember.id)
    )
    for session_id, member_id, profession in await session.execute(led):
        leaders[session_id].append((member_id, profession))
    times: dict[UUID, list[Time]] = defaultdict(list)
    logged = (
        select(TimeLog.session_id, TeamMember.id, TeamMember.profession, TimeLog.activity, TimeLog.minutes)
        .join(TeamMember, _is(TimeLog, TimeLog.team_member_id, TeamMember))
        .where(among(TimeLog.session_id, ids))
        .order_by(TeamMember.id, TimeLog.activity)
    )
    for session_id, member_id, profession, activity, minutes in await session.execute(logged):
        times[session_id].append(Time(member_id, profession, activity, minutes))
    attended = (
        select(Attendance.session_id, func.count())
        .where(among(Attendance.session_id, ids), Attendance.qualifies)
        .group_by(Attendance.session_id)
    )
    attendees = {row[0]: row[1] for row in await session.execute(attended)}
    rates = await _rates(session)
    return [
        session_cost(
            SessionInputs(
                row.id,
                row.title,
                row.kind,
                held_on,
                tuple(leaders[row.id]),
                tuple(times[row.id]),
                row.online_mode == "none" or row.venue_id is not None,
                venue_cost,
                attendees.get(row.id, 0),
            ),
            rates,
        )
        for row, held_on, venue_cost in rows
    ]


async def unit_costs(session: AsyncSession, first: date, last: date, now: datetime) -> list[UnitCost]:
    """TRN-09 by quarter: per attendee of sessions, per learner of licences, per champion trained."""
    costs = await session_costs(session, first, last, now)
    found = _by_quarter("attendee", [cost for cost in costs if cost.inputs.kind == "training"], None)
    trained: dict[str, int] = defaultdict(int)
    days = select(MedicationChampion.learner_id, func.min(MedicationChampion.trained_on)).where(
        MedicationChampion.trained_on.between(first, last)
    )
    for _, day in await session.execute(days.group_by(MedicationChampion.learner_id)):
        if day is not None:
            trained[quarter_of(day)] += 1
    found += _by_quarter("champion", [cost for cost in costs if cost.inputs.kind == "champions_day"], trained)
    charged_on = cast(func.timezone(LONDON.key, LicenceEnrolment.charged_at), Date)
    charges = (
        select(LicencePool.id, LicencePool.name, LicencePool.cost_per_seat, charged_on, func.count())
        .join(LicencePool, _is(LicenceEnrolment, LicenceEnrolment.pool_id, LicencePool))
        .where(charged_on.between(first, last), LicenceEnrolment.state == "charged")
        .group_by(LicencePool.id, LicencePool.name, LicencePool.cost_per_seat, charged_on)
    )
    seats: dict[str, dict[UUID, Seats]] = defaultdict(dict)
    for pool_id, name, cost, day, count in await session.execute(charges):
        quarter = seats[quarter_of(day)]
        before = quarter[pool_id].charged if pool_id in quarter else 0
        quarter[pool_id] = Seats(name, before + count, cost)
    for name in sorted(seats):
        found.append(per_learner(name, sorted(seats[name].values(), key=lambda pool: pool.pool)))
    return found


def _by_quarter(measure: str, costs: Sequence[SessionCost], units: dict[str, int] | None) -> list[UnitCost]:
    return [
        per_session_unit(measure, name, list(held), None if units is None else units.get(name, 0))
        for name, held in groupby(costs, lambda cost: quarter_of(cost.inputs.day))
    ]


@dataclass(frozen=True, slots=True)
class PoolAccount:
    """A pool's account. `used`: seats that were given and not given back; `charged`: enrolments in that state."""

    pool_id: UUID
    name: str
    course_id: UUID
    seats: int
    used: int
    charged: int
    waiting: int
    released: int
    numbers_given: int

    @property
    def free(self) -> int:
        """Seats that nobody uses."""
        return self.seats - self.used

    @property
    def reconciles(self) -> bool:
        """Whether no seat is used twice and no enrolment was lost."""
        told = self.charged + self.waiting + self.released
        return self.free >= 0 and self.used == self.charged and told == self.numbers_given


async def pool_accounts(session: AsyncSession) -> list[PoolAccount]:
    """Each pool with its seats and enrolments, by name."""
    count = func.count(LicenceEnrolment.id)
    states = [count.filter(LicenceEnrolment.state == state) for state in ("charged", "waiting", "released")]
    accounts = (
        select(
            LicencePool.id,
            LicencePool.name,
            LicencePool.course_id,
            LicencePool.seats,
            count.filter(LicenceEnrolment.charged_at.is_not(None), LicenceEnrolment.released_at.is_(None)),
            *states,
            LicencePool.next_number - 1,
        )
        .outerjoin(
            LicenceEnrolment,
            and_(LicenceEnrolment.tenant_id == LicencePool.tenant_id, LicenceEnrolment.pool_id == LicencePool.id),
        )
        .group_by(LicencePool.tenant_id, LicencePool.id)
        .order_by(LicencePool.name, LicencePool.id)
    )
    rows: list[Any] = list(await session.execute(accounts))
    return [PoolAccount(*row) for row in rows]


async def _rates(session: AsyncSession) -> list[Rate]:
    rates = await session.execute(select(StaffRate.profession, StaffRate.valid_from, StaffRate.hourly_rate))
    return [Rate(*row) for row in rates]


def _is(source: Any, key: Any, target: Any) -> ColumnElement[bool]:
    return and_(target.tenant_id == source.tenant_id, target.id == key)
