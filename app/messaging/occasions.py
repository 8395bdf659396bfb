"""What people are written about as it happens: events of training become messages, once for each event."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.messaging.ledger import Asked, ask, withdraw_of_booking
from app.messaging.rules import Occasion
from app.messaging.settings import message_settings
from app.messaging.templates import template_for
from app.training.booking.models import Booking, PlaceOffer
from app.training.certificates.models import Certificate
from app.training.models import TrainingSession
from app.webhooks.events import EventType
from app.webhooks.models import WebhookEvent
from tenants.outbox import Topic
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A message that an event asks for; all of one event are for one occasion."""

    occasion: Occasion
    learner_id: UUID
    session_id: UUID | None = None
    booking_id: UUID | None = None
    subject_id: UUID | None = None


Find = Callable[[UnitOfWork, UUID], Awaitable[list[_Wanted]]]


async def tell(work: UnitOfWork, event_id: UUID) -> int:
    """Ask for the messages of an event; how many. Harmless when repeated."""
    event = await work.session.get(WebhookEvent, (work.tenant_id, event_id))
    if event is None:
        return 0
    kind = EventType(event.type)
    subject_id = UUID(event.subject.partition(":")[2])
    if kind in SESSION_EVENTS:
        work.emit(Topic.REMINDERS_PLAN, f"event:{event_id}", session_id=subject_id)
    find = FINDERS.get(kind)
    if find is None or await message_settings(work) is None:
        return 0
    if kind is EventType.BOOKING_ENDED:
        await withdraw_of_booking(work, subject_id)
    found = await find(work, subject_id)
    template = await template_for(work, found[0].occasion) if found else None
    if template is None:
        return 0
    asked = [
        Asked(
            f"event:{event_id}:{wanted.learner_id}",
            wanted.occasion,
            template.message_class,
            template.id,
            learner_id=wanted.learner_id,
            session_id=wanted.session_id,
            booking_id=wanted.booking_id,
            subject_id=wanted.subject_id,
        )
        for wanted in found
    ]
    return await ask(work, asked, work.now)


def _of_booking(occasion: Occasion) -> Find:
    async def find(work: UnitOfWork, booking_id: UUID) -> list[_Wanted]:
        booking = await work.session.get(Booking, (work.tenant_id, booking_id))
        if booking is None:
            return []
        session = await work.session.get_one(TrainingSession, (work.tenant_id, booking.session_id))
        if session.ends_at <= work.now:
            return []  # written down afterwards, as by an import
        return [_Wanted(occasion, booking.learner_id, booking.session_id, booking.id)]

    return find


async def _of_offer(work: UnitOfWork, booking_id: UUID) -> list[_Wanted]:
    booking = await work.session.get(Booking, (work.tenant_id, booking_id))
    latest = select(PlaceOffer).where(PlaceOffer.booking_id == booking_id).order_by(PlaceOffer.offered_at.desc())
    offer = (await work.session.scalars(latest.limit(1))).first()
    if booking is None or offer is None:
        return []
    return [_Wanted(Occasion.BOOKING_OFFERED, booking.learner_id, booking.session_id, booking.id, offer.id)]


async def _of_change(work: UnitOfWork, session_id: UUID) -> list[_Wanted]:
    """Everybody with a place hears of a change."""
    confirmed = select(Booking).where(Booking.session_id == session_id, Booking.state == "confirmed")
    return [
        _Wanted(Occasion.SESSION_CHANGED, booking.learner_id, session_id, booking.id)
        for booking in await work.session.scalars(confirmed.order_by(Booking.number))
    ]


async def _of_certificate(work: UnitOfWork, certificate_id: UUID) -> list[_Wanted]:
    certificate = await work.session.get(Certificate, (work.tenant_id, certificate_id))
    if certificate is None:
        return []
    return [_Wanted(Occasion.CERTIFICATE_ISSUED, certificate.learner_id, subject_id=certificate.id)]


FINDERS: dict[EventType, Find] = {
    EventType.BOOKING_CONFIRMED: _of_booking(Occasion.BOOKING_CONFIRMED),
    EventType.BOOKING_OFFERED: _of_offer,
    EventType.BOOKING_ASKED_AGAIN: _of_booking(Occasion.BOOKING_ASKED_AGAIN),
    EventType.BOOKING_ENDED: _of_booking(Occasion.BOOKING_ENDED),
    EventType.SESSION_CHANGED: _of_change,
    EventType.CERTIFICATE_ISSUED: _of_certificate,
}
SESSION_EVENTS = {
    EventType.SESSION_PUBLISHED,
    EventType.SESSION_CHANGED,
    EventType.SESSION_MOVED,
    EventType.SESSION_CANCELLED,
}
