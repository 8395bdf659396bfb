"""Tables of webhooks: where to send, what happened, what is owed to whom, and every attempt to pay it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant


class WebhookEndpoint(TenantOwned, Base):
    """A partner's address. Both secrets are encrypted; the previous one signs beside the new one until its time ends.

    `failing_since` is the first failure of the present run of failures, empty after a success.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = tenant_table(
        CheckConstraint("state in ('enabled', 'disabled')", name="state"),
        CheckConstraint("disabled_reason in ('by_hand', 'failing', 'gone')", name="disabled_reason"),
        tenant_index("created_at", "id"),
    )

    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[Any]]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_secret_until: Mapped[datetime | None]
    state: Mapped[str]
    state_since: Mapped[datetime]
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class WebhookEvent(TenantOwned, Base):
    """Something that happened. `id` is the webhook-id of every delivery; `subject` a global id as the API gives it."""

    __tablename__ = "webhook_event"
    __table_args__ = tenant_table(tenant_index("occurred_at"))

    type: Mapped[str]
    subject: Mapped[str]
    occurred_at: Mapped[datetime]
    request_id: Mapped[UUID]


class WebhookDelivery(TenantOwned, Base):
    """An event that an endpoint is to hear of: once by itself, and once more for each replay.

    `replay_of_id` always names the first delivery. `attempt_count` counts attempts that were begun.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = tenant_table(
        CheckConstraint("state in ('waiting', 'delivered', 'failed')", name="state"),
        to_tenant("endpoint_id", "webhook_endpoint"),
        to_tenant("event_id", "webhook_event"),
        to_tenant("replay_of_id", "webhook_delivery"),
        tenant_index(
            "endpoint_id", "event_id", name="webhook_delivery_first_key", unique=True, where="replay_of_id is null"
        ),
        tenant_index("endpoint_id", name="webhook_delivery_waiting_index", where="state = 'waiting'"),
        tenant_index("endpoint_id", "created_at", "id"),
        tenant_index("created_at", "id"),
        tenant_index("event_id"),
        tenant_index("replay_of_id"),
    )

    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    replay_of_id: Mapped[UUID | None]
    state: Mapped[str]
    failure_code: Mapped[str | None]
    attempt_count: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    give_up_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class WebhookAttempt(TenantOwned, Base):
    """One request, written down before it is sent. Without `ended_at` it is on its way, or its worker has died."""

    __tablename__ = "webhook_attempt"
    __table_args__ = tenant_table(
        to_tenant("delivery_id", "webhook_delivery"),
        tenant_unique("delivery_id", "number"),
        tenant_index("at", name="webhook_attempt_open_index", where="ended_at is null"),
    )

    delivery_id: Mapped[UUID]
    number: Mapped[int]
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    status_code: Mapped[int | None]
    error_code: Mapped[str | None]
    response_body: Mapped[str | None]
