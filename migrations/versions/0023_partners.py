"""Partnerships with councils, step by step, and the staff of a council who see the own area."""

import sqlalchemy as sa
from alembic import op

from migrations.guards import beside_the_service
from tenants.policies import distribute, wall

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

GRANTS = {"partnership": ("SELECT", "INSERT", "UPDATE")}
ROLES = (
    "role in ('tenant_administrator', 'programme_lead', 'facilitator', 'reviewer', 'analyst', 'communications', "
    "'information_governance', 'provider_manager'{more})"
)
CHECK, PARTNER = "staff_member_role_check", "staff_member_tenant_id_partner_organisation_id_fkey"


def upgrade() -> None:
    """Create the table, let staff belong to a partner, allow the new role."""
    op.create_table(
        "partnership",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_organisation_id", sa.Uuid(), nullable=False),
        sa.Column("local_authority", sa.Text(), nullable=False),
        sa.Column("invited_on", sa.Date(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("agreement_signed_on", sa.Date(), nullable=True),
        sa.Column("agreement_until", sa.Date(), nullable=True),
        sa.Column("agreement_reference", sa.Text(), nullable=True),
        sa.Column("live_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("agreed_on is null or agreed_on >= invited_on", name=op.f("partnership_agreed_on_check")),
        sa.CheckConstraint(
            "agreement_signed_on is null or (agreed_on is not null and agreement_signed_on >= agreed_on)",
            name=op.f("partnership_agreement_signed_on_check"),
        ),
        sa.CheckConstraint(
            "agreement_until is null or agreement_until >= agreement_signed_on",
            name=op.f("partnership_agreement_until_check"),
        ),
        sa.CheckConstraint(
            "live_on is null or (agreement_signed_on is not null and live_on >= invited_on)",
            name=op.f("partnership_live_on_check"),
        ),
        sa.CheckConstraint("ended_on is null or ended_on >= invited_on", name=op.f("partnership_ended_on_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("partnership_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("partnership_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "partner_organisation_id", name=op.f("partnership_tenant_id_partner_organisation_id_key")
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("partnership_tenant_id_invited_on_id_index"),
        "partnership",
        ["tenant_id", "invited_on", "id"],
        unique=False,
        schema="medstead",
    )
    op.execute(distribute("partnership"))
    op.create_foreign_key(
        op.f("partnership_tenant_id_partner_organisation_id_fkey"),
        "partnership",
        "partner_organisation",
        ["tenant_id", "partner_organisation_id"],
        ["tenant_id", "id"],
        source_schema="medstead",
        referent_schema="medstead",
    )
    for table, grants in GRANTS.items():
        for statement in wall(table, grants):
            op.execute(statement)
    op.add_column("staff_member", sa.Column("partner_organisation_id", sa.Uuid(), nullable=True), schema="medstead")
    op.execute(
        f"ALTER TABLE medstead.staff_member ADD CONSTRAINT {PARTNER} FOREIGN KEY (tenant_id, partner_organisation_id) "
        "REFERENCES medstead.partner_organisation (tenant_id, id) NOT VALID"
    )
    op.execute(f"ALTER TABLE medstead.staff_member DROP CONSTRAINT {CHECK}")
    _check(", 'council_partner'")
    with beside_the_service():
        for constraint in (CHECK, PARTNER):
            op.execute(f"ALTER TABLE medstead.staff_member VALIDATE CONSTRAINT {constraint}")


def downgrade() -> None:
    """End the work of councils' staff, and undo the rest. What partnerships told is lost."""
    op.execute(
        "UPDATE medstead.staff_member SET role = 'analyst', ended_at = coalesce(ended_at, now()) "
        "WHERE role = 'council_partner'"
    )
    op.execute(f"ALTER TABLE medstead.staff_member DROP CONSTRAINT {CHECK}")
    _check("")
    op.execute(f"ALTER TABLE medstead.staff_member DROP CONSTRAINT {PARTNER}")
    op.drop_column("staff_member", "partner_organisation_id", schema="medstead")
    op.drop_table("partnership", schema="medstead")
    with beside_the_service():
        op.execute(f"ALTER TABLE medstead.staff_member VALIDATE CONSTRAINT {CHECK}")


def _check(more: str) -> None:
    rule = ROLES.format(more=more)
    op.execute(f"ALTER TABLE medstead.staff_member ADD CONSTRAINT {CHECK} CHECK ({rule}) NOT VALID")
