"""Loads the reference data that every installation shares: organisations, job roles, categories, definitions."""

import csv
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.models import JobRole
from app.evidence import definitions
from app.training.asc_wds.models import TrainingCategory
from tenants import organisations
from tenants.engine import create_engine

_JOB_ROLES = Path(__file__).resolve().parent / "directory" / "job_roles.csv"
_CATEGORIES = Path(__file__).resolve().parent / "training" / "asc_wds" / "categories.csv"


async def load_reference_data(owner_url: str) -> None:
    """Insert what is missing and correct what has changed; harmless when repeated."""
    engine = create_engine(owner_url)
    try:
        async with engine.begin() as connection:
            await organisations.load(connection)
            await definitions.load(connection)
            await _load_job_roles(connection)
            await _load_training_categories(connection)
    finally:
        await engine.dispose()


async def _load_job_roles(connection: AsyncConnection) -> None:
    with _JOB_ROLES.open(encoding="utf-8", newline="") as file:
        rows = [{"code": int(row["code"]), "label": row["label"]} for row in csv.DictReader(file)]
    statement = insert(JobRole).values(rows)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[JobRole.code], set_={"label": statement.excluded.label})
    )


async def _load_training_categories(connection: AsyncConnection) -> None:
    with _CATEGORIES.open(encoding="utf-8", newline="") as file:
        rows = [
            {"code": int(row["code"]), "label": row["label"], "internal_id": int(row["internal_id"])}
            for row in csv.DictReader(file)
        ]
    statement = insert(TrainingCategory).values(rows)
    named = {name: statement.excluded[name] for name in ("label", "internal_id")}
    await connection.execute(statement.on_conflict_do_update(index_elements=[TrainingCategory.code], set_=named))
