"""Changes of the register: appointing a champion, changing contact and part, ending by hand or with the employment."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, and_, exists, func, literal, or_, select, union_all

from app.directory.models import Employer, Employment, TenantLocation
from app.training.errors import Reason, TrainingRefusal
from app.training.models import MedicationChampion, Tier
from app.training.requirements.evidence import by_attendance, by_completion
from app.training.requirements.finding import row_of, said, same_version, standing_learner
from app.training.requirements.models import ChampionNomination, PrerequisiteRule
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among, table_of
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

CHAMPIONS_TIER = 3
"""The place of the champions' tier where no tier asks for a nomination."""


async def appoint(
    work: UnitOfWork, learner_id: UUID, tenant_location_id: UUID, *, contact_route: str = "", deputy: bool = False
) -> UUID:
    """Make somebody champion of a location from today; gives the role.

    Raises TrainingRefusal `NO_SUCH_LEARNER`, `NO_SUCH_LOCATION`, `CHAMPION_ALREADY`, or `NOT_READY` with every reason:
    `TIER_NOT_MET`, `NO_APPROVED_NOMINATION`, `EMPLOYMENT_ENDED`.
    """
    await row_of(work, TenantLocation, tenant_location_id, "NO_SUCH_LOCATION", "location", "locationId")
    learner_id = await standing_learner(work, learner_id)
    today = london_date(work.now)
    known = await work.session.execute(
        select(MedicationChampion)
        .where(MedicationChampion.learner_id == learner_id, MedicationChampion.tenant_location_id == tenant_location_id)
        .with_for_update()
    )
    role = known.scalars().first()
    if role is not None and role.state == "active" and role.started_on is not None:
        raise TrainingRefusal("CHAMPION_ALREADY", "The learner is champion there already.", "learnerId")
    trained = await _trained_on(work, learner_id, today) or (None if role is None else role.trained_on)
    nomination = (
        await work.session.scalars(
            select(ChampionNomination.id)
            .where(
                ChampionNomination.learner_id == learner_id,
                ChampionNomination.tenant_location_id == tenant_location_id,
                ChampionNomination.status == "approved",
            )
            .order_by(ChampionNomination.decided_at.desc())
            .limit(1)
        )
    ).first()
    reasons = []
    if trained is None:
        reasons.append(Reason("TIER_NOT_MET", "Complete the champions' tier first."))
    if nomination is None:
        reasons.append(Reason("NO_APPROVED_NOMINATION", "Nominate the learner for this location and approve that."))
    if await _last_day_there(work, learner_id, tenant_location_id, today) is not None:
        reasons.append(Reason("EMPLOYMENT_ENDED", "The learner no longer works there. Choose the present location."))
    if reasons:
        message = " ".join(reason.message for reason in reasons)
        raise TrainingRefusal("NOT_READY", message, "learnerId", reasons)
    if role is None:
        role = MedicationChampion(
            tenant_id=work.tenant_id,
            id=new_id(),
            learner_id=learner_id,
            tenant_location_id=tenant_location_id,
            location_key=str(tenant_location_id),
            import_id=None,
            created_at=work.now,
            version=0,
        )
        work.add(role)
    role.trained_on, role.nomination_id = trained, nomination
    role.started_on, role.ended_on, role.ended_because, role.state = today, None, None, "active"
    role.contact_route, role.deputy = " ".join(contact_route.split()) or None, deputy
    role.version += 1
    await work.session.flush()
    after = {"learner": str(learner_id), "location": str(tenant_location_id), "deputy": deputy}
    work.record(Action.CHAMPION_APPOINTED, "medication_champion", role.id, after=after)
    announce(work, EventType.CHAMPION_CHANGED, f"MedicationChampion:{role.id}")
    return role.id


async def _trained_on(work: UnitOfWork, learner_id: UUID, today: date) -> date | None:
    """The latest day on which a champions' tier was met that still counts."""
    tenant = literal(work.tenant_id, Uuid)
    asked = select(PrerequisiteRule.tier_id).where(PrerequisiteRule.kind == "approved_nomination")
    tiers = set(await work.session.scalars(asked))
    if not tiers:
        tiers = set(await work.session.scalars(select(Tier.id).where(Tier.position == CHAMPIONS_TIER)))
    met = union_all(
        *(
            select(part.c.day).where(
                part.c.learner_id == learner_id,
                among(part.c.tier_id, tiers),
                part.c.day <= today,
                or_(part.c.until.is_(None), part.c.until >= today),
            )
            for part in (by_completion(tenant).subquery(), by_attendance(tenant).subquery())
        )
    ).subquery()
    latest: date | None = (await work.session.execute(select(func.max(met.c.day)))).scalar_one()
    return latest


