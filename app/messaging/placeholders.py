"""Placeholders of templates: which each occasion has, of what type, and what stands in for them in a preview."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.messaging.rules import Occasion

PLACEHOLDER = re.compile(r"\(\(\s*([a-zA-Z_ ]{1,60}?)\s*\)\)")
_STRAY = re.compile(r"\(\(|\)\)\)?")


class Kind(StrEnum):
    """What a placeholder holds."""

    PERSON = "person"
    """What somebody typed, such as a name: addresses in it are taken out, so that nobody can send links by us."""
    TEXT = "text"
    LINK = "link"
    MOMENT = "moment"
    """A day and a time in England, in words."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name between double brackets, and what a preview shows."""

    name: str
    kind: Kind
    about: str
    sample: str


_FIRST_NAME = Placeholder("first_name", Kind.PERSON, "What to call the person.", "Alex")
_FULL_NAME = Placeholder("full_name", Kind.PERSON, "The person's whole name.", "Alex Sample")
_TENANT = Placeholder("organisation", Kind.TEXT, "Your organisation's name.", "Sample council")
_SESSION = (
    Placeholder("session", Kind.TEXT, "The session's title.", "Medicines support webinar"),
    Placeholder("when", Kind.MOMENT, "When it begins.", "Tuesday 9 March 2027 at 2pm"),
    Placeholder("ends", Kind.MOMENT, "When it ends.", "Tuesday 9 March 2027 at 3:30pm"),
    Placeholder(
        "where", Kind.TEXT, "The venue with its address, or the address to join online.", "Town hall, Sampleton"
    ),
    Placeholder("reference", Kind.TEXT, "The booking's reference, for check-in.", "ABCD2345"),
)
_CERTIFICATE = (
    Placeholder("achievement", Kind.TEXT, "What was achieved.", "Medicines support webinar"),
    Placeholder("certificate_number", Kind.TEXT, "The certificate's number.", "SC-2027-0001"),
    Placeholder("certificate_link", Kind.LINK, "Where it can be verified and shown.", "https://example.org/verify"),
)
_OFFER = Placeholder("answer_by", Kind.MOMENT, "Until when the offer holds.", "Monday 8 March 2027 at 5pm")
_REASON = Placeholder("reason", Kind.TEXT, "Why the booking ended.", "cancelled")
_WORKPLACE = Placeholder("workplace", Kind.TEXT, "The location that the contact belongs to.", "Sample House")
_LINK = Placeholder("link", Kind.LINK, "The campaign's page, where people can book.", "https://example.org/go/sample")

_REPORT = (
    Placeholder("report", Kind.TEXT, "The report's title.", "Impact report"),
    Placeholder("period", Kind.TEXT, "What it covers.", "1 January to 31 March 2027"),
    Placeholder("report_link", Kind.LINK, "Where it is read, after signing in.", "https://example.org/console/reports"),
)

_EACH = (_FIRST_NAME, _FULL_NAME, _TENANT)

OF: dict[Occasion, tuple[Placeholder, ...]] = {
    Occasion.BOOKING_CONFIRMED: (*_EACH, *_SESSION),
    Occasion.BOOKING_OFFERED: (*_EACH, *_SESSION, _OFFER),
    Occasion.BOOKING_ASKED_AGAIN: (*_EACH, *_SESSION),
    Occasion.BOOKING_ENDED: (*_EACH, *_SESSION, _REASON),
    Occasion.SESSION_CHANGED: (*_EACH, *_SESSION),
    Occasion.REMINDER: (*_EACH, *_SESSION),
    Occasion.AFTER_ATTENDED: (*_EACH, *_SESSION),
    Occasion.AFTER_ABSENT: (*_EACH, *_SESSION),
    Occasion.CERTIFICATE_ISSUED: (*_EACH, *_CERTIFICATE),
    Occasion.NUDGE_DORMANT: _EACH,
    Occasion.NUDGE_NO_SHOW: (*_EACH, *_SESSION),
    Occasion.NUDGE_NEXT_TIER: _EACH,
    Occasion.CAMPAIGN: (*_EACH, _WORKPLACE, _LINK),
    Occasion.CAMPAIGN_TRIAL: (*_EACH, _WORKPLACE, _LINK),
    Occasion.REPORT_READY: (*_EACH, *_REPORT),
}
"""What each occasion knows."""

NEEDED: dict[Occasion, tuple[str, ...]] = {
    Occasion.BOOKING_CONFIRMED: ("session", "when", "where"),
    Occasion.BOOKING_OFFERED: ("session", "when", "answer_by"),
    Occasion.BOOKING_ASKED_AGAIN: ("session", "when"),
    Occasion.BOOKING_ENDED: ("session",),
    Occasion.SESSION_CHANGED: ("session", "when", "where"),
    Occasion.REMINDER: ("session", "when", "where"),
    Occasion.CERTIFICATE_ISSUED: ("certificate_link",),
    Occasion.REPORT_READY: ("report", "report_link"),
}
"""What a message of an occasion would be useless without."""


def names_in(text: str) -> list[str]:
    """The placeholders of a text, in order."""
    return [found[1] for found in PLACEHOLDER.finditer(text)]


def faults(occasion: Occasion, subject: str, body: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a template's placeholders: field and what to do."""
    known = {placeholder.name: placeholder for placeholder in OF[occasion]}
    for field, text in (("subject", subject), ("body", body)):
        for name in dict.fromkeys(names_in(text)):
            if name not in known:
                yield field, f"There is no placeholder (({name})) here. Use one of: {_listed(known)}."
        rest = PLACEHOLDER.sub("", text)
        if _STRAY.search(rest) and "((" in rest:
            yield field, "A placeholder is not closed. Write it as ((first_name))."
    for name in dict.fromkeys(names_in(subject)):
        if name in known and known[name].kind is Kind.LINK:
            yield "subject", f"A subject holds no address: take (({name})) out of it."
    present = set(names_in(subject)) | set(names_in(body))
    for name in NEEDED.get(occasion, ()):
        if name not in present:
            yield "body", f"People need (({name})): {known[name].about} Put it into the text."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"(({name}))" for name in names)


def samples(occasion: Occasion) -> dict[str, str]:
    """Values for a preview."""
    return {placeholder.name: placeholder.sample for placeholder in OF[occasion]}
