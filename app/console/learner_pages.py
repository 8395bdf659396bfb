"""Forms about one learner: an employment begun or changed, and progress with a course corrected."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.mapping_matrix import course_name, named_courses
from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table
from app.console.training_forms import Invalid, day, needed_day, needed_key, number, tried, typed
from app.directory.models import Employer, Employment, JobRole, Learner
from app.identity.permissions import Permission
from app.training.models import Course
from app.training.requirements import matrix
from app.training.requirements.models import EmploymentTask
from app.training.requirements.progress import correct_progress
from app.training.requirements.standing import Changes
from tenants.session import UnitOfWork

POST_FIELDS = ("job_role_code", "setting", "ended_on")
BEGIN_FIELDS = ("employer_id", "started_on", *POST_FIELDS)
PROGRESS_FIELDS = ("course_id", "state", "reason")


def page_of(request: Request) -> str:
    """Where the learner's standing is."""
    return f"/console/standing/learners/{request.path_params['learner_id']}"


async def learner_here(request: Request, session: AsyncSession) -> str:
    """What the learner is called here, or a page that says that there is none."""
    principal = principal_here(request)
    learner = await session.get(Learner, (principal.tenant_id, request.path_params["learner_id"]))
    if learner is None:
        raise HTTPException(404)
    return words.learner_name(principal, learner.display_name, learner.id)


async def employments_of(session: AsyncSession, learner_id: UUID) -> list[tuple[UUID, list[Any]]]:
    """Where the learner works and worked: ids with employer, job role, setting, tasks, first and last day."""
    tasks: dict[UUID, list[str]] = {}
    for row in await session.scalars(
        select(EmploymentTask).where(EmploymentTask.learner_id == learner_id).order_by(EmploymentTask.task)
    ):
        tasks.setdefault(row.employer_id, []).append(words.TASKS[row.task])
    rows = await session.execute(
        select(Employment, Employer.name, JobRole.label)
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .outerjoin(JobRole, JobRole.code == Employment.job_role_code)
        .where(Employment.learner_id == learner_id)
        .order_by(Employment.ended_on.desc().nulls_first(), Employment.started_on.desc(), Employment.id)
    )
    return [
        (
            one.id,
            [
                employer,
                role or one.job_title,
                words.SETTINGS.get(one.setting or ""),
                tasks.get(one.employer_id, []),
                one.started_on,
                one.ended_on,
            ],
        )
        for one, employer, role in rows
    ]


def _post(form: Form) -> matrix.Post:
    """What the form says of an employment. Raises Invalid."""
    return matrix.Post(
        number(form, "job_role_code"), form.text("setting") or None, day(form, "ended_on"), form.texts("tasks")
    )


async def _post_fields(session: AsyncSession) -> list[Field]:
    roles = await session.execute(select(JobRole.code, JobRole.label).order_by(JobRole.label))
    return [
        Field("choice", "job_role_code", "Job role", options=[(row.code, row.label) for row in roles], any="Not known"),
        Field(
            "choice", "setting", "Setting", options=list(words.SETTINGS.items()), any="As the employer’s CQC location"
        ),
        Field("many", "tasks", "What they do with medicines there", options=list(words.TASKS.items())),
        Field("date", "ended_on", "Last day (optional)", "Leave it empty while they work there."),
    ]


def _told(changes: Changes) -> str:
    return "employment-changed-missing" if changes.newly_missing else "employment-changed"


async def employment_begin(request: Request) -> Response:
    """Another employment of the learner."""
    form = await form_of(request) if request.method == "POST" else None
    problem = None
    if form is not None:

        async def change(work: UnitOfWork) -> Changes:
            _, changes = await matrix.begin_employment(
                work,
                request.path_params["learner_id"],
                needed_key(form, "employer_id", "the employer"),
                needed_day(form, "started_on", "the first day"),
                _post(form),
            )
            return changes

        done = await tried(request, BEGIN_FIELDS, change)
        if isinstance(done, Changes):
            return redirect(page_of(request), done=_told(done))
        problem = done
    async with tenant_reads(request) as session:
        name = await learner_here(request, session)
        employers = await session.execute(select(Employer.id, Employer.name).order_by(Employer.name, Employer.id))
        fields = [
            Field("choice", "employer_id", "Employer", options=[(row.id, row.name) for row in employers]),
            Field("date", "started_on", "First day"),
            *await _post_fields(session),
        ]
    path = f"{page_of(request)}/employments/begin"
    return learner_form(
        request, name, "Add an employment", ShortForm(path, "Add it", fields), problem, _sent(form, BEGIN_FIELDS)
    )


