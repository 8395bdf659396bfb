"""Decisions about refreshes: ask for one, approve or reject what it found. All of it belongs to the platform."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.refreshing.models import OPEN, SOURCES, ReferenceRefresh
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


class RefreshRefusal(Exception):
    """A refresh cannot be asked for or decided as wanted. The message says what to do."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


async def ask(work: UnitOfWork, source: str, since: datetime | None = None) -> UUID:
    """Have a source looked at. Raises RefreshRefusal `UNKNOWN_SOURCE` or `OPEN_ALREADY`."""
    if source not in SOURCES:
        raise RefreshRefusal("UNKNOWN_SOURCE", f"Choose one of {', '.join(SOURCES)}.", "source")
    if await open_one(work, source) is not None:
        message = "There is an open one of this source. Decide about it, or wait until it is done."
        raise RefreshRefusal("OPEN_ALREADY", message, "source")
    refresh = ReferenceRefresh(
        id=new_id(),
        source=source,
        state="asked",
        since=since,
        asked_at=work.now,
        asked_by=work.context.actor_id,
        failures=0,
        steps_done=0,
        counts={},
        large=False,
    )
    work.add(refresh)
    await work.session.flush()
    work.record(Action.REFERENCE_ASKED, "reference_refresh", refresh.id, after={"source": source})
    return refresh.id


async def ask_again(work: UnitOfWork, source: str) -> None:
    """Have a source looked at, or an undecided one looked at anew, so that whoever decides sees how it is now."""
    found = await open_one(work, source)
    if found is None:
        await ask(work, source)
    elif found.state == "ready":
        found.state, found.failures, found.error = "asked", 0, None


async def open_one(work: UnitOfWork, source: str) -> ReferenceRefresh | None:
    """The refresh of a source that is not at its end, locked."""
    wanted = select(ReferenceRefresh).where(ReferenceRefresh.source == source, ReferenceRefresh.state.in_(OPEN))
    return (await work.session.scalars(wanted.with_for_update())).one_or_none()


async def approve(work: UnitOfWork, refresh_id: UUID, *, sure: bool) -> None:
    """Have what was found applied. `sure`: also where it is unusually much.

    Raises RefreshRefusal `NO_SUCH_REFRESH`, `NOT_READY` or `UNUSUALLY_MUCH`.
    """
    refresh = await _ready(work, refresh_id)
    if refresh.large and not sure:
        message = "It would change unusually much. Look at the changes, then tick that you have."
        raise RefreshRefusal("UNUSUALLY_MUCH", message, "sure")
    _decide(work, refresh, "approved", Action.REFERENCE_APPROVED)


async def reject(work: UnitOfWork, refresh_id: UUID) -> None:
    """Leave everything as it is. Raises RefreshRefusal `NO_SUCH_REFRESH` or `NOT_READY`."""
    refresh = await _ready(work, refresh_id)
    _decide(work, refresh, "rejected", Action.REFERENCE_REJECTED)
    refresh.finished_at = work.now


async def _ready(work: UnitOfWork, refresh_id: UUID) -> ReferenceRefresh:
    refresh = await work.session.get(ReferenceRefresh, refresh_id, with_for_update=True)
    if refresh is None:
        raise RefreshRefusal("NO_SUCH_REFRESH", "There is no such refresh. Look at the list again.")
    if refresh.state != "ready":
        raise RefreshRefusal("NOT_READY", "Only one that is ready can be decided. Look at where it stands now.")
    return refresh


def _decide(work: UnitOfWork, refresh: ReferenceRefresh, state: str, action: Action) -> None:
    refresh.state, refresh.decided_by, refresh.decided_at = state, work.context.actor_id, work.now
    refresh.lease_until = None
    after = {"source": refresh.source, **{kind: refresh.counts.get(kind, 0) for kind in ("new", "changed", "closed")}}
    work.record(action, "reference_refresh", refresh.id, after=after)
