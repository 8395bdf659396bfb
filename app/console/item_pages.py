"""Items under governance: a new one, one with its history, and changing it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Uuid, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.choices import latest_sessions
from app.console.governance_pages import BACK, HOME, OWN_KINDS, may_govern, organisations, page_of, sees_names
from app.console.governance_words import CHANGES, ITEM_KINDS, ITEM_STATES
from app.console.pages import Problem, form_of, page, redirect, tenant_reads, tenant_work
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import (
    Invalid,
    asked_word,
    chosen_word,
    day,
    key,
    needed_day,
    needed_key,
    problem_of,
    typed,
    version_of,
)
from app.governance import items, reports
from app.governance.models import GovernanceItem, PartnerOrganisation
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from tenants.clock import london_date

FIELDS = (
    *("kind", "title", "details", "owner", "owner_role", "owner_organisation", "review_on", "due_on", "session"),
    "status",
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the address says of a new item: its kind, and the forum that asked for it."""

    kind: str | None
    forum: TrainingSession | None

    @property
    def back(self) -> Link:
        """Where somebody comes from."""
        if self.forum is not None:
            return Link("Back to the forum", f"{HOME}/forums/{self.forum.id}")
        return Link("Back to feedback", f"{HOME}/feedback") if self.kind == "feedback_theme" else BACK

    @property
    def title(self) -> str:
        """What the page is for."""
        titles = {"forum_action": "Add an action of a forum", "feedback_theme": "Raise a theme of feedback"}
        return titles.get(self.kind or "", "Put something under governance")

    @property
    def path(self) -> str:
        """Where the form is sent: it keeps what the address says."""
        said = {"kind": self.kind, "session": self.forum and str(self.forum.id)}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{HOME}/items/add{'?' if query else ''}{query}"


async def _begun(request: Request) -> _Begun:
    kind, asked = asked_word(request, "kind", OWN_KINDS), request.query_params.get("session", "")
    if kind != "forum_action" or not asked:
        return _Begun(kind, None)
    try:
        found = select(TrainingSession).where(TrainingSession.id == UUID(asked), TrainingSession.kind == "forum")
    except ValueError as error:
        raise HTTPException(404) from error
    async with tenant_reads(request) as session:
        forum = (await session.scalars(found)).first()
    if forum is None:
        raise HTTPException(404)
    return _Begun(kind, forum)


async def item_add(request: Request) -> Response:
    """Put something under governance."""
    begun = await _begun(request)
    if request.method == "GET":
        return await _add_page(request, begun, 200, [], {})
    form = await form_of(request)
    try:
        kind = begun.kind or chosen_word(form, "kind", OWN_KINDS, "what kind it is")
        given = items.ItemGiven(
            kind,
            form.text("title"),
            form.text("owner"),
            needed_key(form, "owner_organisation", "the organisation that owns it"),
            needed_day(form, "review_on", "the day on which it is to be reviewed"),
            form.text("details"),
            form.text("owner_role"),
            day(form, "due_on"),
            begun.forum.id if begun.forum else key(form, "session"),
        )
        async with tenant_work(request) as work:
            item_id = await items.create_item(work, given)
    except (TrainingRefusal, Invalid) as error:
        return await _add_page(request, begun, 422, [problem_of(error, FIELDS)], typed(form, FIELDS))
    return redirect(f"{HOME}/forums/{begun.forum.id}" if begun.forum else page_of(kind, item_id), done="item-added")


async def _add_page(
    request: Request, begun: _Begun, status: int, problems: list[Problem], values: dict[str, Any]
) -> Response:
    due = "An action of a forum needs a day; for others it is optional." if begun.kind is None else None
    fields = [
        Field("text", "title", "Title"),
        Field("long", "details", "Details (optional)"),
        Field("text", "owner", "Owner", "The person who sees to it."),
        Field("text", "owner_role", "Owner’s role (optional)"),
        Field("choice", "owner_organisation", "Organisation that owns it", options=await organisations(request)),
        Field("date", "review_on", "Review on"),
    ]
    if begun.kind is None:
        fields.insert(0, Field("choice", "kind", "Kind", options=list(OWN_KINDS.items())))
    if begun.kind != "feedback_theme":
        fields.append(Field("date", "due_on", "Due on", due))
    if begun.kind in (None, "forum_action") and begun.forum is None:
        forums = await latest_sessions(request, "forum")
        fields.append(
            Field("choice", "session", "Forum that asked for it", "For an action of a forum.", forums, "None")
        )
    return report(
        request,
        begun.title,
        status=status,
        problems=problems,
        values=values,
        caption=f"{begun.forum.title}, {london_date(begun.forum.starts_at):%-d %B %Y}" if begun.forum else "",
        back=begun.back,
        intro=["If the organisation is not in the list, add it to the partners first."],
        forms=[ShortForm(begun.path, "Save", fields)],
    )


