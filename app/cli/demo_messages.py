"""What the demonstration sends: a sender for each tenant, and reminders before sessions. All goes to the mailbox."""

from datetime import time

from sqlalchemy import select

from app.messaging.models import MessageSettings, ReminderRule
from app.messaging.nudges import set_nudge
from app.messaging.reminders import RuleGiven, save_rule
from app.messaging.settings import SettingsGiven, save_settings
from tenants.context import TenantContext
from tenants.session import Database

RULES = (
    RuleGiven("before_start", "booked", "reminder", days=7),
    RuleGiven("before_start", "booked", "reminder", days=1),
    RuleGiven("before_start", "booked", "reminder", minutes=60),
    RuleGiven("after_end", "attended", "after-attended", days=1, at_time=time(9)),
    RuleGiven("after_end", "absent", "after-absent", days=2, at_time=time(9)),
)


async def add_messages(database: Database, context: TenantContext, name: str, slug: str) -> None:
    """Say who writes and when; nothing that is there is said again."""
    async with database.unit_of_work(context) as work:
        if (await work.session.scalars(select(MessageSettings.id))).first() is None:
            given = SettingsGiven(
                f"Medicines training, {name}",
                f"training@{slug}.example",
                f"team@{slug}.example",
                name,
                footer="An invented team of an invented town hall. Nobody reads what you answer.",
                training=True,
            )
            await save_settings(work, given)
        if (await work.session.scalars(select(ReminderRule.id))).first() is None:
            for rule in RULES:
                await save_rule(work, rule)
            await set_nudge(work, "next_tier", active=False, days=30, code="nudge-next-tier")
