"""Who does not want to hear of what: objections, and the links by which people object with one press."""

import base64
import hmac
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Learner
from app.identity.secrets import Vault
from app.messaging.models import MESSAGE_CLASSES, MessageObjection, ProviderContact
from app.messaging.rules import TRANSACTIONAL, Occasion
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import standing_learner
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

NUDGE_OF = {
    Occasion.NUDGE_DORMANT: "dormant",
    Occasion.NUDGE_NO_SHOW: "no_show",
    Occasion.NUDGE_NEXT_TIER: "next_tier",
}
KINDS = ("all", "programme", "marketing", *NUDGE_OF.values())
_HEAD, _MAC = 18, 12


def kinds_against(occasion: Occasion, message_class: str) -> set[str]:
    """The objections that keep a message from going out. None keeps one that is about something somebody has."""
    if occasion in TRANSACTIONAL:
        return set()
    return {"all", message_class} | ({NUDGE_OF[occasion]} if occasion in NUDGE_OF else set())


async def object_to(
    work: UnitOfWork, kind: str, source: str, *, learner_id: UUID | None = None, contact_id: UUID | None = None
) -> UUID:
    """Note an objection; one that is there already stays. Gives its id. Of a learner whose record was merged, it is the
    kept one that objects.

    Raises TrainingRefusal `UNKNOWN_KIND`, `NO_SUCH_LEARNER` or `NO_SUCH_CONTACT`.
    """
    if kind not in KINDS:
        raise TrainingRefusal("UNKNOWN_KIND", f"Choose among {', '.join(KINDS)}.", "kind")
    if learner_id is not None:
        learner_id = await standing_learner(work, learner_id)
    await _lock(work, learner_id, contact_id)
    present = select(MessageObjection.id).where(
        MessageObjection.learner_id.is_not_distinct_from(learner_id),
        MessageObjection.contact_id.is_not_distinct_from(contact_id),
        MessageObjection.kind == kind,
        MessageObjection.ended_at.is_(None),
    )
    found = (await work.session.scalars(present)).first()
    if found is not None:
        return found
    objection = MessageObjection(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        contact_id=contact_id,
        kind=kind,
        source=source,
        created_at=work.now,
        ended_at=None,
    )
    work.add(objection)
    await work.session.flush()
    work.record(Action.OBJECTION_NOTED, "message_objection", objection.id, after={"kind": kind, "source": source})
    return objection.id


async def end_objection(work: UnitOfWork, objection_id: UUID) -> None:
    """Somebody wants to hear again. Raises TrainingRefusal `NO_SUCH_OBJECTION` or `ENDED_ALREADY`."""
    objection = await work.session.get(MessageObjection, (work.tenant_id, objection_id), with_for_update=True)
    if objection is None:
        raise TrainingRefusal("NO_SUCH_OBJECTION", "There is no such objection. Choose one from the list.", "id")
    if objection.ended_at is not None:
        raise TrainingRefusal("ENDED_ALREADY", "The objection was ended already. Nothing was changed.", "id")
    objection.ended_at = work.now
    work.record(Action.OBJECTION_ENDED, "message_objection", objection_id, before={"kind": objection.kind})


async def _lock(work: UnitOfWork, learner_id: UUID | None, contact_id: UUID | None) -> None:
    """Let nobody else note an objection of theirs meanwhile: a button may be pressed twice at once."""
    lock = {"key_share": True}
    if learner_id is not None:
        await work.session.get_one(Learner, (work.tenant_id, learner_id), with_for_update=lock)
    if contact_id is not None:
        contact = await work.session.get(ProviderContact, (work.tenant_id, contact_id), with_for_update=lock)
        if contact is None:
            raise TrainingRefusal("NO_SUCH_CONTACT", "There is no such contact. Choose one from the list.", "contactId")


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link for objecting stands for: the message that it stood in, and whom that was for."""

    occasion: Occasion
    message_class: str
    learner_id: UUID | None
    contact_id: UUID | None


def stop_url(
    vault: Vault,
    base_url: str,
    slug: str,
    tenant_id: UUID,
    learner_id: UUID | None,
    contact_id: UUID | None,
    occasion: Occasion,
    message_class: str,
) -> str:
    """Where one press ends messages like this one. The address names nobody to whoever has not our key."""
    who = learner_id or contact_id
    assert who is not None
    kind = (list(Occasion).index(occasion) * 2 + (learner_id is None), MESSAGE_CLASSES.index(message_class))
    head = bytes(kind) + who.bytes
    token = base64.urlsafe_b64encode(head + _mac(vault, tenant_id, head)).decode()
    return f"{base_url}/stop/{slug}/{token}"


def read_stop(vault: Vault, tenant_id: UUID, token: str) -> Stop | None:
    """What a link's token stands for; None for one that we did not make."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return None
    head, mac = raw[:_HEAD], raw[_HEAD:]
    if len(raw) != _HEAD + _MAC or not hmac.compare_digest(mac, _mac(vault, tenant_id, head)):
        return None
    who, occasion, message_class = UUID(bytes=head[2:]), list(Occasion)[head[0] // 2], MESSAGE_CLASSES[head[1]]
    return Stop(occasion, message_class, None if head[0] % 2 else who, who if head[0] % 2 else None)


def _mac(vault: Vault, tenant_id: UUID, head: bytes) -> bytes:
    return vault.hash(f"stop {tenant_id} {head.hex()}")[:_MAC]


def objection_of(occasion: Occasion, message_class: str) -> str:
    """The kind of objection that a press on the link of such a message makes."""
    return NUDGE_OF.get(occasion, message_class if message_class in ("programme", "marketing") else "all")
