"""What forms choose from: courses, sessions and locations by name, each as (id, text)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from starlette.requests import Request

from app.console.mapping_matrix import course_name, named_courses
from app.console.pages import services_of, tenant_reads
from app.directory.models import CqcLocation, TenantLocation
from app.training.models import Course, TrainingSession
from tenants.clock import london_date

Choices = list[tuple[UUID, str]]
LATEST = 100


async def courses_in_use(request: Request) -> Choices:
    """Courses that are in use, by title."""
    async with tenant_reads(request) as session:
        named = await session.execute(named_courses().where(Course.status == "active"))
        return [(course.id, course_name(course, provider)) for course, provider in named]


async def latest_sessions(request: Request, kind: str | None = None) -> Choices:
    """Sessions of a kind or all, each with its day: the latest that have begun, then the next to come."""
    listed = select(TrainingSession).order_by(*held_first(services_of(request).clock())).limit(LATEST)
    if kind is not None:
        listed = listed.where(TrainingSession.kind == kind)
    async with tenant_reads(request) as session:
        return [
            (row.id, f"{row.title}, {london_date(row.starts_at):%-d %B %Y}") for row in await session.scalars(listed)
        ]


def held_first(now: datetime) -> tuple[ColumnElement[Any], ...]:
    """The order of sessions in which those that have begun come first; of these and of the others, the nearest."""
    away = func.greatest(TrainingSession.starts_at - now, now - TrainingSession.starts_at)
    return TrainingSession.starts_at > now, away, TrainingSession.id.expression


async def locations(request: Request) -> Choices:
    """The tenant's locations, by name."""
    listed = (
        select(TenantLocation.id, CqcLocation.name)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(CqcLocation.name, TenantLocation.id)
    )
    async with tenant_reads(request) as session:
        return [(row.id, row.name) for row in await session.execute(listed)]
