"""Topics with the guidance they are drawn from, and the guidance documents."""

from typing import Any

from sqlalchemy import and_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, redirect, render, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    SETTINGS,
    Invalid,
    day,
    may_write,
    needed_key,
    problem,
    tried,
    typed,
    version_of,
)
from app.identity.permissions import Permission
from app.training.certificates.models import CertificateTemplate
from app.training.errors import TrainingRefusal
from app.training.mapping import taxonomy
from app.training.mapping.models import GuidanceClause, GuidanceDocument, Topic, TopicReference

KINDS = {"national": "National guidance", "regulation": "Regulation", "local": "Local guidance"}
DOCUMENT_FIELDS = ("code", "title", "kind", "edition", "issued_on", "review_on", "url")
TOPIC_FIELDS = ("code", "title", "theme", "audience", "mandatory_in", "document", "number", "summary")


async def topics(request: Request) -> Response:
    """All topics."""
    return render(request, "topics.jinja", table=await _topics(request), writes=may_write(request))


async def topic_add(request: Request) -> Response:
    """Add a topic of one's own."""
    form = await form_of(request) if request.method == "POST" else None
    wrong = None
    if form is not None:
        given = _given(form)
        done = await tried(request, TOPIC_FIELDS, lambda work: taxonomy.save_topic(work, given))
        if not isinstance(done, Problem):
            return redirect(f"/console/mapping/topics/{done}", done="topic-added")
        wrong = done
    fields = [
        Field("text", "code", "Code", "Short, and no other topic’s, such as LOCAL-1."),
        Field("text", "title", "Title"),
        Field("text", "theme", "Theme", "Topics of one theme stand together in the mapping."),
        Field("text", "audience", "Whom it is for (optional)"),
        Field("many", "mandatory_in", "Mandatory for everybody in", options=list(SETTINGS.items())),
    ]
    return report(
        request,
        "Add a topic",
        status=422 if wrong else 200,
        problems=[wrong] if wrong else [],
        values={} if form is None else typed(form, TOPIC_FIELDS) | {"mandatory_in": form.texts("mandatory_in")},
        back=Link("Back to topics", "/console/mapping/topics"),
        intro=["Say afterwards from which guidance it is drawn: until then nothing can be mapped to it."],
        forms=[ShortForm("/console/mapping/topics/add", "Add the topic", fields)],
    )


def _given(form: Form) -> taxonomy.NewTopic:
    return taxonomy.NewTopic(
        form.text("code"),
        form.text("title"),
        form.text("theme"),
        form.text("audience"),
        form.texts("mandatory_in"),
        form.text("retired") == "yes",
    )


async def topics_file(request: Request) -> Response:
    """All topics as a CSV."""
    return csv_of("topics.csv", await _topics(request))


async def _references(session: Any) -> dict[Any, list[Any]]:
    rows = await session.execute(
        select(TopicReference.topic_id, TopicReference.id, GuidanceDocument.code, GuidanceClause)
        .join(
            GuidanceClause,
            and_(GuidanceClause.tenant_id == TopicReference.tenant_id, GuidanceClause.id == TopicReference.clause_id),
        )
        .join(
            GuidanceDocument,
            and_(
                GuidanceDocument.tenant_id == TopicReference.tenant_id,
                GuidanceDocument.id == GuidanceClause.document_id,
            ),
        )
        .order_by(GuidanceDocument.code, GuidanceClause.number)
    )
    found: dict[Any, list[Any]] = {}
    for topic_id, reference_id, code, clause in rows:
        found.setdefault(topic_id, []).append((reference_id, f"{code} {clause.number}", clause.summary))
    return found


