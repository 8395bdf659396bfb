"""Who a campaign is for: a segment is data, and here it is checked. Whom it reaches: `reaching.py`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import SETTINGS, ProviderGroup
from app.messaging.contacts import ROLES
from app.training.errors import TrainingRefusal
from app.training.models import Tier
from tenants.session import UnitOfWork

WHO = ("contacts", "learners", "champions")
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Segment:
    """Whom a campaign is for; what is empty does not narrow it down.

    `who`: contacts of providers (of some roles), people who learn and have not left, or Medication Champions. A tier is
    held by the person; of a contact's location, by somebody at work there, or by nobody.
    """

    who: str = "contacts"
    roles: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    local_authorities: tuple[str, ...] = ()
    provider_groups: tuple[UUID, ...] = ()
    tier: UUID | None = None
    tier_held: bool = True
    without_champion: bool = False

    @property
    def by_place(self) -> bool:
        """Whether it depends on where somebody is."""
        return bool(self.settings or self.local_authorities or self.provider_groups or self.without_champion)


def read_segment(data: Mapping[str, Any]) -> Segment:
    """The segment that the data say.

    Raises TrainingRefusal `BAD_SEGMENT`, `UNKNOWN_WHO`, `UNKNOWN_ROLE`, `UNKNOWN_SETTING`, `TOO_MANY`,
    `ROLES_OF_CONTACTS` or `CHAMPIONS_HAVE_ONE`.
    """
    names = set(asdict(Segment()))
    if unknown := sorted(set(data) - names):
        raise _bad(f"A segment knows nothing of {', '.join(unknown)}. It has: {', '.join(sorted(names))}.", "segment")
    who = data.get("who", "contacts")
    if who not in WHO:
        raise TrainingRefusal("UNKNOWN_WHO", f"Choose among {', '.join(WHO)}.", "who")
    segment = Segment(
        who,
        _texts(data, "roles"),
        _texts(data, "settings"),
        _texts(data, "local_authorities"),
        tuple(_key(text, "provider_groups") for text in _texts(data, "provider_groups")),
        None if data.get("tier") is None else _key(data["tier"], "tier"),
        _bool(data, "tier_held", True),
        _bool(data, "without_champion", False),
    )
    for values, known, code, field in (
        (segment.roles, ROLES, "UNKNOWN_ROLE", "roles"),
        (segment.settings, SETTINGS, "UNKNOWN_SETTING", "settings"),
    ):
        if not set(values) <= set(known):
            raise TrainingRefusal(code, f"Choose among {', '.join(known)}.", field)
    if segment.roles and who != "contacts":
        raise TrainingRefusal("ROLES_OF_CONTACTS", "Only contacts have roles. Leave the roles out.", "roles")
    if segment.without_champion and who == "champions":
        message = "Champions are at locations that have one. Write to contacts or learners instead."
        raise TrainingRefusal("CHAMPIONS_HAVE_ONE", message, "withoutChampion")
    return segment


def segment_data(segment: Segment) -> dict[str, Any]:
    """As it is kept: what narrows nothing down is left out."""
    data: dict[str, Any] = {"who": segment.who}
    for name in ("roles", "settings", "local_authorities", "provider_groups"):
        if values := getattr(segment, name):
            data[name] = [str(value) for value in values]
    if segment.tier is not None:
        data |= {"tier": str(segment.tier), "tier_held": segment.tier_held}
    return data | ({"without_champion": True} if segment.without_champion else {})


def _bad(message: str, name: str) -> TrainingRefusal:
    return TrainingRefusal("BAD_SEGMENT", message, _field(name))


def _field(name: str) -> str:
    """The input's field of that name."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = data.get(name) or []
    if not isinstance(values, list | tuple) or not all(isinstance(value, str | UUID) for value in values):
        raise _bad("Send a list of texts.", name)
    if len(values) > MOST_VALUES:
        raise TrainingRefusal("TOO_MANY", f"Choose at most {MOST_VALUES}.", _field(name))
    return tuple(sorted({str(value) for value in values}))


def _key(text: Any, name: str) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise _bad("Use ids that this service gave.", name) from error


def _bool(data: Mapping[str, Any], name: str, default: bool) -> bool:
    value = data.get(name, default)
    if not isinstance(value, bool):
        raise _bad("Say yes or no.", name)
    return value


async def check_segment(work: UnitOfWork, segment: Segment) -> None:
    """Raises TrainingRefusal `NO_SUCH_TIER` or `NO_SUCH_PROVIDER_GROUP`."""
    if segment.tier is not None and await work.session.get(Tier, (work.tenant_id, segment.tier)) is None:
        raise TrainingRefusal("NO_SUCH_TIER", "There is no such tier. Choose one from the list.", "tier")
    known = await work.session.scalars(select(ProviderGroup.id).where(ProviderGroup.id.in_(segment.provider_groups)))
    if set(known) != set(segment.provider_groups):
        message = "There is no such provider group. Choose one from the list."
        raise TrainingRefusal("NO_SUCH_PROVIDER_GROUP", message, "providerGroups")
