"""Changes of bookings: book, cancel, answer an offer, transfer, swap. Each locks the session's places first."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from app.training.booking.models import LIVE, Booking, PlaceOffer
from app.training.booking.places import (
    Bookable,
    confirm,
    end,
    give_places,
    lock,
    look,
    note,
    standing_of,
    take_numbers,
    waiting_of,
)
from app.training.booking.placing import PARTY_AT_MOST, Request, employers_of, nobody_twice, people_for, place, store
from app.training.booking.rules import closed_because, gives_places_on, why_no_place
from app.training.errors import Reason, TrainingRefusal
from app.training.requirements.gating import reasons_against
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


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
    employers = await employers_of(work, learners, request)
    await check_requirements(work, bookable, learners)
    bookable = (await lock(work, [request.session_id]))[request.session_id]
    _open(work, bookable, by_team=request.booked_by == "team")
    party_id = new_id() if request.together and len(learners) > 1 else None
    people = await people_for(work, bookable, learners, employers, request.booked_by, party_id)
    return await place(work, bookable, people, wait=request.wait)


async def cancel(work: UnitOfWork, booking_id: UUID, because: str = "cancelled") -> None:
    """End a booking; its place goes to whoever is next. `because` is a word or a sentence for people.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY` or `SESSION_BEGUN`.
    """
    booking, bookable = await _held(work, booking_id)
    _not_begun(work, bookable)
    await end(work, [booking], "cancelled", because, late=work.now >= bookable.cancel_until)
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
    learner_id = booking.learner_id
    people = await people_for(work, target, [learner_id], {learner_id: booking.employer_id}, booking.booked_by)
    (made,) = await place(work, target, [replace(people[0], follows_id=booking.id)], wait=False)
    await end(work, [booking], "transferred", "moved to another session")
    await give_places(work, source)
    return made


async def swap(work: UnitOfWork, booking_id: UUID, learner_id: UUID) -> UUID:
    """Give a booking, confirmed or waiting, to a colleague who comes instead; the new booking's id.

    Raises TrainingRefusal `NO_SUCH_BOOKING`, `ENDED_ALREADY`, `NOT_YOUR_STAFF`, `REQUIREMENTS` or `ALREADY_BOOKED`.
    """
    booking = await _booking(work, booking_id)
    by = "manager" if booking.employer_id is not None else "team"
    request = Request(booking.session_id, (learner_id,), by, booking.employer_id)
    employers = await employers_of(work, [learner_id], request)
    await check_requirements(work, await look(work, booking.session_id), [learner_id])
    bookable = (await lock(work, [booking.session_id]))[booking.session_id]
    await work.session.refresh(booking)
    _live(booking)
    _not_begun(work, bookable)
    nobody_twice((await standing_of(work, booking.session_id, [learner_id])).booked)
    (person,) = await people_for(work, bookable, [learner_id], employers, by, booking.party_id)
    # An offer was made to the one who gave way; whoever comes instead has said so by coming.
    state = "waiting" if booking.state == "waiting" else "confirmed"
    person = replace(
        person, state=state, reserve_id=booking.reserve_id, follows_id=booking.id, booked_at=booking.booked_at
    )
    number = booking.number
    (booking.number,) = await take_numbers(work, bookable, 1)
    await end(work, [booking], "swapped", "a colleague comes instead")
    await store(work, [person], [number])
    return person.id


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
        (await standing_of(work, booking.session_id)).room,
        waiting,
        mine,
        policy=bookable.waiting_list,
        still_given=gives_places_on(bookable.gate, work.now),
    )


async def settle_double_bookings(work: UnitOfWork, kept_id: UUID, merged_id: UUID) -> None:
    """Before two learners become one: where both have a live booking of a session, the one that counts less ends.

    A place counts more than an offer, an offer more than waiting; of two alike the earlier stays.
    """
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
    order = ("confirmed", "offered", "waiting")
    for found in twice:
        for booking in found.values():
            await work.session.refresh(booking)
        if all(booking.state in LIVE for booking in found.values()):
            spare = max(found.values(), key=lambda booking: (order.index(booking.state), booking.number))
            await end(work, [spare], "cancelled", "the same person was booked twice")
            await give_places(work, locked[spare.session_id])


async def check_requirements(work: UnitOfWork, bookable: Bookable, learner_ids: Collection[UUID]) -> None:
    """Raise TrainingRefusal `REQUIREMENTS` with every reason unless all of them may come to the session."""
    against = await reasons_against(
        work,
        tier_id=bookable.tier_id,
        learner_ids=learner_ids,
        on=london_date(bookable.starts_at),
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
    if work.now >= bookable.starts_at:
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
