"""Figures of the register, as SQL: champions trained and active, locations with and without, and who stays a year.

Who is compared in `retention`: everybody who was employed on the day a year before. Champions are those who had a
role on that day; all others employed that day are the others. Somebody stays with the employer if they work for one of
the employers of that day on the day itself, and in the sector if they work for any employer that the tenant knows.
Both groups have the same year, so a good or bad year for all cannot look like an effect of being champion; it remains
a comparison and no proof, for people who become champions may be those who would have stayed.
"""

from typing import Any

from sqlalchemy import Boolean, Integer, Select, and_, case, cast, distinct, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.directory.models import Employment, Learner, TenantLocation
from app.training.models import MedicationChampion
from app.training.requirements.standing import employed
from tenants.base import table_of

RETENTION_MINIMUM = 10
"""The fewest people of a group of whom a share is told."""

YEAR = 12


def held(champion: Any, day: Any) -> Any:
    """Whether a role was held on a day."""
    began = func.coalesce(champion.c.started_on, champion.c.trained_on)
    return and_(began <= day, or_(champion.c.ended_on.is_(None), champion.c.ended_on > day))


def summary(tenant: Any) -> Select[Any]:
    """One row: trained, active, locations, covered, uncovered, per_hundred. Locations that are former do not count."""
    champion, location = table_of(MedicationChampion).alias(), table_of(TenantLocation).alias()
    covered = exists().where(
        champion.c.tenant_id == tenant, champion.c.tenant_location_id == location.c.id, champion.c.state == "active"
    )
    places = (
        select(func.count().label("locations"), func.count().filter(covered).label("covered"))
        .where(location.c.tenant_id == tenant, location.c.relationship != "former")
        .subquery()
    )
    person = table_of(MedicationChampion).alias()
    trained = func.count(distinct(person.c.learner_id)).filter(person.c.trained_on.is_not(None))
    active = func.count(distinct(person.c.learner_id)).filter(person.c.state == "active")
    people = select(trained.label("trained"), active.label("active")).where(person.c.tenant_id == tenant).subquery()
    return select(
        people.c.trained,
        people.c.active,
        places.c.locations,
        places.c.covered,
        (places.c.locations - places.c.covered).label("uncovered"),
        case((places.c.locations > 0, people.c.active * 100.0 / places.c.locations)).label("per_hundred"),
    ).select_from(people.join(places, literal(True)))


def without_champion(tenant: Any) -> Select[Any]:
    """Ids of the tenant's locations that have no active champion."""
    champion, location = table_of(MedicationChampion).alias(), table_of(TenantLocation).alias()
    covered = exists().where(
        champion.c.tenant_id == tenant, champion.c.tenant_location_id == location.c.id, champion.c.state == "active"
    )
    return select(location.c.id).where(location.c.tenant_id == tenant, location.c.relationship != "former", ~covered)


def retention(tenant: Any, on: Any, least: Any = RETENTION_MINIMUM) -> Select[Any]:
    """Two rows, champions first: champions, people, suppressed, with_employer, in_sector, and shares from 0 to 1.

    See the head of this module for who is compared. Below `least` people only their number is told.
    """
    before = cast(on - func.make_interval(0, YEAR), table_of(Employment).c.started_on.type)
    champion, then, now, learner = (
        table_of(table).alias() for table in (MedicationChampion, Employment, Employment, Learner)
    )
    was = exists().where(champion.c.tenant_id == tenant, champion.c.learner_id == learner.c.id, held(champion, before))
    cohort = (
        select(learner.c.id, was.label("champion"))
        .where(
            learner.c.tenant_id == tenant,
            learner.c.merged_into_id.is_(None),
            exists().where(then.c.tenant_id == tenant, then.c.learner_id == learner.c.id, employed(then, before)),
        )
        .cte("cohort")
    )
    first = table_of(Employment).alias()
    with_employer = exists().where(
        first.c.tenant_id == tenant,
        first.c.learner_id == cohort.c.id,
        employed(first, before),
        now.c.tenant_id == tenant,
        now.c.learner_id == cohort.c.id,
        now.c.employer_id == first.c.employer_id,
        employed(now, on),
    )
    later = table_of(Employment).alias()
    in_sector = exists().where(later.c.tenant_id == tenant, later.c.learner_id == cohort.c.id, employed(later, on))
    group = func.unnest(literal([True, False], ARRAY(Boolean))).table_valued("champion").render_derived()
    stayed = select(cohort.c.champion, with_employer.label("with_employer"), in_sector.label("in_sector")).subquery()
    people = func.count(stayed.c.with_employer)
    counts = [func.count().filter(stayed.c[name]) for name in ("with_employer", "in_sector")]
    enough = people >= least
    return (
        select(
            group.c.champion.label("champions"),
            cast(people, Integer).label("people"),
            (~enough).label("suppressed"),
            *(
                case((enough, count)).label(name)
                for count, name in zip(counts, ("with_employer", "in_sector"), strict=True)
            ),
            *(
                case((enough, count * 1.0 / func.nullif(people, 0))).label(f"{name}_share")
                for count, name in zip(counts, ("with_employer", "in_sector"), strict=True)
            ),
        )
        .select_from(group.outerjoin(stayed, stayed.c.champion == group.c.champion))
        .group_by(group.c.champion)
        .order_by(group.c.champion.desc())
    )
