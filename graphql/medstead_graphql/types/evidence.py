"""Types of evidence: metric definitions, impact figures and the rows behind each."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import strawberry
from sqlalchemy import Date, DateTime, Select, select

from app.evidence import definitions, figures, models
from medstead_graphql.compiler.declare import Connection, Node, column, inline, many, node, one
from medstead_graphql.compiler.errors import Refusal
from medstead_graphql.compiler.values import Traced, Variables
from medstead_graphql.types import listings
from medstead_graphql.types.common import MetricKind, Polarity
from medstead_graphql.types.training import Attendance, Completion, FeedbackResponse, MedicationChampion


@node(models.MetricDefinition, scope=None, description="What a figure means. A change of meaning is a new version.")
class MetricDefinition(Node):
    """A metric definition."""

    code: str = column()
    version: int = column()
    name: str = column()
    kind: MetricKind = column()
    unit: str = column()
    numerator: str = column()
    denominator: str | None = column()
    exclusions: str = column()
    polarity: Polarity = column()
    method_note: str = column()
    effective_from: date = column()
    effective_to: date | None = column()


@node(models.TenantMetric, scope="evidence:read", description="A figure of one month, as last refreshed from the rows.")
class FigurePoint(Node):
    """A point of a monthly series."""

    metric_code: str = column()
    metric_version: int = column()
    period_start: date = column()
    period_end: date = column()
    numerator: int = column()
    denominator: int | None = column()
    computed_at: datetime = column()


@strawberry.input(description="First and last day, both included, as days in England.")
class PeriodInput:
    """A period."""

    from_: date = strawberry.field(name="from")
    to: date


def _definition(row: Any, definition: Any, _: Any) -> Any:
    return (definition.c.code == row.c.code) & definition.c.effective_to.is_(None)


def _row_window(compilation: Any, row: Any) -> figures.Window:
    """The window of a figure's own row."""
    return figures.Window(compilation.tenant, row.c.first_day, row.c.last_day, row.c.start, row.c.end)