async def item(request: Request) -> Response:
    """One item with its history."""
    return await _item_page(request, 200, [], {})


async def _item(request: Request) -> tuple[GovernanceItem, str, list[Any]]:
    async with tenant_reads(request) as session:
        row = (
            await session.scalars(select(GovernanceItem).where(GovernanceItem.id == request.path_params["item_id"]))
        ).first()
        if row is None:
            raise HTTPException(404)
        partner = await session.get_one(PartnerOrganisation, (row.tenant_id, row.owner_organisation_id))
        told = reports.history(literal(row.tenant_id, Uuid()), "governance_item", literal(row.id, Uuid()))
        return row, partner.name, list((await session.execute(told)).all())


async def _item_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    row, organisation, history = await _item(request)
    facts: list[tuple[str, Any]] = [
        ("State", ITEM_STATES[row.status]),
        ("Owner", row.owner if sees_names(request) else "Not shown"),
        ("Role", row.owner_role),
        ("Organisation", organisation),
        ("Review", row.review_on),
        ("Due", row.due_on),
        ("Details", row.details),
    ]
    if row.session_id is not None:
        facts.append(("Forum", Link("The forum that asked for it", f"{HOME}/forums/{row.session_id}")))
    fields = [
        Field("choice", "status", "State", options=list(ITEM_STATES.items()), any="As it is"),
        Field("text", "title", "Title"),
        Field("long", "details", "Details (optional)"),
        Field("text", "owner", "Owner"),
        Field("text", "owner_role", "Owner’s role (optional)"),
        Field("choice", "owner_organisation", "Organisation", options=await organisations(request), any="As it is"),
        Field("date", "review_on", "Review on"),
        Field("date", "due_on", "Due on (optional)"),
    ]
    now: dict[str, Any] = {
        "status": row.status,
        "title": row.title,
        "details": row.details or "",
        "owner": row.owner,
        "owner_role": row.owner_role or "",
        "owner_organisation": row.owner_organisation_id,
        "review_on": row.review_on.isoformat(),
        "due_on": row.due_on.isoformat() if row.due_on else "",
    }
    change = ShortForm(f"{HOME}/items/{row.id}/change", "Save", fields, "Change it", row.version)
    return report(
        request,
        row.title,
        status=status,
        problems=problems,
        values=now | values,
        caption=ITEM_KINDS[row.kind],
        back=Link("Back to the theme", page_of(row.kind, row.id)) if row.kind == "feedback_theme" else BACK,
        facts=facts,
        tables=[_history(f"{HOME}/items/{row.id}/history.csv", history)],
        forms=[change] if may_govern(request) and sees_names(request) else [],
    )


def _history(path: str, history: list[Any]) -> Table:
    rows = [
        (entry.at, CHANGES.get(entry.action, entry.action), _differences(entry.before, entry.after))
        for entry in history
    ]
    return Table("History", ("When", "What", "Difference"), rows, path)


def _differences(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if before is None:
        return ""
    changed = {name: value for name, value in (after or {}).items() if before.get(name) != value}
    named = {"status": "state", "review_on": "review", "due_on": "due", "owner_organisation_id": "organisation"}
    texts = []
    for name, value in changed.items():
        shown = ITEM_STATES.get(str(value), value)
        plain = name in ("owner_changed", "owner_organisation_id")
        texts.append(f"{named.get(name, name.split('_')[0])} changed" if plain else f"{named.get(name, name)}: {shown}")
    return ", ".join(texts)


async def item_history_file(request: Request) -> Response:
    """The history of an item as a CSV."""
    _, _, history = await _item(request)
    table = _history("", history)
    return csv_of("history.csv", table)


async def item_change(request: Request) -> Response:
    """Change an item."""
    form = await form_of(request)
    await _item(request)
    try:
        change = items.ItemChange(
            title=form.text("title"),
            details=form.text("details"),
            owner_role=form.text("owner_role"),
            owner=form.text("owner"),
            owner_organisation_id=key(form, "owner_organisation"),
            review_on=day(form, "review_on"),
            due_on=day(form, "due_on"),
            status=form.text("status") or None,
        )
        async with tenant_work(request) as work:
            await items.change_item(work, request.path_params["item_id"], change, version=version_of(form))
    except (TrainingRefusal, Invalid) as error:
        return await _item_page(request, 422, [problem_of(error, FIELDS)], typed(form, FIELDS))
    return redirect(f"{HOME}/items/{request.path_params['item_id']}", done="item-changed")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE

ROUTES = [
    page("/governance/items/add", item_add, needs=_WRITE, methods=("GET", "POST")),
    page("/governance/items/{item_id:uuid}", item, needs=_READ),
    page("/governance/items/{item_id:uuid}/history.csv", item_history_file, needs=_READ),
    page("/governance/items/{item_id:uuid}/change", item_change, needs=_WRITE, methods=("POST",)),
]
