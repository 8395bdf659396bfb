"""Loads the reference data that every installation shares: organisations, job roles, metric definitions."""

import csv
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.models import JobRole
from app.evidence import definitions
from tenants import organisations
from tenants.engine import create_engine

_JOB_ROLES = Path(__file__).resolve().parent / "directory" / "job_roles.csv"


async def load_reference_data(owner_url: str) -> None:
    """Insert what is missing and correct what has changed; harmless when repeated."""
    engine = create_engine(owner_url)
    try:
        async with engine.begin() as connection:
            await organisations.load(connection)
            await definitions.load(connection)
            await _load_job_roles(connection)
    finally:
        await engine.dispose()


async def _load_job_roles(connection: AsyncConnection) -> None:
    with _JOB_ROLES.open(encoding="utf-8", newline="") as file:
        rows = [{"code": int(row["code"]), "label": row["label"]} for row in csv.DictReader(file)]
    statement = insert(JobRole).values(rows)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[JobRole.code], set_={"label": statement.excluded.label})
    )