def _rows(condition: Callable[[figures.Window, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda row, child, compilation: condition(_row_window(compilation, row), child)


@strawberry.type
class _Figure:
    """Members that every figure has; the row also carries `start` and `end` for the rows behind it."""

    code: str = column()
    value: float | None = column(description="The figure; null when there is nothing to divide by.")
    numerator: int = column()
    denominator: int | None = column()
    first_day: date = column()
    last_day: date = column()
    definition: MetricDefinition = one(models.MetricDefinition, join=_definition)


@strawberry.type(description="A figure that counts completions, or the people in them.")
class CompletionFigure(_Figure):
    """A figure about completions."""

    completions: Connection[Completion] = many(
        listings.COMPLETION, join=_rows(figures.completions_in), description="The rows it counts."
    )


@strawberry.type(description="A figure that counts attendances, or the people in them.")
class AttendanceFigure(_Figure):
    """A figure about attendances."""

    attendances: Connection[Attendance] = many(
        listings.ATTENDANCE, join=_rows(figures.attendances_in), description="The rows it counts."
    )


@strawberry.type(description="A figure about champions trained in the period.")
class TrainedChampionFigure(_Figure):
    """A figure about trained champions."""

    champions: Connection[MedicationChampion] = many(
        listings.CHAMPION, join=_rows(figures.champions_trained_in), description="The roles whose people it counts."
    )


@strawberry.type(description="A figure about champions active on the last day of the period.")
class ActiveChampionFigure(_Figure):
    """A figure about active champions."""

    champions: Connection[MedicationChampion] = many(
        listings.CHAMPION, join=_rows(figures.champions_active_in), description="The roles whose people it counts."
    )


@strawberry.type(description="How many answers an option got.")
class OptionCount:
    """One bar of a distribution."""

    option_number: int = column()
    label: str = column()
    count: int = column()


@strawberry.type(description="Who answered: responses, those who left the question open, people invited.")
class ResponseCounts:
    """Response counts."""

    responses: int = column()
    not_answered: int = column()
    invited: int | None = column()
    response_rate: float | None = column(description="Responses as a percentage of the people invited, where known.")


def _distribution(code: str) -> Callable[[Any, Any, Any], Select[Any]]:
    return lambda compilation, row, _: figures.distribution(code, _row_window(compilation, row))


def _response_counts(code: str) -> Callable[[Any, Any, Any], Select[Any]]:
    return lambda compilation, row, _: figures.response_counts(code, _row_window(compilation, row))


def _responses(code: str) -> Callable[[figures.Window, Any], Any]:
    scale, position = figures.SCALES[code]
    return lambda at, child: figures.responses_in(at, scale, position, child)


@strawberry.type(description="The share of answers with the highest option, on tier 2 usefulness.")
class UsefulnessFigure(_Figure):
    """Top-box share of usefulness."""

    distribution: list[OptionCount] = inline(_distribution(definitions.USEFULNESS))
    responses: ResponseCounts = inline(_response_counts(definitions.USEFULNESS))
    response_rows: Connection[FeedbackResponse] = many(
        listings.FEEDBACK_RESPONSE, join=_rows(_responses(definitions.USEFULNESS))
    )


@strawberry.type(description="The share of answers with the highest option, on champions' practice.")
class PracticeFigure(_Figure):
    """Top-box share of agreement."""

    distribution: list[OptionCount] = inline(_distribution(definitions.PRACTICE))
    responses: ResponseCounts = inline(_response_counts(definitions.PRACTICE))
    response_rows: Connection[FeedbackResponse] = many(
        listings.FEEDBACK_RESPONSE, join=_rows(_responses(definitions.PRACTICE))
    )


def _figure(code: str) -> Any:
    return inline(lambda compilation, row, _: figures.figure(code, _row_window(compilation, row)))


@strawberry.type(description="A programme's impact in a period. Every figure is counted from rows and explained.")
class ImpactSummary:
    """Impact figures."""

    first_day: date = column()
    last_day: date = column()
    tier1_completions: CompletionFigure = _figure(definitions.TIER_1_COMPLETIONS)
    tier1_learners: CompletionFigure = _figure(definitions.TIER_1_LEARNERS)
    webinar_attendances: AttendanceFigure = _figure(definitions.WEBINAR_ATTENDANCES)
    webinar_people: AttendanceFigure = _figure(definitions.WEBINAR_PEOPLE)
    champions_trained: TrainedChampionFigure = _figure(definitions.CHAMPIONS_TRAINED)
    champions_active: ActiveChampionFigure = _figure(definitions.CHAMPIONS_ACTIVE)
    champions_per100_locations: ActiveChampionFigure = _figure(definitions.CHAMPIONS_PER_100_LOCATIONS)
    usefulness: UsefulnessFigure = _figure(definitions.USEFULNESS)
    practice_improvement: PracticeFigure = _figure(definitions.PRACTICE)


def period_of(value: dict[str, Any]) -> figures.Period:
    """The period in an argument. Raises Refusal `INVALID_PERIOD`."""
    first, last = value["from"], value["to"]
    if last < first or last.year > 9000 or first.year < 1900:
        raise Refusal("INVALID_PERIOD", "A period ends on or after the day it starts, in a year from 1900 to 9000.")
    return figures.Period(first, last)


def impact_source(compilation: Any, _row: Any, arguments: dict[str, Traced]) -> Select[Any]:
    """The one row of an impact summary: its period as dates and as moments."""
    period = arguments["period"]

    def part(pick: Callable[[figures.Period], Any]) -> Callable[[Variables], Any]:
        return lambda variables: pick(period_of(period.get(variables)))

    return select(
        compilation.bind(part(lambda p: p.first_day), Date()).label("first_day"),
        compilation.bind(part(lambda p: p.last_day), Date()).label("last_day"),
        compilation.bind(part(lambda p: p.start), DateTime(timezone=True)).label("start"),
        compilation.bind(part(lambda p: p.end), DateTime(timezone=True)).label("end"),
    )
