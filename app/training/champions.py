"""Medication Champions as a list names them: one role for each person and location."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.training.models import MedicationChampion
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class ChampionInFile:
    """A role; `location_key` tells roles of one person apart where the location is not the tenant's own."""

    learner_id: UUID
    tenant_location_id: UUID | None
    location_key: str
    trained_on: date | None
    started_on: date | None
    ended_on: date | None
    deputy: bool


async def record_champions(work: UnitOfWork, import_id: UUID, champions: Sequence[ChampionInFile]) -> int:
    """Store new roles and bring known ones up to date; how many were new. A date once told is not forgotten."""
    wanted = {(item.learner_id, item.location_key): item for item in champions}
    known = {
        (learner_id, key)
        for learner_id, key in await work.session.execute(
            select(MedicationChampion.learner_id, MedicationChampion.location_key).where(
                among(MedicationChampion.learner_id, {learner_id for learner_id, _ in wanted})
            )
        )
    }
    today = london_date(work.now)
    await work.insert_rows(
        MedicationChampion,
        (
            "id", "learner_id", "tenant_location_id", "location_key", "trained_on", "started_on", "ended_on", "deputy",
            "import_id", "created_at", "state",
        ),
        (
            (
                new_id(), item.learner_id, item.tenant_location_id, item.location_key, item.trained_on, item.started_on,
                item.ended_on, item.deputy, import_id, work.now, _state(item, today),
            )
            for item in wanted.values()
        ),
        on_conflict=(
            "ON CONFLICT (tenant_id, learner_id, location_key) DO UPDATE SET "
            "trained_on = coalesce(excluded.trained_on, medication_champion.trained_on), "
            "started_on = coalesce(excluded.started_on, medication_champion.started_on), "
            "ended_on = coalesce(excluded.ended_on, medication_champion.ended_on), "
            "tenant_location_id = coalesce(excluded.tenant_location_id, medication_champion.tenant_location_id), "
            "deputy = excluded.deputy, version = medication_champion.version + 1, "
            "state = CASE WHEN excluded.ended_on IS NULL THEN medication_champion.state ELSE excluded.state END"
        ),
    )  # fmt: skip
    return len(wanted.keys() - known)


def _state(item: ChampionInFile, today: date) -> str:
    return "ended" if item.ended_on is not None and item.ended_on <= today else "active"
