"""Governance and money: partners, items, plans, themes, objectives, incidents; streams, pools, rates, time; areas."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, open_table, replicate, wall

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "funding_stream",
    "partner_organisation",
    "recognition",
    "staff_rate",
    "strategic_objective",
    "action_plan",
    "incident_category",
    "medicine_incident",
    "learning_need",
    "funded_course",
    "licence_pool",
    "objective_tag",
    "content_change",
    "feedback_subject",
    "forum_minutes",
    "governance_item",
    "licence_enrolment",
    "plan_action",
    "time_log",
    "change_theme",
    "theme_response",
)
REFERENCE_TABLE = "postcode_area"
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""

    op.create_table(
        "postcode_area",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("imd_decile", sa.SmallInteger(), nullable=False),
        sa.Column("rurality", sa.Text(), nullable=False),
        sa.Column("local_authority", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rurality in ('urban', 'rural')", name=op.f("postcode_area_rurality_check")),
        sa.CheckConstraint("imd_decile between 1 and 10", name=op.f("postcode_area_imd_decile_check")),
        sa.PrimaryKeyConstraint("code", name=op.f("postcode_area_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "funding_stream",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("funder", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("eligible_settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("funding_stream_amount_check")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("funding_stream_dates_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("funding_stream_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("funding_stream_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("funding_stream_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("funding_stream_tenant_id_starts_on_id_index"),
        "funding_stream",
        ["tenant_id", "starts_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "partner_organisation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("registry_organisation_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('icb', 'council', 'care_provider', 'nhs_trust', 'community_pharmacy', 'voluntary', 'other')",
            name=op.f("partner_organisation_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["registry_organisation_id"],
            ["medstead.organisation.id"],
            name=op.f("partner_organisation_registry_organisation_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("partner_organisation_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("partner_organisation_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("partner_organisation_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("partner_organisation_tenant_id_name_id_index"),
        "partner_organisation",
        ["tenant_id", "name", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "recognition",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("award", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("recognition_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("recognition_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "award", "body", "awarded_on", name=op.f("recognition_tenant_id_award_body_awarded_on_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("recognition_tenant_id_awarded_on_id_index"),
        "recognition",
        ["tenant_id", "awarded_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "staff_rate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profession", sa.Text(), nullable=False),
        sa.Column("hourly_rate", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "profession in ('pharmacist', 'pharmacy_technician', 'nurse', 'dietitian', 'care_professional', 'other')",
            name=op.f("staff_rate_profession_check"),
        ),
        sa.CheckConstraint("hourly_rate > 0", name=op.f("staff_rate_hourly_rate_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("staff_rate_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("staff_rate_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "profession", "valid_from", name=op.f("staff_rate_tenant_id_profession_valid_from_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("staff_rate_tenant_id_valid_from_id_index"),
        "staff_rate",
        ["tenant_id", "valid_from", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "strategic_objective",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('current', 'past')", name=op.f("strategic_objective_status_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("strategic_objective_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("strategic_objective_pkey")),
        sa.UniqueConstraint("tenant_id", "title", name=op.f("strategic_objective_tenant_id_title_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "action_plan",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=True),
        sa.Column("cqc_provider_id", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('cqc', 'local')", name=op.f("action_plan_kind_check")),
        sa.CheckConstraint("status in ('open', 'completed', 'withdrawn')", name=op.f("action_plan_status_check")),
        sa.ForeignKeyConstraint(
            ["cqc_provider_id"], ["medstead.cqc_provider.id"], name=op.f("action_plan_cqc_provider_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_organisation_id"],
            ["medstead.partner_organisation.tenant_id", "medstead.partner_organisation.id"],
            name=op.f("action_plan_tenant_id_owner_organisation_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("action_plan_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("action_plan_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("action_plan_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("action_plan_tenant_id_created_at_id_index"),
        "action_plan",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("action_plan_tenant_id_due_on_id_index"),
        "action_plan",
        ["tenant_id", "due_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("action_plan_tenant_id_owner_organisation_id_index"),
        "action_plan",
        ["tenant_id", "owner_organisation_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("action_plan_tenant_id_tenant_location_id_index"),
        "action_plan",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "incident_category",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "topic_id"],
            ["medstead.topic.tenant_id", "medstead.topic.id"],
            name=op.f("incident_category_tenant_id_topic_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("incident_category_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("incident_category_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("incident_category_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("incident_category_tenant_id_topic_id_index"),
        "incident_category",
        ["tenant_id", "topic_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "medicine_incident",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("harm", sa.Text(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("safeguarding_raised", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "harm in ('none', 'low', 'moderate', 'severe', 'fatal')", name=op.f("medicine_incident_harm_check")
        ),
        sa.CheckConstraint(
            "stage in ('prescribing', 'dispensing', 'administration', 'monitoring', 'transfer', 'storage')",
            name=op.f("medicine_incident_stage_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "category_id"],
            ["medstead.incident_category.tenant_id", "medstead.incident_category.id"],
            name=op.f("medicine_incident_tenant_id_category_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("medicine_incident_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("medicine_incident_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("medicine_incident_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("medicine_incident_tenant_id_category_id_index"),
        "medicine_incident",
        ["tenant_id", "category_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("medicine_incident_tenant_id_occurred_on_id_index"),
        "medicine_incident",
        ["tenant_id", "occurred_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("medicine_incident_tenant_id_tenant_location_id_index"),
        "medicine_incident",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learning_need",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("topic_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status in ('suggested', 'accepted', 'declined', 'met')", name=op.f("learning_need_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["medstead.medicine_incident.tenant_id", "medstead.medicine_incident.id"],
            name=op.f("learning_need_tenant_id_incident_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("learning_need_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "topic_id"],
            ["medstead.topic.tenant_id", "medstead.topic.id"],
            name=op.f("learning_need_tenant_id_topic_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learning_need_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learning_need_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "incident_id", "topic_id", name=op.f("learning_need_tenant_id_incident_id_topic_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learning_need_tenant_id_created_at_id_index"),
        "learning_need",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learning_need_tenant_id_tenant_location_id_index"),
        "learning_need",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learning_need_tenant_id_topic_id_index"),
        "learning_need",
        ["tenant_id", "topic_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "funded_course",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("funded_course_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stream_id"],
            ["medstead.funding_stream.tenant_id", "medstead.funding_stream.id"],
            name=op.f("funded_course_tenant_id_stream_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("funded_course_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("funded_course_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "stream_id", "course_id", name=op.f("funded_course_tenant_id_stream_id_course_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("funded_course_tenant_id_course_id_index"),
        "funded_course",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "licence_pool",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("beyond", sa.Text(), nullable=False),
        sa.Column("cost_per_seat", sa.Numeric(precision=10, scale=2), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("beyond in ('refuse', 'wait')", name=op.f("licence_pool_beyond_check")),
        sa.CheckConstraint("cost_per_seat is null or cost_per_seat >= 0", name=op.f("licence_pool_cost_check")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("licence_pool_dates_check")),
        sa.CheckConstraint("seats >= 0", name=op.f("licence_pool_seats_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("licence_pool_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stream_id"],
            ["medstead.funding_stream.tenant_id", "medstead.funding_stream.id"],
            name=op.f("licence_pool_tenant_id_stream_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("licence_pool_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("licence_pool_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("licence_pool_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("licence_pool_tenant_id_course_id_index"),
        "licence_pool",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("licence_pool_tenant_id_starts_on_id_index"),
        "licence_pool",
        ["tenant_id", "starts_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("licence_pool_tenant_id_stream_id_index"),
        "licence_pool",
        ["tenant_id", "stream_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "objective_tag",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=True),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(programme_id, course_id, plan_id) >= 1", name=op.f("objective_tag_tagged_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("objective_tag_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["medstead.strategic_objective.tenant_id", "medstead.strategic_objective.id"],
            name=op.f("objective_tag_tenant_id_objective_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id"],
            ["medstead.action_plan.tenant_id", "medstead.action_plan.id"],
            name=op.f("objective_tag_tenant_id_plan_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "programme_id"],
            ["medstead.programme.tenant_id", "medstead.programme.id"],
            name=op.f("objective_tag_tenant_id_programme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("objective_tag_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("objective_tag_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "objective_id", "course_id", name=op.f("objective_tag_tenant_id_objective_id_course_id_key")
        ),
        sa.UniqueConstraint(
            "tenant_id", "objective_id", "plan_id", name=op.f("objective_tag_tenant_id_objective_id_plan_id_key")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "objective_id",
            "programme_id",
            name=op.f("objective_tag_tenant_id_objective_id_programme_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("objective_tag_tenant_id_course_id_index"),
        "objective_tag",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("objective_tag_tenant_id_plan_id_index"),
        "objective_tag",
        ["tenant_id", "plan_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("objective_tag_tenant_id_programme_id_index"),
        "objective_tag",
        ["tenant_id", "programme_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "content_change",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("num_nonnulls(course_id, session_id) >= 1", name=op.f("content_change_subject_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("content_change_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("content_change_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("content_change_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("content_change_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("content_change_tenant_id_changed_on_id_index"),
        "content_change",
        ["tenant_id", "changed_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("content_change_tenant_id_course_id_index"),
        "content_change",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("content_change_tenant_id_session_id_index"),
        "content_change",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "feedback_subject",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("num_nonnulls(course_id, session_id) >= 1", name=op.f("feedback_subject_subject_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("feedback_subject_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["medstead.feedback_form.tenant_id", "medstead.feedback_form.id"],
            name=op.f("feedback_subject_tenant_id_form_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("feedback_subject_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("feedback_subject_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("feedback_subject_pkey")),
        sa.UniqueConstraint("tenant_id", "form_id", name=op.f("feedback_subject_tenant_id_form_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("feedback_subject_tenant_id_course_id_index"),
        "feedback_subject",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("feedback_subject_tenant_id_session_id_index"),
        "feedback_subject",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "forum_minutes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("forum_minutes_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("forum_minutes_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("forum_minutes_pkey")),
        sa.UniqueConstraint("tenant_id", "session_id", name=op.f("forum_minutes_tenant_id_session_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "governance_item",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind <> 'forum_action' or (session_id is not null and due_on is not null)",
            name=op.f("governance_item_forum_check"),
        ),
        sa.CheckConstraint(
            "kind in ('policy', 'decision', 'risk', 'forum_action', 'feedback_theme')",
            name=op.f("governance_item_kind_check"),
        ),
        sa.CheckConstraint(
            "status in ('open', 'in_progress', 'done', 'withdrawn')", name=op.f("governance_item_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "owner_organisation_id"],
            ["medstead.partner_organisation.tenant_id", "medstead.partner_organisation.id"],
            name=op.f("governance_item_tenant_id_owner_organisation_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("governance_item_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("governance_item_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("governance_item_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("governance_item_tenant_id_created_at_id_index"),
        "governance_item",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("governance_item_tenant_id_due_on_id_index"),
        "governance_item",
        ["tenant_id", "due_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("governance_item_tenant_id_owner_organisation_id_index"),
        "governance_item",
        ["tenant_id", "owner_organisation_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("governance_item_tenant_id_review_on_id_index"),
        "governance_item",
        ["tenant_id", "review_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("governance_item_tenant_id_session_id_index"),
        "governance_item",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "licence_enrolment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'released') = (released_at is not null)", name=op.f("licence_enrolment_released_check")
        ),
        sa.CheckConstraint("state in ('charged', 'waiting', 'released')", name=op.f("licence_enrolment_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("licence_enrolment_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "pool_id"],
            ["medstead.licence_pool.tenant_id", "medstead.licence_pool.id"],
            name=op.f("licence_enrolment_tenant_id_pool_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("licence_enrolment_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("licence_enrolment_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "pool_id", "number", name=op.f("licence_enrolment_tenant_id_pool_id_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "licence_enrolment_live_index",
        "licence_enrolment",
        ["tenant_id", "pool_id", "learner_id"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("state in ('charged', 'waiting')"),
    )
    op.create_index(
        op.f("licence_enrolment_tenant_id_enrolled_at_id_index"),
        "licence_enrolment",
        ["tenant_id", "enrolled_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("licence_enrolment_tenant_id_learner_id_index"),
        "licence_enrolment",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("licence_enrolment_tenant_id_pool_id_state_number_index"),
        "licence_enrolment",
        ["tenant_id", "pool_id", "state", "number"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "plan_action",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status <> 'done' or evidence is not null", name=op.f("plan_action_evidence_check")),
        sa.CheckConstraint(
            "status in ('open', 'in_progress', 'done', 'withdrawn')", name=op.f("plan_action_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("plan_action_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id"],
            ["medstead.action_plan.tenant_id", "medstead.action_plan.id"],
            name=op.f("plan_action_tenant_id_plan_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("plan_action_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("plan_action_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("plan_action_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("plan_action_tenant_id_course_id_index"),
        "plan_action",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("plan_action_tenant_id_due_on_id_index"),
        "plan_action",
        ["tenant_id", "due_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("plan_action_tenant_id_plan_id_index"),
        "plan_action",
        ["tenant_id", "plan_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("plan_action_tenant_id_session_id_index"),
        "plan_action",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "time_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("team_member_id", sa.Uuid(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "activity in ('preparation', 'delivery', 'administration')", name=op.f("time_log_activity_check")
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("time_log_minutes_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("time_log_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "team_member_id"],
            ["medstead.team_member.tenant_id", "medstead.team_member.id"],
            name=op.f("time_log_tenant_id_team_member_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("time_log_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("time_log_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "session_id",
            "team_member_id",
            "activity",
            name=op.f("time_log_tenant_id_session_id_team_member_id_activity_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("time_log_tenant_id_logged_at_id_index"),
        "time_log",
        ["tenant_id", "logged_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("time_log_tenant_id_team_member_id_index"),
        "time_log",
        ["tenant_id", "team_member_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "change_theme",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("theme_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "change_id"],
            ["medstead.content_change.tenant_id", "medstead.content_change.id"],
            name=op.f("change_theme_tenant_id_change_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "theme_id"],
            ["medstead.governance_item.tenant_id", "medstead.governance_item.id"],
            name=op.f("change_theme_tenant_id_theme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("change_theme_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("change_theme_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "change_id", "theme_id", name=op.f("change_theme_tenant_id_change_id_theme_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("change_theme_tenant_id_theme_id_index"),
        "change_theme",
        ["tenant_id", "theme_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "theme_response",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("theme_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("cited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "response_id"],
            ["medstead.feedback_response.tenant_id", "medstead.feedback_response.id"],
            name=op.f("theme_response_tenant_id_response_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "theme_id"],
            ["medstead.governance_item.tenant_id", "medstead.governance_item.id"],
            name=op.f("theme_response_tenant_id_theme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("theme_response_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("theme_response_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "theme_id", "response_id", name=op.f("theme_response_tenant_id_theme_id_response_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("theme_response_tenant_id_cited_at_id_index"),
        "theme_response",
        ["tenant_id", "cited_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("theme_response_tenant_id_response_id_index"),
        "theme_response",
        ["tenant_id", "response_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )

    op.execute(replicate(REFERENCE_TABLE))
    for statement in open_table(REFERENCE_TABLE, ("SELECT",)):
        op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in (*reversed(TENANT_TABLES), REFERENCE_TABLE):
        op.drop_table(table, schema="medstead")
