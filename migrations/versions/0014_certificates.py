"""Certificates with their templates, runs, numbers and keys; the champions' register and the way they progress."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.guards import beside_the_service
from tenants.policies import distribute, wall

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
TENANT_TABLES = {
    "certificate_template": ("SELECT", "INSERT"),
    "certificate_register": ("SELECT", "INSERT", "UPDATE"),
    "certificate_run": ("SELECT", "INSERT", "UPDATE"),
    "certificate": ("SELECT", "INSERT", "UPDATE"),
    "issuer_key": ("SELECT", "INSERT", "UPDATE"),
    "pathway_step": ALL_GRANTS,
    "learner_step": ALL_GRANTS,
}
"""Each with what the runtime role may do: what was certified is never deleted, a template never changed."""
COLUMNS = (
    sa.Column("state", sa.Text(), server_default="active", nullable=False),
    sa.Column("version", sa.Integer(), server_default="1", nullable=False),
    sa.Column("contact_route", sa.Text(), nullable=True),
    sa.Column("nomination_id", sa.Uuid(), nullable=True),
    sa.Column("ended_because", sa.Text(), nullable=True),
)
CHECK = "medication_champion_state_check"
KEY = "medication_champion_tenant_id_nomination_id_fkey"
INDEX = "medication_champion_nomination_index"


def upgrade() -> None:
    """Widen the champion; create the tables, distribute them where Citus is, put up the wall, grant."""
    for column in COLUMNS:
        op.add_column("medication_champion", column._copy(), schema="medstead")
    op.create_table(
        "certificate_template",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issuer_name", sa.Text(), nullable=False),
        sa.Column("signatory_name", sa.Text(), nullable=False),
        sa.Column("signatory_role", sa.Text(), nullable=False),
        sa.Column("disclaimer", sa.Text(), nullable=False),
        sa.Column("expiry_rule", sa.Text(), nullable=False),
        sa.Column("validity_months", sa.Integer(), nullable=True),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("logo_text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "expiry_rule in ('tier', 'months', 'never')", name=op.f("certificate_template_expiry_rule_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("certificate_template_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("certificate_template_pkey")),
        sa.UniqueConstraint("tenant_id", "version", name=op.f("certificate_template_tenant_id_version_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("certificate_template_tenant_id_version_id_index"),
        "certificate_template",
        ["tenant_id", "version", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "certificate_register",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("next_serial", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = tenant_id", name=op.f("certificate_register_single_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("certificate_register_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("certificate_register_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "certificate_run",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("completed_from", sa.Date(), nullable=True),
        sa.Column("completed_until", sa.Date(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("failures", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'running', 'finished')", name=op.f("certificate_run_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("certificate_run_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("certificate_run_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["medstead.certificate_template.tenant_id", "medstead.certificate_template.id"],
            name=op.f("certificate_run_tenant_id_template_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("certificate_run_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("certificate_run_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("certificate_run_tenant_id_course_id_index"),
        "certificate_run",
        ["tenant_id", "course_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_run_tenant_id_requested_at_id_index"),
        "certificate_run",
        ["tenant_id", "requested_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_run_tenant_id_session_id_index"),
        "certificate_run",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_run_tenant_id_template_id_index"),
        "certificate_run",
        ["tenant_id", "template_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "certificate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("follows_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("verification_code", sa.Text(), nullable=False),
        sa.Column("issue_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("learner_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tier_name", sa.Text(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("achieved_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=False),
        sa.Column("signatory_name", sa.Text(), nullable=False),
        sa.Column("signatory_role", sa.Text(), nullable=False),
        sa.Column("disclaimer", sa.Text(), nullable=False),
        sa.Column("accreditation", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("reissued_because", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('issued', 'revoked', 'superseded')", name=op.f("certificate_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("certificate_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "follows_id"],
            ["medstead.certificate.tenant_id", "medstead.certificate.id"],
            name=op.f("certificate_tenant_id_follows_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("certificate_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["medstead.certificate_run.tenant_id", "medstead.certificate_run.id"],
            name=op.f("certificate_tenant_id_run_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("certificate_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["medstead.certificate_template.tenant_id", "medstead.certificate_template.id"],
            name=op.f("certificate_tenant_id_template_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("certificate_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("certificate_pkey")),
        sa.UniqueConstraint("tenant_id", "issue_key", name=op.f("certificate_tenant_id_issue_key_key")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("certificate_tenant_id_number_key")),
        sa.UniqueConstraint("tenant_id", "serial", name=op.f("certificate_tenant_id_serial_key")),
        sa.UniqueConstraint("tenant_id", "verification_code", name=op.f("certificate_tenant_id_verification_code_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("certificate_tenant_id_achieved_on_id_index"),
        "certificate",
        ["tenant_id", "achieved_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_course_id_achieved_on_id_index"),
        "certificate",
        ["tenant_id", "course_id", "achieved_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_follows_id_index"),
        "certificate",
        ["tenant_id", "follows_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_issued_at_id_index"),
        "certificate",
        ["tenant_id", "issued_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_learner_id_achieved_on_id_index"),
        "certificate",
        ["tenant_id", "learner_id", "achieved_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_run_id_index"),
        "certificate",
        ["tenant_id", "run_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_session_id_learner_id_index"),
        "certificate",
        ["tenant_id", "session_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_template_id_index"),
        "certificate",
        ["tenant_id", "template_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("certificate_tenant_id_valid_until_id_index"),
        "certificate",
        ["tenant_id", "valid_until", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "issuer_key",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_jwk", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("issuer_key_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("issuer_key_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "issuer_key_current_index",
        "issuer_key",
        ["tenant_id"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("retired_at is null"),
    )
    op.create_index(
        op.f("issuer_key_tenant_id_created_at_id_index"),
        "issuer_key",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "pathway_step",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role_category", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role_category in ('new_to_care', 'care_or_support_worker', 'enhanced_care_worker', 'supervisor_or_leader', 'practice_leader', 'deputy_manager', 'registered_manager')",
            name=op.f("pathway_step_role_category_check"),
        ),
        sa.CheckConstraint("position >= 1", name=op.f("pathway_step_position_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("pathway_step_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pathway_step_pkey")),
        sa.UniqueConstraint("tenant_id", "position", name=op.f("pathway_step_tenant_id_position_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("pathway_step_tenant_id_position_id_index"),
        "pathway_step",
        ["tenant_id", "position", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learner_step",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_step_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "step_id"],
            ["medstead.pathway_step.tenant_id", "medstead.pathway_step.id"],
            name=op.f("learner_step_tenant_id_step_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_step_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_step_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "learner_id", "step_id", name=op.f("learner_step_tenant_id_learner_id_step_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learner_step_tenant_id_reached_on_id_index"),
        "learner_step",
        ["tenant_id", "reached_on", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learner_step_tenant_id_step_id_index"),
        "learner_step",
        ["tenant_id", "step_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table, grants in TENANT_TABLES.items():
        for statement in wall(table, grants):
            op.execute(statement)
    op.execute(
        f"ALTER TABLE medstead.medication_champion ADD CONSTRAINT {CHECK} CHECK (state in ('active', 'ended')) NOT VALID"
    )
    op.execute(
        f"ALTER TABLE medstead.medication_champion ADD CONSTRAINT {KEY} FOREIGN KEY (tenant_id, nomination_id) "
        "REFERENCES medstead.champion_nomination (tenant_id, id) NOT VALID"
    )
    with beside_the_service():
        for constraint in (CHECK, KEY):
            op.execute(f"ALTER TABLE medstead.medication_champion VALIDATE CONSTRAINT {constraint}")
        op.create_index(
            op.f(INDEX),
            "medication_champion",
            ["tenant_id", "nomination_id"],
            schema="medstead",
            postgresql_where=sa.text("nomination_id is not null"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    """Drop the tables, then the columns."""
    for table in reversed(TENANT_TABLES):
        op.drop_table(table, schema="medstead")
    for column in reversed(COLUMNS):
        op.drop_column("medication_champion", column.name, schema="medstead", if_exists=True)
