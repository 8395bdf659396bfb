"""Reads a tenant's impact for people: each figure with its definition, distributions, and the monthly series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.evidence import figures
from app.evidence.definitions import DEFINITIONS
from app.evidence.figures import SCALES, Period, window
from app.evidence.models import MetricDefinition, TenantMetric
from app.training.models import Completion, TrainingSession
from tenants.clock import london_date

CODES = tuple(definition.code for definition in DEFINITIONS if definition.effective_to is None)
"""The figures of the summary, in their order."""


@dataclass(frozen=True, slots=True)
class Option:
    """How many answers an option of a scale got."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Answers:
    """The distribution behind a share. `invited` and `response_rate` (percent) are None where nobody was counted."""

    options: Sequence[Option]
    responses: int
    not_answered: int
    invited: int | None
    response_rate: float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a period. `value` is None when there is nothing to divide by."""

    definition: MetricDefinition
    value: float | None
    numerator: int
    denominator: int | None
    answers: Answers | None


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a series. `last_day` tells how far it goes."""

    first_day: date
    last_day: date
    count: int


async def impact(session: AsyncSession, tenant_id: UUID, period: Period, codes: Sequence[str] = CODES) -> list[Figure]:
    """The figures of the period, counted from the rows now."""
    at = window(tenant_id, period)
    each = [figures.figure(code, at).subquery() for code in codes]
    counted = union_all(*(select(one.c.code, one.c.value, one.c.numerator, one.c.denominator) for one in each))
    rows = {row.code: row for row in await session.execute(counted)}
    current = await session.scalars(select(MetricDefinition).where(MetricDefinition.effective_to.is_(None)))
    definitions = {definition.code: definition for definition in current}
    return [
        Figure(
            definitions[code],
            rows[code].value,
            rows[code].numerator,
            rows[code].denominator,
            await _answers(session, code, at) if code in SCALES else None,
        )
        for code in codes
    ]


async def answers(session: AsyncSession, tenant_id: UUID, code: str, period: Period) -> Answers:
    """The distribution behind one share."""
    return await _answers(session, code, window(tenant_id, period))


async def _answers(session: AsyncSession, code: str, at: figures.Window) -> Answers:
    options = await session.execute(figures.distribution(code, at))
    who = (await session.execute(figures.response_counts(code, at))).one()
    return Answers(
        [Option(row.label, row.count) for row in options],
        who.responses,
        who.not_answered,
        who.invited,
        who.response_rate,
    )


async def series(session: AsyncSession, code: str, period: Period) -> list[Month]:
    """The whole months that lie in the period, as last refreshed; oldest first."""
    rows = await session.scalars(
        select(TenantMetric)
        .join(
            MetricDefinition,
            (MetricDefinition.code == TenantMetric.metric_code)
            & (MetricDefinition.version == TenantMetric.metric_version),
        )
        .where(
            TenantMetric.metric_code == code,
            MetricDefinition.effective_to.is_(None),
            TenantMetric.period_start >= period.first_day,
            TenantMetric.period_end <= period.last_day,
        )
        .order_by(TenantMetric.period_start)
    )
    return [Month(row.period_start, row.period_end, row.numerator) for row in rows]


async def refreshed_at(session: AsyncSession) -> datetime | None:
    """When the monthly figures were last counted; None if never."""
    return (await session.execute(select(func.max(TenantMetric.computed_at)))).scalar_one()


async def first_day(session: AsyncSession) -> date | None:
    """The day of the first completion or session; None while there is neither."""
    moments = [
        (await session.execute(select(func.min(column)))).scalar_one()
        for column in (Completion.completed_at, TrainingSession.starts_at)
    ]
    return min((london_date(moment) for moment in moments if moment is not None), default=None)
