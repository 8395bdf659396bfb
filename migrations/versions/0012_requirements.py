"""Requirements: programme scope and rules of tiers, prerequisites, nominations, standing, competence, confidence."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.guards import beside_the_service
from tenants.policies import distribute, wall

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "assessor_rule",
    "requirement_settings",
    "champion_nomination",
    "competence_assessment",
    "employment_task",
    "confidence_rating",
    "requirement",
    "course_progress",
    "course_topic",
    "learner_standing",
    "prerequisite_rule",
    "short_course_override",
    "prerequisite_override",
)
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
COLUMNS: tuple[tuple[str, str, sa.types.TypeEngine[Any], str | None], ...] = (
    ("programme", "scope", sa.Text(), "system"),
    ("programme", "provider_group_id", sa.Uuid(), None),
    ("programme", "cqc_provider_id", sa.Text(), None),
    ("programme", "status", sa.Text(), "published"),
    ("programme", "version", sa.Integer(), "1"),
    ("programme", "published_at", sa.DateTime(timezone=True), None),
    ("programme", "published_without_mapping", sa.Boolean(), "false"),
    ("tier", "accepted_modes", postgresql.JSONB(), "[]"),
    ("tier", "validity_months", sa.Integer(), None),
    ("tier", "renewal_lead_days", sa.Integer(), "90"),
)
"""Table, column, type, default. Columns with a default are never null."""
CHECKS = (
    ("scope", "scope in ('system', 'provider_group', 'single_provider')"),
    ("status", "status in ('draft', 'published', 'retired')"),
)
KEYS = (
    (
        "programme_tenant_id_provider_group_id_fkey",
        "provider_group",
        ["tenant_id", "provider_group_id"],
        ["tenant_id", "id"],
    ),
    ("programme_cqc_provider_id_fkey", "cqc_provider", ["cqc_provider_id"], ["id"]),
)
INDEX = "programme_tenant_id_provider_group_id_index"


def upgrade() -> None:
    """Widen programme, tier and course; create the tables, distribute them where Citus is, put up the wall, grant."""
    _widen()
    op.create_table(
        "assessor_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_role_code", sa.Integer(), nullable=True),
        sa.Column("profession", sa.Text(), nullable=True),
        sa.Column("needs_own_competence", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_role_code"], ["medstead.job_role.code"], name=op.f("assessor_rule_job_role_code_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("assessor_rule_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("assessor_rule_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("assessor_rule_tenant_id_created_at_id_index"),
        "assessor_rule",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "requirement_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("competence_review_months", sa.Integer(), nullable=False),
        sa.Column("confidence_minimum", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = tenant_id", name=op.f("requirement_settings_single_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("requirement_settings_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("requirement_settings_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "champion_nomination",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=False),
        sa.Column("nominator_name", sa.Text(), nullable=False),
        sa.Column("nominator_role", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("nominated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status in ('nominated', 'approved', 'declined', 'withdrawn')",
            name=op.f("champion_nomination_status_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("champion_nomination_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("champion_nomination_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("champion_nomination_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("champion_nomination_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "learner_id", "pending", name=op.f("champion_nomination_tenant_id_learner_id_pending_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("champion_nomination_tenant_id_nominated_at_id_index"),
        "champion_nomination",
        ["tenant_id", "nominated_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("champion_nomination_tenant_id_status_nominated_at_id_index"),
        "champion_nomination",
        ["tenant_id", "status", "nominated_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("champion_nomination_tenant_id_tenant_location_id_index"),
        "champion_nomination",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "competence_assessment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("assessor_learner_id", sa.Uuid(), nullable=True),
        sa.Column("assessor_name", sa.Text(), nullable=False),
        sa.Column("assessor_profession", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("skills", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("review_due_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome in ('competent', 'not_yet_competent')", name=op.f("competence_assessment_outcome_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "assessor_learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("competence_assessment_tenant_id_assessor_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("competence_assessment_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("competence_assessment_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("competence_assessment_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("competence_assessment_tenant_id_assessed_on_id_index"),
        "competence_assessment",
        ["tenant_id", "assessed_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("competence_assessment_tenant_id_assessor_learner_id_index"),
        "competence_assessment",
        ["tenant_id", "assessor_learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("competence_assessment_tenant_id_learner_id_assessed_on_id_index"),
        "competence_assessment",
        ["tenant_id", "learner_id", "assessed_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("competence_assessment_tenant_id_review_due_on_id_index"),
        "competence_assessment",
        ["tenant_id", "review_due_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "employment_task",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("employment_task_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("employment_task_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("employment_task_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("employment_task_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "employer_id",
            "task",
            name=op.f("employment_task_tenant_id_learner_id_employer_id_task_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("employment_task_tenant_id_employer_id_index"),
        "employment_task",
        ["tenant_id", "employer_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("employment_task_tenant_id_task_id_index"),
        "employment_task",
        ["tenant_id", "task", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "confidence_rating",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("topic_code", sa.Text(), nullable=False),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("scale_points", sa.Integer(), nullable=False),
        sa.Column("rated_on", sa.Date(), nullable=False),
        sa.CheckConstraint("moment in ('before', 'after')", name=op.f("confidence_rating_moment_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("confidence_rating_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("confidence_rating_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("confidence_rating_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("confidence_rating_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "tier_id",
            "topic_code",
            "moment",
            name=op.f("confidence_rating_tenant_id_learner_id_tier_id_topic_code_moment_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("confidence_rating_tenant_id_rated_on_id_index"),
        "confidence_rating",
        ["tenant_id", "rated_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("confidence_rating_tenant_id_tier_id_topic_code_index"),
        "confidence_rating",
        ["tenant_id", "tier_id", "topic_code"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "requirement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("job_role_code", sa.Integer(), nullable=True),
        sa.Column("setting", sa.Text(), nullable=True),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column("topic_code", sa.Text(), nullable=True),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_role_code"], ["medstead.job_role.code"], name=op.f("requirement_job_role_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "programme_id"],
            ["medstead.programme.tenant_id", "medstead.programme.id"],
            name=op.f("requirement_tenant_id_programme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("requirement_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("requirement_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("requirement_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("requirement_tenant_id_created_at_id_index"),
        "requirement",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("requirement_tenant_id_programme_id_created_at_id_index"),
        "requirement",
        ["tenant_id", "programme_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("requirement_tenant_id_tier_id_index"),
        "requirement",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "course_progress",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state in ('not_started', 'in_progress', 'completed', 'expired')", name=op.f("course_progress_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_progress_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("course_progress_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("course_progress_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_progress_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "learner_id", "course_id", name=op.f("course_progress_tenant_id_learner_id_course_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("course_progress_tenant_id_course_id_state_index"),
        "course_progress",
        ["tenant_id", "course_id", "state"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("course_progress_tenant_id_told_at_id_index"),
        "course_progress",
        ["tenant_id", "told_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "course_topic",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("topic_code", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_topic_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("course_topic_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_topic_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "topic_code", name=op.f("course_topic_tenant_id_course_id_topic_code_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("course_topic_tenant_id_topic_code_index"),
        "course_topic",
        ["tenant_id", "topic_code"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learner_standing",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("evidence_kind", sa.Text(), nullable=True),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('met', 'expiring', 'expired', 'missing')", name=op.f("learner_standing_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("learner_standing_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_standing_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "requirement_id"],
            ["medstead.requirement.tenant_id", "medstead.requirement.id"],
            name=op.f("learner_standing_tenant_id_requirement_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_standing_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_standing_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "employer_id",
            "requirement_id",
            name=op.f("learner_standing_tenant_id_learner_id_employer_id_requirement_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learner_standing_tenant_id_employer_id_state_index"),
        "learner_standing",
        ["tenant_id", "employer_id", "state"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learner_standing_tenant_id_requirement_id_state_index"),
        "learner_standing",
        ["tenant_id", "requirement_id", "state"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learner_standing_tenant_id_since_id_index"),
        "learner_standing",
        ["tenant_id", "since", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "prerequisite_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("alternatives", sa.Integer(), nullable=False),
        sa.Column("needs_tier_id", sa.Uuid(), nullable=True),
        sa.Column("needs_course_id", sa.Uuid(), nullable=True),
        sa.Column("needs_skill", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('tier_met', 'course_completed', 'approved_nomination', 'competence_current')",
            name=op.f("prerequisite_rule_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "needs_course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("prerequisite_rule_tenant_id_needs_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "needs_tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("prerequisite_rule_tenant_id_needs_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("prerequisite_rule_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("prerequisite_rule_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("prerequisite_rule_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("prerequisite_rule_tenant_id_needs_course_id_index"),
        "prerequisite_rule",
        ["tenant_id", "needs_course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("prerequisite_rule_tenant_id_needs_tier_id_index"),
        "prerequisite_rule",
        ["tenant_id", "needs_tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("prerequisite_rule_tenant_id_tier_id_alternatives_id_index"),
        "prerequisite_rule",
        ["tenant_id", "tier_id", "alternatives", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "short_course_override",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("short_course_override_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("short_course_override_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("short_course_override_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("short_course_override_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "tier_id", name=op.f("short_course_override_tenant_id_course_id_tier_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("short_course_override_tenant_id_tier_id_index"),
        "short_course_override",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "prerequisite_override",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("prerequisite_override_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["medstead.prerequisite_rule.tenant_id", "medstead.prerequisite_rule.id"],
            name=op.f("prerequisite_override_tenant_id_rule_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("prerequisite_override_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("prerequisite_override_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("prerequisite_override_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("prerequisite_override_tenant_id_granted_at_id_index"),
        "prerequisite_override",
        ["tenant_id", "granted_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("prerequisite_override_tenant_id_learner_id_tier_id_index"),
        "prerequisite_override",
        ["tenant_id", "learner_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("prerequisite_override_tenant_id_rule_id_index"),
        "prerequisite_override",
        ["tenant_id", "rule_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("prerequisite_override_tenant_id_tier_id_index"),
        "prerequisite_override",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)
    with beside_the_service():
        op.create_index(
            op.f(INDEX),
            "programme",
            ["tenant_id", "provider_group_id"],
            schema="medstead",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _widen() -> None:
    for table, name, kind, default in COLUMNS:
        column = sa.Column(name, kind, server_default=default, nullable=default is None)
        op.add_column(table, column, schema="medstead")
    for name, condition in CHECKS:
        name = f"programme_{name}_check"
        op.create_check_constraint(op.f(name), "programme", condition, schema="medstead", postgresql_not_valid=True)
        op.execute(f"ALTER TABLE medstead.programme VALIDATE CONSTRAINT {name}")
    for name, target, columns, others in KEYS:
        op.create_foreign_key(
            op.f(name),
            "programme",
            target,
            columns,
            others,
            source_schema="medstead",
            referent_schema="medstead",
            postgresql_not_valid=True,
        )
        op.execute(f"ALTER TABLE medstead.programme VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """Drop the tables, then the columns."""
    op.drop_table("prerequisite_override", schema="medstead")
    op.drop_table("short_course_override", schema="medstead")
    op.drop_table("prerequisite_rule", schema="medstead")
    op.drop_table("learner_standing", schema="medstead")
    op.drop_table("course_topic", schema="medstead")
    op.drop_table("course_progress", schema="medstead")
    op.drop_table("requirement", schema="medstead")
    op.drop_table("confidence_rating", schema="medstead")
    op.drop_table("employment_task", schema="medstead")
    op.drop_table("competence_assessment", schema="medstead")
    op.drop_table("champion_nomination", schema="medstead")
    op.drop_table("requirement_settings", schema="medstead")
    op.drop_table("assessor_rule", schema="medstead")
    for table, name, _, _ in reversed(COLUMNS):
        op.drop_column(table, name, schema="medstead", if_exists=True)
