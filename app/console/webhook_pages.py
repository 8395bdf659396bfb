"""Webhooks of the tenant: endpoints, their secrets (shown once), tests, every delivery and every attempt."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select, tuple_
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import webhook_words
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.identity.permissions import Permission
from app.webhooks import deliveries, endpoints
from app.webhooks.errors import WebhookRefusal
from app.webhooks.events import SUBSCRIBABLE
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

PAGE = 25

GONE = {"NO_SUCH_ENDPOINT", "NO_SUCH_DELIVERY"}
FIELDS = {"url": "url", "eventTypes": "types", "description": "description"}
"""The form's field for each field of a refusal."""


async def webhooks(request: Request) -> Response:
    """Every endpoint, the oldest first."""
    async with tenant_reads(request) as session:
        rows = await session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.created_at, WebhookEndpoint.id))
        found = rows.all()
    stopped = [row for row in found if row.disabled_reason in ("failing", "gone")]
    return render(request, "webhooks.jinja", endpoints=found, stopped=stopped, **_words())


async def webhook_add(request: Request) -> Response:
    """Add an endpoint; its secret is shown once."""
    if request.method == "GET":
        return _form(request, None, [], {"types": []})
    form = await form_of(request)
    services = services_of(request)
    try:
        async with tenant_work(request) as work:
            made = await endpoints.create_endpoint(
                work,
                services.vault,
                url=form.text("url"),
                description=form.text("description"),
                event_types=form.texts("types"),
                allow_loopback=services.settings.webhook_allow_loopback,
            )
    except WebhookRefusal as refusal:
        return _form(request, None, [_problem(refusal)], _typed(form))
    return render(request, "webhook_secret.jinja", id=made.id, url=form.text("url"), secret=made.secret, first=True)


async def webhook_change(request: Request) -> Response:
    """Change an endpoint's address, words and events."""
    endpoint = await _endpoint(request)
    if request.method == "GET":
        values = {"url": endpoint.url, "description": endpoint.description, "types": endpoint.event_types}
        return _form(request, endpoint, [], values)
    form = await form_of(request)
    version = form.text("version")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise HTTPException(400)
    try:
        async with tenant_work(request) as work:
            await endpoints.change_endpoint(
                work,
                endpoint.id,
                version=int(version),
                allow_loopback=services_of(request).settings.webhook_allow_loopback,
                url=form.text("url"),
                description=form.text("description"),
                event_types=form.texts("types"),
            )
    except WebhookRefusal as refusal:
        # After a change by somebody else the form carries the version that is there now, and what was typed.
        return _form(request, endpoint, [_problem(refusal)], _typed(form))
    return redirect(f"/console/webhooks/{endpoint.id}", done="webhook-changed")


async def webhook(request: Request) -> Response:
    """One endpoint with its deliveries, newest first."""
    return await _endpoint_page(request, 200, [])


async def webhook_rotate(request: Request) -> Response:
    """A new secret, shown once."""
    endpoint = await _endpoint(request)
    try:
        async with tenant_work(request) as work:
            secret = await endpoints.rotate_secret(work, services_of(request).vault, endpoint.id)
    except WebhookRefusal as refusal:
        raise HTTPException(404) from refusal
    return render(request, "webhook_secret.jinja", id=endpoint.id, url=endpoint.url, secret=secret, first=False)


async def webhook_enable(request: Request) -> Response:
    """Send to the endpoint again."""
    return await _changed(request, endpoints.enable_endpoint, "webhook-enabled")


async def webhook_disable(request: Request) -> Response:
    """Stop sending to the endpoint."""
    return await _changed(request, endpoints.disable_endpoint, "webhook-disabled")


async def webhook_delete(request: Request) -> Response:
    """Forget the endpoint."""
    endpoint = await _endpoint(request)
    try:
        async with tenant_work(request) as work:
            await endpoints.delete_endpoint(work, endpoint.id)
    except WebhookRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect("/console/webhooks", done="webhook-deleted")


async def webhook_test(request: Request) -> Response:
    """Send a test, and show what becomes of it."""
    endpoint = await _endpoint(request)
    try:
        async with tenant_work(request) as work:
            delivery_id = await deliveries.send_test(work, endpoint.id)
    except WebhookRefusal as refusal:
        return await _refused(request, refusal)
    return redirect(f"/console/webhooks/deliveries/{delivery_id}", done="webhook-test-sent")


async def webhook_delivery(request: Request) -> Response:
    """One delivery with every attempt."""
    return await _delivery_page(request, 200, [])


async def webhook_replay(request: Request) -> Response:
    """Send the event once more."""
    try:
        async with tenant_work(request) as work:
            again = await deliveries.replay(work, request.path_params["delivery_id"])
    except WebhookRefusal as refusal:
        if refusal.code in GONE:
            raise HTTPException(404) from refusal
        return await _delivery_page(request, 422, [Problem("", refusal.message)])
    return redirect(f"/console/webhooks/deliveries/{again}", done="webhook-replayed")


async def _changed(request: Request, change: Any, done: str) -> Response:
    endpoint = await _endpoint(request)
    try:
        async with tenant_work(request) as work:
            await change(work, endpoint.id)
    except WebhookRefusal as refusal:
        return await _refused(request, refusal)
    return redirect(f"/console/webhooks/{endpoint.id}", done=done)