async def employment_change(request: Request) -> Response:
    """Change the job role, the setting, the tasks or the last day."""
    employment_id = request.path_params["employment_id"]
    async with tenant_reads(request) as session:
        name = await learner_here(request, session)
        row = await session.get(Employment, (principal_here(request).tenant_id, employment_id))
        if row is None or row.learner_id != request.path_params["learner_id"]:
            raise HTTPException(404)
        employer = await session.get_one(Employer, (row.tenant_id, row.employer_id))
        tasks = await session.scalars(
            select(EmploymentTask.task).where(
                EmploymentTask.learner_id == row.learner_id, EmploymentTask.employer_id == row.employer_id
            )
        )
        values: dict[str, Any] = {
            "job_role_code": row.job_role_code,
            "setting": row.setting,
            "ended_on": row.ended_on.isoformat() if row.ended_on else "",
            "tasks": list(tasks),
        }
        fields = await _post_fields(session)
    problem = None
    if request.method == "POST":
        form = await form_of(request)

        async def change(work: UnitOfWork) -> Changes:
            return await matrix.change_employment(work, employment_id, _post(form))

        done = await tried(request, POST_FIELDS, change)
        if isinstance(done, Changes):
            return redirect(page_of(request), done=_told(done))
        problem, values = done, _sent(form, POST_FIELDS)
    path = f"{page_of(request)}/employments/{employment_id}"
    intro = [f"At {employer.name} since {row.started_on:%-d %B %Y}. What the learner needs is looked at again at once."]
    return learner_form(
        request, name, "Change an employment", ShortForm(path, "Save", fields), problem, values, intro=intro
    )


async def progress_correct(request: Request) -> Response:
    """Say how far the learner has come with a course, whatever was told."""
    form = await form_of(request) if request.method == "POST" else None
    problem = None
    if form is not None:

        async def change(work: UnitOfWork) -> UUID:
            if form.text("state") not in words.PROGRESS:
                raise Invalid("state", "Choose how far the learner has come.")
            return await correct_progress(
                work,
                request.path_params["learner_id"],
                needed_key(form, "course_id", "the course"),
                form.text("state"),
                form.text("reason"),
            )

        done = await tried(request, PROGRESS_FIELDS, change)
        if not isinstance(done, Problem):
            return redirect(page_of(request), done="progress-corrected")
        problem = done
    async with tenant_reads(request) as session:
        name = await learner_here(request, session)
        courses = await session.execute(named_courses().where(Course.status != "merged"))
        fields = [
            Field("choice", "course_id", "Course", options=[(row.id, course_name(row, by)) for row, by in courses]),
            Field("one", "state", "How far the learner has come", options=list(words.PROGRESS.items())),
            Field("text", "reason", "Why it is corrected", "It is kept in the audit trail with your name."),
        ]
    intro = ["Use this where a learning system told something wrong. It does not count as a completion."]
    short = ShortForm(f"{page_of(request)}/progress", "Correct it", fields)
    return learner_form(request, name, "Correct progress", short, problem, _sent(form, PROGRESS_FIELDS), intro=intro)


def _sent(form: Form | None, names: Sequence[str]) -> dict[str, Any]:
    return {} if form is None else typed(form, names) | {"tasks": form.texts("tasks")}


def learner_form(
    request: Request,
    name: str,
    title: str,
    form: ShortForm,
    problem: Problem | None,
    values: dict[str, Any],
    *,
    intro: Sequence[str] = (),
    links: Sequence[Link] = (),
    tables: Sequence[Table] = (),
) -> Response:
    """A page with one form about the learner."""
    return report(
        request,
        title,
        status=422 if problem else 200,
        problems=[problem] if problem else [],
        values=values,
        caption=name,
        back=Link(f"Back to {name}", page_of(request)),
        intro=intro,
        links=links,
        tables=tables,
        forms=[form],
    )


_WRITE = Permission.TRAINING_WRITE

ROUTES = [
    page(
        "/standing/learners/{learner_id:uuid}/employments/begin",
        employment_begin,
        needs=_WRITE,
        methods=("GET", "POST"),
    ),
    page(
        "/standing/learners/{learner_id:uuid}/employments/{employment_id:uuid}",
        employment_change,
        needs=_WRITE,
        methods=("GET", "POST"),
    ),
    page("/standing/learners/{learner_id:uuid}/progress", progress_correct, needs=_WRITE, methods=("GET", "POST")),
]
