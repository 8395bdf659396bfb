"""A session as somebody wants it: what it is, its places, leaders and agenda, and whether that can be."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.training.booking.models import RESERVE_KINDS
from app.training.errors import TrainingRefusal
from app.training.sessions.models import SESSION_KINDS

ONLINE_MODES = ("meeting", "webinar", "town_hall", "none")
WAITING_LISTS = ("none", "promote", "offer")


@dataclass(frozen=True, slots=True)
class Places:
    """How many places there are, and by which rules they are given. Times are aware; None: until the session begins."""

    capacity: int
    waiting_list: str = "promote"
    offer_hours: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    cancel_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """Places kept for a setting, a provider group (by id) or a local authority, until a moment."""

    kind: str
    value: str
    places: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the agenda: in which half, how long in minutes, whether people work in groups."""

    title: str
    minutes: int
    part: int = 1
    group_work: bool = False


@dataclass(frozen=True, slots=True)
class SessionDetails:
    """What a session is. Times are aware; `second_part_at` makes it a day of two halves."""

    title: str
    starts_at: datetime
    ends_at: datetime
    kind: str = "training"
    tier_id: UUID | None = None
    online_mode: str = "webinar"
    venue_id: UUID | None = None
    join_url: str | None = None
    description: str | None = None
    second_part_at: datetime | None = None
    people_per_facilitator: int | None = None
    places: Places | None = None
    reserves: tuple[Reserved, ...] = ()
    facilitator_ids: tuple[UUID, ...] = ()
    topic_ids: tuple[UUID, ...] = ()
    guidance_ids: tuple[UUID, ...] = ()
    agenda: tuple[Part, ...] = field(default=())


def check(details: SessionDetails) -> None:
    """Raise TrainingRefusal for the first thing that cannot be, with the field at fault."""
    if not details.title.strip():
        raise TrainingRefusal("TITLE_MISSING", "Give the session a title.", "title")
    check_times(details.starts_at, details.ends_at, details.second_part_at)
    if details.kind not in SESSION_KINDS or details.online_mode not in ONLINE_MODES:
        raise TrainingRefusal("UNKNOWN_KIND", "Choose the kind of session and how people join from the lists.", "kind")
    if details.join_url and not details.join_url.startswith(("https://", "http://")):
        raise TrainingRefusal("JOIN_URL", "The address to join begins with https://.", "joinUrl")
    places = details.places
    if places is not None:
        if not 1 <= places.capacity <= 10_000:
            raise TrainingRefusal("CAPACITY", "Choose from 1 to 10,000 places.", "capacity")
        if places.waiting_list not in WAITING_LISTS:
            raise TrainingRefusal("WAITING_LIST", "Choose what happens to those who wait from the list.", "waitingList")
        if (places.waiting_list == "offer") != (places.offer_hours is not None):
            raise TrainingRefusal(
                "OFFER_HOURS", "Say for how many hours a place is offered, if places are offered.", "offerHours"
            )
        if places.offer_hours is not None and not 1 <= places.offer_hours <= 24 * 30:
            raise TrainingRefusal("OFFER_HOURS", "An offer lasts from 1 hour to 30 days.", "offerHours")
        closes = places.closes_at or details.starts_at
        if closes > details.starts_at or (places.opens_at is not None and places.opens_at >= closes):
            raise TrainingRefusal(
                "TIMES", "Booking opens before it closes, and closes before the session begins.", "closesAt"
            )
    reserved = 0
    for reserve in details.reserves:
        reserved += reserve.places
        if reserve.kind not in RESERVE_KINDS or reserve.places < 1 or not reserve.value:
            raise TrainingRefusal(
                "RESERVE", "A reserve is 1 place or more for a setting, provider group or local authority.", "reserves"
            )
    if reserved and (places is None or reserved > places.capacity):
        raise TrainingRefusal("RESERVE", "The reserves are more than the capacity. Lower them.", "reserves")
    for part in details.agenda:
        if part.minutes < 1 or part.part not in (1, 2) or (part.part == 2 and details.second_part_at is None):
            raise TrainingRefusal(
                "AGENDA", "Each part of the agenda takes a minute or more and is in a half that the day has.", "agenda"
            )


def check_times(starts_at: datetime, ends_at: datetime, second_part_at: datetime | None) -> None:
    """Raise TrainingRefusal `TIMES` unless a session can take place then."""
    if not timedelta() < ends_at - starts_at <= timedelta(hours=24):
        raise TrainingRefusal("TIMES", "A session ends after it begins, within 24 hours.", "endsAt")
    if second_part_at is not None and not starts_at < second_part_at < ends_at:
        raise TrainingRefusal("TIMES", "The second half begins between start and end.", "secondPartAt")
