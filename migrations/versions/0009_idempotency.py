"""What API clients leave: remembered answers to requests with a key, and counts of the fields that they use."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TENANT_TABLES = ("idempotency_record", "field_usage")
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "idempotency_record",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("response_key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("errors", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "api_client_id"],
            ["medstead.api_client.tenant_id", "medstead.api_client.id"],
            name=op.f("idempotency_record_tenant_id_api_client_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("idempotency_record_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("idempotency_record_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "api_client_id",
            "key_hash",
            "response_key",
            name=op.f("idempotency_record_tenant_id_api_client_id_key_hash_response_key_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("idempotency_record_tenant_id_expires_at_index"),
        "idempotency_record",
        ["tenant_id", "expires_at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "field_usage",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "api_client_id"],
            ["medstead.api_client.tenant_id", "medstead.api_client.id"],
            name=op.f("field_usage_tenant_id_api_client_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("field_usage_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("field_usage_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "api_client_id",
            "field",
            "day",
            name=op.f("field_usage_tenant_id_api_client_id_field_day_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("field_usage_tenant_id_day_index"),
        "field_usage",
        ["tenant_id", "day"],
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
    op.drop_table("field_usage", schema="medstead")
    op.drop_table("idempotency_record", schema="medstead")
