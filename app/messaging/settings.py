"""How a tenant sends: who its messages come from, by which way, how fast, and when not."""

import re
from dataclasses import dataclass
from datetime import time, timedelta

from sqlalchemy import select

from app.messaging.models import CHANNELS, MessageSettings
from app.messaging.templates import add_first_templates
from app.training.errors import TrainingRefusal
from app.training.requirements.finding import said, same_version
from tenants.audit import Action
from tenants.outbox import Topic
from tenants.session import UnitOfWork

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LARGEST_LEAP = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SettingsGiven:
    """The settings, whole. Moments of the day are in England; None for both: no quiet hours."""

    sender_name: str
    from_address: str
    reply_to: str | None = None
    brand_name: str = ""
    brand_colour: str = "#005eb8"
    footer: str = ""
    channel: str = "smtp"
    per_minute: int = 1000
    quiet_from: time | None = time(20)
    quiet_until: time | None = time(8)
    training: bool = False


def is_address(text: str) -> bool:
    """Whether mail can be addressed like that: one address of ASCII, without a name."""
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None and ".." not in text


async def message_settings(work: UnitOfWork, *, lock: bool = False) -> MessageSettings | None:
    """The tenant's settings; None while it has not said who its messages come from, and then it sends none."""
    wanted = select(MessageSettings)
    return (await work.session.scalars(wanted.with_for_update(key_share=True) if lock else wanted)).one_or_none()


async def save_settings(work: UnitOfWork, given: SettingsGiven, *, version: int = 0) -> None:
    """Set how the tenant sends; the first time this adds templates to begin with.

    Raises TrainingRefusal `CHANGED_MEANWHILE`, `SENDER_MISSING`, `BAD_ADDRESS`, `BAD_COLOUR`, `UNKNOWN_CHANNEL`,
    `BAD_PACE` or `QUIET_HALF`.
    """
    name = said(given.sender_name, "SENDER_MISSING", "Say who the messages come from.", "senderName")
    for field, address in (("fromAddress", given.from_address), ("replyTo", given.reply_to)):
        if address is not None and not is_address(address):
            raise TrainingRefusal("BAD_ADDRESS", "Enter an e-mail address, such as training@example.org.", field)
    if not _COLOUR.fullmatch(given.brand_colour):
        raise TrainingRefusal("BAD_COLOUR", "Enter a colour as #005eb8.", "brandColour")
    if given.channel not in CHANNELS:
        raise TrainingRefusal("UNKNOWN_CHANNEL", f"Choose among {', '.join(CHANNELS)}.", "channel")
    if not 1 <= given.per_minute <= 1_000_000:
        raise TrainingRefusal("BAD_PACE", "Enter 1 to 1,000,000 messages a minute.", "perMinute")
    if (given.quiet_from is None) != (given.quiet_until is None):
        raise TrainingRefusal("QUIET_HALF", "Enter both ends of the quiet hours, or none.", "quietUntil")
    present = await message_settings(work)
    if present is None:
        present = MessageSettings(tenant_id=work.tenant_id, id=work.tenant_id, version=0, clock_ahead_seconds=0)
        work.add(present)
        before = None
    else:
        same_version(version, present.version, "settings")
        before = _told(present)
    present.sender_name, present.from_address, present.reply_to = name, given.from_address, given.reply_to
    present.brand_name, present.brand_colour = given.brand_name.strip() or name, given.brand_colour
    present.footer, present.channel, present.per_minute = given.footer.strip(), given.channel, given.per_minute
    present.quiet_from, present.quiet_until, present.training = given.quiet_from, given.quiet_until, given.training
    if not given.training:
        present.clock_ahead_seconds = 0
    present.version += 1
    present.updated_at = work.now
    await work.session.flush()
    await add_first_templates(work)
    work.record(Action.SENDER_CHANGED, "message_settings", present.id, before=before, after=_told(present))
    replan(work, present)


async def pause(work: UnitOfWork, *, paused: bool) -> None:
    """Stop sending, or go on. What is queued waits. Raises TrainingRefusal `NO_SENDER`."""
    present = await _present(work)
    present.paused_at = work.now if paused else None
    present.version += 1
    work.record(Action.SENDING_PAUSED, "message_settings", present.id, after={"paused": paused})
    if not paused:
        work.emit(Topic.MESSAGES_SEND, f"resumed:{present.version}")


async def move_clock(work: UnitOfWork, ahead: timedelta) -> None:
    """Set how far the clock of reminders and nudges is ahead, where the tenant trains.

    Raises TrainingRefusal `NO_SENDER`, `NOT_TRAINING` or `TOO_FAR`.
    """
    present = await _present(work)
    if not present.training:
        raise TrainingRefusal(
            "NOT_TRAINING", "Only a tenant that trains can move its clock. Set that first.", "training"
        )
    if not timedelta() <= ahead <= LARGEST_LEAP:
        raise TrainingRefusal("TOO_FAR", f"Move the clock forward by at most {LARGEST_LEAP.days} days.", "ahead")
    before, present.clock_ahead_seconds = present.clock_ahead_seconds, int(ahead.total_seconds())
    present.version += 1
    work.record(
        Action.CLOCK_MOVED,
        "message_settings",
        present.id,
        before={"ahead": before},
        after={"ahead": present.clock_ahead_seconds},
    )
    replan(work, present)


async def _present(work: UnitOfWork) -> MessageSettings:
    present = await message_settings(work)
    if present is None:
        raise TrainingRefusal("NO_SENDER", "Say first who the messages come from.", "senderName")
    return present


def replan(work: UnitOfWork, settings: MessageSettings) -> None:
    """Have the reminders of all sessions planned anew."""
    work.emit(Topic.REMINDERS_PLAN, f"settings:{settings.version}")


def ahead_of(settings: MessageSettings) -> timedelta:
    """How far the tenant's clock is ahead."""
    return timedelta(seconds=settings.clock_ahead_seconds)


def _told(settings: MessageSettings) -> dict[str, object]:
    return {
        "sender_name": settings.sender_name,
        "from_address": settings.from_address,
        "channel": settings.channel,
        "per_minute": settings.per_minute,
    }
