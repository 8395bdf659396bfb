"""Tables of identity: logins and sessions (local), staff and API clients (of a tenant), signing keys, access logs."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import SCHEMA, Base, TenantOwned, local_table, tenant_index, tenant_table, tenant_unique, to_tenant


class Login(Base):
    """A person's sign-in, known before any tenant is chosen. `email` is normalised. `totp_secret` is encrypted."""

    __tablename__ = "login"
    __table_args__ = local_table(
        CheckConstraint("platform_role in ('national_lead', 'platform_operator')", name="platform_role")
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str | None]
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_last_step: Mapped[int | None]
    platform_role: Mapped[str | None]
    failed_attempts: Mapped[int]
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LoginTenant(Base):
    """Which tenants a login's own password opens; the role stands in the tenant's own `staff_member`.

    There is no row until the person behind the login has taken the tenant's invitation.
    """

    __tablename__ = "login_tenant"
    __table_args__ = local_table(Index(None, "tenant_id"))

    login_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.login.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"), primary_key=True)
    staff_member_id: Mapped[UUID]


class LoginSession(Base):
    """A browser that signs in or has signed in. Only a keyed hash of the cookie's token is kept; the token rotates.

    A session that an identity provider vouched for names it, and stays in that provider's tenant.
    """

    __tablename__ = "login_session"
    __table_args__ = local_table(
        CheckConstraint("stage in ('second_factor', 'enrolment', 'signed_in')", name="stage"),
        CheckConstraint("identity_provider_id is null or tenant_id is not null", name="federated"),
        Index(None, "login_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.login.id"))
    stage: Mapped[str]
    identity_provider_id: Mapped[UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.identity_provider.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    previous_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"))
    csrf_token: Mapped[str]
    created_at: Mapped[datetime]
    rotated_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class FederatedIdentity(Base):
    """A login's subject at an OpenID Connect provider."""

    __tablename__ = "federated_identity"
    __table_args__ = local_table(Index(None, "login_id"))

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    login_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.login.id"))
    created_at: Mapped[datetime]


class IdentityProvider(Base):
    """An OpenID Connect provider whose sign-in a tenant trusts. The client secret is encrypted."""

    __tablename__ = "identity_provider"
    __table_args__ = local_table(UniqueConstraint("tenant_id", "issuer"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"))
    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class SignInAttempt(Base):
    """One round trip to an OpenID Connect provider, used once. The browser that began it holds the other half."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = local_table()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    identity_provider_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.identity_provider.id"))
    staff_invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey(f"{SCHEMA}.staff_invitation.id"))
    state_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str]
    code_verifier: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffInvitation(Base):
    """A code that an administrator hands to a new member of staff; known before the tenant is bound, so local."""

    __tablename__ = "staff_invitation"
    __table_args__ = local_table(Index(None, "tenant_id", "staff_member_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"))
    staff_member_id: Mapped[UUID]
    login_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.login.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PlatformAccess(Base):
    """One request to the console that was made in no tenant: ids and the route's name only."""

    __tablename__ = "platform_access_log"
    __table_args__ = local_table(Index(None, "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    login_id: Mapped[UUID | None]
    request_id: Mapped[UUID]
    route: Mapped[str]
    method: Mapped[str]
    status: Mapped[int]
    subject_id: Mapped[UUID | None]


class SigningKey(Base):
    """An Ed25519 key that signs access tokens. The private part is encrypted; retired keys stay for verification."""

    __tablename__ = "signing_key"
    __table_args__ = local_table()

    id: Mapped[str] = mapped_column(primary_key=True)
    public_jwk: Mapped[dict[str, Any]]
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class ApiClientDirectory(Base):
    """Which tenant a client id belongs to: the only thing known of a client before its tenant is bound."""

    __tablename__ = "api_client_directory"
    __table_args__ = local_table(Index(None, "tenant_id"))

    client_id: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.tenant.id"))
    api_client_id: Mapped[UUID]


class StaffMember(TenantOwned, Base):
    """A login's role in one tenant."""

    __tablename__ = "staff_member"
    __table_args__ = tenant_table(
        CheckConstraint(
            "role in ('tenant_administrator', 'programme_lead', 'facilitator', 'reviewer', 'analyst', "
            "'communications', 'information_governance', 'provider_manager', 'council_partner')",
            name="role",
        ),
        to_tenant("provider_group_id", "provider_group"),
        to_tenant("partner_organisation_id", "partner_organisation"),
        tenant_index("login_id"),
        tenant_index("login_id", name="staff_member_present_key", unique=True, where="ended_at is null"),
    )

    login_id: Mapped[UUID]
    display_name: Mapped[str]
    role: Mapped[str]
    provider_group_id: Mapped[UUID | None]
    partner_organisation_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiClient(TenantOwned, Base):
    """A partner application's grant in one tenant. `scopes` is what the tenant granted."""

    __tablename__ = "api_client"
    __table_args__ = tenant_table(tenant_unique("client_id"))

    client_id: Mapped[str]
    name: Mapped[str]
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiClientSecret(TenantOwned, Base):
    """A secret of an API client, as a keyed hash. At most two are live, so that one can be rotated."""

    __tablename__ = "api_client_secret"
    __table_args__ = tenant_table(to_tenant("api_client_id", "api_client"), tenant_index("api_client_id"))

    api_client_id: Mapped[UUID]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class IdempotencyRecord(TenantOwned, Base):
    """What a client was answered to one field of a request that carried a key; written beside the field's effect.

    `answer` is a JSON text, sealed because it may hold names and secrets that are shown once, and `errors` is one of
    codes; both are given again letter by letter, made with `scopes`.
    """

    __tablename__ = "idempotency_record"
    __table_args__ = tenant_table(
        to_tenant("api_client_id", "api_client"),
        tenant_unique("api_client_id", "key_hash", "response_key"),
        tenant_index("expires_at"),
    )

    api_client_id: Mapped[UUID]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    response_key: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[Any]]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    errors: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FieldUsage(TenantOwned, Base):
    """How often a client's operations selected a field (`Type.field`) on a day in England."""

    __tablename__ = "field_usage"
    __table_args__ = tenant_table(
        to_tenant("api_client_id", "api_client"),
        tenant_unique("api_client_id", "field", "day"),
        tenant_index("day"),
    )

    api_client_id: Mapped[UUID]
    field: Mapped[str]
    day: Mapped[date]
    operations: Mapped[int] = mapped_column(BigInteger)


class Access(TenantOwned, Base):
    """One request to the console by a member of staff: ids and the route's name only. Inserted, never changed."""

    __tablename__ = "access_log"
    __table_args__ = tenant_table(tenant_index("at", "id"))

    at: Mapped[datetime]
    staff_member_id: Mapped[UUID]
    request_id: Mapped[UUID]
    route: Mapped[str]
    method: Mapped[str]
    status: Mapped[int]
    subject_id: Mapped[UUID | None]
