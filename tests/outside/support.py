"""What tests of outside systems share: an office, connected systems, linked sessions, and the work of the workers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Learner
from app.outside import linking
from app.outside.coming import told_by
from app.outside.connections import Office, connect, connection_of, secrets_of, system_of
from app.outside.models import OutsideConnection, OutsideRegistration
from app.outside.systems import Asked
from app.training.booking.models import Booking
from tenants.outbox import Topic
from tenants.session import UnitOfWork
from tests.booking.support import let_time_pass
from tests.outside.eventbrite_double import TOKEN
from tests.outside.graph_double import CLIENT, DIRECTORY, SECRET
from tests.support import Installation
from workers import imports, messages, outside

VALUES = {
    "eventbrite": {"private_token": TOKEN},
    "teams": {"directory_id": DIRECTORY, "client_id": CLIENT, "client_secret": SECRET},
}


async def _nothing(_: UnitOfWork) -> None:
    """Nobody waits for this lease."""


def office_of(installation: Installation, tenant_id: UUID | None = None) -> Office:
    """An office of the north."""
    services, context = installation.services, installation.context(tenant_id or installation.north)
    return Office(
        lambda: services.database.unit_of_work(context),
        _nothing,
        services.outside,
        services.settings,
        services.vault,
    )


@asynccontextmanager
async def work_of(installation: Installation) -> AsyncIterator[UnitOfWork]:
    """A unit of work of the north."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        yield work


async def connected(installation: Installation, system: str) -> str:
    """Connect the north; the secret of its address for notices, if it has one."""
    office = office_of(installation)
    await connect(office, system, VALUES[system])
    async with office.work() as work:
        connection = await connection_of(work, system)
        assert connection is not None
        return secrets_of(connection, office.vault).get("hook", "")


async def linked(installation: Installation, system: str, event: str, session_id: UUID, question: str) -> UUID:
    """Link an event of the system to a session; `question` asks for the workplace."""
    office = office_of(installation)
    async with office.work() as work:
        connection = await connection_of(work, system)
    assert connection is not None
    found = await system_of(office, connection).event(event)
    assert found is not None
    async with office.work() as work:
        return await linking.link(work, system, found, session_id, Asked(question))


async def work_on(installation: Installation, by: timedelta = timedelta()) -> None:
    """Move the clock, and let the workers do what falls due."""
    outside.register_handlers()
    messages.register_handlers()
    imports.register_handlers()
    await let_time_pass(installation, by)


async def next_look(installation: Installation, by: timedelta = timedelta(hours=1)) -> None:
    """What the schedule does each hour."""
    installation.clock.move(by)
    async with work_of(installation) as work:
        work.emit(Topic.OUTSIDE_LOOK_ALL, f"hourly:{work.now.isoformat()}")
    await work_on(installation)


async def read_attendance(installation: Installation, by: timedelta = timedelta(minutes=1)) -> None:
    """What the schedule does each night."""
    installation.clock.move(by)
    async with work_of(installation) as work:
        work.emit(Topic.OUTSIDE_ATTENDANCE_ALL, f"nightly:{work.now.isoformat()}")
    await work_on(installation)


async def standing(installation: Installation) -> dict[str, tuple[str, str | None, str | None]]:
    """By the id of each registration: its state, that of its booking, and its problem."""
    async with work_of(installation) as work:
        rows = await work.session.execute(
            select(OutsideRegistration, Booking.state)
            .outerjoin(Booking, (Booking.tenant_id == work.tenant_id) & (Booking.id == OutsideRegistration.booking_id))
            .order_by(OutsideRegistration.outside_id)
        )
        return {row.outside_id: ("gone" if row.gone_at else row.state, booking, row.problem) for row, booking in rows}


async def registration_named(installation: Installation, outside_id: str) -> OutsideRegistration:
    """A registration."""
    async with work_of(installation) as work:
        found = select(OutsideRegistration).where(OutsideRegistration.outside_id == outside_id)
        return (await work.session.scalars(found)).one()


async def names(installation: Installation) -> list[str]:
    """The names of all learners."""
    async with work_of(installation) as work:
        return sorted(await work.session.scalars(select(Learner.display_name).where(Learner.merged_into_id.is_(None))))


async def connection(installation: Installation, system: str) -> OutsideConnection:
    """The north's connection."""
    async with work_of(installation) as work:
        found = await connection_of(work, system)
    assert found is not None
    return found


async def told(installation: Installation) -> dict[str, Any]:
    """What is kept of each registration, for comparing ends: nothing that depends on when it came."""
    async with work_of(installation) as work:
        rows = (await work.session.scalars(select(OutsideRegistration))).all()
        learners = dict((await work.session.execute(select(Learner.id, Learner.display_name))).all())
        states = dict((await work.session.execute(select(Booking.id, Booking.state))).all())
    return {
        row.outside_id: (
            told_by(row), row.problem, row.pending, row.marked_part, row.gone_at is not None,
            learners[row.learner_id] if row.learner_id else None, states[row.booking_id] if row.booking_id else None,
        )
        for row in rows
    }  # fmt: skip
