"""Imports: runs, uploaded parts, staged chunks, rows for a person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TENANT_TABLES = ("import_run", "import_chunk", "import_part", "import_row")
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "import_run",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("format_code", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_key", sa.Text(), nullable=False),
        sa.Column("byte_size", sa.BigInteger(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("auto_apply", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_staged", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('staging', 'ready', 'applying', 'finished', 'failed', 'cancelled')",
            name=op.f("import_run_state_check"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("import_run_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("import_run_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "import_run_live_content_key",
        "import_run",
        ["tenant_id", "content_key"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("state not in ('failed', 'cancelled')"),
    )
    op.create_index(
        op.f("import_run_tenant_id_created_at_id_index"),
        "import_run",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "import_chunk",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("chunk_number", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("import_chunk_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("import_chunk_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("import_chunk_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "import_id", "chunk_number", name=op.f("import_chunk_tenant_id_import_id_chunk_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "import_part",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("part_number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("import_part_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("import_part_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("import_part_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "import_id", "part_number", name=op.f("import_part_tenant_id_import_id_part_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "import_row",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('rejected', 'review', 'remark')", name=op.f("import_row_kind_check")),
        sa.CheckConstraint("state in ('open', 'resolved', 'dismissed')", name=op.f("import_row_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("import_row_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("import_row_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("import_row_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("import_row_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "import_id",
            "row_number",
            "kind",
            "reason_code",
            name=op.f("import_row_tenant_id_import_id_row_number_kind_reason_code_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("import_row_tenant_id_kind_state_id_index"),
        "import_row",
        ["tenant_id", "kind", "state", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("import_row_tenant_id_learner_id_index"),
        "import_row",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("import_row_tenant_id_import_id_person_key_index"),
        "import_row",
        ["tenant_id", "import_id", "person_key"],
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
    op.drop_table("import_row", schema="medstead")
    op.drop_table("import_part", schema="medstead")
    op.drop_table("import_chunk", schema="medstead")
    op.drop_table("import_run", schema="medstead")
