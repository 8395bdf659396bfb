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
    COURSES_MERGED = "courses.merged"
    COURSES_MERGE_UNDONE = "courses.merge_undone"
    MAPPING_LOCKED = "mapping.locked"
    TEST = "webhook.test"


MEANINGS = {
    EventType.IMPORT_FINISHED: "A file that came in has been applied to the last row.",
    EventType.IMPORT_FAILED: "A file that came in could not be read and was not taken.",
    EventType.LEARNERS_MERGED: "Two records of a learner were found to be one person.",
    EventType.LEARNERS_MERGE_UNDONE: "A merge of two learners was undone.",
    EventType.FIGURES_REFRESHED: "The monthly figures were counted anew.",
    EventType.SETTINGS_CHANGED: "The tenant's settings were changed.",
    EventType.COURSES_MERGED: "Two entries of a course were found to be one.",
    EventType.COURSES_MERGE_UNDONE: "A merge of two courses was undone.",
    EventType.MAPPING_LOCKED: "A mapping exercise was locked and will not change again.",
    EventType.TEST: "Somebody asked for a test. It goes to the one endpoint that was asked for.",
}

SUBSCRIBABLE = [kind for kind in EventType if kind is not EventType.TEST]
"""What an endpoint may ask for."""


def announce(work: UnitOfWork, kind: EventType, subject: str) -> None:
    """Have endpoints told of an event with this change. `subject` is the global id of what changed, nothing else."""
    event = new_event(work, kind, subject)
    work.emit(Topic.WEBHOOK_FAN_OUT, str(event.id), event_id=event.id)


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
