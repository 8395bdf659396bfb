"""From claimed messages to letters: who each goes to now, what it says now, and why some do not go out any more."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from app.identity.secrets import Vault
from app.messaging.calendars import Invited, invitation
from app.messaging.ledger import Outcome
from app.messaging.letters import Identity, Letter
from app.messaging.models import MessageSettings
from app.messaging.objections import kinds_against, stop_url
from app.messaging.placeholders import samples
from app.messaging.rules import TRANSACTIONAL, Occasion
from app.messaging.writing import prepare, write
from app.training.certificates.pdf import verify_url
from tenants.base import SCHEMA
from tenants.clock import LONDON, london_date
from tenants.session import UnitOfWork

INVITED = {Occasion.BOOKING_CONFIRMED, Occasion.SESSION_CHANGED, Occasion.BOOKING_ASKED_AGAIN}
ONLINE = "Online"

_FACTS = f"""
    SELECT m.id, m.occasion, m.message_class, m.attempts, m.uncertain, m.learner_id, m.contact_id, m.session_id,
           m.booking_id, m.subject_id, m.campaign_id, m.created_at,
           coalesce(t.subject, c.subject, y.subject) AS subject, coalesce(t.body, c.body, y.body) AS body,
           c.state AS campaign_state,
           l.display_name, l.given_name, p.name AS contact_name, coalesce(q.name, e.name) AS workplace,
           coalesce(p.address, mail.value, g.email) AS address, f.display_name AS staff_name,
           f.ended_at AS staff_ended_at, d.id AS report_id, d.first_day, d.last_day, z.data ->> 'title' AS report_title,
           CASE WHEN p.id IS NULL THEN mail.undeliverable_since ELSE p.undeliverable_since END AS undeliverable_since,
           p.ended_on AS contact_ended_on, k.token AS link_token, r.state AS reminder_state,
           s.title, s.starts_at, s.ends_at, s.state AS session_state, s.version AS session_version, s.join_url,
           v.name AS venue_name, v.address AS venue_address, v.postcode AS venue_postcode,
           b.state AS booking_state, b.confirmed_at, b.reference, b.ended_because,
           o.expires_at AS offer_until, o.state AS offer_state,
           h.title AS achievement, h.number AS certificate_number, h.verification_code, h.state AS certificate_state,
           (SELECT array_agg(x.kind) FROM {SCHEMA}.message_objection x
             WHERE x.tenant_id = $1 AND x.ended_at IS NULL
               AND (x.learner_id = m.learner_id OR x.contact_id = m.contact_id)) AS objections
      FROM {SCHEMA}.message m
      LEFT JOIN {SCHEMA}.message_template t ON t.tenant_id = $1 AND t.id = m.template_id
      LEFT JOIN {SCHEMA}.campaign c ON c.tenant_id = $1 AND c.id = m.campaign_id
      LEFT JOIN {SCHEMA}.campaign_link k ON k.tenant_id = $1 AND k.message_id = m.id
      LEFT JOIN {SCHEMA}.learner l ON l.tenant_id = $1 AND l.id = m.learner_id
      LEFT JOIN {SCHEMA}.provider_contact p ON p.tenant_id = $1 AND p.id = m.contact_id
      LEFT JOIN {SCHEMA}.staff_member f ON f.tenant_id = $1 AND f.id = m.staff_member_id
      LEFT JOIN {SCHEMA}.login g ON g.id = f.login_id
      LEFT JOIN {SCHEMA}.campaign y ON y.tenant_id = $1 AND y.id = m.subject_id AND m.occasion = 'campaign_trial'
      LEFT JOIN {SCHEMA}.report_snapshot d ON d.tenant_id = $1 AND d.id = m.subject_id AND m.occasion = 'report_ready'
      LEFT JOIN {SCHEMA}.report_content z ON z.tenant_id = $1 AND z.snapshot_id = d.id
      LEFT JOIN {SCHEMA}.tenant_location w ON w.tenant_id = $1 AND w.id = p.tenant_location_id
      LEFT JOIN {SCHEMA}.cqc_location q ON q.id = w.location_id
      LEFT JOIN {SCHEMA}.employer e ON e.tenant_id = $1 AND e.id = p.employer_id
      LEFT JOIN {SCHEMA}.reminder r ON r.tenant_id = $1 AND r.id = m.reminder_id
      LEFT JOIN {SCHEMA}.training_session s ON s.tenant_id = $1 AND s.id = m.session_id
      LEFT JOIN {SCHEMA}.venue v ON v.tenant_id = $1 AND v.id = s.venue_id
      LEFT JOIN {SCHEMA}.booking b ON b.tenant_id = $1 AND b.id = m.booking_id
      LEFT JOIN LATERAL (
           SELECT i.value, i.undeliverable_since FROM {SCHEMA}.learner_identifier i
            WHERE i.tenant_id = $1 AND i.learner_id = m.learner_id AND i.kind = 'email'
              AND (NOT i.shared OR b.booked_by = 'learner')
            ORDER BY i.shared, i.undeliverable_since NULLS FIRST, i.created_at DESC, i.id LIMIT 1) mail ON true
      LEFT JOIN {SCHEMA}.place_offer o ON o.tenant_id = $1 AND o.booking_id = m.booking_id AND o.id = m.subject_id
      LEFT JOIN {SCHEMA}.certificate h ON h.tenant_id = $1 AND h.id = m.subject_id
     WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[]) AND m.state = 'inflight'