async def _topics(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = list(await session.scalars(select(Topic).order_by(Topic.code)))
        references = await _references(session)
    return Table(
        "Topics",
        ("Topic", "Title", "Theme", "For", "Mandatory in", "Drawn from"),
        [
            (
                Link(row.code, f"/console/mapping/topics/{row.id}"),
                row.title + (" (retired)" if row.status == "retired" else ""),
                row.theme,
                row.audience,
                [SETTINGS.get(setting, setting) for setting in row.mandatory_in],
                [name for _, name, _ in references.get(row.id, [])] or "No reference: a fault",
            )
            for row in rows
        ],
        "/console/mapping/topics.csv",
        nothing="There are no topics yet. Load the base taxonomy on the mapping page, or add one of your own.",
    )


async def topic(request: Request) -> Response:
    """One topic with its references."""
    return await _topic_page(request, 200, [])


async def _topic_page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    async with tenant_reads(request) as session:
        row = (await session.scalars(select(Topic).where(Topic.id == request.path_params["topic_id"]))).first()
        if row is None:
            raise HTTPException(404)
        references = (await _references(session)).get(row.id, [])
        documents = await session.execute(
            select(GuidanceDocument.id, GuidanceDocument.code, GuidanceDocument.title)
            .where(GuidanceDocument.status == "current")
            .order_by(GuidanceDocument.code)
        )
        listed = [(one.id, f"{one.code}: {one.title}") for one in documents]
    names = ("code", "title", "theme", "audience", "mandatory_in")
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    if form is not None:
        values |= {name: form.text(name) for name in TOPIC_FIELDS if name in form.fields}
        if "title" in form.fields:  # of the two forms, the one that has these boxes; none ticked sends none
            values["mandatory_in"] = form.texts("mandatory_in")
    return render(
        request,
        "topic.jinja",
        status=status,
        problems=problems,
        values=values,
        topic=row,
        references=references,
        documents=listed,
        settings=SETTINGS,
        writes=may_write(request),
    )


async def topic_save(request: Request) -> Response:
    """Change a topic."""
    form = await form_of(request)
    topic_id = request.path_params["topic_id"]
    await _there(request)
    given = _given(form)
    try:
        async with tenant_work(request) as work:
            await taxonomy.save_topic(work, given, topic_id, version_of(form))
    except TrainingRefusal as refusal:
        return await _topic_page(request, 422, [problem(refusal, TOPIC_FIELDS)], form)
    return redirect(f"/console/mapping/topics/{topic_id}", done="topic-saved")


async def topic_reference(request: Request) -> Response:
    """Draw the topic from a part of a document."""
    form = await form_of(request)
    topic_id = request.path_params["topic_id"]
    await _there(request)
    try:
        async with tenant_work(request) as work:
            document = needed_key(form, "document", "a document")
            await taxonomy.add_reference(work, topic_id, document, form.text("number"), form.text("summary"))
    except TrainingRefusal as refusal:
        return await _topic_page(request, 422, [problem(refusal, TOPIC_FIELDS)], form)
    except Invalid as invalid:
        return await _topic_page(request, 422, [invalid.problem], form)
    return redirect(f"/console/mapping/topics/{topic_id}", done="topic-saved")


async def topic_reference_remove(request: Request) -> Response:
    """Take a reference away."""
    try:
        async with tenant_work(request) as work:
            topic_id = await taxonomy.remove_reference(work, request.path_params["reference_id"])
    except TrainingRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"/console/mapping/topics/{topic_id}", done="topic-saved")


async def guidance(request: Request) -> Response:
    """All documents, and a form to add one."""
    return await _guidance_page(request, 200, [])


async def guidance_file(request: Request) -> Response:
    """All documents as a CSV."""
    return csv_of("guidance.csv", await _guidance(request))


async def _guidance(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = list(await session.scalars(select(GuidanceDocument).order_by(GuidanceDocument.code)))
    return Table(
        "Guidance",
        ("Code", "Title", "Kind", "Edition", "Review by", "State"),
        [
            (
                row.code,
                row.title,
                KINDS[row.kind],
                row.edition,
                row.review_on,
                "In force" if row.status == "current" else "Withdrawn",
            )
            for row in rows
        ],
        "/console/mapping/guidance.csv",
    )


async def _guidance_page(request: Request, status: int, problems: list[Problem], form: Form | None = None) -> Response:
    newest = select(CertificateTemplate.disclaimer).order_by(CertificateTemplate.version.desc()).limit(1)
    async with tenant_reads(request) as session:
        disclaimer = (await session.scalars(newest)).first()
    return render(
        request,
        "guidance.jinja",
        status=status,
        problems=problems,
        values={name: form.text(name) for name in DOCUMENT_FIELDS} if form else {},
        table=await _guidance(request),
        disclaimer=disclaimer,
        kinds=KINDS,
        writes=may_write(request),
    )


async def guidance_add(request: Request) -> Response:
    """Add a document."""
    form = await form_of(request)
    try:
        given = taxonomy.Guidance(
            form.text("code"),
            form.text("title"),
            form.text("kind"),
            form.text("edition"),
            day(form, "issued_on"),
            day(form, "review_on"),
            form.text("url"),
        )
        async with tenant_work(request) as work:
            await taxonomy.save_guidance(work, given)
    except TrainingRefusal as refusal:
        return await _guidance_page(request, 422, [problem(refusal, DOCUMENT_FIELDS)], form)
    except Invalid as invalid:
        return await _guidance_page(request, 422, [invalid.problem], form)
    return redirect("/console/mapping/guidance", done="guidance-saved")


async def _there(request: Request) -> None:
    async with tenant_reads(request) as session:
        if (await session.scalars(select(Topic.id).where(Topic.id == request.path_params["topic_id"]))).first() is None:
            raise HTTPException(404)


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/mapping/topics", topics, needs=_READ),
    page("/mapping/topics.csv", topics_file, needs=_READ),
    page("/mapping/topics/add", topic_add, needs=_WRITE, methods=("GET", "POST")),
    page("/mapping/topics/{topic_id:uuid}", topic, needs=_READ),
    page("/mapping/topics/{topic_id:uuid}/save", topic_save, needs=_WRITE, methods=("POST",)),
    page("/mapping/topics/{topic_id:uuid}/reference", topic_reference, needs=_WRITE, methods=("POST",)),
    page("/mapping/references/{reference_id:uuid}/remove", topic_reference_remove, needs=_WRITE, methods=("POST",)),
    page("/mapping/guidance", guidance, needs=_READ),
    page("/mapping/guidance.csv", guidance_file, needs=_READ),
    page("/mapping/guidance/add", guidance_add, needs=_WRITE, methods=("POST",)),
]
