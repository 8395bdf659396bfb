"""Changes of endpoints: made, changed, given a new secret, enabled, disabled, deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from app.identity.secrets import Vault
from app.webhooks.errors import WebhookRefusal
from app.webhooks.events import SUBSCRIBABLE
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.webhooks.rules import (
    ENDPOINTS_AT_MOST,
    SECRET_OVERLAP,
    check_url,
    origin,
    tidy_description,
    tidy_types,
)
from app.webhooks.signing import new_key, shown
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.models import TenantSettings
from tenants.session import UnitOfWork

SUBJECT = "webhook_endpoint"
BY_HAND, FAILING, GONE = "by_hand", "failing", "gone"


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """An endpoint with its secret, which is shown once."""

    id: UUID
    secret: str


async def create_endpoint(
    work: UnitOfWork, vault: Vault, *, url: str, description: str, event_types: Sequence[str], allow_loopback: bool
) -> NewEndpoint:
    """Tell an address of events from now on.

    Raises WebhookRefusal with a code of `rules.check_url`, `rules.tidy_types` or `rules.tidy_description`, or
    `TOO_MANY_ENDPOINTS`.
    """
    checked = check_url(url, allow_loopback=allow_loopback)
    types, words = tidy_types(event_types, SUBSCRIBABLE), tidy_description(description)
    # Two who add the last one at once queue here.
    await work.session.execute(select(TenantSettings.id).with_for_update(key_share=True))
    there = (await work.session.scalars(select(func.count()).select_from(WebhookEndpoint))).one()
    if there >= ENDPOINTS_AT_MOST:
        raise WebhookRefusal(
            "TOO_MANY_ENDPOINTS", f"A tenant can have {ENDPOINTS_AT_MOST} endpoints. Delete one that is not needed."
        )
    key = new_key()
    endpoint = WebhookEndpoint(
        tenant_id=work.tenant_id,
        id=new_id(),
        url=checked,
        description=words,
        event_types=types,
        secret=vault.encrypt(key),
        previous_secret=None,
        previous_secret_until=None,
        state="enabled",
        state_since=work.now,
        disabled_reason=None,
        failing_since=None,
        version=1,
        created_at=work.now,
    )
    work.add(endpoint)
    await work.session.flush()
    work.record(Action.WEBHOOK_ENDPOINT_CREATED, SUBJECT, endpoint.id, after=_told(endpoint))
    return NewEndpoint(endpoint.id, shown(key))


async def change_endpoint(
    work: UnitOfWork,
    endpoint_id: UUID,
    *,
    version: int,
    allow_loopback: bool,
    url: str | None = None,
    description: str | None = None,
    event_types: Sequence[str] | None = None,
) -> None:
    """Change what is given. What waits to be sent goes to the new address.

    Raises WebhookRefusal as `create_endpoint`, `NO_SUCH_ENDPOINT`, or `CHANGED_MEANWHILE` when `version` is not the
    present one.
    """
    endpoint = await locked_endpoint(work, endpoint_id)
    if endpoint.version != version:
        raise WebhookRefusal(
            "CHANGED_MEANWHILE", "The endpoint was changed meanwhile. Read it again, then send your change.", "version"
        )
    before = _told(endpoint)
    whole = endpoint.url
    if url is not None:
        endpoint.url = check_url(url, allow_loopback=allow_loopback)
    if description is not None:
        endpoint.description = tidy_description(description)
    if event_types is not None:
        endpoint.event_types = tidy_types(event_types, SUBSCRIBABLE)
    after = _told(endpoint)
    if after == before and endpoint.url == whole:
        return
    endpoint.version += 1
    work.record(Action.WEBHOOK_ENDPOINT_CHANGED, SUBJECT, endpoint_id, before=before, after=after)


async def rotate_secret(work: UnitOfWork, vault: Vault, endpoint_id: UUID) -> str:
    """A new secret, shown once. The one before it signs too for 24 hours; one older than that stops at once.

    Raises WebhookRefusal `NO_SUCH_ENDPOINT`.
    """
    endpoint = await locked_endpoint(work, endpoint_id)
    key = new_key()
    endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, work.now + SECRET_OVERLAP
    endpoint.secret = vault.encrypt(key)
    endpoint.version += 1
    work.record(
        Action.WEBHOOK_SECRET_ROTATED, SUBJECT, endpoint_id, after={"previous_until": endpoint.previous_secret_until}
    )
    return shown(key)


def live_keys(endpoint: WebhookEndpoint, vault: Vault, work: UnitOfWork) -> list[bytes]:
    """The keys that sign now, the newest first. Raises ValueError if they were sealed with another master key."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret is not None and (endpoint.previous_secret_until or work.now) > work.now:
        sealed.append(endpoint.previous_secret)
    return [vault.decrypt(one) for one in sealed]