"""
"""A mailbox that several share is written to about a booking alone that somebody made with that address."""


ADDRESSES = f"""
    SELECT m.id, coalesce(p.address, mail.value, g.email) AS address
      FROM {SCHEMA}.message m
      LEFT JOIN LATERAL (
           SELECT i.value FROM {SCHEMA}.learner_identifier i
            WHERE i.tenant_id = $1 AND i.learner_id = m.learner_id AND i.kind = 'email' AND NOT i.shared
            ORDER BY i.undeliverable_since NULLS FIRST, i.created_at DESC, i.id LIMIT 1) mail ON true
      LEFT JOIN {SCHEMA}.provider_contact p ON p.tenant_id = $1 AND p.id = m.contact_id
      LEFT JOIN {SCHEMA}.staff_member f ON f.tenant_id = $1 AND f.id = m.staff_member_id
      LEFT JOIN {SCHEMA}.login g ON g.id = f.login_id
     WHERE m.tenant_id = $1 AND m.id = ANY($2::uuid[])
"""
"""Where messages go: the address that is chosen for a learner is the same here as above."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What all letters of a tenant share: who writes, where its pages are, and the keys for links."""

    identity: Identity
    tenant_id: UUID
    slug: str
    base_url: str
    vault: Vault


def sender_of(settings: MessageSettings, slug: str, tenant_name: str, base_url: str, vault: Vault) -> Sender:
    """The sender that the settings describe."""
    identity = Identity(
        tenant_name, settings.sender_name, settings.from_address, settings.reply_to, settings.brand_name,
        settings.brand_colour, settings.footer,
    )  # fmt: skip
    return Sender(identity, settings.tenant_id, slug, base_url, vault)


@dataclass(frozen=True, slots=True)
class Composed:
    """Letters that go out, how often each was tried before, and what became of the others at once.

    `uncertain`: those that were perhaps sent before. `certificates`: the certificate that each letter is about.
    """

    letters: list[Letter]
    attempts: dict[UUID, int]
    uncertain: frozenset[UUID]
    outcomes: list[Outcome]
    certificates: dict[UUID, UUID]


