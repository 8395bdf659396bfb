"""The demonstration's mapping: courses with their facts, a locked exercise and its next draft, gaps, a template."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select

from app.directory.models import CqcLocation, TenantLocation
from app.training.mapping import analysis, exercises, gaps, inventory, taxonomy, templates
from app.training.mapping.models import MappingExercise, Topic, TopicReference
from app.training.models import Course, Programme, Tier, TrainingSession
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.session import Database, UnitOfWork

ASSESSOR = "Pip Programme-Lead, pharmacy technician"
SEED = 11

SURE, MIXED, SELDOM = ("full", "full", "full", "partial"), ("full", "partial", "none"), ("partial", "none", "none")
FACTS: Sequence[dict[str, Any]] = (
    {"scope": "national", "delivery_mode": "e_learning", "duration_minutes": 210, "access_kind": "licensed"},
    {"scope": "national", "delivery_mode": "e_learning", "duration_minutes": 180, "access_kind": "licensed"},
    {"scope": "local", "delivery_mode": "webinar", "duration_minutes": 90, "access_kind": "free"},
    {"scope": "local", "delivery_mode": "face_to_face", "duration_minutes": 360, "access_kind": "local_venue"},
    {"scope": "provider_internal", "delivery_mode": "practical", "duration_minutes": 30, "access_kind": "licensed"},
)
"""Facts that the courses of a tenant get in turn."""


async def load_mapping(database: Database, context: TenantContext, *, publish: bool) -> None:
    """Map the courses that the demonstration's files brought, unless it was done before."""
    async with database.unit_of_work(context) as work:
        if (await work.session.scalars(select(MappingExercise.id).limit(1))).first() is not None:
            return
        listed = select(Course).where(Course.status == "active").order_by(Course.title_key, Course.version, Course.id)
        courses = list(await work.session.scalars(listed))
        if not courses:
            return
        await taxonomy.load_base_taxonomy(work)
        await _local_guidance(work)
        await _facts(work, courses)
        exercise_id = await _exercise(work, courses)
        await _gaps(work, exercise_id, courses)
        if publish:
            programme = (await work.session.scalars(select(Programme.id).order_by(Programme.created_at).limit(1))).one()
            summary = "Three tiers: e-learning for all, webinars on hard topics, a day for Medication Champions."
            await templates.publish_template(work, programme, name="Three-tier medicines training", summary=summary)


async def _local_guidance(work: UnitOfWork) -> None:
    today = london_date(work.now)
    given = taxonomy.Guidance(
        "LOCAL-PRN", "When required medicines in our area (invented)", "local", "Second edition", date(2024, 5, 1),
        today - timedelta(days=30),
    )  # fmt: skip
    document = await taxonomy.save_guidance(work, given)
    for code, number, summary in (
        ("T40", "whole", "How homes in our area write and review protocols."),
        ("T14", "2", "What a protocol for a medicine when required must say."),
    ):
        topic = (await work.session.scalars(select(Topic.id).where(Topic.code == code))).one()
        await taxonomy.add_reference(work, topic, document, number, summary)


async def _facts(work: UnitOfWork, courses: Sequence[Course]) -> None:
    """What each course is. What is not free is reached in all local authorities but the smallest one."""
    areas = list(
        await work.session.scalars(
            select(CqcLocation.local_authority)
            .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
            .where(CqcLocation.local_authority.is_not(None))
            .group_by(CqcLocation.local_authority)
            .order_by(func.count().desc(), CqcLocation.local_authority)
        )
    )
    for number, course in enumerate(courses):
        facts = FACTS[number % len(FACTS)]
        more = {"languages": ["English"], "author_profession": "Pharmacist", "certificate_required": True}
        await inventory.change_course(work, course.id, version=course.revision, given=facts | more)
        for area in areas[:-1] or areas if facts["access_kind"] != "free" else ():
            await inventory.add_access(work, course.id, inventory.Access(facts["access_kind"], None, area, "English"))
    await inventory.accredit_course(
        work,
        courses[0].id,
        awarding_body="Invented Institute of Care",
        reference="IIC-0001",
        level="2",
        valid_from=date(2025, 1, 1),
        valid_to=None,
    )


async def _exercise(work: UnitOfWork, courses: Sequence[Course]) -> UUID:
    """A locked first version, and a draft of the second in which one thing is better."""
    chance = random.Random(SEED)  # noqa: S311 - figures of a demonstration
    rows = await work.session.execute(
        select(TopicReference.topic_id, TopicReference.clause_id, Topic.theme)
        .join(Topic, and_(Topic.tenant_id == TopicReference.tenant_id, Topic.id == TopicReference.topic_id))
        .order_by(Topic.code, TopicReference.clause_id)
    )
    pairs = [(topic_id, clause_id, theme) for topic_id, clause_id, theme in rows]
    themes = sorted({theme for _, _, theme in pairs})
    exercise_id = await exercises.start_exercise(
        work, "Courses in our area", london_date(work.now) - timedelta(days=40)
    )
    revision = 1
    for number, course in enumerate(courses):
        cells = []
        for topic_id, clause_id, theme in pairs:
            near = (themes.index(theme) + number) % 3
            word = chance.choice((SURE, MIXED, SELDOM)[near])
            note = "Seen in the slides and the questions." if word == "full" and chance.random() < 0.2 else None
            cells.append(exercises.CellGiven(course.id, topic_id, clause_id, word, note))
        revision = await exercises.set_cells(work, exercise_id, version=revision, assessor=ASSESSOR, cells=cells)
    for setting in (None, "domiciliary", "care_home_with_nursing"):
        await analysis.analyse_exercise(work, exercise_id, setting=setting)
    await exercises.lock_exercise(work, exercise_id, version=revision)
    draft = await exercises.next_edition(work, exercise_id)
    better = [exercises.CellGiven(courses[0].id, *pair[:2], "full", "A module was added.") for pair in pairs[:4]]
    await exercises.set_cells(work, draft, version=1, assessor=ASSESSOR, cells=better)
    return exercise_id


async def _gaps(work: UnitOfWork, exercise_id: UUID, courses: Sequence[Course]) -> None:
    today = london_date(work.now)
    topics = {row.code: row.id for row in await work.session.scalars(select(Topic))}
    opened = [
        await gaps.open_gap(
            work, exercise_id, gaps.NewGap(kind, title, owner, today + timedelta(days=days), topics[code])
        )
        for kind, title, owner, days, code in (
            ("content", "No course goes into time-critical medicines", "Pip Programme-Lead", 60, "T25"),
            ("delivery", "Inhalers are taught on screen only", "Fay Facilitator", -10, "T20"),
            ("accessibility", "Nothing on covert administration in another language", "Pip Programme-Lead", 120, "T16"),
            ("content", "Homely remedies lacked our local protocol", "Fay Facilitator", -5, "T17"),
        )
    ]
    session = (
        await work.session.scalars(
            select(TrainingSession.id)
            .join(Tier, and_(Tier.tenant_id == TrainingSession.tenant_id, Tier.id == TrainingSession.tier_id))
            .where(Tier.position == 2)
            .order_by(TrainingSession.starts_at.desc(), TrainingSession.id)
            .limit(1)
        )
    ).first()
    evidence = gaps.Evidence(
        None if session is not None else courses[0].id, session, "The webinar covers the protocol since this month."
    )
    await gaps.close_gap(work, opened[-1], version=1, evidence=evidence)
