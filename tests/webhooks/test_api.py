"""Webhooks through GraphQL: endpoints made, changed, read and refused; what is announced; another tenant's."""

from datetime import timedelta
from typing import Any

import pytest

from app.identity.permissions import SCOPES, Permission
from app.webhooks.rules import ENDPOINTS_AT_MOST
from tenants.audit import Action
from tenants.identifiers import new_id
from tests.identity.everything import everything
from tests.support import Installation
from tests.webhooks.receiver import Receiver, is_signed, receiving, status
from tests.webhooks.support import attempts, deliveries, happen, make_endpoint, the_delivery, trail, work_off

URL = "https://partner.example/hooks"

CREATE = """mutation ($input: WebhookEndpointInput!) { result: createWebhookEndpoint(input: $input) {
  __typename ... on WebhookSecretGiven { secret endpoint { id url description eventTypes state version } }
  ... on UserError { code message path } } }"""
UPDATE = """mutation ($input: WebhookEndpointChange!) { result: updateWebhookEndpoint(input: $input) {
  __typename ... on WebhookEndpointChanged { endpoint { url description eventTypes version } }
  ... on UserError { code message path } } }"""
ANSWERS = {
    "rotateWebhookSecret": "WebhookSecretGiven { secret endpoint { version previousSecretUntil } }",
    "enableWebhookEndpoint": "WebhookEndpointChanged { endpoint { state disabledReason version } }",
    "disableWebhookEndpoint": "WebhookEndpointChanged { endpoint { state disabledReason version } }",
    "deleteWebhookEndpoint": "WebhookEndpointDeleted { id }",
    "sendTestWebhook": "WebhookDeliveryStarted { delivery { id state event { type } } }",
    "replayWebhookDelivery": "WebhookDeliveryStarted { delivery { id state replayOf { id } } }",
}
LEDGER = """{ webhookEndpoints(first: 20) { nodes { url failingSince deliveries(first: 20) {
  nodes { state failureCode attemptCount event { type subject webhookId occurredAt } attempts(first: 14) {
  nodes { number statusCode errorCode responseBody } } } } } } }"""


async def ask(installation: Installation, document: str, **variables: Any) -> dict[str, Any]:
    """The result of a mutation sent by a partner of the north."""
    result: dict[str, Any] = (await installation.data(installation.north, document, variables))["result"]
    return result


async def act(installation: Installation, name: str, id_: str) -> dict[str, Any]:
    """The result of a mutation that takes an id."""
    document = f"""mutation ($id: ID!) {{ result: {name}(id: $id) {{
      __typename ... on {ANSWERS[name]} ... on UserError {{ code message path }} }} }}"""
    return await ask(installation, document, id=id_)


async def create(installation: Installation, url: str = URL, **others: Any) -> dict[str, Any]:
    """An endpoint."""
    return await ask(installation, CREATE, input={"url": url, "eventTypes": ["import.finished"]} | others)


