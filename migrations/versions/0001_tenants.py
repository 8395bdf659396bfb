"""Registry of tenants and organisations, audit trail, outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, open_table, replicate, wall

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFERENCE_TABLES = ("organisation", "organisation_code", "organisation_succession", "tenant")
TENANT_TABLES = ("audit_event", "audit_head", "outbox", "tenant_settings")
LOCAL_TABLES = ("platform_audit_event", "schedule_run", "tenant_work", "worker_heartbeat")
NARROW_GRANTS = {"audit_event": ("SELECT", "INSERT"), "audit_head": ("SELECT", "INSERT", "UPDATE")}
NARROW_LOCAL_GRANTS = {"platform_audit_event": ("SELECT", "INSERT")}
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("abolished_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind in ('icb', 'council', 'stp')", name=op.f("organisation_kind_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("organisation_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "platform_audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("platform_audit_event_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "organisation_code",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("scheme in ('ods', 'ons_gss')", name=op.f("organisation_code_scheme_check")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("organisation_code_dates_check")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["medstead.organisation.id"], name=op.f("organisation_code_organisation_id_fkey")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "scheme", "code", "valid_from", name=op.f("organisation_code_pkey")),
        sa.UniqueConstraint("scheme", "code", "valid_from", name=op.f("organisation_code_scheme_code_valid_from_key")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "organisation_succession",
        sa.Column("predecessor_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind in ('merge', 'split', 'boundary_change')", name=op.f("organisation_succession_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["predecessor_id"], ["medstead.organisation.id"], name=op.f("organisation_succession_predecessor_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["medstead.organisation.id"], name=op.f("organisation_succession_successor_id_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "predecessor_id", "successor_id", "happened_on", name=op.f("organisation_succession_pkey")
        ),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_index(
        op.f("organisation_succession_successor_id_index"),
        "organisation_succession",
        ["successor_id"],
        unique=False,
        schema="medstead",
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('icb', 'council')", name=op.f("tenant_kind_check")),
        sa.CheckConstraint("status in ('onboarding', 'live', 'suspended', 'closed')", name=op.f("tenant_status_check")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["medstead.organisation.id"], name=op.f("tenant_organisation_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("tenant_pkey")),
        sa.UniqueConstraint("slug", name=op.f("tenant_slug_key")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "audit_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("audit_event_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_event_pkey")),
        sa.UniqueConstraint("tenant_id", "sequence", name=op.f("audit_event_tenant_id_sequence_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("audit_event_tenant_id_at_index"),
        "audit_event",
        ["tenant_id", "at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("audit_event_tenant_id_subject_type_subject_id_index"),
        "audit_event",
        ["tenant_id", "subject_type", "subject_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "audit_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = tenant_id", name=op.f("audit_head_single_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("audit_head_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_head_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("refs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("outbox_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outbox_pkey")),
        sa.UniqueConstraint("tenant_id", "dedupe_key", name=op.f("outbox_tenant_id_dedupe_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "outbox_open_index",
        "outbox",
        ["tenant_id", "available_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("done_at is null and dead_at is null"),
    )
    op.create_table(
        "tenant_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attendance_threshold_percent", sa.Integer(), nullable=False),
        sa.Column("count_unknown_durations", sa.Boolean(), nullable=False),
        sa.Column("column_mappings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "attendance_threshold_percent between 0 and 100",
            name=op.f("tenant_settings_attendance_threshold_percent_check"),
        ),
        sa.CheckConstraint("id = tenant_id", name=op.f("tenant_settings_single_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("tenant_settings_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("tenant_settings_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "schedule_run",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("emitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("schedule_run_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "worker_heartbeat",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("worker_heartbeat_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "tenant_work",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("tenant_work_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("tenant_work_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    for table in REFERENCE_TABLES:
        op.execute(replicate(table))
        for statement in open_table(table, ("SELECT",)):
            op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, NARROW_GRANTS.get(table, ALL_GRANTS)):
            op.execute(statement)
    for table in LOCAL_TABLES:
        for statement in open_table(table, NARROW_LOCAL_GRANTS.get(table, ALL_GRANTS)):
            op.execute(statement)
    op.execute("GRANT USAGE ON SCHEMA medstead TO medstead_app")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("tenant_work", schema="medstead")
    op.drop_table("worker_heartbeat", schema="medstead")
    op.drop_table("schedule_run", schema="medstead")
    op.drop_table("tenant_settings", schema="medstead")
    op.drop_table("outbox", schema="medstead")
    op.drop_table("audit_head", schema="medstead")
    op.drop_table("audit_event", schema="medstead")
    op.drop_table("tenant", schema="medstead")
    op.drop_table("organisation_succession", schema="medstead")
    op.drop_table("organisation_code", schema="medstead")
    op.drop_table("platform_audit_event", schema="medstead")
    op.drop_table("organisation", schema="medstead")
