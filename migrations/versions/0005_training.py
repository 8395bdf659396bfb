"""Training: courses, completions, sessions, attendance, champions."""

import sqlalchemy as sa
from alembic import op

from tenants.policies import distribute, wall

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "programme",
    "training_provider",
    "medication_champion",
    "tier",
    "course",
    "training_session",
    "attendance",
    "attendance_evidence",
    "completion",
)
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "programme",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("programme_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("programme_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("programme_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "training_provider",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("training_provider_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("training_provider_pkey")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("training_provider_tenant_id_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "medication_champion",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=True),
        sa.Column("location_key", sa.Text(), nullable=False),
        sa.Column("trained_on", sa.Date(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("deputy", sa.Boolean(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ended_on is null or started_on is null or ended_on >= started_on",
            name=op.f("medication_champion_dates_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("medication_champion_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("medication_champion_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("medication_champion_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("medication_champion_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("medication_champion_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "location_key",
            name=op.f("medication_champion_tenant_id_learner_id_location_key_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("medication_champion_tenant_id_tenant_location_id_index"),
        "medication_champion",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("medication_champion_tenant_id_trained_on_id_index"),
        "medication_champion",
        ["tenant_id", "trained_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "tier",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minimum_minutes", sa.Integer(), nullable=True),
        sa.CheckConstraint("position >= 1", name=op.f("tier_position_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "programme_id"],
            ["medstead.programme.tenant_id", "medstead.programme.id"],
            name=op.f("tier_tenant_id_programme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("tier_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("tier_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "programme_id", "position", name=op.f("tier_tenant_id_programme_id_position_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "course",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("training_provider_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("course_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "training_provider_id"],
            ["medstead.training_provider.tenant_id", "medstead.training_provider.id"],
            name=op.f("course_tenant_id_training_provider_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("course_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "training_provider_id",
            "title_key",
            "version",
            name=op.f("course_tenant_id_training_provider_id_title_key_version_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("course_tenant_id_tier_id_index"),
        "course",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "training_session",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("online_mode", sa.Text(), nullable=False),
        sa.Column("external_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "online_mode in ('meeting', 'webinar', 'town_hall', 'none')",
            name=op.f("training_session_online_mode_check"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("training_session_times_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("training_session_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("training_session_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("training_session_pkey")),
        sa.UniqueConstraint("tenant_id", "external_key", name=op.f("training_session_tenant_id_external_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("training_session_tenant_id_starts_at_id_index"),
        "training_session",
        ["tenant_id", "starts_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("training_session_tenant_id_tier_id_index"),
        "training_session",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "attendance",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("qualifies", sa.Boolean(), nullable=False),
        sa.Column("decided_because", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("attendance_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("attendance_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("attendance_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("attendance_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "session_id", "learner_id", name=op.f("attendance_tenant_id_session_id_learner_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("attendance_tenant_id_learner_id_index"),
        "attendance",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "attendance_evidence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("attendance_evidence_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("attendance_evidence_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("attendance_evidence_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("attendance_evidence_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("attendance_evidence_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "import_id", "row_number", name=op.f("attendance_evidence_tenant_id_import_id_row_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("attendance_evidence_tenant_id_learner_id_index"),
        "attendance_evidence",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("attendance_evidence_tenant_id_session_id_learner_id_index"),
        "attendance_evidence",
        ["tenant_id", "session_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "completion",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("score", sa.Numeric(precision=7, scale=2), nullable=True),
        sa.Column("certificate_number", sa.Text(), nullable=True),
        sa.Column("short_duration", sa.Boolean(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("import_row_number", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("completion_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("completion_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("completion_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("completion_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("completion_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "course_id",
            "completed_at",
            "source",
            name=op.f("completion_tenant_id_learner_id_course_id_completed_at_source_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("completion_tenant_id_completed_at_id_index"),
        "completion",
        ["tenant_id", "completed_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("completion_tenant_id_course_id_completed_at_index"),
        "completion",
        ["tenant_id", "course_id", "completed_at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("completion", schema="medstead")
    op.drop_table("attendance_evidence", schema="medstead")
    op.drop_table("attendance", schema="medstead")
    op.drop_table("training_session", schema="medstead")
    op.drop_table("course", schema="medstead")
    op.drop_table("tier", schema="medstead")
    op.drop_table("medication_champion", schema="medstead")
    op.drop_table("training_provider", schema="medstead")
    op.drop_table("programme", schema="medstead")
