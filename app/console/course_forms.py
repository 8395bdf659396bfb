"""Forms of courses on pages of their own: one is added, its topics are set, a short one is let count for its tier."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link
from app.console.training_forms import Invalid, tried, typed
from app.identity.permissions import Permission
from app.training.mapping import inventory
from app.training.mapping.models import Topic
from app.training.models import Course, TrainingProvider
from app.training.requirements.matrix import set_course_topics
from app.training.requirements.models import CourseTopic, ShortCourseOverride
from app.training.requirements.programmes import let_short_course_count
from tenants.session import UnitOfWork

HOME = "/console/courses"
ADD_FIELDS = ("training_provider", "title", "course_version")
OTHER = "+other"
"""What stands for a training provider that is not in the list."""


async def course_rules(session: AsyncSession, course: Course) -> dict[str, Any]:
    """What the course's page tells of its rules: the topics that it covers, and why it may count although short."""
    let_pass = select(ShortCourseOverride).where(
        ShortCourseOverride.course_id == course.id, ShortCourseOverride.tier_id == course.tier_id
    )
    codes = await _covered(session, course.id)
    titles = {topic.code.upper(): topic.title for topic in await session.scalars(select(Topic))}
    return {
        "topics": [f"{code}: {titles[code]}" if code in titles else code for code in codes],
        "let_pass": (await session.scalars(let_pass)).first(),
    }


async def _covered(session: AsyncSession, course_id: UUID) -> list[str]:
    codes = select(CourseTopic.topic_code).where(CourseTopic.course_id == course_id).order_by(CourseTopic.topic_code)
    return list(await session.scalars(codes))


async def course_add(request: Request) -> Response:
    """Add a course that no file has named."""
    form = await form_of(request) if request.method == "POST" else None
    problem = None
    if form is not None:
        sent = form

        async def change(work: UnitOfWork) -> UUID:
            provider = sent.text("provider")
            if not provider:
                raise Invalid("provider", "Choose the training provider.")
            name = sent.text("training_provider") if provider == OTHER else provider
            return await inventory.create_course(work, name, sent.text("title"), sent.text("course_version"))

        done = await tried(request, ADD_FIELDS, change)
        if not isinstance(done, Problem):
            return redirect(f"{HOME}/{done}", done="course-added")
        problem = done
    async with tenant_reads(request) as session:
        names = await session.scalars(select(TrainingProvider.name).order_by(TrainingProvider.key))
        providers = [*((name, name) for name in names), (OTHER, "Another one, named below")]
    fields = [
        Field("choice", "provider", "Training provider", options=providers),
        Field("text", "training_provider", "Name of another training provider", "Only if it is not in the list."),
        Field("text", "title", "Title"),
        Field("text", "course_version", "Version (optional)", "The same title in another version is another course."),
    ]
    return report(
        request,
        "Add a course",
        status=422 if problem else 200,
        problems=[problem] if problem else [],
        values={} if form is None else typed(form, ("provider", *ADD_FIELDS)),
        back=Link("Back to courses", HOME),
        intro=["Files add courses by themselves. Add one here that no file has named yet."],
        forms=[ShortForm(f"{HOME}/add", "Add the course", fields)],
    )


async def course_topics(request: Request) -> Response:
    """Set which topics the course covers."""
    form = await form_of(request) if request.method == "POST" else None
    async with tenant_reads(request) as session:
        course = await _course(request, session)
        covered = await _covered(session, course.id)
        topics = await session.scalars(select(Topic).where(Topic.status == "active").order_by(Topic.code))
        options = {topic.code.upper(): f"{topic.code}: {topic.title}" for topic in topics}
    listed = {code: code for code in covered} | options
    if form is not None:
        async with tenant_work(request) as work:
            await set_course_topics(work, course.id, [code for code in form.texts("topics") if code in listed])
        return redirect(f"{HOME}/{course.id}", done="course-topics-set")
    field = Field("many", "topics", "Topics that it covers", options=sorted(listed.items()))
    empty = "There are no topics yet. Load the base taxonomy on the mapping page, or add a topic there."
    return report(
        request,
        "Topics that it covers",
        values={"topics": covered},
        caption=course.title,
        back=Link("Back to the course", f"{HOME}/{course.id}"),
        intro=["Whoever completes the course meets the requirements of these topics." if listed else empty],
        forms=[ShortForm(f"{HOME}/{course.id}/topics", "Save the topics", [field])] if listed else [],
    )


async def course_short(request: Request) -> Response:
    """Let a course that is shorter than its tier asks for count all the same."""
    form = await form_of(request) if request.method == "POST" else None
    async with tenant_reads(request) as session:
        course = await _course(request, session)
    problem = None
    if form is not None:
        reason = form.text("reason")
        done = await tried(request, ("reason",), lambda work: let_short_course_count(work, course.id, reason))
        if not isinstance(done, Problem):
            return redirect(f"{HOME}/{course.id}", done="course-let-count")
        problem = done
    field = Field("text", "reason", "Why it may count", "It is kept in the audit trail with your name.")
    return report(
        request,
        "Let a short course count",
        status=422 if problem else 200,
        problems=[problem] if problem else [],
        values={} if form is None else typed(form, ("reason",)),
        caption=course.title,
        back=Link("Back to the course", f"{HOME}/{course.id}"),
        intro=["It then meets its tier although it is shorter than the tier asks for, for past training too."],
        forms=[ShortForm(f"{HOME}/{course.id}/short", "Let it count", [field])],
    )


async def _course(request: Request, session: AsyncSession) -> Course:
    course = await session.get(Course, (principal_here(request).tenant_id, request.path_params["course_id"]))
    if course is None:
        raise HTTPException(404)
    return course


_WRITE = Permission.TRAINING_WRITE

ROUTES = [
    page("/courses/add", course_add, needs=_WRITE, methods=("GET", "POST")),
    page("/courses/{course_id:uuid}/topics", course_topics, needs=_WRITE, methods=("GET", "POST")),
    page("/courses/{course_id:uuid}/short", course_short, needs=_WRITE, methods=("GET", "POST")),
]
