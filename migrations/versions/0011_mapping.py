"""Mapping: what courses are, guidance and topics, exercises, gaps, templates of programmes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.policies import distribute, open_table, replicate, wall

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "guidance_document",
    "mapping_exercise",
    "topic",
    "guidance_clause",
    "mapping_analysis",
    "programme_origin",
    "topic_reference",
    "course_access",
    "course_accreditation",
    "course_merge",
    "mapping_cell",
    "mapping_gap",
)
REFERENCE_TABLE = "programme_template"
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
INDEXES = (
    ("mapping_exercise", ("exercised_on", "id")),
    ("mapping_exercise", ("previous_id",)),
    ("mapping_analysis", ("created_at", "id")),
    ("mapping_analysis", ("exercise_id", "created_at", "id")),
    ("topic_reference", ("clause_id",)),
    ("course_access", ("course_id",)),
    ("course_access", ("employer_id",)),
    ("course_merge", ("kept_course_id",)),
    ("course_merge", ("merged_course_id",)),
    ("mapping_cell", ("assessed_on", "id")),
    ("mapping_cell", ("clause_id",)),
    ("mapping_cell", ("course_id",)),
    ("mapping_cell", ("topic_id",)),
    ("mapping_gap", ("closing_course_id",)),
    ("mapping_gap", ("closing_session_id",)),
    ("mapping_gap", ("course_id",)),
    ("mapping_gap", ("created_at", "id")),
    ("mapping_gap", ("due_on", "id")),
    ("mapping_gap", ("exercise_id",)),
    ("mapping_gap", ("topic_id",)),
)
"""Columns after tenant_id."""

COURSE_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("scope", "delivery_mode", "assessment", "author_profession"), sa.Text()),
    **dict.fromkeys(("access_kind", "accessibility_notes", "url"), sa.Text()),
    **dict.fromkeys(("duration_minutes", "expected_minutes_min", "expected_minutes_max"), sa.Integer()),
    "certificate_required": sa.Boolean(),
    "review_on": sa.Date(),
    "merged_into_id": sa.Uuid(),
}
FILLED_COLUMNS: dict[str, tuple[Any, str]] = {
    "languages": (JSONB(astext_type=sa.Text()), "'[]'::jsonb"),
    "status": (sa.Text(), "'active'"),
    "revision": (sa.Integer(), "1"),
}
COURSE_CHECKS = (
    ("scope", "scope in ('national', 'local', 'provider_internal')"),
    ("delivery_mode", "delivery_mode in ('e_learning', 'webinar', 'face_to_face', 'practical', 'blended')"),
    ("access_kind", "access_kind in ('free', 'licensed', 'local_venue')"),
    ("status", "status in ('active', 'retired', 'merged')"),
    (
        "expected_minutes",
        "expected_minutes_max is null or expected_minutes_min is null or expected_minutes_max >= expected_minutes_min",
    ),
)
MERGED_INTO = "course_tenant_id_merged_into_id_fkey"


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant; then tell more of courses."""
    op.create_table(
        "guidance_document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date()),
        sa.Column("review_on", sa.Date()),
        sa.Column("url", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('national', 'regulation', 'local')", name=op.f("guidance_document_kind_check")),
        sa.CheckConstraint("status in ('current', 'withdrawn')", name=op.f("guidance_document_status_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("guidance_document_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("guidance_document_pkey")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("guidance_document_tenant_id_code_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "mapping_exercise",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("exercised_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("previous_id", sa.Uuid()),
        sa.Column("locked_at", sa.DateTime(timezone=True)),
        sa.Column("seal", sa.Text()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('draft', 'locked')", name=op.f("mapping_exercise_status_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "previous_id"],
            ["medstead.mapping_exercise.tenant_id", "medstead.mapping_exercise.id"],
            name=op.f("mapping_exercise_tenant_id_previous_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("mapping_exercise_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("mapping_exercise_pkey")),
        sa.UniqueConstraint("tenant_id", "name", "edition", name=op.f("mapping_exercise_tenant_id_name_edition_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "programme_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("publisher_id", sa.Uuid(), nullable=False),
        sa.Column("publisher_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("document", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["medstead.tenant.id"], name=op.f("programme_template_publisher_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("programme_template_pkey")),
        sa.UniqueConstraint(
            "publisher_id", "name", "version", name=op.f("programme_template_publisher_id_name_version_key")
        ),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "topic",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("mandatory_in", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status in ('active', 'retired')", name=op.f("topic_status_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("topic_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("topic_pkey")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("topic_tenant_id_code_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "guidance_clause",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["medstead.guidance_document.tenant_id", "medstead.guidance_document.id"],
            name=op.f("guidance_clause_tenant_id_document_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("guidance_clause_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("guidance_clause_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "document_id", "number", name=op.f("guidance_clause_tenant_id_document_id_number_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "mapping_analysis",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exercise_id", sa.Uuid(), nullable=False),
        sa.Column("exercise_revision", sa.Integer(), nullable=False),
        sa.Column("setting", sa.Text()),
        sa.Column("scope", sa.Text()),
        sa.Column("mandatory_topics", sa.Integer(), nullable=False),
        sa.Column("courses", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("covers_all", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("smallest", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("uncovered", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("faults", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "exercise_id"],
            ["medstead.mapping_exercise.tenant_id", "medstead.mapping_exercise.id"],
            name=op.f("mapping_analysis_tenant_id_exercise_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("mapping_analysis_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("mapping_analysis_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "programme_origin",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("publisher_name", sa.Text(), nullable=False),
        sa.Column("cloned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"], ["medstead.programme_template.id"], name=op.f("programme_origin_template_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "programme_id"],
            ["medstead.programme.tenant_id", "medstead.programme.id"],
            name=op.f("programme_origin_tenant_id_programme_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("programme_origin_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("programme_origin_pkey")),
        sa.UniqueConstraint("tenant_id", "programme_id", name=op.f("programme_origin_tenant_id_programme_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "topic_reference",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic_id", sa.Uuid(), nullable=False),
        sa.Column("clause_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clause_id"],
            ["medstead.guidance_clause.tenant_id", "medstead.guidance_clause.id"],
            name=op.f("topic_reference_tenant_id_clause_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "topic_id"],
            ["medstead.topic.tenant_id", "medstead.topic.id"],
            name=op.f("topic_reference_tenant_id_topic_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("topic_reference_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("topic_reference_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "topic_id", "clause_id", name=op.f("topic_reference_tenant_id_topic_id_clause_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "course_access",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("employer_id", sa.Uuid()),
        sa.Column("local_authority", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.CheckConstraint("kind in ('free', 'licensed', 'local_venue')", name=op.f("course_access_kind_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_access_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("course_access_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("course_access_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_access_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "course_accreditation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("awarding_body", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("level", sa.Text()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.CheckConstraint("valid_to is null or valid_to >= valid_from", name=op.f("course_accreditation_dates_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_accreditation_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("course_accreditation_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_accreditation_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "course_id",
            "awarding_body",
            "reference",
            "valid_from",
            name=op.f("course_accreditation_tenant_id_course_id_awarding_body_reference_valid_from_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "course_merge",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_course_id", sa.Uuid(), nullable=False),
        sa.Column("merged_course_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved", JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["tenant_id", "kept_course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_merge_tenant_id_kept_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "merged_course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("course_merge_tenant_id_merged_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("course_merge_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("course_merge_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "mapping_cell",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exercise_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("topic_id", sa.Uuid(), nullable=False),
        sa.Column("clause_id", sa.Uuid(), nullable=False),
        sa.Column("coverage", sa.Text(), nullable=False),
        sa.Column("assessor", sa.Text(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("evidence_note", sa.Text()),
        sa.CheckConstraint(
            "coverage in ('full', 'partial', 'none', 'not_applicable')", name=op.f("mapping_cell_coverage_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clause_id"],
            ["medstead.guidance_clause.tenant_id", "medstead.guidance_clause.id"],
            name=op.f("mapping_cell_tenant_id_clause_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("mapping_cell_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "exercise_id"],
            ["medstead.mapping_exercise.tenant_id", "medstead.mapping_exercise.id"],
            name=op.f("mapping_cell_tenant_id_exercise_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "topic_id"],
            ["medstead.topic.tenant_id", "medstead.topic.id"],
            name=op.f("mapping_cell_tenant_id_topic_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("mapping_cell_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("mapping_cell_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "exercise_id",
            "course_id",
            "topic_id",
            "clause_id",
            name=op.f("mapping_cell_tenant_id_exercise_id_course_id_topic_id_clause_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "mapping_gap",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exercise_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Uuid()),
        sa.Column("course_id", sa.Uuid()),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("closing_course_id", sa.Uuid()),
        sa.Column("closing_session_id", sa.Uuid()),
        sa.Column("closing_decision", sa.Text()),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('content', 'delivery', 'accessibility')", name=op.f("mapping_gap_kind_check")),
        sa.CheckConstraint(
            "status = 'open' or (closed_at is not null and (closing_course_id is not null or closing_session_id is not null or closing_decision is not null))",
            name=op.f("mapping_gap_closing_evidence_check"),
        ),
        sa.CheckConstraint("status in ('open', 'closed')", name=op.f("mapping_gap_status_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "closing_course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("mapping_gap_tenant_id_closing_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "closing_session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("mapping_gap_tenant_id_closing_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "course_id"],
            ["medstead.course.tenant_id", "medstead.course.id"],
            name=op.f("mapping_gap_tenant_id_course_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "exercise_id"],
            ["medstead.mapping_exercise.tenant_id", "medstead.mapping_exercise.id"],
            name=op.f("mapping_gap_tenant_id_exercise_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "topic_id"],
            ["medstead.topic.tenant_id", "medstead.topic.id"],
            name=op.f("mapping_gap_tenant_id_topic_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("mapping_gap_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("mapping_gap_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    for table, columns in INDEXES:
        names = ["tenant_id", *columns]
        op.create_index(op.f(f"{table}_{'_'.join(names)}_index"), table, names, schema="medstead")
    op.execute(replicate(REFERENCE_TABLE))
    for statement in open_table(REFERENCE_TABLE, ("SELECT", "INSERT")):
        op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, ALL_GRANTS):
            op.execute(statement)
    for name, kind in COURSE_COLUMNS.items():
        op.add_column("course", sa.Column(name, kind), schema="medstead")
    for name, (kind, default) in FILLED_COLUMNS.items():
        filled = sa.Column(name, kind, server_default=sa.text(default), nullable=False)
        op.add_column("course", filled, schema="medstead")
    for name, condition in COURSE_CHECKS:
        op.create_check_constraint(
            op.f(f"course_{name}_check"), "course", condition, schema="medstead", postgresql_not_valid=True
        )
    op.create_foreign_key(
        op.f(MERGED_INTO),
        "course",
        "course",
        ["tenant_id", "merged_into_id"],
        ["tenant_id", "id"],
        source_schema="medstead",
        referent_schema="medstead",
        postgresql_not_valid=True,
    )
    for name in (*(f"course_{name}_check" for name, _ in COURSE_CHECKS), MERGED_INTO):
        op.execute(f"ALTER TABLE medstead.course VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """Drop the columns and the tables."""
    op.drop_constraint(op.f(MERGED_INTO), "course", schema="medstead", type_="foreignkey")
    for name in (*FILLED_COLUMNS, *COURSE_COLUMNS):
        op.drop_column("course", name, schema="medstead")
    op.drop_table("mapping_gap", schema="medstead")
    op.drop_table("mapping_cell", schema="medstead")
    op.drop_table("course_merge", schema="medstead")
    op.drop_table("course_accreditation", schema="medstead")
    op.drop_table("course_access", schema="medstead")
    op.drop_table("topic_reference", schema="medstead")
    op.drop_table("programme_origin", schema="medstead")
    op.drop_table("mapping_analysis", schema="medstead")
    op.drop_table("guidance_clause", schema="medstead")
    op.drop_table("topic", schema="medstead")
    op.drop_table("programme_template", schema="medstead")
    op.drop_table("mapping_exercise", schema="medstead")
    op.drop_table("guidance_document", schema="medstead")