async def compose(work: UnitOfWork, sender: Sender, message_ids: Iterable[UUID], ahead: timedelta) -> Composed:
    """Write claimed messages. `ahead`: how far the tenant's clock is ahead."""
    letters: list[Letter] = []
    outcomes: list[Outcome] = []
    attempts: dict[UUID, int] = {}
    rows = await work.fetch(_FACTS, list(message_ids))
    for row in rows:
        why_not = _why_not(row, work.now + ahead)
        if why_not is not None:
            state, error = why_not
            outcomes.append(Outcome(row["id"], state, error))
            continue
        attempts[row["id"]] = row["attempts"]
        letters.append(_letter(row, sender, work.now))
    uncertain = frozenset(row["id"] for row in rows if row["uncertain"])
    certificates = {row["id"]: row["subject_id"] for row in rows if row["certificate_number"] is not None}
    return Composed(letters, attempts, uncertain, outcomes, certificates)


def _why_not(row: Any, now: datetime) -> tuple[str, str] | None:
    """Why a message does not go out after all: the state that it gets and a code."""
    occasion = Occasion(row["occasion"])
    if row["contact_ended_on"] is not None and row["contact_ended_on"] <= london_date(now):
        return "withdrawn", "CONTACT_ENDED"
    if row["staff_ended_at"] is not None:
        return "withdrawn", "STAFF_ENDED"
    if not row["address"]:
        return "failed", "NO_ADDRESS"
    if row["undeliverable_since"] is not None:
        return "failed", "ADDRESS_UNDELIVERABLE"
    if occasion not in TRANSACTIONAL and kinds_against(occasion, row["message_class"]) & set(row["objections"] or ()):
        return "withdrawn", "OBJECTED"
    return _why_not_now(occasion, row, now)


def _why_not_now(occasion: Occasion, row: Any, now: datetime) -> tuple[str, str] | None:
    """What has overtaken a message since it was asked for."""
    gone = _GONE.get(occasion)
    code = None if gone is None else gone(row)
    if code is None and occasion in _BEFORE_IT_BEGINS and row["starts_at"] is not None and row["starts_at"] <= now:
        code = "TOO_LATE"
    return None if code is None else ("withdrawn", code)


_BEFORE_IT_BEGINS = frozenset({Occasion.REMINDER, Occasion.BOOKING_OFFERED, Occasion.SESSION_CHANGED})


def _reminder_gone(row: Any) -> str | None:
    if row["session_state"] != "published":
        return "SESSION_CANCELLED"
    if row["booking_state"] != "confirmed":
        return "BOOKING_ENDED"
    return "SESSION_MOVED" if row["reminder_state"] == "withdrawn" else None


def _of_booking(*states: str) -> Callable[[Any], str | None]:
    return lambda row: None if row["booking_state"] in states else "BOOKING_ENDED"


def _of_session(row: Any) -> str | None:
    return "SESSION_CANCELLED" if row["session_state"] == "cancelled" else None


_GONE: dict[Occasion, Callable[[Any], str | None]] = {
    Occasion.BOOKING_CONFIRMED: _of_booking("confirmed"),
    Occasion.BOOKING_OFFERED: lambda row: None if row["offer_state"] == "open" else "OFFER_ENDED",
    Occasion.BOOKING_ASKED_AGAIN: _of_booking("confirmed", "waiting", "offered"),
    Occasion.SESSION_CHANGED: _of_booking("confirmed"),
    Occasion.REMINDER: _reminder_gone,
    Occasion.AFTER_ATTENDED: _of_session,
    Occasion.AFTER_ABSENT: _of_session,
    Occasion.CERTIFICATE_ISSUED: lambda row: None if row["certificate_state"] == "issued" else "CERTIFICATE_ENDED",
    Occasion.CAMPAIGN: lambda row: "CAMPAIGN_WITHDRAWN" if row["campaign_state"] == "withdrawn" else None,
}
"""Why a message about each occasion is not true any more: a code; None while it is."""


