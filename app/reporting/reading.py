"""What every part of a report is built with: one view of the database, the period, the places, and who is named."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Uuid, literal
from sqlalchemy.ext.asyncio import AsyncSession

from app.evidence.figures import Period, Window, window


@dataclass(frozen=True, slots=True)
class Reading:
    """`session` reads one snapshot of the database. `employers`: of the places that the report is about; None: all.

    `locations` likewise. `named`: learners and owners are named. `masked`: small numbers of people are hidden.
    """

    session: AsyncSession
    tenant_id: UUID
    now: datetime
    today: date
    period: Period
    named: bool
    masked: bool
    provider_id: str | None = None
    locations: tuple[UUID, ...] | None = None
    employers: tuple[UUID, ...] | None = None

    @property
    def tenant(self) -> ColumnElement[Any]:
        """The tenant as SQL."""
        return literal(self.tenant_id, Uuid())

    @property
    def day(self) -> ColumnElement[Any]:
        """Today as SQL."""
        return literal(self.today, Date())

    @property
    def window(self) -> Window:
        """The tenant and the period as SQL."""
        return window(self.tenant_id, self.period)
