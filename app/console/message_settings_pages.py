"""Who the messages come from, by which way, how fast and when; Notify; the clock of a tenant that trains."""

from datetime import time, timedelta
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from app.console.message_pages import BACK, HOME
from app.console.message_words import CHANNELS
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    services_of,
    tenant_look,
    tenant_reads,
)
from app.console.reports import Field, ShortForm, report
from app.console.training_forms import Invalid, number, tried, typed
from app.identity.permissions import Permission
from app.messaging.models import MessageSettings
from app.messaging.notifying import connect, notify_of
from app.messaging.settings import SettingsGiven, message_settings, move_clock, save_settings
from tenants.models import Tenant
from tenants.session import UnitOfWork

FIELDS = (
    "sender_name", "from_address", "reply_to", "brand_name", "brand_colour", "footer", "channel", "per_minute",
    "quiet_from", "quiet_until", "training", "key", "template_id", "ahead",
)  # fmt: skip
SENDER = f"{HOME}/sender"


async def sender(request: Request) -> Response:
    """The settings."""
    return await _page(request, [], {})


async def _page(
    request: Request, problems: list[Problem], sent: dict[str, Any], notes: list[str] | None = None
) -> Response:
    async with tenant_reads(request) as session:
        found = (await session.scalars(select(MessageSettings))).one_or_none()
    facts: list[tuple[str, Any]] = []
    if found is not None:
        facts = [
            ("From", f"{found.sender_name} <{found.from_address}>"),
            ("Replies to", found.reply_to),
            ("Way", CHANNELS[found.channel]),
            ("At most", f"{found.per_minute:,} a minute"),
            ("Quiet", _quiet(found)),
            ("Notify", "Connected" if found.notify_key else "Not connected"),
            (
                "Clock",
                f"{found.clock_ahead_seconds // 3600:,} hours ahead" if found.clock_ahead_seconds else "As it is",
            ),
        ]
    return report(
        request,
        "Who the messages come from",
        status=422 if problems else 200,
        problems=problems,
        values=_values(found) | sent,
        back=BACK,
        intro=[
            "Nothing is sent before this is filled in. Providers read mail that comes from their council: name it, and "
            "use an address that your council lets our mail server send from.",
            *(notes or []),
        ],
        facts=facts,
        forms=_forms(found) if principal_here(request).may(Permission.SETTINGS_WRITE) else [],
    )


def _quiet(found: MessageSettings) -> str:
    if found.quiet_from is None or found.quiet_until is None:
        return "Never"
    return f"{found.quiet_from:%H:%M} to {found.quiet_until:%H:%M}"


def _values(found: MessageSettings | None) -> dict[str, Any]:
    if found is None:
        return {
            "brand_colour": "#005eb8",
            "channel": "smtp",
            "per_minute": 1000,
            "quiet_from": "20:00",
            "quiet_until": "08:00",
        }
    values = {name: getattr(found, name) for name in FIELDS[:8]}
    return values | {
        "quiet_from": f"{found.quiet_from:%H:%M}" if found.quiet_from else "",
        "quiet_until": f"{found.quiet_until:%H:%M}" if found.quiet_until else "",
        "training": ["yes"] if found.training else [],
        "template_id": found.notify_template_id,
        "ahead": found.clock_ahead_seconds // 3600,
    }


