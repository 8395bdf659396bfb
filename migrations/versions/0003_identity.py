"""Identity: logins, sessions, staff, API clients, signing keys, access logs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, open_table, wall

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_TABLES = ("api_client", "api_client_secret", "staff_member", "access_log")
LOCAL_TABLES = (
    "login",
    "signing_key",
    "federated_identity",
    "api_client_directory",
    "identity_provider",
    "login_session",
    "login_tenant",
    "staff_invitation",
    "sign_in_attempt",
    "platform_access_log",
)
NARROW_GRANTS = {"access_log": ("SELECT", "INSERT")}
NARROW_LOCAL_GRANTS = {
    "signing_key": ("SELECT", "INSERT", "UPDATE"),
    "platform_access_log": ("SELECT", "INSERT"),
}
ALL_GRANTS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "login",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("platform_role", sa.Text(), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "platform_role in ('national_lead', 'platform_operator')", name=op.f("login_platform_role_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("login_pkey")),
        sa.UniqueConstraint("email", name=op.f("login_email_key")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("public_jwk", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("signing_key_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "federated_identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["medstead.login.id"], name=op.f("federated_identity_login_id_fkey")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("federated_identity_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("federated_identity_login_id_index"), "federated_identity", ["login_id"], unique=False, schema="medstead"
    )
    op.create_table(
        "api_client",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("api_client_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("api_client_pkey")),
        sa.UniqueConstraint("tenant_id", "client_id", name=op.f("api_client_tenant_id_client_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "api_client_directory",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("api_client_directory_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("api_client_directory_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("api_client_directory_tenant_id_index"),
        "api_client_directory",
        ["tenant_id"],
        unique=False,
        schema="medstead",
    )
    op.create_table(
        "identity_provider",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("identity_provider_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_provider_pkey")),
        sa.UniqueConstraint("tenant_id", "issuer", name=op.f("identity_provider_tenant_id_issuer_key")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("identity_provider_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "stage in ('second_factor', 'enrolment', 'signed_in')", name=op.f("login_session_stage_check")
        ),
        sa.CheckConstraint(
            "identity_provider_id is null or tenant_id is not null", name=op.f("login_session_federated_check")
        ),
        sa.ForeignKeyConstraint(["login_id"], ["medstead.login.id"], name=op.f("login_session_login_id_fkey")),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["medstead.identity_provider.id"],
            name=op.f("login_session_identity_provider_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("login_session_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("login_session_pkey")),
        sa.UniqueConstraint("previous_token_hash", name=op.f("login_session_previous_token_hash_key")),
        sa.UniqueConstraint("token_hash", name=op.f("login_session_token_hash_key")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("login_session_login_id_index"), "login_session", ["login_id"], unique=False, schema="medstead"
    )
    op.create_table(
        "login_tenant",
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["login_id"], ["medstead.login.id"], name=op.f("login_tenant_login_id_fkey")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("login_tenant_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("login_id", "tenant_id", name=op.f("login_tenant_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("login_tenant_tenant_id_index"), "login_tenant", ["tenant_id"], unique=False, schema="medstead"
    )
    op.create_table(
        "api_client_secret",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "api_client_id"],
            ["medstead.api_client.tenant_id", "medstead.api_client.id"],
            name=op.f("api_client_secret_tenant_id_api_client_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("api_client_secret_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("api_client_secret_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("api_client_secret_tenant_id_api_client_id_index"),
        "api_client_secret",
        ["tenant_id", "api_client_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "staff_member",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("provider_group_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role in ('tenant_administrator', 'programme_lead', 'facilitator', 'reviewer', 'analyst', 'communications', 'information_governance', 'provider_manager')",
            name=op.f("staff_member_role_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "provider_group_id"],
            ["medstead.provider_group.tenant_id", "medstead.provider_group.id"],
            name=op.f("staff_member_tenant_id_provider_group_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("staff_member_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("staff_member_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("staff_member_tenant_id_login_id_index"),
        "staff_member",
        ["tenant_id", "login_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        "staff_member_present_key",
        "staff_member",
        ["tenant_id", "login_id"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "staff_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["login_id"], ["medstead.login.id"], name=op.f("staff_invitation_login_id_fkey")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("staff_invitation_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("staff_invitation_pkey")),
        sa.UniqueConstraint("code_hash", name=op.f("staff_invitation_code_hash_key")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("staff_invitation_tenant_id_staff_member_id_index"),
        "staff_invitation",
        ["tenant_id", "staff_member_id"],
        unique=False,
        schema="medstead",
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("identity_provider_id", sa.Uuid(), nullable=False),
        sa.Column("staff_invitation_id", sa.Uuid(), nullable=True),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("code_verifier", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["medstead.identity_provider.id"],
            name=op.f("sign_in_attempt_identity_provider_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["staff_invitation_id"],
            ["medstead.staff_invitation.id"],
            name=op.f("sign_in_attempt_staff_invitation_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("sign_in_attempt_pkey")),
        sa.UniqueConstraint("state_hash", name=op.f("sign_in_attempt_state_hash_key")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_table(
        "platform_access_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("platform_access_log_pkey")),
        schema="medstead",
        info={"kind": "local"},
    )
    op.create_index(
        op.f("platform_access_log_at_index"), "platform_access_log", ["at"], unique=False, schema="medstead"
    )
    op.create_table(
        "access_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_member_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("access_log_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("access_log_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("access_log_tenant_id_at_id_index"),
        "access_log",
        ["tenant_id", "at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table, NARROW_GRANTS.get(table, ALL_GRANTS)):
            op.execute(statement)
    for table in LOCAL_TABLES:
        for statement in open_table(table, NARROW_LOCAL_GRANTS.get(table, ALL_GRANTS)):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("access_log", schema="medstead")
    op.drop_table("platform_access_log", schema="medstead")
    op.drop_table("sign_in_attempt", schema="medstead")
    op.drop_table("staff_invitation", schema="medstead")
    op.drop_table("staff_member", schema="medstead")
    op.drop_table("api_client_secret", schema="medstead")
    op.drop_table("login_tenant", schema="medstead")
    op.drop_table("login_session", schema="medstead")
    op.drop_table("identity_provider", schema="medstead")
    op.drop_table("api_client_directory", schema="medstead")
    op.drop_table("api_client", schema="medstead")
    op.drop_table("federated_identity", schema="medstead")
    op.drop_table("signing_key", schema="medstead")
    op.drop_table("login", schema="medstead")