async def _refused(request: Request, refusal: WebhookRefusal) -> Response:
    if refusal.code in GONE:
        raise HTTPException(404) from refusal
    return await _endpoint_page(request, 422, [Problem("", refusal.message)])


def _problem(refusal: WebhookRefusal) -> Problem:
    if refusal.code in GONE:
        raise HTTPException(404) from refusal
    return Problem(FIELDS.get(refusal.field or "", ""), refusal.message)


def _typed(form: Form) -> dict[str, Any]:
    return {"url": form.text("url"), "description": form.text("description"), "types": form.texts("types")}


def _form(
    request: Request, endpoint: WebhookEndpoint | None, problems: Sequence[Problem], values: dict[str, Any]
) -> Response:
    return render(
        request,
        "webhook_form.jinja",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        endpoint=endpoint,
        kinds=[str(kind) for kind in SUBSCRIBABLE],
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "endpoint_states": webhook_words.ENDPOINT_STATES,
        "delivery_states": webhook_words.DELIVERY_STATES,
        "reasons": webhook_words.REASONS,
        "failures": webhook_words.FAILURES,
        "errors": webhook_words.ERRORS,
        "events": webhook_words.EVENTS,
    }


async def _endpoint(request: Request) -> WebhookEndpoint:
    endpoint_id: UUID = request.path_params["endpoint_id"]
    async with tenant_reads(request) as session:
        found = await session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id))
        endpoint = found.one_or_none()
    if endpoint is None:
        raise HTTPException(404)
    return endpoint


async def _endpoint_page(request: Request, status: int, problems: list[Problem]) -> Response:
    endpoint = await _endpoint(request)
    asked = request.query_params
    state = asked.get("state") if asked.get("state") in webhook_words.DELIVERY_STATES else None
    kind = asked.get("type") if asked.get("type") in webhook_words.EVENTS else None
    listed = (
        select(WebhookDelivery, WebhookEvent.type)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.endpoint_id == endpoint.id)
        .order_by(WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
        .limit(PAGE + 1)
    )
    if state is not None:
        listed = listed.where(WebhookDelivery.state == state)
    if kind is not None:
        listed = listed.where(WebhookEvent.type == kind)
    async with tenant_reads(request) as session:
        last = None
        if (after := _uuid(asked.get("after", ""))) is not None:
            found = select(WebhookDelivery).where(
                WebhookDelivery.id == after, WebhookDelivery.endpoint_id == endpoint.id
            )
            last = (await session.scalars(found)).one_or_none()
        if last is not None:
            place = tuple_(WebhookDelivery.created_at, WebhookDelivery.id)
            listed = listed.where(place < (last.created_at, last.id))
        rows = (await session.execute(listed)).all()
    chosen = {name: value for name, value in (("state", state), ("type", kind)) if value}
    path = f"/console/webhooks/{endpoint.id}"
    more = urlencode(chosen | {"after": str(rows[PAGE - 1][0].id)}) if len(rows) > PAGE else None
    return render(
        request,
        "webhook.jinja",
        status=status,
        problems=problems,
        endpoint=endpoint,
        rows=rows[:PAGE],
        chosen=chosen,
        first=last is None,
        newest=f"{path}?{urlencode(chosen)}" if chosen else path,
        more=f"{path}?{more}" if more else None,
        **_words(),
    )


async def _delivery_page(request: Request, status: int, problems: list[Problem]) -> Response:
    delivery_id: UUID = request.path_params["delivery_id"]
    async with tenant_reads(request) as session:
        found = await session.execute(
            select(WebhookDelivery, WebhookEvent, WebhookEndpoint)
            .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(WebhookDelivery.id == delivery_id)
        )
        row = found.one_or_none()
        if row is None:
            raise HTTPException(404)
        delivery, event, endpoint = row
        made = await session.scalars(
            select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.number)
        )
        attempts = made.all()
    return render(
        request,
        "webhook_delivery.jinja",
        status=status,
        problems=problems,
        delivery=delivery,
        event=event,
        endpoint=endpoint,
        attempts=attempts,
        **_words(),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_NEEDS = Permission.WEBHOOKS_WRITE
_ONE, _DELIVERY = "/webhooks/{endpoint_id:uuid}", "/webhooks/deliveries/{delivery_id:uuid}"

ROUTES = [
    page("/webhooks", webhooks, needs=_NEEDS),
    page("/webhooks/add", webhook_add, needs=_NEEDS, methods=("GET", "POST")),
    page(_ONE, webhook, needs=_NEEDS),
    page(f"{_ONE}/change", webhook_change, needs=_NEEDS, methods=("GET", "POST")),
    page(f"{_ONE}/secret", webhook_rotate, needs=_NEEDS, methods=("POST",)),
    page(f"{_ONE}/enable", webhook_enable, needs=_NEEDS, methods=("POST",)),
    page(f"{_ONE}/disable", webhook_disable, needs=_NEEDS, methods=("POST",)),
    page(f"{_ONE}/delete", webhook_delete, needs=_NEEDS, methods=("POST",)),
    page(f"{_ONE}/test", webhook_test, needs=_NEEDS, methods=("POST",)),
    page(_DELIVERY, webhook_delivery, needs=_NEEDS),
    page(f"{_DELIVERY}/replay", webhook_replay, needs=_NEEDS, methods=("POST",)),
]
