"""The ASC-WDS training file: its categories, workplaces, workers and what a course counts as."""

import sqlalchemy as sa
from alembic import op

from tenants.policies import distribute, open_table, replicate, wall

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

GRANTS = {
    "asc_wds_settings": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "asc_wds_topic": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "asc_wds_training_provider": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "asc_wds_worker": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "asc_wds_workplace": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "asc_wds_course": ("SELECT", "INSERT", "UPDATE", "DELETE"),
}


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "training_category",
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("internal_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("training_category_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.execute(replicate("training_category"))
    op.create_table(
        "asc_wds_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webinar_how", sa.SmallInteger(), nullable=False),
        sa.Column("session_code", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = tenant_id", name=op.f("asc_wds_settings_single_check")),
        sa.CheckConstraint("webinar_how in (1, 2)", name=op.f("asc_wds_settings_webinar_how_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_settings_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_settings_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "asc_wds_topic",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic_code", sa.Text(), nullable=False),
        sa.Column("category_code", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_code"], ["medstead.training_category.code"], name=op.f("asc_wds_topic_category_code_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_topic_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_topic_pkey")),
        sa.UniqueConstraint("tenant_id", "topic_code", name=op.f("asc_wds_topic_tenant_id_topic_code_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "asc_wds_training_provider",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("training_provider_id", sa.Uuid(), nullable=False),
        sa.Column("who_delivered", sa.SmallInteger(), nullable=False),
        sa.Column("provider_code", sa.Integer(), nullable=False),
        sa.CheckConstraint("who_delivered in (1, 2)", name=op.f("asc_wds_training_provider_who_delivered_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "training_provider_id"],
            ["medstead.training_provider.tenant_id", "medstead.training_provider.id"],
            name=op.f("asc_wds_training_provider_tenant_id_training_provider_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_training_provider_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_training_provider_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "training_provider_id",
            name=op.f("asc_wds_training_provider_tenant_id_training_provider_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "asc_wds_worker",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("unique_id", sa.Text(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("display_id", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("asc_wds_worker_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("asc_wds_worker_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_worker_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_worker_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "employer_id", "unique_id", name=op.f("asc_wds_worker_tenant_id_employer_id_unique_id_key")
        ),
        sa.UniqueConstraint(
            "tenant_id", "learner_id", "employer_id", name=op.f("asc_wds_worker_tenant_id_learner_id_employer_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("asc_wds_worker_tenant_id_learner_id_index"),
        "asc_wds_worker",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "asc_wds_workplace",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("asc_wds_workplace_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_workplace_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_workplace_pkey")),
        sa.UniqueConstraint("tenant_id", "employer_id", name=op.f("asc_wds_workplace_tenant_id_employer_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "asc_wds_course",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("category_code", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_code"], ["medstead.training_category.code"], name=op.f("asc_wds_course_category_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("asc_wds_course_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("asc_wds_course_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("asc_wds_course_pkey")),
        sa.UniqueConstraint("tenant_id", "course_id", name=op.f("asc_wds_course_tenant_id_course_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    for table in GRANTS:
        op.execute(distribute(table))
    for table, grants in GRANTS.items():
        for statement in wall(table, grants):
            op.execute(statement)
    for statement in open_table("training_category", ("SELECT",)):
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(GRANTS):
        op.drop_table(table, schema="medstead")
    op.drop_table("training_category", schema="medstead")
