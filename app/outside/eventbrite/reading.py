"""What Eventbrite's objects mean: attendees, orders, events, questions, and the pointers of its notices. Pure rules."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.outside.registrations import Buyer, Registration, State, Who, moment, own_addresses, text
from app.outside.systems import Asked, EventFound, Question

PROFILE_QUESTIONS = (
    Question("profile:company", "Company (Eventbrite’s own question)"),
    Question("profile:job_title", "Job title (Eventbrite’s own question)"),
)
NOT_ASKED = "info requested"
"""What Eventbrite writes for name and address while nobody has entered them."""
IDENTIFIER = re.compile(r"[0-9]{1,24}")
_POINTER = re.compile(
    r"https://[a-z0-9.-]{1,100}/v3/(?:events/(?P<event>[0-9]{1,24})(?:/attendees/(?P<attendee>[0-9]{1,24}))?"
    r"|orders/(?P<order>[0-9]{1,24}))/?"
)
_ACTIONS = re.compile(r"(order|attendee|barcode|event)\.[a-z_]{1,40}")
_ENDED, _NOT_YET = ("deleted", "not attending", "transferred"), ("unpaid", "pending")
"""Statuses of an attendee that end a registration, and those of one that holds no ticket yet."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a notice points to: an order, an attendee ("event/attendee") or an event; `action` is its word."""

    kind: str
    object_id: str
    action: str


def pointer(told: Any) -> Pointer | None:
    """The pointer of a notice; None for one that we have no use for. Only ids are taken from its address."""
    config = told.get("config") if isinstance(told, Mapping) else None
    action = config.get("action") if isinstance(config, Mapping) else None
    address = told.get("api_url") if isinstance(told, Mapping) else None
    if not isinstance(action, str) or not isinstance(address, str) or not _ACTIONS.fullmatch(action):
        return None
    found = _POINTER.fullmatch(address)
    if found is None:
        return None
    if found["order"]:
        return Pointer("order", found["order"], action)
    if found["attendee"]:
        return Pointer("attendee", f"{found['event']}/{found['attendee']}", action)
    return Pointer("event", found["event"], action)


def identifier(value: Any) -> str | None:
    """An id of Eventbrite's; None for anything else."""
    return value if isinstance(value, str) and IDENTIFIER.fullmatch(value) else None


def changed(attendee: Mapping[str, Any]) -> datetime:
    """When an attendee was changed last."""
    return moment(attendee.get("changed")) or moment(attendee.get("created")) or _EPOCH


def of_order(
    order: Mapping[str, Any], attendees: Sequence[Mapping[str, Any]], asked: Asked
) -> list[tuple[str, Registration]]:
    """The registrations of one order, each with its event's id; what has no id is nothing."""
    known = [one for one in attendees if identifier(one.get("id")) and identifier(one.get("event_id"))]
    buyer = Buyer(text(order.get("name")), text(order.get("email")) or None)
    people = own_addresses([_who(one, asked) for one in known], buyer)
    return [(str(one["event_id"]), _registration(one, who)) for one, who in zip(known, people, strict=True)]


def alone(attendee: Mapping[str, Any], asked: Asked) -> list[tuple[str, Registration]]:
    """An attendee whose order cannot be seen: nobody knows whose the address is, so it is left out."""
    return of_order({"email": _profile(attendee).get("email")}, [attendee], asked)


def _registration(attendee: Mapping[str, Any], who: Who) -> Registration:
    status = text(attendee.get("status")).casefold()
    ended = any(attendee.get(word) is True for word in ("cancelled", "refunded")) or status in _ENDED
    state: State = "cancelled" if ended else "waiting" if status in _NOT_YET else "registered"
    seen_at = _checked_in_at(attendee) if attendee.get("checked_in") is True else None
    return Registration(str(attendee["id"]), changed(attendee), state, who, seen_at)


def _checked_in_at(attendee: Mapping[str, Any]) -> datetime:
    barcodes = attendee.get("barcodes")
    used = [
        at
        for barcode in (barcodes if isinstance(barcodes, list) else [])
        if isinstance(barcode, Mapping) and barcode.get("status") == "used" and (at := moment(barcode.get("changed")))
    ]
    return min(used, default=changed(attendee))


def _who(attendee: Mapping[str, Any], asked: Asked) -> Who:
    profile = _profile(attendee)
    told = {name: text(profile.get(name)) for name in ("first_name", "last_name", "name", "email")}
    told = {name: "" if value.casefold() == NOT_ASKED else value for name, value in told.items()}
    quantity = attendee.get("quantity")
    several = isinstance(quantity, int) and quantity > 1
    return Who(
        told["first_name"],
        told["last_name"],
        told["name"],
        None if several else told["email"] or None,
        _answer(attendee, asked.workplace),
        _answer(attendee, asked.role),
    )


def _profile(attendee: Mapping[str, Any]) -> Mapping[str, Any]:
    profile = attendee.get("profile")
    return profile if isinstance(profile, Mapping) else {}


def _answer(attendee: Mapping[str, Any], question: str | None) -> str:
    if not question:
        return ""
    if question.startswith("profile:"):
        return text(_profile(attendee).get(question.removeprefix("profile:")))
    answers = attendee.get("answers")
    for answer in answers if isinstance(answers, list) else []:
        if isinstance(answer, Mapping) and answer.get("question_id") == question:
            return text(answer.get("answer"))
    return ""


def event_found(event: Mapping[str, Any]) -> EventFound | None:
    """An event of a list; None for what has no id."""
    event_id, name, start = identifier(event.get("id")), event.get("name"), event.get("start")
    if event_id is None:
        return None
    title = text(name.get("text")) if isinstance(name, Mapping) else ""
    starts_at = moment(start.get("utc")) if isinstance(start, Mapping) else None
    cancelled = text(event.get("status")).casefold() in ("canceled", "cancelled", "deleted")
    return EventFound(event_id, title or event_id, starts_at, cancelled)


def question_found(question: Mapping[str, Any]) -> Question | None:
    """A custom question of an event; None for what has no id."""
    question_id, worded = identifier(question.get("id")), question.get("question")
    if question_id is None:
        return None
    return Question(question_id, (text(worded.get("text")) if isinstance(worded, Mapping) else "") or question_id)
