"""Changes of evidence: the only code that writes a tenant's figures."""

import calendar
from datetime import date
from typing import Any

from sqlalchemy import select, union_all
from sqlalchemy.dialects.postgresql import insert

from app.evidence.definitions import DEFINITIONS
from app.evidence.figures import Period, figure, window
from app.evidence.models import TenantMetric
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

MONTHS_KEPT = 24
"""How far back the monthly series goes."""


def months_up_to(day: date, count: int) -> list[Period]:
    """The last `count` whole calendar months, oldest first, ending with the month that `day` lies in."""
    last = day.year * 12 + day.month - 1
    periods = []
    for number in range(last - count + 1, last + 1):
        year, month = number // 12, number % 12 + 1
        periods.append(Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])))
    return periods


async def refresh_figures(work: UnitOfWork, months: int = MONTHS_KEPT) -> int:
    """Count every current figure for each of the last `months` months in England and keep the results.

    The current month is among them, as far as it has gone. Gives the number of figures kept.
    """
    versions = {definition.code: definition.version for definition in DEFINITIONS if definition.effective_to is None}
    rows: list[dict[str, Any]] = []
    for period in months_up_to(london_date(work.now), months):
        at = window(work.tenant_id, period)
        each = [figure(code, at).subquery() for code in versions]
        counted = union_all(*(select(one.c.code, one.c.numerator, one.c.denominator) for one in each))
        rows += [
            {
                "tenant_id": work.tenant_id,
                "id": new_id(),
                "metric_code": row.code,
                "metric_version": versions[row.code],
                "period_start": period.first_day,
                "period_end": period.last_day,
                "numerator": row.numerator,
                "denominator": row.denominator,
                "computed_at": work.now,
            }
            for row in await work.session.execute(counted)
        ]
    statement = insert(TenantMetric).values(rows)
    await work.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "metric_code", "metric_version", "period_start", "period_end"],
            set_={name: statement.excluded[name] for name in ("numerator", "denominator", "computed_at")},
        )
    )
    after = {"months": months, "figures": len(rows)}
    work.record(Action.FIGURES_REFRESHED, "tenant_metric", None, after=after)
    announce(work, EventType.FIGURES_REFRESHED, f"Tenant:{work.tenant_id}")
    return len(rows)


async def request_refresh(work: UnitOfWork) -> None:
    """Have the monthly figures counted anew soon, because a person asked; each asking counts them once."""
    work.record(Action.FIGURES_REFRESH_REQUESTED, "tenant_metric", None)
    work.emit(Topic.FIGURES_REFRESH, f"request:{work.context.request_id}")
