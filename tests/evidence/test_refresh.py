"""The monthly series of figures, against rows whose figures were counted by hand."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.directory.models import CqcLocation, Learner, TenantLocation
from app.evidence.figures import Period
from app.evidence.models import TenantMetric
from app.evidence.operations import months_up_to, refresh_figures
from app.training.models import (
    Attendance,
    Completion,
    Course,
    FeedbackAnswer,
    FeedbackForm,
    FeedbackQuestion,
    FeedbackResponse,
    MedicationChampion,
    Tier,
    TrainingProvider,
    TrainingSession,
)
from tenants import delivery
from tenants.audit import Action, AuditEvent
from tenants.context import PlatformContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.outbox import Pool, Topic
from tenants.session import Database, UnitOfWork
from tests.support import NOW, Installation
from workers import evidence
from workers.handlers import deliver

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
Parts = tuple[int, int | None]


def test_months_end_with_the_current_one() -> None:
    assert months_up_to(date(2026, 1, 31), 3) == [
        Period(date(2025, 11, 1), date(2025, 11, 30)),
        Period(date(2025, 12, 1), date(2025, 12, 31)),
        Period(date(2026, 1, 1), date(2026, 1, 31)),
    ]
    assert months_up_to(date(2028, 2, 1), 1) == [Period(date(2028, 2, 1), date(2028, 2, 29))]


class Scene:
    """Writes rows of one tenant with few words."""

    def __init__(self, work: UnitOfWork, tiers: list[UUID]) -> None:
        self.work = work
        self.tiers = tiers
        self.tenant = work.tenant_id

    async def learners(self, count: int) -> list[UUID]:
        """Learners."""
        made = [
            Learner(tenant_id=self.tenant, id=new_id(), display_name="A", name_key="a", created_at=NOW)
            for _ in range(count)
        ]
        self.work.add(*made)
        await self.work.session.flush()
        return [learner.id for learner in made]

    async def course(self, tier_id: UUID | None) -> UUID:
        """A course of a training provider of its own."""
        provider = TrainingProvider(tenant_id=self.tenant, id=new_id(), name="P", key=str(new_id()))
        self.work.add(provider)
        await self.work.session.flush()
        course = Course(
            tenant_id=self.tenant,
            id=new_id(),
            training_provider_id=provider.id,
            title="T",
            title_key="t",
            version="1",
            tier_id=tier_id,
            created_at=NOW,
        )
        self.work.add(course)
        await self.work.session.flush()
        return course.id

    def completed(self, learner_id: UUID, course_id: UUID, at: datetime) -> None:
        """A completion."""
        self.work.add(
            Completion(
                tenant_id=self.tenant,
                id=new_id(),
                learner_id=learner_id,
                course_id=course_id,
                completed_at=at,
                source="test",
                short_duration=False,
                created_at=NOW,
            )
        )

    async def webinar(self, tier_id: UUID, at: datetime, attended: dict[UUID, bool]) -> None:
        """A session with its attendances: learner to whether the attendance qualifies."""
        session = TrainingSession(
            tenant_id=self.tenant,
            id=new_id(),
            title="W",
            tier_id=tier_id,
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            online_mode="webinar",
            external_key=str(new_id()),
            created_at=NOW,
        )
        self.work.add(session)
        await self.work.session.flush()
        for learner_id, qualifies in attended.items():
            self.work.add(
                Attendance(
                    tenant_id=self.tenant,
                    id=new_id(),
                    session_id=session.id,
                    learner_id=learner_id,
                    seconds=3600 if qualifies else 60,
                    qualifies=qualifies,
                    decided_because="minutes",
                    updated_at=NOW,
                )
            )

    def champion(
        self, learner_id: UUID, key: str, trained: date | None, started: date | None = None, ended: date | None = None
    ) -> None:
        """A champion's role."""
        self.work.add(
            MedicationChampion(
                tenant_id=self.tenant,
                id=new_id(),
                learner_id=learner_id,
                location_key=key,
                trained_on=trained,
                started_on=started,
                ended_on=ended,
                deputy=False,
                created_at=NOW,
            )
        )

    async def feedback(self, tier_id: UUID, scale: str, answers: list[tuple[datetime, int | None]]) -> None:
        """A form with one question of four options, and its answers; null was left open."""
        form = FeedbackForm(
            tenant_id=self.tenant, id=new_id(), title="F", source_key=scale, tier_id=tier_id, created_at=NOW
        )
        self.work.add(form)
        await self.work.session.flush()
        question = FeedbackQuestion(
            tenant_id=self.tenant,
            id=new_id(),
            form_id=form.id,
            position=1,
            text="?",
            key="q",
            scale=scale,
            options=["not", "a little", "very", "extremely"],
        )
        self.work.add(question)
        await self.work.session.flush()
        for at, option in answers:
            response = FeedbackResponse(
                tenant_id=self.tenant, id=new_id(), form_id=form.id, respondent_key=str(new_id()), submitted_at=at
            )
            self.work.add(response)
            await self.work.session.flush()
            answer = FeedbackAnswer(
                tenant_id=self.tenant,
                id=new_id(),
                response_id=response.id,
                question_id=question.id,
                option_number=option,
            )
            self.work.add(answer)

    def location(self, location_id: str, since: date, relationship: str = "in_area") -> None:
        """The tenant's relation to a CQC location."""
        self.work.add(
            TenantLocation(
                tenant_id=self.tenant,
                id=new_id(),
                location_id=location_id,
                relationship=relationship,
                since=since,
                created_at=NOW,
            )
        )


