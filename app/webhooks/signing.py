"""Secrets, payloads and signatures by the Standard Webhooks specification (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import orjson

from app.webhooks.models import WebhookEvent

SECRET_BYTES = 32
USER_AGENT = "Medstead-Webhooks/1"


def new_key() -> bytes:
    """A key that signs: 256 random bits."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(key: bytes) -> str:
    """The secret as a receiver's library takes it."""
    return f"whsec_{base64.b64encode(key).decode()}"


def payload(event: WebhookEvent) -> bytes:
    """The thin body about an event: its type, when it happened, and the id to ask the API for; the same every time."""
    timestamp = event.occurred_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"type": event.type, "timestamp": timestamp, "data": {"id": event.subject}})


def signature(keys: Iterable[bytes], webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature for each key that is live, separated by spaces."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def headers(
    event: WebhookEvent, keys: Iterable[bytes], at: datetime, body: bytes, *, delivery_id: object, attempt: int
) -> Mapping[str, str]:
    """The headers of one attempt. `webhook-id` is the event's, so that a receiver can tell that it knows it already."""
    timestamp = int(at.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": str(event.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(keys, str(event.id), timestamp, body),
        "medstead-delivery-id": str(delivery_id),
        "medstead-attempt": str(attempt),
    }
