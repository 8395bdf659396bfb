"""Any interleaving of bookings, cancellations, changes of capacity and offers keeps every promise of a waiting list.

Programs come from hypothesis and run on real PostgreSQL: the commands of a round at once, in transactions of their own.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.training.booking import operations, placing
from app.training.booking.models import HOLDS_A_PLACE, LIVE, Booking, PlaceOffer, SessionPlaces
from app.training.booking.places import give_places, lock
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from app.training.sessions.details import Places
from app.training.sessions.operations import set_places
from tenants.session import UnitOfWork
from tests.booking.support import bookings_of, make_session, make_staff
from tests.support import Installation

PEOPLE = 12


@dataclass(frozen=True)
class Command:
    """What somebody does; `number` names whom, which booking, or how many places."""

    what: str
    number: int


COMMANDS = st.builds(
    Command,
    st.sampled_from(("book", "book", "book", "pair", "cancel", "cancel", "capacity", "accept", "decline", "swap")),
    st.integers(0, PEOPLE - 1),
)
PROGRAMS = st.lists(st.lists(COMMANDS, min_size=2, max_size=6), min_size=2, max_size=5)
REFUSALS = {"ALREADY_BOOKED", "ENDED_ALREADY", "PLACES_TAKEN", "NO_OFFER", "FULL", "NO_SUCH_BOOKING"}


class Stage:
    """One session and the people who want to come to it."""

    def __init__(self, installation: Installation, session_id: UUID, staff: Sequence[UUID], policy: str) -> None:
        self.installation, self.session_id, self.staff, self.policy = installation, session_id, staff, policy
        self.made: list[UUID] = []
        self.pairs: set[UUID] = set()

    async def run(self, command: Command) -> None:
        """One command in its own transaction; refusals of the rules are answers like others."""
        try:
            async with self.installation.database.unit_of_work(
                self.installation.context(self.installation.north)
            ) as work:
                made = await self._do(work, command)
            self.made += made
            if command.what == "pair":
                self.pairs.update(made)
        except TrainingRefusal as refusal:
            if refusal.code not in REFUSALS:
                raise

    async def _do(self, work: UnitOfWork, command: Command) -> list[UUID]:
        person = self.staff[command.number]
        if command.what == "book":
            return await operations.book(work, placing.Request(self.session_id, (person,), "team"))
        if command.what == "pair":
            two = (person, self.staff[(command.number + 1) % PEOPLE])
            return await operations.book(work, placing.Request(self.session_id, two, "team", together=True))
        if command.what == "capacity":
            session = await work.session.get_one(TrainingSession, (work.tenant_id, self.session_id))
            hours = 5 if self.policy == "offer" else None
            await set_places(work, session, Places(1 + command.number, self.policy, hours))
            await give_places(work, (await lock(work, [self.session_id]))[self.session_id])
            return []
        target = self.made[command.number % len(self.made)] if self.made else self.session_id
        if command.what == "cancel":
            await operations.cancel(work, target)
        elif command.what == "swap":
            return [await operations.swap(work, target, person)]
        else:
            await operations.answer_offer(work, target, accept=command.what == "accept")
        return []

    async def check(self) -> None:
        """Never more places than there are, the order kept, nobody lost, each learner in at most once."""
        bookings = await bookings_of(self.installation, self.session_id)
        async with self.installation.database.session(self.installation.context(self.installation.north)) as session:
            capacity = (
                await session.scalars(select(SessionPlaces.capacity).where(SessionPlaces.session_id == self.session_id))
            ).one()
            offers = (
                await session.scalars(
                    select(func.count())
                    .select_from(PlaceOffer)
                    .join(Booking, Booking.id == PlaceOffer.booking_id)
                    .where(Booking.session_id == self.session_id, PlaceOffer.state == "open")
                )
            ).one()
        taken = [booking for booking in bookings if booking.state in HOLDS_A_PLACE]
        waiting = [booking for booking in bookings if booking.state == "waiting"]
        assert len(taken) <= capacity
        assert {booking.id for booking in bookings} == set(self.made), "every booking that was answered is there"
        live = [booking.learner_id for booking in bookings if booking.state in LIVE]
        assert len(live) == len(set(live))
        assert offers == sum(booking.state == "offered" for booking in bookings)
        free = capacity - len(taken)
        sizes: dict[UUID, int] = {}
        for booking in waiting:
            sizes[booking.party_id or booking.id] = sizes.get(booking.party_id or booking.id, 0) + 1
        assert all(size > free for size in sizes.values()), "a free place goes to whoever it is enough for"
        alone = [booking.number for booking in waiting if booking.party_id is None]
        if alone and not self.pairs:
            assert max((booking.number for booking in taken), default=0) < min(alone), "nobody was passed"


@pytest.mark.row("A22")
@pytest.mark.parametrize("policy", ["promote", "offer"])
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(program=PROGRAMS, capacity=st.integers(1, 4))
async def test_any_interleaving(
    installation: Installation, policy: str, program: list[list[Command]], capacity: int
) -> None:
    hours = 5 if policy == "offer" else None
    session_id = await make_session(installation, Places(capacity, policy, hours))
    _, staff = await make_staff(installation, PEOPLE)
    stage = Stage(installation, session_id, staff, policy)
    for together in program:
        await asyncio.gather(*[stage.run(command) for command in together])
        await stage.check()


@pytest.mark.row("A22")
@pytest.mark.one_login
async def test_processes_that_are_killed_lose_nobody_and_leave_nothing_half_done(installation: Installation) -> None:
    session_id = await make_session(installation, Places(15))
    _, staff = await make_staff(installation, 60)
    told = []
    for round_number in range(2):
        people = staff[round_number * 15 : round_number * 15 + 15]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.booking.rushing", installation.urls.app, str(installation.north),
            str(session_id), *map(str, people), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(6 + round_number):
            told.append((await process.stdout.readline()).decode().split())
        os.kill(process.pid, signal.SIGKILL)
        rest = (await process.stdout.read()).decode().splitlines()
        told += [line.split() for line in rest if len(line.split()) == 2]
        await process.wait()
    bookings = {str(booking.learner_id): booking for booking in await bookings_of(installation, session_id)}
    assert len(told) >= 12
    for learner_id, state in told:
        assert bookings[learner_id].state == state, "what was answered stands"
    taken = [booking.number for booking in bookings.values() if booking.state == "confirmed"]
    waiting = [booking.number for booking in bookings.values() if booking.state == "waiting"]
    assert len(taken) == min(15, len(bookings))
    assert max(taken) < min(waiting, default=10**9)
    installation.clock.move(timedelta(minutes=1))
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        left = [learner for learner in staff if str(learner) not in bookings]
        assert await operations.book(work, placing.Request(session_id, tuple(left[:1]), "team")), "no lock is left"
