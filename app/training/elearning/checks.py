"""Pieces of an xAPI statement, checked as the specification (1.0.3, part 2) asks. Each raises Malformed."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.training.elearning.errors import Malformed

LONGEST_IRI = 2000
LONGEST_HOME, LONGEST_ACCOUNT = 1000, 500
"""In bytes: what is looked up by must fit into an index."""
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}(?::?\d{2})?)", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_NUMBER = r"\d+(?:[.,]\d+)?"
_DURATION = re.compile(
    rf"P(?=.)(?:(?P<weeks>{_NUMBER})W|(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?=.)(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?)"
)
_SECONDS = {
    "weeks": 604_800, "years": 31_536_000, "months": 2_592_000, "days": 86_400, "hours": 3600, "minutes": 60,
    "seconds": 1,
}  # fmt: skip
_INTERACTIONS = (
    "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric",
    "other",
)  # fmt: skip
_COMPONENTS = ("choices", "scale", "source", "target", "steps")
IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
RELATIONS = ("parent", "grouping", "category", "other")
SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"

Check = Callable[[Any, str], None]


def members(value: Any, where: str, known: Mapping[str, Check], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with known members only, each checked, and those that are needed."""
    if not isinstance(value, dict):
        raise Malformed(where, "Send an object.")
    for name, member in value.items():
        if name not in known:
            raise Malformed(f"{where}.{name}"[:200], "xAPI has no such property here. Leave it out.")
        if member is None:
            raise Malformed(f"{where}.{name}", "Leave the property out instead of sending null.")
        known[name](member, f"{where}.{name}")
    for name in needed:
        if name not in value:
            raise Malformed(f"{where}.{name}", "Send this property.")
    return value


def text(value: Any, where: str) -> None:
    """A text."""
    if not isinstance(value, str):
        raise Malformed(where, "Send a text.")


def iri(value: Any, where: str) -> None:
    """An absolute IRI."""
    if not isinstance(value, str) or len(value.encode()) > LONGEST_IRI or not _IRI.fullmatch(value):
        raise Malformed(where, "Send an IRI with its scheme, such as https://lms.example/courses/1.")


def identifier(value: Any, where: str) -> UUID:
    """A UUID in its usual form."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise Malformed(where, "Send a UUID, such as 6690e6c9-3ef0-4ed3-8b37-7f3964730bee.")
    return UUID(value)


def moment(value: Any, where: str) -> datetime:
    """A moment with its zone; more than six digits of a second are cut."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[4] in ("-00", "-0000", "-00:00"):
        raise Malformed(where, "Send a moment with its zone, such as 2026-11-23T10:15:30Z.")
    day, clock, fraction, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone.upper()}")
    except ValueError as error:
        raise Malformed(where, "There is no such moment. Check the date and the time.") from error
    if not 1970 < at.year < 9999:
        raise Malformed(where, "Nobody learned then. Check the clock of the learning system.")
    return at


def seconds_of(duration: str) -> Decimal | None:
    """Seconds of an ISO 8601 duration (a year is 365 days, a month 30); None if it is none."""
    found = _DURATION.fullmatch(duration)
    if found is None or duration.endswith("T"):
        return None
    parts = {name: number for name, number in found.groupdict().items() if number is not None}
    if any("." in number or "," in number for number in list(parts.values())[:-1]):
        return None
    return sum((Decimal(number.replace(",", ".")) * _SECONDS[name] for name, number in parts.items()), Decimal())


def a_duration(value: Any, where: str) -> None:
    """An ISO 8601 duration."""
    if not isinstance(value, str) or len(value) > 100 or seconds_of(value) is None:
        raise Malformed(where, "Send an ISO 8601 duration, such as PT45M or P1DT2H.")


