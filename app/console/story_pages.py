"""Success stories: written, consented to, approved by a second person, and withdrawn when somebody asks."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.report_words import STORY_STATES
from app.console.reports import Field, Search, ShortForm, report
from app.console.review_queue import search_learners
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, form_about, key, needed_day, problem_of, typed, version_of
from app.directory.models import Learner
from app.identity.models import StaffMember
from app.identity.permissions import Permission
from app.reporting import stories
from app.reporting.models import SuccessStory
from app.training.errors import TrainingRefusal
from tenants.base import among

HOME = "/console/stories"
BACK = Link("Back to success stories", HOME)
WORDS, CONSENT = ("title", "text", "learner"), ("given_by", "given_on", "document")


def _may_write(request: Request) -> bool:
    return principal_here(request).may(Permission.GOVERNANCE_WRITE)


async def success_stories(request: Request) -> Response:
    """All stories with their consent and state."""
    return report(
        request,
        "Success stories",
        intro=["Reports tell a story once its consent is recorded and a second person has approved it."],
        links=[Link("Reports", "/console/reports")] if principal_here(request).may(Permission.EVIDENCE_READ) else [],
        actions=[Link("Write a story", f"{HOME}/add")] if _may_write(request) else [],
        tables=[await _listed(request)],
    )


async def success_stories_file(request: Request) -> Response:
    """The same as a CSV; it holds titles and states, never the stories."""
    return csv_of("success-stories.csv", await _listed(request))


async def _listed(request: Request) -> Table:
    async with tenant_reads(request) as session:
        rows = await session.scalars(select(SuccessStory).order_by(SuccessStory.created_at.desc(), SuccessStory.id))
        told = [
            (
                Link(row.title, f"{HOME}/{row.id}") if _may_read(request, row) else row.title,
                STORY_STATES[row.state],
                "Recorded" if row.consent_recorded_at else "Not yet",
                row.created_at,
            )
            for row in rows
        ]
    nothing = "No story has been written yet. Write the first one."
    return Table("Stories", ("Title", "State", "Consent", "Written"), told, f"{HOME}/all.csv", nothing=nothing)


def _may_read(request: Request, row: SuccessStory) -> bool:
    """Whether the words may be shown: of a draft, or of a story that was withdrawn, only to those who keep stories."""
    return row.state == "approved" or _may_write(request)


async def success_story_add(request: Request) -> Response:
    """Write a story down."""
    if request.method == "GET":
        return await _add_page(request, 200, [], None)
    form = await form_of(request)
    try:
        learner_id = key(form, "learner")
        async with tenant_work(request) as work:
            made = await stories.write_story(work, form.text("title"), form.text("text"), learner_id)
    except (TrainingRefusal, Invalid) as error:
        return await _add_page(request, 422, [problem_of(error, WORDS)], form)
    return redirect(f"{HOME}/{made}", done="story-written")


async def _add_page(request: Request, status: int, problems: list[Problem], form: Form | None) -> Response:
    words = request.query_params.get("name", "").strip()
    async with tenant_reads(request) as session:
        found = await search_learners(session, words) if words else []
    people = [(one.id, f"{one.name}, {', '.join(one.employers)}" if one.employers else one.name) for one in found]
    fields = _fields()
    if people:
        hint = "Only if the story is about one person whom you know here. Reports never tell this link."
        fields.append(Field("choice", "learner", "Whom it is about (optional)", hint, people, "Nobody of these"))
    nothing = "" if people or not words else "Nobody is found by that. Try a part of the name."
    search = Search(f"{HOME}/add", "name", "Find whom it is about (optional)", words, nothing)
    return report(
        request,
        "Write a story",
        status=status,
        problems=problems,
        values={} if form is None else typed(form, WORDS),
        back=BACK,
        search=search,
        forms=[ShortForm(f"{HOME}/add?{urlencode({'name': words})}" if words else f"{HOME}/add", "Save", fields)],
    )


def _fields() -> list[Field]:
    hint = "Write nothing that the person would not want to read in public. Leave residents’ names out."
    return [Field("text", "title", "Title"), Field("long", "text", "The story", hint, rows=10)]


async def success_story(request: Request) -> Response:
    """One story, its consent and what can be done with it."""
    return await _page(request, 200, [], {})


async def _page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    async with tenant_reads(request) as session:
        row = (
            await session.scalars(select(SuccessStory).where(SuccessStory.id == request.path_params["story_id"]))
        ).one_or_none()
        if row is None or not _may_read(request, row):
            raise HTTPException(404)
        people = [one for one in (row.written_by, row.approved_by, row.consent_recorded_by) if one is not None]
        staff = select(StaffMember.id, StaffMember.display_name).where(among(StaffMember.id, people))
        names: dict[UUID | None, str] = {found.id: found.display_name for found in await session.execute(staff)}
        about = None
        if row.learner_id is not None and principal_here(request).may(Permission.PEOPLE_READ):
            learner = select(Learner.display_name).where(Learner.id == row.learner_id)
            about = (await session.scalars(learner)).one_or_none()
    facts: list[tuple[str, Any]] = [
        ("State", STORY_STATES[row.state]),
        ("Written by", names.get(row.written_by)),
        *([("About", about)] if about else []),
        ("Approved by", names.get(row.approved_by)),
    ]
    if principal_here(request).may(Permission.PEOPLE_READ):
        facts += [
            ("Consent given by", row.consent_given_by),
            ("Consent given on", row.consent_given_on),
            ("Where it is written", row.consent_document),
            ("Consent recorded by", names.get(row.consent_recorded_by)),
            ("Consent withdrawn", row.consent_withdrawn_at),
        ]
    return report(
        request,
        row.title,
        status=status,
        problems=problems,
        values=values or {"title": row.title, "text": row.text},
        caption="Success story",
        back=BACK,
        facts=[(name, value) for name, value in facts if value is not None],
        texts=[("The story", row.text)],
        forms=_forms(request, row) if _may_write(request) else [],
    )


def _forms(request: Request, row: SuccessStory) -> list[ShortForm]:
    path = f"{HOME}/{row.id}"
    consent = ShortForm(
        f"{path}/consent",
        "Record the consent",
        [
            Field("text", "given_by", "Who gave consent", "The person the story is about, or who may speak for them."),
            Field("date", "given_on", "Given on"),
            Field("text", "document", "Where it is written", "Such as the name of the signed form and who keeps it."),
        ],
        "Consent",
        row.version,
    )
    approve = ShortForm(f"{path}/approve", "Approve", [], "Approve it", row.version)
    change = ShortForm(f"{path}/change", "Save", _fields(), "Change it", row.version, second=True)
    withdraw = ShortForm(
        f"{path}/withdraw", "Consent is withdrawn", [], "When consent is withdrawn", row.version, second=True
    )
    if row.state == "withdrawn":
        return []
    if row.state == "approved":
        return [withdraw]
    first = [consent] if row.consent_recorded_at is None else []
    own = row.written_by == principal_here(request).id
    ready = [approve] if row.consent_recorded_at is not None and not own else []
    return [*first, *ready, change, *([withdraw] if row.consent_recorded_at is not None else [])]


async def success_story_do(request: Request) -> Response:
    """Change it, record its consent, approve it, or write down that consent is withdrawn."""
    what, story_id = request.path_params["what"], request.path_params["story_id"]
    form = await form_about(request, SuccessStory, story_id)
    version, names = version_of(form), WORDS if what == "change" else CONSENT
    try:
        async with tenant_work(request) as work:
            if what == "change":
                await stories.change_story(work, story_id, version, form.text("title"), form.text("text"))
            elif what == "consent":
                given_on = needed_day(form, "given_on", "the day on which consent was given")
                consent = stories.Consent(form.text("given_by"), given_on, form.text("document"))
                await stories.record_consent(work, story_id, version, consent)
            elif what == "approve":
                await stories.approve_story(work, story_id, version)
            elif what == "withdraw":
                await stories.withdraw_consent(work, story_id, version)
            else:
                raise HTTPException(404)
    except (TrainingRefusal, Invalid) as error:
        if isinstance(error, TrainingRefusal) and error.code == "NO_SUCH_STORY":
            raise HTTPException(404) from error
        return await _page(request, 422, [problem_of(error, names)], typed(form, names))
    return redirect(f"{HOME}/{story_id}", done=f"story-{what}")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE

ROUTES = [
    page("/stories", success_stories, needs=_READ),
    page("/stories/all.csv", success_stories_file, needs=_READ),
    page("/stories/add", success_story_add, needs=_WRITE, methods=("GET", "POST")),
    page("/stories/{story_id:uuid}", success_story, needs=_READ),
    page("/stories/{story_id:uuid}/{what}", success_story_do, needs=_WRITE, methods=("POST",)),
]
