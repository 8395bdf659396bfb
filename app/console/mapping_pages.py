"""Mapping exercises: begun, filled in the matrix or course by course, weighed, locked, copied, compared."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.console.mapping_matrix import Matrix, course_name, exercise_of, named_courses, read_matrix
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    COVERAGES,
    SCOPES,
    SETTINGS,
    Invalid,
    asked_word,
    day,
    may_write,
    needed_key,
    problem,
    typed,
    version_of,
)
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping import analysis, exercises, reports, taxonomy
from app.training.mapping.models import MappingAnalysis, MappingExercise, Topic
from app.training.models import Course
from tenants.clock import london_date

CHANGES = {"added": "Added", "removed": "Removed", "changed": "Changed"}
STATES = {"draft": "Draft", "locked": "Locked"}


async def mapping(request: Request) -> Response:
    """All exercises, and what is wrong with topics and guidance."""
    return await _start_page(request, 200, [])


async def mapping_file(request: Request) -> Response:
    """All exercises as a CSV."""
    return csv_of("mapping-exercises.csv", await _exercises(request))


async def _exercises(request: Request) -> Table:
    newest = select(MappingExercise).order_by(
        MappingExercise.exercised_on.desc(), MappingExercise.created_at.desc(), MappingExercise.id
    )
    async with tenant_reads(request) as session:
        rows = list(await session.scalars(newest))
    return Table(
        "Exercises",
        ("Exercise", "Version", "Day", "State", "Locked"),
        [
            (
                Link(row.name, f"/console/mapping/{row.id}"),
                row.edition,
                row.exercised_on,
                STATES[row.status],
                row.locked_at,
            )
            for row in rows
        ],
        "/console/mapping/exercises.csv",
        (1,),
        "Nothing has been mapped yet.",
    )


async def _start_page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    tenant = literal(principal_here(request).tenant_context().tenant_id, Uuid())
    today = literal(london_date(services_of(request).clock()))
    async with tenant_reads(request) as session:
        faults = (await session.execute(reports.topics_without_reference(tenant))).all()
        late = (await session.execute(reports.late_guidance(tenant, today))).all()
        any_topic = (await session.scalars(select(Topic.id).limit(1))).first()
    return render(
        request,
        "mapping.jinja",
        status=status,
        problems=problems,
        values=typed(form, ("name", "exercised_on")) if form else {},
        table=await _exercises(request),
        faults=faults,
        late=late,
        topics=any_topic is not None,
        writes=may_write(request),
    )


async def mapping_start(request: Request) -> Response:
    """Begin a draft."""
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            exercise_id = await exercises.start_exercise(work, form.text("name"), day(form, "exercised_on"))
    except TrainingRefusal as refusal:
        return await _start_page(request, 422, [problem(refusal, ("name",))], form)
    except Invalid as invalid:
        return await _start_page(request, 422, [invalid.problem], form)
    return redirect(f"/console/mapping/{exercise_id}", done="mapping-started")


async def mapping_taxonomy(request: Request) -> Response:
    """Load what is missing of the base taxonomy."""
    async with tenant_work(request) as work:
        await taxonomy.load_base_taxonomy(work)
    return redirect("/console/mapping", done="taxonomy-loaded")


async def mapping_exercise(request: Request) -> Response:
    """The matrix of an exercise with what was found by weighing it."""
    return await _exercise_page(request, 200, [])


async def _exercise_page(request: Request, status: int, problems: list[Problem]) -> Response:
    exercise_id = request.path_params["exercise_id"]
    setting, scope = asked_word(request, "setting", SETTINGS), asked_word(request, "scope", SCOPES)
    async with tenant_reads(request) as session:
        matrix = await read_matrix(session, exercise_id, setting, scope)
        intact = await exercises.is_intact(session, matrix.exercise)
        weighed = (await session.scalars(_weighed(exercise_id, setting, scope))).first()
        others = [
            (course.id, course_name(course, provider))
            for course, provider in await session.execute(named_courses().where(Course.status == "active"))
        ]
        earlier = select(MappingExercise).where(MappingExercise.id != exercise_id)
        compared = [
            (row.id, f"{row.name}, version {row.edition}")
            for row in await session.scalars(earlier.order_by(MappingExercise.exercised_on.desc(), MappingExercise.id))
        ]
    return render(
        request,
        "mapping_exercise.jinja",
        status=status,
        problems=problems,
        exercise=matrix.exercise,
        matrix=matrix,
        intact=intact,
        weighed=weighed,
        titles=matrix.titles,
        setting=setting,
        scope=scope,
        settings=SETTINGS,
        scopes=SCOPES,
        coverages=COVERAGES,
        others=others,
        compared=compared,
        writes=may_write(request) and matrix.exercise.status == "draft",
        may_write=may_write(request),
    )


async def mapping_matrix_file(request: Request) -> Response:
    """The matrix as a CSV: a line for each cell that is filled."""
    setting, scope = asked_word(request, "setting", SETTINGS), asked_word(request, "scope", SCOPES)
    async with tenant_reads(request) as session:
        matrix = await read_matrix(session, request.path_params["exercise_id"], setting, scope)
    return csv_of("matrix.csv", _cells(matrix))


def _cells(matrix: Matrix) -> Table:
    rows = [
        (
            row.code, row.title, row.clause, matrix.titles[course_id], COVERAGES[cell.coverage], cell.assessor,
            cell.assessed_on, cell.evidence_note,
        )
        for row in matrix.rows
        for course_id in matrix.courses
        for cell in [row.cells.get(course_id)]
        if cell is not None
    ]  # fmt: skip
    headings = ("Topic", "Title", "Clause", "Course", "Covered", "Assessor", "Day", "Evidence")
    return Table("Cells", headings, rows, "")


async def mapping_shares_file(request: Request) -> Response:
    """Mandatory topics that each course covers, as last weighed for a setting and a scope, as a CSV."""
    exercise_id = request.path_params["exercise_id"]
    setting, scope = asked_word(request, "setting", SETTINGS), asked_word(request, "scope", SCOPES)
    async with tenant_reads(request) as session:
        matrix = await read_matrix(session, exercise_id, setting, scope)
        weighed = (await session.scalars(_weighed(exercise_id, setting, scope))).first()
    shares = weighed.courses if weighed is not None else []
    rows = [(matrix.titles[UUID(share["course_id"])], share["covered"], share["percent"]) for share in shares]
    return csv_of("topics-of-courses.csv", Table("", ("Course", "Topics", "%"), rows, ""))


def _weighed(exercise_id: UUID, setting: str | None, scope: str | None) -> Select[MappingAnalysis]:
    """The latest analysis of an exercise for a choice."""
    found = select(MappingAnalysis).where(
        MappingAnalysis.exercise_id == exercise_id,
        MappingAnalysis.setting.is_not_distinct_from(setting),
        MappingAnalysis.scope.is_not_distinct_from(scope),
    )
    return found.order_by(MappingAnalysis.created_at.desc(), MappingAnalysis.id.desc()).limit(1)


async def mapping_analyse(request: Request) -> Response:
    """Weigh the courses for the setting and scope that are shown."""
    form = await form_of(request)
    exercise_id = request.path_params["exercise_id"]
    try:
        async with tenant_work(request) as work:
            await analysis.analyse_exercise(
                work, exercise_id, setting=form.text("setting") or None, scope=form.text("scope") or None
            )
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    query = "&".join(f"{name}={form.text(name)}" for name in ("setting", "scope") if form.text(name))
    return redirect(f"/console/mapping/{exercise_id}" + (f"?{query}" if query else ""))


async def mapping_lock(request: Request) -> Response:
    """Lock the draft for ever."""
    form = await form_of(request)
    exercise_id = request.path_params["exercise_id"]
    await _there(request)
    try:
        async with tenant_work(request) as work:
            await exercises.lock_exercise(work, exercise_id, version=version_of(form))
    except TrainingRefusal as refusal:
        return await _exercise_page(request, 422, [problem(refusal, ())])
    return redirect(f"/console/mapping/{exercise_id}", done="mapping-locked")


async def mapping_copy(request: Request) -> Response:
    """Begin the next version."""
    await _there(request)
    try:
        async with tenant_work(request) as work:
            exercise_id = await exercises.next_edition(work, request.path_params["exercise_id"])
    except TrainingRefusal as refusal:
        return await _exercise_page(request, 422, [problem(refusal, ())])
    return redirect(f"/console/mapping/{exercise_id}", done="mapping-started")


async def mapping_cell(request: Request) -> Response:
    """Fill one cell of the matrix, asked by its script: answers the new revision, or what is wrong."""
    form = await form_of(request)
    await _there(request)
    try:
        async with tenant_work(request) as work:
            cell = exercises.CellGiven(
                needed_key(form, "course", "a course"),
                needed_key(form, "topic", "a topic"),
                needed_key(form, "clause", "a clause"),
                form.text("coverage") or None,
                form.text("evidence_note") or None,
            )
            revision = await exercises.set_cells(
                work,
                request.path_params["exercise_id"],
                version=version_of(form),
                assessor=principal_here(request).name,
                cells=[cell],
            )
    except TrainingRefusal as refusal:
        return JSONResponse({"message": refusal.message}, 422)
    except Invalid as invalid:
        return JSONResponse({"message": invalid.problem.message}, 422)
    return JSONResponse({"revision": revision})


async def mapping_course(request: Request) -> Response:
    """What one course covers, theme by theme; needs no script."""
    return await _course_page(request, 200, [])


async def mapping_course_choose(request: Request) -> Response:
    """Go to the course that was chosen."""
    try:
        course_id = UUID(request.query_params.get("course", ""))
    except ValueError as error:
        raise HTTPException(404) from error
    return redirect(f"/console/mapping/{request.path_params['exercise_id']}/courses/{course_id}")


async def mapping_course_save(request: Request) -> Response:
    """Save what was said of a course's clauses of one theme."""
    form = await form_of(request)
    exercise_id, course_id = request.path_params["exercise_id"], request.path_params["course_id"]
    async with tenant_reads(request) as session:
        matrix = await read_matrix(session, exercise_id, None, None)
    if course_id not in matrix.titles:
        raise HTTPException(404)
    given = [
        exercises.CellGiven(
            course_id, row.topic_id, row.clause_id, form.text(f"c-{row.key}") or None, form.text(f"n-{row.key}") or None
        )
        for row in matrix.rows
        if f"c-{row.key}" in form.fields
    ]
    try:
        async with tenant_work(request) as work:
            await exercises.set_cells(
                work, exercise_id, version=version_of(form), assessor=principal_here(request).name, cells=given
            )
    except TrainingRefusal as refusal:
        return await _course_page(request, 422, [problem(refusal, ())])
    return redirect(f"/console/mapping/{exercise_id}/courses/{course_id}", done="cells-saved")


