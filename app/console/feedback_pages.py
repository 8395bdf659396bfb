"""Feedback that leads to changes: themes, what each cites, and what was changed because of it."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.feedback_form_pages import FEEDBACK, subject_fields
from app.console.feedback_responses import Asked, answers_of, cited, responses_not_cited
from app.console.governance_pages import BACK, HOME, may_govern, sees_names
from app.console.governance_words import ITEM_STATES
from app.console.pages import Form, Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, Filter, Search, ShortForm, one_file, report
from app.console.tables import Link, Table
from app.console.training_forms import Invalid, key, keys, needed_day, problem_of, typed
from app.governance import themes as operations
from app.governance.models import (
    ChangeTheme,
    ContentChange,
    GovernanceItem,
    PartnerOrganisation,
    ThemeResponse,
)
from app.governance.rules import CLOSED
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import Course, FeedbackForm, TrainingSession

CHANGE_FIELDS = ("description", "changed_on", "course", "session", "themes")
SHOWN = 500


async def feedback(request: Request) -> Response:
    """Themes of feedback with what they cite, and what was changed because of them."""
    raise_one = Link("Raise a theme", f"{HOME}/items/add?kind=feedback_theme")
    return report(
        request,
        "Feedback and what changed because of it",
        back=BACK,
        intro=["Open a theme to choose the responses that speak of it, and to write down what was changed."],
        actions=[raise_one] if may_govern(request) else [],
        links=[Link("What each feedback form asked about", f"{FEEDBACK}/forms")],
        tables=(await _lists(request)).values(),
    )


async def feedback_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    return one_file(request, await _lists(request))


async def _lists(request: Request) -> dict[str, Table]:
    listed = (
        select(GovernanceItem, func.count(ThemeResponse.id))
        .outerjoin(
            ThemeResponse,
            and_(ThemeResponse.tenant_id == GovernanceItem.tenant_id, ThemeResponse.theme_id == GovernanceItem.id),
        )
        .where(GovernanceItem.kind == "feedback_theme")
        .group_by(GovernanceItem.tenant_id, GovernanceItem.id)
        .order_by(GovernanceItem.created_at.desc(), GovernanceItem.id)
        .limit(SHOWN)
    )
    async with tenant_reads(request) as session:
        themes = (await session.execute(listed)).all()
        changes = await _changes(session, None)
    because: dict[UUID, list[str]] = {}
    for change, _, theme_ids in changes:
        for theme_id in theme_ids:
            because.setdefault(theme_id, []).append(change.description)
    return {
        "themes": Table(
            "Themes of feedback",
            ("Theme", "State", "Responses cited", "What was changed"),
            [
                (Link(theme.title, f"{FEEDBACK}/{theme.id}"), ITEM_STATES[theme.status], count, because.get(theme.id))
                for theme, count in themes
            ],
            f"{FEEDBACK}/themes.csv",
            (2,),
            "No theme has been raised yet.",
        ),
        "changes": _change_table(changes, {theme.id: theme.title for theme, _ in themes}, f"{FEEDBACK}/changes.csv"),
    }


async def _changes(session: Any, theme_id: UUID | None) -> list[tuple[ContentChange, str, list[UUID]]]:
    """Changes of content because of a theme, or all: each with its course or session and the ids of its themes."""
    listed = (
        select(ContentChange, func.coalesce(Course.title, TrainingSession.title))
        .outerjoin(Course, and_(Course.tenant_id == ContentChange.tenant_id, Course.id == ContentChange.course_id))
        .outerjoin(
            TrainingSession,
            and_(TrainingSession.tenant_id == ContentChange.tenant_id, TrainingSession.id == ContentChange.session_id),
        )
        .order_by(ContentChange.changed_on.desc(), ContentChange.id)
        .limit(SHOWN)
    )
    if theme_id is not None:
        ours = select(ChangeTheme.change_id).where(ChangeTheme.theme_id == theme_id)
        listed = listed.where(ContentChange.id.in_(ours))
    rows = (await session.execute(listed)).all()
    ties: dict[UUID, list[UUID]] = {}
    for tie in await session.scalars(select(ChangeTheme).order_by(ChangeTheme.id)):
        ties.setdefault(tie.change_id, []).append(tie.theme_id)
    return [(change, title, ties.get(change.id, [])) for change, title in rows]


def _change_table(changes: list[tuple[ContentChange, str, list[UUID]]], titles: dict[UUID, str], path: str) -> Table:
    return Table(
        "Changes of content",
        ("Day", "Course or session", "What was changed", "Because of"),
        [
            (change.changed_on, title, change.description, [titles[one] for one in theme_ids if one in titles])
            for change, title, theme_ids in changes
        ],
        path,
        nothing="Nothing has been changed because of feedback yet.",
    )


async def theme(request: Request) -> Response:
    """One theme: the responses that it cites, and what was changed because of it."""
    row, organisation = await _theme(request)
    tables = await _theme_tables(request, row)
    path, writes = f"{FEEDBACK}/{row.id}", may_govern(request) and sees_names(request)
    actions = [
        Link("Choose responses", f"{path}/responses"),
        Link("Write down a change because of it", f"{path}/change"),
    ]
    return report(
        request,
        row.title,
        caption="Theme of feedback",
        back=Link("Back to feedback", FEEDBACK),
        facts=[
            ("State", ITEM_STATES[row.status]),
            ("Owner", row.owner if sees_names(request) else "Not shown"),
            ("Organisation", organisation),
            ("Review", row.review_on),
            ("Details", row.details),
        ],
        actions=actions if writes else [],
        links=[Link("Its history, and changing its owner, review and state", f"{HOME}/items/{row.id}")],
        tables=tables.values(),
    )


async def theme_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    row, _ = await _theme(request)
    return one_file(request, await _theme_tables(request, row))


async def _theme(request: Request) -> tuple[GovernanceItem, str]:
    found = (
        select(GovernanceItem, PartnerOrganisation.name)
        .join(
            PartnerOrganisation,
            and_(
                PartnerOrganisation.tenant_id == GovernanceItem.tenant_id,
                PartnerOrganisation.id == GovernanceItem.owner_organisation_id,
            ),
        )
        .where(GovernanceItem.id == request.path_params["theme_id"], GovernanceItem.kind == "feedback_theme")
    )
    async with tenant_reads(request) as session:
        row = (await session.execute(found)).first()
    if row is None:
        raise HTTPException(404)
    return row[0], row[1]


async def _theme_tables(request: Request, row: GovernanceItem) -> dict[str, Table]:
    path, names = f"{FEEDBACK}/{row.id}", sees_names(request)
    async with tenant_reads(request) as session:
        responses = await cited(session, row.id, SHOWN)
        answers = await answers_of(session, [one.id for one in responses], names=names)
        changes = await _changes(session, row.id)
        listed = select(GovernanceItem.id, GovernanceItem.title).where(GovernanceItem.kind == "feedback_theme")
        titles = {one.id: one.title for one in await session.execute(listed)}
    return {
        "responses": Table(
            "Responses that speak of it",
            ("Given", "Form", "Answers"),
            [(one.submitted_at, one.form, answers.get(one.id)) for one in responses],
            f"{path}/responses.csv",
            nothing="No response is cited yet.",
        ),
        "changes": _change_table(changes, titles, f"{path}/changes.csv"),
    }


async def theme_cite(request: Request) -> Response:
    """Choose the responses that speak of a theme."""
    row, _ = await _theme(request)
    if request.method == "GET":
        return await _cite_page(request, row, 200, [], None)
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await operations.cite(work, row.id, keys(form, "responses"))
    except (TrainingRefusal, Invalid) as error:
        return await _cite_page(request, row, 422, [problem_of(error, ("responses",))], form)
    return redirect(f"{FEEDBACK}/{row.id}", done="feedback-cited")


async def _cite_page(
    request: Request, row: GovernanceItem, status: int, problems: list[Problem], form: Form | None
) -> Response:
    path, asked = f"{FEEDBACK}/{row.id}/responses", Asked.of(request)
    async with tenant_reads(request) as session:
        listed = await session.execute(select(FeedbackForm.id, FeedbackForm.title).order_by(FeedbackForm.title))
        forms = [(one.id, one.title) for one in listed]
        found, count = await responses_not_cited(session, row.id, asked)
        answers = await answers_of(session, [one.id for one in found], names=True)
    boxes = Field(
        "many",
        "responses",
        f"Responses {asked.first:,} to {asked.first + len(found) - 1:,} of {count:,}, the latest first",
        "Tick those that speak of the theme. Those that it cites already are not shown.",
        [(one.id, f"{one.form}, {one.submitted_at:%-d %B %Y}") for one in found],
        more={one.id: answers.get(one.id, "No answers") for one in found},
    )
    pages = []
    if asked.page > 1:
        pages.append(Link("Later responses", f"{path}{asked.query(asked.page - 1)}"))
    if asked.first + len(found) <= count:
        pages.append(Link("Earlier responses", f"{path}{asked.query(asked.page + 1)}"))
    return report(
        request,
        "Choose responses",
        status=status,
        problems=problems,
        values={"responses": form.texts("responses") if form else []},
        caption=row.title,
        back=Link("Back to the theme", f"{FEEDBACK}/{row.id}"),
        narrowed=Filter(path, "form", "Form", forms, str(asked.form or ""), keep={"words": asked.words}),
        search=Search(
            path,
            "words",
            "Words of an answer",
            asked.words,
            "" if found else "There are no such responses that the theme does not cite already.",
            {"form": str(asked.form or "")},
        ),
        forms=[ShortForm(f"{path}{asked.query(asked.page)}", "Cite those that are ticked", [boxes])] if found else [],
        pages=pages,
    )


async def theme_change(request: Request) -> Response:
    """Write down what was changed in a course or session because of a theme."""
    row, _ = await _theme(request)
    if request.method == "GET":
        return await _change_page(request, row, 200, [], None)
    form = await form_of(request)
    try:
        changed_on = needed_day(form, "changed_on", "the day of the change")
        async with tenant_work(request) as work:
            await operations.change_content(
                work,
                form.text("description"),
                changed_on,
                [row.id, *keys(form, "themes")],
                course_id=key(form, "course"),
                session_id=key(form, "session"),
            )
    except (TrainingRefusal, Invalid) as error:
        return await _change_page(request, row, 422, [problem_of(error, CHANGE_FIELDS)], form)
    return redirect(f"{FEEDBACK}/{row.id}", done="content-changed")


async def _change_page(
    request: Request, row: GovernanceItem, status: int, problems: list[Problem], form: Form | None
) -> Response:
    others = (
        select(GovernanceItem.id, GovernanceItem.title)
        .where(
            GovernanceItem.kind == "feedback_theme", GovernanceItem.id != row.id, GovernanceItem.status.not_in(CLOSED)
        )
        .order_by(GovernanceItem.title, GovernanceItem.id)
        .limit(50)
    )
    async with tenant_reads(request) as session:
        themes = [(one.id, one.title) for one in await session.execute(others)]
    fields = [
        Field("long", "description", "What was changed"),
        Field("date", "changed_on", "Changed on"),
        *await subject_fields(request),
    ]
    if themes:
        fields.append(Field("many", "themes", "Other themes that led to it (optional)", options=themes))
    return report(
        request,
        "Write down a change",
        status=status,
        problems=problems,
        values=typed(form, CHANGE_FIELDS) | {"themes": form.texts("themes")} if form else {},
        caption=row.title,
        back=Link("Back to the theme", f"{FEEDBACK}/{row.id}"),
        forms=[ShortForm(f"{FEEDBACK}/{row.id}/change", "Save", fields)],
    )


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE
_PEOPLE = Permission.PEOPLE_READ
_THEME = "/governance/feedback/{theme_id:uuid}"

ROUTES = [
    page("/governance/feedback", feedback, needs=_READ),
    page(_THEME, theme, needs=_READ),
    page(f"{_THEME}/responses", theme_cite, needs=_WRITE, also=_PEOPLE, methods=("GET", "POST")),
    page(f"{_THEME}/change", theme_change, needs=_WRITE, methods=("GET", "POST")),
    page(f"{_THEME}/{{table}}.csv", theme_file, needs=_READ),
    page("/governance/feedback/{table}.csv", feedback_file, needs=_READ),
]
