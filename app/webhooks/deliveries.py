"""The life of a delivery: an attempt is written down, sent outside any transaction, and judged in a second one."""

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from app.identity.secrets import Vault
from app.webhooks.endpoints import FAILING, GONE, disable, find_locked, live_keys, locked_endpoint
from app.webhooks.errors import WebhookRefusal
from app.webhooks.events import EventType, new_event, owe
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from app.webhooks.rules import GIVE_UP_AFTER, Verdict, judge, printable, retry_after, retry_delay
from app.webhooks.sending import SEND_SECONDS, Answer, Outgoing
from app.webhooks.signing import headers, payload
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

TENANT_AT_ONCE = 2
"""Requests of one tenant that may be on their way at once, wherever its workers are."""
FAILING_AT_ONCE = 1
"""Requests to an endpoint whose last attempt failed that may be on their way at once."""
TURN = timedelta(seconds=1)
"""How long a delivery stands back, about, when others are on their way and few wait."""
QUEUE = 20
"""So many deliveries of a tenant may come back in a turn; where more wait, they stand back for longer."""
STILL_ON_ITS_WAY = timedelta(seconds=2 * SEND_SECONDS)
"""An attempt without an end that is older than this has lost its worker."""

_chance = random.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is written down and may be sent."""

    delivery_id: UUID
    endpoint_id: UUID
    attempt_id: UUID
    number: int
    outgoing: Outgoing


async def begin_attempt(work: UnitOfWork, vault: Vault, delivery_id: UUID) -> Begun | timedelta | None:
    """Write the next attempt down. Gives a wait if it is too early, and nothing if the delivery has ended."""
    found = await work.session.get(WebhookDelivery, (work.tenant_id, delivery_id))
    if found is None or found.state != "waiting":
        return None
    endpoint = await find_locked(work, found.endpoint_id)
    delivery = await _locked(work, delivery_id)
    if endpoint is None or delivery is None or delivery.state != "waiting":
        return None
    if delivery.next_attempt_at is not None and delivery.next_attempt_at > work.now:
        return delivery.next_attempt_at - work.now
    await _end_interrupted(work, delivery_id)
    if not await _may_go(work, endpoint):
        return await stand_back(work)
    event = await work.session.get_one(WebhookEvent, (work.tenant_id, delivery.event_id))
    delivery.attempt_count += 1
    delivery.give_up_at = delivery.give_up_at or work.now + GIVE_UP_AFTER
    attempt = WebhookAttempt(
        tenant_id=work.tenant_id, id=new_id(), delivery_id=delivery_id, number=delivery.attempt_count, at=work.now
    )
    work.add(attempt)
    body = payload(event)
    keys = live_keys(endpoint, vault, work)
    head = headers(event, keys, work.now, body, delivery_id=delivery_id, attempt=attempt.number)
    return Begun(delivery_id, endpoint.id, attempt.id, attempt.number, Outgoing(endpoint.url, head, body))


async def stand_back(work: UnitOfWork) -> timedelta:
    """How long to wait for others: about a second, and longer the more of the tenant's deliveries wait."""
    counted = select(func.count()).select_from(WebhookDelivery).where(WebhookDelivery.state == "waiting")
    waiting = (await work.session.scalars(counted)).one()
    return TURN * max(1.0, waiting / QUEUE) * (0.5 + _chance())


async def _may_go(work: UnitOfWork, endpoint: WebhookEndpoint) -> bool:
    """Whether few enough requests are on their way. The endpoint is locked, so no two workers count at once."""
    under_way = await work.session.scalars(
        select(WebhookDelivery.endpoint_id)
        .join(WebhookAttempt, WebhookAttempt.delivery_id == WebhookDelivery.id)
        .where(WebhookAttempt.ended_at.is_(None), WebhookAttempt.at > work.now - STILL_ON_ITS_WAY)
    )
    busy = under_way.all()
    if endpoint.failing_since is not None and busy.count(endpoint.id) >= FAILING_AT_ONCE:
        return False
    return len(busy) < TENANT_AT_ONCE


async def _end_interrupted(work: UnitOfWork, delivery_id: UUID) -> None:
    """An attempt whose worker has died: nobody knows whether it arrived, so it is made again under the same id."""
    await work.session.execute(
        update(WebhookAttempt)
        .where(WebhookAttempt.delivery_id == delivery_id, WebhookAttempt.ended_at.is_(None))
        .values(ended_at=work.now, error_code="INTERRUPTED")
        .execution_options(synchronize_session=False)
    )


