"""Changes of money: streams, pools, seats, rates, time. A pool's row is locked before its seats are counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import aliased

from app.directory.models import SETTINGS, CqcLocation, Employer, Employment, Learner, TenantLocation
from app.training.errors import TrainingRefusal
from app.training.funding.models import (
    ACTIVITIES,
    HELD,
    FundedCourse,
    FundingStream,
    LicenceEnrolment,
    LicencePool,
    StaffRate,
    TimeLog,
)
from app.training.funding.rules import money
from app.training.mapping.finding import found, same_version, told, words
from app.training.models import Course, TrainingSession
from app.training.sessions.models import PROFESSIONS, TeamMember
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

MOST_MINUTES = 60 * 24 * 14
MOST_FOR_A_SEAT = 10**6


@dataclass(frozen=True, slots=True)
class StreamGiven:
    """A funding stream as somebody gives it. No courses, no settings: for all."""

    name: str
    funder: str
    amount: Decimal
    starts_on: date
    ends_on: date
    course_ids: Sequence[UUID] = ()
    eligible_settings: Sequence[str] = ()


async def save_stream(work: UnitOfWork, given: StreamGiven, *, stream_id: UUID | None = None, version: int = 0) -> UUID:
    """A funding stream, new or changed.

    Raises TrainingRefusal `TEXT_MISSING`, `MONEY`, `DATES`, `UNKNOWN_CHOICE`, `NO_SUCH_COURSE`, `NAME_TAKEN`,
    `NO_SUCH_FUNDING_STREAM` or `CHANGED_MEANWHILE`.
    """
    name = words(given.name, "name", "the stream's name")
    if not set(given.eligible_settings) <= set(SETTINGS):
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose from {', '.join(SETTINGS)}.", "eligibleSettings")
    _dates(given.starts_on, given.ends_on)
    for course_id in given.course_ids:
        await found(work, Course, course_id, "course", "courses")
    same = (await work.session.scalars(select(FundingStream.id).where(FundingStream.name == name))).first()
    if same is not None and same != stream_id:
        raise TrainingRefusal("NAME_TAKEN", "There is a stream of that name already. Choose another name.", "name")
    if stream_id is None:
        stream = FundingStream(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now)
        work.add(stream)
    else:
        stream = await found(work, FundingStream, stream_id, "funding stream", lock=True)
        same_version(stream.version, version, "stream")
    stream.name, stream.funder = name, words(given.funder, "funder", "who gives the money")
    stream.amount = money(given.amount, "amount")
    stream.starts_on, stream.ends_on = given.starts_on, given.ends_on
    stream.eligible_settings = sorted(set(given.eligible_settings))
    stream.version += 1
    await work.session.flush()
    await work.session.execute(delete(FundedCourse).where(FundedCourse.stream_id == stream.id))
    for course_id in dict.fromkeys(given.course_ids):
        work.add(FundedCourse(tenant_id=work.tenant_id, id=new_id(), stream_id=stream.id, course_id=course_id))
    work.record(Action.STREAM_SAVED, "funding_stream", stream.id, after=told(stream, "amount", "starts_on", "ends_on"))
    return stream.id


@dataclass(frozen=True, slots=True)
class PoolGiven:
    """A licence pool as somebody gives it. `beyond` is `refuse` or `wait`; cost in pounds, None: not known."""

    name: str
    course_id: UUID
    seats: int
    beyond: str
    starts_on: date
    ends_on: date
    stream_id: UUID | None = None
    cost_per_seat: Decimal | None = None


async def save_pool(work: UnitOfWork, given: PoolGiven, *, pool_id: UUID | None = None, version: int = 0) -> UUID:
    """A licence pool, new or changed; seats that are added go to those who wait, in their order.

    Raises TrainingRefusal `TEXT_MISSING`, `UNKNOWN_CHOICE`, `SEATS`, `BELOW_CHARGED`, `MONEY`, `DATES`, `NO_SUCH_…`,
    `NOT_FUNDED`, `NAME_TAKEN` or `CHANGED_MEANWHILE`.
    """
    name = words(given.name, "name", "the pool's name")
    if given.beyond not in ("refuse", "wait"):
        raise TrainingRefusal("UNKNOWN_CHOICE", "Choose refuse or wait.", "beyond")
    if not 0 <= given.seats <= 1_000_000:
        raise TrainingRefusal("SEATS", "A pool has from 0 to 1,000,000 seats.", "seats")
    _dates(given.starts_on, given.ends_on)
    await found(work, Course, given.course_id, "course", "course")
    if given.stream_id is not None:
        await _pays_for(work, given.stream_id, given.course_id)
    same = (await work.session.scalars(select(LicencePool.id).where(LicencePool.name == name))).first()
    if same is not None and same != pool_id:
        raise TrainingRefusal("NAME_TAKEN", "There is a pool of that name already. Choose another name.", "name")
    if pool_id is None:
        pool = LicencePool(
            tenant_id=work.tenant_id, id=new_id(), course_id=given.course_id, next_number=1, version=0,
            created_at=work.now,
        )  # fmt: skip
        work.add(pool)
    else:
        pool = await found(work, LicencePool, pool_id, "licence pool", lock=True)
        same_version(pool.version, version, "pool")
        if pool.course_id != given.course_id:
            raise TrainingRefusal("OTHER_COURSE", "Seats were bought of one course. Make another pool.", "course")
        charged = await _charged(work, pool.id)
        if given.seats < charged:
            raise TrainingRefusal("BELOW_CHARGED", f"{charged} seats are charged. Release some first.", "seats")
    pool.name, pool.stream_id, pool.seats, pool.beyond = name, given.stream_id, given.seats, given.beyond
    pool.cost_per_seat = None if given.cost_per_seat is None else _seat_cost(given.cost_per_seat)
    pool.starts_on, pool.ends_on = given.starts_on, given.ends_on
    pool.version += 1
    await work.session.flush()
    work.record(Action.POOL_SAVED, "licence_pool", pool.id, after=told(pool, "seats", "beyond", "cost_per_seat"))
    await _give_seats(work, pool)
    return pool.id


async def enrol(work: UnitOfWork, pool_id: UUID, learner_id: UUID) -> UUID:
    """Charge a seat to a learner, or let them wait where the pool says so; the enrolment's id.

    Raises TrainingRefusal `NO_SUCH_LICENCE_POOL`, `NO_SUCH_LEARNER`, `POOL_CLOSED`, `NOT_ELIGIBLE`, `ENROLLED_ALREADY`
    or `POOL_EXHAUSTED`.
    """
    pool = await found(work, LicencePool, pool_id, "licence pool", "pool", lock=True)
    learner = await found(work, Learner, learner_id, "learner", "learner")
    if learner.merged_into_id is not None:
        raise TrainingRefusal("NO_SUCH_LEARNER", "This record was merged into another. Enrol that one.", "learner")
    today = london_date(work.now)
    if not pool.starts_on <= today <= pool.ends_on:
        raise TrainingRefusal("POOL_CLOSED", "The pool's licences do not run today. Choose another pool.", "pool")
    await _eligible(work, pool, learner_id, today)
    held = select(LicenceEnrolment.id).where(
        LicenceEnrolment.pool_id == pool_id,
        LicenceEnrolment.learner_id == learner_id,
        LicenceEnrolment.state.in_(HELD),
    )
    if (await work.session.scalars(held)).first() is not None:
        raise TrainingRefusal("ENROLLED_ALREADY", "The learner has a seat of this pool, or waits for one.", "learner")
    free = pool.seats - await _charged(work, pool_id)
    if free < 1 and pool.beyond == "refuse":
        raise TrainingRefusal("POOL_EXHAUSTED", "All seats are charged. Buy more, or release one.", "pool")
    enrolment = LicenceEnrolment(
        tenant_id=work.tenant_id,
        id=new_id(),
        pool_id=pool_id,
        learner_id=learner_id,
        state="charged" if free >= 1 else "waiting",
        number=pool.next_number,
        enrolled_at=work.now,
        charged_at=work.now if free >= 1 else None,
        released_at=None,
    )
    pool.next_number += 1
    work.add(enrolment)
    work.record(Action.SEAT_ASKED, "licence_enrolment", enrolment.id, after=told(enrolment, "pool_id", "state"))
    announce(work, EventType.LICENCE_CHANGED, f"LicenceEnrolment:{enrolment.id}")
    return enrolment.id


async def release(work: UnitOfWork, enrolment_id: UUID) -> UUID:
    """Free a seat, or stop waiting; the seat goes to whoever waits first. The enrolment's id.

    Raises TrainingRefusal `NO_SUCH_LICENCE_ENROLMENT` or `RELEASED_ALREADY`.
    """
    seen = await found(work, LicenceEnrolment, enrolment_id, "licence enrolment")
    pool = await found(work, LicencePool, seen.pool_id, "licence pool", lock=True)
    enrolment = await found(work, LicenceEnrolment, enrolment_id, "licence enrolment", lock=True)
    if enrolment.state == "released":
        raise TrainingRefusal("RELEASED_ALREADY", "The seat was released already. There is nothing to do.", "id")
    before = told(enrolment, "state")
    enrolment.state, enrolment.released_at = "released", work.now
    await work.session.flush()
    work.record(Action.SEAT_RELEASED, "licence_enrolment", enrolment_id, before=before)
    announce(work, EventType.LICENCE_CHANGED, f"LicenceEnrolment:{enrolment_id}")
    await _give_seats(work, pool)
    return enrolment_id


async def settle_double_seats(work: UnitOfWork, kept_id: UUID, merged_id: UUID) -> None:
    """Before two learners become one: where both hold or await a seat of a pool, the merged one's is released."""
    ours, theirs = aliased(LicenceEnrolment), aliased(LicenceEnrolment)
    twice = (
        select(theirs.id)
        .join(ours, and_(ours.tenant_id == theirs.tenant_id, ours.pool_id == theirs.pool_id))
        .where(ours.learner_id == kept_id, theirs.learner_id == merged_id)
        .where(ours.state.in_(HELD), theirs.state.in_(HELD))
        .order_by(theirs.pool_id)
    )
    for enrolment_id in (await work.session.scalars(twice)).all():
        await release(work, enrolment_id)


