"""Outside systems: connections, linked events, registrations, notices, attendance reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

GRANTS = {
    "outside_connection": ("SELECT", "INSERT", "UPDATE"),
    "outside_event": ("SELECT", "INSERT", "UPDATE"),
    "outside_registration": ("SELECT", "INSERT", "UPDATE"),
    "outside_notice": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "outside_report": ("SELECT", "INSERT", "UPDATE"),
}


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "outside_connection",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('on', 'off')", name=op.f("outside_connection_state_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("outside_connection_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outside_connection_pkey")),
        sa.UniqueConstraint("tenant_id", "system", name=op.f("outside_connection_tenant_id_system_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "outside_notice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('order', 'attendee', 'event')", name=op.f("outside_notice_kind_check")),
        sa.CheckConstraint(
            "state in ('waiting', 'taken', 'done', 'left_to_poll')", name=op.f("outside_notice_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["medstead.outside_connection.tenant_id", "medstead.outside_connection.id"],
            name=op.f("outside_notice_tenant_id_connection_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("outside_notice_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outside_notice_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("outside_notice_tenant_id_received_at_id_index"),
        "outside_notice",
        ["tenant_id", "received_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        "outside_notice_waiting_index",
        "outside_notice",
        ["tenant_id", "connection_id", "kind", "object_id"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "outside_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("outside_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("workplace_question", sa.Text(), nullable=True),
        sa.Column("role_question", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("report_note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('linked', 'unlinked')", name=op.f("outside_event_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["medstead.outside_connection.tenant_id", "medstead.outside_connection.id"],
            name=op.f("outside_event_tenant_id_connection_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("outside_event_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("outside_event_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outside_event_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "connection_id",
            "outside_id",
            name=op.f("outside_event_tenant_id_connection_id_outside_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("outside_event_tenant_id_session_id_index"),
        "outside_event",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "outside_report",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("outside_id", sa.Text(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.Column("taken", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "event_id"],
            ["medstead.outside_event.tenant_id", "medstead.outside_event.id"],
            name=op.f("outside_report_tenant_id_event_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("outside_report_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("outside_report_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outside_report_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "event_id", "outside_id", name=op.f("outside_report_tenant_id_event_id_outside_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("outside_report_tenant_id_import_id_index"),
        "outside_report",
        ["tenant_id", "import_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "outside_registration",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("outside_id", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("who", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_text", sa.Text(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("placed_name", sa.Text(), nullable=True),
        sa.Column("employer_id", sa.Uuid(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("booked_here", sa.Boolean(), nullable=False),
        sa.Column("marked_part", sa.SmallInteger(), nullable=True),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('registered', 'waiting', 'cancelled')", name=op.f("outside_registration_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["medstead.booking.tenant_id", "medstead.booking.id"],
            name=op.f("outside_registration_tenant_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("outside_registration_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "event_id"],
            ["medstead.outside_event.tenant_id", "medstead.outside_event.id"],
            name=op.f("outside_registration_tenant_id_event_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("outside_registration_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("outside_registration_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("outside_registration_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "event_id", "outside_id", name=op.f("outside_registration_tenant_id_event_id_outside_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("outside_registration_tenant_id_booking_id_index"),
        "outside_registration",
        ["tenant_id", "booking_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("outside_registration_tenant_id_employer_id_index"),
        "outside_registration",
        ["tenant_id", "employer_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("outside_registration_tenant_id_event_id_pending_id_index"),
        "outside_registration",
        ["tenant_id", "event_id", "pending", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("outside_registration_tenant_id_learner_id_index"),
        "outside_registration",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
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
