"""Councils that join the programme: invited, agreed, agreement to share data signed, live; and who came when."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, cast, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.locations import council_key
from app.directory.models import CqcLocation, Employer, Employment, TenantLocation
from app.governance.models import PartnerOrganisation, Partnership
from app.governance.rules import Steps, stage_of
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, same_version, words
from app.training.models import Attendance, Completion, TrainingSession
from tenants.audit import Action
from tenants.clock import LONDON, london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

ORDER = {"agreed": "invited_on", "agreement_signed": "agreed_on", "live": "agreement_signed_on"}
"""Each step, and the day without which it cannot come."""
_BEFORE = {
    "agreed": "Enter first when the council was invited.",
    "agreement_signed": "Enter first when the council agreed.",
    "live": "Enter first when the data sharing agreement was signed.",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a data sharing agreement is found by, and its last day if one was agreed."""

    reference: str | None = None
    until: date | None = None


async def invite(work: UnitOfWork, partner_id: UUID, local_authority: str, on: date) -> UUID:
    """Begin a partnership with a council; `local_authority` is its name as CQC writes it.

    Raises TrainingRefusal `NO_SUCH_PARTNER_ORGANISATION`, `NOT_A_COUNCIL`, `TEXT_MISSING` or `PARTNER_ALREADY`.
    """
    partner = await found(work, PartnerOrganisation, partner_id, "partner organisation", lock=True)
    if partner.kind != "council":
        raise TrainingRefusal("NOT_A_COUNCIL", "Only councils join like this. Choose a council.", "partner")
    authority = words(local_authority, "localAuthority", "the council's name as CQC writes it")
    present = select(Partnership.id).where(Partnership.partner_organisation_id == partner_id)
    if (await work.session.scalars(present)).first() is not None:
        raise TrainingRefusal("PARTNER_ALREADY", "The council was invited already. Enter its next step.", "partner")
    partnership = Partnership(
        tenant_id=work.tenant_id,
        id=new_id(),
        partner_organisation_id=partner_id,
        local_authority=authority,
        invited_on=on,
        version=1,
        created_at=work.now,
    )
    work.add(partnership)
    await work.session.flush()
    work.record(Action.PARTNERSHIP_CHANGED, "partnership", partnership.id, after={"step": "invited", "on": on})
    return partnership.id


async def enter_step(
    work: UnitOfWork, partnership_id: UUID, step: str, on: date, version: int, agreement: Agreement | None = None
) -> None:
    """Enter, or correct, the day of a step. A signed agreement that is entered anew takes the place of the one before.

    Raises TrainingRefusal `NO_SUCH_PARTNERSHIP`, `CHANGED_MEANWHILE`, `UNKNOWN_CHOICE`, `ENDED_ALREADY`,
    `STEP_TOO_EARLY`, `IN_THE_FUTURE` or `REFERENCE_MISSING`.
    """
    partnership = await found(work, Partnership, partnership_id, "partnership", lock=True)
    same_version(partnership.version, version, "partnership")
    if step not in ORDER:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(ORDER)}.", "step")
    if partnership.ended_on is not None:
        raise TrainingRefusal("ENDED_ALREADY", "The partnership has ended. Add the council anew to go on.", "step")
    if on > london_date(work.now):
        raise TrainingRefusal("IN_THE_FUTURE", "Enter a step once it has been taken: today or before.", "on")
    before = getattr(partnership, ORDER[step])
    if before is None or on < before:
        raise TrainingRefusal("STEP_TOO_EARLY", _BEFORE[step] if before is None else f"Enter {before} or later.", "on")
    if step == "agreement_signed":
        given = agreement or Agreement()
        if not given.reference:
            raise TrainingRefusal("REFERENCE_MISSING", "Say where the signed agreement is kept.", "reference")
        if given.until is not None and given.until < on:
            raise TrainingRefusal("STEP_TOO_EARLY", "The agreement cannot end before it was signed.", "until")
        partnership.agreement_reference = words(given.reference, "reference", "where it is kept")
        partnership.agreement_until = given.until
    setattr(partnership, f"{step}_on", on)
    partnership.version += 1
    work.record(Action.PARTNERSHIP_CHANGED, "partnership", partnership.id, after={"step": step, "on": on})
    await work.session.flush()


