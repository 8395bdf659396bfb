"""What tests of booking share: staff of care homes, sessions that can be booked, and questions about them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import CqcLocation, Employer, Employment, Learner, TenantLocation
from app.training.booking.models import Booking
from app.training.sessions.details import Places, SessionDetails
from app.training.sessions.operations import create_session, publish_session
from app.training.sessions.team import Member, save_member
from tenants.identifiers import new_id
from tests.support import NOW, Installation
from tests.webhooks.support import work_off
from workers import booking, certificates, evidence, training, webhooks

NEXT_WEEK = NOW + timedelta(days=7)


async def make_staff(
    installation: Installation, count: int, *, home: str = "Rose Lodge", setting: str | None = None
) -> tuple[UUID, list[UUID]]:
    """An employer of the north and as many learners who work there today; a setting gives it a CQC location."""
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        location_id = None
        if setting is not None:
            cqc = f"1-{new_id().int % 10**9}"
            work.add(
                CqcLocation(
                    id=cqc, original_id=cqc, name=home, primary_setting=setting, local_authority="Luton",
                    service_types=[], user_bands=[], regulated_activities=[], updated_at=NOW,
                )
            )  # fmt: skip
            await work.session.flush()
            location_id = new_id()
            work.add(
                TenantLocation(
                    tenant_id=work.tenant_id, id=location_id, location_id=cqc, relationship="in_area",
                    since=date(2020, 1, 1), created_at=NOW,
                )
            )  # fmt: skip
            await work.session.flush()
        employer = Employer(
            tenant_id=work.tenant_id, id=new_id(), name=home, kind="care_provider", tenant_location_id=location_id,
            created_at=NOW,
        )  # fmt: skip
        work.add(employer)
        await work.session.flush()
        learners = [new_id() for _ in range(count)]
        await work.insert_rows(
            Learner,
            ("id", "display_name", "name_key", "created_at"),
            ((learner, f"Learner {number}", f"learner {number}", NOW) for number, learner in enumerate(learners)),
        )
        await work.insert_rows(
            Employment,
            ("id", "learner_id", "employer_id", "started_on", "created_at"),
            ((new_id(), learner, employer.id, date(2025, 1, 1), NOW) for learner in learners),
        )
        return employer.id, learners


async def make_session(installation: Installation, places: Places, **others: Any) -> UUID:
    """A published session of the north next week."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        leader = Member("Ada Leader", "pharmacist", ("facilitator",), None, "GPhC", "2000001")
        member, _ = await save_member(work, leader)
        details = SessionDetails("PRN medicines", NEXT_WEEK, NEXT_WEEK + timedelta(hours=2), places=places)
        details = replace(details, facilitator_ids=(member,), **others)
        session_id = await create_session(work, details)
        await publish_session(work, session_id, 1)
        return session_id


async def states(installation: Installation, session_id: UUID) -> dict[UUID, str]:
    """The latest state of each learner's booking of a session."""
    async with installation.database.session(installation.context(installation.north)) as session:
        rows = await session.execute(
            select(Booking.learner_id, Booking.state).where(Booking.session_id == session_id).order_by(Booking.number)
        )
        return {row.learner_id: row.state for row in rows}


async def bookings_of(installation: Installation, session_id: UUID) -> list[Booking]:
    """All bookings of a session in their order."""
    async with installation.database.session(installation.context(installation.north)) as session:
        found = select(Booking).where(Booking.session_id == session_id).order_by(Booking.number)
        return list(await session.scalars(found))


async def let_time_pass(installation: Installation, by: timedelta) -> None:
    """Move the clock, and let the workers do what falls due."""
    for family in (booking, certificates, evidence, training, webhooks):
        family.register_handlers()
    installation.clock.move(by)
    await work_off(installation)


BOOK = """mutation ($input: BookPlacesInput!) { result: bookPlaces(input: $input) { __typename
  ... on BookingsMade { bookings { id state waitingPosition reference learner { id } } }
  ... on BookingRefused { code message path reasons { code message ruleId learnerId } } } }"""


async def book(
    installation: Installation, session_id: UUID, learners: Sequence[UUID], by: str = "TEAM", **others: Any
) -> dict[str, Any]:
    """The answer to booking these learners through the API."""
    given = {
        "sessionId": f"Session:{session_id}",
        "learnerIds": [f"Learner:{learner}" for learner in learners],
        "bookedBy": by,
    }
    result: dict[str, Any] = (await installation.data(installation.north, BOOK, {"input": given | others}))["result"]
    return result


async def change(installation: Installation, name: str, answer: str, **arguments: Any) -> dict[str, Any]:
    """The answer to a mutation whose arguments are literals."""
    given = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    document = f"""mutation {{ result: {name}({given}) {{ __typename ... on {answer}
      ... on UserError {{ code message path }} }} }}"""
    result: dict[str, Any] = (await installation.data(installation.north, document))["result"]
    return result


def booking_id(made: dict[str, Any], position: int = 0) -> str:
    """The id of a booking as a literal."""
    return f'"{made["bookings"][position]["id"]}"'
