"""Registrations coming in: kept as the outside system tells them, each in its newest telling, whatever the order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import and_, or_, select, update

from app.outside.models import OutsideRegistration
from app.outside.registrations import Registration, State, Who, newest, same_person
from app.training.booking.models import ENDED, Booking
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

MOVED_ON = ("transferred", "swapped")
"""States of bookings that somebody changed here for another one."""
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def told_by(row: OutsideRegistration) -> Registration:
    """What the outside system told of a registration."""
    who: Mapping[str, Any] = row.who
    return Registration(row.outside_id, row.changed_at, cast(State, row.state), Who(**who), row.checked_in_at)


async def receive(work: UnitOfWork, event_id: UUID, came: Sequence[Registration]) -> list[UUID]:
    """Keep what came; the ids of the registrations that now have to be settled."""
    by_id: dict[str, Registration] = {}
    for registration in came:
        kept = by_id.get(registration.outside_id)
        by_id[registration.outside_id] = registration if kept is None else newest(kept, registration)
    if not by_id:
        return []
    await work.insert_rows(
        OutsideRegistration,
        (
            "id", "event_id", "outside_id", "changed_at", "state", "checked_in_at", "who", "revision", "pending",
            "candidates", "booked_here", "left_out", "created_at",
        ),
        (
            (
                new_id(), event_id, one.outside_id, one.changed_at, one.state, one.checked_in_at,
                orjson.dumps(asdict(one.who)).decode(), 0, True, "[]", False, False, work.now,
            )
            for _, one in sorted(by_id.items())
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    changed = []
    for row in await _locked(work, event_id, list(by_id)):
        kept, one = told_by(row), by_id[row.outside_id]
        best = newest(kept, one)
        if best == kept and row.gone_at is None and row.revision:
            continue
        row.changed_at, row.state, row.checked_in_at, row.who = (
            best.changed_at, best.state, best.checked_in_at, asdict(best.who),
        )  # fmt: skip
        row.gone_at = None
        row.left_out = row.left_out and same_person(kept.who.key, best.who)
        _news(row)
        changed.append(row.id)
    if changed:
        counted = {"event": str(event_id), "registrations": len(changed)}
        work.record(Action.OUTSIDE_REGISTRATIONS_CAME, "outside_event", event_id, after=counted)
    return changed


async def note_gone(work: UnitOfWork, event_id: UUID, outside_id: str) -> list[UUID]:
    """A registration is not there any more; its id if that is news."""
    gone = []
    for row in await _locked(work, event_id, [outside_id]):
        if row.gone_at is None:
            row.gone_at = work.now
            _news(row)
            gone.append(row.id)
    return gone


def _news(row: OutsideRegistration) -> None:
    row.revision += 1
    row.pending = True


async def _locked(work: UnitOfWork, event_id: UUID, outside_ids: Sequence[str]) -> Sequence[OutsideRegistration]:
    found = (
        select(OutsideRegistration)
        .where(OutsideRegistration.event_id == event_id, among(OutsideRegistration.outside_id, outside_ids))
        .order_by(OutsideRegistration.outside_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await work.session.scalars(found)).all()


async def news_of(work: UnitOfWork, event_id: UUID, listed: Mapping[str, datetime]) -> set[str]:
    """Of registrations with their latest change, those that are not kept like that."""
    rows = await work.session.execute(
        select(OutsideRegistration.outside_id, OutsideRegistration.changed_at).where(
            OutsideRegistration.event_id == event_id,
            OutsideRegistration.gone_at.is_(None),
            among(OutsideRegistration.outside_id, listed),
        )
    )
    kept = {row.outside_id: row.changed_at for row in rows}
    return {one for one, changed_at in listed.items() if one not in kept or kept[one] < changed_at}


async def read_anew(work: UnitOfWork, event_id: UUID) -> None:
    """Have what people answered read once more, of those of whom it is not known who they are."""
    await work.session.execute(
        update(OutsideRegistration)
        .where(OutsideRegistration.event_id == event_id, OutsideRegistration.learner_id.is_(None))
        .values(changed_at=LONG_AGO)
        .execution_options(synchronize_session=False)
    )


async def live_ids(work: UnitOfWork, event_id: UUID) -> set[str]:
    """The registrations of an event that neither ended nor vanished, as far as we know."""
    found = select(OutsideRegistration.outside_id).where(
        OutsideRegistration.event_id == event_id,
        OutsideRegistration.state != "cancelled",
        OutsideRegistration.gone_at.is_(None),
    )
    return set(await work.session.scalars(found))


async def unsettled_ids(work: UnitOfWork, event_id: UUID, *, over: bool) -> list[UUID]:
    """Registrations with something left to do, the oldest first, as places go.

    They wait, or came while a look broke off, or their booking was ended here, or their check-in is not in our
    attendance yet. `over`: no place is asked for any more, so that those with a known problem are left.
    """
    ended_here = and_(
        Booking.state.in_(set(ENDED) - set(MOVED_ON)),
        OutsideRegistration.state == "registered",
        OutsideRegistration.gone_at.is_(None),
        OutsideRegistration.left_out.is_(False),
    )
    not_seen_yet = and_(
        OutsideRegistration.learner_id.is_not(None),
        OutsideRegistration.left_out.is_(False),
        OutsideRegistration.checked_in_at.is_not(None) != OutsideRegistration.marked_part.is_not(None),
    )
    news = and_(OutsideRegistration.pending, OutsideRegistration.problem.is_(None))
    wanted = news if over else or_(OutsideRegistration.pending, ended_here)
    found = (
        select(OutsideRegistration.id)
        .outerjoin(
            Booking,
            and_(Booking.tenant_id == OutsideRegistration.tenant_id, Booking.id == OutsideRegistration.booking_id),
        )
        .where(OutsideRegistration.event_id == event_id, or_(wanted, not_seen_yet))
        .order_by(OutsideRegistration.created_at, OutsideRegistration.id)
    )
    return list(await work.session.scalars(found))