async def end(work: UnitOfWork, partnership_id: UUID, version: int) -> None:
    """End it today: the council's staff see names no more.

    Raises TrainingRefusal `NO_SUCH_PARTNERSHIP`, `CHANGED_MEANWHILE` or `ENDED_ALREADY`.
    """
    partnership = await found(work, Partnership, partnership_id, "partnership", lock=True)
    same_version(partnership.version, version, "partnership")
    if partnership.ended_on is not None:
        raise TrainingRefusal("ENDED_ALREADY", "The partnership has ended already.", "id")
    partnership.ended_on = max(london_date(work.now), partnership.invited_on)
    partnership.version += 1
    work.record(Action.PARTNERSHIP_CHANGED, "partnership", partnership.id, after={"step": "ended"})


@dataclass(frozen=True, slots=True)
class Adopted:
    """A partner on the timeline. `first_activity_on`: when somebody who worked in its area first learned something."""

    id: UUID
    partner_id: UUID
    name: str
    steps: Steps
    stage: str
    first_activity_on: date | None


def steps_of(partnership: Partnership) -> Steps:
    """The days of a partnership."""
    return Steps(
        partnership.invited_on,
        partnership.agreed_on,
        partnership.agreement_signed_on,
        partnership.agreement_until,
        partnership.live_on,
        partnership.ended_on,
    )


async def adoption(session: AsyncSession, today: date) -> list[Adopted]:
    """All partners, who came first by first activity first; those without any after them, by when they were invited."""
    rows = (
        await session.execute(
            select(Partnership, PartnerOrganisation.name).join(
                PartnerOrganisation,
                and_(
                    PartnerOrganisation.tenant_id == Partnership.tenant_id,
                    PartnerOrganisation.id == Partnership.partner_organisation_id,
                ),
            )
        )
    ).all()
    first = await _first_activity(session) if rows else {}
    found_ones = []
    for partnership, name in rows:
        steps = steps_of(partnership)
        active = first.get(council_key(partnership.local_authority))
        partner_id = partnership.partner_organisation_id
        found_ones.append(Adopted(partnership.id, partner_id, name, steps, stage_of(steps, today), active))
    return sorted(
        found_ones, key=lambda one: (one.first_activity_on or date.max, one.steps.invited_on, one.name, one.id)
    )


async def _first_activity(session: AsyncSession) -> dict[str, date]:
    """The first day in each local authority on which somebody, who worked there that day, completed or attended."""
    completed = select(
        Completion.tenant_id.label("tenant_id"),
        Completion.learner_id.label("learner_id"),
        _day(Completion.completed_at).label("day"),
    )
    attended = (
        select(Attendance.tenant_id, Attendance.learner_id, _day(TrainingSession.starts_at))
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
        )
        .where(Attendance.qualifies)
    )
    learned = union_all(completed, attended).subquery()
    rows = await session.execute(
        select(CqcLocation.local_authority, func.min(learned.c.day))
        .select_from(learned)
        .join(
            Employment,
            and_(
                Employment.tenant_id == learned.c.tenant_id,
                Employment.learner_id == learned.c.learner_id,
                Employment.started_on <= learned.c.day,
                or_(Employment.ended_on.is_(None), Employment.ended_on >= learned.c.day),
            ),
        )
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .join(
            TenantLocation,
            and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .where(CqcLocation.local_authority.is_not(None))
        .group_by(CqcLocation.local_authority)
    )
    first: dict[str, date] = {}
    for authority, day in rows:
        key = council_key(authority)
        first[key] = min(first.get(key, day), day)
    return first


def _day(moment: object) -> ColumnElement[date]:
    """The day in England on which a moment fell."""
    return cast(func.timezone(LONDON.key, moment), Date)
