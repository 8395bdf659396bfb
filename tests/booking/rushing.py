"""A process that books people at once for a session, and says of each how the booking stands. It is to be killed."""

import asyncio
import sys
from uuid import UUID

from app.training.booking.models import Booking
from app.training.booking.operations import book
from app.training.booking.placing import Request
from tenants.clock import SettableClock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.session import Database
from tests.support import NOW


async def rush(url: str, tenant_id: UUID, session_id: UUID, people: list[UUID]) -> None:
    """Book everybody, three at a time."""
    database = Database(create_engine(url), SettableClock(NOW))
    turn = asyncio.Semaphore(3)

    async def one(learner: UUID) -> None:
        async with turn:
            async with database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
                (booking_id,) = await book(work, Request(session_id, (learner,), "team"))
                booking = await work.session.get_one(Booking, (tenant_id, booking_id))
            print(learner, booking.state, flush=True)

    await asyncio.gather(*[one(learner) for learner in people])
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(rush(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3]), [UUID(text) for text in sys.argv[4:]]))
