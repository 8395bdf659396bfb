"""The matrix of an exercise as it is shown: a row for each clause of each topic, a column for each course."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException

from app.training.mapping.exercises import cells_of
from app.training.mapping.models import (
    GuidanceClause,
    GuidanceDocument,
    MappingExercise,
    Topic,
    TopicReference,
)
from app.training.mapping.rules import Assessed
from app.training.models import Course, TrainingProvider


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A clause of a topic with its cells by course; `first` if it is the topic's first."""

    topic_id: UUID
    clause_id: UUID
    code: str
    title: str
    theme: str
    clause: str
    summary: str
    first: bool
    cells: dict[UUID, Assessed]

    @property
    def key(self) -> str:
        """Both ids as the name of a field."""
        return f"{self.topic_id}_{self.clause_id}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """An exercise with its rows; `courses` are those with cells, in the order of `titles`, which names every course."""

    exercise: MappingExercise
    rows: list[MatrixRow]
    courses: list[UUID]
    titles: dict[UUID, str]


def named_courses() -> Select[Course, str]:
    """All courses with the names of their training providers, by title."""
    return (
        select(Course, TrainingProvider.name)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .order_by(Course.title_key, TrainingProvider.name, Course.version, Course.id)
    )


def course_name(course: Course, provider: str) -> str:
    """What tells a course from others of the same title."""
    merged = ", merged into another" if course.status == "merged" else ""
    return f"{course.title} {course.version}".strip() + f" ({provider}{merged})"


async def exercise_of(session: AsyncSession, exercise_id: UUID) -> MappingExercise:
    """The exercise, or a page that says that there is none."""
    found = (await session.scalars(select(MappingExercise).where(MappingExercise.id == exercise_id))).first()
    if found is None:
        raise HTTPException(404)
    return found


async def read_matrix(session: AsyncSession, exercise_id: UUID, setting: str | None, scope: str | None) -> Matrix:
    """The matrix with the topics that are mandatory in a setting (all if none is named) and courses of a scope."""
    exercise = await exercise_of(session, exercise_id)
    cells = await cells_of(session, exercise_id)
    assessed = {place[0] for place in cells}
    titles, scopes = {}, {}
    for course, provider in await session.execute(named_courses()):
        # A locked exercise keeps what it says of a course that was merged since.
        if course.status != "merged" or course.id in assessed:
            titles[course.id], scopes[course.id] = course_name(course, provider), course.scope
    courses = [course_id for course_id in titles if course_id in assessed and scope in (None, scopes[course_id])]
    listed = await session.execute(
        select(Topic, GuidanceClause, GuidanceDocument.code)
        .join(TopicReference, and_(TopicReference.tenant_id == Topic.tenant_id, TopicReference.topic_id == Topic.id))
        .join(
            GuidanceClause,
            and_(GuidanceClause.tenant_id == Topic.tenant_id, GuidanceClause.id == TopicReference.clause_id),
        )
        .join(
            GuidanceDocument,
            and_(GuidanceDocument.tenant_id == Topic.tenant_id, GuidanceDocument.id == GuidanceClause.document_id),
        )
        .where(Topic.status == "active")
        .order_by(Topic.code, GuidanceDocument.code, GuidanceClause.number)
    )
    rows: list[MatrixRow] = []
    for topic, clause, document in listed:
        if setting is not None and setting not in topic.mandatory_in:
            continue
        rows.append(
            MatrixRow(
                topic.id,
                clause.id,
                topic.code,
                topic.title,
                topic.theme,
                f"{document} {clause.number}",
                clause.summary,
                not rows or rows[-1].topic_id != topic.id,
                {
                    course_id: cell
                    for course_id in titles
                    for cell in [cells.get((course_id, topic.id, clause.id))]
                    if cell is not None
                },
            )
        )
    return Matrix(exercise, rows, courses, titles)
