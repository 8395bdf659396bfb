"""Changes of provider groups: several locations under one manager or brand."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from app.directory.errors import DirectoryRefusal
from app.directory.models import ProviderGroup, ProviderGroupLocation, TenantLocation
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def create_provider_group(work: UnitOfWork, name: str, tenant_location_ids: Collection[UUID] = ()) -> UUID:
    """A group with its locations. Raises DirectoryRefusal `NAME_MISSING`, `NAME_TAKEN` or `NO_SUCH_LOCATION`."""
    plain = " ".join(name.split())
    if not plain:
        raise DirectoryRefusal("NAME_MISSING", "Give the provider group a name.")
    if (await work.session.scalars(select(ProviderGroup.id).where(ProviderGroup.name == plain))).first() is not None:
        raise DirectoryRefusal("NAME_TAKEN", "There is a provider group of that name already. Choose another name.")
    group = ProviderGroup(tenant_id=work.tenant_id, id=new_id(), name=plain, created_at=work.now)
    work.add(group)
    await work.session.flush()
    work.record(Action.PROVIDER_GROUP_CREATED, "provider_group", group.id, after={"name": plain})
    if tenant_location_ids:
        await add_group_locations(work, group.id, tenant_location_ids)
    return group.id


async def add_group_locations(work: UnitOfWork, group_id: UUID, tenant_location_ids: Collection[UUID]) -> None:
    """Put locations into a group. Raises DirectoryRefusal `NO_SUCH_GROUP` or `NO_SUCH_LOCATION`."""
    if await work.session.get(ProviderGroup, (work.tenant_id, group_id)) is None:
        raise DirectoryRefusal("NO_SUCH_GROUP", "There is no such provider group. Look at the list of groups.")
    known = await work.session.scalars(select(TenantLocation.id).where(among(TenantLocation.id, tenant_location_ids)))
    if set(known) != set(tenant_location_ids):
        raise DirectoryRefusal("NO_SUCH_LOCATION", "One of the locations is not the tenant's. Look at the list.")
    await work.insert_rows(
        ProviderGroupLocation,
        ("id", "provider_group_id", "tenant_location_id"),
        ((new_id(), group_id, location_id) for location_id in sorted(tenant_location_ids)),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    work.record(
        Action.PROVIDER_GROUP_CHANGED,
        "provider_group",
        group_id,
        after={"added": sorted(map(str, tenant_location_ids))},
    )


async def remove_group_location(work: UnitOfWork, group_id: UUID, tenant_location_id: UUID) -> None:
    """Take a location out of a group. Raises DirectoryRefusal `NO_SUCH_LOCATION`."""
    found = select(ProviderGroupLocation).where(
        ProviderGroupLocation.provider_group_id == group_id,
        ProviderGroupLocation.tenant_location_id == tenant_location_id,
    )
    row = (await work.session.scalars(found)).first()
    if row is None:
        raise DirectoryRefusal("NO_SUCH_LOCATION", "The location is not in the group. Look at the list again.")
    await work.session.delete(row)
    work.record(Action.PROVIDER_GROUP_CHANGED, "provider_group", group_id, after={"removed": str(tenant_location_id)})
