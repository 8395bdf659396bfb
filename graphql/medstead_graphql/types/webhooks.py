"""Types of webhooks: endpoints, events, deliveries and every attempt."""

from datetime import datetime

from app.webhooks import models
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings
from medstead_graphql.types.common import WebhookDeliveryState, WebhookDisabledReason, WebhookEndpointState

SCOPE = "webhooks:write"
"""Reading needs what managing needs: addresses and answers are for whoever runs the receivers."""


@node(
    models.WebhookEndpoint,
    scope=SCOPE,
    description="An address that is told of events. Its secret is shown only when it is made.",
)
class WebhookEndpoint(Node):
    """An endpoint."""

    url: str = column()
    description: str = column()
    event_types: list[str] = column(description="Types of events that it is told of, such as `import.finished`.")
    state: WebhookEndpointState = column()
    state_since: datetime = column()
    disabled_reason: WebhookDisabledReason | None = column()
    failing_since: datetime | None = column(description="The first failure since the last success.")
    previous_secret_until: datetime | None = column(
        description="Until when the secret before the last rotation signs too."
    )
    version: int = column()
    created_at: datetime = column()
    deliveries: Connection["WebhookDelivery"] = many(listings.WEBHOOK_DELIVERY, on="endpoint_id")


@node(models.WebhookEvent, scope=SCOPE, description="Something that happened.")
class WebhookEvent(Node):
    """An event."""

    webhook_id: str = column("id", description="The header `webhook-id` of every request about it.")
    type: str = column()
    subject: str = column(description="The id of what it is about, for `node(id:)`.")
    occurred_at: datetime = column()


@node(
    models.WebhookDelivery,
    scope=SCOPE,
    description="An event that an endpoint is told of; each replay is a delivery of its own.",
)
class WebhookDelivery(Node):
    """A delivery."""

    endpoint: WebhookEndpoint = one(models.WebhookEndpoint, key="endpoint_id")
    event: WebhookEvent = one(models.WebhookEvent, key="event_id")
    replay_of: "WebhookDelivery | None" = one(
        models.WebhookDelivery, key="replay_of_id", description="The first delivery, of which this is a replay."
    )
    state: WebhookDeliveryState = column()
    failure_code: str | None = column(description="GAVE_UP, REFUSED, GONE or ENDPOINT_DISABLED.")
    attempt_count: int = column()
    next_attempt_at: datetime | None = column()
    give_up_at: datetime | None = column(description="24 hours after the first attempt.")
    created_at: datetime = column()
    finished_at: datetime | None = column()
    attempts: Connection["WebhookAttempt"] = many(listings.WEBHOOK_ATTEMPT, on="delivery_id")


@node(models.WebhookAttempt, scope=SCOPE, description="One request, and what came of it.")
class WebhookAttempt(Node):
    """An attempt."""

    delivery: WebhookDelivery = one(models.WebhookDelivery, key="delivery_id")
    number: int = column()
    at: datetime = column()
    duration_ms: int | None = column()
    status_code: int | None = column()
    error_code: str | None = column(
        description="Why there is no status, such as CONNECTION_REFUSED or TIMEOUT; REDIRECTED with one."
    )
    response_body: str | None = column(description="The first 1,024 bytes, printable text only.")
