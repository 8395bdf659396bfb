"""Notices that Eventbrite sends: pointers to what changed. Kept as ids, then fetched with the tenant's own token.

While one waits, others that point to the same are the same job; one that comes when the fetching has begun is another.
"""

from collections import defaultdict
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from app.outside.coming import receive
from app.outside.connections import Office, values_of
from app.outside.eventbrite.account import Account, attendees_of, open_account
from app.outside.eventbrite.reading import Pointer, of_order
from app.outside.looking import linked, look_at, talk
from app.outside.models import OutsideConnection, OutsideEvent, OutsideNotice
from app.outside.registrations import Registration
from app.outside.settling import settle
from app.outside.systems import Asked
from app.training.models import TrainingSession
from tenants.base import SCHEMA
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

KEPT = timedelta(days=30)
_NOTE = f"""
    INSERT INTO {SCHEMA}.outside_notice (tenant_id, id, connection_id, kind, object_id, action, state, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7)
    ON CONFLICT (tenant_id, connection_id, kind, object_id) WHERE state = 'waiting' DO NOTHING
    RETURNING id
"""


async def note(work: UnitOfWork, connection_id: UUID, pointer: Pointer) -> bool:
    """Keep a notice and have it acted on; False if the same waits already."""
    given = (new_id(), connection_id, pointer.kind, pointer.object_id, pointer.action, work.now)
    rows = await work.fetch(_NOTE, *given)
    if rows:
        work.emit(Topic.OUTSIDE_NOTICE, str(rows[0]["id"]), notice_id=rows[0]["id"])
    return bool(rows)


async def tidy(work: UnitOfWork) -> None:
    """Forget old notices; what they told of was found by later looks, if not by them."""
    await work.session.execute(delete(OutsideNotice).where(OutsideNotice.received_at < work.now - KEPT))


async def act(office: Office, notice_id: UUID) -> float | None:
    """Fetch what a notice points to and settle it; the seconds after which to try again, if it could not be asked."""
    async with office.work() as work:
        await office.renew(work)
        notice = await work.session.get(OutsideNotice, (work.tenant_id, notice_id))
        if notice is None or notice.done_at is not None:
            return None
        connection = await work.session.get_one(OutsideConnection, (work.tenant_id, notice.connection_id))
        if connection.state == "off":
            notice.state, notice.done_at = "done", work.now
            return None
        if connection.wait_until is not None and connection.wait_until > work.now:
            return await _wait(work, notice, (connection.wait_until - work.now).total_seconds())
        notice.state = "taken"
    again = await talk(office, connection, lambda: _fetch(office, connection, notice))
    async with office.work() as work:
        await office.renew(work)
        kept = await work.session.get_one(OutsideNotice, (work.tenant_id, notice_id))
        if again is not None:
            return await _wait(work, kept, again)
        failed = await work.session.get_one(OutsideConnection, (work.tenant_id, connection.id), populate_existing=True)
        kept.state, kept.done_at = "left_to_poll" if failed.error_code else "done", work.now
    return None


async def _wait(work: UnitOfWork, notice: OutsideNotice, seconds: float) -> float | None:
    """Wait, or, where that would take longer than until the next looks, leave it to them."""
    if seconds <= timedelta(hours=1).total_seconds():
        return seconds
    notice.state, notice.done_at = "left_to_poll", work.now
    return None


async def _fetch(office: Office, connection: OutsideConnection, notice: OutsideNotice) -> bool:
    """Whether Eventbrite was asked: an account has other events, which are not linked to anything here."""
    account = open_account(office.fetching, office.settings, values_of(office, connection))
    if notice.kind == "event":
        return await _look_at_event(office, account, notice)
    async with office.work() as work:
        await office.renew(work)
        events = await _events(work, notice.connection_id)
    told: dict[str, list[Registration]] = defaultdict(list)
    if not events:
        return False
    if notice.kind == "order":
        found = await account.order(notice.object_id)
        if found is not None and found[0] in events:
            for event_id, registration in of_order(found[1], attendees_of(found[1]), events[found[0]][1]):
                told[event_id].append(registration)
    else:
        event_id, _, attendee_id = notice.object_id.partition("/")
        if event_id not in events:
            return False
        told[event_id] += await account.registration(event_id, attendee_id, events[event_id][1])
    for event_id, registrations in told.items():
        if event_id not in events:
            continue
        async with office.work() as work:
            await office.renew(work)
            changed = await receive(work, events[event_id][0], registrations)
        for registration_id in changed:
            await settle(office, registration_id)
    return True


async def _events(work: UnitOfWork, connection_id: UUID) -> dict[str, tuple[UUID, Asked]]:
    """The linked events by their ids at Eventbrite."""
    rows = await work.session.scalars(
        select(OutsideEvent).where(OutsideEvent.connection_id == connection_id, OutsideEvent.state == "linked")
    )
    return {row.outside_id: (row.id, Asked(row.workplace_question, row.role_question)) for row in rows}


async def _look_at_event(office: Office, account: Account, notice: OutsideNotice) -> bool:
    async with office.work() as work:
        await office.renew(work)
        found = select(OutsideEvent).where(
            OutsideEvent.connection_id == notice.connection_id,
            OutsideEvent.outside_id == notice.object_id,
            OutsideEvent.state == "linked",
        )
        event = (await work.session.scalars(found)).one_or_none()
        if event is None:
            return False
        session = await work.session.get_one(TrainingSession, (work.tenant_id, event.session_id))
        one = linked(event, session.ends_at, work.now)
    await look_at(office, account, one)
    return True