async def test_an_endpoint_lives_from_making_to_deletion(installation: Installation) -> None:
    made = await create(installation, description=" Care  Portal ", eventTypes=["settings.changed", "import.failed"])
    secret, shown = made["secret"], made["endpoint"]
    assert secret.startswith("whsec_")
    assert shown == {
        "id": shown["id"],
        "url": URL,
        "description": "Care Portal",
        "eventTypes": ["import.failed", "settings.changed"],
        "state": "ENABLED",
        "version": 1,
    }
    changed = await ask(installation, UPDATE, input={"id": shown["id"], "version": 1, "url": f"{URL}/2?k=v"})
    assert changed["endpoint"] == {
        "url": f"{URL}/2?k=v",
        "description": "Care Portal",
        "eventTypes": ["import.failed", "settings.changed"],
        "version": 2,
    }
    same = await ask(installation, UPDATE, input={"id": shown["id"], "version": 2, "description": "Care Portal"})
    assert same["endpoint"]["version"] == 2
    query = await ask(installation, UPDATE, input={"id": shown["id"], "version": 2, "url": f"{URL}/2?k=w"})
    assert query["endpoint"]["version"] == 3, "a change of the query alone is one too"
    rotated = await act(installation, "rotateWebhookSecret", shown["id"])
    assert rotated["secret"] != secret
    assert rotated["endpoint"] == {"version": 4, "previousSecretUntil": "2026-11-25T10:00:00+00:00"}
    disabled = await act(installation, "disableWebhookEndpoint", shown["id"])
    assert disabled["endpoint"] == {"state": "DISABLED", "disabledReason": "BY_HAND", "version": 5}
    enabled = await act(installation, "enableWebhookEndpoint", shown["id"])
    assert enabled["endpoint"] == {"state": "ENABLED", "disabledReason": None, "version": 6}
    assert await act(installation, "deleteWebhookEndpoint", shown["id"]) == {
        "__typename": "WebhookEndpointDeleted",
        "id": shown["id"],
    }
    assert (await act(installation, "deleteWebhookEndpoint", shown["id"]))["code"] == "NO_SUCH_ENDPOINT"
    actions = [action for action in Action if action.value.startswith("webhooks:endpoint")]
    rows = {action: await trail(installation, action) for action in actions}
    told = [action for action, found in rows.items() for _ in found]
    assert told.count(Action.WEBHOOK_ENDPOINT_CHANGED) == 2
    assert set(told) == set(actions) - {Action.WEBHOOK_TEST_SENT}
    assert all(row.actor_kind == "api_client" for found in rows.values() for row in found)
    said = str([(row.before, row.after) for found in rows.values() for row in found])
    for private in (secret, rotated["secret"], "/hooks", "k=v", "k=w"):
        assert private not in said


async def test_refusals_have_codes_and_paths_and_change_nothing(installation: Installation) -> None:
    made = (await create(installation))["endpoint"]["id"]
    before = await everything(installation)
    for given, code, path in (
        ({"url": "http://partner.example/"}, "URL_NOT_HTTPS", ["url"]),
        ({"url": "https://169.254.169.254/"}, "URL_HOST_REFUSED", ["url"]),
        ({"eventTypes": []}, "EVENT_TYPES_MISSING", ["eventTypes"]),
        ({"eventTypes": ["webhook.test"]}, "UNKNOWN_EVENT_TYPE", ["eventTypes"]),
        ({"description": "x" * 201}, "DESCRIPTION_TOO_LONG", ["description"]),
    ):
        refused = await create(installation, **given)
        assert (refused["__typename"], refused["code"], refused["path"]) == ("WebhookRefused", code, path)
        refused = await ask(installation, UPDATE, input={"id": made, "version": 1} | given)
        assert (refused["code"], refused["path"]) == (code, path)
    late = await ask(installation, UPDATE, input={"id": made, "version": 2, "url": URL})
    assert (late["code"], late["path"]) == ("CHANGED_MEANWHILE", ["version"])
    assert (await act(installation, "enableWebhookEndpoint", made))["code"] == "ENABLED_ALREADY"
    for name in ANSWERS:
        kind = "WebhookDelivery" if name.startswith("replay") else "WebhookEndpoint"
        codes = {(await act(installation, name, f"{type_}:{new_id()}"))["code"] for type_ in (kind, "Learner")}
        assert codes == {"NO_SUCH_DELIVERY" if name.startswith("replay") else "NO_SUCH_ENDPOINT"}
    assert await everything(installation) == before


async def test_a_tenant_has_so_many_endpoints_and_no_more(installation: Installation) -> None:
    for _ in range(ENDPOINTS_AT_MOST):
        assert "secret" in await create(installation)
    assert (await create(installation))["code"] == "TOO_MANY_ENDPOINTS"
    await make_endpoint(installation, URL, installation.south)


