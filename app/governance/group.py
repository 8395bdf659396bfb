"""What a provider manager may know: the locations of the own group, who works there now, what they learned there.

The group is read anew for each question, so a location that joins or leaves it counts at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import (
    CqcLocation,
    Employer,
    Employment,
    Learner,
    ProviderGroupLocation,
    TenantLocation,
)
from app.identity.models import StaffMember
from app.training.booking.models import Booking, SessionPlaces
from app.training.errors import TrainingRefusal
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements.models import LearnerStanding, Requirement
from app.training.requirements.programmes import visible_programmes
from app.training.requirements.rules import Spell, visible_to_employer
from tenants.base import among
from tenants.clock import LONDON
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Place:
    """A location of the group, with its employers here."""

    id: UUID
    name: str
    setting: str | None
    employers: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works at a location of the group today, and at which employer."""

    learner_id: UUID
    name: str
    employer_id: UUID
    employer: str
    job_title: str | None
    since: date


@dataclass(frozen=True, slots=True)
class Learned:
    """Something that a learner did while employed by the group."""

    on: date
    what: str
    kind: str


@dataclass(frozen=True, slots=True)
class Needed:
    """What a learner needs at an employer of the group, and where they stand."""

    employer: str
    need: str
    state: str
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking of the group's staff."""

    id: UUID
    session_id: UUID
    session: str
    starts_at: datetime
    learner_id: UUID
    name: str
    employer_id: UUID
    employer: str
    state: str


async def places(session: AsyncSession, staff_member_id: UUID) -> list[Place]:
    """Locations of the manager's group, by name; none without a group."""
    rows = await session.execute(
        select(TenantLocation.id, CqcLocation.name, CqcLocation.primary_setting, Employer.id)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .join(
            ProviderGroupLocation,
            and_(
                ProviderGroupLocation.tenant_id == TenantLocation.tenant_id,
                ProviderGroupLocation.tenant_location_id == TenantLocation.id,
            ),
        )
        .join(
            StaffMember,
            and_(
                StaffMember.tenant_id == ProviderGroupLocation.tenant_id,
                StaffMember.provider_group_id == ProviderGroupLocation.provider_group_id,
            ),
        )
        .outerjoin(
            Employer,
            and_(Employer.tenant_id == TenantLocation.tenant_id, Employer.tenant_location_id == TenantLocation.id),
        )
        .where(StaffMember.id == staff_member_id, StaffMember.ended_at.is_(None))
        .order_by(CqcLocation.name, TenantLocation.id, Employer.name, Employer.id)
    )
    return gathered(rows)


def gathered(rows: Iterable[Any]) -> list[Place]:
    """Rows of a location's id, name and setting, each with one of its employers or none, as locations."""
    found: dict[UUID, Place] = {}
    for location_id, name, setting, employer_id in rows:
        place = found.get(location_id, Place(location_id, name, setting, ()))
        employers = (*place.employers, employer_id) if employer_id is not None else place.employers
        found[location_id] = Place(location_id, name, setting, employers)
    return list(found.values())


def employers_of(group: Sequence[Place]) -> list[UUID]:
    """All employers at the locations."""
    return [employer for place in group for employer in place.employers]


async def colleagues(session: AsyncSession, employer_ids: Sequence[UUID], today: date) -> list[Colleague]:
    """Who works for the employers today, by name; somebody with two posts stands there for each employer once."""
    rows = await session.execute(
        select(
            Learner.id,
            Learner.display_name,
            Employer.id,
            Employer.name,
            func.max(Employment.job_title),
            func.min(Employment.started_on),
        )
        .join(Employment, and_(Employment.tenant_id == Learner.tenant_id, Employment.learner_id == Learner.id))
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .where(
            among(Employer.id, employer_ids),
            Learner.merged_into_id.is_(None),
            Employment.started_on <= today,
            or_(Employment.ended_on.is_(None), Employment.ended_on >= today),
        )
        .group_by(Learner.id, Learner.display_name, Learner.name_key, Employer.id, Employer.name)
        .order_by(Learner.name_key, Learner.id, Employer.name)
    )
    return [Colleague(*row) for row in rows]


