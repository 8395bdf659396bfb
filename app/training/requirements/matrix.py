"""The requirement matrix, what courses cover, and who does what where. Rows of the matrix add up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import delete, or_, select

from app.directory.models import SETTINGS, Employer, Employment, JobRole
from app.training.errors import TrainingRefusal
from app.training.models import Course, Programme, Tier
from app.training.requirements import standing
from app.training.requirements.finding import row_of, same_version, standing_learner
from app.training.requirements.models import CourseTopic, EmploymentTask, LearnerStanding, Requirement
from app.training.requirements.rules import TASKS
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

LONGEST_TOPIC_CODE = 40


@dataclass(frozen=True, slots=True)
class NewRequirement:
    """Who (None: whichever) needs which topic or which tier."""

    job_role_code: int | None = None
    setting: str | None = None
    task: str | None = None
    topic_code: str | None = None
    tier_id: UUID | None = None


async def add_requirement(work: UnitOfWork, programme_id: UUID, version: int, wanted: NewRequirement) -> UUID:
    """A row of the matrix. `version` is the programme's.

    Raises TrainingRefusal `NO_SUCH_PROGRAMME`, `CHANGED_MEANWHILE`, `NEEDS_NOTHING`, `NO_SUCH_TIER`,
    `NO_SUCH_JOB_ROLE`, `NO_SUCH_SETTING`, `NO_SUCH_TASK` or `REQUIRED_ALREADY`.
    """
    programme = await row_of(work, Programme, programme_id, "NO_SUCH_PROGRAMME", "programme", "programmeId")
    same_version(version, programme.version, "programme")
    topic = (wanted.topic_code or "").strip().upper() or None
    if (topic is None) == (wanted.tier_id is None) or len(topic or "") > LONGEST_TOPIC_CODE:
        raise TrainingRefusal("NEEDS_NOTHING", "Say either which topic or which tier is needed.", "topicCode")
    if wanted.tier_id is not None:
        tier = await row_of(work, Tier, wanted.tier_id, "NO_SUCH_TIER", "tier", "tierId")
        if tier.programme_id != programme_id:
            raise TrainingRefusal("NO_SUCH_TIER", "That tier is another programme's. Choose one of this.", "tierId")
    await check_role(work, wanted.job_role_code)
    check_word(wanted.setting, SETTINGS, "NO_SUCH_SETTING", "setting")
    check_word(wanted.task, TASKS, "NO_SUCH_TASK", "task")
    same = {
        (row.job_role_code, row.setting, row.task, row.topic_code, row.tier_id)
        for row in await work.session.scalars(select(Requirement).where(Requirement.programme_id == programme_id))
    }
    if (wanted.job_role_code, wanted.setting, wanted.task, topic, wanted.tier_id) in same:
        raise TrainingRefusal("REQUIRED_ALREADY", "The matrix has that row already. Nothing was changed.")
    requirement = Requirement(
        tenant_id=work.tenant_id,
        id=new_id(),
        programme_id=programme_id,
        job_role_code=wanted.job_role_code,
        setting=wanted.setting,
        task=wanted.task,
        topic_code=topic,
        tier_id=wanted.tier_id,
        created_at=work.now,
    )
    work.add(requirement)
    programme.version += 1
    work.record(
        Action.REQUIREMENTS_CHANGED,
        "requirement",
        requirement.id,
        after={
            "job_role": wanted.job_role_code,
            "setting": wanted.setting,
            "task": wanted.task,
            "topic": topic,
            "tier": None if wanted.tier_id is None else str(wanted.tier_id),
        },
    )
    standing.request_all(work, f"requirement:{requirement.id}:added")
    return requirement.id


async def remove_requirement(work: UnitOfWork, requirement_id: UUID) -> UUID:
    """Take a row out of the matrix, and what stood by it; gives the programme. Raises `NO_SUCH_REQUIREMENT`."""
    requirement = await row_of(work, Requirement, requirement_id, "NO_SUCH_REQUIREMENT", "requirement", "id")
    programme_id = requirement.programme_id
    programme = await work.session.get_one(Programme, (work.tenant_id, programme_id), with_for_update=True)
    programme.version += 1
    await work.session.execute(delete(LearnerStanding).where(LearnerStanding.requirement_id == requirement_id))
    await work.session.delete(requirement)
    await work.session.flush()
    work.record(
        Action.REQUIREMENTS_CHANGED, "requirement", requirement_id, before={"there": True}, after={"there": False}
    )
    return programme_id


async def check_role(work: UnitOfWork, code: int | None, field: str = "jobRoleCode") -> None:
    """Raises TrainingRefusal `NO_SUCH_JOB_ROLE` unless the code is one, or None."""
    if code is not None and await work.session.get(JobRole, code) is None:
        raise TrainingRefusal("NO_SUCH_JOB_ROLE", "There is no job role with that code. Look at the list.", field)


def check_word(word: str | None, known: Collection[str], code: str, field: str) -> None:
    """Raises TrainingRefusal with `code` unless the word is known, or None."""
    if word is not None and word not in known:
        raise TrainingRefusal(code, f"Choose among {', '.join(known)}.", field)


async def set_course_topics(work: UnitOfWork, course_id: UUID, topic_codes: Collection[str]) -> None:
    """Say which topics a course covers; its completion meets their requirements. Raises `NO_SUCH_COURSE`."""
    await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "courseId")
    wanted = {code.strip().upper() for code in topic_codes if code.strip()}
    present = set(await work.session.scalars(select(CourseTopic.topic_code).where(CourseTopic.course_id == course_id)))
    gone = delete(CourseTopic).where(
        CourseTopic.course_id == course_id, among(CourseTopic.topic_code, present - wanted)
    )
    await work.session.execute(gone)
    added = sorted(wanted - present)
    work.add(*(_covers(work, course_id, code) for code in added))
    if added or present - wanted:
        after = {"course": str(course_id), "topics": sorted(wanted)}
        work.record(Action.REQUIREMENTS_CHANGED, "course", course_id, before={"topics": sorted(present)}, after=after)
        standing.request_all(work, f"topics:{course_id}:{work.context.request_id}")


def _covers(work: UnitOfWork, course_id: UUID, code: str) -> CourseTopic:
    return CourseTopic(tenant_id=work.tenant_id, id=new_id(), course_id=course_id, topic_code=code)


@dataclass(frozen=True, slots=True)
class Post:
    """What an employment shall be: job role, setting, end, and the tasks done for its employer."""

    job_role_code: int | None
    setting: str | None
    ended_on: date | None
    tasks: Collection[str]


async def change_employment(work: UnitOfWork, employment_id: UUID, wanted: Post) -> standing.Changes:
    """Change somebody's role, setting, tasks or last day; their standing is computed at once, and what is newly
    missing is told. Raises TrainingRefusal `NO_SUCH_EMPLOYMENT`, `ENDS_BEFORE_START` and those of `add_requirement`.
    """
    employment = await row_of(work, Employment, employment_id, "NO_SUCH_EMPLOYMENT", "employment", "id")
    await check_role(work, wanted.job_role_code)
    check_word(wanted.setting, SETTINGS, "NO_SUCH_SETTING", "setting")
    for task in wanted.tasks:
        check_word(task, TASKS, "NO_SUCH_TASK", "tasks")
    if wanted.ended_on is not None and wanted.ended_on < employment.started_on:
        raise TrainingRefusal("ENDS_BEFORE_START", "The last day cannot be before the first.", "endedOn")
    learner_id = await standing_learner(work, employment.learner_id)
    before = await _told(work, employment)
    employment.job_role_code, employment.setting = wanted.job_role_code, wanted.setting
    employment.ended_on = wanted.ended_on
    await _set_tasks(work, learner_id, employment.employer_id, set(wanted.tasks))
    after = await _told(work, employment)
    work.record(Action.EMPLOYMENT_CHANGED, "employment", employment_id, before=before, after=after)
    work.emit(Topic.CHAMPIONS_END, f"employment:{employment_id}:{work.context.request_id}")
    return await standing.compute(work, [learner_id])


async def begin_employment(
    work: UnitOfWork, learner_id: UUID, employer_id: UUID, started_on: date, wanted: Post
) -> tuple[UUID, standing.Changes]:
    """A learner starts with an employer, beside those that they have. Raises as `change_employment`, and
    `NO_SUCH_LEARNER`, `NO_SUCH_EMPLOYER` or `EMPLOYED_ALREADY`.
    """
    learner_id = await standing_learner(work, learner_id)
    await row_of(work, Employer, employer_id, "NO_SUCH_EMPLOYER", "employer", "employerId")
    same = select(Employment.id).where(
        Employment.learner_id == learner_id,
        Employment.employer_id == employer_id,
        or_(Employment.ended_on.is_(None), Employment.started_on == started_on),
    )
    if (await work.session.scalars(same)).first() is not None:
        raise TrainingRefusal(
            "EMPLOYED_ALREADY", "The learner works there already. Change that employment.", "employerId"
        )
    employment = Employment(
        tenant_id=work.tenant_id,
        id=new_id(),
        learner_id=learner_id,
        employer_id=employer_id,
        job_role_code=None,
        job_title=None,
        setting=None,
        started_on=started_on,
        ended_on=None,
        created_at=work.now,
    )
    work.add(employment)
    await work.session.flush()
    return employment.id, await change_employment(work, employment.id, wanted)


async def _set_tasks(work: UnitOfWork, learner_id: UUID, employer_id: UUID, wanted: set[str]) -> None:
    rows = await work.session.scalars(
        select(EmploymentTask).where(EmploymentTask.learner_id == learner_id, EmploymentTask.employer_id == employer_id)
    )
    present = {row.task: row for row in rows}
    for task in sorted(present.keys() - wanted):
        await work.session.delete(present[task])
    work.add(
        *(
            EmploymentTask(
                tenant_id=work.tenant_id,
                id=new_id(),
                learner_id=learner_id,
                employer_id=employer_id,
                task=task,
                created_at=work.now,
            )
            for task in sorted(wanted - present.keys())
        )
    )
    await work.session.flush()


async def _told(work: UnitOfWork, employment: Employment) -> dict[str, object]:
    tasks = await work.session.scalars(
        select(EmploymentTask.task).where(
            EmploymentTask.learner_id == employment.learner_id, EmploymentTask.employer_id == employment.employer_id
        )
    )
    return {
        "job_role": employment.job_role_code,
        "setting": employment.setting,
        "ended_on": None if employment.ended_on is None else employment.ended_on.isoformat(),
        "tasks": sorted(tasks),
    }