async def _course_page(request: Request, status: int, problems: list[Problem]) -> Response:
    course_id = request.path_params["course_id"]
    async with tenant_reads(request) as session:
        matrix = await read_matrix(session, request.path_params["exercise_id"], None, None)
    if course_id not in matrix.titles:
        raise HTTPException(404)
    themes: dict[str, list[Any]] = defaultdict(list)
    for row in matrix.rows:
        themes[row.theme].append((row, row.cells.get(course_id)))
    return render(
        request,
        "mapping_course.jinja",
        status=status,
        problems=problems,
        exercise=matrix.exercise,
        title=matrix.titles[course_id],
        course_id=course_id,
        themes=themes,
        coverages=COVERAGES,
        writes=may_write(request) and matrix.exercise.status == "draft",
    )


async def mapping_differences(request: Request) -> Response:
    """Cell by cell against another exercise."""
    exercise, table = await _differences(request)
    return render(request, "mapping_differences.jinja", exercise=exercise, table=table)


async def mapping_differences_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("differences.csv", (await _differences(request))[1])


async def _differences(request: Request) -> tuple[MappingExercise, Table]:
    tenant_id = principal_here(request).tenant_context().tenant_id
    async with tenant_reads(request) as session:
        exercise = await exercise_of(session, request.path_params["exercise_id"])
        try:
            against = UUID(request.query_params["against"])
        except (KeyError, ValueError):
            against = exercise.previous_id or exercise.id
        other = await exercise_of(session, against)
        asked = reports.differences(literal(tenant_id, Uuid()), literal(against, Uuid()), literal(exercise.id, Uuid()))
        rows = (await session.execute(asked)).all()
    return exercise, Table(
        f"Against {other.name}, version {other.edition}",
        ("Topic", "Title", "Clause", "Course", "What", "Before", "Now", "Evidence before", "Evidence now"),
        [
            (
                row.code,
                row.topic,
                row.clause,
                row.course,
                CHANGES[row.change],
                COVERAGES.get(row.before or ""),
                COVERAGES.get(row.after or ""),
                row.note_before,
                row.note_after,
            )
            for row in rows
        ],
        f"/console/mapping/{exercise.id}/differences.csv?against={against}",
        nothing="They say the same.",
    )


