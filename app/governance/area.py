"""What a council may know of its own area: locations and counts, and names while a signed agreement is in force.

Both are read anew for each question: what is signed, or ends, counts at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.locations import council_key
from app.directory.models import CqcLocation, Employer, TenantLocation
from app.governance.equity import SMALLEST
from app.governance.group import Place, gathered
from app.governance.models import PartnerOrganisation, Partnership
from app.governance.partnerships import steps_of
from app.governance.rules import Cell, ToldCell, may_be_told, names_are_shared, stage_of
from app.identity.models import StaffMember
from app.training.models import Programme, Tier
from app.training.requirements.models import LearnerStanding, Requirement
from tenants.base import among


@dataclass(frozen=True, slots=True)
class OwnArea:
    """A council partner's area, how far the partnership is, and whether names are shared today."""

    council: str
    local_authority: str
    stage: str
    names_shared: bool
    agreement_until: date | None


async def own_area(session: AsyncSession, staff_member_id: UUID, today: date) -> OwnArea | None:
    """The area of a member of a council's staff; None if the council was not invited yet."""
    row = (
        await session.execute(
            select(Partnership, PartnerOrganisation.name)
            .join(
                PartnerOrganisation,
                and_(
                    PartnerOrganisation.tenant_id == Partnership.tenant_id,
                    PartnerOrganisation.id == Partnership.partner_organisation_id,
                ),
            )
            .join(
                StaffMember,
                and_(
                    StaffMember.tenant_id == Partnership.tenant_id,
                    StaffMember.partner_organisation_id == Partnership.partner_organisation_id,
                ),
            )
            .where(StaffMember.id == staff_member_id, StaffMember.ended_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    partnership, name = row
    steps = steps_of(partnership)
    return OwnArea(
        name,
        partnership.local_authority,
        stage_of(steps, today),
        names_are_shared(steps, today),
        partnership.agreement_until,
    )


async def places(session: AsyncSession, area: OwnArea) -> list[Place]:
    """Locations of the tenant in the area, by name, with their employers."""
    rows = await session.execute(
        select(
            TenantLocation.id, CqcLocation.name, CqcLocation.primary_setting, Employer.id, CqcLocation.local_authority
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(
            Employer,
            and_(Employer.tenant_id == TenantLocation.tenant_id, Employer.tenant_location_id == TenantLocation.id),
        )
        .where(CqcLocation.local_authority.is_not(None))
        .order_by(CqcLocation.name, TenantLocation.id, Employer.name, Employer.id)
    )
    own = council_key(area.local_authority)
    return gathered(row[:-1] for row in rows if council_key(row[-1] or "") == own)


async def coverage(session: AsyncSession, employer_ids: Sequence[UUID]) -> list[ToldCell]:
    """For each tier: posts at the employers that need it, and those that have it; hidden where that tells of few."""
    trained = LearnerStanding.state.in_(("met", "expiring"))
    needs = (
        select(
            LearnerStanding.tenant_id,
            LearnerStanding.learner_id,
            LearnerStanding.employer_id,
            Requirement.tier_id,
            func.bool_or(trained).label("trained"),
        )
        .join(
            Requirement,
            and_(Requirement.tenant_id == LearnerStanding.tenant_id, Requirement.id == LearnerStanding.requirement_id),
        )
        .where(among(LearnerStanding.employer_id, employer_ids))
        .group_by(
            LearnerStanding.tenant_id, LearnerStanding.learner_id, LearnerStanding.employer_id, Requirement.tier_id
        )
        .subquery()
    )
    counted = await session.execute(
        select(Tier.name, func.count(needs.c.tier_id), func.count(needs.c.tier_id).filter(needs.c.trained))
        .outerjoin(needs, and_(needs.c.tenant_id == Tier.tenant_id, needs.c.tier_id == Tier.id))
        .join(Programme, and_(Programme.tenant_id == Tier.tenant_id, Programme.id == Tier.programme_id))
        .where(Programme.scope == "system", Programme.status == "published")
        .group_by(Tier.id, Tier.name, Tier.position)
        .order_by(Tier.position, Tier.id)
    )
    return [_cell(name, needing, having) for name, needing, having in counted]


def _cell(tier: str, needing: int, having: int) -> ToldCell:
    if not may_be_told(Cell("tier", tier, needing, having), SMALLEST):
        return ToldCell("tier", tier, None, None, None)
    return ToldCell("tier", tier, needing, having, round(100 * having / needing, 1) if needing else None)