def _forms(found: MessageSettings | None) -> list[ShortForm]:
    fields = [
        Field(
            "text",
            "sender_name",
            "Name",
            "As people see it in their mail, such as: Medicines training, Sample council.",
        ),
        Field("email", "from_address", "Address that messages come from"),
        Field("email", "reply_to", "Address that replies go to (optional)"),
        Field("text", "brand_name", "Heading of each message (optional)", "Left empty: the name."),
        Field(
            "text",
            "brand_colour",
            "Colour of the heading",
            "Such as #005eb8. White is written on it: choose a dark one.",
        ),
        Field("long", "footer", "Footer", "Your address, and how to reach you."),
        Field("one", "channel", "By which way", options=list(CHANNELS.items())),
        Field("text", "per_minute", "At most so many a minute"),
        Field("time", "quiet_from", "Nothing but what is urgent from", "Time in England."),
        Field("time", "quiet_until", "Until"),
        Field("many", "training", "Training", options=[("yes", "This tenant is for training: its clock can be moved")]),
    ]
    forms = [ShortForm(f"{SENDER}/save", "Save", fields, version=found.version if found else 0)]
    if found is not None:
        notify = [
            Field(
                "password",
                "key",
                "Key of your service",
                "Made under API integration. Left empty: the one that is kept.",
            ),
            Field(
                "text",
                "template_id",
                "Template’s id",
                "An e-mail template whose subject is ((subject)) and whose message is ((body)).",
            ),
        ]
        forms.append(ShortForm(f"{SENDER}/notify", "Connect and try it", notify, "GOV.UK Notify", second=True))
    if found is not None and found.training:
        ahead = [Field("text", "ahead", "Hours ahead", "Reminders and nudges that are due by then go out at once.")]
        forms.append(ShortForm(f"{SENDER}/clock", "Move the clock", ahead, "Clock", second=True))
    return forms


async def sender_save(request: Request) -> Response:
    """Save the settings."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        version = form.text("version")
        await save_settings(work, _given(form), version=int(version) if version.isascii() and version.isdigit() else 0)

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], _typed(form))
    return redirect(SENDER, done="sender-saved")


def _given(form: Form) -> SettingsGiven:
    return SettingsGiven(
        form.text("sender_name"),
        form.text("from_address").strip(),
        form.text("reply_to").strip() or None,
        form.text("brand_name"),
        form.text("brand_colour").strip(),
        form.text("footer"),
        form.text("channel"),
        number(form, "per_minute") or 0,
        _time(form, "quiet_from"),
        _time(form, "quiet_until"),
        training="yes" in form.texts("training"),
    )


def _time(form: Form, name: str) -> time | None:
    text = form.text(name).strip()
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(name, "Enter a time of day, such as 20:00.") from error


def _typed(form: Form) -> dict[str, Any]:
    return typed(form, [name for name in FIELDS if name in form.fields]) | {
        "training": form.texts("training"),
        "key": "",
    }


async def sender_notify(request: Request) -> Response:
    """Keep the key of the tenant's service at Notify, and try it."""
    form = await form_of(request)
    services = services_of(request)

    async def change(work: UnitOfWork) -> str | None:
        key = form.text("key").strip() or None
        return await connect(work, services.vault, key, form.text("template_id"))

    token = await tried(request, FIELDS, change)
    if isinstance(token, Problem):
        return await _page(request, [token], _typed(form))
    async with tenant_look(request) as work:
        settings = await message_settings(work)
        tenant = await work.session.get_one(Tenant, work.tenant_id)
    assert settings is not None
    way = notify_of(settings, services.vault, services.settings.notify_url, services.clock, always=True)
    faults = await way.faults() if way is not None else []
    notes = ["Notify took the key, and the template fits."] if not faults else []
    if token is not None:
        notes.append(
            "Enter these at Notify, under API integration, Callbacks, for delivery receipts; the token is shown this "
            f"once. URL: {services.settings.base_url}/receipts/notify/{tenant.slug} Bearer token: {token}"
        )
    return await _page(request, [Problem("template_id", fault) for fault in faults], {}, notes)


async def sender_clock(request: Request) -> Response:
    """Move the clock of reminders and nudges."""
    form = await form_of(request)

    async def change(work: UnitOfWork) -> None:
        await move_clock(work, timedelta(hours=number(form, "ahead") or 0))

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], _typed(form))
    return redirect(SENDER, done="clock-moved")


_READ, _WRITE = Permission.MESSAGES_READ, Permission.SETTINGS_WRITE

ROUTES = [
    page("/messages/sender", sender, needs=_READ),
    page("/messages/sender/save", sender_save, needs=_WRITE, methods=("POST",)),
    page("/messages/sender/notify", sender_notify, needs=_WRITE, methods=("POST",)),
    page("/messages/sender/clock", sender_clock, needs=_WRITE, methods=("POST",)),
]
