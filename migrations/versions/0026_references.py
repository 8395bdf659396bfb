"""Refreshes of reference data: what was asked for, the changes found, and the grants to apply those of boards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import open_table

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

GRANTS = {
    "reference_refresh": ("SELECT", "INSERT", "UPDATE"),
    "reference_change": ("SELECT", "INSERT", "UPDATE (applied_at)", "DELETE"),
    # What a person approved is applied by workers: boards, their codes and successions; nothing is ever removed.
    "organisation": ("INSERT", "UPDATE (name, abolished_on)"),
    "organisation_code": ("INSERT", "UPDATE (valid_to)"),
    "organisation_succession": ("INSERT", "UPDATE (kind)"),
}
OPEN = "state in ('asked', 'fetching', 'ready', 'approved', 'applying')"


def upgrade() -> None:
    """Create the tables and grant."""
    op.create_table(
        "reference_refresh",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("large", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source in ('cqc', 'ods')", name=op.f("reference_refresh_source_check")),
        sa.CheckConstraint(
            "state in ('asked', 'fetching', 'ready', 'approved', 'applying', 'applied', 'rejected', 'failed')",
            name=op.f("reference_refresh_state_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("reference_refresh_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        "reference_refresh_open_index",
        "reference_refresh",
        ["source"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text(OPEN),
    )
    op.create_index(
        op.f("reference_refresh_asked_at_id_index"), "reference_refresh", ["asked_at", "id"], schema="medstead"
    )
    op.create_table(
        "reference_change",
        sa.Column("refresh_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('new', 'changed', 'closed')", name=op.f("reference_change_kind_check")),
        sa.ForeignKeyConstraint(
            ["refresh_id"], ["medstead.reference_refresh.id"], name=op.f("reference_change_refresh_id_fkey")
        ),
        sa.PrimaryKeyConstraint("refresh_id", "key", name=op.f("reference_change_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("reference_change_refresh_id_kind_key_index"),
        "reference_change",
        ["refresh_id", "kind", "key"],
        schema="medstead",
    )
    for table, grants in GRANTS.items():
        for statement in open_table(table, grants):
            op.execute(statement)


def downgrade() -> None:
    """Take the grants away and drop the tables."""
    op.execute("REVOKE INSERT, UPDATE ON medstead.organisation FROM medstead_app")
    op.execute("REVOKE INSERT, UPDATE ON medstead.organisation_code FROM medstead_app")
    op.execute("REVOKE INSERT, UPDATE ON medstead.organisation_succession FROM medstead_app")
    for column, table in (
        ("name, abolished_on", "organisation"),
        ("valid_to", "organisation_code"),
        ("kind", "organisation_succession"),
    ):
        op.execute(f"REVOKE UPDATE ({column}) ON medstead.{table} FROM medstead_app")
    op.drop_table("reference_change", schema="medstead")
    op.drop_table("reference_refresh", schema="medstead")
