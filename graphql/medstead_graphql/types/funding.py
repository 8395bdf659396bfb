"""Types of money: streams, pools with enrolments, rates, time, and what things cost."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry

from app.directory.models import Learner as LearnerRow
from app.training import models as training
from app.training.funding import costs, models
from app.training.funding.rules import Missing, SessionCost, UnitCost
from app.training.sessions import models as sessions
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.declare import Connection, Node, column, computed, many, node, one
from medstead_graphql.types import listings_governance as listed
from medstead_graphql.types.booking import TeamMember
from medstead_graphql.types.common import Profession
from medstead_graphql.types.directory import Learner
from medstead_graphql.types.evidence import PeriodInput
from medstead_graphql.types.governance_words import BeyondPool, SeatState, TimeActivity
from medstead_graphql.types.training import Course, Session
from tenants.session import UnitOfWork

SCOPE = "finance:read"
VERSION = "Send this back when you change it."


@node(models.FundingStream, scope=SCOPE, description="Money of a funder for a period, in pounds.")
class FundingStream(Node):
    """A stream."""

    name: str = column()
    funder: str = column()
    amount: Decimal = column()
    starts_on: date = column()
    ends_on: date = column()
    eligible_settings: list[str] = column(description="Whose staff it is for; empty: everybody's.")
    version: int = column(description=VERSION)
    courses: Connection["FundedCourse"] = many(
        listed.FUNDED_COURSE, on="stream_id", description="What it pays for; none: every course."
    )
    pools: Connection["LicencePool"] = many(listed.POOL, on="stream_id")


@node(models.FundedCourse, scope=SCOPE, description="A course that a stream pays for.")
class FundedCourse(Node):
    """A funded course."""

    stream: FundingStream = one(models.FundingStream, key="stream_id")
    course: Course = one(training.Course, key="course_id")


@node(models.LicencePool, scope=SCOPE, description="Seats bought of a course. It is never overdrawn.")
class LicencePool(Node):
    """A pool."""

    name: str = column()
    seats: int = column()
    beyond: BeyondPool = column()
    cost_per_seat: Decimal | None = column(description="Pounds; null: not known.")
    starts_on: date = column()
    ends_on: date = column()
    version: int = column(description=VERSION)
    course: Course = one(training.Course, key="course_id")
    stream: FundingStream | None = one(models.FundingStream, key="stream_id")
    enrolments: Connection["LicenceEnrolment"] = many(listed.ENROLMENT, on="pool_id")


@node(models.LicenceEnrolment, scope=SCOPE, description="A learner's seat of a pool, or the wish for one.")
class LicenceEnrolment(Node):
    """An enrolment."""

    state: SeatState = column()
    number: int = column(description="The order of those who wait.")
    enrolled_at: datetime = column()
    charged_at: datetime | None = column()
    released_at: datetime | None = column()
    pool: LicencePool = one(models.LicencePool, key="pool_id")
    learner: Learner = one(LearnerRow, key="learner_id")


@node(models.StaffRate, scope=SCOPE, description="What an hour of a profession costs from a day on, in pounds.")
class StaffRate(Node):
    """A rate."""

    profession: Profession = column()
    hourly_rate: Decimal = column()
    valid_from: date = column()


@node(models.TimeLog, scope=SCOPE, description="Minutes that somebody of the team spent on a session.")
class TimeLog(Node):
    """Time logged."""

    activity: TimeActivity = column()
    minutes: int = column()
    logged_at: datetime = column()
    session: Session = one(training.TrainingSession, key="session_id")
    team_member: TeamMember = one(sessions.TeamMember, key="team_member_id")


@strawberry.type(description="An input that a cost lacks, and what to do. It is never counted as zero.")
class MissingInput:
    """A missing input."""

    code: str
    message: str


@strawberry.type(description="A rate that was used.")
class UsedRate:
    """A rate."""

    profession: str
    hourly_rate: Decimal


@strawberry.type(description="Minutes that went into a cost.")
class UsedTime:
    """Time."""

    profession: str
    activity: str
    minutes: int


@strawberry.type(description="What a session cost, in pounds, with all it is made of. Null: an input is missing.")
class SessionCostRow:
    """A cost."""

    session_id: strawberry.ID
    title: str
    day: date
    attendees: int
    minutes: int
    staff: Decimal | None
    venue: Decimal | None
    total: Decimal | None
    per_attendee: Decimal | None
    staff_share_percent: Decimal | None
    times: list[UsedTime]
    rates: list[UsedRate]
    missing: list[MissingInput]


@strawberry.type(
    description="TRN-09: pounds for one attendee, champion or learner in a quarter. Only sessions or pools that are "
    "`complete` are in cost and units; where none is, the cost is not known."
)
class UnitCostRow:
    """A unit cost."""

    measure: str
    quarter: str
    things: int
    complete: int
    staff: Decimal | None
    venue: Decimal | None
    licences: Decimal | None
    cost: Decimal | None
    units: int
    each: Decimal | None
    missing: list[MissingInput]


@strawberry.type(description="A pool's account. It reconciles when seats used and enrolments charged are the same.")
class PoolAccountRow:
    """An account."""

    pool_id: strawberry.ID
    name: str
    seats: int
    used: int
    charged: int
    waiting: int
    released: int
    free: int
    reconciles: bool


def _pounds(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _missing(missing: tuple[Missing, ...]) -> list[dict[str, Any]]:
    return [{"code": one.code, "message": one.message} for one in missing]


def _session(cost: SessionCost) -> dict[str, Any]:
    given = cost.inputs
    return {
        "sessionId": f"Session:{given.session_id}",
        "title": given.title,
        "day": given.day.isoformat(),
        "attendees": given.attendees,
        "minutes": cost.minutes,
        "staff": _pounds(cost.staff),
        "venue": _pounds(cost.venue),
        "total": _pounds(cost.total),
        "perAttendee": _pounds(cost.per_attendee),
        "staffSharePercent": _pounds(cost.staff_share),
        "times": [
            {"profession": time.profession, "activity": time.activity, "minutes": time.minutes} for time in given.times
        ],
        "rates": [{"profession": name, "hourlyRate": str(hourly)} for name, hourly in cost.rates],
        "missing": _missing(cost.missing),
    }


def _unit(cost: UnitCost) -> dict[str, Any]:
    return {
        "measure": cost.measure,
        "quarter": cost.quarter,
        "things": cost.things,
        "complete": cost.complete,
        "staff": _pounds(cost.staff if cost.complete else None),
        "venue": _pounds(cost.venue if cost.complete else None),
        "licences": _pounds(cost.licences if cost.complete else None),
        "cost": _pounds(cost.cost if cost.complete else None),
        "units": cost.units,
        "each": _pounds(cost.each),
        "missing": _missing(cost.missing),
    }


async def _session_costs(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    period = arguments["period"]
    return [_session(cost) for cost in await costs.session_costs(work.session, period["from"], period["to"], work.now)]


async def _unit_costs(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    period = arguments["period"]
    return [_unit(cost) for cost in await costs.unit_costs(work.session, period["from"], period["to"], work.now)]


async def _accounts(work: UnitOfWork, _: Caller, __: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "poolId": f"LicencePool:{account.pool_id}",
            "name": account.name,
            "seats": account.seats,
            "used": account.used,
            "charged": account.charged,
            "waiting": account.waiting,
            "released": account.released,
            "free": account.free,
            "reconciles": account.reconciles,
        }
        for account in await costs.pool_accounts(work.session)
    ]


@strawberry.type
class FundingQuestions:
    """Reads of money."""

    funding_streams: Connection[FundingStream] = many(listed.STREAM)
    licence_pools: Connection[LicencePool] = many(listed.POOL)
    licence_enrolments: Connection[LicenceEnrolment] = many(listed.ENROLMENT)
    staff_rates: Connection[StaffRate] = many(listed.RATE)
    time_logs: Connection[TimeLog] = many(listed.TIME_LOG)
    session_costs: list[SessionCostRow] | None = computed(
        _session_costs,
        SCOPE,
        {"period": PeriodInput},
        description="What the sessions of a period cost, from stored inputs; at most 2,000 sessions.",
    )
    unit_costs: list[UnitCostRow] | None = computed(
        _unit_costs, SCOPE, {"period": PeriodInput}, description="Unit costs of a period by quarter."
    )
    licence_accounts: list[PoolAccountRow] | None = computed(
        _accounts, SCOPE, {}, description="Seats used against enrolments charged, for each pool."
    )
