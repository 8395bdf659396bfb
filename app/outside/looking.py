"""Looking into an outside system: what has changed each hour, everything once a day, and what could not be done yet.

Nothing is kept open while the system is waited for, and every look can be begun again at any point.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import and_, select

from app.outside.coming import live_ids, news_of, note_gone, read_anew, receive, unsettled_ids
from app.outside.connections import Office, note_failure, note_success, system_of
from app.outside.errors import OutsideRefused, OutsideUnavailable
from app.outside.models import OutsideConnection, OutsideEvent
from app.outside.settling import settle
from app.outside.systems import Asked, EventFound, System
from app.training.models import TrainingSession
from tenants.session import UnitOfWork

OVERLAP = timedelta(minutes=10)
"""Read once more before the latest change: lists are not always in step with the changes themselves."""
WHOLE_EVERY = timedelta(hours=23)
AFTERWARDS = timedelta(days=14)
"""After the session: check-ins that were sent late still come."""
TRIED_AFTERWARDS = timedelta(days=1)
"""After the session, when places are no longer asked for."""
NO_SUCH_EVENT, CANCELLED = "NO_SUCH_EVENT", "CANCELLED_OUTSIDE"
"""Notes of an event: it is not there any more, so that its registrations are left alone, or was cancelled there."""
NOT_NOW = ("STATUS_429", "STATUS_503", "NO_CONNECTION")
"""Codes of a system that as a whole has to be left alone."""
IN_A_ROW = 3
"""After so many events of which nothing could be read the others wait too."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked event as a look begins. `over`: its session ended so long ago that no place is asked for any more."""

    id: UUID
    outside_id: str
    asked: Asked
    changed_since: datetime | None
    whole: bool
    over: bool
    version: int


Item = TypeVar("Item")


async def look(office: Office, connection_id: UUID) -> float | None:
    """Look at all linked events of a connection; the seconds after which to try again, if it could not be asked."""
    async with office.work() as work:
        await office.renew(work)
        connection = await work.session.get(OutsideConnection, (work.tenant_id, connection_id))
        if connection is None or connection.state == "off":
            return None
        if connection.wait_until is not None and connection.wait_until > work.now:
            return None
        events = await linked_events(work, connection_id)

    async def look_at_all() -> bool:
        system = system_of(office, connection)
        return await each(events, lambda event: look_at(office, system, event))

    return await talk(office, connection, look_at_all)


async def each(items: Iterable[Item], do: Callable[[Item], Awaitable[None]]) -> bool:
    """Do something for each; whether there was any. One that fails by itself keeps no other from its turn."""
    failed: OutsideRefused | OutsideUnavailable | None = None
    done, in_a_row = False, 0
    for item in items:
        done = True
        try:
            await do(item)
            in_a_row = 0
        except OutsideRefused as error:
            failed = failed or error
        except OutsideUnavailable as error:
            failed, in_a_row = failed or error, in_a_row + 1
            if error.code in NOT_NOW or in_a_row == IN_A_ROW:
                raise
    if failed is not None:
        raise failed
    return done


async def talk(office: Office, connection: OutsideConnection, talking: Callable[[], Awaitable[bool]]) -> float | None:
    """Talk to a system, and note how it went; the seconds after which to try again, if that makes sense.

    `talking` gives whether the system was asked: where it was not, nothing is known of it.
    """
    try:
        asked = await talking()
    except (OutsideUnavailable, OutsideRefused) as error:
        async with office.work() as work:
            await office.renew(work)
            return await note_failure(work, connection, error)
    if asked:
        async with office.work() as work:
            await office.renew(work)
            await note_success(work, connection)
    return None


async def linked_events(work: UnitOfWork, connection_id: UUID) -> list[Linked]:
    """The events of a connection that are looked at now."""
    rows = await work.session.execute(
        select(OutsideEvent, TrainingSession.ends_at)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == OutsideEvent.tenant_id, TrainingSession.id == OutsideEvent.session_id),
        )
        .where(
            OutsideEvent.connection_id == connection_id,
            OutsideEvent.state == "linked",
            TrainingSession.ends_at >= work.now - AFTERWARDS,
        )
        .order_by(TrainingSession.starts_at, OutsideEvent.id)
    )
    return [linked(event, ends_at, work.now) for event, ends_at in rows]


def linked(event: OutsideEvent, ends_at: datetime, now: datetime) -> Linked:
    """A linked event as a look begins."""
    whole = event.changed_since is None or event.whole_at is None or event.whole_at <= now - WHOLE_EVERY
    return Linked(
        event.id,
        event.outside_id,
        Asked(event.workplace_question, event.role_question),
        event.changed_since,
        whole,
        ends_at < now - TRIED_AFTERWARDS,
        event.version,
    )


async def look_at(office: Office, system: System, event: Linked) -> None:
    """Read what has changed of an event, or all of it, and settle it."""
    there = await system.event(event.outside_id) if event.whole else None
    if event.whole and there is None:
        async with office.work() as work:
            await office.renew(work)
            (await work.session.get_one(OutsideEvent, (work.tenant_id, event.id))).note = NO_SUCH_EVENT
        return
    since = None if event.whole or event.changed_since is None else event.changed_since - OVERLAP

    async def news(listed: Mapping[str, datetime]) -> set[str]:
        async with office.work() as work:
            await office.renew(work)
            return await news_of(work, event.id, listed)

    seen: set[str] = set()
    changed: list[UUID] = []
    latest = event.changed_since
    async for batch in system.registrations(event.outside_id, event.asked, since, news):
        seen.update(batch.seen)
        if batch.registrations:
            last = max(registration.changed_at for registration in batch.registrations)
            latest = last if latest is None else max(latest, last)
            async with office.work() as work:
                await office.renew(work)
                changed += await receive(work, event.id, batch.registrations)
    if event.whole:
        changed += await _look_for_the_missing(office, system, event, seen)
    async with office.work() as work:
        await office.renew(work)
        waiting = await unsettled_ids(work, event.id, over=event.over)
    for registration_id in dict.fromkeys([*waiting, *changed]):
        await settle(office, registration_id)
    async with office.work() as work:
        await office.renew(work)
        await _looked(work, event, there, latest)


async def _look_for_the_missing(office: Office, system: System, event: Linked, seen: set[str]) -> list[UUID]:
    """Registrations that a whole list has left out are asked for one by one before they count as gone."""
    changed: list[UUID] = []
    async with office.work() as work:
        await office.renew(work)
        missing = sorted(await live_ids(work, event.id) - seen)
    for outside_id in missing:
        found = await system.registration(event.outside_id, outside_id, event.asked)
        async with office.work() as work:
            await office.renew(work)
            gone = receive(work, event.id, found) if found else note_gone(work, event.id, outside_id)
            changed += await gone
    return changed


async def _looked(work: UnitOfWork, event: Linked, there: EventFound | None, latest: datetime | None) -> None:
    row = await work.session.get_one(OutsideEvent, (work.tenant_id, event.id), with_for_update=True)
    row.looked_at = work.now
    if row.version != event.version:
        # Somebody has asked meanwhile for all of it, perhaps by other questions than were read by here.
        await read_anew(work, event.id)
        return
    row.changed_since = latest if row.changed_since is None or latest is None else max(row.changed_since, latest)
    if there is not None:
        row.title, row.starts_at, row.whole_at = there.title, there.starts_at, work.now
        row.note = CANCELLED if there.cancelled else None
