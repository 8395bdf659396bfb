"""Mutations of sessions: the team, venues, sessions and series, publishing, moving, cancelling."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from app.training.errors import TrainingRefusal
from app.training.sessions import details, operations, series, team
from app.training.sessions.rules import Remark
from medstead_graphql.caller import Caller
from medstead_graphql.mutations.payload import Handler, Payload, UserError, command, refusal, row_id, success
from medstead_graphql.types.booking import SessionSeries, TeamMember, Venue
from medstead_graphql.types.common import OnlineMode, Profession, ReserveKind, SessionKind, TeamRole, WaitingList
from medstead_graphql.types.training import Session
from tenants.session import UnitOfWork

WRITE = "training:write"


@strawberry.type(description="Why a session, series, venue or team member cannot be changed as asked.")
class SessionRefused(UserError):
    """A refusal of a session."""

    code: str
    message: str
    path: list[str]


@strawberry.type(description="Something to look at. It does not stop anybody.")
class SessionRemark:
    """A remark."""

    code: str
    message: str


@strawberry.type(description="The session as it is now, and what to look at.")
class SessionSaved:
    """Success of createSession, updateSession and publishSession."""

    session: Session
    remarks: list[SessionRemark]


@strawberry.type(description="The session as it is now, and how many bookings that touched.")
class SessionBookingsChanged:
    """Success of moveSession, cancelSession and allocateGroups."""

    session: Session
    count: int = strawberry.field(description="Bookings asked again or ended, or groups made.")


@strawberry.type(description="The series, and how many sessions were made.")
class SessionSeriesSaved:
    """Success of createSessionSeries, extendSessionSeries and excludeSessionDay."""

    series: SessionSeries
    sessions_made: int


@strawberry.type(description="The venue as it is now.")
class VenueSaved:
    """Success of saveVenue."""

    venue: Venue


@strawberry.type(description="The team member, and what to look at.")
class TeamMemberSaved:
    """Success of saveTeamMember."""

    team_member: TeamMember
    remarks: list[SessionRemark]


SessionResult = Annotated[SessionSaved | SessionRefused, strawberry.union("SessionResult")]
SessionBookingsResult = Annotated[SessionBookingsChanged | SessionRefused, strawberry.union("SessionBookingsResult")]
SessionSeriesResult = Annotated[SessionSeriesSaved | SessionRefused, strawberry.union("SessionSeriesResult")]
VenueResult = Annotated[VenueSaved | SessionRefused, strawberry.union("VenueResult")]
TeamMemberResult = Annotated[TeamMemberSaved | SessionRefused, strawberry.union("TeamMemberResult")]


@strawberry.input(description="How many places there are, and how they are given. What is left out: until it begins.")
class PlacesInput:
    """Places of a session."""

    capacity: int
    waiting_list: WaitingList = WaitingList.PROMOTE
    offer_hours: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    cancel_until: datetime | None = None


@strawberry.input(description="Places kept for a setting, a provider group (by its own id) or a local authority.")
class ReserveInput:
    """A reserve."""

    kind: ReserveKind
    value: str
    places: int
    until: datetime


@strawberry.input(description="A part of the agenda.")
class AgendaInput:
    """A line of an agenda."""

    title: str
    minutes: int
    part: int = 1
    group_work: bool = False


@strawberry.input(description="A session. Every time needs its offset from UTC.")
class SessionInput:
    """A session as it should be."""

    title: str
    starts_at: datetime
    ends_at: datetime
    kind: SessionKind = SessionKind.TRAINING
    tier_id: strawberry.ID | None = None
    online_mode: OnlineMode = OnlineMode.WEBINAR
    venue_id: strawberry.ID | None = None
    join_url: str | None = None
    description: str | None = None
    second_part_at: datetime | None = None
    people_per_facilitator: int | None = None
    places: PlacesInput | None = None
    reserves: list[ReserveInput] | None = None
    facilitator_ids: list[strawberry.ID] | None = None
    topic_ids: list[strawberry.ID] | None = None
    guidance_ids: list[strawberry.ID] | None = None
    agenda: list[AgendaInput] | None = None


@strawberry.input(description="The whole session as it should be. `version` is the one that you read.")
class SessionChange:
    """A change of a session."""

    id: strawberry.ID
    version: int
    session: SessionInput


@strawberry.input(description="Another time for a session. Everybody who is booked is asked again.")
class SessionMove:
    """A move of a session."""

    id: strawberry.ID
    version: int
    starts_at: datetime
    ends_at: datetime
    second_part_at: datetime | None = None


@strawberry.input(description="A series: its sessions are made as drafts up to `until`.")
class SessionSeriesInput:
    """A series. The times of `session` count only as the distance of the places' times from the start."""

    session: SessionInput
    rrule: str
    first_day: date
    local_time: time
    minutes: int
    until: date