def _letter(row: Any, sender: Sender, now: datetime) -> Letter:
    occasion = Occasion(row["occasion"])
    subject = f"Trial: {row['subject']}" if occasion is Occasion.CAMPAIGN_TRIAL else row["subject"]
    written = write(prepare(occasion, subject, row["body"]), values_of(row, sender))
    cancels = occasion is Occasion.BOOKING_ENDED
    invited = None
    if row["confirmed_at"] is not None and (cancels or occasion in INVITED):  # who only waited is not invited
        invited = invitation(_invited(row, sender, cancels), sender.identity.host, now)
    stop = None
    if occasion not in TRANSACTIONAL:
        learner_id, contact_id = row["learner_id"], row["contact_id"]
        whose = (sender.vault, sender.base_url, sender.slug, sender.tenant_id, learner_id, contact_id)
        stop = stop_url(*whose, occasion, row["message_class"])
    return Letter(
        row["id"], f"m-{row['id'].hex}", row["address"], written, sender.identity, now, stop, invited, cancels
    )  # fmt: skip


def values_of(row: Any, sender: Sender) -> dict[str, str]:
    """What fills the placeholders of one message."""
    person = row["display_name"] or row["contact_name"] or row["staff_name"] or ""
    values = {
        "first_name": row["given_name"] or person.partition(" ")[0] or "colleague",
        "full_name": person or "colleague",
        "organisation": sender.identity.tenant_name,
        "workplace": row["workplace"] or "your location",
    }
    if row["session_id"] is not None:
        values |= {
            "session": row["title"],
            "when": in_words(row["starts_at"]),
            "ends": in_words(row["ends_at"]),
            "where": where_of(row),
            "reference": row["reference"] or "",
            "reason": row["ended_because"] or "",
        }
    if row["offer_until"] is not None:
        values["answer_by"] = in_words(row["offer_until"])
    if row["certificate_number"] is not None:
        values |= {
            "achievement": row["achievement"],
            "certificate_number": row["certificate_number"],
            "certificate_link": verify_url(sender.base_url, sender.slug, row["verification_code"]),
        }
    if row["report_id"] is not None:
        values |= {
            "report": row["report_title"] or "A report",
            "period": f"{row['first_day']:%-d %B %Y} to {row['last_day']:%-d %B %Y}",
            "report_link": f"{sender.base_url}/console/reports/{row['report_id']}",
        }
    if row["occasion"] == Occasion.CAMPAIGN_TRIAL:
        sample = samples(Occasion.CAMPAIGN)
        values |= {"workplace": sample["workplace"], "link": link_url(sender.base_url, sender.slug, "sample")}
    if row["link_token"] is not None:
        values["link"] = link_url(sender.base_url, sender.slug, row["link_token"])
    return values


def link_url(base_url: str, slug: str, token: str) -> str:
    """Where a campaign's link leads."""
    return f"{base_url}/go/{slug}/{token}"


def where_of(row: Mapping[str, Any]) -> str:
    """The venue with its address, or the address to join online."""
    place = ", ".join(part for part in (row["venue_name"], row["venue_address"], row["venue_postcode"]) if part)
    return "; ".join(part for part in (place, row["join_url"]) if part) or ONLINE


@lru_cache(maxsize=1000)
def in_words(at: datetime) -> str:
    """A moment in England, such as: Tuesday 9 March 2027 at 2pm."""
    local = at.astimezone(LONDON)
    hour = f"{local:%-I}" + (f":{local:%M}" if local.minute else "") + ("am" if local.hour < 12 else "pm")
    noon = local.hour == 12 and not local.minute
    return f"{local:%A %-d %B %Y} at {'midday' if noon else hour}"


def _invited(row: Any, sender: Sender, cancels: bool) -> Invited:
    identity = sender.identity
    return Invited(
        session_id=row["session_id"],
        sequence=row["session_version"] + cancels,
        title=row["title"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        where=where_of(row),
        description=f"Your reference: {row['reference']}" if row["reference"] else "",
        organiser_name=identity.sender_name,
        organiser_address=identity.reply_to or identity.from_address,
        attendee_address=row["address"],
        cancelled=cancels,
    )


def new_token(message_id: UUID, vault: Vault) -> str:
    """What a campaign's link holds: 120 bits that only this service can make from the message's id."""
    return base64.urlsafe_b64encode(vault.hash(f"campaign link {message_id}")[:15]).decode()