async def set_rate(work: UnitOfWork, profession: str, hourly_rate: Decimal, valid_from: date) -> UUID:
    """What an hour of a profession costs from a day on; told again for that day, the later one holds.

    Raises TrainingRefusal `UNKNOWN_CHOICE` or `MONEY`.
    """
    if profession not in PROFESSIONS:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(PROFESSIONS)}.", "profession")
    pounds = money(hourly_rate, "hourlyRate")
    if not 0 < pounds < 10**6:
        raise TrainingRefusal("MONEY", "An hour costs more than 0 pounds and less than a million.", "hourlyRate")
    kept = select(StaffRate).where(StaffRate.profession == profession, StaffRate.valid_from == valid_from)
    rate = (await work.session.scalars(kept.with_for_update())).first()
    before = None if rate is None else told(rate, "hourly_rate")
    if rate is None:
        rate = StaffRate(tenant_id=work.tenant_id, id=new_id(), profession=profession, valid_from=valid_from)
        rate.created_at = work.now
        work.add(rate)
    rate.hourly_rate = pounds
    after = told(rate, "profession", "hourly_rate", "valid_from")
    work.record(Action.RATE_SET, "staff_rate", rate.id, before=before, after=after)
    return rate.id


async def log_time(work: UnitOfWork, session_id: UUID, member_id: UUID, activity: str, minutes: int) -> UUID:
    """Minutes that somebody spent on a session by kind of work; told again, the later one holds.

    Raises TrainingRefusal `NO_SUCH_SESSION`, `NO_SUCH_TEAM_MEMBER`, `UNKNOWN_CHOICE` or `MINUTES`.
    """
    await found(work, TrainingSession, session_id, "session", "session")
    # Locked, so that two who tell of one person's time at once do not begin two rows.
    await found(work, TeamMember, member_id, "team member", "teamMember", lock=True)
    if activity not in ACTIVITIES:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(ACTIVITIES)}.", "activity")
    if not 0 < minutes <= MOST_MINUTES:
        raise TrainingRefusal("MINUTES", f"Enter from 1 to {MOST_MINUTES} minutes.", "minutes")
    kept = select(TimeLog).where(
        TimeLog.session_id == session_id, TimeLog.team_member_id == member_id, TimeLog.activity == activity
    )
    log = (await work.session.scalars(kept)).first()
    before = None if log is None else told(log, "minutes")
    if log is None:
        log = TimeLog(tenant_id=work.tenant_id, id=new_id(), session_id=session_id, team_member_id=member_id)
        log.activity = activity
        work.add(log)
    log.minutes, log.logged_at = minutes, work.now
    after = told(log, "session_id", "team_member_id", "activity", "minutes")
    work.record(Action.TIME_LOGGED, "time_log", log.id, before=before, after=after)
    return log.id


