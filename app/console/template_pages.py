"""Templates of programmes: given to all tenants, looked at, and built from."""

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, redirect, render, tenant_reads, tenant_work
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, may_write, needed_key, problem, typed
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.mapping import templates as operations
from app.training.mapping.models import ProgrammeOrigin, ProgrammeTemplate
from app.training.models import Programme

SECTIONS = {
    "tiers": "Tiers",
    "guidance": "Guidance documents",
    "topics": "Topics",
    "courses": "Courses",
    "coverage": "What courses cover (cells)",
    "session_outlines": "Session outlines",
}
FIELDS = ("programme", "name", "summary")


async def templates(request: Request) -> Response:
    """All templates, the newest first, and where our programmes come from."""
    return await _start_page(request, 200, [])


async def templates_file(request: Request) -> Response:
    """All templates as a CSV."""
    return csv_of("templates.csv", await _templates(request))


async def _templates(request: Request) -> Table:
    newest = select(ProgrammeTemplate).order_by(ProgrammeTemplate.published_at.desc(), ProgrammeTemplate.id)
    async with tenant_reads(request) as session:
        rows = list(await session.scalars(newest))
    return Table(
        "Templates",
        ("Template", "Version", "Published by", "Published", "What it is for"),
        [
            (
                Link(row.name, f"/console/templates/{row.id}"),
                row.version,
                row.publisher_name,
                row.published_at,
                row.summary,
            )
            for row in rows
        ],
        "/console/templates/all.csv",
        (1,),
        "Nobody has published a template yet.",
    )


async def templates_origins_file(request: Request) -> Response:
    """Where our programmes come from, as a CSV."""
    return csv_of("origins.csv", await _origins(request))


async def _origins(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = (
            await session.execute(
                select(ProgrammeOrigin, Programme.name)
                .join(
                    Programme,
                    and_(
                        Programme.tenant_id == ProgrammeOrigin.tenant_id, Programme.id == ProgrammeOrigin.programme_id
                    ),
                )
                .order_by(ProgrammeOrigin.cloned_at.desc())
            )
        ).all()
    return Table(
        "Programmes that were built from a template",
        ("Programme", "Template of", "Version", "Built"),
        [(name, origin.publisher_name, origin.template_version, origin.cloned_at) for origin, name in rows],
        "/console/templates/origins.csv",
        (2,),
        "None of your programmes comes from a template.",
    )


async def _start_page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    async with tenant_reads(request) as session:
        programmes = await session.execute(select(Programme.id, Programme.name).order_by(Programme.name))
        listed = [(row.id, row.name) for row in programmes]
    return render(
        request,
        "templates.jinja",
        status=status,
        problems=problems,
        values=typed(form, FIELDS) if form else {},
        table=await _templates(request),
        origins=await _origins(request),
        programmes=listed,
        writes=may_write(request),
    )


async def template_publish(request: Request) -> Response:
    """Give a programme to all tenants."""
    form = await form_of(request)
    try:
        programme_id = needed_key(form, "programme", "a programme")
        async with tenant_work(request) as work:
            template_id = await operations.publish_template(
                work, programme_id, name=form.text("name"), summary=form.text("summary")
            )
    except TrainingRefusal as refusal:
        return await _start_page(request, 422, [problem(refusal, FIELDS)], form)
    except Invalid as invalid:
        return await _start_page(request, 422, [invalid.problem], form)
    return redirect(f"/console/templates/{template_id}", done="template-published")


async def template(request: Request) -> Response:
    """What is in a template."""
    return await _page(request, 200, [])


async def template_clone(request: Request) -> Response:
    """Build a programme from it."""
    form = await form_of(request)
    found = await _template(request)
    try:
        async with tenant_work(request) as work:
            await operations.clone_template(work, found.id, name=form.text("name"))
    except TrainingRefusal as refusal:
        return await _page(request, 422, [problem(refusal, ("name",))], form)
    return redirect("/console/templates", done="template-cloned")


async def _template(request: Request) -> ProgrammeTemplate:
    asked = select(ProgrammeTemplate).where(ProgrammeTemplate.id == request.path_params["template_id"])
    async with tenant_reads(request) as session:
        found = (await session.scalars(asked)).first()
    if found is None:
        raise HTTPException(404)
    return found


def _contents(found: ProgrammeTemplate) -> dict[str, Table]:
    sections = found.document["sections"]
    path = f"/console/templates/{found.id}"
    return {
        "counts": Table(
            "What is in it",
            ("Section", "Entries"),
            [(SECTIONS.get(name, name), count) for name, count in operations.counts(found.document).items()],
            f"{path}/counts.csv",
            (1,),
        ),
        "tiers": Table(
            "Tiers",
            ("Tier", "Name", "Minimum minutes"),
            [(entry["position"], entry["name"], entry["minimum_minutes"]) for entry in sections.get("tiers", [])],
            f"{path}/tiers.csv",
            (0, 2),
        ),
        "courses": Table(
            "Courses",
            ("Course", "Version", "Training provider", "Tier"),
            [
                (entry["title"], entry["version"], entry["training_provider"], entry["tier"])
                for entry in sections.get("courses", [])
            ],
            f"{path}/courses.csv",
            (3,),
        ),
        "outlines": Table(
            "Session outlines",
            ("Session", "Tier", "Minutes", "How people join"),
            [
                (entry["title"], entry["tier"], entry["duration_minutes"], entry["mode"].replace("_", " "))
                for entry in sections.get("session_outlines", [])
            ],
            f"{path}/outlines.csv",
            (1, 2),
        ),
    }


async def template_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    tables = _contents(await _template(request))
    name = request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}.csv", tables[name])


async def _page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    found = await _template(request)
    return render(
        request,
        "template.jinja",
        status=status,
        problems=problems,
        values={"name": form.text("name") if form else found.name},
        found=found,
        tables=_contents(found).values(),
        writes=may_write(request),
    )


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/templates", templates, needs=_READ),
    page("/templates/all.csv", templates_file, needs=_READ),
    page("/templates/origins.csv", templates_origins_file, needs=_READ),
    page("/templates/publish", template_publish, needs=_WRITE, methods=("POST",)),
    page("/templates/{template_id:uuid}", template, needs=_READ),
    page("/templates/{template_id:uuid}/{table}.csv", template_file, needs=_READ),
    page("/templates/{template_id:uuid}/clone", template_clone, needs=_WRITE, methods=("POST",)),
]
