"""Reading xAPI statements (1.0.3): checked, completed with what a record store adds, compared by what they say."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from app.directory.names import normalise_email
from app.training.elearning import checks
from app.training.elearning.errors import Malformed
from tenants.identifiers import new_id

VERSION = "1.0.3"
VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
MOST_STATEMENTS, DEEPEST = 500, 100
LONGEST_NAME = 200
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a statement is about, as its actor says; `key` tells one from another within the learning system."""

    key: str
    name: str | None = None
    account: str | None = None
    home_page: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A sound statement with what is looked up of it. `body` has id, moments, authority and version.

    `person` is None for a group, and for whoever voids.
    """

    id: UUID
    body: dict[str, Any]
    fingerprint: bytes
    person: Person | None
    activity_iri: str | None
    voids_id: UUID | None
    occurred_at: datetime


def read(content: bytes, now: datetime, authority: Mapping[str, Any], only_id: UUID | None = None) -> list[Statement]:
    """The statements of a body: one or a list. With `only_id` it must be one, which has this id or none.

    Raises Malformed; then nothing of the body may be taken.
    """
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Malformed("body", "Send JSON in UTF-8.") from error
    _look_through(told, 0)
    several = isinstance(told, list)
    if only_id is not None and several:
        raise Malformed("body", "Send one statement by PUT, or a list by POST.")
    items: Sequence[Any] = told if several else [told]
    if len(items) > MOST_STATEMENTS:
        raise Malformed("body", f"Send at most {MOST_STATEMENTS} statements at a time.")
    found = [
        _read_one(item, f"statements[{at}]" if several else "statement", now, authority, only_id)
        for at, item in enumerate(items)
    ]
    if len({statement.id for statement in found}) < len(found):
        raise Malformed("body", "Two statements have the same id. Give each its own.")
    return found


def _look_through(value: Any, depth: int) -> None:
    """Raise Malformed for what cannot be kept, wherever it stands."""
    if depth > DEEPEST:
        raise Malformed("body", f"Nest objects and lists at most {DEEPEST} deep.")
    if isinstance(value, str) and "\0" in value:
        raise Malformed("body", "Leave the character U+0000 out of every text.")
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inside:
        _look_through(one, depth + 1)


def is_understood(version: object) -> bool:
    """Whether it is a version 1.0 of the specification, with whichever correction."""
    return isinstance(version, str) and re.fullmatch(r"1\.0(\.\d{1,3})?", version) is not None


def _version(value: Any, where: str) -> None:
    if not is_understood(value):
        raise Malformed(where, f"Send {VERSION}.")


_SHARED: dict[str, checks.Check] = {
    "actor": checks.actor,
    "verb": checks.verb,
    "result": checks.result,
    "context": checks.context,
    "timestamp": lambda value, where: checks.void(checks.moment(value, where)),
    "attachments": checks.list_of(checks.attachment),
}
_WHOLE = _SHARED | {
    "id": lambda value, where: checks.void(checks.identifier(value, where)),
    "object": lambda value, where: _object(value, where, inside=False),
    "stored": lambda value, where: checks.void(checks.moment(value, where)),
    "authority": checks.actor,
    "version": _version,
}
_INSIDE = _SHARED | {
    "objectType": checks.text,
    "object": lambda value, where: _object(value, where, inside=True),
}


def _object(value: Any, where: str, *, inside: bool) -> None:
    kind = value.get("objectType", "Activity") if isinstance(value, dict) else "Activity"
    if kind == "SubStatement" and not inside:
        checks.members(value, where, _INSIDE, ("actor", "verb", "object"))
        _fits_its_object(value, where)
    elif kind in ("Agent", "Group"):
        checks.actor(value, where)
    elif kind == "StatementRef":
        checks.reference(value, where)
    elif kind == "Activity":
        checks.activity(value, where)
    else:
        raise Malformed(
            f"{where}.objectType", "Send Activity, Agent, Group, StatementRef or, not inside one, SubStatement."
        )


def _fits_its_object(value: dict[str, Any], where: str) -> None:
    """What only a statement about an activity may say; and what a voiding statement must be about."""
    kind = value["object"].get("objectType", "Activity")
    if kind != "Activity":
        for name in ("revision", "platform"):
            if name in value.get("context", {}):
                raise Malformed(f"{where}.context.{name}", "Leave it out: the statement is not about an activity.")
    if value["verb"]["id"] == VOIDED and kind != "StatementRef":
        raise Malformed(
            f"{where}.object", "A voiding statement names the statement that it takes back: a StatementRef."
        )


def _read_one(value: Any, where: str, now: datetime, authority: Mapping[str, Any], only_id: UUID | None) -> Statement:
    checks.members(value, where, _WHOLE, ("actor", "verb", "object"))
    _fits_its_object(value, where)
    given = UUID(value["id"]) if "id" in value else None
    if only_id is not None and given not in (None, only_id):
        raise Malformed(f"{where}.id", "Send the id that stands in statementId, or leave it out.")
    statement_id = only_id or given or new_id()
    at = checks.moment(value["timestamp"], f"{where}.timestamp") if "timestamp" in value else now
    checks.not_ahead(at, now, f"{where}.timestamp")
    body = dict(value)
    if "context" in body and "contextActivities" in body["context"]:
        lists = {k: v if isinstance(v, list) else [v] for k, v in body["context"]["contextActivities"].items()}
        body["context"] = body["context"] | {"contextActivities": lists}
    fingerprint = _fingerprint(body)
    stamp = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body |= {"id": str(statement_id), "stored": stamp, "authority": dict(authority), "version": VERSION}
    body.setdefault("timestamp", stamp)
    target = body["object"]
    voids = UUID(target["id"]) if body["verb"]["id"] == VOIDED else None
    activity = target["id"] if target.get("objectType", "Activity") == "Activity" else None
    person = None if voids is not None else person_of(body["actor"])
    return Statement(statement_id, body, fingerprint, person, activity, voids, at)


def person_of(actor: Mapping[str, Any]) -> Person | None:
    """Whom an actor names; None for a group."""
    if actor.get("objectType") == "Group":
        return None
    name = " ".join(actor.get("name", "").split())[:LONGEST_NAME] or None
    if "account" in actor:
        home, account = actor["account"]["homePage"].strip(), actor["account"]["name"].strip()
        return Person(f"account:{home_key(home)} {account.casefold()}", name, account, home)
    if "mbox" in actor:
        address = actor["mbox"][len("mailto:") :]
        return Person(f"email:{address.casefold()}", name, email=normalise_email(address))
    kind = "openid" if "openid" in actor else "mbox_sha1sum"
    return Person(f"{kind}:{actor[kind].casefold()}", name)


def home_key(home_page: str) -> str:
    """The address of an account's system, so that a slash at its end makes no other system of it."""
    return home_page.strip().casefold().rstrip("/")


def _fingerprint(body: Mapping[str, Any]) -> bytes:
    """Of what the specification counts when it compares statements: not what a store sets, nor how things are named."""
    kept = {name: body[name] for name in ("actor", "verb", "object", "result", "context", "timestamp") if name in body}
    if "timestamp" in kept:
        kept["timestamp"] = checks.moment(kept["timestamp"], "timestamp").astimezone(UTC).isoformat()
    return hashlib.sha256(orjson.dumps(_compared(kept), option=orjson.OPT_SORT_KEYS)).digest()


def _compared(value: Any) -> Any:
    if isinstance(value, list):
        return [_compared(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if not isinstance(value, dict):
        return value
    found = {
        name: _compared(member)
        for name, member in value.items()
        if name not in ("display", "definition") and member not in ({}, [])
    }
    if found.get("objectType") in ("Activity", "Agent"):
        del found["objectType"]
    if isinstance(found.get("member"), list):
        found["member"] = sorted(found["member"], key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS))
    return found