async def enable_endpoint(work: UnitOfWork, endpoint_id: UUID) -> None:
    """Send to the endpoint again: what happens from now on. Raises WebhookRefusal `NO_SUCH_ENDPOINT` or
    `ENABLED_ALREADY`."""
    endpoint = await locked_endpoint(work, endpoint_id)
    if endpoint.state == "enabled":
        raise WebhookRefusal("ENABLED_ALREADY", "The endpoint is enabled already. Nothing was changed.")
    before = {"reason": endpoint.disabled_reason}
    endpoint.state, endpoint.state_since, endpoint.disabled_reason = "enabled", work.now, None
    endpoint.failing_since = None
    endpoint.version += 1
    work.record(Action.WEBHOOK_ENDPOINT_ENABLED, SUBJECT, endpoint_id, before=before)


async def disable_endpoint(work: UnitOfWork, endpoint_id: UUID) -> None:
    """Send nothing to the endpoint any more. Raises WebhookRefusal `NO_SUCH_ENDPOINT` or `DISABLED_ALREADY`."""
    endpoint = await locked_endpoint(work, endpoint_id)
    if endpoint.state == "disabled":
        raise WebhookRefusal("DISABLED_ALREADY", "The endpoint is disabled already. Nothing was changed.")
    await disable(work, endpoint, BY_HAND)


async def disable(work: UnitOfWork, endpoint: WebhookEndpoint, reason: str) -> None:
    """Disable a locked endpoint for a reason; what waits for it has failed, and can be replayed later."""
    endpoint.state, endpoint.state_since, endpoint.disabled_reason = "disabled", work.now, reason
    endpoint.version += 1
    await work.session.flush()
    await work.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "waiting")
        .values(state="failed", failure_code="ENDPOINT_DISABLED", next_attempt_at=None, finished_at=work.now)
        .execution_options(synchronize_session="fetch")
    )
    after = {"reason": reason, "failing_since": endpoint.failing_since}
    work.record(Action.WEBHOOK_ENDPOINT_DISABLED, SUBJECT, endpoint.id, after=after)


async def delete_endpoint(work: UnitOfWork, endpoint_id: UUID) -> None:
    """Forget an endpoint with all its deliveries. Raises WebhookRefusal `NO_SUCH_ENDPOINT`."""
    endpoint = await locked_endpoint(work, endpoint_id)
    own = select(WebhookDelivery.id).where(WebhookDelivery.endpoint_id == endpoint_id)
    for statement in (
        delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(own)),
        delete(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id),
    ):
        await work.session.execute(statement.execution_options(synchronize_session=False))
    before = _told(endpoint)
    await work.session.delete(endpoint)
    work.record(Action.WEBHOOK_ENDPOINT_DELETED, SUBJECT, endpoint_id, before=before)


async def locked_endpoint(work: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, locked until the transaction ends; always before its deliveries, so that nobody waits in a ring.

    Raises WebhookRefusal `NO_SUCH_ENDPOINT`.
    """
    endpoint = await find_locked(work, endpoint_id)
    if endpoint is None:
        raise WebhookRefusal("NO_SUCH_ENDPOINT", "There is no such endpoint. Look for it in the list of endpoints.")
    return endpoint


async def find_locked(work: UnitOfWork, endpoint_id: UUID) -> WebhookEndpoint | None:
    """As `locked_endpoint`, or nothing if it is gone. New deliveries may refer to it meanwhile."""
    found = select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).with_for_update(key_share=True)
    return (await work.session.scalars(found.execution_options(populate_existing=True))).one_or_none()


def _told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "receiver": origin(endpoint.url),
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
    }
