"""Types of campaigns: provider contacts, campaigns with what became of them, and whom one would reach."""

import enum
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import Select

from app.directory import models as directory
from app.messaging import models
from app.messaging.funnels import funnel
from app.messaging.reaching import reach
from app.messaging.segments import read_segment
from app.training.errors import TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import Connection, Node, by_id, column, computed, inline, many, node, one
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.types import listings_campaigns as listed
from medstead_graphql.types.common import JSON, PEOPLE
from medstead_graphql.types.directory import Employer, Location
from tenants.session import UnitOfWork

SCOPE = "messages:read"


@strawberry.enum(description="What a contact is at its location or employer.")
class ContactRole(enum.Enum):
    """Roles of contacts."""

    REGISTERED_MANAGER = "registered_manager"
    MEDICINES_LEAD = "medicines_lead"
    TRAINING_LEAD = "training_lead"
    OFFICE = "office"


@strawberry.enum(description="Where a campaign stands. It is approved by another person than wrote it.")
class CampaignState(enum.Enum):
    """States of a campaign."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


@strawberry.enum(description="What people object to apart: news of the programme, or advertising.")
class CampaignClass(enum.Enum):
    """Classes of campaigns."""

    PROGRAMME = "programme"
    MARKETING = "marketing"


@strawberry.enum(description="Whom a segment is of.")
class SegmentOf(enum.Enum):
    """Whom a segment is of."""

    CONTACTS = "contacts"
    LEARNERS = "learners"
    CHAMPIONS = "champions"


@node(models.ProviderContact, scope=SCOPE, description="Where a location or an employer reads mail: a role's mailbox.")
class ProviderContact(Node):
    """A contact."""

    role: ContactRole = column()
    name: str | None = column(scope=PEOPLE)
    address: str | None = column(scope=PEOPLE)
    undeliverable_since: datetime | None = column(description="Mail came back for good; nothing more is sent there.")
    ended_on: date | None = column(description="The first day on which nothing is sent there.")
    created_at: datetime = column()
    location: Location | None = one(directory.TenantLocation, key="tenant_location_id")
    employer: Employer | None = one(directory.Employer, key="employer_id")


@strawberry.type(
    description="What became of a campaign; people are counted once. `visited`: copies from which somebody pressed on. "
    "`registered` and `attended` count whoever came through a link, also one that was passed on."
)
class CampaignFunnel:
    """Counts of a campaign."""

    recipients: int = column(description="Copies: one for each address.")
    waiting: int = column(description="Still to be sent.")
    sent: int = column(description="Handed over to the mail server or provider.")
    delivered: int = column(description="As far as the provider tells; a mail server does not.")
    bounced: int = column(description="There is no such mailbox.")
    failed: int = column()
    withdrawn: int = column(description="Taken back: the campaign was withdrawn, or the person objects.")
    visited: int = column()
    registered: int = column()
    attended: int = column()


def _funnel(compilation: Any, row: Any, _: Any) -> Select[Any]:
    return funnel(compilation.tenant, row.c.id)


@node(models.Campaign, scope=SCOPE, description="One message to a segment, written by one and approved by another.")
class Campaign(Node):
    """A campaign."""

    name: str = column()
    message_class: CampaignClass = column()
    subject: str = column()
    body: str = column(description="Markdown with placeholders.")
    segment: JSON = column(description="Whom it is for: see SegmentInput; names are written with underscores.")
    session_ids: JSON = column(description="Sessions that its links lead to: their ids without the type.")
    state: CampaignState = column()
    approved_at: datetime | None = column()
    starts_at: datetime | None = column()
    finished_at: datetime | None = column()
    recipients: int = column(description="Copies that were asked for.")
    version: int = column(description="Send this back when you change it.")
    created_at: datetime = column()
    funnel: CampaignFunnel = inline(_funnel)


@strawberry.type(
    description="What would become of a campaign that is sent now. The first three are addresses, the last two people."
)
class CampaignReach:
    """Counts before sending."""

    goes: int = strawberry.field(description="Addresses that get a copy.")
    objects: int = strawberry.field(description="Addresses of which somebody objects.")
    undeliverable: int = strawberry.field(description="Addresses from which mail came back.")
    no_address: int = strawberry.field(description="People without an address.")
    shared: int = strawberry.field(description="People whose address is counted for somebody else already.")


async def _reach(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> dict[str, int]:
    key = key_of(arguments["campaignId"], "Campaign", UUID)
    campaign = await work.session.get(models.Campaign, (work.tenant_id, key)) if isinstance(key, UUID) else None
    if campaign is None:
        raise Refusal("NO_SUCH_CAMPAIGN", "There is no such campaign. Use an id that this API gave.")
    try:
        counts = asdict(await reach(work, read_segment(campaign.segment), campaign.message_class))
    except TrainingRefusal as refusal:
        raise Refusal(refusal.code, refusal.message) from refusal
    return {"noAddress": counts.pop("no_address"), **counts}


@strawberry.type
class CampaignQuestions:
    """Reads of campaigns."""

    provider_contacts: Connection[ProviderContact] = many(listed.CONTACT)
    campaign: Campaign | None = by_id(models.Campaign)
    campaigns: Connection[Campaign] = many(listed.CAMPAIGN)
    campaign_reach: CampaignReach | None = computed(
        _reach, SCOPE, {"campaign_id": strawberry.ID}, description="Whom a campaign would reach if it were sent now."
    )
