"""Messages to the tenant's own staff: that a report is ready, to whoever is to read it."""

from collections.abc import Iterable
from uuid import UUID

from app.messaging.ledger import Asked, ask
from app.messaging.rules import Occasion
from app.messaging.settings import message_settings
from app.messaging.templates import template_for
from tenants.session import UnitOfWork


async def tell_of_report(work: UnitOfWork, snapshot_id: UUID, readers: Iterable[UUID]) -> int:
    """Ask for a message to each reader; how many. None where the tenant has not said who its messages come from."""
    if await message_settings(work) is None:
        return 0
    template = await template_for(work, Occasion.REPORT_READY)
    if template is None:
        return 0
    asked = [
        Asked(
            f"report:{snapshot_id}:{reader}",
            Occasion.REPORT_READY,
            template.message_class,
            template.id,
            staff_member_id=reader,
            subject_id=snapshot_id,
        )
        for reader in readers
    ]
    return await ask(work, asked, work.now)
