"""Registrations as outside systems tell them, and what they ask for. Pure rules: the order of telling is no matter."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from app.directory.names import COMPATIBLE, full_name_key, name_agreement, name_key, normalise_email

State = Literal["registered", "waiting", "cancelled"]

_RANK: dict[str, int] = {"waiting": 0, "registered": 1, "cancelled": 2}
_NEVER = datetime.min.replace(tzinfo=UTC)
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Who:
    """A person as a registration tells. `email` only where it is the person's own, not that of who paid."""

    given_name: str = ""
    family_name: str = ""
    name: str = ""
    email: str | None = None
    workplace: str = ""
    job_role: str = ""

    @property
    def key(self) -> str:
        """The key of the name."""
        return full_name_key(self.given_name, self.family_name) or name_key(self.name)

    @property
    def shown(self) -> str:
        """The name to show."""
        return " ".join(part for part in (self.given_name, self.family_name) if part) or self.name


@dataclass(frozen=True, slots=True)
class Registration:
    """One person's registration. `changed_at` is the outside system's own moment of the latest change."""

    outside_id: str
    changed_at: datetime
    state: State
    who: Who
    checked_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a registration asks for: a place, and to be noted as present."""

    place: bool
    present: bool


def newest(one: Registration, other: Registration) -> Registration:
    """Which of two tellings of a registration counts: associative, commutative, and the same if repeated.

    The later change. Of one moment: what ended it, then a check-in, then the one without an address, for to know less
    of somebody does less harm; what is left is settled by the texts, so that it is always settled alike.
    """
    return max(one, other, key=_weight)


def _weight(registration: Registration) -> tuple[Any, ...]:
    return (
        registration.changed_at,
        _RANK[registration.state],
        registration.checked_in_at or _NEVER,
        registration.who.email is None,
        tuple(sorted((name, str(value)) for name, value in asdict(registration.who).items())),
    )


def wants(registration: Registration, *, gone: bool) -> Wanted:
    """What follows from a registration. Who was seen was there, whatever became of the registration afterwards."""
    return Wanted(registration.state == "registered" and not gone, registration.checked_in_at is not None)


def same_person(placed_name: str, who: Who) -> bool:
    """Whether a registration is still about whom it was: another name on it is somebody who comes instead."""
    return not placed_name or not who.key or name_agreement(placed_name, who.key) >= COMPATIBLE


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who made an order: the name and the address on it."""

    name: str
    email: str | None


def own_addresses(people: Iterable[Who], buyer: Buyer) -> list[Who]:
    """The people of one order with the addresses that are their own.

    An address on several of its rows is that of who ordered. So is the order's own address on the row of somebody
    whose name is not that of who ordered.
    """
    rows = [replace(who, email=normalise_email(who.email)) for who in people]
    bought_by = normalise_email(buyer.email)
    told = [who.email for who in rows]
    foreign = [who.email and (told.count(who.email) > 1 or _of_buyer(who, buyer, bought_by)) for who in rows]
    return [replace(who, email=None) if out else who for who, out in zip(rows, foreign, strict=True)]


def _of_buyer(who: Who, buyer: Buyer, address: str | None) -> bool:
    return who.email == address and name_agreement(who.key, name_key(buyer.name)) < COMPATIBLE


def text(value: Any) -> str:
    """A text of an outside system as we keep it; nothing for what is none."""
    return " ".join(value.replace("\0", "").split())[:LONGEST] if isinstance(value, str) else ""


def moment(value: Any) -> datetime | None:
    """A moment of an outside system, in UTC where it names no zone; None for what is none."""
    if not isinstance(value, str):
        return None
    head, dot, rest = value.strip().partition(".")
    if dot:  # Graph writes seven digits of a second
        digits = "".join(letter for letter in rest if letter.isdigit())
        tail = rest.lstrip("0123456789")
        head = f"{head}.{digits[:6]:0<6}{tail}" if tail[:1] not in "+-" else f"{head}{tail}"
    try:
        at = datetime.fromisoformat(head)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
