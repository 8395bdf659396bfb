"""Changes of training: the only code that writes its tables."""

from uuid import UUID

from app.training.models import Programme, Tier
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

DEFAULT_TIERS = (("Foundation", 180), ("Step up", None), ("Medication Champions", None))
"""Names and minimum minutes of the three tiers, from 1; a tenant may rename them."""


async def create_programme(work: UnitOfWork, name: str) -> UUID:
    """A programme with its three tiers."""
    programme_id = new_id()
    work.add(Programme(tenant_id=work.tenant_id, id=programme_id, name=name, created_at=work.now))
    await work.session.flush()
    work.add(
        *(
            Tier(
                tenant_id=work.tenant_id,
                id=new_id(),
                programme_id=programme_id,
                position=position,
                name=tier,
                minimum_minutes=minutes,
            )
            for position, (tier, minutes) in enumerate(DEFAULT_TIERS, 1)
        )
    )
    work.record(Action.PROGRAMME_CREATED, "programme", programme_id, after={"name": name, "tiers": len(DEFAULT_TIERS)})
    return programme_id
