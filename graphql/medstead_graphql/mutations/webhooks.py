"""Mutations of webhooks: endpoints, their secrets, tests and replays."""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.webhooks import deliveries, endpoints
from app.webhooks.errors import WebhookRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.mutations.payload import Handler, Payload, UserError, command, refusal, success
from medstead_graphql.types.webhooks import WebhookDelivery, WebhookEndpoint
from tenants.session import UnitOfWork

WRITE = "webhooks:write"


@strawberry.type(description="Why a webhook cannot be changed or sent as asked.")
class WebhookRefused(UserError):
    """A refusal of webhooks."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="The endpoint has this secret from now on. It cannot be read again.")
class WebhookSecretGiven:
    """Success of createWebhookEndpoint and rotateWebhookSecret."""

    endpoint: WebhookEndpoint
    secret: str


@strawberry.type(description="The endpoint is changed.")
class WebhookEndpointChanged:
    """Success of updates, enabling and disabling."""

    endpoint: WebhookEndpoint


@strawberry.type(description="The endpoint and its deliveries are gone.")
class WebhookEndpointDeleted:
    """Success of deleteWebhookEndpoint."""

    id: strawberry.ID


@strawberry.type(description="The delivery is on its way.")
class WebhookDeliveryStarted:
    """Success of replayWebhookDelivery and sendTestWebhook."""

    delivery: WebhookDelivery


WebhookSecretResult = Annotated[WebhookSecretGiven | WebhookRefused, strawberry.union("WebhookSecretResult")]
WebhookEndpointResult = Annotated[WebhookEndpointChanged | WebhookRefused, strawberry.union("WebhookEndpointResult")]
DeleteWebhookEndpointResult = Annotated[
    WebhookEndpointDeleted | WebhookRefused, strawberry.union("DeleteWebhookEndpointResult")
]
WebhookDeliveryResult = Annotated[WebhookDeliveryStarted | WebhookRefused, strawberry.union("WebhookDeliveryResult")]


@strawberry.input(description="A new endpoint. `eventTypes` are names such as `import.finished`.")
class WebhookEndpointInput:
    """An endpoint to be made."""

    url: str
    event_types: list[str]
    description: str | None = None


@strawberry.input(description="What is left out stays as it is. `version` is the one that you read.")
class WebhookEndpointChange:
    """An endpoint to be changed."""

    id: strawberry.ID
    version: int
    url: str | None = None
    event_types: list[str] | None = None
    description: str | None = None


def _typed(handler: Handler) -> Handler:
    """The handler, with refusals of the domain as payloads."""

    async def typed(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await handler(work, caller, arguments)
        except WebhookRefusal as error:
            return refusal("WebhookRefused", error.code, error.message, tuple(filter(None, (error.field,))))

    return typed


def _key(text: str, type_name: str, code: str, what: str) -> UUID:
    found = key_of(text, type_name, UUID)
    if not isinstance(found, UUID):
        raise WebhookRefusal(code, f"There is no such {what}. Use an id that this API gave.", "id")
    return found


def _endpoint(arguments: dict[str, Any]) -> UUID:
    return _key(arguments["id"], "WebhookEndpoint", "NO_SUCH_ENDPOINT", "endpoint")


async def _create(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    made = await endpoints.create_endpoint(
        work,
        caller.vault,
        url=given["url"],
        description=given.get("description") or "",
        event_types=given["eventTypes"],
        allow_loopback=caller.webhook_loopback,
    )
    return success("WebhookSecretGiven", {"endpoint": made.id}, {"secret": made.secret})


async def _update(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    endpoint_id = _endpoint(given)
    await endpoints.change_endpoint(
        work,
        endpoint_id,
        version=given["version"],
        allow_loopback=caller.webhook_loopback,
        url=given.get("url"),
        description=given.get("description"),
        event_types=given.get("eventTypes"),
    )
    return success("WebhookEndpointChanged", {"endpoint": endpoint_id})


async def _rotate(work: UnitOfWork, caller: Caller, arguments: dict[str, Any]) -> Payload:
    endpoint_id = _endpoint(arguments)
    secret = await endpoints.rotate_secret(work, caller.vault, endpoint_id)
    return success("WebhookSecretGiven", {"endpoint": endpoint_id}, {"secret": secret})


async def _enable(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    endpoint_id = _endpoint(arguments)
    await endpoints.enable_endpoint(work, endpoint_id)
    return success("WebhookEndpointChanged", {"endpoint": endpoint_id})


async def _disable(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    endpoint_id = _endpoint(arguments)
    await endpoints.disable_endpoint(work, endpoint_id)
    return success("WebhookEndpointChanged", {"endpoint": endpoint_id})


async def _delete(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    endpoint_id = _endpoint(arguments)
    await endpoints.delete_endpoint(work, endpoint_id)
    return success("WebhookEndpointDeleted", {}, {"id": arguments["id"]})


async def _replay(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    delivery_id = _key(arguments["id"], "WebhookDelivery", "NO_SUCH_DELIVERY", "delivery")
    return success("WebhookDeliveryStarted", {"delivery": await deliveries.replay(work, delivery_id)})


async def _test(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    return success("WebhookDeliveryStarted", {"delivery": await deliveries.send_test(work, _endpoint(arguments))})


_ID = {"id": strawberry.ID}


@strawberry.type
class WebhookMutations:
    """Mutations of webhooks."""

    create_webhook_endpoint: WebhookSecretResult | None = command(
        _typed(_create),
        WRITE,
        {"input": WebhookEndpointInput},
        description="Tell an address of events from now on. The answer has its secret, once.",
    )
    update_webhook_endpoint: WebhookEndpointResult | None = command(
        _typed(_update),
        WRITE,
        {"input": WebhookEndpointChange},
        description="Change an endpoint. What waits to be sent goes to the new address.",
    )
    rotate_webhook_secret: WebhookSecretResult | None = command(
        _typed(_rotate), WRITE, _ID, description="A new secret; the one before it signs too for 24 hours."
    )
    enable_webhook_endpoint: WebhookEndpointResult | None = command(
        _typed(_enable), WRITE, _ID, description="Tell a disabled endpoint of what happens from now on."
    )
    disable_webhook_endpoint: WebhookEndpointResult | None = command(
        _typed(_disable), WRITE, _ID, description="Send nothing to an endpoint; what waits for it has failed."
    )
    delete_webhook_endpoint: DeleteWebhookEndpointResult | None = command(
        _typed(_delete), WRITE, _ID, description="Forget an endpoint and all its deliveries."
    )
    replay_webhook_delivery: WebhookDeliveryResult | None = command(
        _typed(_replay),
        WRITE,
        _ID,
        description="Send the event of a delivery that has ended once more, under the same `webhook-id`.",
    )
    send_test_webhook: WebhookDeliveryResult | None = command(
        _typed(_test), WRITE, _ID, description="Send an endpoint, and no other, an event `webhook.test`."
    )
