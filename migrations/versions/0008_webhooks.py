"""Webhooks: endpoints, events, deliveries and attempts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TENANT_TABLES = ("webhook_endpoint", "webhook_event", "webhook_delivery", "webhook_attempt")
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "webhook_endpoint",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("event_types", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('enabled', 'disabled')", name=op.f("webhook_endpoint_state_check")),
        sa.CheckConstraint(
            "disabled_reason in ('by_hand', 'failing', 'gone')", name=op.f("webhook_endpoint_disabled_reason_check")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("webhook_endpoint_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("webhook_endpoint_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "webhook_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("webhook_event_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("webhook_event_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("replay_of_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("attempt_count", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'delivered', 'failed')", name=op.f("webhook_delivery_state_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("webhook_delivery_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("webhook_delivery_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "webhook_attempt",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("webhook_attempt_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("webhook_attempt_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "delivery_id", "number", name=op.f("webhook_attempt_tenant_id_delivery_id_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    _link("webhook_delivery", "endpoint_id", "webhook_endpoint")
    _link("webhook_delivery", "event_id", "webhook_event")
    _link("webhook_delivery", "replay_of_id", "webhook_delivery")
    _link("webhook_attempt", "delivery_id", "webhook_delivery")
    _index("webhook_endpoint", "created_at", "id")
    _index("webhook_event", "occurred_at")
    _index("webhook_delivery", "endpoint_id", "created_at", "id")
    _index("webhook_delivery", "created_at", "id")
    _index("webhook_delivery", "event_id")
    _index("webhook_delivery", "replay_of_id")
    op.create_index(
        "webhook_delivery_first_key",
        "webhook_delivery",
        ["tenant_id", "endpoint_id", "event_id"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("replay_of_id is null"),
    )
    op.create_index(
        "webhook_delivery_waiting_index",
        "webhook_delivery",
        ["tenant_id", "endpoint_id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "webhook_attempt_open_index",
        "webhook_attempt",
        ["tenant_id", "at"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("ended_at is null"),
    )
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)


def _link(table: str, column: str, target: str) -> None:
    """A foreign key to another table of tenants, made after both are distributed."""
    op.create_foreign_key(
        op.f(f"{table}_tenant_id_{column}_fkey"),
        table,
        target,
        ["tenant_id", column],
        ["tenant_id", "id"],
        source_schema="medstead",
        referent_schema="medstead",
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(
        op.f(f"{table}_tenant_id_{'_'.join(columns)}_index"), table, ["tenant_id", *columns], schema="medstead"
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TENANT_TABLES):
        op.drop_table(table, schema="medstead")
