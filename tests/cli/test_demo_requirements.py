"""The demonstration's rules are made once, and leave every page something to show."""

import pytest
from sqlalchemy import func, select

from app.cli.demo_requirements import add_requirements
from app.directory.models import JobRole
from app.training.models import Programme
from app.training.requirements.models import (
    ChampionNomination,
    CompetenceAssessment,
    ConfidenceRating,
    EmploymentTask,
    LearnerStanding,
    Requirement,
)
from tenants.base import table_of
from tenants.engine import create_engine
from tests.support import Installation
from tests.training.requirements.test_programme import people

TABLES = (ChampionNomination, CompetenceAssessment, ConfidenceRating, EmploymentTask, LearnerStanding, Requirement)


@pytest.mark.one_login
async def test_the_rules_are_made_once(installation: Installation) -> None:
    await people(installation)
    owner = create_engine(installation.urls.owner)
    async with owner.begin() as connection:
        if await connection.scalar(select(JobRole.code).where(JobRole.code == 7)) is None:
            await connection.execute(table_of(JobRole).insert().values(code=7, label="Role 7"))
    await owner.dispose()
    context = installation.context(installation.north)

    async def counts() -> dict[str, int]:
        async with installation.database.session(context) as session:
            return {
                table.__tablename__: (await session.scalars(select(func.count()).select_from(table))).one()
                for table in TABLES
            }

    await add_requirements(installation.database, context)
    made = await counts()
    assert all(made.values()), made
    async with installation.database.session(context) as session:
        assert (await session.scalars(select(Programme.status))).all() == ["published"]
        states = set(await session.scalars(select(ChampionNomination.status)))
        assert states == {"nominated", "approved", "declined"}
    await add_requirements(installation.database, context)
    assert await counts() == made
