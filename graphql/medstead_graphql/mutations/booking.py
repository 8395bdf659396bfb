"""Mutations of bookings and attendance, and the questions before and after: may they book, why do they wait."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.booking import check_in, operations, places, placing
from app.training.booking.rules import closed_because
from app.training.errors import Reason, TrainingRefusal
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import computed
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.mutations.payload import (
    Handler,
    Payload,
    RefusalReason,
    UserError,
    command,
    refusal,
    row_id,
    success,
)
from medstead_graphql.types.booking import Booking
from medstead_graphql.types.common import BookedBy
from medstead_graphql.types.training import Session
from tenants.session import UnitOfWork

WRITE = "bookings:write"
READ = "training:read"


@strawberry.type(description="Why a booking cannot be made or changed as asked, with every reason.")
class BookingRefused(UserError):
    """A refusal of a booking."""

    code: str
    message: str
    path: list[str]
    reasons: list[RefusalReason]


@strawberry.type(description="The booking as it stands now.")
class BookingChanged:
    """Success of mutations of one booking."""

    booking: Booking


@strawberry.type(description="The bookings that were made, in the order of the learners: confirmed or waiting.")
class BookingsMade:
    """Success of bookPlaces."""

    bookings: list[Booking]


@strawberry.type(description="The session that somebody was checked in to, or marked at.")
class AttendanceMarked:
    """Success of checkIn, markAttendance and overrideAttendance."""

    session: Session
    already: bool = strawberry.field(description="The same was known before; nothing was added.")


BookingResult = Annotated[BookingChanged | BookingRefused, strawberry.union("BookingResult")]
BookPlacesResult = Annotated[BookingsMade | BookingRefused, strawberry.union("BookPlacesResult")]
AttendanceResult = Annotated[AttendanceMarked | BookingRefused, strawberry.union("AttendanceResult")]


@strawberry.input(
    description="Learners to book. A manager names the employer that all of them work for. "
    "`together`: all get a place or none. `wait`: take a place in the waiting list if there is no other."
)
class BookPlacesInput:
    """A request for places."""

    session_id: strawberry.ID
    learner_ids: list[strawberry.ID]
    booked_by: BookedBy
    employer_id: strawberry.ID | None = None
    together: bool = False
    wait: bool = True


@strawberry.input(description="Whether a learner was seen in a half of a session (1 or 2).")
class MarkAttendanceInput:
    """A mark of attendance."""

    session_id: strawberry.ID
    learner_id: strawberry.ID
    part: int = 1
    present: bool


@strawberry.input(description="A decision by hand on a whole session; it goes before all other evidence.")
class OverrideAttendanceInput:
    """An override."""

    session_id: strawberry.ID
    learner_id: strawberry.ID
    present: bool
    reason: str


def _reasons(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    return [
        {
            "code": reason.code,
            "message": reason.message,
            "ruleId": None if reason.rule_id is None else f"PrerequisiteRule:{reason.rule_id}",
            "learnerId": None if reason.learner_id is None else f"Learner:{reason.learner_id}",
        }
        for reason in reasons
    ]


def _typed(handler: Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]) -> Handler:
    async def typed(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await handler(work, arguments)
        except TrainingRefusal as error:
            path = tuple(filter(None, (error.field,)))
            return refusal("BookingRefused", error.code, error.message, path, reasons=_reasons(error.reasons))

    return typed


def _id(text: Any, type_name: str) -> UUID:
    return row_id(text, type_name, TrainingRefusal)


async def _book(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    employer = given.get("employerId")
    request = placing.Request(
        session_id=_id(given["sessionId"], "Session"),
        learner_ids=tuple(_id(learner, "Learner") for learner in given["learnerIds"]),
        booked_by=given["bookedBy"],
        employer_id=None if employer is None else _id(employer, "Employer"),
        wait=given["wait"],
        together=given["together"],
    )
    return success("BookingsMade", {"bookings": await operations.book(work, request)})


async def _cancel(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    booking_id = _id(arguments["id"], "Booking")
    await operations.cancel(work, booking_id, " ".join((arguments.get("reason") or "").split()) or "cancelled")
    return success("BookingChanged", {"booking": booking_id})


async def _answer_offer(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    booking_id = _id(arguments["id"], "Booking")
    await operations.answer_offer(work, booking_id, accept=arguments["accept"])
    return success("BookingChanged", {"booking": booking_id})


async def _transfer(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    made = await operations.transfer(
        work,
        _id(arguments["id"], "Booking"),
        _id(arguments["sessionId"], "Session"),
        by_team=arguments["bookedBy"] == "team",
    )
    return success("BookingChanged", {"booking": made})


async def _swap(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    made = await operations.swap(work, _id(arguments["id"], "Booking"), _id(arguments["learnerId"], "Learner"))
    return success("BookingChanged", {"booking": made})


async def _answer_move(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    booking_id = _id(arguments["id"], "Booking")
    await operations.answer_move(work, booking_id, coming=arguments["coming"])
    return success("BookingChanged", {"booking": booking_id})


async def _check_in(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    found = await check_in.scan(work, _id(arguments["sessionId"], "Session"), arguments["reference"])
    return success("AttendanceMarked", {"session": found.session.id}, {"already": found.already})


async def _mark(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    session_id, learner_id = _id(given["sessionId"], "Session"), _id(given["learnerId"], "Learner")
    new = await check_in.mark(work, session_id, [check_in.Seen(learner_id, given["part"], given["present"])], "list")
    return success("AttendanceMarked", {"session": session_id}, {"already": new == 0})


async def _override(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    session_id, learner_id = _id(given["sessionId"], "Session"), _id(given["learnerId"], "Learner")
    seen = check_in.Seen(learner_id, None, given["present"])
    await check_in.mark(work, session_id, [seen], "override", given["reason"])
    return success("AttendanceMarked", {"session": session_id}, {"already": False})


async def _may_book(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        learners = [_id(learner, "Learner") for learner in arguments["learnerIds"]]
        bookable = await places.look(work, _id(arguments["sessionId"], "Session"))
        closed = closed_because(bookable.gate, work.now, by_team=False)
        reasons = [] if closed is None else [closed]
        await operations.check_requirements(work, bookable, learners[: placing.PARTY_AT_MOST])
    except TrainingRefusal as error:
        if not error.reasons:
            raise Refusal(error.code, error.message) from error
        reasons += error.reasons
    return _reasons(reasons)


async def _why_waiting(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        return _reasons(await operations.why_waiting(work, _id(arguments["bookingId"], "Booking")))
    except TrainingRefusal as error:
        raise Refusal(error.code, error.message) from error


@strawberry.type
class BookingQuestions:
    """Questions that the booking rules answer."""

    booking_obstacles: list[RefusalReason] | None = computed(
        _may_book,
        READ,
        {"session_id": strawberry.ID, "learner_ids": list[strawberry.ID]},
        description="What stands in the way of booking these learners, at most 50, before anybody tries; empty if "
        "nothing does.",
    )
    waiting_reasons: list[RefusalReason] | None = computed(
        _why_waiting,
        READ,
        {"booking_id": strawberry.ID},
        description="Why a booking that waits has no place, in words; empty for one that does not wait.",
    )


@strawberry.type
class BookingMutations:
    """Mutations of bookings."""

    book_places: BookPlacesResult | None = command(
        _typed(_book), WRITE, {"input": BookPlacesInput}, description="Book learners for a session."
    )
    cancel_booking: BookingResult | None = command(
        _typed(_cancel),
        WRITE,
        {"id": strawberry.ID, "reason": str | None},
        description="Cancel a booking, or leave the waiting list. The place goes to whoever is next.",
    )
    answer_offer: BookingResult | None = command(
        _typed(_answer_offer),
        WRITE,
        {"id": strawberry.ID, "accept": bool},
        description="Take a place that is offered, or let it go; for a whole party at once.",
    )
    transfer_booking: BookingResult | None = command(
        _typed(_transfer),
        WRITE,
        {"id": strawberry.ID, "session_id": strawberry.ID, "booked_by": BookedBy},
        description="Move a booking to another session that has a place.",
    )
    swap_booking: BookingResult | None = command(
        _typed(_swap),
        WRITE,
        {"id": strawberry.ID, "learner_id": strawberry.ID},
        description="Give a booking to a colleague who comes instead; it keeps its place in the order.",
    )
    answer_move: BookingResult | None = command(
        _typed(_answer_move),
        WRITE,
        {"id": strawberry.ID, "coming": bool},
        description="Say whether the new time of a session that was moved is good.",
    )
    check_in: AttendanceResult | None = command(
        _typed(_check_in),
        WRITE,
        {"session_id": strawberry.ID, "reference": str},
        description="Check somebody in by the reference of their booking, for the half of the day that it is.",
    )
    mark_attendance: AttendanceResult | None = command(
        _typed(_mark), WRITE, {"input": MarkAttendanceInput}, description="Mark somebody as present or not."
    )
    override_attendance: AttendanceResult | None = command(
        _typed(_override),
        WRITE,
        {"input": OverrideAttendanceInput},
        description="Decide by hand whether a session counts for somebody, and say why.",
    )