@strawberry.input(description="A venue; without `id` a new one, of version 0. `dayCost` in pounds.")
class VenueInput:
    """A venue."""

    id: strawberry.ID | None = None
    version: int = 0
    name: str
    address: str | None = None
    postcode: str | None = None
    local_authority: str | None = None
    capacity: int | None = None
    access_features: list[str] | None = None
    day_cost: Decimal | None = None


@strawberry.input(description="Somebody of the team; without `id` a new one, of version 0.")
class TeamMemberInput:
    """A team member."""

    id: strawberry.ID | None = None
    version: int = 0
    name: str
    profession: Profession
    roles: list[TeamRole]
    whole_time_equivalent: Decimal | None = None
    registration_body: str | None = None
    registration_number: str | None = None
    started_on: date | None = None
    ended_on: date | None = None


def _typed(handler: Callable[[UnitOfWork, dict[str, Any]], Awaitable[Payload]]) -> Handler:
    async def typed(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
        try:
            return await handler(work, arguments)
        except TrainingRefusal as error:
            return refusal("SessionRefused", error.code, error.message, tuple(filter(None, (error.field,))))

    return typed


def _id(text: Any, type_name: str) -> UUID:
    return row_id(text, type_name, TrainingRefusal)


def _optional(given: dict[str, Any], name: str, type_name: str) -> UUID | None:
    return None if given.get(name) is None else _id(given[name], type_name)


def _aware(moment: datetime | None, field: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise TrainingRefusal("NO_OFFSET", "Give every time with its offset, as 2026-12-01T10:00Z has.", field)
    return moment


def _moment(given: dict[str, Any], name: str) -> datetime:
    found = _aware(given[name], name)
    assert found is not None
    return found


def _details(given: dict[str, Any]) -> details.SessionDetails:
    places = given.get("places")
    return details.SessionDetails(
        title=given["title"],
        starts_at=_moment(given, "startsAt"),
        ends_at=_moment(given, "endsAt"),
        kind=given["kind"],
        tier_id=_optional(given, "tierId", "Tier"),
        online_mode=given["onlineMode"],
        venue_id=_optional(given, "venueId", "Venue"),
        join_url=given.get("joinUrl"),
        description=given.get("description"),
        second_part_at=_aware(given.get("secondPartAt"), "secondPartAt"),
        people_per_facilitator=given.get("peoplePerFacilitator"),
        places=None
        if places is None
        else details.Places(
            capacity=places["capacity"],
            waiting_list=places["waitingList"],
            offer_hours=places.get("offerHours"),
            opens_at=_aware(places.get("opensAt"), "opensAt"),
            closes_at=_aware(places.get("closesAt"), "closesAt"),
            cancel_until=_aware(places.get("cancelUntil"), "cancelUntil"),
        ),
        reserves=tuple(
            details.Reserved(item["kind"], item["value"], item["places"], _moment(item, "until"))
            for item in given.get("reserves") or ()
        ),
        facilitator_ids=tuple(_id(item, "TeamMember") for item in given.get("facilitatorIds") or ()),
        topic_ids=tuple(_id(item, "Topic") for item in given.get("topicIds") or ()),
        guidance_ids=tuple(_id(item, "GuidanceDocument") for item in given.get("guidanceIds") or ()),
        agenda=tuple(
            details.Part(item["title"], item["minutes"], item["part"], item["groupWork"])
            for item in given.get("agenda") or ()
        ),
    )


def _remarks(found: list[Remark]) -> dict[str, Any]:
    return {"remarks": [{"code": item.code, "message": item.message} for item in found]}


async def _saved(work: UnitOfWork, session_id: UUID) -> Payload:
    await work.session.flush()
    session = await operations.session_of(work, session_id)
    _, found = await operations.remarks_on(work, session)
    return success("SessionSaved", {"session": session_id}, _remarks(found))


async def _create(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    return await _saved(work, await operations.create_session(work, _details(arguments["input"])))


async def _update(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    session_id = _id(given["id"], "Session")
    await operations.change_session(work, session_id, given["version"], _details(given["session"]))
    return await _saved(work, session_id)


async def _publish(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    session_id = _id(arguments["id"], "Session")
    found = await operations.publish_session(work, session_id, arguments["version"])
    return success("SessionSaved", {"session": session_id}, _remarks(found))


async def _move(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    session_id = _id(given["id"], "Session")
    count = await operations.move_session(
        work,
        session_id,
        given["version"],
        _moment(given, "startsAt"),
        _moment(given, "endsAt"),
        _aware(given.get("secondPartAt"), "secondPartAt"),
    )
    return success("SessionBookingsChanged", {"session": session_id}, {"count": count})


async def _cancel(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    session_id = _id(arguments["id"], "Session")
    count = await operations.cancel_session(work, session_id, arguments["version"], arguments["reason"])
    return success("SessionBookingsChanged", {"session": session_id}, {"count": count})


async def _allocate(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    session_id = _id(arguments["id"], "Session")
    count = await operations.allocate_groups(work, session_id, arguments["size"])
    return success("SessionBookingsChanged", {"session": session_id}, {"count": count})


async def _create_series(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    recurrence = series.Recurrence(given["rrule"], given["firstDay"], given["localTime"], given["minutes"])
    made = await series.create_series(work, _details(given["session"]), recurrence, given["until"])
    return success("SessionSeriesSaved", {"series": made[0]}, {"sessionsMade": made[1]})


async def _extend_series(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    series_id = _id(arguments["id"], "SessionSeries")
    made = await series.extend_series(work, series_id, arguments["until"])
    return success("SessionSeriesSaved", {"series": series_id}, {"sessionsMade": made})


async def _exclude(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    series_id = _id(arguments["id"], "SessionSeries")
    await series.exclude_day(work, series_id, arguments["day"], arguments["reason"])
    return success("SessionSeriesSaved", {"series": series_id}, {"sessionsMade": 0})


async def _venue(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    told = team.Place(
        name=given["name"],
        address=given.get("address"),
        postcode=given.get("postcode"),
        local_authority=given.get("localAuthority"),
        capacity=given.get("capacity"),
        access_features=tuple(given.get("accessFeatures") or ()),
        day_cost=given.get("dayCost"),
    )
    return success(
        "VenueSaved", {"venue": await team.save_venue(work, told, _optional(given, "id", "Venue"), given["version"])}
    )


async def _member(work: UnitOfWork, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    told = team.Member(
        name=given["name"],
        profession=given["profession"],
        roles=tuple(given["roles"]),
        whole_time_equivalent=given.get("wholeTimeEquivalent"),
        registration_body=given.get("registrationBody"),
        registration_number=given.get("registrationNumber"),
        started_on=given.get("startedOn"),
        ended_on=given.get("endedOn"),
    )
    member_id, found = await team.save_member(work, told, _optional(given, "id", "TeamMember"), given["version"])
    return success("TeamMemberSaved", {"teamMember": member_id}, _remarks(found))


_WITH_VERSION = {"id": strawberry.ID, "version": int}


@strawberry.type
class SessionMutations:
    """Mutations of sessions."""

    save_venue: VenueResult | None = command(
        _typed(_venue), WRITE, {"input": VenueInput}, description="Add a venue, or change one."
    )
    save_team_member: TeamMemberResult | None = command(
        _typed(_member), WRITE, {"input": TeamMemberInput}, description="Add somebody to the team, or change them."
    )
    create_session: SessionResult | None = command(
        _typed(_create), WRITE, {"input": SessionInput}, description="Plan a session; it is a draft until published."
    )
    update_session: SessionResult | None = command(
        _typed(_update), WRITE, {"input": SessionChange}, description="Change a session, but not its times."
    )
    publish_session: SessionResult | None = command(
        _typed(_publish), WRITE, _WITH_VERSION, description="Let people book; the answer says what to look at."
    )
    move_session: SessionBookingsResult | None = command(
        _typed(_move),
        WRITE,
        {"input": SessionMove},
        description="Move a session with its bookings; they are asked again.",
    )
    cancel_session: SessionBookingsResult | None = command(
        _typed(_cancel), WRITE, _WITH_VERSION | {"reason": str}, description="Cancel a session and all its bookings."
    )
    allocate_groups: SessionBookingsResult | None = command(
        _typed(_allocate),
        WRITE,
        {"id": strawberry.ID, "size": int},
        description="Put confirmed people into groups for group work, colleagues apart.",
    )
    create_session_series: SessionSeriesResult | None = command(
        _typed(_create_series), WRITE, {"input": SessionSeriesInput}, description="Plan a series with its sessions."
    )
    extend_session_series: SessionSeriesResult | None = command(
        _typed(_extend_series),
        WRITE,
        {"id": strawberry.ID, "until": date},
        description="Make the sessions of a series up to a later day.",
    )
    exclude_session_day: SessionSeriesResult | None = command(
        _typed(_exclude),
        WRITE,
        {"id": strawberry.ID, "day": date, "reason": str},
        description="Leave a day out of a series; its session is cancelled.",
    )
