"""Who has what they need, by setting, provider size, place, deprivation and rurality; small numbers are never told.

What is counted is a post that needs a tier: a person at an employer, as in the oversight of training, so that every
dimension adds up to the same total.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, FromClause, Uuid, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import CqcLocation, Employer, TenantLocation
from app.evidence.models import PostcodeArea
from app.governance.rules import Cell, ToldCell, suppress, total_may_be_told
from app.training.requirements.models import LearnerStanding, Requirement
from app.training.requirements.oversight import TRAINED, posts
from tenants.base import table_of

SMALLEST = 8
"""Numbers of people from 1 to 7 are not told: the rule of the published hospital statistics of NHS England."""
UNKNOWN = "unknown"
DIMENSIONS = ("setting", "provider_size", "place", "deprivation", "rurality")
SIZES = ((10, "1 to 9"), (50, "10 to 49"), (250, "50 to 249"))


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to look at coverage. The total is None where it would give a hidden cell away."""

    name: str
    needing: int | None
    having: int | None
    percent: float | None
    cells: tuple[ToldCell, ...]


def size_of(staff: int) -> str:
    """The band of a provider with so many people in post."""
    return next((label for below, label in SIZES if staff < below), "250 or more")


def fifth_of(decile: int | None) -> str:
    """The fifth of deprivation of a tenth: 1 is the most deprived."""
    return UNKNOWN if decile is None else str((decile + 1) // 2)


async def equity(session: AsyncSession, tenant_id: UUID, tier_id: UUID, today: date) -> list[Dimension]:
    """Coverage of a tier on a day by each dimension, every dimension with its n."""
    rows = [row._mapping for row in await session.execute(_counted(tenant_id, tier_id, today))]
    return told_by(
        [
            {
                "setting": row["setting"] or UNKNOWN,
                "provider_size": size_of(row["staff"]),
                "place": row["place"] or UNKNOWN,
                "deprivation": fifth_of(row["imd_decile"]),
                "rurality": row["rurality"] or UNKNOWN,
                "needing": row["needing"],
                "having": row["having"],
            }
            for row in rows
        ]
    )


def told_by(rows: Iterable[dict[str, Any]], smallest: int = SMALLEST) -> list[Dimension]:
    """Each dimension as it may be told, from rows of all dimensions' groups with `needing` and `having`."""
    counts: dict[str, dict[str, list[int]]] = {name: defaultdict(lambda: [0, 0]) for name in DIMENSIONS}
    for row in rows:
        for name in DIMENSIONS:
            counts[name][row[name]][0] += row["needing"]
            counts[name][row[name]][1] += row["having"]
    cells = {
        name: [Cell(name, group, needing, having) for group, (needing, having) in sorted(groups.items())]
        for name, groups in counts.items()
    }
    # The total is the same in every dimension, so it is told in all of them or in none.
    total = all(total_may_be_told(of_one, smallest) for of_one in cells.values())
    return [_dimension(name, of_one, smallest, total=total) for name, of_one in cells.items()]


def _dimension(name: str, cells: list[Cell], smallest: int, *, total: bool) -> Dimension:
    told = tuple(suppress(cells, smallest))
    if not total:
        return Dimension(name, None, None, None, told)
    needing, having = sum(cell.needing for cell in cells), sum(cell.having for cell in cells)
    return Dimension(name, needing, having, round(100 * having / needing, 1) if needing else None, told)


def _counted(tenant_id: UUID, tier_id: UUID, today: date) -> Any:
    """Counts of posts that need the tier, by everything that a dimension is made of."""
    tenant, day = literal(tenant_id, Uuid()), literal(today, Date())
    every: FromClause = posts(tenant, day)
    standing, requirement, employer, location, cqc, full, district = (
        table_of(table).alias()
        for table in (
            LearnerStanding, Requirement, Employer, TenantLocation, CqcLocation, PostcodeArea, PostcodeArea,
        )
    )  # fmt: skip
    needs = (
        select(
            standing.c.learner_id,
            standing.c.employer_id,
            func.bool_or(or_(*(standing.c.state == state for state in TRAINED))).label("has"),
        )
        .join(requirement, and_(requirement.c.tenant_id == tenant, requirement.c.id == standing.c.requirement_id))
        .where(standing.c.tenant_id == tenant, requirement.c.tier_id == literal(tier_id, Uuid()))
        .group_by(standing.c.learner_id, standing.c.employer_id)
        .subquery()
    )
    sizes = select(every.c.provider_key, func.count().label("staff")).group_by(every.c.provider_key).subquery()
    code = func.replace(func.upper(cqc.c.postcode), " ", "")
    joined = (
        every.join(needs, and_(needs.c.learner_id == every.c.learner_id, needs.c.employer_id == every.c.employer_id))
        .join(sizes, sizes.c.provider_key == every.c.provider_key)
        .join(employer, and_(employer.c.tenant_id == tenant, employer.c.id == every.c.employer_id))
        .outerjoin(location, and_(location.c.tenant_id == tenant, location.c.id == employer.c.tenant_location_id))
        .outerjoin(cqc, cqc.c.id == location.c.location_id)
        .outerjoin(full, full.c.code == code)
        .outerjoin(district, district.c.code == func.left(code, -3))
    )
    groups = {
        "setting": every.c.setting_key,
        "staff": sizes.c.staff,
        "place": func.coalesce(cqc.c.local_authority, full.c.local_authority, district.c.local_authority),
        "imd_decile": func.coalesce(full.c.imd_decile, district.c.imd_decile),
        "rurality": func.coalesce(full.c.rurality, district.c.rurality),
    }
    return (
        select(
            *(value.label(name) for name, value in groups.items()),
            func.count().label("needing"),
            func.count().filter(needs.c.has).label("having"),
        )
        .select_from(joined)
        .group_by(*groups.values())
    )
