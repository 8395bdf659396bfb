"""The sections of a template: each knows how it is written from a programme and how it is read into another tenant.

Another part adds a section by a name, an export and a load of its own. Loads run in the order of SECTIONS and find
what the earlier ones made in the Clone. No section holds a person, a place, or anything that names one.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select

from app.training.courses import CourseInFile, place_courses
from app.training.mapping.exercises import cells_of
from app.training.mapping.inventory import CHOICES, MINUTES
from app.training.mapping.models import (
    GuidanceClause,
    GuidanceDocument,
    MappingCell,
    MappingExercise,
    Topic,
    TopicReference,
)
from app.training.mapping.rules import Assessed
from app.training.models import Course, Programme, Tier, TrainingProvider, TrainingSession
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

Entries = list[dict[str, Any]]
CourseKey = tuple[str, str, str]
"""Training provider, title, version."""


@dataclass
class Clone:
    """What a clone has made so far: rows by what the document calls them."""

    programme_id: UUID
    origin: str
    tiers: dict[int, UUID] = field(default_factory=dict)
    courses: dict[CourseKey, UUID] = field(default_factory=dict)
    topics: dict[str, UUID] = field(default_factory=dict)
    clauses: dict[tuple[str, str], UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A named part of the document: a list of entries."""

    name: str
    export: Callable[[UnitOfWork, Programme], Awaitable[Entries]]
    load: Callable[[UnitOfWork, Clone, Entries], Awaitable[None]]


async def _tiers(work: UnitOfWork, programme: Programme) -> Entries:
    rows = await work.session.scalars(_of_programme(programme))
    return [
        {
            "position": row.position,
            "name": row.name,
            "minimum_minutes": row.minimum_minutes,
            "accepted_modes": row.accepted_modes,
            "validity_months": row.validity_months,
            "renewal_lead_days": row.renewal_lead_days,
        }
        for row in rows
    ]


