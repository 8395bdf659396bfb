"""Reports: requests, what they tell, schedules with their readers, success stories."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# What was asked for stays as it was asked; only how far it is changes. What a report tells is added and never changed.
GRANTS = {
    "report_schedule": ("SELECT", "INSERT", "UPDATE"),
    "report_reader": ("SELECT", "INSERT", "DELETE"),
    "report_snapshot": ("SELECT", "INSERT", "UPDATE (state, steps_done, steps_total, error, built_at, files_until)"),
    "report_content": ("SELECT", "INSERT"),
    "report_rows": ("SELECT", "INSERT"),
    "success_story": ("SELECT", "INSERT", "UPDATE"),
}


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "report_schedule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cqc_provider_id", sa.Text(), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column("next_first_day", sa.Date(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("every in ('week', 'month', 'quarter')", name=op.f("report_schedule_every_check")),
        sa.CheckConstraint(
            "kind in ('impact', 'board', 'coverage', 'actions', 'evidence_pack', 'stories')",
            name=op.f("report_schedule_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["cqc_provider_id"], ["medstead.cqc_provider.id"], name=op.f("report_schedule_cqc_provider_id_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("report_schedule_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("report_schedule_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("report_schedule_tenant_id_created_at_id_index"),
        "report_schedule",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "report_snapshot",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("cqc_provider_id", sa.Text(), nullable=True),
        sa.Column("provider_group_id", sa.Uuid(), nullable=True),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("files_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('impact', 'board', 'coverage', 'actions', 'evidence_pack', 'stories')",
            name=op.f("report_snapshot_kind_check"),
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'building', 'ready', 'failed')", name=op.f("report_snapshot_state_check")
        ),
        sa.CheckConstraint("last_day >= first_day", name=op.f("report_snapshot_period_check")),
        sa.ForeignKeyConstraint(
            ["cqc_provider_id"], ["medstead.cqc_provider.id"], name=op.f("report_snapshot_cqc_provider_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_group_id"],
            ["medstead.provider_group.tenant_id", "medstead.provider_group.id"],
            name=op.f("report_snapshot_tenant_id_provider_group_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["medstead.report_schedule.tenant_id", "medstead.report_schedule.id"],
            name=op.f("report_snapshot_tenant_id_schedule_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("report_snapshot_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("report_snapshot_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "schedule_id", "first_day", name=op.f("report_snapshot_tenant_id_schedule_id_first_day_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("report_snapshot_tenant_id_provider_group_id_index"),
        "report_snapshot",
        ["tenant_id", "provider_group_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("report_snapshot_tenant_id_requested_at_id_index"),
        "report_snapshot",
        ["tenant_id", "requested_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "success_story",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("consent_given_by", sa.Text(), nullable=True),
        sa.Column("consent_given_on", sa.Date(), nullable=True),
        sa.Column("consent_document", sa.Text(), nullable=True),
        sa.Column("consent_recorded_by", sa.Uuid(), nullable=True),
        sa.Column("consent_recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'approved' or (approved_by is not null and consent_recorded_at is not null and consent_withdrawn_at is null)",
            name=op.f("success_story_consent_check"),
        ),
        sa.CheckConstraint("state in ('draft', 'approved', 'withdrawn')", name=op.f("success_story_state_check")),
        sa.CheckConstraint(
            "approved_by is null or approved_by <> written_by", name=op.f("success_story_second_person_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("success_story_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("success_story_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("success_story_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("success_story_tenant_id_created_at_id_index"),
        "success_story",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("success_story_tenant_id_learner_id_index"),
        "success_story",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "report_content",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("location_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "snapshot_id"],
            ["medstead.report_snapshot.tenant_id", "medstead.report_snapshot.id"],
            name=op.f("report_content_tenant_id_snapshot_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("report_content_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("report_content_pkey")),
        sa.UniqueConstraint("tenant_id", "snapshot_id", name=op.f("report_content_tenant_id_snapshot_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "report_reader",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["medstead.report_schedule.tenant_id", "medstead.report_schedule.id"],
            name=op.f("report_reader_tenant_id_schedule_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_member_id"],
            ["medstead.staff_member.tenant_id", "medstead.staff_member.id"],
            name=op.f("report_reader_tenant_id_staff_member_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("report_reader_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("report_reader_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "schedule_id",
            "staff_member_id",
            name=op.f("report_reader_tenant_id_schedule_id_staff_member_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("report_reader_tenant_id_staff_member_id_index"),
        "report_reader",
        ["tenant_id", "staff_member_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "report_rows",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("table_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "snapshot_id"],
            ["medstead.report_snapshot.tenant_id", "medstead.report_snapshot.id"],
            name=op.f("report_rows_tenant_id_snapshot_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("report_rows_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("report_rows_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "snapshot_id",
            "table_key",
            "number",
            name=op.f("report_rows_tenant_id_snapshot_id_table_key_number_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    for table in GRANTS:
        op.execute(distribute(table))
    for table, grants in GRANTS.items():
        for statement in wall(table, grants):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(GRANTS):
        op.drop_table(table, schema="medstead")
