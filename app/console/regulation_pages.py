"""Regulations: the topics and courses that evidence each, and how many people at work have learned them."""

from sqlalchemy import Date, Uuid, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import page, principal_here, render, services_of, tenant_reads
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import COVERAGES
from app.identity.permissions import Permission
from app.training.mapping import reports
from app.training.mapping.models import GuidanceDocument
from tenants.clock import london_date


async def regulations(request: Request) -> Response:
    """The regulations and guidance that topics are drawn from."""
    return render(request, "regulations.jinja", table=await _listed(request))


async def regulations_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("regulations.csv", await _listed(request))


async def _listed(request: Request) -> Table:
    listed = select(GuidanceDocument).where(GuidanceDocument.status == "current")
    async with tenant_reads(request) as session:
        rows = list(await session.scalars(listed.order_by(GuidanceDocument.kind.desc(), GuidanceDocument.code)))
    kinds = {"national": "National guidance", "regulation": "Regulation", "local": "Local guidance"}
    return Table(
        "Regulations and guidance",
        ("Title", "Code", "Kind", "Edition", "Review by"),
        [
            (Link(row.title, f"/console/regulations/{row.id}"), row.code, kinds[row.kind], row.edition, row.review_on)
            for row in rows
        ],
        "/console/regulations/all.csv",
        nothing="There are none yet. Load the base taxonomy on the mapping page.",
    )


async def regulation(request: Request) -> Response:
    """What evidences one regulation."""
    document, tables = await _evidence(request)
    return render(request, "regulation.jinja", document=document, topics=tables["topics"], courses=tables["courses"])


async def regulation_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    _, tables = await _evidence(request)
    name = request.path_params["table"]
    if name not in tables:
        raise HTTPException(404)
    return csv_of(f"{name}.csv", tables[name])


async def _evidence(request: Request) -> tuple[GuidanceDocument, dict[str, Table]]:
    tenant = literal(principal_here(request).tenant_context().tenant_id, Uuid())
    today = literal(london_date(services_of(request).clock()), Date())
    asked = select(GuidanceDocument).where(GuidanceDocument.id == request.path_params["document_id"])
    async with tenant_reads(request) as session:
        document = (await session.scalars(asked)).first()
        if document is None:
            raise HTTPException(404)
        row_id = literal(document.id, Uuid())
        topics = (await session.execute(reports.regulation_topics(tenant, row_id, today))).all()
        courses = (await session.execute(reports.regulation_courses(tenant, row_id, today))).all()
    path = f"/console/regulations/{document.id}"
    return document, {
        "topics": Table(
            "Topics that evidence it",
            ("Topic", "Title", "Courses that cover it in full", "People at work who learned it", "People at work", "%"),
            [
                (
                    row.code,
                    row.title,
                    row.courses,
                    row.learners,
                    row.employed,
                    round(100 * row.learners / row.employed, 1) if row.employed else None,
                )
                for row in topics
            ],
            f"{path}/topics.csv",
            (2, 3, 4, 5),
            "No topic refers to it.",
        ),
        "courses": Table(
            "Courses that evidence it",
            ("Topic", "Title", "Part", "Course", "Covered", "People at work who completed it"),
            [
                (
                    row.code,
                    row.topic,
                    row.number,
                    Link(row.course, f"/console/courses/{row.course_id}"),
                    COVERAGES[row.coverage],
                    row.learners,
                )
                for row in courses
            ],
            f"{path}/courses.csv",
            (5,),
            "No course has been mapped to it.",
        ),
    }


_READ = Permission.TRAINING_READ

ROUTES = [
    page("/regulations", regulations, needs=_READ),
    page("/regulations/all.csv", regulations_file, needs=_READ),
    page("/regulations/{document_id:uuid}", regulation, needs=_READ),
    page("/regulations/{document_id:uuid}/{table}.csv", regulation_file, needs=_READ),
]
