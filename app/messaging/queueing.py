"""An approved campaign becomes messages: chunk by chunk, each a transaction, until everybody has a copy.

A worker that dies between two chunks loses nothing: whoever has no copy yet is asked for anew, and `send_key` keeps
anybody from getting two.
"""

from datetime import timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import func, select

from app.identity.secrets import Vault
from app.messaging.campaigns import GOES_OUT
from app.messaging.composing import new_token
from app.messaging.ledger import Asked, ask
from app.messaging.models import OPEN, Campaign, CampaignLink, Message
from app.messaging.reaching import Recipient, next_recipients
from app.messaging.rules import Occasion, after_quiet, is_quiet
from app.messaging.segments import read_segment
from app.messaging.settings import message_settings
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

CHUNK = 1_000
LOOK_AGAIN_SECONDS = 30.0
"""Until the next look whether every copy has come to an end."""


class Step(Enum):
    """What a step of queueing came to: there is more to queue, copies are on their way, or all is done."""

    MORE = "more"
    UNDER_WAY = "under_way"
    DONE = "done"


async def step(work: UnitOfWork, campaign_id: UUID, vault: Vault) -> Step:
    """Queue one chunk; where nobody is left, look whether all copies have come to an end, and then close it."""
    campaign = await work.session.get(Campaign, (work.tenant_id, campaign_id), with_for_update=True)
    settings = await message_settings(work)
    if campaign is None or settings is None or campaign.state not in GOES_OUT:
        return Step.DONE
    campaign.state = "sending"
    segment = read_segment(campaign.segment)
    found = await next_recipients(work, segment, campaign.message_class, campaign_id, CHUNK)
    open_now = await _open(work, campaign_id)
    if found:
        quiet = (settings.quiet_from, settings.quiet_until)
        due_at = after_quiet(work.now, *quiet)
        # Copies that stand in the queue go first, at the tenant's pace: who comes after them may come to quiet hours.
        expected = due_at + timedelta(minutes=open_now / settings.per_minute)
        if is_quiet(expected, *quiet):
            due_at = after_quiet(expected, *quiet)
        await ask(work, [_asked(campaign, one) for one in found], due_at)
        await _link(work, campaign_id, vault)
        campaign.recipients += len(found)
        return Step.MORE
    if open_now:
        return Step.UNDER_WAY
    campaign.state, campaign.finished_at = "sent", work.now
    campaign.version += 1
    work.record(Action.CAMPAIGN_SENT, "campaign", campaign_id, after={"recipients": campaign.recipients})
    return Step.DONE


async def _open(work: UnitOfWork, campaign_id: UUID) -> int:
    waiting = select(func.count()).where(Message.campaign_id == campaign_id, Message.state.in_(OPEN))
    return await work.session.scalar(waiting) or 0


def _asked(campaign: Campaign, one: Recipient) -> Asked:
    return Asked(
        f"campaign:{campaign.id}:{one.learner_id or one.contact_id}",
        Occasion.CAMPAIGN,
        campaign.message_class,
        campaign_id=campaign.id,
        learner_id=one.learner_id,
        contact_id=one.contact_id,
    )


async def _link(work: UnitOfWork, campaign_id: UUID, vault: Vault) -> None:
    """Give each copy that has none its link."""
    linked = select(CampaignLink.id).where(
        CampaignLink.message_id == Message.id, CampaignLink.campaign_id == campaign_id
    )
    without = select(Message.id).where(Message.campaign_id == campaign_id, ~linked.exists()).order_by(Message.id)
    await work.insert_rows(
        CampaignLink,
        ("id", "campaign_id", "message_id", "token", "created_at"),
        [
            (new_id(), campaign_id, message_id, new_token(message_id, vault), work.now)
            for message_id in (await work.session.scalars(without)).all()
        ],
    )
