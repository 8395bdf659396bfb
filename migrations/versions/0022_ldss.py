"""Courses and claims of the Learning and Development Support Scheme."""

import sqlalchemy as sa
from alembic import op

from tenants.policies import distribute, wall

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

GRANTS = {
    "ldss_claim": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "ldss_course": ("SELECT", "INSERT", "UPDATE", "DELETE"),
}


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "ldss_claim",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("learning_code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('to_claim', 'claimed', 'paid', 'refused', 'not_claimed')", name=op.f("ldss_claim_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("ldss_claim_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("ldss_claim_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("ldss_claim_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("ldss_claim_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("ldss_claim_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "employer_id",
            "course_id",
            "completed_on",
            name=op.f("ldss_claim_tenant_id_learner_id_employer_id_course_id_completed_on_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("ldss_claim_tenant_id_course_id_index"),
        "ldss_claim",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("ldss_claim_tenant_id_due_on_id_index"),
        "ldss_claim",
        ["tenant_id", "due_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("ldss_claim_tenant_id_employer_id_index"),
        "ldss_claim",
        ["tenant_id", "employer_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "ldss_course",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("learning_code", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("eligible_from", sa.Date(), nullable=False),
        sa.Column("eligible_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ldss_course_amount_check")),
        sa.CheckConstraint(
            "eligible_until is null or eligible_until >= eligible_from", name=op.f("ldss_course_days_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("ldss_course_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("ldss_course_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("ldss_course_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "course_id", "eligible_from", name=op.f("ldss_course_tenant_id_course_id_eligible_from_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
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
