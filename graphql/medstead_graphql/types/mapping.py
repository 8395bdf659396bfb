"""Types of the mapping: guidance, topics, exercises with cells and analyses, gaps, templates."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import Date, Float, Integer, Select, Text, Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from app.training.mapping import models, reports
from app.training.models import Course as CourseRow
from app.training.models import Programme, TrainingSession
from medstead_graphql.compiler.declare import Connection, Node, column, expression, inline, many, node, one
from medstead_graphql.compiler.identifiers import key_of
from medstead_graphql.types import listings_mapping
from medstead_graphql.types.common import JSON, PEOPLE
from medstead_graphql.types.mapping_words import (
    CellChange,
    CellCoverage,
    GapKind,
    GapStatus,
    GuidanceKind,
    GuidanceStatus,
    MappingStatus,
    TopicStatus,
)
from medstead_graphql.types.training import Course, Session
from tenants.base import table_of

SCOPE = "training:read"


@strawberry.type(description="A topic that refers to a document, and who at work has learned it.")
class EvidencedTopic:
    """Evidence of a topic."""

    code: str = column()
    title: str = column()
    courses: int = column(description="Courses that cover the topic's part of the document in full.")
    learners: int = column(description="People at work somewhere who completed one of them.")
    employed: int = column(description="People at work somewhere.")


@strawberry.type(description="A course that covers a part of a document, and who at work has completed it.")
class EvidencedCourse:
    """Evidence by a course."""

    code: str = column(description="Of the topic.")
    topic: str = column()
    number: str = column(description="Of the document's part.")
    course: str = column()
    coverage: CellCoverage = column()
    learners: int = column(description="People at work somewhere who completed it.")


def _evidence(report: Callable[..., Select[Any]]) -> Callable[[Any, Any, dict[str, Any]], Select[Any]]:
    def evidence(compilation: Any, row: Any, arguments: dict[str, Any]) -> Select[Any]:
        day = arguments.get("on")
        bound = reports.today()
        if day is not None:
            bound = func.coalesce(compilation.bind(day.get, Date()), bound)
        return report(compilation.tenant, row.c.id, bound)

    return evidence


@node(
    models.GuidanceDocument,
    scope=SCOPE,
    description="What topics refer to. Past `reviewOn` it is to be looked at before anything that cites it goes out.",
)
class GuidanceDocument(Node):
    """A document."""

    code: str = column()
    title: str = column()
    kind: GuidanceKind = column()
    edition: str = column()
    issued_on: date | None = column()
    review_on: date | None = column()
    url: str | None = column()
    status: GuidanceStatus = column()
    base_version: int | None = column(description="Of the base taxonomy that it came with; null: the tenant's own.")
    version: int = column(description="Send this back when you change the document.")
    clauses: Connection["GuidanceClause"] = many(listings_mapping.GUIDANCE_CLAUSE, on="document_id")
    evidenced_topics: list[EvidencedTopic] = inline(
        _evidence(reports.regulation_topics),
        arguments={"on": date | None},
        description="Topics that refer to it, with present coverage, by the latest locked exercise.",
    )
    evidenced_courses: list[EvidencedCourse] = inline(
        _evidence(reports.regulation_courses), arguments={"on": date | None}
    )


@node(models.GuidanceClause, scope=SCOPE, description="A numbered part of a document, in our own words.")
class GuidanceClause(Node):
    """A clause."""

    number: str = column()
    summary: str = column()
    document: GuidanceDocument = one(models.GuidanceDocument, key="document_id")
    references: Connection["TopicReference"] = many(listings_mapping.TOPIC_REFERENCE, on="clause_id")


@node(models.Topic, scope=SCOPE, description="Something that training is about. One without a reference is a fault.")
class Topic(Node):
    """A topic."""

    code: str = column()
    title: str = column()
    theme: str = column()
    audience: str = column()
    mandatory_in: list[str] = column(description="Settings in which everybody needs it.")
    status: TopicStatus = column()
    base_version: int | None = column()
    version: int = column(description="Send this back when you change the topic.")
    references: Connection["TopicReference"] = many(listings_mapping.TOPIC_REFERENCE, on="topic_id")
    cells: Connection["MappingCell"] = many(listings_mapping.CELL, on="topic_id")


@node(models.TopicReference, scope=SCOPE, description="A clause that a topic is drawn from: a row of the matrix.")
class TopicReference(Node):
    """A reference."""

    topic: Topic = one(models.Topic, key="topic_id")
    clause: GuidanceClause = one(models.GuidanceClause, key="clause_id")


@strawberry.type(description="A cell that differs between two exercises.")
class CellDifference:
    """A difference."""

    change: CellChange = column()
    code: str = column(description="Of the topic.")
    topic: str = column()
    clause: str = column()
    course: str = column()
    before: CellCoverage | None = column()
    after: CellCoverage | None = column()
    note_before: str | None = column()
    note_after: str | None = column()


def _differences(compilation: Any, row: Any, arguments: dict[str, Any]) -> Select[Any]:
    """Against the exercise that is named, or the one that this was copied from."""
    earlier = row.c.previous_id
    against = arguments.get("against")
    if against is not None:

        def key(variables: Any) -> Any:
            given = against.get(variables)
            return None if given is None else key_of(given, "MappingExercise", UUID)

        earlier = func.coalesce(compilation.bind(key, Uuid()), earlier)
    return reports.differences(compilation.tenant, earlier, row.c.id)


@node(
    models.MappingExercise,
    scope=SCOPE,
    description="What each course covers of each topic, as assessed by a day. A locked one never changes.",
)
class MappingExercise(Node):
    """An exercise."""

    name: str = column()
    edition: int = column(description="The version of this name, from 1.")
    exercised_on: date = column()
    status: MappingStatus = column()
    locked_at: datetime | None = column()
    seal: str | None = column(description="SHA-256 of all cells when it was locked.")
    revision: int = column(description="Send this back as `version` when you change or lock the exercise.")
    previous: "MappingExercise | None" = one(models.MappingExercise, key="previous_id")
    cells: Connection["MappingCell"] = many(listings_mapping.CELL, on="exercise_id")
    gaps: Connection["MappingGap"] = many(listings_mapping.GAP, on="exercise_id")
    analyses: Connection["MappingAnalysis"] = many(listings_mapping.ANALYSIS, on="exercise_id")
    differences: list[CellDifference] = inline(
        _differences,
        arguments={"against": strawberry.ID | None},
        description="Cell by cell against another exercise; against the one it was copied from if none is named.",
    )


@node(models.MappingCell, scope=SCOPE, description="How far a course covers a clause of a topic.")
class MappingCell(Node):
    """A cell."""

    coverage: CellCoverage = column()
    assessor: str | None = column(scope=PEOPLE)
    assessed_on: date = column()
    evidence_note: str | None = column()
    exercise: MappingExercise = one(models.MappingExercise, key="exercise_id")
    course: Course = one(CourseRow, key="course_id")
    topic: Topic = one(models.Topic, key="topic_id")
    clause: GuidanceClause = one(models.GuidanceClause, key="clause_id")


@strawberry.type(description="A course as it was weighed.")
class WeighedCourse:
    """A course of an analysis."""

    course_id: str = column(description="The course's id, for `node(id:)`.")
    title: str = column()
    covered: int = column(description="Mandatory topics that it covers by itself.")
    percent: float = column()


def _weighed(which: str | None) -> Callable[[Any, Any, dict[str, Any]], Select[Any]]:
    """The courses of an analysis, the widest first; or those whose ids stand in a column."""

    def weighed(compilation: Any, row: Any, _: dict[str, Any]) -> Select[Any]:
        course = table_of(CourseRow).alias()
        entry = func.jsonb_array_elements(row.c.courses).table_valued("value").render_derived()
        value = cast(entry.c.value, JSONB())
        key, covered = value["course_id"].astext, value["covered"].astext
        found = (
            select(
                func.concat("Course:", key).label("course_id"),
                course.c.title,
                cast(covered, Integer()).label("covered"),
                cast(value["percent"].astext, Float()).label("percent"),
            )
            .select_from(entry)
            .join(course, (course.c.tenant_id == compilation.tenant) & (cast(course.c.id, Text()) == key))
            .order_by(cast(covered, Integer()).desc(), course.c.title, course.c.id)
        )
        return found if which is None else found.where(row.c[which].has_key(key))

    return weighed


@node(
    models.MappingAnalysis,
    scope=SCOPE,
    description="What the courses of an exercise cover, for a setting and a scope, when somebody asked.",
)
class MappingAnalysis(Node):
    """An analysis."""

    setting: str | None = column(description="Whose mandatory topics count; null: those of any setting.")
    scope: str | None = column(description="Which courses count; null: all.")
    exercise_revision: int = column(description="Older than the exercise's: cells were changed since.")
    mandatory_topics: int = column()
    courses: list[WeighedCourse] = inline(_weighed(None))
    covers_all: list[WeighedCourse] = inline(_weighed("covers_all"))
    smallest: list[WeighedCourse] = inline(
        _weighed("smallest"), description="The fewest courses that cover together what can be covered."
    )
    proven: bool = column(description="Whether no smaller set exists; false: the search reached its bound.")
    steps: int = column()
    uncovered: list[str] = column(description="Codes of mandatory topics that all courses together leave open.")
    faults: list[str] = column(description="Codes of mandatory topics without any reference.")
    created_at: datetime = column()
    exercise: MappingExercise = one(models.MappingExercise, key="exercise_id")


@node(models.MappingGap, scope=SCOPE, description="Something that training lacks. It is closed by evidence.")
class MappingGap(Node):
    """A gap."""

    kind: GapKind = column()
    title: str = column()
    owner: str | None = column(scope=PEOPLE)
    due_on: date = column()
    status: GapStatus = column()
    closing_decision: str | None = column()
    closed_at: datetime | None = column()
    version: int = column(description="Send this back when you change or close the gap.")
    created_at: datetime = column()
    exercise: MappingExercise = one(models.MappingExercise, key="exercise_id")
    topic: Topic | None = one(models.Topic, key="topic_id")
    course: Course | None = one(CourseRow, key="course_id")
    closing_course: Course | None = one(CourseRow, key="closing_course_id")
    closing_session: Session | None = one(TrainingSession, key="closing_session_id")


@node(
    models.ProgrammeTemplate,
    scope=SCOPE,
    description="A programme that a tenant gave to all others. It holds no person and never changes.",
)
class ProgrammeTemplate(Node):
    """A template."""

    name: str = column()
    version: int = column()
    publisher_name: str = column()
    summary: str = column()
    document: JSON = column(description="Sections by name: tiers, guidance, topics, courses, coverage and more.")
    published_at: datetime = column()


def _programme_name(row: Any, compilation: Any) -> Any:
    programme = table_of(Programme).alias()
    named = select(programme.c.name).where(
        programme.c.tenant_id == compilation.tenant, programme.c.id == row.c.programme_id
    )
    return named.correlate(row).scalar_subquery()


@node(models.ProgrammeOrigin, scope=SCOPE, description="From which template, in which version, a programme was cloned.")
class ProgrammeOrigin(Node):
    """An origin."""

    programme_name: str = expression(_programme_name)
    template: ProgrammeTemplate = one(models.ProgrammeTemplate, key="template_id")
    template_version: int = column()
    publisher_name: str = column()
    cloned_at: datetime = column()


@strawberry.type(description="A course that people have completed, and how far employers rely on it.")
class CourseInUse:
    """A course in use."""

    title: str = column()
    course_version: str = column()
    training_provider: str = column()
    scope: str | None = column()
    tier: int | None = column()
    topics: int = column(description="Topics that it covers at least in part.")
    learners: int = column()
    employers: int = column(description="Employers whose people completed it while employed there.")


@strawberry.type(description="A topic, with the courses in use that cover some of it.")
class TopicInUse:
    """A topic in use."""

    code: str = column()
    title: str = column()
    theme: str = column()
    courses: int = column(description="Distinct courses in use that cover it at least in part.")
    employers: int = column(description="Employers that rely on them.")


@strawberry.type(description="How many courses of each tier an employer's people can reach.")
class CourseReach:
    """Reach of an employer."""

    name: str = column()
    local_authority: str | None = column()
    tier1: int = column()
    tier2: int = column()
    tier3: int = column()


def in_use(report: Callable[[Any], Select[Any]]) -> Callable[[Any, Any, Any], Select[Any]]:
    """A report on the whole tenant as the source of a root field."""
    return lambda compilation, _, __: report(compilation.tenant)


def reach_in(report: Callable[[Any, Any], Select[Any]]) -> Callable[[Any, Any, dict[str, Any]], Select[Any]]:
    """A report on access, in the language that is asked for."""

    def reach(compilation: Any, _: Any, arguments: dict[str, Any]) -> Select[Any]:
        language = arguments.get("language")
        given = None if language is None else compilation.pin(lambda variables: language.get(variables) is not None)
        return report(compilation.tenant, compilation.bind(language.get, Text()) if language and given else None)

    return reach
