"""Partners, what is governed and who owns it, and the minutes of forums."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.governance.models import ITEM_KINDS, ITEM_STATES, PARTNER_KINDS, ForumMinutes, GovernanceItem
from app.governance.models import PartnerOrganisation as Partner
from app.governance.rules import CLOSED, check_item
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, optional_words, same_version, told, words
from app.training.models import TrainingSession
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.models import Organisation
from tenants.session import UnitOfWork

LONGEST_MINUTES = 20_000


def chosen(value: str | None, allowed: tuple[str, ...], field: str) -> str:
    """One of the stable words. Raises TrainingRefusal `UNKNOWN_CHOICE`."""
    if value not in allowed:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(allowed)}.", field)
    return value


async def save_partner(
    work: UnitOfWork,
    name: str,
    kind: str,
    *,
    registry_organisation_id: UUID | None = None,
    partner_id: UUID | None = None,
    version: int = 0,
) -> UUID:
    """A partner organisation, new or changed.

    Raises TrainingRefusal `TEXT_MISSING`, `UNKNOWN_CHOICE`, `NO_SUCH_ORGANISATION`, `NAME_TAKEN`,
    `NO_SUCH_PARTNER_ORGANISATION` or `CHANGED_MEANWHILE`.
    """
    name = words(name, "name", "the organisation's name")
    chosen(kind, PARTNER_KINDS, "kind")
    if registry_organisation_id is not None:
        await _registered(work, registry_organisation_id)
    same = (await work.session.scalars(select(Partner.id).where(Partner.name == name))).first()
    if same is not None and same != partner_id:
        raise TrainingRefusal("NAME_TAKEN", "There is a partner of that name already. Choose it from the list.", "name")
    if partner_id is None:
        partner = Partner(tenant_id=work.tenant_id, id=new_id(), version=0, created_at=work.now)
        work.add(partner)
    else:
        partner = await found(work, Partner, partner_id, "partner organisation", lock=True)
        same_version(partner.version, version, "partner")
    partner.name, partner.kind, partner.registry_organisation_id = name, kind, registry_organisation_id
    partner.version += 1
    work.record(Action.PARTNER_SAVED, "partner_organisation", partner.id, after={"kind": kind})
    return partner.id


async def _registered(work: UnitOfWork, organisation_id: UUID) -> None:
    if await work.session.get(Organisation, organisation_id) is None:
        message = "There is no such board or council. Choose one from the register."
        raise TrainingRefusal("NO_SUCH_ORGANISATION", message, "registryOrganisation")


@dataclass(frozen=True, slots=True)
class ItemGiven:
    """What is governed, as somebody gives it. An action of a forum names its session and the day it is due."""

    kind: str
    title: str
    owner: str
    owner_organisation_id: UUID
    review_on: date
    details: str | None = None
    owner_role: str | None = None
    due_on: date | None = None
    session_id: UUID | None = None


async def create_item(work: UnitOfWork, given: ItemGiven) -> UUID:
    """Put an item under governance.

    Raises TrainingRefusal `UNKNOWN_CHOICE`, `TEXT_MISSING`, `NO_SUCH_PARTNER_ORGANISATION`, `NO_SUCH_SESSION`,
    `NO_FORUM` or `DUE_DAY_MISSING`.
    """
    kind = chosen(given.kind, ITEM_KINDS, "kind")
    await found(work, Partner, given.owner_organisation_id, "partner organisation", "ownerOrganisation")
    check_item(kind, given.session_id, given.due_on)
    if given.session_id is not None:
        await _forum(work, given.session_id)
    item = GovernanceItem(
        tenant_id=work.tenant_id,
        id=new_id(),
        kind=kind,
        title=words(given.title, "title", "a title"),
        details=optional_words(given.details, "details", "the details", 5000),
        owner=words(given.owner, "owner", "the person who owns it", 200),
        owner_role=optional_words(given.owner_role, "ownerRole", "the owner's role", 200),
        owner_organisation_id=given.owner_organisation_id,
        review_on=given.review_on,
        due_on=given.due_on,
        session_id=given.session_id,
        status="open",
        version=1,
        created_at=work.now,
        closed_at=None,
    )
    work.add(item)
    work.record(Action.GOVERNANCE_ITEM_CREATED, "governance_item", item.id, after=_told(item))
    announce(work, EventType.GOVERNANCE_ITEM_CHANGED, f"GovernanceItem:{item.id}")
    return item.id


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What of an item shall be different; None: as it is."""

    title: str | None = None
    details: str | None = None
    owner: str | None = None
    owner_role: str | None = None
    owner_organisation_id: UUID | None = None
    review_on: date | None = None
    due_on: date | None = None
    status: str | None = None