def _spells(work: UnitOfWork) -> Any:
    """Employments with the location of their employer: learner_id, tenant_location_id, started_on, ended_on."""
    employment, employer = table_of(Employment).alias(), table_of(Employer).alias()
    return (
        select(employment.c.learner_id, employer.c.tenant_location_id, employment.c.started_on, employment.c.ended_on)
        .where(
            employment.c.tenant_id == work.tenant_id,
            employer.c.tenant_id == work.tenant_id,
            employer.c.id == employment.c.employer_id,
        )
        .subquery()
    )


async def _last_day_there(work: UnitOfWork, learner_id: UUID, location_id: UUID, today: date) -> date | None:
    """The last day of work at a location that somebody has left; None for who works there, or never did."""
    spell = _spells(work)
    left = select(func.max(spell.c.ended_on), func.bool_or(func.coalesce(spell.c.ended_on, today) >= today)).where(
        spell.c.learner_id == learner_id, spell.c.tenant_location_id == location_id
    )
    last, there = (await work.session.execute(left)).one()
    return None if there or last is None else last


async def change_champion(
    work: UnitOfWork, champion_id: UUID, version: int, *, contact_route: str | None, deputy: bool | None
) -> None:
    """Change how a champion is reached, and whether they stand in for others; None leaves it.

    Raises TrainingRefusal `NO_SUCH_CHAMPION`, `CHANGED_MEANWHILE` or `ENDED_ALREADY`.
    """
    role = await _held(work, champion_id, version)
    before = {"deputy": role.deputy, "contact": role.contact_route is not None}
    if contact_route is not None:
        role.contact_route = " ".join(contact_route.split()) or None
    if deputy is not None:
        role.deputy = deputy
    role.version += 1
    after = {"deputy": role.deputy, "contact": role.contact_route is not None}
    work.record(Action.CHAMPION_CHANGED, "medication_champion", role.id, before=before, after=after)
    announce(work, EventType.CHAMPION_CHANGED, f"MedicationChampion:{role.id}")


async def end_champion(work: UnitOfWork, champion_id: UUID, version: int, reason: str) -> None:
    """End a role today. Raises as `change_champion`, and `REASON_MISSING`."""
    why = said(reason, "REASON_MISSING", "Say why the role ends.", "reason")
    role = await _held(work, champion_id, version)
    today = london_date(work.now)
    role.state, role.ended_on, role.ended_because = "ended", max(today, role.started_on or today), why
    role.version += 1
    after = {"ended_on": str(role.ended_on), "reason": why}
    work.record(Action.CHAMPION_ENDED, "medication_champion", role.id, before={"state": "active"}, after=after)
    announce(work, EventType.CHAMPION_CHANGED, f"MedicationChampion:{role.id}")


async def _held(work: UnitOfWork, champion_id: UUID, version: int) -> MedicationChampion:
    role = await row_of(work, MedicationChampion, champion_id, "NO_SUCH_CHAMPION", "champion", "id")
    same_version(version, role.version, "champion")
    if role.state == "ended":
        raise TrainingRefusal("ENDED_ALREADY", "The role has ended already. Appoint the learner again.", "id")
    return role


async def end_with_employment(work: UnitOfWork) -> int:
    """End the roles of all who no longer work at the role's location, and those whose last day has come; how many.

    A role begins its end on the day after the last day of work there. Somebody who never worked there, as far as
    anybody told, keeps the role: a list of champions is no proof of an employment, nor is its absence.
    """
    today = london_date(work.now)
    champion, spell = table_of(MedicationChampion), _spells(work)
    here = and_(
        spell.c.learner_id == champion.c.learner_id, spell.c.tenant_location_id == champion.c.tenant_location_id
    )
    working = exists(
        select(literal(1)).select_from(spell).where(here, or_(spell.c.ended_on.is_(None), spell.c.ended_on >= today))
    )
    last = select(func.max(spell.c.ended_on)).where(here).scalar_subquery()
    found = await work.session.execute(
        select(champion.c.id, champion.c.started_on, champion.c.ended_on, last.label("last"))
        .where(
            champion.c.tenant_id == work.tenant_id,
            champion.c.state == "active",
            or_(champion.c.ended_on <= today, and_(~working, last.is_not(None))),
        )
        .order_by(champion.c.id)
        .with_for_update()
    )
    ended = []
    for row in found:
        gone = row.last is not None and (row.ended_on is None or row.ended_on > today)
        day = row.last + timedelta(days=1) if gone else row.ended_on
        ended.append((row.id, max(day, row.started_on or day), "employment_ended" if gone else "date_reached"))
    await work.run_rows(
        f"UPDATE {champion.schema}.{champion.name} SET state = 'ended', ended_on = $3, version = version + 1, "
        "ended_because = coalesce(ended_because, $4) WHERE tenant_id = $1 AND id = $2",
        ended,
    )
    if ended:
        counts = {why: sum(one[2] == why for one in ended) for why in ("employment_ended", "date_reached")}
        work.record(Action.CHAMPIONS_ENDED, "medication_champion", None, after=counts)
    for identifier, _, _ in ended:
        announce(work, EventType.CHAMPION_CHANGED, f"MedicationChampion:{identifier}")
    return len(ended)