async def end_attempt(work: UnitOfWork, begun: Begun, answer: Answer, disable_after: timedelta) -> timedelta | None:
    """Note what came of an attempt and what follows. Gives how long to wait for the next one, nothing if there is none.

    An endpoint that answers 410, or has had nothing but failures for `disable_after`, is disabled.
    """
    endpoint = await find_locked(work, begun.endpoint_id)
    delivery = await _locked(work, begun.delivery_id)
    attempt = await work.session.get(WebhookAttempt, (work.tenant_id, begun.attempt_id))
    if endpoint is None or delivery is None or attempt is None:
        return None
    attempt.ended_at, attempt.duration_ms = work.now, answer.duration_ms
    attempt.status_code, attempt.error_code, attempt.response_body = answer.status, answer.error, printable(answer.body)
    verdict = judge(answer.status)
    if verdict is Verdict.DELIVERED:
        delivery.state, delivery.failure_code = "delivered", None
        delivery.next_attempt_at, delivery.finished_at = None, work.now
        endpoint.failing_since = None
        return None
    endpoint.failing_since = endpoint.failing_since or attempt.at
    if delivery.state == "waiting":
        _fail_or_wait(work, delivery, verdict, answer)
    if endpoint.state == "enabled":
        if verdict is Verdict.GONE:
            await disable(work, endpoint, GONE)
        elif work.now - endpoint.failing_since >= disable_after:
            await disable(work, endpoint, FAILING)
    return None if delivery.next_attempt_at is None else delivery.next_attempt_at - work.now


def _fail_or_wait(work: UnitOfWork, delivery: WebhookDelivery, verdict: Verdict, answer: Answer) -> None:
    give_up_at = delivery.give_up_at or work.now
    if verdict is Verdict.RETRY and work.now < give_up_at:
        asked = retry_after(answer.retry_after, work.now)
        delay = retry_delay(delivery.attempt_count, _chance(), asked)
        # The last attempt is made when the time is over, however long the delay before it would have been.
        delivery.next_attempt_at = min(work.now + delay, give_up_at)
        return
    codes = {Verdict.RETRY: "GAVE_UP", Verdict.REFUSED: "REFUSED", Verdict.GONE: "GONE"}
    delivery.state, delivery.failure_code = "failed", codes[verdict]
    delivery.next_attempt_at, delivery.finished_at = None, work.now


async def _locked(work: UnitOfWork, delivery_id: UUID) -> WebhookDelivery | None:
    found = select(WebhookDelivery).where(WebhookDelivery.id == delivery_id).with_for_update(key_share=True)
    return (await work.session.scalars(found.execution_options(populate_existing=True))).one_or_none()


async def replay(work: UnitOfWork, delivery_id: UUID) -> UUID:
    """Send the event of a delivery that has ended once more, under the same webhook-id; gives the new delivery.

    Raises WebhookRefusal `NO_SUCH_DELIVERY`, `STILL_WAITING` or `ENDPOINT_DISABLED`.
    """
    found = await work.session.get(WebhookDelivery, (work.tenant_id, delivery_id))
    endpoint = None if found is None else await find_locked(work, found.endpoint_id)
    delivery = await _locked(work, delivery_id)
    if endpoint is None or delivery is None:
        raise WebhookRefusal("NO_SUCH_DELIVERY", "There is no such delivery. Look for it on the endpoint's page.")
    first = delivery.replay_of_id or delivery.id
    waiting = select(WebhookDelivery.id).where(
        WebhookDelivery.state == "waiting",
        (WebhookDelivery.id == first) | (WebhookDelivery.replay_of_id == first),
    )
    if (await work.session.scalars(waiting.limit(1))).first() is not None:
        raise WebhookRefusal("STILL_WAITING", "The event is still being sent. Replay it when that has ended.")
    _refuse_disabled(endpoint)
    again = owe(work, endpoint.id, delivery.event_id, replay_of_id=first)
    work.record(
        Action.WEBHOOK_REPLAYED, "webhook_delivery", again.id, after={"replay_of": first, "endpoint": endpoint.id}
    )
    await work.session.flush()
    return again.id


async def send_test(work: UnitOfWork, endpoint_id: UUID) -> UUID:
    """Send the endpoint, and no other, an event `webhook.test`; gives the delivery.

    Raises WebhookRefusal `NO_SUCH_ENDPOINT` or `ENDPOINT_DISABLED`.
    """
    endpoint = await locked_endpoint(work, endpoint_id)
    _refuse_disabled(endpoint)
    event = new_event(work, EventType.TEST, f"WebhookEndpoint:{endpoint_id}")
    await work.session.flush()
    delivery = owe(work, endpoint_id, event.id)
    work.record(Action.WEBHOOK_TEST_SENT, "webhook_endpoint", endpoint_id, after={"delivery": delivery.id})
    await work.session.flush()
    return delivery.id


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != "enabled":
        raise WebhookRefusal("ENDPOINT_DISABLED", "The endpoint is disabled. Enable it first, then send again.")
