"""Tables of the mapping: guidance, topics, accreditation and access of courses, exercises, gaps, templates."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import (
    SCHEMA,
    Base,
    TenantOwned,
    reference_table,
    tenant_index,
    tenant_table,
    tenant_unique,
    to_tenant,
)

COVERAGES = ("full", "partial", "none", "not_applicable")


class GuidanceDocument(TenantOwned, Base):
    """What topics refer to: national guidance, a regulation, local guidance. Past `review_on` it is to be looked at.

    `base_version` is the version of the base taxonomy that it came with; null: the tenant's own.
    """

    __tablename__ = "guidance_document"
    __table_args__ = tenant_table(
        CheckConstraint("kind in ('national', 'regulation', 'local')", name="kind"),
        CheckConstraint("status in ('current', 'withdrawn')", name="status"),
        tenant_unique("code"),
    )

    code: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    edition: Mapped[str]
    issued_on: Mapped[date | None]
    review_on: Mapped[date | None]
    url: Mapped[str | None]
    status: Mapped[str]
    base_version: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class GuidanceClause(TenantOwned, Base):
    """A numbered part of a document with a summary in our own words."""

    __tablename__ = "guidance_clause"
    __table_args__ = tenant_table(to_tenant("document_id", "guidance_document"), tenant_unique("document_id", "number"))

    document_id: Mapped[UUID]
    number: Mapped[str]
    summary: Mapped[str]


class Topic(TenantOwned, Base):
    """Something that training is about. `mandatory_in` lists the settings in which every learner needs it."""

    __tablename__ = "topic"
    __table_args__ = tenant_table(
        CheckConstraint("status in ('active', 'retired')", name="status"), tenant_unique("code")
    )

    code: Mapped[str]
    title: Mapped[str]
    theme: Mapped[str]
    audience: Mapped[str]
    mandatory_in: Mapped[list[Any]]
    status: Mapped[str]
    base_version: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class TopicReference(TenantOwned, Base):
    """A clause that a topic is drawn from."""

    __tablename__ = "topic_reference"
    __table_args__ = tenant_table(
        to_tenant("topic_id", "topic"),
        to_tenant("clause_id", "guidance_clause"),
        tenant_unique("topic_id", "clause_id"),
        tenant_index("clause_id"),
    )

    topic_id: Mapped[UUID]
    clause_id: Mapped[UUID]


class CourseAccreditation(TenantOwned, Base):
    """Who vouches for a course, from the first to the last day of it."""

    __tablename__ = "course_accreditation"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        CheckConstraint("valid_to is null or valid_to >= valid_from", name="dates"),
        tenant_unique("course_id", "awarding_body", "reference", "valid_from"),
    )

    course_id: Mapped[UUID]
    awarding_body: Mapped[str]
    reference: Mapped[str]
    level: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class CourseAccess(TenantOwned, Base):
    """A way to a course: free for all, licensed to an employer, at a venue in a local authority. Null: any.

    `language` is the one in which the course is given this way.
    """

    __tablename__ = "course_access"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        to_tenant("employer_id", "employer"),
        CheckConstraint("kind in ('free', 'licensed', 'local_venue')", name="kind"),
        tenant_index("course_id"),
        tenant_index("employer_id"),
    )

    course_id: Mapped[UUID]
    kind: Mapped[str]
    employer_id: Mapped[UUID | None]
    local_authority: Mapped[str | None]
    language: Mapped[str | None]


class CourseMerge(TenantOwned, Base):
    """Two rows found to be one course. `moved` lists what changed hands, so that it can be undone."""

    __tablename__ = "course_merge"
    __table_args__ = tenant_table(
        to_tenant("kept_course_id", "course"),
        to_tenant("merged_course_id", "course"),
        tenant_index("kept_course_id"),
        tenant_index("merged_course_id"),
    )

    kept_course_id: Mapped[UUID]
    merged_course_id: Mapped[UUID]
    reason: Mapped[str]
    moved: Mapped[dict[str, Any]]
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class MappingExercise(TenantOwned, Base):
    """What each course covers of each topic, as assessed by a day. Locked: never changed again; `seal` tells if it was.

    `edition` counts the versions of one name from 1; `revision` guards against lost updates.
    """

    __tablename__ = "mapping_exercise"
    __table_args__ = tenant_table(
        to_tenant("previous_id", "mapping_exercise"),
        CheckConstraint("status in ('draft', 'locked')", name="status"),
        tenant_unique("name", "edition"),
        tenant_index("previous_id"),
        tenant_index("exercised_on", "id"),
    )

    name: Mapped[str]
    edition: Mapped[int]
    exercised_on: Mapped[date]
    status: Mapped[str]
    previous_id: Mapped[UUID | None]
    locked_at: Mapped[datetime | None]
    seal: Mapped[str | None]
    revision: Mapped[int]
    created_at: Mapped[datetime]


class MappingCell(TenantOwned, Base):
    """How far a course covers a clause of a topic, who said so and on what evidence."""

    __tablename__ = "mapping_cell"
    __table_args__ = tenant_table(
        to_tenant("exercise_id", "mapping_exercise"),
        to_tenant("course_id", "course"),
        to_tenant("topic_id", "topic"),
        to_tenant("clause_id", "guidance_clause"),
        CheckConstraint("coverage in ('full', 'partial', 'none', 'not_applicable')", name="coverage"),
        tenant_unique("exercise_id", "course_id", "topic_id", "clause_id"),
        tenant_index("course_id"),
        tenant_index("topic_id"),
        tenant_index("clause_id"),
        tenant_index("assessed_on", "id"),
    )

    exercise_id: Mapped[UUID]
    course_id: Mapped[UUID]
    topic_id: Mapped[UUID]
    clause_id: Mapped[UUID]
    coverage: Mapped[str]
    assessor: Mapped[str]
    assessed_on: Mapped[date]
    evidence_note: Mapped[str | None]


class MappingAnalysis(TenantOwned, Base):
    """What a search over an exercise gave. Null `setting`, `scope`: all of them.

    `courses`: {course, covered, percent} for each; `covers_all`, `smallest`: ids of courses; `uncovered`, `faults`:
    codes of mandatory topics that no course covers, and of those without a reference. `proven`: no smaller set exists.
    """

    __tablename__ = "mapping_analysis"
    __table_args__ = tenant_table(
        to_tenant("exercise_id", "mapping_exercise"),
        tenant_index("exercise_id", "created_at", "id"),
        tenant_index("created_at", "id"),
    )

    exercise_id: Mapped[UUID]
    exercise_revision: Mapped[int]
    setting: Mapped[str | None]
    scope: Mapped[str | None]
    mandatory_topics: Mapped[int]
    courses: Mapped[list[Any]]
    covers_all: Mapped[list[Any]]
    smallest: Mapped[list[Any]]
    proven: Mapped[bool]
    steps: Mapped[int]
    uncovered: Mapped[list[Any]]
    faults: Mapped[list[Any]]
    created_at: Mapped[datetime]


class MappingGap(TenantOwned, Base):
    """Something that training lacks. It is closed by evidence: a course, a session or a decision."""

    __tablename__ = "mapping_gap"
    __table_args__ = tenant_table(
        to_tenant("exercise_id", "mapping_exercise"),
        to_tenant("topic_id", "topic"),
        to_tenant("course_id", "course"),
        to_tenant("closing_course_id", "course"),
        to_tenant("closing_session_id", "training_session"),
        CheckConstraint("kind in ('content', 'delivery', 'accessibility')", name="kind"),
        CheckConstraint("status in ('open', 'closed')", name="status"),
        CheckConstraint(
            "status = 'open' or (closed_at is not null and (closing_course_id is not null "
            "or closing_session_id is not null or closing_decision is not null))",
            name="closing_evidence",
        ),
        tenant_index("exercise_id"),
        tenant_index("topic_id"),
        tenant_index("course_id"),
        tenant_index("closing_course_id"),
        tenant_index("closing_session_id"),
        tenant_index("due_on", "id"),
        tenant_index("created_at", "id"),
    )

    exercise_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
    topic_id: Mapped[UUID | None]
    course_id: Mapped[UUID | None]
    owner: Mapped[str]
    due_on: Mapped[date]
    status: Mapped[str]
    closing_course_id: Mapped[UUID | None]
    closing_session_id: Mapped[UUID | None]
    closing_decision: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class ProgrammeTemplate(Base):
    """A programme that a tenant gave to all others: no person is in it. Written once, never changed."""

    __tablename__ = "programme_template"
    __table_args__ = reference_table(UniqueConstraint("publisher_id", "name", "version"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    publisher_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"))
    publisher_name: Mapped[str]
    name: Mapped[str]
    version: Mapped[int]
    summary: Mapped[str]
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]


class ProgrammeOrigin(TenantOwned, Base):
    """From which template, in which version, a programme was cloned."""

    __tablename__ = "programme_origin"
    __table_args__ = tenant_table(to_tenant("programme_id", "programme"), tenant_unique("programme_id"))

    programme_id: Mapped[UUID]
    template_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.programme_template.id"))
    template_version: Mapped[int]
    publisher_name: Mapped[str]
    cloned_at: Mapped[datetime]
