"""Mutations of money: funding streams, licence pools and their seats, rates, time."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.training.funding import operations
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.governance import OF_A_NEW_ONE, optional, word
from medstead_graphql.mutations.governance_payload import FundingRefused, answering
from medstead_graphql.mutations.mapping_payload import key
from medstead_graphql.mutations.payload import Handler, Payload, command, success
from medstead_graphql.types.common import Profession
from medstead_graphql.types.funding import FundingStream, LicenceEnrolment, LicencePool, StaffRate, TimeLog
from medstead_graphql.types.governance_words import BeyondPool, TimeActivity
from tenants.session import UnitOfWork

WRITE = "finance:write"


@strawberry.type(description="The stream is as asked.")
class FundingStreamSaved:
    """Success of saveFundingStream."""

    stream: FundingStream


@strawberry.type(description="The pool is as asked.")
class LicencePoolSaved:
    """Success of saveLicencePool."""

    pool: LicencePool


@strawberry.type(description="The seat is charged, awaited or free.")
class SeatChanged:
    """Success of enrolling and releasing."""

    enrolment: LicenceEnrolment


@strawberry.type(description="The rate is known.")
class RateSet:
    """Success of setStaffRate."""

    rate: StaffRate


@strawberry.type(description="The time is logged.")
class TimeLogged:
    """Success of logTime."""

    time: TimeLog


FundingStreamResult = Annotated[FundingStreamSaved | FundingRefused, strawberry.union("FundingStreamResult")]
LicencePoolResult = Annotated[LicencePoolSaved | FundingRefused, strawberry.union("LicencePoolResult")]
SeatResult = Annotated[SeatChanged | FundingRefused, strawberry.union("SeatResult")]
RateResult = Annotated[RateSet | FundingRefused, strawberry.union("RateResult")]
TimeLogResult = Annotated[TimeLogged | FundingRefused, strawberry.union("TimeLogResult")]


@strawberry.input(description=f"A stream, in pounds. No courses, no settings: for all. {OF_A_NEW_ONE}")
class FundingStreamInput:
    """A stream."""

    id: strawberry.ID | None = None
    version: int
    name: str
    funder: str
    amount: Decimal
    starts_on: date
    ends_on: date
    courses: list[strawberry.ID] = strawberry.field(default_factory=list)
    eligible_settings: list[str] = strawberry.field(default_factory=list)


@strawberry.input(description=f"A pool of seats. `costPerSeat` in pounds; left out: not known. {OF_A_NEW_ONE}")
class LicencePoolInput:
    """A pool."""

    id: strawberry.ID | None = None
    version: int
    name: str
    course: strawberry.ID
    seats: int
    beyond: BeyondPool
    starts_on: date
    ends_on: date
    stream: strawberry.ID | None = None
    cost_per_seat: Decimal | None = None


@strawberry.input(description="What an hour of a profession costs from a day on, in pounds.")
class StaffRateInput:
    """A rate."""

    profession: Profession
    hourly_rate: Decimal
    valid_from: date


@strawberry.input(description="Minutes spent on a session. Told again for the same activity, the later one holds.")
class TimeLogInput:
    """Time."""

    session: strawberry.ID
    team_member: strawberry.ID
    activity: TimeActivity
    minutes: int


async def _stream(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    stream = operations.StreamGiven(
        given["name"],
        given["funder"],
        given["amount"],
        given["startsOn"],
        given["endsOn"],
        [key({"courses": text}, "courses", "Course") for text in given["courses"]],
        given["eligibleSettings"],
    )
    stream_id = await operations.save_stream(
        work, stream, stream_id=optional(given, "id", "FundingStream"), version=given["version"]
    )
    return success("FundingStreamSaved", {"stream": stream_id})


async def _pool(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    pool = operations.PoolGiven(
        given["name"],
        key(given, "course", "Course"),
        given["seats"],
        word(given["beyond"]),
        given["startsOn"],
        given["endsOn"],
        optional(given, "stream", "FundingStream"),
        given.get("costPerSeat"),
    )
    pool_id = await operations.save_pool(
        work, pool, pool_id=optional(given, "id", "LicencePool"), version=given["version"]
    )
    return success("LicencePoolSaved", {"pool": pool_id})


async def _enrol(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    pool_id, learner_id = key(arguments, "pool", "LicencePool"), key(arguments, "learner", "Learner")
    return success("SeatChanged", {"enrolment": await operations.enrol(work, pool_id, learner_id)})


async def _release(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    enrolment_id = await operations.release(work, key(arguments, "id", "LicenceEnrolment"))
    return success("SeatChanged", {"enrolment": enrolment_id})


async def _rate(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    rate_id = await operations.set_rate(work, word(given["profession"]), given["hourlyRate"], given["validFrom"])
    return success("RateSet", {"rate": rate_id})


async def _time(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    log_id = await operations.log_time(
        work,
        key(given, "session", "Session"),
        key(given, "teamMember", "TeamMember"),
        word(given["activity"]),
        given["minutes"],
    )
    return success("TimeLogged", {"time": log_id})


def _typed(handler: Handler) -> Handler:
    return answering("FundingRefused", handler)


@strawberry.type
class FundingMutations:
    """Mutations of money."""

    save_funding_stream: FundingStreamResult | None = command(
        _typed(_stream), WRITE, {"input": FundingStreamInput}, description="Make or change a funding stream."
    )
    save_licence_pool: LicencePoolResult | None = command(
        _typed(_pool), WRITE, {"input": LicencePoolInput}, description="Make or change a licence pool."
    )
    enrol_learner: SeatResult | None = command(
        _typed(_enrol),
        WRITE,
        {"pool": strawberry.ID, "learner": strawberry.ID},
        description="Charge a seat to a learner, or let them wait where the pool says so.",
    )
    release_seat: SeatResult | None = command(
        _typed(_release), WRITE, {"id": strawberry.ID}, description="Free a seat; it goes to whoever waits first."
    )
    set_staff_rate: RateResult | None = command(
        _typed(_rate), WRITE, {"input": StaffRateInput}, description="Set what an hour of a profession costs."
    )
    log_time: TimeLogResult | None = command(
        _typed(_time), WRITE, {"input": TimeLogInput}, description="Log time that was spent on a session."
    )
