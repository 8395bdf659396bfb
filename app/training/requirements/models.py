"""Tables of the programme's rules: prerequisites, nominations, requirements, standing, competence, confidence."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant


class PrerequisiteRule(TenantOwned, Base):
    """What somebody needs before a place on a tier. Rules with one number of `alternatives` stand for
    each other: any of them will do. `needs_skill` is a topic or task; null: any competence will do.
    """

    __tablename__ = "prerequisite_rule"
    __table_args__ = tenant_table(
        to_tenant("tier_id", "tier"),
        to_tenant("needs_tier_id", "tier"),
        to_tenant("needs_course_id", "course"),
        CheckConstraint(
            "kind in ('tier_met', 'course_completed', 'approved_nomination', 'competence_current')", name="kind"
        ),
        tenant_index("tier_id", "alternatives", "id"),
        tenant_index("needs_tier_id"),
        tenant_index("needs_course_id"),
    )

    tier_id: Mapped[UUID]
    kind: Mapped[str]
    alternatives: Mapped[int]
    needs_tier_id: Mapped[UUID | None]
    needs_course_id: Mapped[UUID | None]
    needs_skill: Mapped[str | None]
    created_at: Mapped[datetime]


class PrerequisiteOverride(TenantOwned, Base):
    """Somebody let a learner pass one rule of a tier, or all of them where `rule_id` is null, until a day."""

    __tablename__ = "prerequisite_override"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("tier_id", "tier"),
        to_tenant("rule_id", "prerequisite_rule"),
        tenant_index("learner_id", "tier_id"),
        tenant_index("tier_id"),
        tenant_index("rule_id"),
        tenant_index("granted_at", "id"),
    )

    learner_id: Mapped[UUID]
    tier_id: Mapped[UUID]
    rule_id: Mapped[UUID | None]
    reason: Mapped[str]
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]
    until: Mapped[date]
    ended_at: Mapped[datetime | None]


class ShortCourseOverride(TenantOwned, Base):
    """Somebody let a course that is shorter than its tier's minimum count for that tier, for a reason."""

    __tablename__ = "short_course_override"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        to_tenant("tier_id", "tier"),
        tenant_unique("course_id", "tier_id"),
        tenant_index("tier_id"),
    )

    course_id: Mapped[UUID]
    tier_id: Mapped[UUID]
    reason: Mapped[str]
    granted_by: Mapped[UUID | None]
    granted_at: Mapped[datetime]


class ChampionNomination(TenantOwned, Base):
    """A learner put forward as Medication Champion. `pending` is true until it is decided and null afterwards, so
    that a learner has one open nomination at most.
    """

    __tablename__ = "champion_nomination"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("tenant_location_id", "tenant_location"),
        CheckConstraint("status in ('nominated', 'approved', 'declined', 'withdrawn')", name="status"),
        tenant_unique("learner_id", "pending"),
        tenant_index("tenant_location_id"),
        tenant_index("status", "nominated_at", "id"),
        tenant_index("nominated_at", "id"),
    )

    learner_id: Mapped[UUID]
    tenant_location_id: Mapped[UUID]
    nominator_name: Mapped[str]
    nominator_role: Mapped[str]
    statement: Mapped[str]
    status: Mapped[str]
    pending: Mapped[bool | None]
    version: Mapped[int]
    nominated_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_because: Mapped[str | None]


class Requirement(TenantOwned, Base):
    """Who needs what: people of a job role, in a setting, with a task (null: whichever) need a topic or a tier."""

    __tablename__ = "requirement"
    __table_args__ = tenant_table(
        to_tenant("programme_id", "programme"),
        to_tenant("tier_id", "tier"),
        tenant_index("programme_id", "created_at", "id"),
        tenant_index("tier_id"),
        tenant_index("created_at", "id"),
    )

    programme_id: Mapped[UUID]
    job_role_code: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.job_role.code"))
    setting: Mapped[str | None]
    task: Mapped[str | None]
    topic_code: Mapped[str | None]
    tier_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class CourseTopic(TenantOwned, Base):
    """A course covers a topic, so its completion meets the topic's requirement."""

    __tablename__ = "course_topic"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"), tenant_unique("course_id", "topic_code"), tenant_index("topic_code")
    )

    course_id: Mapped[UUID]
    topic_code: Mapped[str]


