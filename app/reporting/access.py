"""Who may ask for and see which report: by kind, by whether it names people, and by whose locations it is about."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import ProviderGroupLocation
from app.identity.models import StaffMember
from app.identity.permissions import Permission
from app.identity.principal import Principal
from app.reporting.definitions import DEFINITIONS, Definition
from app.reporting.models import ReportContent, ReportSnapshot
from tenants.context import ActorKind


@dataclass(frozen=True, slots=True)
class OwnGroup:
    """The provider group that a manager manages, and its locations now."""

    id: UUID
    locations: frozenset[UUID]


def may_ask(definition: Definition, permissions: frozenset[Permission]) -> bool:
    """Whether a report of the kind may be asked for, and seen."""
    return definition.needs <= permissions


async def own_group(session: AsyncSession, principal: Principal) -> OwnGroup | None:
    """The group of a provider manager, read anew for each question; None for everybody else."""
    if principal.kind is not ActorKind.STAFF or not principal.may(Permission.GROUP_READ):
        return None
    member = select(StaffMember.provider_group_id).where(
        StaffMember.id == principal.id, StaffMember.ended_at.is_(None), StaffMember.provider_group_id.is_not(None)
    )
    group_id = (await session.scalars(member)).one_or_none()
    if group_id is None:
        return None
    locations = select(ProviderGroupLocation.tenant_location_id).where(
        ProviderGroupLocation.provider_group_id == group_id
    )
    return OwnGroup(group_id, frozenset(await session.scalars(locations)))


def visible(principal: Principal, group: OwnGroup | None) -> ColumnElement[bool]:
    """Which reports somebody may see in a list."""
    snapshot: Any = ReportSnapshot
    kinds = [kind for kind, definition in DEFINITIONS.items() if may_ask(definition, principal.permissions)]
    by_kind: ColumnElement[bool] = snapshot.kind.in_(kinds)
    if not principal.may(Permission.PEOPLE_READ):
        by_kind = and_(by_kind, snapshot.named.is_(False))
    if group is None:
        return by_kind
    return or_(by_kind, snapshot.provider_group_id == group.id)


async def find(
    session: AsyncSession, principal: Principal, group: OwnGroup | None, snapshot_id: UUID
) -> ReportSnapshot | None:
    """A report that somebody may see; None as for one that is not there.

    A manager sees one of the own group while every location that it covers still belongs to the group.
    """
    listed = select(ReportSnapshot).where(ReportSnapshot.id == snapshot_id, visible(principal, group))
    snapshot = (await session.scalars(listed)).one_or_none()
    if snapshot is None or group is None or may_ask(DEFINITIONS[snapshot.kind], principal.permissions):
        return snapshot
    covered = select(ReportContent.location_ids).where(ReportContent.snapshot_id == snapshot.id)
    ids = (await session.scalars(covered)).one_or_none() or []
    return snapshot if {UUID(one) for one in ids} <= group.locations else None