async def _load_tiers(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    for entry in entries:
        tier = Tier(
            tenant_id=work.tenant_id,
            id=new_id(),
            programme_id=clone.programme_id,
            position=entry["position"],
            name=entry["name"],
            minimum_minutes=entry["minimum_minutes"],
            accepted_modes=entry["accepted_modes"],
            validity_months=entry["validity_months"],
            renewal_lead_days=entry["renewal_lead_days"],
        )
        work.add(tier)
        clone.tiers[tier.position] = tier.id
    await work.session.flush()


async def _guidance(work: UnitOfWork, _: Programme) -> Entries:
    documents = await work.session.scalars(
        select(GuidanceDocument).where(GuidanceDocument.status == "current").order_by(GuidanceDocument.code)
    )
    clauses = list(await work.session.scalars(select(GuidanceClause).order_by(GuidanceClause.number)))
    return [
        {
            "code": row.code,
            "title": row.title,
            "kind": row.kind,
            "edition": row.edition,
            "issued_on": row.issued_on and row.issued_on.isoformat(),
            "review_on": row.review_on and row.review_on.isoformat(),
            "url": row.url,
            "clauses": [{"number": c.number, "summary": c.summary} for c in clauses if c.document_id == row.id],
        }
        for row in documents
    ]


async def _load_guidance(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    documents = {row.code: row.id for row in await work.session.scalars(select(GuidanceDocument))}
    for entry in entries:
        if entry["code"] not in documents:
            documents[entry["code"]] = new_id()
            work.add(
                GuidanceDocument(
                    tenant_id=work.tenant_id,
                    id=documents[entry["code"]],
                    code=entry["code"],
                    title=entry["title"],
                    kind=entry["kind"],
                    edition=entry["edition"],
                    issued_on=_day(entry["issued_on"]),
                    review_on=_day(entry["review_on"]),
                    url=entry["url"],
                    status="current",
                    version=1,
                    created_at=work.now,
                )
            )
    await work.session.flush()
    known = {(row.document_id, row.number): row.id for row in await work.session.scalars(select(GuidanceClause))}
    for entry in entries:
        for clause in entry["clauses"]:
            key = (documents[entry["code"]], clause["number"])
            if key not in known:
                known[key] = new_id()
                work.add(GuidanceClause(tenant_id=work.tenant_id, id=known[key], document_id=key[0], **clause))
            clone.clauses[entry["code"], clause["number"]] = known[key]
    await work.session.flush()


async def _topics(work: UnitOfWork, _: Programme) -> Entries:
    numbered = await _clause_names(work)
    references = list(await work.session.scalars(select(TopicReference)))
    topics = await work.session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
    return [
        {
            "code": row.code,
            "title": row.title,
            "theme": row.theme,
            "audience": row.audience,
            "mandatory_in": row.mandatory_in,
            "references": sorted(
                list(numbered[item.clause_id])
                for item in references
                if item.topic_id == row.id and item.clause_id in numbered
            ),
        }
        for row in topics
    ]


async def _load_topics(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    known = {row.code: row.id for row in await work.session.scalars(select(Topic))}
    made = [entry for entry in entries if entry["code"] not in known]
    for entry in made:
        known[entry["code"]] = new_id()
        work.add(
            Topic(
                tenant_id=work.tenant_id,
                id=known[entry["code"]],
                status="active",
                version=1,
                created_at=work.now,
                **{name: entry[name] for name in ("code", "title", "theme", "audience", "mandatory_in")},
            )
        )
    await work.session.flush()
    clone.topics = {entry["code"]: known[entry["code"]] for entry in entries}
    rows = await work.session.execute(select(TopicReference.topic_id, TopicReference.clause_id))
    linked = {(topic_id, clause_id) for topic_id, clause_id in rows}
    for entry in entries:
        for document, number in entry["references"]:
            pair = (known[entry["code"]], clone.clauses[document, number])
            if pair not in linked:
                linked.add(pair)
                work.add(TopicReference(tenant_id=work.tenant_id, id=new_id(), topic_id=pair[0], clause_id=pair[1]))
    await work.session.flush()


_OF_COURSE = (*CHOICES, *MINUTES, "assessment", "certificate_required", "author_profession", "languages",
              "accessibility_notes", "url")  # fmt: skip


async def _courses(work: UnitOfWork, programme: Programme) -> Entries:
    rows = await work.session.execute(
        select(Course, TrainingProvider.name, Tier.position)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .join(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
        .where(
            Tier.programme_id == programme.id,
            Course.status == "active",
            Course.scope.is_distinct_from("provider_internal"),
        )
        .order_by(Tier.position, Course.title_key, Course.version, Course.id)
    )
    return [
        {
            "training_provider": provider,
            "title": course.title,
            "version": course.version,
            "tier": position,
            **{name: getattr(course, name) for name in _OF_COURSE},
        }
        for course, provider, position in rows
    ]


def _course_key(entry: dict[str, Any]) -> CourseKey:
    return entry["training_provider"], entry["title"], entry["version"]


async def _load_courses(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    items = {_course_key(entry): CourseInFile(*_course_key(entry)) for entry in entries}
    placed = await place_courses(work, list(items.values()), None)
    for entry in entries:
        course_id = clone.courses[_course_key(entry)] = placed[items[_course_key(entry)]].id
        course = await work.session.get_one(Course, (work.tenant_id, course_id))
        if course.created_at == work.now:
            course.tier_id = clone.tiers.get(entry["tier"])
            for name in _OF_COURSE:
                setattr(course, name, entry[name])
    await work.session.flush()


async def _coverage(work: UnitOfWork, _: Programme) -> Entries:
    latest = select(MappingExercise.id).where(MappingExercise.status == "locked")
    latest = latest.order_by(MappingExercise.exercised_on.desc(), MappingExercise.created_at.desc()).limit(1)
    exercise_id = (await work.session.scalars(latest)).first()
    if exercise_id is None:
        return []
    numbered = await _clause_names(work)
    topics = {row.id: row.code for row in await work.session.scalars(select(Topic).where(Topic.status == "active"))}
    rows = await work.session.execute(
        select(Course.id, TrainingProvider.name, Course.title, Course.version)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .where(Course.status == "active", Course.scope.is_distinct_from("provider_internal"))
    )
    courses = {course_id: list(key) for course_id, *key in rows}
    cells = await cells_of(work.session, exercise_id)
    return sorted(
        (
            {
                "course": courses[course_id],
                "topic": topics[topic_id],
                "clause": list(numbered[clause_id]),
                "coverage": cell.coverage,
            }
            for (course_id, topic_id, clause_id), cell in cells.items()
            if course_id in courses and topic_id in topics and clause_id in numbered
        ),
        key=lambda entry: (entry["topic"], entry["clause"], entry["course"]),
    )


async def _load_coverage(work: UnitOfWork, clone: Clone, entries: Entries) -> None:
    """A draft exercise for the team to check: what the publisher found of the courses that came along."""
    today = london_date(work.now)
    cells = {
        (clone.courses[key], clone.topics[entry["topic"]], clone.clauses[document, number]): Assessed(
            entry["coverage"], clone.origin, today, None
        )
        for entry in entries
        for key in [tuple(entry["course"])]
        for document, number in [entry["clause"]]
        if key in clone.courses
    }
    if not cells:
        return
    name = f"As found by {clone.origin}"
    editions = select(MappingExercise.edition).where(MappingExercise.name == name)
    exercise = MappingExercise(
        tenant_id=work.tenant_id,
        id=new_id(),
        name=name,
        edition=max(await work.session.scalars(editions), default=0) + 1,
        exercised_on=today,
        status="draft",
        revision=1,
        created_at=work.now,
    )
    work.add(exercise)
    await work.session.flush()
    work.add(
        *(
            MappingCell(
                tenant_id=work.tenant_id,
                id=new_id(),
                exercise_id=exercise.id,
                course_id=course_id,
                topic_id=topic_id,
                clause_id=clause_id,
                coverage=cell.coverage,
                assessor=cell.assessor,
                assessed_on=cell.assessed_on,
                evidence_note=None,
            )
            for (course_id, topic_id, clause_id), cell in cells.items()
        )
    )


async def _session_outlines(work: UnitOfWork, programme: Programme) -> Entries:
    """Sessions that were given under one title, in one length, mode and kind, as one outline with how often."""
    tiers = {row.id: row.position for row in await work.session.scalars(_of_programme(programme))}
    found: Counter[tuple[int, str, int, str, str]] = Counter()
    for row in await work.session.scalars(select(TrainingSession).where(among(TrainingSession.tier_id, tiers))):
        assert row.tier_id is not None
        minutes = round((row.ends_at - row.starts_at).total_seconds() / 60)
        found[tiers[row.tier_id], row.title, minutes, row.online_mode, row.kind] += 1
    return [
        {"title": title, "tier": tier, "duration_minutes": minutes, "mode": mode, "kind": kind, "sessions": count}
        for (tier, title, minutes, mode, kind), count in sorted(found.items())
    ]


def _of_programme(programme: Programme) -> Select[Tier]:
    return select(Tier).where(Tier.programme_id == programme.id).order_by(Tier.position)


async def _load_nothing(_: UnitOfWork, __: Clone, ___: Entries) -> None:
    """Outlines stay in the template: sessions are planned from them one by one, on days of the tenant's own."""


async def _clause_names(work: UnitOfWork) -> dict[UUID, tuple[str, str]]:
    """Code of the document and number of each clause of current documents."""
    rows = await work.session.execute(
        select(GuidanceClause.id, GuidanceDocument.code, GuidanceClause.number)
        .join(
            GuidanceDocument,
            and_(
                GuidanceDocument.tenant_id == GuidanceClause.tenant_id,
                GuidanceDocument.id == GuidanceClause.document_id,
            ),
        )
        .where(GuidanceDocument.status == "current")
    )
    return {clause_id: (code, number) for clause_id, code, number in rows}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


SECTIONS = [
    Section("tiers", _tiers, _load_tiers),
    Section("guidance", _guidance, _load_guidance),
    Section("topics", _topics, _load_topics),
    Section("courses", _courses, _load_courses),
    Section("coverage", _coverage, _load_coverage),
    Section("session_outlines", _session_outlines, _load_nothing),
]
"""Of the programme's content; its rules follow in template_rules."""
