"""Changes of bookings: book, cancel, answer an offer, transfer, swap. Each locks the session's places first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, or_, select

from app.directory.models import CqcLocation, Employer, Employment, Learner, ProviderGroupLocation, TenantLocation
from app.training.booking.models import LIVE, Booking, PlaceOffer, PlaceReserve
from app.training.booking.places import (
    Bookable,
    confirm,
    end,
    give_places,
    lock,
    look,
    new_reference,
    next_number,
    note,
    room_of,
    waiting_of,
)
from app.training.booking.rules import Waiting, closed_because, gives_places_on, next_in_order, why_no_place
from app.training.errors import Reason, TrainingRefusal
from app.training.requirements.gating import reasons_against
from app.webhooks.events import EventType, announce
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

PARTY_AT_MOST = 50
"""People booked together."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who is to be booked for what. `booked_by` is learner, manager or team; a manager names the employer.

    `wait`: take a place in the waiting list if there is no other. `together`: all get a place or none.
    """

    session_id: UUID
    learner_ids: tuple[UUID, ...]
    booked_by: str
    employer_id: UUID | None = None
    wait: bool = True
    together: bool = False


async def book(work: UnitOfWork, request: Request) -> list[UUID]:
    """Book learners in the order given; the ids of their bookings, confirmed or waiting.

    Raises TrainingRefusal `NO_SUCH_SESSION`, `NO_SUCH_LEARNER`, `NOBODY`, `TOO_MANY`, `NOT_YOUR_STAFF`, `REQUIREMENTS`
    (with every reason), `ALREADY_BOOKED`, `FULL`, `BUSY`, or why the session cannot be booked now.
    """
    learners = tuple(dict.fromkeys(request.learner_ids))
    if not learners:
        raise TrainingRefusal("NOBODY", "Name at least one learner to book.", "learners")
    if len(learners) > PARTY_AT_MOST:
        raise TrainingRefusal("TOO_MANY", f"Book at most {PARTY_AT_MOST} people at once. Send several.", "learners")
    bookable = await look(work, request.session_id)
    _open(work, bookable, by_team=request.booked_by == "team")
    employers = await _employers(work, learners, request)
    await check_requirements(work, bookable, learners)
    bookable = (await lock(work, [request.session_id]))[request.session_id]
    _open(work, bookable, by_team=request.booked_by == "team")
    await _not_booked(work, request.session_id, learners)
    reserves = await _reserves(work, request.session_id, learners, employers)
    made = _made(work, request, bookable, learners, employers, reserves)
    await _place(work, bookable, made, wait=request.wait)
    for booking in made:
        note(work, booking, None)
        confirmed = booking.state == "confirmed"
        kind = EventType.BOOKING_CONFIRMED if confirmed else EventType.BOOKING_WAITING
        announce(work, kind, f"Booking:{booking.id}")
    return [booking.id for booking in made]


async def cancel(work: UnitOfWork, booking_id: UUID, because: str = "cancelled") -> None:
    """End a booking; its place goes to whoever is next. `because` is a word or a sentence for people.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY` or `SESSION_BEGUN`.
    """
    booking, bookable = await _held(work, booking_id)
    _not_begun(work, bookable)
    await end(work, [booking], "cancelled", because, late=work.now >= bookable.places.cancel_until)
    await give_places(work, bookable)


async def answer_offer(work: UnitOfWork, booking_id: UUID, *, accept: bool) -> None:
    """Take a place that was offered, or let it go; whoever answers for one of a party answers for all of it.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY`, `NO_OFFER` or `OFFER_EXPIRED`.
    """
    booking, bookable = await _held(work, booking_id)
    offer = await _open_offer(work, booking)
    if offer is None:
        raise TrainingRefusal("NO_OFFER", "No place is offered to this booking now. Look at where it stands.", "id")
    if accept and offer.expires_at <= work.now:
        raise TrainingRefusal("OFFER_EXPIRED", "The offer has ended. Book again to wait for another place.", "id")
    party = await _party(work, booking)
    if not accept:
        await end(work, party, "declined", "declined")
        await give_places(work, bookable)
        return
    for member in party:
        member_offer = await _open_offer(work, member)
        if member_offer is not None:
            member_offer.state, member_offer.decided_at = "accepted", work.now
            confirm(work, member)


async def expire_offer(work: UnitOfWork, offer_id: UUID) -> None:
    """End an offer that nobody answered in time, and its booking; does nothing to one that was answered."""
    offer = await work.session.get(PlaceOffer, (work.tenant_id, offer_id))
    if offer is None or offer.state != "open":
        return
    booking = await work.session.get_one(Booking, (work.tenant_id, offer.booking_id))
    bookable = (await lock(work, [booking.session_id]))[booking.session_id]
    await work.session.refresh(offer)
    await work.session.refresh(booking)
    if offer.state == "open" and offer.expires_at <= work.now:
        await end(work, await _party(work, booking), "expired", "not answered in time")
        await give_places(work, bookable)


async def release(work: UnitOfWork, session_id: UUID) -> int:
    """Give whatever is free now, as when a reserve has ended; how many places were given."""
    return await give_places(work, (await lock(work, [session_id]))[session_id])


async def transfer(work: UnitOfWork, booking_id: UUID, to_session_id: UUID, *, by_team: bool) -> UUID:
    """Move a booking to another session that has a place for it; the new booking's id.

    Raises TrainingRefusal as `book`, or `SAME_SESSION`. The old booking stays as it is when the other is full.
    """
    booking = await _booking(work, booking_id)
    if booking.session_id == to_session_id:
        raise TrainingRefusal("SAME_SESSION", "The booking is for that session already. Choose another.", "session")
    target = await look(work, to_session_id)
    await check_requirements(work, target, [booking.learner_id])
    locked = await lock(work, [booking.session_id, to_session_id])
    await work.session.refresh(booking)
    _live(booking)
    source, target = locked[booking.session_id], locked[to_session_id]
    _not_begun(work, source)
    _open(work, target, by_team=by_team)
    await _not_booked(work, to_session_id, [booking.learner_id])
    employers = {booking.learner_id: booking.employer_id}
    request = Request(to_session_id, (booking.learner_id,), booking.booked_by, booking.employer_id, wait=False)
    reserves = await _reserves(work, to_session_id, [booking.learner_id], employers)
    made = _made(work, request, target, [booking.learner_id], employers, reserves)
    made[0].follows_id = booking.id
    await _place(work, target, made, wait=False)
    note(work, made[0], None)
    announce(work, EventType.BOOKING_CONFIRMED, f"Booking:{made[0].id}")
    await end(work, [booking], "transferred", "moved to another session")
    await give_places(work, source)
    return made[0].id


async def swap(work: UnitOfWork, booking_id: UUID, learner_id: UUID) -> UUID:
    """Give a booking, confirmed or waiting, to a colleague who comes instead; the new booking's id.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY`, `NOT_YOUR_STAFF`, `REQUIREMENTS` or `ALREADY_BOOKED`.
    """
    booking = await _booking(work, booking_id)
    by = "manager" if booking.employer_id is not None else "team"
    request = Request(booking.session_id, (learner_id,), by, booking.employer_id)
    employers = await _employers(work, [learner_id], request)
    await check_requirements(work, await look(work, booking.session_id), [learner_id])
    bookable = (await lock(work, [booking.session_id]))[booking.session_id]
    await work.session.refresh(booking)
    _live(booking)
    _not_begun(work, bookable)
    await _not_booked(work, booking.session_id, [learner_id])
    reserves = await _reserves(work, booking.session_id, [learner_id], employers)
    state, reserve_id, place = booking.state, booking.reserve_id, booking.number
    booking.number = next_number(bookable)
    await end(work, [booking], "swapped", "a colleague comes instead")
    new = _made(work, request, bookable, [learner_id], employers, reserves)[0]
    new.number, new.party_id, new.follows_id, new.reserve_id = place, booking.party_id, booking.id, reserve_id
    new.booked_at = booking.booked_at  # the place in the order stays the one that was taken then
    # An offer was made to the one who gave way; whoever comes instead has said so by coming.
    new.state = "waiting" if state == "waiting" else "confirmed"
    new.confirmed_at = None if state == "waiting" else work.now
    work.add(new)
    await work.session.flush()
    note(work, new, None)
    kind = EventType.BOOKING_WAITING if state == "waiting" else EventType.BOOKING_CONFIRMED
    announce(work, kind, f"Booking:{new.id}")
    return new.id


async def answer_move(work: UnitOfWork, booking_id: UUID, *, coming: bool) -> None:
    """Say whether the new time of a session that was moved is good; who is not coming gives the place up.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY` or `NOT_ASKED`.
    """
    booking, bookable = await _held(work, booking_id)
    if booking.asked_again_at is None:
        raise TrainingRefusal("NOT_ASKED", "The session was not moved, so there is nothing to answer.", "id")
    booking.answered_at = work.now
    if coming:
        note(work, booking, booking.state)
        return
    await end(work, [booking], "cancelled", "cannot come at the new time")
    await give_places(work, bookable)


async def why_waiting(work: UnitOfWork, booking_id: UUID) -> list[Reason]:
    """Why a booking that waits has no place, in words; nothing for one that does not wait."""
    booking = await _booking(work, booking_id)
    if booking.state != "waiting":
        return []
    bookable = await look(work, booking.session_id)
    waiting = await waiting_of(work, booking.session_id)
    mine = [item for item in waiting if item.party == (booking.party_id or booking.id)]
    return why_no_place(
        await room_of(work, bookable),
        waiting,
        mine,
        policy=bookable.places.waiting_list,
        still_given=gives_places_on(bookable.gate, work.now),
    )


async def settle_double_bookings(work: UnitOfWork, kept_id: UUID, merged_id: UUID) -> None:
    """Before two learners become one: where both have a live booking of a session, the merged one's ends."""
    both = await work.session.scalars(
        select(Booking).where(among(Booking.learner_id, [kept_id, merged_id]), Booking.state.in_(LIVE))
    )
    by_session: dict[UUID, dict[UUID, Booking]] = {}
    for booking in both:
        by_session.setdefault(booking.session_id, {})[booking.learner_id] = booking
    twice = [found for found in by_session.values() if len(found) == 2]
    if not twice:
        return
    locked = await lock(work, [found[merged_id].session_id for found in twice])
    for found in twice:
        spare = found[merged_id]
        await work.session.refresh(spare)
        if spare.state in LIVE:
            await end(work, [spare], "cancelled", "the same person was booked twice")
            await give_places(work, locked[spare.session_id])


async def check_requirements(work: UnitOfWork, bookable: Bookable, learner_ids: Collection[UUID]) -> None:
    """Raise TrainingRefusal `REQUIREMENTS` with every reason unless all of them may come to the session."""
    against = await reasons_against(
        work,
        tier_id=bookable.session.tier_id,
        learner_ids=learner_ids,
        on=london_date(bookable.session.starts_at),
    )
    if against:
        reasons = [reason for learner_id in learner_ids for reason in against.get(learner_id, ())]
        whose = "The learner" if len(learner_ids) == 1 else f"{len(against)} of {len(learner_ids)} learners"
        raise TrainingRefusal(
            "REQUIREMENTS",
            f"{whose} may not book this session yet: {reasons[0].message}",
            "learners",
            reasons,
        )


def _open(work: UnitOfWork, bookable: Bookable, *, by_team: bool) -> None:
    reason = closed_because(bookable.gate, work.now, by_team=by_team)
    if reason is not None:
        raise TrainingRefusal(reason.code, reason.message, "session")


def _not_begun(work: UnitOfWork, bookable: Bookable) -> None:
    if work.now >= bookable.session.starts_at:
        raise TrainingRefusal(
            "SESSION_BEGUN", "The session has begun. Record who came instead of changing the booking.", "id"
        )


async def _booking(work: UnitOfWork, booking_id: UUID) -> Booking:
    booking = await work.session.get(Booking, (work.tenant_id, booking_id))
    if booking is None:
        raise TrainingRefusal("NO_SUCH_BOOKING", "There is no such booking. Look at the session's list.", "id")
    return booking


def _live(booking: Booking) -> None:
    if booking.state not in LIVE:
        raise TrainingRefusal(
            "ENDED_ALREADY", f"The booking has ended ({booking.state}). Book again if a place is wanted.", "id"
        )


async def _held(work: UnitOfWork, booking_id: UUID) -> tuple[Booking, Bookable]:
    """A live booking, with its session locked."""
    booking = await _booking(work, booking_id)
    bookable = (await lock(work, [booking.session_id]))[booking.session_id]
    await work.session.refresh(booking)
    _live(booking)
    return booking, bookable


async def _open_offer(work: UnitOfWork, booking: Booking) -> PlaceOffer | None:
    found = select(PlaceOffer).where(PlaceOffer.booking_id == booking.id, PlaceOffer.state == "open")
    return (await work.session.scalars(found)).first()


async def _party(work: UnitOfWork, booking: Booking) -> list[Booking]:
    """Those who were offered places together with a booking, itself among them."""
    if booking.party_id is None:
        return [booking]
    members = await work.session.scalars(
        select(Booking)
        .where(Booking.party_id == booking.party_id, Booking.session_id == booking.session_id)
        .where(Booking.state == booking.state)
        .order_by(Booking.number)
    )
    return list(members)


async def _not_booked(work: UnitOfWork, session_id: UUID, learner_ids: Sequence[UUID]) -> None:
    booked = await work.session.execute(
        select(Booking.learner_id, Booking.state).where(
            Booking.session_id == session_id, among(Booking.learner_id, learner_ids), Booking.state.in_(LIVE)
        )
    )
    reasons = [
        Reason(
            "ALREADY_BOOKED", f"This learner has a booking of the session, which is {row.state}.", None, row.learner_id
        )
        for row in booked
    ]
    if reasons:
        raise TrainingRefusal(
            "ALREADY_BOOKED",
            "Somebody named is booked for this session already. Leave them out, or look at their booking.",
            "learners",
            reasons,
        )


async def _employers(work: UnitOfWork, learner_ids: Sequence[UUID], request: Request) -> dict[UUID, UUID | None]:
    """The employer that each learner is booked for: the one named, or the only one they have."""
    today = london_date(work.now)
    rows = await work.session.execute(
        select(Learner.id, Employment.employer_id)
        .outerjoin(
            Employment,
            and_(
                Employment.tenant_id == Learner.tenant_id,
                Employment.learner_id == Learner.id,
                Employment.started_on <= today,
                or_(Employment.ended_on.is_(None), Employment.ended_on >= today),
            ),
        )
        .where(among(Learner.id, learner_ids), Learner.merged_into_id.is_(None))
    )
    at_work: dict[UUID, set[UUID]] = {}
    for learner_id, employer_id in rows:
        at_work.setdefault(learner_id, set()).update({employer_id} - {None})
    if missing := [learner_id for learner_id in learner_ids if learner_id not in at_work]:
        raise TrainingRefusal(
            "NO_SUCH_LEARNER",
            "There is no such learner, or the record was merged into another. Choose from the list.",
            "learners",
            [Reason("NO_SUCH_LEARNER", "There is no such learner.", None, learner_id) for learner_id in missing],
        )
    if request.booked_by == "manager":
        strangers = [learner_id for learner_id in learner_ids if request.employer_id not in at_work[learner_id]]
        if request.employer_id is None or strangers:
            raise TrainingRefusal(
                "NOT_YOUR_STAFF",
                "A manager books people who work for the employer named today. Name the employer, or ask the "
                "programme's team to enter who works there.",
                "learners",
                [Reason("NOT_YOUR_STAFF", "Does not work there today.", None, learner_id) for learner_id in strangers],
            )
    return {
        learner_id: request.employer_id or (next(iter(at_work[learner_id])) if len(at_work[learner_id]) == 1 else None)
        for learner_id in learner_ids
    }


async def _reserves(
    work: UnitOfWork, session_id: UUID, learner_ids: Sequence[UUID], employers: Mapping[UUID, UUID | None]
) -> dict[UUID, list[UUID]]:
    """The reserves of a session that each learner may draw on, by where they work."""
    kept = (await work.session.scalars(select(PlaceReserve).where(PlaceReserve.session_id == session_id))).all()
    allowed: dict[UUID, list[UUID]] = {learner_id: [] for learner_id in learner_ids}
    if not kept:
        return allowed
    marks: dict[UUID, set[tuple[str, str | None]]] = {}
    rows = await work.session.execute(
        select(
            Employer.id,
            CqcLocation.primary_setting,
            CqcLocation.local_authority,
            ProviderGroupLocation.provider_group_id,
        )
        .join(
            TenantLocation,
            and_(TenantLocation.tenant_id == Employer.tenant_id, TenantLocation.id == Employer.tenant_location_id),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(
            ProviderGroupLocation,
            and_(
                ProviderGroupLocation.tenant_id == TenantLocation.tenant_id,
                ProviderGroupLocation.tenant_location_id == TenantLocation.id,
            ),
        )
        .where(among(Employer.id, {employer_id for employer_id in employers.values() if employer_id}))
    )
    for employer_id, setting, authority, group_id in rows:
        marks.setdefault(employer_id, set()).update(
            {("setting", setting), ("local_authority", authority), ("provider_group", str(group_id))}
        )
    for learner_id in learner_ids:
        employer = employers[learner_id]
        own = marks.get(employer, set()) if employer else set()
        allowed[learner_id] = [reserve.id for reserve in kept if (reserve.kind, reserve.value) in own]
    return allowed


def _made(
    work: UnitOfWork,
    request: Request,
    bookable: Bookable,
    learner_ids: Sequence[UUID],
    employers: Mapping[UUID, UUID | None],
    reserves: Mapping[UUID, Sequence[UUID]],
) -> list[Booking]:
    """New bookings, which wait until they are given places."""
    party_id = new_id() if request.together and len(learner_ids) > 1 else None
    return [
        Booking(
            tenant_id=work.tenant_id,
            id=new_id(),
            session_id=request.session_id,
            learner_id=learner_id,
            employer_id=employers[learner_id],
            state="waiting",
            number=next_number(bookable),
            party_id=party_id,
            reserves=[str(reserve_id) for reserve_id in reserves[learner_id]],
            reserve_id=None,
            reference=new_reference(),
            booked_by=request.booked_by,
            booked_at=work.now,
            confirmed_at=None,
            asked_again_at=None,
            answered_at=None,
            work_group=None,
            ended_at=None,
            ended_because=None,
            late=False,
            follows_id=None,
        )
        for learner_id in learner_ids
    ]


async def _place(work: UnitOfWork, bookable: Bookable, made: Sequence[Booking], *, wait: bool) -> None:
    """Store new bookings, confirmed if there is room after those who wait. Raises TrainingRefusal `FULL`."""
    room = await room_of(work, bookable)
    if room.free and await waiting_of(work, bookable.session.id, 1):
        # Whoever waited comes first, as when a reserve has ended this moment and nobody has looked yet.
        await give_places(work, bookable, room)
        room = await room_of(work, bookable)
    own = [
        Waiting(booking.id, booking.number, booking.party_id or booking.id, frozenset(map(UUID, booking.reserves)))
        for booking in made
    ]
    by_id = {booking.id: booking for booking in made}
    for item, reserve_id in next_in_order(room, own):
        booking = by_id[item.id]
        booking.state, booking.confirmed_at, booking.reserve_id = "confirmed", work.now, reserve_id
    nobody_waits = bookable.places.waiting_list == "none"
    if any(booking.state == "waiting" for booking in made) and (nobody_waits or not wait):
        raise TrainingRefusal(
            "FULL",
            f"{_free_places(room.free)} and {'there is no waiting list' if nobody_waits else 'you chose not to wait'}. "
            "Choose another session.",
            "session",
        )
    work.add(*made)
    await work.session.flush()


def _free_places(count: int) -> str:
    return "No place is free" if count == 0 else f"Not enough places are free for this booking ({count})"
