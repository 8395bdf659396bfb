"""Pure rules of money: pounds and pence, what a session cost, unit costs. What is not known is listed, never zero."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from app.training.errors import TrainingRefusal

PENCE = Decimal("0.01")
MOST = Decimal("9999999999.99")
MINUTES_IN_AN_HOUR = 60


def money(amount: Decimal, field: str) -> Decimal:
    """Pounds with two places. Raises TrainingRefusal `MONEY`."""
    if not amount.is_finite() or not 0 <= amount <= MOST or amount != amount.quantize(PENCE):
        raise TrainingRefusal("MONEY", "Enter pounds and whole pence, 0 or more, such as 125.50.", field)
    return amount.quantize(PENCE)


def pence(amount: Decimal) -> Decimal:
    """Rounded to whole pence, halves up."""
    return amount.quantize(PENCE, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Rate:
    """Pounds for an hour of a profession, from a day on."""

    profession: str
    valid_from: date
    hourly: Decimal


@dataclass(frozen=True, slots=True)
class Time:
    """Minutes that a team member of a profession logged for a kind of work."""

    member_id: UUID
    profession: str
    activity: str
    minutes: int


@dataclass(frozen=True, slots=True)
class SessionInputs:
    """All that the cost of a session is made of. `leaders`: (id, profession) of those who led it.

    `has_venue`: it is held at a place; `venue_cost` is a day there, in pounds, None: not known.
    """

    session_id: UUID
    title: str
    kind: str
    day: date
    leaders: tuple[tuple[UUID, str], ...]
    times: tuple[Time, ...]
    has_venue: bool
    venue_cost: Decimal | None
    attendees: int


@dataclass(frozen=True, slots=True)
class Missing:
    """An input that a cost lacks: a stable code, and what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class SessionCost:
    """What a session cost, in pounds. None: an input is missing, and `missing` says which."""

    inputs: SessionInputs
    minutes: int
    staff: Decimal | None
    venue: Decimal | None
    total: Decimal | None
    per_attendee: Decimal | None
    staff_share: Decimal | None
    rates: tuple[tuple[str, Decimal], ...]
    missing: tuple[Missing, ...]


def rate_on(rates: Iterable[Rate], profession: str, day: date) -> Decimal | None:
    """The rate of a profession that held on a day, if there was one."""
    held = [rate for rate in rates if rate.profession == profession and rate.valid_from <= day]
    return max(held, key=lambda rate: rate.valid_from).hourly if held else None


def session_cost(inputs: SessionInputs, rates: Sequence[Rate]) -> SessionCost:
    """Cost = hours × rate, by profession, + the venue's day. `staff_share` is a percentage of it."""
    missing: list[Missing] = []
    logged = {time.member_id for time in inputs.times if time.activity == "delivery"}
    unlogged = [member for member, _ in inputs.leaders if member not in logged]
    if unlogged:
        who = "one leader" if len(unlogged) == 1 else f"{len(unlogged)} leaders"
        missing.append(Missing("TIME_MISSING", f"Log the time that {who} took to deliver it."))
    elif not inputs.leaders and not inputs.times:
        missing.append(Missing("TIME_MISSING", "Log the time that the team took to prepare and deliver it."))
    used = {time.profession: rate_on(rates, time.profession, inputs.day) for time in inputs.times}
    missing += [
        Missing("RATE_MISSING", f"Set what an hour of a {profession.replace('_', ' ')} cost on {inputs.day}.")
        for profession, hourly in sorted(used.items())
        if hourly is None
    ]
    known = {profession: hourly for profession, hourly in used.items() if hourly is not None}
    staff = None
    if not missing:
        pounds = sum((known[time.profession] * time.minutes for time in inputs.times), Decimal(0))
        staff = pence(pounds / MINUTES_IN_AN_HOUR)
    venue = inputs.venue_cost if inputs.has_venue else Decimal("0.00")
    if venue is None:
        missing.append(Missing("VENUE_COST_MISSING", "Enter what a day at the venue costs; 0 if it is free."))
    total = None if staff is None or venue is None else staff + venue
    return SessionCost(
        inputs,
        sum(time.minutes for time in inputs.times),
        staff,
        venue,
        total,
        pence(total / inputs.attendees) if total is not None and inputs.attendees else None,
        pence(100 * staff / total) if staff is not None and total else None,
        tuple(sorted(known.items())),
        tuple(missing),
    )


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats of a pool that were charged in a time: how many, and pounds for one, None: not known."""

    pool: str
    charged: int
    cost_per_seat: Decimal | None


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Pounds for one unit (attendee, learner or champion) in a quarter, with all that it is made of.

    `complete` of `things` (sessions or pools) have all inputs, and only those are in `cost` and `units`.
    """

    measure: str
    quarter: str
    things: int
    complete: int
    staff: Decimal
    venue: Decimal
    licences: Decimal
    units: int
    each: Decimal | None
    missing: tuple[Missing, ...]

    @property
    def cost(self) -> Decimal:
        """All pounds together: they are one kind of money, what the programme cost."""
        return self.staff + self.venue + self.licences


def per_session_unit(measure: str, quarter: str, costs: Sequence[SessionCost], units: int | None = None) -> UnitCost:
    """Unit cost of sessions; a unit is an attendee unless `units` counts something else."""
    whole = [cost for cost in costs if cost.staff is not None and cost.venue is not None]
    staff = sum((cost.staff for cost in whole if cost.staff is not None), Decimal("0.00"))
    venue = sum((cost.venue for cost in whole if cost.venue is not None), Decimal("0.00"))
    if units is None:
        units = sum(cost.inputs.attendees for cost in whole)
    elif len(whole) < len(costs):
        # The people cannot be told apart by session, so the cost of some of them is not known.
        return UnitCost(
            measure, quarter, len(costs), len(whole), staff, venue, Decimal("0.00"), units, None, _of(costs)
        )
    each = pence((staff + venue) / units) if units and whole else None
    return UnitCost(measure, quarter, len(costs), len(whole), staff, venue, Decimal("0.00"), units, each, _of(costs))


def per_learner(quarter: str, seats: Sequence[Seats]) -> UnitCost:
    """Cost of licences for one learner who was charged."""
    known = [(pool.charged, pool.cost_per_seat) for pool in seats if pool.cost_per_seat is not None]
    licences = sum((charged * cost for charged, cost in known), Decimal("0.00"))
    units = sum(charged for charged, _ in known)
    missing = tuple(
        Missing("SEAT_COST_MISSING", f"Enter what a seat of {pool.pool} costs; 0 if it is free.")
        for pool in seats
        if pool.cost_per_seat is None
    )
    zero = Decimal("0.00")
    each = pence(licences / units) if units else None
    return UnitCost("learner", quarter, len(seats), len(known), zero, zero, licences, units, each, missing)


def quarter_of(day: date) -> str:
    """The quarter of the calendar year, such as 2026 Q4."""
    return f"{day.year} Q{(day.month + 2) // 3}"


def _of(costs: Sequence[SessionCost]) -> tuple[Missing, ...]:
    return tuple(
        Missing(missing.code, f"{cost.inputs.title}, {cost.inputs.day}: {missing.message}")
        for cost in costs
        for missing in cost.missing
    )
