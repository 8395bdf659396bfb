"""The demonstration's certificates and champions are made once, and leave every page something to show."""

import pytest
from sqlalchemy import func, select

from app.cli.demo_certificates import add_certificates
from app.training.certificates.models import Certificate, CertificateRun, CertificateTemplate
from app.training.champion_register.models import LearnerStep, PathwayStep
from app.training.models import MedicationChampion
from tenants.identifiers import new_id
from tests.support import Installation
from tests.training.certificates.test_champions import set_up
from tests.training.requirements.world import TODAY, attend

TABLES = (Certificate, CertificateRun, CertificateTemplate, LearnerStep, PathwayStep)


@pytest.mark.one_login
async def test_certificates_and_champions_are_made_once(installation: Installation) -> None:
    world = await set_up(installation)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        attend(work, world, "Bea", "Day")
        work.add(
            MedicationChampion(
                tenant_id=work.tenant_id, id=new_id(), learner_id=world.learners["Bea"],
                tenant_location_id=world.locations["Other"], location_key=str(world.locations["Other"]),
                trained_on=TODAY, started_on=None, ended_on=None, deputy=False, import_id=None, created_at=work.now,
            )
        )  # fmt: skip

    async def counts() -> list[int]:
        async with installation.database.session(context) as session:
            return [(await session.scalars(select(func.count()).select_from(table))).one() for table in TABLES]

    await add_certificates(installation.database, context, installation.services.vault, "Invented ICB")
    made = await counts()
    assert made == [3, 1, 1, 2, 4]
    async with installation.database.session(context) as session:
        states = (await session.scalars(select(Certificate.state).order_by(Certificate.serial))).all()
        assert states == ["revoked", "superseded", "issued"]
        role = (await session.scalars(select(MedicationChampion))).one()
        assert (role.state, role.started_on, role.contact_route is not None) == ("active", TODAY, True)
        assert (await session.scalars(select(CertificateRun.state))).one() == "finished"
    await add_certificates(installation.database, context, installation.services.vault, "Invented ICB")
    assert await counts() == made