class EmploymentTask(TenantOwned, Base):
    """What a learner does with medicines for an employer, such as `administers`."""

    __tablename__ = "employment_task"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        tenant_unique("learner_id", "employer_id", "task"),
        tenant_index("employer_id"),
        tenant_index("task", "id"),
    )

    learner_id: Mapped[UUID]
    employer_id: Mapped[UUID]
    task: Mapped[str]
    created_at: Mapped[datetime]


class LearnerStanding(TenantOwned, Base):
    """Where a learner stands by one requirement at one employer, as last computed; `since` when it came to be so."""

    __tablename__ = "learner_standing"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("employer_id", "employer"),
        to_tenant("requirement_id", "requirement"),
        CheckConstraint("state in ('met', 'expiring', 'expired', 'missing')", name="state"),
        tenant_unique("learner_id", "employer_id", "requirement_id"),
        tenant_index("employer_id", "state"),
        tenant_index("requirement_id", "state"),
        tenant_index("since", "id"),
    )

    learner_id: Mapped[UUID]
    employer_id: Mapped[UUID]
    requirement_id: Mapped[UUID]
    state: Mapped[str]
    since: Mapped[datetime]
    valid_until: Mapped[date | None]
    evidence_kind: Mapped[str | None]
    evidence_id: Mapped[UUID | None]
    computed_at: Mapped[datetime]


class CourseProgress(TenantOwned, Base):
    """How far a learner has come with an e-learning course, as the learning system tells."""

    __tablename__ = "course_progress"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("course_id", "course"),
        CheckConstraint("state in ('not_started', 'in_progress', 'completed', 'expired')", name="state"),
        tenant_unique("learner_id", "course_id"),
        tenant_index("course_id", "state"),
        tenant_index("told_at", "id"),
    )

    learner_id: Mapped[UUID]
    course_id: Mapped[UUID]
    state: Mapped[str]
    source: Mapped[str]
    told_at: Mapped[datetime]
    corrected_because: Mapped[str | None]


class AssessorRule(TenantOwned, Base):
    """Who may assess competence: people of a job role here, or of a profession from outside."""

    __tablename__ = "assessor_rule"
    __table_args__ = tenant_table(tenant_index("created_at", "id"))

    job_role_code: Mapped[int | None] = mapped_column(ForeignKey(f"{SCHEMA}.job_role.code"))
    profession: Mapped[str | None]
    needs_own_competence: Mapped[bool]
    created_at: Mapped[datetime]


class CompetenceAssessment(TenantOwned, Base):
    """A formal assessment of competence, apart from completions. `skills` are topics and tasks."""

    __tablename__ = "competence_assessment"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("assessor_learner_id", "learner"),
        CheckConstraint("outcome in ('competent', 'not_yet_competent')", name="outcome"),
        tenant_index("learner_id", "assessed_on", "id"),
        tenant_index("assessor_learner_id"),
        tenant_index("assessed_on", "id"),
        tenant_index("review_due_on", "id"),
    )

    learner_id: Mapped[UUID]
    assessor_learner_id: Mapped[UUID | None]
    assessor_name: Mapped[str]
    assessor_profession: Mapped[str | None]
    outcome: Mapped[str]
    skills: Mapped[list[Any]]
    assessed_on: Mapped[date]
    review_due_on: Mapped[date]
    recorded_by: Mapped[UUID | None]
    created_at: Mapped[datetime]


class ConfidenceRating(TenantOwned, Base):
    """How confident a learner felt about a topic before or after training of a tier, from 1 to `scale_points`."""

    __tablename__ = "confidence_rating"
    __table_args__ = tenant_table(
        to_tenant("learner_id", "learner"),
        to_tenant("tier_id", "tier"),
        CheckConstraint("moment in ('before', 'after')", name="moment"),
        tenant_unique("learner_id", "tier_id", "topic_code", "moment"),
        tenant_index("tier_id", "topic_code"),
        tenant_index("rated_on", "id"),
    )

    learner_id: Mapped[UUID]
    tier_id: Mapped[UUID]
    topic_code: Mapped[str]
    moment: Mapped[str]
    rating: Mapped[int]
    scale_points: Mapped[int]
    rated_on: Mapped[date]


class RequirementSettings(TenantOwned, Base):
    """One row a tenant: months until competence is reviewed, and the fewest people a confidence figure tells of."""

    __tablename__ = "requirement_settings"
    __table_args__ = tenant_table(CheckConstraint("id = tenant_id", name="single"))

    competence_review_months: Mapped[int]
    confidence_minimum: Mapped[int]
