"""A programme to report on: two providers with staff, training, champions, a plan, feedback and stories."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.directory.models import CqcLocation, TenantLocation
from app.evidence.figures import Period
from app.governance.models import ActionPlan, GovernanceItem, PartnerOrganisation, PlanAction, Recognition
from app.reporting.keeping import Opened, open_report
from app.reporting.models import ReportSnapshot
from app.reporting.operations import Wanted, request_report
from app.training.models import (
    FeedbackAnswer,
    FeedbackForm,
    FeedbackQuestion,
    FeedbackResponse,
    MedicationChampion,
    Programme,
)
from app.training.requirements import standing
from app.training.requirements.models import CompetenceAssessment, EmploymentTask, Requirement
from tenants.identifiers import new_id
from tenants.session import UnitOfWork
from tests.support import NOW, Installation
from tests.training.requirements import world as worlds
from tests.training.requirements.world import World
from tests.webhooks.support import work_off
from workers import reports, webhooks

YEAR = Period(date(2025, 12, 1), date(2026, 11, 30))
MONTHS = [date(2025, 12, 10), *(date(2026, month, 10) for month in range(1, 11))]
ROSE, THORN = "1-ROSE", "1-THORN"
USEFUL = ["Not useful", "A little useful", "Very useful", "Extremely useful"]


@dataclass
class Scene:
    """What stands in the north."""

    world: World
    installation: Installation


async def make_scene(installation: Installation) -> Scene:
    """Ten people at Rose Lodge and two at Thorn House, a webinar a month, and what else reports tell of."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await worlds.open_world(work)
        await _people(work, world)
        await _training(work, world)
        await _governance(work, world)
        await _feedback(work, world, 2, "usefulness", USEFUL, [3] * 90 + [2] * 10, not_answered=20)
        await _feedback(work, world, 3, "agreement", USEFUL, [3] * 17 + [2] * 3, not_answered=0)
        await standing.compute(work)
    return Scene(world, installation)


async def _people(work: UnitOfWork, world: World) -> None:
    await worlds.employer(work, world, "Rose Lodge", ROSE)
    await worlds.employer(work, world, "Thorn House", THORN)
    for name in [*(f"Ourperson {letter}" for letter in "ABCDEFGHIJ"), "Strangerson A", "Strangerson B"]:
        worlds.learner(work, world, name)
    await work.session.flush()
    for name, learner_id in world.learners.items():
        home = "Rose Lodge" if name.startswith("Our") else "Thorn House"
        worlds.employ(work, world, name, home, started_on=date(2025, 6, 1))
        work.add(
            EmploymentTask(
                tenant_id=work.tenant_id, id=new_id(), learner_id=learner_id, employer_id=world.employers[home],
                task="administers", created_at=NOW,
            )
        )  # fmt: skip
    # One of ours worked at Thorn House before.
    worlds.employ(work, world, "Ourperson A", "Thorn House", started_on=date(2024, 1, 1), ended_on=date(2025, 5, 31))
    work.add(
        Requirement(
            tenant_id=work.tenant_id, id=new_id(), programme_id=world.programme, tier_id=world.tiers[1], created_at=NOW
        )
    )
    programme = await work.session.get_one(Programme, (work.tenant_id, world.programme))
    programme.status = "published"


async def _training(work: UnitOfWork, world: World) -> None:
    for name in ("Foundation", "Second course"):
        worlds.course(work, world, name, 1)
    await work.session.flush()
    worlds.complete(work, world, "Ourperson A", "Second course", date(2025, 3, 1))
    for name in list(world.learners)[:9]:
        worlds.complete(work, world, name, "Foundation", date(2026, 2, 1))
        worlds.complete(work, world, name, "Second course", date(2026, 3, 1))
    worlds.complete(work, world, "Strangerson A", "Foundation", date(2026, 2, 1))
    for number, on in enumerate(MONTHS):
        worlds.session(work, world, f"Webinar {number}", 2, on)
    await work.session.flush()
    for number in range(len(MONTHS)):
        for name in list(world.learners)[: 9 + number % 2]:
            worlds.attend(work, world, name, f"Webinar {number}")
    found = dict((await work.session.execute(select(CqcLocation.name, TenantLocation.id).join(
        TenantLocation, TenantLocation.location_id == CqcLocation.id))).all())  # fmt: skip
    for name in list(world.learners)[:8]:
        work.add(
            MedicationChampion(
                tenant_id=work.tenant_id, id=new_id(), learner_id=world.learners[name],
                tenant_location_id=found["Rose Lodge"], location_key="rose lodge", trained_on=date(2026, 5, 1),
                started_on=date(2026, 5, 2), deputy=False, created_at=NOW,
            )
        )  # fmt: skip
    work.add(
        CompetenceAssessment(
            tenant_id=work.tenant_id, id=new_id(), learner_id=world.learners["Ourperson A"], assessor_name="Assessor X",
            assessor_profession="nurse", outcome="competent", skills=["administers"], assessed_on=date(2026, 6, 1),
            review_due_on=date(2027, 6, 1), created_at=NOW,
        )
    )  # fmt: skip