async def test_the_ledger_tells_each_attempt(installation: Installation) -> None:
    async with receiving(status(400, b"no")) as receiver:
        made = await create(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
        delivery = f"WebhookDelivery:{(await the_delivery(installation)).id}"
        (node,) = (await installation.data(installation.north, LEDGER))["webhookEndpoints"]["nodes"]
        replayed = await act(installation, "replayWebhookDelivery", delivery)
        assert replayed["delivery"]["state"] == "WAITING"
        assert replayed["delivery"]["replayOf"] == {"id": delivery}
        assert (await act(installation, "replayWebhookDelivery", delivery))["code"] == "STILL_WAITING"
        tested = await act(installation, "sendTestWebhook", made["endpoint"]["id"])
        assert tested["delivery"]["event"] == {"type": "webhook.test"}
        await work_off(installation)
        installation.clock.move(timedelta(seconds=2))  # the second waits its turn: the endpoint failed before
        await work_off(installation)
    assert node["failingSince"] is not None
    (told,) = node["deliveries"]["nodes"]
    assert told == {
        "state": "FAILED",
        "failureCode": "REFUSED",
        "attemptCount": 1,
        "event": {
            "type": "import.finished",
            "subject": "Import:019a0000-0000-7000-8000-000000000001",
            "webhookId": receiver.received[0].headers["webhook-id"],
            "occurredAt": "2026-11-24T10:00:00+00:00",
        },
        "attempts": {"nodes": [{"number": 1, "statusCode": 400, "errorCode": None, "responseBody": "no"}]},
    }
    assert len(receiver.received) == 3
    assert all(is_signed(one, made["secret"], installation.clock().timestamp()) for one in receiver.received)


@pytest.mark.row("C4")
async def test_nothing_is_shown_or_changed_without_the_scope(installation: Installation) -> None:
    made = await make_endpoint(installation, URL)
    few = SCOPES - {Permission.WEBHOOKS_WRITE}
    await installation.token(installation.north, few)
    before = await everything(installation)
    for document in (
        "{ webhookEndpoints { nodes { url } } }",
        "{ webhookDeliveries { totalCount } }",
        f'{{ node(id: "WebhookEndpoint:{made.id}") {{ id }} }}',
        f'mutation {{ deleteWebhookEndpoint(id: "WebhookEndpoint:{made.id}") {{ __typename }} }}',
    ):
        answer = await installation.graphql(installation.north, document, scopes=few)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await everything(installation) == before


async def _other(receiver: Receiver, installation: Installation) -> dict[str, str]:
    """Ids of the south's endpoint and delivery."""
    made = await make_endpoint(installation, receiver.url, installation.south)
    await happen(installation, installation.south)
    await work_off(installation, installation.south)
    (delivery,) = await deliveries(installation, installation.south)
    return {"WebhookEndpoint": str(made.id), "WebhookDelivery": str(delivery.id)}


@pytest.mark.row("C1")
async def test_a_tenant_neither_sees_nor_moves_what_is_anothers(installation: Installation) -> None:
    async with receiving(status(404)) as receiver:
        theirs = await _other(receiver, installation)
        await installation.token(installation.north)
        before = await everything(installation)
        for name in ANSWERS:
            kind = "WebhookDelivery" if name.startswith("replay") else "WebhookEndpoint"
            foreign = await act(installation, name, f"{kind}:{theirs[kind]}")
            assert foreign == await act(installation, name, f"{kind}:{new_id()}")
        changed = await ask(
            installation, UPDATE, input={"id": f"WebhookEndpoint:{theirs['WebhookEndpoint']}", "version": 1, "url": URL}
        )
        assert changed["code"] == "NO_SUCH_ENDPOINT"
        assert (await installation.data(installation.north, LEDGER))["webhookEndpoints"]["nodes"] == []
        assert await everything(installation) == before
        await happen(installation)
        await work_off(installation)
        await work_off(installation, installation.south)
        assert len(receiver.received) == 1, "what happens in the north is nothing to the south's endpoint"
    assert await attempts(installation) == []