async def standing_of(session: AsyncSession, learner_id: UUID, employer_ids: Sequence[UUID]) -> list[Needed]:
    """What a learner needs at these employers, as last computed."""
    rows = await session.execute(
        select(Employer.name, Tier.name, Requirement.topic_code, LearnerStanding.state, LearnerStanding.valid_until)
        .join(Employer, _same(LearnerStanding, LearnerStanding.employer_id, Employer))
        .join(Requirement, _same(LearnerStanding, LearnerStanding.requirement_id, Requirement))
        .outerjoin(Tier, _same(Requirement, Requirement.tier_id, Tier))
        .where(LearnerStanding.learner_id == learner_id, among(LearnerStanding.employer_id, employer_ids))
        .order_by(Employer.name, Tier.position, Requirement.topic_code, LearnerStanding.id)
    )
    return [Needed(name, tier or f"Topic {topic}", state, until) for name, tier, topic, state, until in rows]


async def history_of(session: AsyncSession, learner_id: UUID, employer_ids: Sequence[UUID]) -> list[Learned]:
    """What a learner completed and attended while they worked for these employers, latest first."""
    employed = await session.execute(
        select(Employment.employer_id, Employment.started_on, Employment.ended_on).where(
            Employment.learner_id == learner_id, among(Employment.employer_id, employer_ids)
        )
    )
    spells = [Spell(*row) for row in employed]
    completed = select(_day(Completion.completed_at), Course.title).join(
        Course, _same(Completion, Completion.course_id, Course)
    )
    attended = select(_day(TrainingSession.starts_at), TrainingSession.title).join(
        Attendance, _same(Attendance, Attendance.session_id, TrainingSession)
    )
    courses = await session.execute(completed.where(Completion.learner_id == learner_id))
    sessions = await session.execute(attended.where(Attendance.learner_id == learner_id, Attendance.qualifies))
    rows = [(day, title, kind) for kind, found in (("Course", courses), ("Session", sessions)) for day, title in found]
    seen = [
        Learned(day, title, kind)
        for day, title, kind in rows
        if any(visible_to_employer(day, spells, employer_id) for employer_id in employer_ids)
    ]
    return sorted(seen, key=lambda row: (row.on, row.what), reverse=True)


async def bookings_of(session: AsyncSession, employer_ids: Sequence[UUID], now: datetime) -> list[Booked]:
    """Bookings for these employers of sessions to come, the next first."""
    rows = await session.execute(
        select(
            Booking.id,
            TrainingSession.id,
            TrainingSession.title,
            TrainingSession.starts_at,
            Learner.id,
            Learner.display_name,
            Employer.id,
            Employer.name,
            Booking.state,
        )
        .join(TrainingSession, _same(Booking, Booking.session_id, TrainingSession))
        .join(Learner, _same(Booking, Booking.learner_id, Learner))
        .join(Employer, _same(Booking, Booking.employer_id, Employer))
        .where(among(Booking.employer_id, employer_ids), TrainingSession.starts_at > now)
        .order_by(TrainingSession.starts_at, TrainingSession.id, Booking.number)
    )
    return [Booked(*row) for row in rows]


async def open_sessions(work: UnitOfWork, group: Sequence[Place]) -> list[TrainingSession]:
    """Sessions to come that the group's staff may be booked for: published, and of programmes that are for them."""
    programmes = {row.id for place in group for row in await visible_programmes(work, place.id)}
    rows = await work.session.execute(
        select(TrainingSession, Tier.programme_id)
        .join(SessionPlaces, _same_session())
        .outerjoin(Tier, _same(TrainingSession, TrainingSession.tier_id, Tier))
        .where(TrainingSession.state == "published", TrainingSession.starts_at > work.now)
        .order_by(TrainingSession.starts_at, TrainingSession.id)
        .limit(200)
    )
    return [session for session, programme in rows if programme is None or programme in programmes]


def _same_session() -> ColumnElement[bool]:
    return and_(SessionPlaces.tenant_id == TrainingSession.tenant_id, SessionPlaces.session_id == TrainingSession.id)


async def own_booking(work: UnitOfWork, booking_id: UUID, employer_ids: Sequence[UUID]) -> Booking:
    """A booking for one of these employers. Raises TrainingRefusal `NO_SUCH_BOOKING`, as for one that is not there."""
    booking = await work.session.get(Booking, (work.tenant_id, booking_id))
    if booking is None or booking.employer_id not in employer_ids:
        raise TrainingRefusal("NO_SUCH_BOOKING", "There is no such booking of your staff. Look at the list.", "id")
    return booking


def _same(source: Any, key: Any, target: Any) -> ColumnElement[bool]:
    return and_(target.tenant_id == source.tenant_id, target.id == key)


def _day(moment: Any) -> ColumnElement[date]:
    """The day in England on which a moment fell."""
    return cast(func.timezone(LONDON.key, moment), Date)