async def _governance(work: UnitOfWork, world: World) -> None:
    partner = PartnerOrganisation(
        tenant_id=work.tenant_id, id=new_id(), name="Invented Council", kind="council", version=1, created_at=NOW
    )
    work.add(partner)
    await work.session.flush()
    plan = ActionPlan(
        tenant_id=work.tenant_id, id=new_id(), kind="cqc", title="Plan of Rose", cqc_provider_id=ROSE,
        owner_organisation_id=partner.id, due_on=date(2026, 12, 31), status="open", version=1, created_at=NOW,
    )  # fmt: skip
    item = GovernanceItem(
        tenant_id=work.tenant_id, id=new_id(), kind="risk", title="Too few nurses", owner="Pat Owner",
        owner_organisation_id=partner.id, review_on=date(2027, 1, 1), due_on=date(2026, 11, 1), status="open",
        version=1, created_at=NOW,
    )  # fmt: skip
    award = Recognition(
        tenant_id=work.tenant_id, id=new_id(), award="Invented Award", body="Invented Body",
        awarded_on=date(2026, 4, 1), created_at=NOW,
    )  # fmt: skip
    work.add(plan, item, award)
    await work.session.flush()
    work.add(
        PlanAction(
            tenant_id=work.tenant_id, id=new_id(), plan_id=plan.id, title="Train everybody", owner="Pat Owner",
            due_on=date(2026, 12, 1), course_id=world.courses["Foundation"], status="open", version=1, created_at=NOW,
        )
    )  # fmt: skip


async def _feedback(
    work: UnitOfWork, world: World, tier: int, scale: str, options: list[str], answers: list[int], not_answered: int
) -> None:
    form = FeedbackForm(
        tenant_id=work.tenant_id, id=new_id(), title=scale, source_key=scale, tier_id=world.tiers[tier], invited=150,
        created_at=NOW,
    )  # fmt: skip
    work.add(form)
    await work.session.flush()
    question = FeedbackQuestion(
        tenant_id=work.tenant_id, id=new_id(), form_id=form.id, position=1, text="?", key="q", scale=scale,
        options=options,
    )  # fmt: skip
    work.add(question)
    await work.session.flush()
    at = datetime.combine(date(2026, 9, 16), time(12), UTC)
    given = [(new_id(), new_id(), answer) for answer in [*answers, *([None] * not_answered)]]
    await work.insert_rows(
        FeedbackResponse,
        ("id", "form_id", "respondent_key", "submitted_at"),
        [(response, form.id, str(response), at) for response, _, _ in given],
    )
    await work.insert_rows(
        FeedbackAnswer,
        ("id", "response_id", "question_id", "option_number"),
        [(row, response, question.id, None if told is None else told + 1) for response, row, told in given],
    )


async def made(installation: Installation, kind: str, **others: Any) -> UUID:
    """A report asked for and built by the worker."""
    reports.register_handlers()
    webhooks.register_handlers()
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        snapshot_id = await request_report(work, Wanted(kind, others.pop("period", YEAR), **others))
    await work_off(installation)
    return snapshot_id


async def opened(installation: Installation, snapshot_id: UUID) -> Opened:
    """A built report."""
    async with installation.database.session(installation.context(installation.north)) as session:
        snapshot = await session.get_one(ReportSnapshot, (installation.north, snapshot_id))
        assert snapshot.state == "ready", snapshot.error
        found = await open_report(session, snapshot)
    assert found is not None
    return found


def figures(found: Opened) -> dict[str, Any]:
    """All figures by key: value, numerator and denominator."""
    return {
        figure.key: (figure.value, figure.numerator, figure.denominator)
        for section in found.report.sections
        for figure in section.figures
    }
