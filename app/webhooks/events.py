"""Events that partners can be told of: announced beside the change, then owed to every endpoint that asked for them."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from app.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork


class EventType(StrEnum):
    """Published names of events. A name keeps its meaning for ever; a new meaning gets a new name."""

    IMPORT_FINISHED = "import.finished"
    IMPORT_FAILED = "import.failed"
    LEARNERS_MERGED = "learners.merged"
    LEARNERS_MERGE_UNDONE = "learners.merge_undone"
    FIGURES_REFRESHED = "figures.refreshed"
    SETTINGS_CHANGED = "settings.changed"
    SESSION_PUBLISHED = "session.published"
    SESSION_CHANGED = "session.changed"
    SESSION_MOVED = "session.moved"
    SESSION_CANCELLED = "session.cancelled"
    BOOKING_CONFIRMED = "booking.confirmed"
    BOOKING_WAITING = "booking.waiting"
    BOOKING_OFFERED = "booking.offered"
    BOOKING_ASKED_AGAIN = "booking.asked_again"
    BOOKING_ENDED = "booking.ended"
    ATTENDANCE_CHANGED = "attendance.changed"
    NOMINATION_CHANGED = "nomination.changed"
    PROGRAMME_PUBLISHED = "programme.published"
    STANDING_CHANGED = "standing.changed"
    COMPETENCE_ASSESSED = "competence.assessed"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CHAMPION_CHANGED = "champion.changed"
    COURSES_MERGED = "courses.merged"
    COURSES_MERGE_UNDONE = "courses.merge_undone"
    MAPPING_LOCKED = "mapping.locked"
    GOVERNANCE_ITEM_CHANGED = "governance.item_changed"
    ACTION_PLAN_CHANGED = "governance.plan_changed"
    LEARNING_NEED_SUGGESTED = "learning_need.suggested"
    LICENCE_CHANGED = "licence.changed"
    TEST = "webhook.test"


MEANINGS = {
    EventType.IMPORT_FINISHED: "A file that came in has been applied to the last row.",
    EventType.IMPORT_FAILED: "A file that came in could not be read and was not taken.",
    EventType.LEARNERS_MERGED: "Two records of a learner were found to be one person.",
    EventType.LEARNERS_MERGE_UNDONE: "A merge of two learners was undone.",
    EventType.FIGURES_REFRESHED: "The monthly figures were counted anew.",
    EventType.SETTINGS_CHANGED: "The tenant's settings were changed.",
    EventType.SESSION_PUBLISHED: "A session can be booked from now on, within its times.",
    EventType.SESSION_CHANGED: "A session was changed, but not its times.",
    EventType.SESSION_MOVED: "A session has other times now; everybody booked is asked again.",
    EventType.SESSION_CANCELLED: "A session was cancelled, and every booking of it with it.",
    EventType.BOOKING_CONFIRMED: "A learner has a place at a session.",
    EventType.BOOKING_WAITING: "A learner waits for a place at a session.",
    EventType.BOOKING_OFFERED: "A learner who waited is offered a place until a moment.",
    EventType.BOOKING_ASKED_AGAIN: "A session was moved, and the learner is asked whether the new time is good.",
    EventType.BOOKING_ENDED: "A booking was cancelled, declined, transferred or swapped, or its offer ran out.",
    EventType.ATTENDANCE_CHANGED: "Somebody was checked in, or marked as present or not, at a session.",
    EventType.NOMINATION_CHANGED: "A learner was nominated as Medication Champion, or a nomination was decided.",
    EventType.PROGRAMME_PUBLISHED: "A programme was published.",
    EventType.STANDING_CHANGED: "Learners came to meet requirements, or no longer meet them.",
    EventType.COMPETENCE_ASSESSED: "A learner's competence was assessed.",
    EventType.CERTIFICATE_ISSUED: "A learner got a certificate, for the first time or anew.",
    EventType.CERTIFICATE_REVOKED: "A certificate was revoked and no longer verifies.",
    EventType.CHAMPION_CHANGED: "A Medication Champion was appointed or changed, or the role ended.",
    EventType.COURSES_MERGED: "Two entries of a course were found to be one.",
    EventType.COURSES_MERGE_UNDONE: "A merge of two courses was undone.",
    EventType.MAPPING_LOCKED: "A mapping exercise was locked and will not change again.",
    EventType.GOVERNANCE_ITEM_CHANGED: "A policy, decision, risk, action of a forum or theme was written or changed.",
    EventType.ACTION_PLAN_CHANGED: "An action plan, or an action in it, was written or changed.",
    EventType.LEARNING_NEED_SUGGESTED: "An incident with medicines suggests what people at a location should learn.",
    EventType.LICENCE_CHANGED: "A learner was charged to a licence pool, waits for a seat, or left it.",
    EventType.TEST: "Somebody asked for a test. It goes to the one endpoint that was asked for.",
}

SUBSCRIBABLE = [kind for kind in EventType if kind is not EventType.TEST]
"""What an endpoint may ask for."""


def announce(work: UnitOfWork, kind: EventType, subject: str) -> None:
    """Have endpoints told of an event with this change. `subject` is the global id of what changed, nothing else."""
    event_id = new_id()
    work.insert_later(
        WebhookEvent,
        id=event_id,
        type=kind.value,
        subject=subject,
        occurred_at=work.now,
        request_id=work.context.request_id,
    )
    work.emit(Topic.WEBHOOK_FAN_OUT, str(event_id), event_id=event_id)


def new_event(work: UnitOfWork, kind: EventType, subject: str) -> WebhookEvent:
    """The row of an event that happens now, on the request of this work."""
    event = WebhookEvent(
        tenant_id=work.tenant_id,
        id=new_id(),
        type=kind.value,
        subject=subject,
        occurred_at=work.now,
        request_id=work.context.request_id,
    )
    work.add(event)
    return event


async def fan_out(work: UnitOfWork, event_id: UUID) -> int:
    """Owe the event to each enabled endpoint that asked for its type; gives how many. Harmless when repeated."""
    event = await work.session.get(WebhookEvent, (work.tenant_id, event_id))
    if event is None:
        return 0
    owed_already = select(WebhookDelivery.endpoint_id).where(WebhookDelivery.event_id == event_id)
    endpoints = await work.session.execute(
        select(WebhookEndpoint.id, WebhookEndpoint.event_types).where(
            WebhookEndpoint.state == "enabled", WebhookEndpoint.id.not_in(owed_already)
        )
    )
    owed = [owe(work, endpoint_id, event_id) for endpoint_id, types in endpoints if event.type in types]
    return len(owed)


def owe(work: UnitOfWork, endpoint_id: UUID, event_id: UUID, *, replay_of_id: UUID | None = None) -> WebhookDelivery:
    """Have an endpoint hear of an event as soon as may be."""
    delivery = WebhookDelivery(
        tenant_id=work.tenant_id,
        id=new_id(),
        endpoint_id=endpoint_id,
        event_id=event_id,
        replay_of_id=replay_of_id,
        state="waiting",
        failure_code=None,
        attempt_count=0,
        next_attempt_at=work.now,
        give_up_at=None,
        created_at=work.now,
        finished_at=None,
    )
    work.add(delivery)
    work.emit(Topic.WEBHOOK_DELIVER, str(delivery.id), delivery_id=delivery.id)
    return delivery
