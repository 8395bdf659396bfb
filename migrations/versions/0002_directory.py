"""Directory: CQC locations, employers, learners, employment."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, open_table, replicate, wall

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFERENCE_TABLES = ("cqc_provider", "job_role", "cqc_location")
TENANT_TABLES = (
    "learner_register",
    "learner",
    "provider_group",
    "tenant_location",
    "employer",
    "learner_identifier",
    "learner_merge",
    "provider_group_location",
    "employer_name",
    "employment",
)
# The directory is public data that every tenant may bring up to date and none may take away.
REFERENCE_GRANTS = {
    "cqc_provider": ("SELECT", "INSERT", "UPDATE"),
    "cqc_location": ("SELECT", "INSERT", "UPDATE"),
}
NARROW_GRANTS = {"learner_register": ("SELECT", "INSERT", "UPDATE"), "learner_merge": ("SELECT", "INSERT", "UPDATE")}
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "cqc_provider",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("cqc_provider_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "job_role",
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("job_role_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_table(
        "cqc_location",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("original_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("brand_id", sa.Text(), nullable=True),
        sa.Column("brand_name", sa.Text(), nullable=True),
        sa.Column("ods_code", sa.Text(), nullable=True),
        sa.Column("care_home", sa.Boolean(), nullable=True),
        sa.Column("dormant", sa.Boolean(), nullable=True),
        sa.Column("beds", sa.Integer(), nullable=True),
        sa.Column("location_type", sa.Text(), nullable=True),
        sa.Column("primary_setting", sa.Text(), nullable=True),
        sa.Column("service_types", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("user_bands", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("regulated_activities", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("latest_rating", sa.Text(), nullable=True),
        sa.Column("rating_published_on", sa.Date(), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("deregistered_on", sa.Date(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("nhs_region", sa.Text(), nullable=True),
        sa.Column("local_authority", sa.Text(), nullable=True),
        sa.Column("icb_code", sa.Text(), nullable=True),
        sa.Column("icb_name", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("uprn", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("telephone", sa.Text(), nullable=True),
        sa.Column("web_address", sa.Text(), nullable=True),
        sa.Column("dual_registered", sa.Boolean(), nullable=True),
        sa.Column("primary_location_id", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["medstead.cqc_provider.id"], name=op.f("cqc_location_provider_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("cqc_location_pkey")),
        schema="medstead",
        info={"kind": "reference"},
    )
    op.create_index(op.f("cqc_location_icb_code_index"), "cqc_location", ["icb_code"], unique=False, schema="medstead")
    op.create_index(
        op.f("cqc_location_local_authority_id_index"),
        "cqc_location",
        ["local_authority", "id"],
        unique=False,
        schema="medstead",
    )
    op.create_index(
        op.f("cqc_location_provider_id_index"), "cqc_location", ["provider_id"], unique=False, schema="medstead"
    )
    op.create_index(op.f("cqc_location_uprn_index"), "cqc_location", ["uprn"], unique=False, schema="medstead")
    op.create_table(
        "learner",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "merged_into_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_tenant_id_merged_into_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learner_tenant_id_merged_into_id_index"),
        "learner",
        ["tenant_id", "merged_into_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learner_tenant_id_name_key_id_index"),
        "learner",
        ["tenant_id", "name_key", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "provider_group",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("provider_group_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("provider_group_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("provider_group_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "tenant_location",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("relationship", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "relationship in ('in_area', 'commissioned', 'former')", name=op.f("tenant_location_relationship_check")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["medstead.cqc_location.id"], name=op.f("tenant_location_location_id_fkey")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("tenant_location_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("tenant_location_pkey")),
        sa.UniqueConstraint("tenant_id", "location_id", name=op.f("tenant_location_tenant_id_location_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "employer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('care_provider', 'agency', 'council', 'individual')", name=op.f("employer_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("employer_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("employer_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("employer_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("employer_tenant_id_tenant_location_id_index"),
        "employer",
        ["tenant_id", "tenant_location_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learner_identifier",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('email', 'account')", name=op.f("learner_identifier_kind_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_identifier_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_identifier_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_identifier_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "value",
            "learner_id",
            name=op.f("learner_identifier_tenant_id_kind_value_learner_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learner_identifier_tenant_id_learner_id_index"),
        "learner_identifier",
        ["tenant_id", "learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learner_merge",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_learner_id", sa.Uuid(), nullable=False),
        sa.Column("merged_learner_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "kept_learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_merge_tenant_id_kept_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "merged_learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("learner_merge_tenant_id_merged_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_merge_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_merge_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("learner_merge_tenant_id_kept_learner_id_index"),
        "learner_merge",
        ["tenant_id", "kept_learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("learner_merge_tenant_id_merged_learner_id_index"),
        "learner_merge",
        ["tenant_id", "merged_learner_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "provider_group_location",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_group_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_group_id"],
            ["medstead.provider_group.tenant_id", "medstead.provider_group.id"],
            name=op.f("provider_group_location_tenant_id_provider_group_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("provider_group_location_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("provider_group_location_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("provider_group_location_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "provider_group_id",
            "tenant_location_id",
            name=op.f("provider_group_location_tenant_id_provider_group_id_tenant_location_id_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "employer_name",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("employer_name_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("employer_name_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("employer_name_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "employer_id", "key", name=op.f("employer_name_tenant_id_employer_id_key_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("employer_name_tenant_id_key_index"),
        "employer_name",
        ["tenant_id", "key"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "employment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=False),
        sa.Column("employer_id", sa.Uuid(), nullable=False),
        sa.Column("job_role_code", sa.Integer(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column("setting", sa.Text(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ended_on is null or ended_on >= started_on", name=op.f("employment_dates_check")),
        sa.ForeignKeyConstraint(
            ["job_role_code"], ["medstead.job_role.code"], name=op.f("employment_job_role_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("employment_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("employment_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("employment_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("employment_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "learner_id",
            "employer_id",
            "started_on",
            name=op.f("employment_tenant_id_learner_id_employer_id_started_on_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("employment_tenant_id_employer_id_index"),
        "employment",
        ["tenant_id", "employer_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "learner_register",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = tenant_id", name=op.f("learner_register_single_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("learner_register_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("learner_register_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    for table in REFERENCE_TABLES:
        op.execute(replicate(table))
        for statement in open_table(table, REFERENCE_GRANTS.get(table, ("SELECT",))):
            op.execute(statement)
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, NARROW_GRANTS.get(table, ALL_GRANTS)):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("learner_register", schema="medstead")
    op.drop_table("employment", schema="medstead")
    op.drop_table("employer_name", schema="medstead")
    op.drop_table("provider_group_location", schema="medstead")
    op.drop_table("learner_merge", schema="medstead")
    op.drop_table("learner_identifier", schema="medstead")
    op.drop_table("employer", schema="medstead")
    op.drop_table("tenant_location", schema="medstead")
    op.drop_table("provider_group", schema="medstead")
    op.drop_table("learner", schema="medstead")
    op.drop_table("cqc_location", schema="medstead")
    op.drop_table("job_role", schema="medstead")
    op.drop_table("cqc_provider", schema="medstead")
