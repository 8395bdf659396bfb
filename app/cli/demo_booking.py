"""The demonstration's sessions: a team, venues, a series, a webinar with a waiting list, a full day, a forum."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employer, Employment
from app.training.booking.operations import book
from app.training.booking.placing import Request
from app.training.mapping.models import GuidanceDocument, Topic
from app.training.models import Completion, Programme, Tier, TrainingSession
from app.training.requirements.gating import reasons_against
from app.training.requirements.models import ChampionNomination
from app.training.requirements.nominations import approve, nominate
from app.training.sessions.details import Part, Places, Reserved, SessionDetails
from app.training.sessions.operations import allocate_groups, create_session, publish_session
from app.training.sessions.rules import to_utc
from app.training.sessions.series import Recurrence, create_series
from app.training.sessions.team import Member, Place, save_member, save_venue
from tenants.base import among
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.session import Database, UnitOfWork

TEAM = (
    Member("Petra Pharmacist-Example", "pharmacist", ("lead", "facilitator"), Decimal("1"), "GPhC", "2099001"),
    Member("Tomas Technician-Example", "pharmacy_technician", ("facilitator",), Decimal("0.8"), "GPhC", "5099002"),
    Member("Nadia Newcomer-Example", "pharmacy_technician", ("facilitator",), Decimal("0.6")),
    Member("Omar Office-Example", "other", ("administrator",), Decimal("0.5")),
)
VENUES = (
    Place(
        "Invented Town Hall", "1 Example Square", "LU1 1ZZ", "Luton", 40, ("step-free", "hearing loop"), Decimal("0")
    ),
    Place("Made-Up Village Centre", "2 Example Lane", "MK1 1ZZ", "Milton Keynes", 24, ("parking",), Decimal("180.00")),
)
WEBINAR_PLACES, ASKED, CHAMPIONS = 24, 32, 14


async def add_sessions(database: Database, context: TenantContext) -> None:
    """Plan, publish and book; does nothing to a tenant that has a team already."""
    async with database.unit_of_work(context) as work:
        known = select(TrainingSession.id).where(TrainingSession.series_id.is_not(None)).limit(1)
        if (await work.session.scalars(known)).first() is not None:
            return
        team = [(await save_member(work, member))[0] for member in TEAM]
        venues = [await save_venue(work, venue) for venue in VENUES]
        tiers = await _tiers(work)
        today = london_date(work.now)
        await _series(work, tiers, team, today)
        webinar = await _webinar(work, tiers, team, today)
        day = await _full_day(work, tiers, team, venues, today)
    await _book(database, context, webinar, await _learned(database, context, webinar, ASKED))
    await _book(database, context, day, await _nominated(database, context, day))
    async with database.unit_of_work(context) as work:
        await allocate_groups(work, day, 4)


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return to_utc(datetime.combine(day, time(hour, minute)))


def _working_day(day: date) -> date:
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])


async def _tiers(work: UnitOfWork) -> dict[int, UUID]:
    programme = select(Programme.id).order_by(Programme.created_at, Programme.id).limit(1).scalar_subquery()
    rows = await work.session.execute(select(Tier.position, Tier.id).where(Tier.programme_id == programme))
    return {row.position: row.id for row in rows}


async def _series(work: UnitOfWork, tiers: dict[int, UUID], team: Sequence[UUID], today: date) -> None:
    begins = _at(today, 14)
    webinar = SessionDetails(
        "When required (PRN) medicines",
        begins,
        begins + timedelta(minutes=90),
        tier_id=tiers[2],
        join_url="https://meet.example/prn",
        places=Places(400),
        facilitator_ids=(team[0],),
        people_per_facilitator=400,
    )
    first = _working_day(today + timedelta(days=35))
    recurrence = Recurrence("FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU", first.replace(day=1), time(14), 90)
    await create_series(work, webinar, recurrence, today + timedelta(days=400))
    forum = SessionDetails(
        "Champions’ forum",
        begins,
        begins + timedelta(minutes=60),
        kind="forum",
        join_url="https://meet.example/forum",
        places=Places(60),
        facilitator_ids=(team[1],),
    )
    quarterly = Recurrence("FREQ=MONTHLY;INTERVAL=3;BYDAY=1WE", first.replace(day=1), time(10), 60)
    await create_series(work, forum, quarterly, today + timedelta(days=400))


async def _webinar(work: UnitOfWork, tiers: dict[int, UUID], team: Sequence[UUID], today: date) -> UUID:
    begins = _at(_working_day(today + timedelta(days=16)), 14)
    topics = await work.session.scalars(select(Topic.id).where(Topic.code.in_(("T16", "T03"))))
    guidance = await work.session.scalars(select(GuidanceDocument.id).where(GuidanceDocument.kind == "local").limit(1))
    details = SessionDetails(
        "Covert administration and best interests",
        begins,
        begins + timedelta(minutes=90),
        tier_id=tiers[2],
        join_url="https://meet.example/covert",
        description="When a medicine may be given hidden, who decides, and what is written down.",
        places=Places(WEBINAR_PLACES, "offer", offer_hours=48),
        reserves=(Reserved("setting", "domiciliary", 4, begins - timedelta(days=7)),),
        facilitator_ids=(team[0], team[1]),
        topic_ids=tuple(topics),
        guidance_ids=tuple(guidance),
        agenda=(
            Part("Welcome", 10),
            Part("Law and best interests", 30),
            Part("A case", 40, group_work=True),
            Part("Questions", 10),
        ),
    )
    session_id = await create_session(work, details)
    await publish_session(work, session_id, 1)
    return session_id


async def _full_day(
    work: UnitOfWork, tiers: dict[int, UUID], team: Sequence[UUID], venues: Sequence[UUID], today: date
) -> UUID:
    day = _working_day(today + timedelta(days=44))
    details = SessionDetails(
        "Medication Champions: a resident’s journey",
        _at(day, 9, 30),
        _at(day, 16),
        kind="champions_day",
        tier_id=tiers[3],
        online_mode="none",
        venue_id=venues[0],
        second_part_at=_at(day, 13),
        people_per_facilitator=12,
        places=Places(24),
        facilitator_ids=(team[0], team[1]),
        agenda=(
            Part("Moving in", 90, 1, group_work=True),
            Part("Reconciling medicines", 60, 1, group_work=True),
            Part("A fall, and what came before it", 90, 2, group_work=True),
            Part("What I take home", 45, 2),
        ),
    )
    session_id = await create_session(work, details)
    await publish_session(work, session_id, 1)
    return session_id


async def _learned(database: Database, context: TenantContext, session_id: UUID, wanted: int) -> list[UUID]:
    """People at work today who may come to the session: those with the longest record first."""
    async with database.unit_of_work(context) as work:
        today = london_date(work.now)
        employed = select(Employment.learner_id).where(Employment.ended_on.is_(None))
        found = await work.session.scalars(
            select(Completion.learner_id)
            .where(Completion.learner_id.in_(employed))
            .group_by(Completion.learner_id)
            .order_by(Completion.learner_id)
            .limit(wanted * 6)
        )
        return (await _allowed(work, session_id, list(found), today))[:wanted]


async def _nominated(database: Database, context: TenantContext, session_id: UUID) -> list[UUID]:
    """People who lack nothing but a nomination for the full day get one, approved, and those who had one before."""
    async with database.unit_of_work(context) as work:
        (session,) = await work.session.scalars(select(TrainingSession).where(TrainingSession.id == session_id))
        rows = await work.session.execute(
            select(Employment.learner_id, Employer.tenant_location_id)
            .join(Employer, (Employer.tenant_id == Employment.tenant_id) & (Employer.id == Employment.employer_id))
            .where(Employment.ended_on.is_(None), Employer.tenant_location_id.is_not(None))
            .order_by(Employment.learner_id, Employer.id)
        )
        homes = {row.learner_id: row.tenant_location_id for row in rows}
        learners = list(homes)
        on = london_date(session.starts_at)
        against = await reasons_against(work, tier_id=session.tier_id, learner_ids=learners, on=on)
        nearly = [key for key in learners if [reason.code for reason in against.get(key, ())] == ["NOMINATION_MISSING"]]
        open_ones = set(
            await work.session.scalars(
                select(ChampionNomination.learner_id).where(ChampionNomination.status == "nominated")
            )
        )
        chosen = [learner_id for learner_id in nearly if learner_id not in open_ones][:CHAMPIONS]
        for learner_id in chosen:
            nomination_id = await nominate(
                work,
                learner_id=learner_id,
                tenant_location_id=homes[learner_id],
                nominator_name="Mx Manager-Example",
                nominator_role="Registered manager",
                statement="Keeps the charts in order, and colleagues ask for advice.",
            )
            await work.session.flush()
            await approve(work, nomination_id, 1)
        return [learner_id for learner_id in learners if learner_id in chosen or learner_id not in against][:CHAMPIONS]


async def _allowed(work: UnitOfWork, session_id: UUID, learners: list[UUID], today: date) -> list[UUID]:
    (session,) = await work.session.scalars(select(TrainingSession).where(among(TrainingSession.id, [session_id])))
    on = max(today, london_date(session.starts_at))
    against = await reasons_against(work, tier_id=session.tier_id, learner_ids=learners, on=on)
    return [learner_id for learner_id in learners if learner_id not in against]


async def _book(database: Database, context: TenantContext, session_id: UUID, learners: Sequence[UUID]) -> None:
    for learner_id in learners:
        async with database.unit_of_work(context) as work:
            await book(work, Request(session_id, (learner_id,), "learner"))
