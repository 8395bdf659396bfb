"""Statements of e-learning systems, the accounts that they name, and the completions that they mean."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# A statement stays as it came; only when its meaning was taken in changes.
GRANTS = {
    "learning_system": ("SELECT", "INSERT", "UPDATE"),
    "learning_account": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "learning_system_secret": ("SELECT", "INSERT", "UPDATE"),
    "xapi_statement": ("SELECT", "INSERT", "UPDATE (derived_at)", "DELETE"),
    "learning_activity": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "statement_completion": ("SELECT", "INSERT", "UPDATE", "DELETE"),
}


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "learning_system",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("home_page", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("keep_days >= 1", name=op.f("learning_system_keep_days_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learning_system_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learning_system_pkey")),
        sa.UniqueConstraint("tenant_id", "key_id", name=op.f("learning_system_tenant_id_key_id_key")),
        sa.UniqueConstraint("tenant_id", "source", name=op.f("learning_system_tenant_id_source_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "learning_account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learning_system_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("home_page", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("suggestions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state <> 'known' or learner_id is not null", name=op.f("learning_account_learner_check")),
        sa.CheckConstraint("state in ('known', 'waiting', 'left_out')", name=op.f("learning_account_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learning_account_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learning_system_id"],
            ["medstead.learning_system.tenant_id", "medstead.learning_system.id"],
            name=op.f("learning_account_tenant_id_learning_system_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learning_account_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learning_account_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "learning_system_id", "key", name=op.f("learning_account_tenant_id_learning_system_id_key_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learning_account_tenant_id_learner_id_index"),
        "learning_account",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learning_account_tenant_id_state_last_heard_at_id_index"),
        "learning_account",
        ["tenant_id", "state", "last_heard_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learning_system_secret",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learning_system_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learning_system_id"],
            ["medstead.learning_system.tenant_id", "medstead.learning_system.id"],
            name=op.f("learning_system_secret_tenant_id_learning_system_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("learning_system_secret_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learning_system_secret_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learning_system_secret_tenant_id_learning_system_id_index"),
        "learning_system_secret",
        ["tenant_id", "learning_system_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "xapi_statement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learning_system_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=True),
        sa.Column("activity_iri", sa.Text(), nullable=True),
        sa.Column("voids_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("derived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learning_system_id"],
            ["medstead.learning_system.tenant_id", "medstead.learning_system.id"],
            name=op.f("xapi_statement_tenant_id_learning_system_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("xapi_statement_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("xapi_statement_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "xapi_statement_open_index",
        "xapi_statement",
        ["tenant_id", "learning_system_id", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("derived_at is null"),
    )
    op.create_index(
        op.f("xapi_statement_tenant_id_activity_iri_index"),
        "xapi_statement",
        ["tenant_id", "activity_iri"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("xapi_statement_tenant_id_learning_system_id_account_key_index"),
        "xapi_statement",
        ["tenant_id", "learning_system_id", "account_key"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("xapi_statement_tenant_id_stored_at_id_index"),
        "xapi_statement",
        ["tenant_id", "stored_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        "xapi_statement_voids_index",
        "xapi_statement",
        ["tenant_id", "voids_id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("voids_id is not null"),
    )
    op.create_table(
        "learning_activity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("finishes", sa.Text(), nullable=False),
        sa.Column("move_on", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "finishes in ('satisfied', 'move_on', 'never')", name=op.f("learning_activity_finishes_check")
        ),
        sa.CheckConstraint("kind in ('course', 'block', 'au', 'activity')", name=op.f("learning_activity_kind_check")),
        sa.CheckConstraint(
            "move_on in ('Passed', 'Completed', 'CompletedAndPassed', 'CompletedOrPassed', 'NotApplicable')",
            name=op.f("learning_activity_move_on_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("learning_activity_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learning_activity_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learning_activity_pkey")),
        sa.UniqueConstraint("tenant_id", "iri", name=op.f("learning_activity_tenant_id_iri_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learning_activity_tenant_id_course_id_index"),
        "learning_activity",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "statement_completion",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("completion_id", sa.Uuid(), nullable=False),
        sa.Column("rests_on", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["medstead.learning_account.tenant_id", "medstead.learning_account.id"],
            name=op.f("statement_completion_tenant_id_account_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("statement_completion_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("statement_completion_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("statement_completion_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            "course_id",
            "occasion",
            name=op.f("statement_completion_tenant_id_account_id_course_id_occasion_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("statement_completion_tenant_id_completion_id_index"),
        "statement_completion",
        ["tenant_id", "completion_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("statement_completion_tenant_id_course_id_index"),
        "statement_completion",
        ["tenant_id", "course_id"],
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
