"""Holding a refresh: a worker's lease, and the steps in which it works on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from app.refreshing.models import ReferenceRefresh
from tenants.context import ActorKind, PlatformContext
from tenants.session import Database, UnitOfWork


class Overtaken(RuntimeError):
    """Another worker holds the refresh by now."""


@dataclass
class Held:
    """A refresh that this worker holds."""

    database: Database
    id: UUID
    source: str
    state: str
    since: datetime
    until: datetime
    lease: timedelta
    lease_until: datetime

    def work(self) -> "Step":
        """A step: a transaction in which the lease is renewed. Use it as a context manager."""
        return Step(self)


class Step:
    """One transaction of the platform that keeps the lease."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._unit = held.database.unit_of_work(platform())

    async def __aenter__(self) -> UnitOfWork:
        """Begin it. Raises Overtaken."""
        work = await self._unit.__aenter__()
        try:
            await self._renew(work)
        except BaseException as error:
            await self._unit.__aexit__(type(error), error, error.__traceback__)
            raise
        return work

    async def _renew(self, work: UnitOfWork) -> None:
        held, until = self._held, work.now + self._held.lease
        renewed = (
            update(ReferenceRefresh)
            .where(
                ReferenceRefresh.id == held.id,
                ReferenceRefresh.state == held.state,
                ReferenceRefresh.lease_until == held.lease_until,
            )
            .values(lease_until=until)
            .returning(ReferenceRefresh.id)
            .execution_options(synchronize_session=False)
        )
        if (await work.session.execute(renewed)).first() is None:
            raise Overtaken(str(held.id))
        held.lease_until = until

    async def __aexit__(self, *failed: object) -> None:
        """Commit, or roll back."""
        await self._unit.__aexit__(*failed)  # type: ignore[arg-type]


def platform() -> PlatformContext:
    """Work on refreshes is bound to no tenant."""
    return PlatformContext("refresh of reference data", ActorKind.WORKER)


async def note(work: UnitOfWork, held: Held, **values: object) -> None:
    """Write down how far it is."""
    changed = update(ReferenceRefresh).where(ReferenceRefresh.id == held.id).values(**values)
    await work.session.execute(changed.execution_options(synchronize_session=False))
