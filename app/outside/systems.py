"""What an outside system is to us: its fields, and what can be asked of it once somebody is signed in there."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.outside.registrations import Registration


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """What a person enters to connect. A secret is kept encrypted and never shown again."""

    name: str
    label: str
    hint: str = ""
    secret: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class EventFound:
    """An event of the account. `starts_at` is None where the system does not tell it in a way that we can read."""

    outside_id: str
    title: str
    starts_at: datetime | None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question that people answer when they register."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which questions of an event ask for workplace and job role."""

    workplace: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A piece of an event's registrations: ids that are on the list, and those whose content was fetched."""

    seen: tuple[str, ...]
    registrations: tuple[Registration, ...]


News = Callable[[Mapping[str, datetime]], Awaitable[set[str]]]
"""Of registrations with the moment of their latest change: those that we do not have like that."""


class System(Protocol):
    """An account at an outside system. Everything raises OutsideUnavailable and OutsideRefused."""

    async def check(self) -> Mapping[str, str]:
        """Try the account; settings to keep that were found there. Raises OutsideRefusal too."""

    async def events(self) -> Sequence[EventFound]:
        """The account's events, the latest first."""

    async def event(self, event_id: str) -> EventFound | None:
        """An event; None if there is none of that id."""

    async def questions(self, event_id: str) -> Sequence[Question]:
        """What people are asked when they register."""

    def registrations(self, event_id: str, asked: Asked, since: datetime | None, news: News) -> AsyncIterator[Batch]:
        """The registrations of an event, piece by piece; those changed since a moment, where the system can tell."""

    async def registration(self, event_id: str, registration_id: str, asked: Asked) -> Sequence[Registration]:
        """A registration, with those that were made together with it; nothing if it is not there any more."""
