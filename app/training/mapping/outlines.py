"""Outlines of sessions that came with the templates from which a tenant's programmes were cloned."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.training.mapping.models import ProgrammeOrigin, ProgrammeTemplate
from app.training.models import Programme, Tier


@dataclass(frozen=True, slots=True)
class Outline:
    """A session as the publisher gave it, for a tier of the programme that was cloned. `sessions`: how often."""

    key: str
    programme: str
    publisher: str
    tier_id: UUID
    tier: str
    title: str
    minutes: int
    online_mode: str
    kind: str
    sessions: int


async def outlines(session: AsyncSession) -> Sequence[Outline]:
    """The tenant's outlines, in the order of its programmes and their tiers; a tier that is gone has none."""
    rows = await session.execute(
        select(ProgrammeOrigin.id, ProgrammeOrigin.publisher_name, Programme, ProgrammeTemplate.document)
        .join(
            Programme,
            and_(Programme.tenant_id == ProgrammeOrigin.tenant_id, Programme.id == ProgrammeOrigin.programme_id),
        )
        .join(ProgrammeTemplate, ProgrammeTemplate.id == ProgrammeOrigin.template_id)
        .where(Programme.status != "retired")
        .order_by(Programme.name, ProgrammeOrigin.id)
    )
    tiers = {(tier.programme_id, tier.position): tier for tier in await session.scalars(select(Tier))}
    return [
        Outline(
            f"{origin_id}-{number}",
            programme.name,
            publisher,
            tier.id,
            f"{tier.position}. {tier.name}",
            entry["title"],
            entry["duration_minutes"],
            entry["mode"],
            entry.get("kind", "training"),
            entry["sessions"],
        )
        for origin_id, publisher, programme, document in rows
        for number, entry in enumerate(document["sections"].get("session_outlines", []))
        if (tier := tiers.get((programme.id, entry["tier"]))) is not None
    ]
