"""Applies the CQC directory: shared rows brought up to date, locations of the tenant's area linked to it."""

from collections.abc import Sequence

from app.directory.locations import (
    Area,
    LocationInFile,
    area_of_tenant,
    council_key,
    link_locations,
    publish_locations,
)
from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, sound_rows
from app.imports.formats.base import LocationRecord
from tenants.session import UnitOfWork


async def apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """As `Applier`."""
    outcome = Outcome()
    found: dict[str, LocationInFile] = {}
    for _, record in sound_rows(rows, outcome):
        assert isinstance(record, LocationRecord)
        outcome.counts["duplicates"] += record.location_id in found
        found[record.location_id] = LocationInFile(
            record.location_id, record.name, record.provider_id, record.provider_name, record.values
        )
    councils = frozenset(council_key(name) for name in context.options.get("local_authorities", ()))
    area = Area(councils=councils) if councils else await area_of_tenant(work)
    await publish_locations(work, list(found.values()))
    ours = [location for location in found.values() if area.holds(location)]
    linked = await link_locations(work, ours, context.options.get("relationship", "in_area"))
    outcome.counts["applied"] += len(found)
    outcome.counts["linked"] += linked
    outcome.counts["outside_area"] += len(found) - len(ours)
    return outcome
