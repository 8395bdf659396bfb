"""Changes of CQC's register: found by comparing with what is known, and applied to the rows that all tenants share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.locations import LocationInFile, area_of_tenant, link_locations, publish_locations
from app.directory.models import CqcLocation, CqcProvider
from app.refreshing.cqc import SOCIAL_CARE, Register, location_of
from app.refreshing.holding import Held, note
from app.refreshing.models import ReferenceChange
from app.refreshing.rules import difference, plain
from tenants.base import among, table_of
from tenants.session import UnitOfWork

CHUNK = 200
ENDS = "deregistered_on"


async def fetch_locations(held: Held, register: Register) -> tuple[dict[str, int], int]:
    """Fetch what changed and keep how it differs. Gives counts of what was left out, and how many locations are known.

    Left out: `gone` (CQC has no page of them), `unreadable`, `not_care` (no adult social care and not known),
    `unchanged`.
    """
    ids = await register.changed(held.since, held.until)
    async with held.work() as work:
        await note(work, held, steps_total=len(ids))
        known = (await work.session.scalars(select(func.count()).select_from(CqcLocation))).one()
    left_out: Counter[str] = Counter()
    batch: list[LocationInFile] = []
    done = 0
    async for _, told in register.locations(ids):
        done += 1
        location = location_of(told)
        if location is None:
            left_out["gone" if told is None else "unreadable"] += 1
        else:
            batch.append(location)
        if len(batch) >= CHUNK or done == len(ids):
            batch = await _with_providers(held, register, batch)
            async with held.work() as work:
                left_out += await _keep(work, held.id, batch)
                await note(work, held, steps_done=done)
            batch = []
    return dict(left_out), known


async def _with_providers(held: Held, register: Register, batch: Sequence[LocationInFile]) -> list[LocationInFile]:
    """The locations, those of providers that are not known yet with the provider's name."""
    wanted = {location.provider_id for location in batch if location.provider_id}
    async with held.work() as work:
        known = set(await work.session.scalars(select(CqcProvider.id).where(among(CqcProvider.id, wanted))))
    names = {provider: await register.provider_name(provider) for provider in sorted(wanted - known)}
    return [replace(location, provider_name=names.get(location.provider_id or "")) for location in batch]


async def _keep(work: UnitOfWork, refresh_id: UUID, batch: Sequence[LocationInFile]) -> Counter[str]:
    known = await _known(work.session, [location.location_id for location in batch])
    left_out: Counter[str] = Counter()
    rows = []
    for location in batch:
        present = known.get(location.location_id)
        if present is None and location.values.get("location_type") != SOCIAL_CARE:
            left_out["not_care"] += 1
            continue
        told = {"name": location.name, "provider_id": location.provider_id} | location.values
        found = difference(present, told, ENDS)
        if found is None:
            left_out["unchanged"] += 1
            continue
        values = {name: plain_list(value) for name, value in told.items()}
        rows.append(
            {
                "refresh_id": refresh_id,
                "key": location.location_id,
                "kind": found.kind,
                "name": location.name,
                "before": found.before,
                "after": {name: plain_list(value) for name, value in found.after.items()},
                "values": values | {"provider_name": location.provider_name},
            }
        )
    if rows:
        await work.session.execute(insert(ReferenceChange).values(rows).on_conflict_do_nothing())
    return left_out


def plain_list(value: Any) -> Any:
    """A value as JSON keeps it; lists keep their order."""
    return value if isinstance(value, list) else plain(value)


async def _known(session: AsyncSession, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    table = table_of(CqcLocation)
    rows = await session.execute(select(table).where(among(table.c.id, ids)))
    return {row["id"]: dict(row) for row in rows.mappings()}


async def apply_locations(work: UnitOfWork, refresh_id: UUID, until: datetime) -> int | None:
    """Apply a chunk of what is left; how many were skipped because a later file changed them. None: nothing is left."""
    waiting = (
        select(ReferenceChange)
        .where(ReferenceChange.refresh_id == refresh_id, ReferenceChange.applied_at.is_(None))
        .order_by(ReferenceChange.key)
        .limit(CHUNK)
    )
    changes = (await work.session.scalars(waiting)).all()
    if not changes:
        return None
    keys = [change.key for change in changes]
    later = select(CqcLocation.id).where(among(CqcLocation.id, keys), CqcLocation.updated_at > until)
    overtaken = set(await work.session.scalars(later))
    await publish_locations(work, [_location(change) for change in changes if change.key not in overtaken])
    applied = update(ReferenceChange).where(ReferenceChange.refresh_id == refresh_id, among(ReferenceChange.key, keys))
    await work.session.execute(applied.values(applied_at=work.now).execution_options(synchronize_session=False))
    return len(overtaken)


def _location(change: ReferenceChange) -> LocationInFile:
    values = {name: _typed(name, value) for name, value in change.values.items() if name != "provider_name"}
    name, provider_id = values.pop("name"), values.pop("provider_id", None)
    return LocationInFile(change.key, name, provider_id, change.values.get("provider_name"), values)


def _typed(name: str, value: Any) -> Any:
    """A value as its column has it."""
    kind = table_of(CqcLocation).c[name].type.python_type
    if value is None or isinstance(value, list):
        return value
    return date.fromisoformat(value) if kind is date else Decimal(value) if kind is Decimal else value


async def link_new_locations(work: UnitOfWork, refresh_id: UUID) -> int:
    """Give the tenant a relationship to what a refresh added in its area; how many."""
    added = select(ReferenceChange).where(
        ReferenceChange.refresh_id == refresh_id, ReferenceChange.kind == "new", ReferenceChange.applied_at.is_not(None)
    )
    found = [_location(change) for change in await work.session.scalars(added.order_by(ReferenceChange.key))]
    area = await area_of_tenant(work)
    return await link_locations(work, [location for location in found if area.holds(location)], "in_area")
