"""Workers say which pools they work for, and a tenant's background work can be paused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

POOLS = sa.text("""'["quick", "sending", "long"]'::jsonb""")


def upgrade() -> None:
    """Add the columns. A worker of the release before works for all pools."""
    op.add_column(
        "worker_heartbeat",
        sa.Column("pools", postgresql.JSONB(), server_default=POOLS, nullable=False),
        schema="medstead",
    )
    op.add_column(
        "tenant_settings", sa.Column("work_paused_at", sa.DateTime(timezone=True), nullable=True), schema="medstead"
    )


def downgrade() -> None:
    """Take them away: paused work goes on."""
    op.drop_column("tenant_settings", "work_paused_at", schema="medstead")
    op.drop_column("worker_heartbeat", "pools", schema="medstead")
