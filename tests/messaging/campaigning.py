"""What tests of campaigns share: contacts of homes, people at work who write and approve, campaigns on their way."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employer
from app.messaging import campaigns, contacts
from app.messaging.models import Campaign, CampaignLink
from tenants.context import ActorKind, TenantContext
from tenants.identifiers import new_id
from tests.support import Installation

WRITER, APPROVER = new_id(), new_id()
BODY = "Dear ((first_name)),\n\nnew webinars for everybody at **((workplace))**. [Book here](((link)))."
PLAIN = "Dear ((first_name)), news from ((organisation))."


def at_work(installation: Installation, actor: UUID = WRITER, tenant_id: UUID | None = None) -> TenantContext:
    """The context of somebody at work, in the north if no tenant is named."""
    return TenantContext(tenant_id or installation.north, ActorKind.STAFF, actor)


async def location_of(installation: Installation, employer_id: UUID) -> UUID:
    """The location of an employer of the north."""
    async with installation.database.session(installation.context(installation.north)) as session:
        found = (await session.scalars(select(Employer.tenant_location_id).where(Employer.id == employer_id))).one()
        assert found is not None
        return found


async def add_contact(
    installation: Installation, address: str, *, role: str = "office", tenant_id: UUID | None = None, **place: Any
) -> UUID:
    """A contact of a location or an employer."""
    async with installation.database.unit_of_work(at_work(installation, tenant_id=tenant_id)) as work:
        return await contacts.save_contact(work, contacts.ContactGiven(role, address, "Sam Manager", **place))


def given(**others: Any) -> campaigns.CampaignGiven:
    """A campaign to all contacts, without sessions."""
    values: dict[str, Any] = {
        "name": "Spring",
        "message_class": "programme",
        "subject": "News of medicines training",
        "body": PLAIN,
        "segment": {"who": "contacts"},
    } | others
    return campaigns.CampaignGiven(**values)


async def submitted(installation: Installation, tenant_id: UUID | None = None, **others: Any) -> UUID:
    """A campaign that waits for approval."""
    async with installation.database.unit_of_work(at_work(installation, tenant_id=tenant_id)) as work:
        campaign_id = await campaigns.create_campaign(work, given(**others))
        await campaigns.submit(work, campaign_id, 1)
    return campaign_id


async def approved(installation: Installation, tenant_id: UUID | None = None, **others: Any) -> UUID:
    """A campaign that a second person has approved."""
    campaign_id = await submitted(installation, tenant_id, **others)
    async with installation.database.unit_of_work(at_work(installation, APPROVER, tenant_id)) as work:
        await campaigns.approve(work, campaign_id, 2)
    return campaign_id


async def the_campaign(installation: Installation, campaign_id: UUID, tenant_id: UUID | None = None) -> Campaign:
    """A campaign as it stands."""
    tenant = tenant_id or installation.north
    async with installation.database.session(installation.context(tenant)) as session:
        return await session.get_one(Campaign, (tenant, campaign_id))


async def tokens(installation: Installation) -> list[str]:
    """The tokens of all links of the north."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return list(await session.scalars(select(CampaignLink.token).order_by(CampaignLink.id)))
