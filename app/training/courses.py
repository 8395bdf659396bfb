"""Courses as files name them: training provider, title and version together; the same title twice is two courses."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select

from app.training.models import Course, Programme, Tier, TrainingProvider
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class CourseInFile:
    """The three things that make a course."""

    training_provider: str
    title: str
    version: str


@dataclass(frozen=True, slots=True)
class PlacedCourse:
    """The course's row, with the minutes below which a completion is flagged: its own or those of its tier."""

    id: UUID
    minimum_minutes: int | None


def text_key(text: str) -> str:
    """A title or a provider's name without case and doubled spaces."""
    return " ".join(text.casefold().split())


async def tier_at(work: UnitOfWork, position: int) -> Tier | None:
    """The tier at this position of the tenant's first programme."""
    statement = (
        select(Tier)
        .join(Programme, and_(Programme.tenant_id == Tier.tenant_id, Programme.id == Tier.programme_id))
        .where(Tier.position == position)
        .order_by(Programme.created_at, Programme.id)
        .limit(1)
    )
    return (await work.session.scalars(statement)).first()


async def place_courses(
    work: UnitOfWork, wanted: Collection[CourseInFile], tier_id: UUID | None
) -> dict[CourseInFile, PlacedCourse]:
    """Find or make each course; one that was merged stands for the course that was kept.

    One that stands in no tier yet is put into `tier_id`; others stay. Its own shortest time counts before the tier's.
    """
    providers = await _providers(work, {item.training_provider for item in wanted})
    keys = {item: (providers[text_key(item.training_provider)], text_key(item.title), item.version) for item in wanted}
    await work.insert_rows(
        Course,
        ("id", "training_provider_id", "title", "title_key", "version", "tier_id", "created_at"),
        (
            (new_id(), provider_id, item.title, key, version, tier_id, work.now)
            for item, (provider_id, key, version) in sorted(keys.items(), key=lambda pair: pair[1])
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    statement = select(Course).where(among(Course.title_key, {key for _, key, _ in keys.values()}))
    statement = statement.execution_options(populate_existing=True)
    courses = {
        (course.training_provider_id, course.title_key, course.version): course
        for course in await work.session.scalars(statement)
    }
    tiers = {tier.id: tier for tier in await work.session.scalars(select(Tier))}
    placed: dict[CourseInFile, PlacedCourse] = {}
    for item, key in keys.items():
        course = courses[key]
        while course.merged_into_id is not None:
            course = await work.session.get_one(Course, (work.tenant_id, course.merged_into_id))
        if course.tier_id is None:
            course.tier_id = tier_id
        tier = tiers.get(course.tier_id) if course.tier_id else None
        minimum = course.expected_minutes_min or (tier.minimum_minutes if tier else None)
        placed[item] = PlacedCourse(course.id, minimum)
    return placed


async def _providers(work: UnitOfWork, names: set[str]) -> dict[str, UUID]:
    by_key = {text_key(name): name for name in sorted(names)}
    await work.insert_rows(
        TrainingProvider,
        ("id", "name", "key"),
        ((new_id(), name, key) for key, name in sorted(by_key.items())),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    rows = await work.session.execute(
        select(TrainingProvider.key, TrainingProvider.id).where(among(TrainingProvider.key, by_key))
    )
    return {row.key: row.id for row in rows}
