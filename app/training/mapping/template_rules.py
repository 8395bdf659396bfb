"""The sections of a template that hold rules: what a tier asks for, who needs what, which topics a course covers."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from app.training.mapping.template_sections import Clone, CourseKey, Entries, Section
from app.training.models import Course, Programme, Tier, TrainingProvider
from app.training.requirements.models import CourseTopic, PrerequisiteRule, Requirement
from app.training.requirements.prerequisites import NewRule, replace_rules
from app.training.requirements.rules import RuleKind
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def _positions(work: UnitOfWork, programme: Programme) -> dict[UUID, int]:
    rows = await work.session.execute(select(Tier.id, Tier.position).where(Tier.programme_id == programme.id))
    return {row.id: row.position for row in rows}


async def _names(work: UnitOfWork) -> dict[UUID, CourseKey]:
    """What the document calls each course that goes along; a provider's own stay at home."""
    rows = await work.session.execute(
        select(Course.id, TrainingProvider.name, Course.title, Course.version)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .where(Course.status == "active", Course.scope.is_distinct_from("provider_internal"))
    )
    return {course_id: (provider, title, version) for course_id, provider, title, version in rows}


async def _prerequisites(work: UnitOfWork, programme: Programme) -> Entries:
    positions, names = await _positions(work, programme), await _names(work)
    rows = await work.session.scalars(
        select(PrerequisiteRule)
        .where(among(PrerequisiteRule.tier_id, positions))
        .order_by(PrerequisiteRule.alternatives, PrerequisiteRule.id)
    )
    entries: Entries = [
        {
            "tier": positions[row.tier_id],
            "kind": row.kind,
            "alternatives": row.alternatives,
            "needs_tier": None if row.needs_tier_id is None else positions.get(row.needs_tier_id),
            "needs_course": None if row.needs_course_id is None else names.get(row.needs_course_id),
            "needs_skill": row.needs_skill,
        }
        for row in rows
        if row.needs_tier_id is None or row.needs_tier_id in positions
        if row.needs_course_id is None or row.needs_course_id in names
    ]
    return sorted(entries, key=lambda entry: (entry["tier"], entry["alternatives"]))


async def _load_prerequisites(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    rules: dict[int, list[NewRule]] = {}
    for entry in entries:
        course = entry["needs_course"]
        if course is not None and tuple(course) not in clone.courses:
            continue
        rules.setdefault(entry["tier"], []).append(
            NewRule(
                RuleKind(entry["kind"]),
                entry["alternatives"],
                None if entry["needs_tier"] is None else clone.tiers[entry["needs_tier"]],
                None if course is None else clone.courses[tuple(course)],
                entry["needs_skill"],
            )
        )
    for position, wanted in rules.items():
        await replace_rules(work, clone.tiers[position], wanted)


async def _requirements(work: UnitOfWork, programme: Programme) -> Entries:
    positions = await _positions(work, programme)
    rows = await work.session.scalars(
        select(Requirement)
        .where(Requirement.programme_id == programme.id)
        .order_by(Requirement.created_at, Requirement.id)
    )
    return [
        {
            "job_role_code": row.job_role_code,
            "setting": row.setting,
            "task": row.task,
            "topic": row.topic_code,
            "tier": None if row.tier_id is None else positions[row.tier_id],
        }
        for row in rows
    ]


async def _load_requirements(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    work.add(
        *(
            Requirement(
                tenant_id=work.tenant_id,
                id=new_id(),
                programme_id=clone.programme_id,
                job_role_code=entry["job_role_code"],
                setting=entry["setting"],
                task=entry["task"],
                topic_code=entry["topic"],
                tier_id=None if entry["tier"] is None else clone.tiers[entry["tier"]],
                created_at=work.now,
            )
            for entry in entries
        )
    )
    await work.session.flush()


async def _course_topics(work: UnitOfWork, _: Programme) -> Entries:
    names = await _names(work)
    rows = await work.session.execute(select(CourseTopic.course_id, CourseTopic.topic_code))
    entries: list[dict[str, Any]] = [
        {"course": list(names[row.course_id]), "topic": row.topic_code} for row in rows if row.course_id in names
    ]
    return sorted(entries, key=lambda entry: (entry["topic"], entry["course"]))


async def _load_course_topics(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    rows = await work.session.execute(select(CourseTopic.course_id, CourseTopic.topic_code))
    known = {(row.course_id, row.topic_code) for row in rows}
    for entry in entries:
        course_id = clone.courses.get(tuple(entry["course"]))
        if course_id is not None and (course_id, entry["topic"]) not in known:
            known.add((course_id, entry["topic"]))
            work.add(CourseTopic(tenant_id=work.tenant_id, id=new_id(), course_id=course_id, topic_code=entry["topic"]))
    await work.session.flush()


SECTIONS = [
    Section("prerequisites", _prerequisites, _load_prerequisites),
    Section("requirements", _requirements, _load_requirements),
    Section("course_topics", _course_topics, _load_course_topics),
]
