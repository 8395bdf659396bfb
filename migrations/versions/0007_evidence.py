"""Evidence: metric definitions and monthly figures."""

import sqlalchemy as sa
from alembic import op

from tenants.policies import distribute, open_table, replicate, wall

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

REFERENCE_TABLES = ("metric_definition",)
TENANT_TABLES = ("tenant_metric",)
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "metric_definition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("numerator", sa.Text(), nullable=False),
        sa.Column("denominator", sa.Text(), nullable=True),
        sa.Column("exclusions", sa.Text(), nullable=False),
        sa.Column("polarity", sa.Text(), nullable=False),
        sa.Column("method_note", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.CheckConstraint("kind in ('count', 'share', 'rate')", name=op.f("metric_definition_kind_check")),
        sa.CheckConstraint(
            "polarity in ('higher_better', 'lower_better', 'neutral')", name=op.f("metric_definition_polarity_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("metric_definition_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_index(
        "metric_definition_current_key",
        "metric_definition",
        ["code"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("effective_to is null"),
    )
    op.create_table(
        "tenant_metric",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("metric_code", sa.Text(), nullable=False),
        sa.Column("metric_version", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("numerator", sa.Integer(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("tenant_metric_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("tenant_metric_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "metric_code",
            "metric_version",
            "period_start",
            "period_end",
            name=op.f("tenant_metric_tenant_id_metric_code_metric_version_period_start_period_end_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("tenant_metric_tenant_id_period_start_index"),
        "tenant_metric",
        ["tenant_id", "period_start"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in REFERENCE_TABLES:
        op.execute(replicate(table))
        for statement in open_table(table, ("SELECT",)):
            op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("tenant_metric", schema="medstead")
    op.drop_table("metric_definition", schema="medstead")
