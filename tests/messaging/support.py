"""What tests of messages share: a sender, learners with addresses, and the work of the workers done here."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import LearnerIdentifier
from app.messaging.models import Message, Reminder
from app.messaging.reminders import RuleGiven, save_rule
from app.messaging.settings import SettingsGiven, save_settings
from tenants.identifiers import new_id
from tests.booking.support import let_time_pass
from tests.support import NOW, Installation
from workers import messages

SENDER = SettingsGiven("Medicines training", "training@council.example", "team@council.example", footer="Town hall")


async def set_sender(
    installation: Installation, tenant_id: UUID | None = None, given: SettingsGiven = SENDER, version: int = 0
) -> None:
    """Say who the messages of a tenant come from; of the north if none is named."""
    messages.register_handlers()
    async with installation.database.unit_of_work(installation.context(tenant_id or installation.north)) as work:
        await save_settings(work, given, version=version)


async def give_addresses(installation: Installation, learners: Sequence[UUID], tenant_id: UUID | None = None) -> None:
    """An address for each learner: learner0@home.example and so on."""
    async with installation.database.unit_of_work(installation.context(tenant_id or installation.north)) as work:
        await work.insert_rows(
            LearnerIdentifier,
            ("id", "learner_id", "kind", "value", "shared", "created_at"),
            (
                (new_id(), learner, "email", f"learner{number}@home.example", False, NOW)
                for number, learner in enumerate(learners)
            ),
        )


async def add_rule(installation: Installation, **given: Any) -> UUID:
    """A reminder rule of the north."""
    values: dict[str, Any] = {"moment": "before_start", "audience": "booked", "template_code": "reminder"} | given
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        return await save_rule(work, RuleGiven(**values))


async def work_on(installation: Installation, by: timedelta = timedelta()) -> None:
    """Move the clock, and let the workers do what falls due."""
    messages.register_handlers()
    await let_time_pass(installation, by)


async def ledger(installation: Installation, tenant_id: UUID | None = None) -> list[Message]:
    """All messages in the order in which they were asked for."""
    async with installation.database.session(installation.context(tenant_id or installation.north)) as session:
        return list(await session.scalars(select(Message).order_by(Message.created_at, Message.id)))


async def reminders_of(installation: Installation) -> list[Reminder]:
    """All due rows by their moment."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return list(await session.scalars(select(Reminder).order_by(Reminder.due_at, Reminder.id)))