async def change_item(work: UnitOfWork, item_id: UUID, change: ItemChange, *, version: int) -> None:
    """Change an item; the trail keeps what it was.

    Raises TrainingRefusal `NO_SUCH_GOVERNANCE_ITEM`, `CHANGED_MEANWHILE`, `NO_SUCH_PARTNER_ORGANISATION`,
    `UNKNOWN_CHOICE` or `TEXT_MISSING`.
    """
    item = await found(work, GovernanceItem, item_id, "governance item", lock=True)
    same_version(item.version, version, "item")
    before, owner = _told(item), item.owner
    if change.owner_organisation_id is not None:
        await found(work, Partner, change.owner_organisation_id, "partner organisation", "ownerOrganisation")
        item.owner_organisation_id = change.owner_organisation_id
    if change.title is not None:
        item.title = words(change.title, "title", "a title")
    if change.details is not None:
        item.details = optional_words(change.details, "details", "the details", 5000)
    if change.owner is not None:
        item.owner = words(change.owner, "owner", "the person who owns it", 200)
    if change.owner_role is not None:
        item.owner_role = optional_words(change.owner_role, "ownerRole", "the owner's role", 200)
    item.review_on = change.review_on or item.review_on
    item.due_on = change.due_on or item.due_on
    if change.status is not None:
        item.status = chosen(change.status, ITEM_STATES, "status")
        item.closed_at = (item.closed_at or work.now) if item.status in CLOSED else None
    item.version += 1
    after = _told(item) | ({"owner_changed": True} if item.owner != owner else {})
    work.record(Action.GOVERNANCE_ITEM_CHANGED, "governance_item", item_id, before=before, after=after)
    announce(work, EventType.GOVERNANCE_ITEM_CHANGED, f"GovernanceItem:{item_id}")


async def write_minutes(work: UnitOfWork, session_id: UUID, text: str, *, version: int = 0) -> UUID:
    """The minutes of a forum, new (version 0) or changed.

    Raises TrainingRefusal `NO_SUCH_SESSION`, `NO_FORUM`, `TEXT_MISSING`, `TEXT_TOO_LONG` or `CHANGED_MEANWHILE`.
    """
    await _forum(work, session_id)
    plain = text.strip()
    if not plain:
        raise TrainingRefusal("TEXT_MISSING", "Write down what was said.", "text")
    if len(plain) > LONGEST_MINUTES:
        raise TrainingRefusal("TEXT_TOO_LONG", f"Shorten the minutes to {LONGEST_MINUTES} characters.", "text")
    kept = select(ForumMinutes).where(ForumMinutes.session_id == session_id).with_for_update()
    minutes = (await work.session.scalars(kept)).first()
    same_version(0 if minutes is None else minutes.version, version, "minutes")
    if minutes is None:
        minutes = ForumMinutes(tenant_id=work.tenant_id, id=new_id(), session_id=session_id, version=0)
        work.add(minutes)
    minutes.text, minutes.written_at = plain, work.now
    minutes.version += 1
    work.record(Action.FORUM_MINUTES_WRITTEN, "forum_minutes", minutes.id, after={"version": minutes.version})
    return minutes.id


async def _forum(work: UnitOfWork, session_id: UUID) -> None:
    # Whoever writes of a forum waits for others who do, so that two cannot begin its minutes at once.
    session = await found(work, TrainingSession, session_id, "session", "session", lock=True)
    if session.kind != "forum":
        raise TrainingRefusal("NO_FORUM", "Choose a session that is a forum.", "session")


def _told(item: GovernanceItem) -> dict[str, object]:
    return told(item, "kind", "title", "owner_organisation_id", "review_on", "due_on", "session_id", "status")
