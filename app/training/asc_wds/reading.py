"""The rows of a training file: who works for the employers today, and what they learned while they did."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from app.directory.models import Employer, Employment, Learner
from app.directory.names import name_key
from app.training.asc_wds.models import (
    AscWdsCourse,
    AscWdsTopic,
    AscWdsTrainingProvider,
    AscWdsWorker,
    AscWdsWorkplace,
    TrainingCategory,
)
from app.training.asc_wds.operations import settings_here
from app.training.asc_wds.rules import EXTERNAL, OTHER_PROVIDER, Finding, TrainingRow, category_of, check, how_delivered
from app.training.mapping.models import CourseAccreditation
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements.models import CourseTopic
from app.training.requirements.rules import Spell, visible_to_employer
from tenants.base import among
from tenants.clock import london_date
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works for an employer today, with the id there, if it is known."""

    learner_id: UUID
    name: str
    employer_id: UUID
    worker_id: str


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A worker of the provider's file of whom nobody has said who it is; `likely`: the one colleague of that name."""

    id: UUID
    employer_id: UUID
    unique_id: str
    display_id: str | None
    likely: UUID | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A file before it is made. `people` and `rows` stand side by side."""

    rows: Sequence[TrainingRow]
    people: Sequence[Colleague]
    findings: Sequence[Finding]

    def without_errors(self) -> list[TrainingRow]:
        """The rows that the service would take."""
        wrong = {found.line for found in self.findings if found.is_error}
        return [row for line, row in enumerate(self.rows, 2) if line not in wrong]


@dataclass(frozen=True, slots=True)
class _Learned:
    """Something learned, as the file tells of it."""

    learner_id: UUID
    on: date
    name: str
    category: int
    accredited: bool
    who: int
    provider_code: int
    how: int | None
    months: int | None


async def preview(work: UnitOfWork, employers: Collection[UUID], since: date | None = None) -> Preview:
    """All that the employers may have of their own staff, from a day on if one is named, with what is wrong with it."""
    today = london_date(work.now)
    staff = await colleagues(work, employers)
    spells = await _spells(work, employers)
    places = await local_ids(work, employers)
    learned = await _learned(work, {person.learner_id for person in staff})
    told = [
        (person, one)
        for person in staff
        for one in learned[person.learner_id]
        if visible_to_employer(one.on, spells[person.learner_id], person.employer_id) and (not since or one.on >= since)
    ]
    rows: dict[tuple[TrainingRow, UUID], Colleague] = {}
    for person, one in sorted(
        told, key=lambda pair: (places.get(pair[0].employer_id, ""), pair[0].worker_id, pair[1].on, pair[1].name)
    ):
        row = TrainingRow(
            places.get(person.employer_id, ""), person.worker_id, one.category, one.name, one.accredited, one.who,
            one.provider_code, one.how, one.months, one.on,
        )  # fmt: skip
        rows.setdefault((row, person.learner_id), person)
    made = [row for row, _ in rows]
    categories = {row.code: row.label for row in await work.session.scalars(select(TrainingCategory))}
    return Preview(made, list(rows.values()), check(made, today, categories))


async def local_ids(work: UnitOfWork, employers: Collection[UUID]) -> dict[UUID, str]:
    """LOCALESTID of each employer that has one."""
    rows = await work.session.execute(
        select(AscWdsWorkplace.employer_id, AscWdsWorkplace.local_id).where(
            among(AscWdsWorkplace.employer_id, employers)
        )
    )
    return dict(rows.all())


async def colleagues(work: UnitOfWork, employers: Collection[UUID]) -> list[Colleague]:
    """Who works for the employers today, by name."""
    today = london_date(work.now)
    rows = await work.session.execute(
        select(Learner.id, Learner.display_name, Employment.employer_id, AscWdsWorker.unique_id, Learner.name_key)
        .join(Employment, and_(Employment.tenant_id == Learner.tenant_id, Employment.learner_id == Learner.id))
        .outerjoin(
            AscWdsWorker,
            and_(
                AscWdsWorker.tenant_id == Employment.tenant_id,
                AscWdsWorker.learner_id == Employment.learner_id,
                AscWdsWorker.employer_id == Employment.employer_id,
            ),
        )
        .where(
            among(Employment.employer_id, employers),
            Learner.merged_into_id.is_(None),
            Employment.started_on <= today,
            or_(Employment.ended_on.is_(None), Employment.ended_on >= today),
        )
        .order_by(Learner.name_key, Learner.id, Employment.employer_id)
        .distinct()
    )
    return [Colleague(learner_id, name, employer_id, unique or "") for learner_id, name, employer_id, unique, _ in rows]


async def unnamed(work: UnitOfWork, employers: Collection[UUID]) -> list[Unnamed]:
    """Workers of files of whom nobody has said who they are, by employer and id."""
    by_name: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for person in await colleagues(work, employers):
        if not person.worker_id:
            by_name[person.employer_id, name_key(person.name)].append(person.learner_id)
    rows = await work.session.execute(
        select(AscWdsWorker)
        .join(Employer, and_(Employer.tenant_id == AscWdsWorker.tenant_id, Employer.id == AscWdsWorker.employer_id))
        .where(among(AscWdsWorker.employer_id, employers), AscWdsWorker.learner_id.is_(None))
        .order_by(Employer.name, AscWdsWorker.employer_id, AscWdsWorker.unique_id)
    )
    found = []
    for row in rows.scalars():
        alike = by_name[row.employer_id, name_key(row.display_id or "")] if row.display_id else []
        likely = alike[0] if len(alike) == 1 else None
        found.append(Unnamed(row.id, row.employer_id, row.unique_id, row.display_id, likely))
    return found


async def _spells(work: UnitOfWork, employers: Collection[UUID]) -> dict[UUID, list[Spell]]:
    found: dict[UUID, list[Spell]] = defaultdict(list)
    rows = await work.session.execute(
        select(Employment.learner_id, Employment.employer_id, Employment.started_on, Employment.ended_on).where(
            among(Employment.employer_id, employers)
        )
    )
    for learner_id, employer_id, started_on, ended_on in rows:
        found[learner_id].append(Spell(employer_id, started_on, ended_on))
    return found


async def _learned(work: UnitOfWork, learners: Collection[UUID]) -> dict[UUID, list[_Learned]]:
    settings = await settings_here(work)
    found: dict[UUID, list[_Learned]] = defaultdict(list)
    rows = await work.session.execute(
        select(Completion.learner_id, Completion.completed_at, Course, Tier.validity_months)
        .join(Course, and_(Course.tenant_id == Completion.tenant_id, Course.id == Completion.course_id))
        .outerjoin(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
        .where(among(Completion.learner_id, learners))
    )
    completed = [(learner_id, london_date(at), course, months) for learner_id, at, course, months in rows]
    courses = await _Courses.load(work, {course.id for _, _, course, _ in completed})
    for learner_id, on, course, months in completed:
        who, code = courses.providers.get(course.training_provider_id, (EXTERNAL, OTHER_PROVIDER))
        found[learner_id].append(
            _Learned(
                learner_id, on, course.title, category_of(courses.own.get(course.id), courses.topics[course.id]),
                any(first <= on and (last is None or on <= last) for first, last in courses.accredited[course.id]),
                who, code, how_delivered(course.delivery_mode, settings.webinar_how), months,
            )
        )  # fmt: skip
    attended = await work.session.execute(
        select(Attendance.learner_id, TrainingSession, Tier.validity_months)
        .join(
            TrainingSession,
            and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
        )
        .outerjoin(Tier, and_(Tier.tenant_id == TrainingSession.tenant_id, Tier.id == TrainingSession.tier_id))
        .where(
            among(Attendance.learner_id, learners),
            Attendance.qualifies,
            TrainingSession.kind != "forum",
            TrainingSession.state != "cancelled",
            TrainingSession.ends_at <= work.now,
        )
    )
    for learner_id, session, months in attended:
        mode = "face_to_face" if session.online_mode == "none" else "webinar"
        found[learner_id].append(
            _Learned(
                learner_id, london_date(session.ends_at), session.title, category_of(None, ()), False, EXTERNAL,
                settings.session_code, how_delivered(mode, settings.webinar_how), months,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class _Courses:
    """What is said of courses: categories of their own and of their topics, accreditation, training providers."""

    own: dict[UUID, int]
    topics: dict[UUID, list[int]]
    accredited: dict[UUID, list[tuple[date, date | None]]]
    providers: dict[UUID, tuple[int, int]]

    @classmethod
    async def load(cls, work: UnitOfWork, courses: Collection[UUID]) -> "_Courses":
        topics: dict[UUID, list[int]] = defaultdict(list)
        accredited: dict[UUID, list[tuple[date, date | None]]] = defaultdict(list)
        read: Any = work.session.execute
        own = await read(
            select(AscWdsCourse.course_id, AscWdsCourse.category_code).where(among(AscWdsCourse.course_id, courses))
        )
        covered = await read(
            select(CourseTopic.course_id, AscWdsTopic.category_code)
            .join(
                AscWdsTopic,
                and_(AscWdsTopic.tenant_id == CourseTopic.tenant_id, AscWdsTopic.topic_code == CourseTopic.topic_code),
            )
            .where(among(CourseTopic.course_id, courses))
        )
        for course_id, code in covered:
            topics[course_id].append(code)
        vouched = await read(
            select(CourseAccreditation.course_id, CourseAccreditation.valid_from, CourseAccreditation.valid_to).where(
                among(CourseAccreditation.course_id, courses)
            )
        )
        for course_id, first, last in vouched:
            accredited[course_id].append((first, last))
        providers = await work.session.scalars(select(AscWdsTrainingProvider))
        codes = {row.training_provider_id: (row.who_delivered, row.provider_code) for row in providers}
        return cls(dict(own.all()), topics, accredited, codes)
