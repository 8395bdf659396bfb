"""Training: feedback forms, their questions, responses and answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TENANT_TABLES = ("feedback_form", "feedback_question", "feedback_response", "feedback_answer")
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "feedback_form",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Uuid(), nullable=True),
        sa.Column("invited", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tier_id"],
            ["medstead.tier.tenant_id", "medstead.tier.id"],
            name=op.f("feedback_form_tenant_id_tier_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("feedback_form_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("feedback_form_pkey")),
        sa.UniqueConstraint("tenant_id", "source_key", name=op.f("feedback_form_tenant_id_source_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("feedback_form_tenant_id_tier_id_index"),
        "feedback_form",
        ["tenant_id", "tier_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "feedback_question",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=True),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["medstead.feedback_form.tenant_id", "medstead.feedback_form.id"],
            name=op.f("feedback_question_tenant_id_form_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("feedback_question_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("feedback_question_pkey")),
        sa.UniqueConstraint("tenant_id", "form_id", "key", name=op.f("feedback_question_tenant_id_form_id_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("feedback_question_tenant_id_scale_index"),
        "feedback_question",
        ["tenant_id", "scale"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "feedback_response",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("respondent_key", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["medstead.feedback_form.tenant_id", "medstead.feedback_form.id"],
            name=op.f("feedback_response_tenant_id_form_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["medstead.import_run.tenant_id", "medstead.import_run.id"],
            name=op.f("feedback_response_tenant_id_import_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("feedback_response_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("feedback_response_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "form_id",
            "respondent_key",
            name=op.f("feedback_response_tenant_id_form_id_respondent_key_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("feedback_response_tenant_id_submitted_at_index"),
        "feedback_response",
        ["tenant_id", "submitted_at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "feedback_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("option_number", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "question_id"],
            ["medstead.feedback_question.tenant_id", "medstead.feedback_question.id"],
            name=op.f("feedback_answer_tenant_id_question_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "response_id"],
            ["medstead.feedback_response.tenant_id", "medstead.feedback_response.id"],
            name=op.f("feedback_answer_tenant_id_response_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("feedback_answer_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("feedback_answer_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "response_id",
            "question_id",
            name=op.f("feedback_answer_tenant_id_response_id_question_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("feedback_answer_tenant_id_question_id_option_number_index"),
        "feedback_answer",
        ["tenant_id", "question_id", "option_number"],
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
    op.drop_table("feedback_answer", schema="medstead")
    op.drop_table("feedback_response", schema="medstead")
    op.drop_table("feedback_question", schema="medstead")
    op.drop_table("feedback_form", schema="medstead")
