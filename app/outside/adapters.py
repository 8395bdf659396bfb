"""The outside systems that there are adapters for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.outside.eventbrite import account as eventbrite
from app.outside.fetching import Fetching
from app.outside.systems import ConnectionField, System
from app.outside.teams import account as teams
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Kind:
    """A system: its stable code, what people call it, what they enter, and what they are told.

    `has_notices`: it tells by itself that something changed. `has_reports`: it knows who attended.
    """

    code: str
    name: str
    about: str
    fields: tuple[ConnectionField, ...]
    not_taken: str
    open: Callable[[Fetching, Settings, Mapping[str, str]], System]
    has_notices: bool = False
    has_reports: bool = False

    @property
    def secret_field(self) -> str:
        """The field that is most likely wrong where the system takes none of it."""
        return next(field.name for field in self.fields if field.secret)


KINDS: Mapping[str, Kind] = {
    "eventbrite": Kind(
        "eventbrite",
        "Eventbrite",
        "Registrations for your Eventbrite events become bookings of your sessions.",
        eventbrite.FIELDS,
        "Eventbrite does not take the token. Copy the private token from your account, under API keys.",
        eventbrite.open_account,
        has_notices=True,
    ),
    "teams": Kind(
        "teams",
        "Microsoft Teams webinars",
        "Registrations for your Teams webinars become bookings, and who attended is read from Teams’ reports.",
        teams.FIELDS,
        "Microsoft does not take the secret, or the application may not read webinars. Look at its secret’s end date, "
        "and at VirtualEvent.Read.All and OnlineMeetingArtifact.Read.All under its permissions.",
        teams.open_account,
        has_reports=True,
    ),
}