async def _there(request: Request) -> None:
    async with tenant_reads(request) as session:
        await exercise_of(session, request.path_params["exercise_id"])


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/mapping", mapping, needs=_READ),
    page("/mapping/exercises.csv", mapping_file, needs=_READ),
    page("/mapping/start", mapping_start, needs=_WRITE, methods=("POST",)),
    page("/mapping/taxonomy", mapping_taxonomy, needs=_WRITE, methods=("POST",)),
    page("/mapping/{exercise_id:uuid}", mapping_exercise, needs=_READ),
    page("/mapping/{exercise_id:uuid}/matrix.csv", mapping_matrix_file, needs=_READ),
    page("/mapping/{exercise_id:uuid}/shares.csv", mapping_shares_file, needs=_READ),
    page("/mapping/{exercise_id:uuid}/differences", mapping_differences, needs=_READ),
    page("/mapping/{exercise_id:uuid}/differences.csv", mapping_differences_file, needs=_READ),
    page("/mapping/{exercise_id:uuid}/course", mapping_course_choose, needs=_READ),
    page("/mapping/{exercise_id:uuid}/courses/{course_id:uuid}", mapping_course, needs=_READ),
    page(
        "/mapping/{exercise_id:uuid}/courses/{course_id:uuid}/save",
        mapping_course_save,
        needs=_WRITE,
        methods=("POST",),
    ),
    page("/mapping/{exercise_id:uuid}/cells", mapping_cell, needs=_WRITE, methods=("POST",)),
    page("/mapping/{exercise_id:uuid}/analyse", mapping_analyse, needs=_WRITE, methods=("POST",)),
    page("/mapping/{exercise_id:uuid}/lock", mapping_lock, needs=_WRITE, methods=("POST",)),
    page("/mapping/{exercise_id:uuid}/copy", mapping_copy, needs=_WRITE, methods=("POST",)),
]
