"""What the start page leads with, by role: a few live numbers for a commissioner, a provider manager, an educator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Date, Uuid, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.impact_pages import shortcuts
from app.evidence.definitions import CHAMPIONS_ACTIVE, TIER_1_LEARNERS, WEBINAR_ATTENDANCES
from app.evidence.summary import impact
from app.governance import group
from app.identity.permissions import Role
from app.identity.principal import Principal
from app.training.models import TrainingSession
from app.training.requirements.models import ChampionNomination, LearnerStanding
from app.training.requirements.oversight import By, oversight
from tenants.base import among
from tenants.clock import london_date

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the start page, what it counts, and where there is more of it."""

    value: str
    what: str
    path: str


async def leading(session: AsyncSession, principal: Principal, now: datetime) -> Sequence[Number]:
    """The numbers of the role; none for roles that have none."""
    if principal.role == Role.ANALYST:
        return await _commissioner(session, principal, now)
    if principal.role == Role.PROVIDER_MANAGER:
        return await _manager(session, principal.id, now)
    if principal.role in (Role.FACILITATOR, Role.PROGRAMME_LEAD):
        return await _educator(session, now)
    return ()


async def _commissioner(session: AsyncSession, principal: Principal, now: datetime) -> list[Number]:
    assert principal.tenant_id is not None
    period = shortcuts(london_date(now), None)[0].period
    codes = (TIER_1_LEARNERS, WEBINAR_ATTENDANCES, CHAMPIONS_ACTIVE)
    counted = await impact(session, principal.tenant_id, period, codes)
    numbers = [
        Number(f"{one.numerator:,}", f"{one.definition.name}, last 12 months", "/console/impact") for one in counted
    ]
    tiers = oversight(literal(principal.tenant_id, Uuid()), literal(london_date(now), Date()), By.TIER)
    first = (await session.execute(tiers)).first()
    if first is not None and first.needing:
        share = f"{100 * first.trained / first.needing:.0f}%"
        numbers.append(
            Number(share, f"of {first.needing:,} posts that need tier {first.label} have it", "/console/standing")
        )
    return numbers


async def _manager(session: AsyncSession, staff_member_id: UUID, now: datetime) -> list[Number]:
    places = await group.places(session, staff_member_id)
    employers = group.employers_of(places)
    people = {one.learner_id for one in await group.colleagues(session, employers, london_date(now))}
    lacking = (
        select(func.count(func.distinct(LearnerStanding.learner_id)))
        .where(among(LearnerStanding.employer_id, employers), LearnerStanding.state.in_(("missing", "expired")))
        .where(among(LearnerStanding.learner_id, people))
    )
    home, noun = "/console/my-locations", "location" if len(places) == 1 else "locations"
    return [
        Number(
            f"{len(people):,}",
            f"people at your {len(places):,} {noun} now",
            home,
        ),
        Number(f"{(await session.scalars(lacking)).one():,}", "of them still have something to learn", home),
        Number("Evidence packs", "for an inspection, of your locations alone", f"{home}/reports"),
    ]


async def _educator(session: AsyncSession, now: datetime) -> list[Number]:
    soon = select(func.count()).select_from(TrainingSession)
    soon = soon.where(TrainingSession.state == "published", TrainingSession.starts_at.between(now, now + SOON))
    waiting = select(func.count()).select_from(ChampionNomination).where(ChampionNomination.status == "nominated")
    return [
        Number(f"{(await session.scalars(soon)).one():,}", "sessions in the next two weeks", "/console/sessions"),
        Number(
            f"{(await session.scalars(waiting)).one():,}",
            "nominations that wait for a decision",
            "/console/nominations",
        ),
    ]
