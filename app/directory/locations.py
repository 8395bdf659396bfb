"""CQC locations: shared reference data brought up to date, and a tenant's own relationship to those in its area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from app.directory.models import CqcLocation, CqcProvider, TenantLocation
from tenants.base import SCHEMA, among, table_of
from tenants.identifiers import new_id
from tenants.models import Organisation, OrganisationCode, OrganisationSuccession, Tenant
from tenants.organisations import BEFORE_RECORDS
from tenants.session import UnitOfWork

_NOT_CARE = "other"
_COUNCIL_WORDS = (
    "metropolitan borough council", "metropolitan district council", "borough council", "city council",
    "county council", "district council", "council", "london borough of", "royal borough of", "city of",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocationInFile:
    """A location of the directory; `values` are columns of `cqc_location`, as far as the file has them."""

    location_id: str
    name: str
    provider_id: str | None
    provider_name: str | None
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Area:
    """What makes a location a tenant's: the codes of its integrated care board, or the names of councils."""

    icb_codes: frozenset[str] = frozenset()
    councils: frozenset[str] = frozenset()

    def holds(self, location: LocationInFile) -> bool:
        """Whether the location lies in the area and gives adult social care."""
        if location.values.get("primary_setting") == _NOT_CARE and location.values.get("location_type") not in (
            None,
            "Social Care Org",
        ):
            return False
        if self.councils:
            return council_key(location.values.get("local_authority") or "") in self.councils
        return (location.values.get("icb_code") or "").upper() in self.icb_codes


def council_key(name: str) -> str:
    """A council's name as CQC and the council itself write it, made comparable."""
    plain = " ".join(name.casefold().replace("&", "and").replace(",", " ").split())
    for words in _COUNCIL_WORDS:
        plain = plain.removesuffix(f" {words}").removeprefix(f"{words} ")
    return plain


async def area_of_tenant(work: UnitOfWork) -> Area:
    """The bound tenant's area. An ICB's has the codes of boards that merged into it: older files name those."""
    tenant = (await work.session.execute(select(Tenant).where(Tenant.id == work.tenant_id))).scalar_one()
    if tenant.kind == "council":
        body = await work.session.get(Organisation, tenant.organisation_id) if tenant.organisation_id else None
        return Area(councils=frozenset({council_key(body.name if body else tenant.name)}))
    if tenant.organisation_id is None:
        return Area()
    related = {tenant.organisation_id}
    successions = await work.session.execute(
        select(OrganisationSuccession.predecessor_id, OrganisationSuccession.successor_id, OrganisationSuccession.kind)
    )
    for predecessor, successor, kind in successions:
        # A board that was split went to several: its whole area is nobody's.
        if kind == "merge" and tenant.organisation_id == successor:
            related.add(predecessor)
    codes = await work.session.scalars(
        select(OrganisationCode.code).where(among(OrganisationCode.organisation_id, related))
    )
    return Area(icb_codes=frozenset(codes))


async def publish_locations(work: UnitOfWork, locations: Sequence[LocationInFile]) -> None:
    """Insert or bring up to date the shared rows. What the file does not tell stays as it was."""
    named = {
        location.provider_id: location.provider_name
        for location in locations
        if location.provider_id and location.provider_name
    }
    if named:
        await _upsert(work, CqcProvider, ("name",), [(key, name) for key, name in sorted(named.items())])
    nameless = {location.provider_id for location in locations if location.provider_id} - named.keys()
    if nameless:
        # Called by its id until somebody tells its name; a name that is known stays.
        await work.run_shared_rows(_PROVIDER, ((provider_id, work.now) for provider_id in sorted(nameless)))
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for location in sorted(locations, key=lambda location: location.location_id):
        values = {"name": location.name, "provider_id": location.provider_id} | location.values
        columns = tuple(sorted(values))
        row = (location.location_id, *(_driver_value(column, values[column]) for column in columns))
        by_columns.setdefault(columns, []).append(row)
    for columns, rows in by_columns.items():
        await _upsert(work, CqcLocation, columns, rows)


_PROVIDER = f"""
    INSERT INTO {SCHEMA}.cqc_provider (id, name, updated_at) VALUES ($1, $1, $2) ON CONFLICT (id) DO NOTHING
"""
_LISTS = frozenset({"service_types", "user_bands", "regulated_activities"})


def _driver_value(column: str, value: Any) -> Any:
    return orjson.dumps(value or []).decode() if column in _LISTS else value


async def _upsert(
    work: UnitOfWork, model: type[CqcProvider | CqcLocation], columns: Sequence[str], rows: list[tuple[Any, ...]]
) -> None:
    """One statement for many rows, ordered by id: two imports never wait for each other in a ring."""
    table = table_of(model)
    missing = {"original_id": "$1", **dict.fromkeys(_LISTS, "'[]'::jsonb")} if model is CqcLocation else {}
    given = {name: f"${position}" for position, name in enumerate(columns, 2)}
    defaults = {name: value for name, value in missing.items() if name not in given}
    values = {"id": "$1", **given, **defaults, "updated_at": f"${len(columns) + 2}"}
    changes = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "updated_at"))
    statement = (
        f"INSERT INTO {table.schema}.{table.name} AS kept ({', '.join(values)}) "
        f"VALUES ({', '.join(values.values())}) "
        f"ON CONFLICT (id) DO UPDATE SET {changes} WHERE kept.updated_at <= excluded.updated_at"
    )
    await work.run_shared_rows(statement, ((*row, work.now) for row in rows))


async def link_locations(work: UnitOfWork, locations: Sequence[LocationInFile], relationship: str) -> int:
    """Give the tenant a relationship to each location that it has none to yet; how many were new.

    It lasts since the location was registered, or, where the file does not say, for as long as records go back.
    """
    since = {location.location_id: location.values.get("registered_on") or BEFORE_RECORDS for location in locations}
    known = set(
        await work.session.scalars(select(TenantLocation.location_id).where(among(TenantLocation.location_id, since)))
    )
    new = [location_id for location_id in since if location_id not in known]
    await work.insert_rows(
        TenantLocation,
        ("id", "location_id", "relationship", "since", "created_at"),
        ((new_id(), location_id, relationship, since[location_id], work.now) for location_id in new),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    return len(new)


async def tenant_location_ids(work: UnitOfWork, location_ids: set[str]) -> dict[str, UUID]:
    """CQC location id → the tenant's own location."""
    rows = await work.session.execute(
        select(TenantLocation.location_id, TenantLocation.id).where(among(TenantLocation.location_id, location_ids))
    )
    return {row.location_id: row.id for row in rows}
