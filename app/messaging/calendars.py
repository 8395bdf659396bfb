"""Invitations: a session as an iCalendar event with a stable UID and a SEQUENCE that grows with each change."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from icalendar import Calendar, Event, vCalAddress, vText

PRODUCT = "-//Medstead//Medstead//EN"


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation says. `sequence` is the session's version; `cancelled`: it takes the event away again."""

    session_id: UUID
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    where: str
    description: str
    organiser_name: str
    organiser_address: str
    attendee_address: str
    cancelled: bool = False


def invitation(invited: Invited, host: str, stamp: datetime) -> bytes:
    """The iCalendar object (RFC 5545, 5546): METHOD REQUEST, or CANCEL. Times are in UTC."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if invited.cancelled else "REQUEST")
    event = Event()
    event.add("uid", f"session-{invited.session_id}@{host}")
    event.add("sequence", invited.sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", invited.starts_at.astimezone(UTC))
    event.add("dtend", invited.ends_at.astimezone(UTC))
    event.add("summary", vText(invited.title))
    event.add("location", vText(invited.where))
    event.add("description", vText(invited.description))
    event.add("status", "CANCELLED" if invited.cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    organiser = vCalAddress(f"mailto:{invited.organiser_address}")
    organiser.params["CN"] = vText(invited.organiser_name)
    event["organizer"] = organiser
    attendee = vCalAddress(f"mailto:{invited.attendee_address}")
    attendee.params["RSVP"] = vText("FALSE")
    attendee.params["PARTSTAT"] = vText("ACCEPTED")
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
