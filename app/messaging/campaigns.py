"""Campaigns: written by one person, approved by another, sent once to each address of a segment; until then, and while
they are being sent, they can be withdrawn.

States: `draft`, `submitted`, `approved` (waiting for its moment), `sending`, `sent`; or `withdrawn`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from app.identity.secrets import Vault
from app.messaging.composing import link_url, sender_of
from app.messaging.ledger import Asked, ask
from app.messaging.letters import Letter
from app.messaging.models import Campaign, Message, MessageSettings
from app.messaging.placeholders import names_in, samples
from app.messaging.reaching import reach
from app.messaging.rules import Occasion, after_quiet
from app.messaging.segments import check_segment, read_segment, segment_data
from app.messaging.settings import message_settings
from app.messaging.templates import check_text
from app.messaging.writing import prepare, write
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.requirements.finding import row_of, said, same_version
from tenants.audit import Action
from tenants.base import among
from tenants.context import ActorKind
from tenants.identifiers import new_id
from tenants.models import Tenant
from tenants.outbox import Topic
from tenants.session import UnitOfWork

CLASSES = ("programme", "marketing")
GOES_OUT = ("approved", "sending")
MOST_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class CampaignGiven:
    """A campaign as somebody wrote it. `segment`: see `segments.py`. `starts_at`: not before; None: when approved."""

    name: str
    message_class: str
    subject: str
    body: str
    segment: Mapping[str, Any]
    session_ids: Sequence[UUID] = ()
    starts_at: datetime | None = None


async def create_campaign(work: UnitOfWork, given: CampaignGiven) -> UUID:
    """A draft, written by whoever acts; gives its id.

    Raises TrainingRefusal `NO_WRITER`, `NAME_MISSING`, `NAME_TAKEN`, `UNKNOWN_CLASS`, `LINK_MISSING`,
    `LINK_TO_NOTHING`, `NO_SUCH_SESSION`, `TOO_MANY`, and as `check_text`, `read_segment` and `check_segment`.
    """
    campaign = Campaign(
        tenant_id=work.tenant_id,
        id=new_id(),
        state="draft",
        approved_by=None,
        approved_at=None,
        finished_at=None,
        recipients=0,
        version=0,
        created_at=work.now,
    )
    await _write(work, campaign, given)
    return campaign.id


async def change_campaign(work: UnitOfWork, campaign_id: UUID, given: CampaignGiven, version: int) -> None:
    """Write a draft anew. Whoever changes it last has written it, so that nobody approves their own words.

    Raises TrainingRefusal as `create_campaign`, and `NO_SUCH_CAMPAIGN`, `CHANGED_MEANWHILE` or `NOT_A_DRAFT`.
    """
    campaign = await _campaign(work, campaign_id, version)
    _be(campaign, ("draft",), "NOT_A_DRAFT", "Only a draft can be changed. Take it back first, or write another one.")
    await _write(work, campaign, given)


async def _write(work: UnitOfWork, campaign: Campaign, given: CampaignGiven) -> None:
    writer = _actor(work)
    name = said(given.name, "NAME_MISSING", "Give the campaign a name, for yourselves.", "name")
    same = select(Campaign.id).where(Campaign.name == name, Campaign.id != campaign.id)
    if (await work.session.scalars(same)).first() is not None:
        raise TrainingRefusal("NAME_TAKEN", "There is a campaign of that name already. Choose another.", "name")
    if given.message_class not in CLASSES:
        raise TrainingRefusal("UNKNOWN_CLASS", f"Choose among {', '.join(CLASSES)}.", "messageClass")
    check_text(Occasion.CAMPAIGN, given.subject, given.body)
    segment = read_segment(given.segment)
    await check_segment(work, segment)
    sessions = await _sessions(work, given)
    campaign.name, campaign.written_by, campaign.starts_at = name, writer, given.starts_at
    campaign.message_class, campaign.subject = given.message_class, " ".join(given.subject.split())
    campaign.body = given.body.replace("\r\n", "\n").strip()
    campaign.segment, campaign.session_ids = segment_data(segment), sessions
    campaign.version += 1
    work.add(campaign)
    await work.session.flush()
    after = {"name": campaign.name, "class": campaign.message_class, "state": campaign.state}
    work.record(Action.CAMPAIGN_SAVED, "campaign", campaign.id, after=after | {"version": campaign.version})


async def _sessions(work: UnitOfWork, given: CampaignGiven) -> list[str]:
    wanted = list(dict.fromkeys(given.session_ids))
    linked = "link" in names_in(given.body)
    if wanted and not linked:
        message = "Put ((link)) into the text: it is where people book the sessions."
        raise TrainingRefusal("LINK_MISSING", message, "body")
    if linked and not wanted:
        message = "Choose at least one session that ((link)) leads to, or take it out of the text."
        raise TrainingRefusal("LINK_TO_NOTHING", message, "sessions")
    if len(wanted) > MOST_SESSIONS:
        raise TrainingRefusal("TOO_MANY", f"Choose at most {MOST_SESSIONS} sessions.", "sessions")
    known = await work.session.scalars(select(TrainingSession.id).where(among(TrainingSession.id, wanted)))
    if set(known) != set(wanted):
        raise TrainingRefusal("NO_SUCH_SESSION", "There is no such session. Choose from the list.", "sessions")
    return [str(session_id) for session_id in wanted]


async def submit(work: UnitOfWork, campaign_id: UUID, version: int) -> None:
    """Ask for approval.

    Raises TrainingRefusal `NO_SUCH_CAMPAIGN`, `CHANGED_MEANWHILE`, `NOT_A_DRAFT`, `NO_SENDER`, `SESSION_NOT_OPEN` or
    `NOBODY_GETS_IT`.
    """
    campaign = await _campaign(work, campaign_id, version)
    _be(campaign, ("draft",), "NOT_A_DRAFT", "It was submitted already. Look at where it stands.")
    await _sender(work)
    ids = [UUID(text) for text in campaign.session_ids]
    bookable = select(func.count()).where(
        among(TrainingSession.id, ids), TrainingSession.state == "published", TrainingSession.starts_at > work.now
    )
    if await work.session.scalar(bookable) != len(ids):
        message = "A session that it leads to is not published, or has begun. Choose others, or publish it first."
        raise TrainingRefusal("SESSION_NOT_OPEN", message, "sessions")
    if not (await reach(work, read_segment(campaign.segment), campaign.message_class)).goes:
        message = "Nobody would get it. Choose a wider group, or add contacts first."
        raise TrainingRefusal("NOBODY_GETS_IT", message, "segment")
    await _move(work, campaign, "submitted", Action.CAMPAIGN_SUBMITTED)


async def take_back(work: UnitOfWork, campaign_id: UUID, version: int) -> None:
    """Make a submitted campaign a draft again, to be changed. Raises TrainingRefusal `NOT_SUBMITTED` and the like."""
    campaign = await _campaign(work, campaign_id, version)
    _be(campaign, ("submitted",), "NOT_SUBMITTED", "Only a campaign that waits for approval can be taken back.")
    await _move(work, campaign, "draft", Action.CAMPAIGN_SAVED)


async def approve(work: UnitOfWork, campaign_id: UUID, version: int) -> None:
    """Have it sent, at its moment or now, but not in quiet hours. Only a person of the staff may say so.

    Raises TrainingRefusal `NO_SUCH_CAMPAIGN`, `CHANGED_MEANWHILE`, `NOT_SUBMITTED`, `NO_WRITER`, `PEOPLE_ONLY`,
    `OWN_CAMPAIGN` or `NO_SENDER`.
    """
    campaign = await _campaign(work, campaign_id, version)
    _be(campaign, ("submitted",), "NOT_SUBMITTED", "Only a campaign that was submitted can be approved.")
    actor = _person(work)
    if actor == campaign.written_by:
        raise TrainingRefusal("OWN_CAMPAIGN", "You wrote it. Ask somebody else to approve it.", "id")
    settings = await _sender(work)
    moment = max(campaign.starts_at or work.now, work.now)
    campaign.approved_by, campaign.approved_at = actor, work.now
    campaign.starts_at = after_quiet(moment, settings.quiet_from, settings.quiet_until)
    await _move(work, campaign, "approved", Action.CAMPAIGN_APPROVED)
    work.emit(Topic.CAMPAIGN_QUEUE, str(campaign.id), at=campaign.starts_at, campaign_id=campaign.id)


async def withdraw_campaign(work: UnitOfWork, campaign_id: UUID, version: int) -> int:
    """Stop it for good, also while it is being sent: what is still queued does not go out; how many copies that were.

    Raises TrainingRefusal `NO_SUCH_CAMPAIGN`, `CHANGED_MEANWHILE` or `NOT_TO_BE_WITHDRAWN`.
    """
    campaign = await _campaign(work, campaign_id, version)
    states = ("draft", "submitted", *GOES_OUT)
    _be(campaign, states, "NOT_TO_BE_WITHDRAWN", "It was sent or withdrawn already. Nothing was changed.")
    queued = (
        update(Message)
        .where(Message.campaign_id == campaign.id, Message.state == "queued")
        .values(state="withdrawn", ended_at=work.now, last_error="CAMPAIGN_WITHDRAWN")
        .returning(Message.id)
    )
    stopped = len((await work.session.scalars(queued.execution_options(synchronize_session=False))).all())
    campaign.finished_at = work.now
    await _move(work, campaign, "withdrawn", Action.CAMPAIGN_WITHDRAWN)
    return stopped


async def preview(work: UnitOfWork, campaign: Campaign, base_url: str, vault: Vault) -> Letter:
    """The campaign as it will be read, with the tenant's look and samples for names.

    Raises TrainingRefusal `NO_SENDER`.
    """
    settings = await _sender(work)
    tenant = await work.session.get_one(Tenant, work.tenant_id)
    sender = sender_of(settings, tenant.slug, tenant.name, base_url, vault)
    values = samples(Occasion.CAMPAIGN) | {
        "organisation": tenant.name,
        "link": link_url(base_url, tenant.slug, "sample"),
    }
    written = write(prepare(Occasion.CAMPAIGN, campaign.subject, campaign.body), values)
    stop = f"{base_url}/stop/{tenant.slug}/sample"
    return Letter(campaign.id, "preview", "alex@example.org", written, sender.identity, work.now, stop)


async def try_out(work: UnitOfWork, campaign_id: UUID, version: int) -> None:
    """Send it to whoever asks alone, with samples for names, as it will arrive; nothing is counted.

    Raises TrainingRefusal `NO_SUCH_CAMPAIGN`, `CHANGED_MEANWHILE`, `NOT_BEFORE_SENDING`, `NO_WRITER`, `PEOPLE_ONLY` or
    `NO_SENDER`.
    """
    campaign = await _campaign(work, campaign_id, version)
    _be(campaign, ("draft", "submitted"), "NOT_BEFORE_SENDING", "It was approved already. Look at what came of it.")
    actor = _person(work)
    await _sender(work)
    key = f"trial:{campaign.id}:{work.context.request_id}"
    trial = Asked(key, Occasion.CAMPAIGN_TRIAL, "service", staff_member_id=actor, subject_id=campaign.id)
    await ask(work, [trial], work.now)
    work.record(Action.CAMPAIGN_TRIED, "campaign", campaign.id, after={"version": campaign.version})


def _person(work: UnitOfWork) -> UUID:
    """The member of staff who acts."""
    actor = _actor(work)
    if work.context.actor_kind is not ActorKind.STAFF:
        raise TrainingRefusal("PEOPLE_ONLY", "Only a person may do this. Sign in to the console for it.", "")
    return actor


def _actor(work: UnitOfWork) -> UUID:
    if work.context.actor_id is None:
        raise TrainingRefusal("NO_WRITER", "A campaign is written and approved by somebody. Sign in for it.", "")
    return work.context.actor_id


async def _sender(work: UnitOfWork) -> MessageSettings:
    settings = await message_settings(work)
    if settings is None:
        raise TrainingRefusal("NO_SENDER", "Say first who the messages come from, under Messages, Sender.", "")
    return settings


async def _campaign(work: UnitOfWork, campaign_id: UUID, version: int) -> Campaign:
    campaign = await row_of(work, Campaign, campaign_id, "NO_SUCH_CAMPAIGN", "campaign", "id")
    same_version(version, campaign.version, "campaign")
    return campaign


def _be(campaign: Campaign, states: Sequence[str], code: str, message: str) -> None:
    if campaign.state not in states:
        raise TrainingRefusal(code, message, "id")


async def _move(work: UnitOfWork, campaign: Campaign, state: str, action: Action) -> None:
    before = {"state": campaign.state}
    campaign.state = state
    campaign.version += 1
    await work.session.flush()
    work.record(action, "campaign", campaign.id, before=before, after={"state": state})
