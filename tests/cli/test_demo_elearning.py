"""The demonstration's e-learning is made once, shows every kind of deadline, and leaves the figures as they are."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.cli.demo_elearning import COMPLETED, SOURCE, add_elearning
from app.directory.models import LearnerIdentifier
from app.directory.rules import account_key
from app.training.asc_wds import reading as asc_wds
from app.training.asc_wds.models import AscWdsWorkplace
from app.training.elearning.models import LearningAccount, LearningActivity, LearningSystem, XapiStatement
from app.training.models import Completion, Course
from app.training.refunds.reading import claims
from tenants.clock import london_date
from tenants.identifiers import new_id
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds

TABLES = (LearningSystem, LearningActivity, LearningAccount, XapiStatement, Completion, AscWdsWorkplace)
PEOPLE = 20


@pytest.mark.one_login
async def test_e_learning_is_made_once(installation: Installation) -> None:
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        world = await worlds.open_world(work)
        await worlds.employer(work, world, "Home", "1-HOME", "Group")
        await worlds.employer(work, world, "Other", "1-OTHER")
        for number in range(PEOPLE):
            worlds.learner(work, world, f"{chr(65 + number)}nn Example")
        await work.session.flush()
        for number, (name, learner_id) in enumerate(sorted(world.learners.items())):
            worlds.employ(work, world, name, "Home" if number < PEOPLE // 2 else "Other")
            told = (("account", account_key(SOURCE, f"el{number}")), ("email", f"person{number}@invented.example"))
            for kind, value in told:
                work.add(
                    LearnerIdentifier(
                        tenant_id=work.tenant_id, id=new_id(), learner_id=learner_id, kind=kind, value=value,
                        shared=False, created_at=NOW,
                    )
                )  # fmt: skip

    async def counts() -> list[int]:
        async with installation.database.session(context) as session:
            return [(await session.scalars(select(func.count()).select_from(table))).one() for table in TABLES]

    await add_elearning(installation.database, context, installation.services.vault)
    made = await counts()
    assert made[0] == made[1] == made[5] == 1
    async with installation.database.unit_of_work(context) as work:
        assert (await work.session.scalars(select(Course.tier_id))).one() is None, "figures count courses of tier 1"
        completions = (await work.session.scalars(select(Completion.completed_at))).all()
        assert len(completions) == len(COMPLETED) - 1, "one was voided"
        assert max(completions) < work.now - timedelta(days=2)
        reasons = await work.session.scalars(select(LearningAccount.reason).where(LearningAccount.state == "waiting"))
        assert set(reasons) == {"NO_NAME", "NOT_LEGIBLE", "SAME_EMAIL_OTHER_NAME"}
        found = Counter(one.urgency for one in await claims(work.session, london_date(work.now)))
        assert found == {"closed": 1, "claimed": 1, "overdue": 2, "soon": 3, "open": 5}
        employer_id = (await work.session.scalars(select(AscWdsWorkplace.employer_id))).one()
        preview = await asc_wds.preview(work, [employer_id])
        assert {finding.is_error for finding in preview.findings} == {True, False}
        assert preview.without_errors()
        (stranger,) = await asc_wds.unnamed(work, [employer_id])
        assert stranger.likely in world.learners.values()
    await add_elearning(installation.database, context, installation.services.vault)
    assert await counts() == made
