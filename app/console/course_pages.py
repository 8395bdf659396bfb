"""Courses: the inventory, what each is and who reaches it, which are in use, and which were found to be one."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.course_forms import course_rules
from app.console.mapping_matrix import course_name, named_courses
from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    tenant_reads,
    tenant_work,
)
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    ACCESS_KINDS,
    DELIVERY_MODES,
    SCOPES,
    STATUSES,
    Invalid,
    asked_word,
    day,
    key,
    may_write,
    needed_day,
    needed_key,
    number,
    problem,
    version_of,
)
from app.directory.models import Employer
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping import course_merging, inventory, reports
from app.training.mapping.models import CourseAccess, CourseAccreditation, CourseMerge
from app.training.models import Course, Tier, TrainingProvider

CHOICES = {"scope": SCOPES, "delivery_mode": DELIVERY_MODES, "access_kind": ACCESS_KINDS}
MINUTES = ("duration_minutes", "expected_minutes_min", "expected_minutes_max")
TEXTS = ("assessment", "author_profession", "accessibility_notes", "url")
FIELDS = (
    *CHOICES, *MINUTES, *TEXTS, "certificate_required", "languages", "review_on", "status", "tier_id",
    "awarding_body", "reference", "level", "valid_from", "valid_to", "kind", "employer", "local_authority", "language",
    "merge", "reason",
)  # fmt: skip


async def courses(request: Request) -> Response:
    """The inventory."""
    scope = asked_word(request, "scope", SCOPES)
    table = await _inventory(request)
    return render(request, "courses.jinja", table=table, scopes=SCOPES, chosen=scope, writes=may_write(request))


async def courses_file(request: Request) -> Response:
    """The inventory as a CSV."""
    return csv_of("courses.csv", await _inventory(request))


async def _inventory(request: Request) -> Table:
    scope = asked_word(request, "scope", SCOPES)
    listed = _courses().order_by(Course.title_key, TrainingProvider.name, Course.version, Course.id)
    if scope:
        listed = listed.where(Course.scope == scope)
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Courses",
        ("Course", "Version", "Training provider", "Tier", "Scope", "Given as", "Minutes", "Access", "State"),
        [
            (
                Link(course.title, f"/console/courses/{course.id}"),
                course.version,
                provider,
                tier.position if tier else None,
                SCOPES.get(course.scope or ""),
                DELIVERY_MODES.get(course.delivery_mode or ""),
                _minutes(course, tier),
                ACCESS_KINDS.get(course.access_kind or ""),
                STATUSES[course.status],
            )
            for course, provider, tier in rows
        ],
        "/console/courses/inventory.csv" + (f"?scope={scope}" if scope else ""),
        (3, 6),
        "No course is known yet. Bring in a file of completions, build from a template, or add one.",
    )


def _minutes(course: Course, tier: Tier | None) -> str | None:
    if course.duration_minutes is None:
        return None
    short = tier is not None and tier.minimum_minutes is not None and course.duration_minutes < tier.minimum_minutes
    return f"{course.duration_minutes}{' (below the tier’s minimum)' if short else ''}"


def _courses() -> Any:
    return (
        select(Course, TrainingProvider.name, Tier)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .outerjoin(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
    )


async def courses_in_use(request: Request) -> Response:
    """Which courses people completed, which topics these cover, and how many employers rely on them."""
    tables = await _in_use(request)
    return render(request, "courses_in_use.jinja", topics=tables["topics"], courses=tables["courses"])


async def courses_in_use_file(request: Request) -> Response:
    """One of the two tables as a CSV."""
    tables = await _in_use(request)
    name = request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}-in-use.csv", tables[name])


async def _in_use(request: Request) -> dict[str, Table]:
    tenant = literal(principal_here(request).tenant_context().tenant_id, Uuid())
    async with tenant_reads(request) as session:
        used = (await session.execute(reports.courses_in_use(tenant))).all()
        topics = (await session.execute(reports.topics_in_use(tenant))).all()
    return {
        "courses": Table(
            "Courses in use",
            ("Course", "Training provider", "Scope", "Tier", "Topics", "Learners", "Employers relying on it"),
            [
                (
                    Link(f"{row.title} {row.course_version}".strip(), f"/console/courses/{row.course_id}"),
                    row.training_provider,
                    SCOPES.get(row.scope or ""),
                    row.tier,
                    row.topics,
                    row.learners,
                    row.employers,
                )
                for row in used
            ],
            "/console/courses/in-use/courses.csv",
            (3, 4, 5, 6),
            "Nobody has completed a course yet.",
        ),
        "topics": Table(
            "Topics and the courses in use that cover some of them",
            ("Topic", "Title", "Theme", "Courses", "Employers relying on them"),
            [(row.code, row.title, row.theme, row.courses, row.employers) for row in topics],
            "/console/courses/in-use/topics.csv",
            (3, 4),
            "There are no topics yet. Load the base taxonomy on the mapping page.",
        ),
    }


async def courses_access(request: Request) -> Response:
    """How many courses of each tier each employer can reach."""
    return render(
        request,
        "courses_access.jinja",
        table=await _reach(request),
        language=request.query_params.get("language", "").strip(),
    )


async def courses_access_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("access.csv", await _reach(request))


async def _reach(request: Request) -> Table:
    tenant = literal(principal_here(request).tenant_context().tenant_id, Uuid())
    language = request.query_params.get("language", "").strip()
    async with tenant_reads(request) as session:
        asked = reports.reach(tenant, literal(language, Text()) if language else None)
        rows = (await session.execute(asked)).all()
    return Table(
        "Courses that each employer can reach, those without tier 1 first",
        ("Employer", "Local authority", "Tier 1", "Tier 2", "Tier 3", "Gap"),
        [
            (row.name, row.local_authority, row.tier1, row.tier2, row.tier3, "No tier 1" if row.tier1 == 0 else None)
            for row in rows
        ],
        "/console/courses/access/reach.csv",
        (2, 3, 4),
        "There are no employers yet.",
    )


async def course(request: Request) -> Response:
    """One course: what it is, who vouches for it, who reaches it, who relies on it."""
    return await _page(request, 200, [])


async def course_change(request: Request) -> Response:
    """Save what is told of the course."""
    form = await form_of(request)
    await _there(request)

    async def change(work: Any, course_id: UUID) -> None:
        given: dict[str, Any] = {name: form.text(name) or None for name in (*CHOICES, *TEXTS)}
        given |= {name: number(form, name) for name in MINUTES}
        given["certificate_required"] = {"yes": True, "no": False}.get(form.text("certificate_required"))
        given["languages"] = [part for part in form.text("languages").split(",") if part.strip()]
        given["review_on"], given["tier_id"] = day(form, "review_on"), key(form, "tier_id")
        given["status"] = form.text("status") or None
        await inventory.change_course(work, course_id, version=version_of(form), given=given)

    return await _done(request, form, change, "course-changed")


async def course_accredit(request: Request) -> Response:
    """Add an accreditation."""
    form = await form_of(request)
    await _there(request)

    async def change(work: Any, course_id: UUID) -> None:
        await inventory.accredit_course(
            work,
            course_id,
            awarding_body=form.text("awarding_body"),
            reference=form.text("reference"),
            level=form.text("level"),
            valid_from=needed_day(form, "valid_from", "the first day"),
            valid_to=day(form, "valid_to"),
        )

    return await _done(request, form, change, "course-accredited")


async def course_access(request: Request) -> Response:
    """Add a way to the course."""
    form = await form_of(request)
    await _there(request)

    async def change(work: Any, course_id: UUID) -> None:
        access = inventory.Access(
            form.text("kind"), key(form, "employer"), form.text("local_authority"), form.text("language")
        )
        await inventory.add_access(work, course_id, access)

    return await _done(request, form, change, "course-access-changed")


async def course_access_remove(request: Request) -> Response:
    """Take a way to a course away."""
    try:
        async with tenant_work(request) as work:
            course_id = await inventory.remove_access(work, request.path_params["access_id"])
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"/console/courses/{course_id}", done="course-access-changed")


async def course_merge(request: Request) -> Response:
    """Another entry is this course."""
    form = await form_of(request)
    await _there(request)

    async def change(work: Any, course_id: UUID) -> None:
        other = needed_key(form, "merge", "the other entry")
        await course_merging.merge_courses(work, course_id, other, form.text("reason"))

    return await _done(request, form, change, "courses-merged")


async def course_merge_undo(request: Request) -> Response:
    """Two entries were two courses after all."""
    try:
        async with tenant_work(request) as work:
            await course_merging.undo_course_merge(work, request.path_params["merge_id"])
            merge = await work.session.get_one(CourseMerge, (work.tenant_id, request.path_params["merge_id"]))
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"/console/courses/{merge.kept_course_id}", done="course-merge-undone")


async def _done(request: Request, form: Form, change: Any, done: str) -> Response:
    course_id = request.path_params["course_id"]
    try:
        async with tenant_work(request) as work:
            await change(work, course_id)
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, FIELDS)], form)
    except Invalid as invalid:
        return await _page(request, 422, [invalid.problem], form)
    return redirect(f"/console/courses/{course_id}", done=done)


async def _there(request: Request) -> None:
    async with tenant_reads(request) as session:
        if (
            await session.scalars(select(Course.id).where(Course.id == request.path_params["course_id"]))
        ).first() is None:
            raise HTTPException(404)


async def _page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    tenant_id = principal_here(request).tenant_context().tenant_id
    course_id = request.path_params["course_id"]
    async with tenant_reads(request) as session:
        row = (await session.execute(_courses().where(Course.id == course_id))).first()
        if row is None:
            raise HTTPException(404)
        found, provider, tier = row
        relying = await session.execute(
            reports.relying_employers(literal(tenant_id, Uuid()), literal(course_id, Uuid()))
        )
        rows = [(one.name, one.learners) for one in relying]
        shared = await _around(session, found)
    values = {name: _shown(getattr(found, name)) for name in FIELDS if hasattr(found, name)}
    values |= {"languages": ", ".join(found.languages)}
    values["certificate_required"] = {True: "yes", False: "no", None: ""}[found.certificate_required]
    if form is not None:
        values |= {name: form.text(name) for name in form.fields if name in FIELDS}
    return render(
        request,
        "course.jinja",
        status=status,
        problems=problems,
        values=values,
        course=found,
        provider=provider,
        tier=tier,
        short=_minutes(found, tier),
        writes=may_write(request),
        statuses={name: STATUSES[name] for name in ("active", "retired")},
        table=Table(
            "Employers that rely on it",
            ("Employer", "Learners who completed it there"),
            rows,
            f"/console/courses/{course_id}/employers.csv",
            (1,),
            "Nobody completed it while employed by an employer that is known here.",
        ),
        choices={"scope": SCOPES, "delivery_mode": DELIVERY_MODES, "access_kind": ACCESS_KINDS},
        **shared,
    )


def _shown(value: Any) -> Any:
    return "" if value is None else value


async def _around(session: AsyncSession, found: Course) -> dict[str, Any]:
    accreditations = select(CourseAccreditation).where(CourseAccreditation.course_id == found.id)
    ways = (
        select(CourseAccess, Employer.name)
        .outerjoin(
            Employer, and_(Employer.tenant_id == CourseAccess.tenant_id, Employer.id == CourseAccess.employer_id)
        )
        .where(CourseAccess.course_id == found.id)
        .order_by(CourseAccess.kind, Employer.name, CourseAccess.id)
    )
    merges = (
        select(CourseMerge, Course.title, Course.version)
        .join(Course, and_(Course.tenant_id == CourseMerge.tenant_id, Course.id == CourseMerge.merged_course_id))
        .where(CourseMerge.kept_course_id == found.id, CourseMerge.undone_at.is_(None))
        .order_by(CourseMerge.merged_at)
    )
    rules = await course_rules(session, found)
    others = await session.execute(named_courses().where(Course.id != found.id, Course.status != "merged"))
    employers = await session.execute(select(Employer.id, Employer.name).order_by(Employer.name, Employer.id))
    return {
        **rules,
        "accreditations": list(await session.scalars(accreditations.order_by(CourseAccreditation.valid_from.desc()))),
        "ways": (await session.execute(ways)).all(),
        "merges": (await session.execute(merges)).all(),
        "employers": [(row.id, row.name) for row in employers],
        "others": [(other.id, course_name(other, provider)) for other, provider in others],
        "tiers": [
            (tier.id, f"{tier.position}: {tier.name}")
            for tier in await session.scalars(select(Tier).order_by(Tier.programme_id, Tier.position))
        ],
    }


async def course_employers_file(request: Request) -> Response:
    """The employers that rely on a course, as a CSV."""
    await _there(request)
    tenant_id = principal_here(request).tenant_context().tenant_id
    async with tenant_reads(request) as session:
        relying = await session.execute(
            reports.relying_employers(literal(tenant_id, Uuid()), literal(request.path_params["course_id"], Uuid()))
        )
        rows = [(one.name, one.learners) for one in relying]
    return csv_of("employers.csv", Table("", ("Employer", "Learners who completed it there"), rows, ""))


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/courses", courses, needs=_READ),
    page("/courses/inventory.csv", courses_file, needs=_READ),
    page("/courses/in-use", courses_in_use, needs=_READ),
    page("/courses/in-use/{table}.csv", courses_in_use_file, needs=_READ),
    page("/courses/access", courses_access, needs=_READ, also=Permission.DIRECTORY_READ),
    page("/courses/access/reach.csv", courses_access_file, needs=_READ, also=Permission.DIRECTORY_READ),
    page("/courses/access/{access_id:uuid}/remove", course_access_remove, needs=_WRITE, methods=("POST",)),
    page("/courses/merges/{merge_id:uuid}/undo", course_merge_undo, needs=_WRITE, methods=("POST",)),
    page("/courses/{course_id:uuid}", course, needs=_READ),
    page("/courses/{course_id:uuid}/employers.csv", course_employers_file, needs=_READ),
    page("/courses/{course_id:uuid}/change", course_change, needs=_WRITE, methods=("POST",)),
    page("/courses/{course_id:uuid}/accredit", course_accredit, needs=_WRITE, methods=("POST",)),
    page("/courses/{course_id:uuid}/access", course_access, needs=_WRITE, methods=("POST",)),
    page("/courses/{course_id:uuid}/merge", course_merge, needs=_WRITE, methods=("POST",)),
]
