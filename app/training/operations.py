"""Changes of training: the only code that writes its tables."""

from uuid import UUID

from app.training.models import Programme, Tier
from app.training.requirements.prerequisites import default_rules, replace_rules
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

DEFAULT_TIERS = (("Foundation", 180), ("Step up", None), ("Medication Champions", None))
"""Names and minimum minutes of the three tiers, from 1; a tenant may rename them."""


async def create_programme(work: UnitOfWork, name: str) -> UUID:
    """A draft of a programme for the whole system, with its three tiers and what they need of each other."""
    programme = Programme(
        tenant_id=work.tenant_id,
        id=new_id(),
        name=name,
        created_at=work.now,
        scope="system",
        provider_group_id=None,
        cqc_provider_id=None,
        status="draft",
        version=1,
        published_at=None,
        published_without_mapping=False,
    )
    work.add(programme)
    await work.session.flush()
    tiers = [
        Tier(
            tenant_id=work.tenant_id,
            id=new_id(),
            programme_id=programme.id,
            position=position,
            name=tier,
            minimum_minutes=minutes,
            accepted_modes=[],
            validity_months=None,
            renewal_lead_days=90,
        )
        for position, (tier, minutes) in enumerate(DEFAULT_TIERS, 1)
    ]
    work.add(*tiers)
    await work.session.flush()
    after = {"name": name, "tiers": len(DEFAULT_TIERS)}
    work.record(Action.PROGRAMME_CREATED, "programme", programme.id, after=after)
    for tier_id, rules in default_rules(tiers).items():
        await replace_rules(work, tier_id, rules)
    return programme.id
