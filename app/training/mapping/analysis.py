"""Weighing an exercise for a setting and a scope, kept with the revision that it was drawn from."""

import asyncio
from collections import defaultdict
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select

from app.directory.models import SETTINGS
from app.training.mapping.exercises import cells_of
from app.training.mapping.finding import found, one_of
from app.training.mapping.inventory import SCOPES
from app.training.mapping.models import MappingAnalysis, MappingExercise, Topic, TopicReference
from app.training.mapping.rules import Analysis, analyse, mandatory_topics
from app.training.models import Course
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def analyse_exercise(
    work: UnitOfWork, exercise_id: UUID, *, setting: str | None = None, scope: str | None = None
) -> UUID:
    """Weigh the courses of an exercise; gives the analysis. None: every setting, courses of every scope.

    Raises TrainingRefusal `NO_SUCH_MAPPING_EXERCISE` or `UNKNOWN_CHOICE`.
    """
    exercise = await found(work, MappingExercise, exercise_id, "mapping exercise")
    setting, scope = one_of(setting, SETTINGS, "setting"), one_of(scope, SCOPES, "scope")
    result, codes = await _weighed(work, exercise_id, setting, scope)
    row = MappingAnalysis(
        tenant_id=work.tenant_id,
        id=new_id(),
        exercise_id=exercise_id,
        exercise_revision=exercise.revision,
        setting=setting,
        scope=scope,
        mandatory_topics=result.mandatory_topics,
        courses=[asdict(share) | {"course_id": str(share.course_id)} for share in result.courses],
        covers_all=[str(course) for course in result.covers_all],
        smallest=[str(course) for course in result.smallest],
        proven=result.proven,
        steps=result.steps,
        uncovered=sorted(codes[topic] for topic in result.uncovered),
        faults=sorted(codes[topic] for topic in result.faults),
        created_at=work.now,
    )
    work.add(row)
    after = {"setting": setting, "scope": scope, "smallest": len(row.smallest), "uncovered": len(row.uncovered)}
    work.record(Action.MAPPING_ANALYSED, "mapping_exercise", exercise_id, after=after)
    return row.id


async def _weighed(
    work: UnitOfWork, exercise_id: UUID, setting: str | None, scope: str | None
) -> tuple[Analysis, dict[UUID, str]]:
    topics = {row.id: row for row in await work.session.scalars(select(Topic).where(Topic.status == "active"))}
    clauses: dict[UUID, list[UUID]] = defaultdict(list)
    rows = await work.session.execute(select(TopicReference.topic_id, TopicReference.clause_id))
    for topic_id, clause_id in rows:
        clauses[topic_id].append(clause_id)
    cells = await cells_of(work.session, exercise_id)
    listed = select(Course.id).where(among(Course.id, {place[0] for place in cells}), Course.status != "merged")
    if scope is not None:
        listed = listed.where(Course.scope == scope)
    courses = list(await work.session.scalars(listed.order_by(Course.title_key, Course.id)))
    mandatory = mandatory_topics([(row.id, row.mandatory_in) for row in topics.values()], clauses, setting)
    coverage = {place: cell.coverage for place, cell in cells.items()}
    # The search may take seconds: in a thread, so that others are answered meanwhile.
    result = await asyncio.to_thread(analyse, mandatory, courses, coverage)
    return result, {topic_id: row.code for topic_id, row in topics.items()}