def flag(value: Any, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise Malformed(where, "Send true or false.")


def number(value: Any, where: str) -> None:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Malformed(where, "Send a number.")


def language_map(value: Any, where: str) -> None:
    """Texts by language."""
    if not isinstance(value, dict):
        raise Malformed(where, 'Send texts by language, such as {"en-GB": "completed"}.')
    for language, words in value.items():
        if not _LANGUAGE.fullmatch(language):
            raise Malformed(where, "Name each language as RFC 5646 does, such as en-GB.")
        text(words, f"{where}.{language}")


def extensions(value: Any, where: str) -> None:
    """Values of any kind by IRI."""
    if not isinstance(value, dict):
        raise Malformed(where, "Send an object whose keys are IRIs.")
    for key in value:
        iri(key, where)


def list_of(check: Check) -> Check:
    """A check of every item of a list."""

    def checked(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise Malformed(where, "Send a list.")
        for at, item in enumerate(value):
            check(item, f"{where}[{at}]")

    return checked


def _word(*allowed: str) -> Check:
    def checked(value: Any, where: str) -> None:
        if value not in allowed:
            raise Malformed(where, f"Send one of {', '.join(allowed)}.")

    return checked


def _mbox(value: Any, where: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(
        r"mailto:[^\s@,;<>]{1,64}@[^\s@,;<>]{1,255}", value, re.IGNORECASE
    ):
        raise Malformed(where, "Send the address as mailto:name@example.org.")


def _sha1(value: Any, where: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{40}", value, re.IGNORECASE):
        raise Malformed(where, "Send the SHA-1 sum as 40 hexadecimal digits.")


def _account(value: Any, where: str) -> None:
    members(value, where, {"homePage": iri, "name": text}, ("homePage", "name"))
    if not value["name"].strip() or len(value["name"].encode()) > LONGEST_ACCOUNT:
        raise Malformed(f"{where}.name", f"Send the account's name, of at most {LONGEST_ACCOUNT} bytes.")
    if len(value["homePage"].encode()) > LONGEST_HOME:
        raise Malformed(f"{where}.homePage", f"Send an address of at most {LONGEST_HOME} bytes.")


_AGENT: dict[str, Check] = {
    "objectType": _word("Agent", "Group"), "name": text, "mbox": _mbox, "mbox_sha1sum": _sha1, "openid": iri,
    "account": _account,
}  # fmt: skip


def agent(value: Any, where: str) -> None:
    """An agent with exactly one identifier."""
    members(value, where, _AGENT)
    if value.get("objectType", "Agent") != "Agent":
        raise Malformed(f"{where}.objectType", "Only an agent may stand here.")
    _one_identifier(value, where)


def _one_identifier(value: dict[str, Any], where: str) -> None:
    if sum(name in value for name in IDENTIFIERS) != 1:
        raise Malformed(where, f"Send exactly one of {', '.join(IDENTIFIERS)}.")


def actor(value: Any, where: str) -> None:
    """An agent or a group."""
    if isinstance(value, dict) and value.get("objectType") == "Group":
        members(value, where, _AGENT | {"member": list_of(agent)})
        if any(name in value for name in IDENTIFIERS):
            _one_identifier(value, where)
        elif not value.get("member"):
            raise Malformed(where, "A group without an identifier needs its members.")
        return
    agent(value, where)


def _component(value: Any, where: str) -> None:
    members(value, where, {"id": text, "description": language_map}, ("id",))


_DEFINITION: dict[str, Check] = {
    "name": language_map, "description": language_map, "type": iri, "moreInfo": iri, "extensions": extensions,
    "interactionType": _word(*_INTERACTIONS), "correctResponsesPattern": list_of(text),
    **dict.fromkeys(_COMPONENTS, list_of(_component)),
}  # fmt: skip


def activity(value: Any, where: str) -> None:
    """An activity with its IRI."""
    known: dict[str, Check] = {
        "objectType": _word("Activity"), "id": iri, "definition": lambda v, w: _defined(v, w),
    }  # fmt: skip
    members(value, where, known, ("id",))


def _defined(value: Any, where: str) -> None:
    members(value, where, _DEFINITION)
    if "interactionType" not in value and any(name in value for name in (*_COMPONENTS, "correctResponsesPattern")):
        raise Malformed(f"{where}.interactionType", "Say the type of interaction that this describes.")


def reference(value: Any, where: str) -> None:
    """A reference to a statement."""
    known: dict[str, Check] = {"objectType": _word("StatementRef"), "id": lambda v, w: void(identifier(v, w))}
    members(value, where, known, ("objectType", "id"))


def void(_: object) -> None:
    """For checks whose value is not needed."""


def verb(value: Any, where: str) -> None:
    """A verb with its IRI."""
    members(value, where, {"id": iri, "display": language_map}, ("id",))


def score(value: Any, where: str) -> None:
    """A score: `scaled` from -1 to 1, `raw` between `min` and `max`."""
    members(value, where, dict.fromkeys(("scaled", "raw", "min", "max"), number))
    if not -1 <= value.get("scaled", 0) <= 1:
        raise Malformed(f"{where}.scaled", "Send a number from -1 to 1.")
    low, high, raw = (value.get(name) for name in ("min", "max", "raw"))
    if low is not None and high is not None and low >= high:
        raise Malformed(where, "Send a min that is below max.")
    if raw is not None and ((low is not None and raw < low) or (high is not None and raw > high)):
        raise Malformed(f"{where}.raw", "Send a number between min and max.")


def result(value: Any, where: str) -> None:
    """What came of it."""
    known: dict[str, Check] = {
        "score": score, "success": flag, "completion": flag, "response": text, "duration": a_duration,
        "extensions": extensions,
    }  # fmt: skip
    members(value, where, known)


def _related(value: Any, where: str) -> None:
    if isinstance(value, list):
        list_of(activity)(value, where)
    else:
        activity(value, where)


def _relations(value: Any, where: str) -> None:
    members(value, where, dict.fromkeys(RELATIONS, _related))


def _group(value: Any, where: str) -> None:
    if not isinstance(value, dict) or value.get("objectType") != "Group":
        raise Malformed(where, "Send a group.")
    actor(value, where)


def _tongue(value: Any, where: str) -> None:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise Malformed(where, "Name the language as RFC 5646 does, such as en-GB.")


def context(value: Any, where: str) -> None:
    """In which context it happened."""
    known: dict[str, Check] = {
        "registration": lambda v, w: void(identifier(v, w)), "instructor": actor, "team": _group,
        "contextActivities": _relations, "revision": text, "platform": text, "language": _tongue,
        "statement": reference, "extensions": extensions,
    }  # fmt: skip
    members(value, where, known)


def attachment(value: Any, where: str) -> None:
    """An attachment that is told of and lies elsewhere; neither its bytes nor a signature can be taken in."""
    known: dict[str, Check] = {
        "usageType": iri, "display": language_map, "description": language_map, "contentType": text, "length": number,
        "sha2": text, "fileUrl": iri,
    }  # fmt: skip
    members(value, where, known, ("usageType", "display", "contentType", "length", "sha2"))
    if value["usageType"] == SIGNATURE:
        raise Malformed(where, "Signed statements are not taken. Send the statement without its signature.")
    if "fileUrl" not in value:
        raise Malformed(where, "Attached files are not taken. Send a fileUrl, or leave the attachment out.")


def not_ahead(at: datetime, now: datetime, where: str) -> None:
    """Raise Malformed for a moment that is more than an hour away."""
    if at > now + timedelta(hours=1):
        raise Malformed(where, "The moment lies in the future. Check the clock of the learning system.")
