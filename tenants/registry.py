"""Creating tenants: the registry row, its settings and the first link of its audit chain."""

import re
from uuid import UUID

from sqlalchemy import select

from tenants.audit import Action
from tenants.models import Organisation, OrganisationCode, Tenant, TenantSettings
from tenants.session import UnitOfWork

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
DEFAULT_THRESHOLD_PERCENT = 80
"""Share of the scheduled minutes that makes an attendance count, until the tenant chooses its own."""


class TenantRefusal(Exception):
    """A tenant cannot be made or changed as asked. The message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def create_tenant(
    work: UnitOfWork, slug: str, name: str, kind: str, organisation_id: UUID | None = None
) -> Tenant:
    """Make the tenant that the unit of work is bound to; needs the owner role, for the registry is read-only to others.

    Raises TenantRefusal `INVALID_SLUG`, `INVALID_KIND`, `SLUG_TAKEN` or `UNKNOWN_ORGANISATION`.
    """
    if not SLUG.fullmatch(slug):
        raise TenantRefusal("INVALID_SLUG", f"{slug!r} is no slug. Use lower-case letters, digits and single hyphens.")
    if kind not in ("icb", "council"):
        raise TenantRefusal("INVALID_KIND", f"{kind!r} is no kind of tenant. Use icb or council.")
    if (await work.session.scalars(select(Tenant.id).where(Tenant.slug == slug))).first() is not None:
        raise TenantRefusal("SLUG_TAKEN", f"There is a tenant {slug!r} already. Choose another slug.")
    if organisation_id is not None and await work.session.get(Organisation, organisation_id) is None:
        raise TenantRefusal(
            "UNKNOWN_ORGANISATION",
            "That organisation is not in the registry. Load the reference data, or leave it out.",
        )
    tenant = Tenant(
        id=work.tenant_id,
        slug=slug,
        name=name,
        kind=kind,
        status="onboarding",
        organisation_id=organisation_id,
        created_at=work.now,
    )
    work.add(tenant)
    await work.session.flush()
    work.add(
        TenantSettings(
            tenant_id=work.tenant_id,
            id=work.tenant_id,
            version=1,
            attendance_threshold_percent=DEFAULT_THRESHOLD_PERCENT,
            count_unknown_durations=False,
            column_mappings={},
            updated_at=work.now,
        )
    )
    work.record(Action.TENANT_CREATED, "tenant", work.tenant_id, after={"slug": slug, "name": name, "kind": kind})
    return tenant


async def change_status(work: UnitOfWork, status: str) -> None:
    """Move the bound tenant to `onboarding`, `live`, `suspended` or `closed`; needs the owner role.

    Raises TenantRefusal `NOT_COMPLETE` when a tenant is to go live without an organisation that has a code.
    """
    tenant = await work.session.get_one(Tenant, work.tenant_id, with_for_update=True)
    if tenant.status == status:
        return
    if status == "live":
        codes = select(OrganisationCode.code).where(OrganisationCode.organisation_id == tenant.organisation_id)
        if (await work.session.scalars(codes)).first() is None:
            raise TenantRefusal(
                "NOT_COMPLETE",
                "The tenant has no organisation with a code, so nobody could tell whose figures these are. "
                "Make it with the code of its board or council.",
            )
    before, tenant.status = tenant.status, status
    work.record(Action.TENANT_STATUS_CHANGED, "tenant", tenant.id, before={"status": before}, after={"status": status})