async def _charged(work: UnitOfWork, pool_id: UUID) -> int:
    """Seats that are charged; asked behind the pool's lock."""
    taken = select(func.count()).where(LicenceEnrolment.pool_id == pool_id, LicenceEnrolment.state == "charged")
    return (await work.session.scalars(taken.select_from(LicenceEnrolment))).one()


async def _give_seats(work: UnitOfWork, pool: LicencePool) -> None:
    free = pool.seats - await _charged(work, pool.id)
    if free < 1:
        return
    waiting = (
        select(LicenceEnrolment)
        .where(LicenceEnrolment.pool_id == pool.id, LicenceEnrolment.state == "waiting")
        .order_by(LicenceEnrolment.number)
        .limit(free)
    )
    for enrolment in await work.session.scalars(waiting):
        enrolment.state, enrolment.charged_at = "charged", work.now
        before, after = {"state": "waiting"}, {"state": "charged"}
        work.record(Action.SEAT_ASKED, "licence_enrolment", enrolment.id, before=before, after=after)
        announce(work, EventType.LICENCE_CHANGED, f"LicenceEnrolment:{enrolment.id}")


async def _pays_for(work: UnitOfWork, stream_id: UUID, course_id: UUID) -> None:
    await found(work, FundingStream, stream_id, "funding stream", "stream")
    paid = set(await work.session.scalars(select(FundedCourse.course_id).where(FundedCourse.stream_id == stream_id)))
    if paid and course_id not in paid:
        raise TrainingRefusal("NOT_FUNDED", "The stream does not pay for this course. Choose another one.", "stream")