async def _cqc_locations(installation: Installation) -> None:
    owner = Database(create_engine(installation.urls.owner), installation.clock)
    try:
        async with owner.unit_of_work(PlatformContext("test")) as work:
            for number in range(1, 7):
                work.add(
                    CqcLocation(
                        id=f"1-{number}",
                        original_id=f"1-{number}",
                        name="Home",
                        service_types=[],
                        user_bands=[],
                        regulated_activities=[],
                        dormant=number == 2,
                        primary_location_id={3: "1-1", 1: "1-1"}.get(number),
                        updated_at=NOW,
                    )
                )
    finally:
        await owner.dispose()


async def _write_rows(installation: Installation) -> UUID:
    """The rows of tenant north; gives a tier 1 course and adds some of the kinds to south that must not count."""
    await _cqc_locations(installation)
    first_course = None
    for tenant_id in (installation.south, installation.north):
        async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
            tiers = list((await work.session.scalars(select(Tier.id).order_by(Tier.position))).all())
            scene = Scene(work, tiers)
            one, two, three = await scene.learners(3)
            first_course, other = await scene.course(tiers[0]), await scene.course(tiers[0])
            unplaced, tier_2 = await scene.course(None), await scene.course(tiers[1])
            scene.completed(one, first_course, datetime(2026, 11, 1, 0, 0, tzinfo=UTC))
            if tenant_id == installation.south:
                continue
            # November: two completions of one learner; what is not tier 1 is left out.
            scene.completed(one, other, datetime(2026, 11, 10, 9, tzinfo=UTC))
            scene.completed(two, unplaced, datetime(2026, 11, 10, 9, tzinfo=UTC))
            scene.completed(two, tier_2, datetime(2026, 11, 10, 9, tzinfo=UTC))
            # October begins at 23:00 UTC in summer time and ends at midnight in winter time.
            scene.completed(two, first_course, datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
            scene.completed(three, first_course, datetime(2026, 9, 30, 23, 0, tzinfo=UTC))
            scene.completed(three, other, datetime(2026, 9, 30, 22, 59, 59, tzinfo=UTC))
            await scene.webinar(tiers[1], datetime(2026, 10, 15, 9, tzinfo=UTC), {one: True, two: True, three: False})
            await scene.webinar(tiers[1], datetime(2026, 10, 20, 9, tzinfo=UTC), {one: True})
            await scene.webinar(tiers[2], datetime(2026, 10, 21, 9, tzinfo=UTC), {three: True})
            scene.champion(one, "a", date(2026, 10, 5), date(2026, 10, 6))
            scene.champion(one, "b", date(2026, 10, 5), date(2026, 10, 6))
            scene.champion(two, "a", date(2026, 9, 1), None, date(2026, 10, 15))
            scene.champion(three, "a", None)
            # In October 1-1 counts; 1-2 is dormant, 1-3 is registered twice, 1-4 is a former one, 1-5 comes later.
            for number, since in enumerate((*[date(2020, 1, 1)] * 4, date(2026, 11, 1)), 1):
                scene.location(f"1-{number}", since, "former" if number == 4 else "in_area")
            october, november = datetime(2026, 10, 16, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
            await scene.feedback(
                tiers[1], "usefulness", [(october, 4), (october, 4), (october, 3), (october, None), (november, 1)]
            )
            await scene.feedback(tiers[2], "agreement", [(november, 4)])
    assert first_course is not None
    return first_course


# code: (September, October, November), each numerator and denominator
BY_HAND: dict[str, tuple[Parts, Parts, Parts]] = {
    "IMP-01": ((1, None), (2, None), (2, None)),
    "IMP-02": ((1, None), (2, None), (1, None)),
    "IMP-03": ((0, None), (3, None), (0, None)),
    "IMP-04": ((0, None), (2, None), (0, None)),
    "IMP-05": ((1, None), (1, None), (0, None)),
    "IMP-06": ((1, None), (1, None), (1, None)),
    "IMP-07": ((1, 1), (1, 1), (1, 2)),
    "IMP-08": ((0, 0), (2, 3), (0, 1)),
    "IMP-09": ((0, 0), (0, 0), (1, 1)),
}


async def _series(installation: Installation, tenant_id: UUID) -> dict[tuple[str, date], TenantMetric]:
    async with installation.database.unit_of_work(installation.context(tenant_id)) as work:
        points = (await work.session.scalars(select(TenantMetric))).all()
    return {(point.metric_code, point.period_start): point for point in points}


async def test_each_figure_of_each_month_is_as_counted_by_hand(installation: Installation) -> None:
    await _write_rows(installation)
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await refresh_figures(work) == 24 * len(BY_HAND)
        told = work.context.request_id
    series = await _series(installation, installation.north)
    assert len(series) == 24 * len(BY_HAND)
    found = {
        code: tuple(
            (series[code, month].numerator, series[code, month].denominator) for month in (SEPTEMBER, OCTOBER, NOVEMBER)
        )
        for code in BY_HAND
    }
    assert found == BY_HAND
    assert {point.computed_at for point in series.values()} == {NOW}
    assert min(month for _, month in series) == date(2024, 12, 1)
    assert await _series(installation, installation.south) == {}
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        event = (await work.session.scalars(select(AuditEvent).where(AuditEvent.request_id == told))).one()
    assert event.action == Action.FIGURES_REFRESHED
    assert event.after == {"months": 24, "figures": 24 * len(BY_HAND)}


async def test_a_second_refresh_corrects_the_same_rows(installation: Installation) -> None:
    course_id = await _write_rows(installation)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        await refresh_figures(work)
    before = await _series(installation, installation.north)
    installation.clock.move(timedelta(hours=1))
    async with installation.database.unit_of_work(context) as work:
        scene = Scene(work, [])
        (learner,) = await scene.learners(1)
        scene.completed(learner, course_id, datetime(2026, 10, 10, tzinfo=UTC))
    async with installation.database.unit_of_work(context) as work:
        await refresh_figures(work)
    after = await _series(installation, installation.north)
    assert {key: point.id for key, point in after.items()} == {key: point.id for key, point in before.items()}
    changed = {key for key, point in after.items() if point.numerator != before[key].numerator}
    assert changed == {("IMP-01", OCTOBER), ("IMP-02", OCTOBER)}
    assert {point.computed_at for point in after.values()} == {NOW + timedelta(hours=1)}


@pytest.mark.parametrize("times", [1, 3])
async def test_the_nightly_message_refreshes_once(installation: Installation, times: int) -> None:
    evidence.register_handlers()
    await _write_rows(installation)
    context = installation.context(installation.north)
    async with installation.database.unit_of_work(context) as work:
        work.emit(Topic.FIGURES_REFRESH, "test")
    async with installation.database.unit_of_work(context) as work:
        (claim,) = await delivery.visit(work, dict.fromkeys(Pool, 1), timedelta(minutes=1))
    for _ in range(times):
        await deliver(installation.services, installation.north, claim)
    series = await _series(installation, installation.north)
    assert (series["IMP-01", OCTOBER].numerator, series["IMP-08", OCTOBER].denominator) == (2, 3)
    async with installation.database.unit_of_work(context) as work:
        refreshes = select(func.count()).where(AuditEvent.action == Action.FIGURES_REFRESHED)
        assert (await work.session.scalars(refreshes)).one() == 1