async def _eligible(work: UnitOfWork, pool: LicencePool, learner_id: UUID, today: date) -> None:
    """Whether the stream that pays is for staff of a setting in which the learner works today."""
    if pool.stream_id is None:
        return
    stream = await found(work, FundingStream, pool.stream_id, "funding stream", "stream")
    if not stream.eligible_settings:
        return
    settings = (
        select(func.coalesce(Employment.setting, CqcLocation.primary_setting))
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .outerjoin(
            TenantLocation,
            and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
        )
        .outerjoin(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(
            Employment.learner_id == learner_id,
            Employment.started_on <= today,
            or_(Employment.ended_on.is_(None), Employment.ended_on >= today),
        )
    )
    if not set(await work.session.scalars(settings)) & set(stream.eligible_settings):
        named = ", ".join(setting.replace("_", " ") for setting in stream.eligible_settings)
        message = f"The money is for staff of these settings: {named}. Choose another pool."
        raise TrainingRefusal("NOT_ELIGIBLE", message, "learner")


def _seat_cost(pounds: Decimal) -> Decimal:
    cost = money(pounds, "costPerSeat")
    if cost >= MOST_FOR_A_SEAT:
        raise TrainingRefusal("MONEY", "A seat costs less than a million pounds.", "costPerSeat")
    return cost


def _dates(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise TrainingRefusal("DATES", "The last day is not before the first.", "endsOn")
