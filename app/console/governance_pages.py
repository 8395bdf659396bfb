"""Governance: what is owned, due and overdue; items with their history; partners."""

from datetime import date
from typing import Any

from sqlalchemy import Uuid, and_, func, literal, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_words import CHANGES, ITEM_KINDS, ITEM_STATES, PARTNER_KINDS
from app.console.pages import (
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.console.reports import Field, Filter, ShortForm, one_file, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, asked_word, day, key, needed_day, needed_key, problem, typed, version_of
from app.governance import items, reports
from app.governance.models import (
    GovernanceItem,
    PartnerOrganisation,
)
from app.governance.rules import overdue
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from app.training.models import TrainingSession
from tenants.clock import london_date

HOME = "/console/governance"
BACK = Link("Back to governance", HOME)
OWN_KINDS = {kind: name for kind, name in ITEM_KINDS.items() if kind != "plan_action"}
FIELDS = (
    *("kind", "title", "details", "owner", "owner_role", "owner_organisation", "review_on", "due_on", "session"),
    *("status", "name"),
)


def today_of(request: Request) -> date:
    """Today in England."""
    return london_date(services_of(request).clock())


def may_govern(request: Request) -> bool:
    """Whether the person may change what is governed."""
    return principal_here(request).may(Permission.GOVERNANCE_WRITE)


def sees_names(request: Request) -> bool:
    """Whether the person may see names."""
    return principal_here(request).may(Permission.PEOPLE_READ)


async def governance(request: Request) -> Response:
    """What is open, due and overdue."""
    tables = await _tables(request)
    writes = may_govern(request)
    actions = [Link("Put something under governance", f"{HOME}/items/add"), Link("Partners", f"{HOME}/partners")]
    links = [
        Link("Action plans", f"{HOME}/plans"),
        Link("Strategic objectives and recognitions", f"{HOME}/objectives"),
        Link("Feedback and what changed because of it", f"{HOME}/feedback"),
        Link("Incidents with medicines", f"{HOME}/incidents"),
    ]
    chosen = asked_word(request, "kind", OWN_KINDS) or ""
    return report(
        request,
        "Governance",
        intro=["Policies, decisions, risks, actions and themes, each owned by somebody of a partner organisation."],
        actions=actions if writes else actions[1:],
        links=links,
        narrowed=Filter(HOME, "kind", "Kind", list(OWN_KINDS.items()), chosen),
        tables=tables.values(),
        query=f"?kind={chosen}" if chosen else "",
    )


async def governance_file(request: Request) -> Response:
    """One of the tables as a CSV."""
    return one_file(request, await _tables(request))


async def _tables(request: Request) -> dict[str, Table]:
    today, kind, names = today_of(request), asked_word(request, "kind", OWN_KINDS), sees_names(request)
    listed = (
        select(GovernanceItem, PartnerOrganisation.name)
        .join(
            PartnerOrganisation,
            and_(
                PartnerOrganisation.tenant_id == GovernanceItem.tenant_id,
                PartnerOrganisation.id == GovernanceItem.owner_organisation_id,
            ),
        )
        .order_by(GovernanceItem.closed_at.is_not(None), GovernanceItem.review_on, GovernanceItem.id)
        .limit(1000)
    )
    if kind is not None:
        listed = listed.where(GovernanceItem.kind == kind)
    async with tenant_reads(request) as session:
        late = await reports.late(session, today)
        counts = await reports.counts_by_kind(session, today)
        rows = (await session.execute(listed)).all()
    late_rows = [
        (
            Link(row.title, f"{HOME}/{'plans' if row.kind == 'plan_action' else 'items'}/{_page_of(row)}"),
            ITEM_KINDS[row.kind],
            row.organisation,
            row.owner if names else None,
            row.due_on,
            ITEM_STATES[row.status],
        )
        for row in late
    ]
    item_rows = [
        (
            Link(item.title, f"{HOME}/items/{item.id}"),
            ITEM_KINDS[item.kind],
            organisation,
            item.review_on,
            item.due_on,
            "Overdue" if overdue(item.due_on, item.status, today) else ITEM_STATES[item.status],
        )
        for item, organisation in rows
    ]
    return {
        "overdue": Table(
            "Overdue actions",
            ("What", "Kind", "Organisation", "Owner", "Due", "State"),
            late_rows,
            f"{HOME}/overdue.csv",
            nothing="Nothing is overdue.",
        ),
        "counts": Table(
            "What is open",
            ("Kind", "Open", "Overdue", "Past the review date"),
            [(ITEM_KINDS[row.kind], row.open, row.overdue, row.review_due) for row in counts],
            f"{HOME}/counts.csv",
            (1, 2, 3),
        ),
        "items": Table(
            "Items, those to be reviewed first",
            ("What", "Kind", "Organisation", "Review", "Due", "State"),
            item_rows,
            f"{HOME}/items.csv",
            nothing="There are no such items yet.",
        ),
    }


def _page_of(row: reports.Late) -> Any:
    return row.belongs_to if row.kind == "plan_action" else row.id


async def organisations(request: Request) -> list[tuple[Any, str]]:
    """Partners to choose from."""
    async with tenant_reads(request) as session:
        rows = await session.execute(
            select(PartnerOrganisation.id, PartnerOrganisation.name).order_by(PartnerOrganisation.name)
        )
        return [(row[0], row[1]) for row in rows]


async def _forums(request: Request) -> list[tuple[Any, str]]:
    async with tenant_reads(request) as session:
        rows = await session.scalars(
            select(TrainingSession)
            .where(TrainingSession.kind == "forum")
            .order_by(TrainingSession.starts_at.desc(), TrainingSession.id)
            .limit(100)
        )
        return [(row.id, f"{row.title}, {row.starts_at:%-d %B %Y}") for row in rows]


async def item_add(request: Request) -> Response:
    """Put something under governance."""
    if request.method == "GET":
        return await _add_page(request, 200, [], {})
    form = await form_of(request)
    try:
        given = items.ItemGiven(
            form.text("kind"),
            form.text("title"),
            form.text("owner"),
            needed_key(form, "owner_organisation", "the organisation that owns it"),
            needed_day(form, "review_on", "the day on which it is to be reviewed"),
            form.text("details"),
            form.text("owner_role"),
            day(form, "due_on"),
            key(form, "session"),
        )
        async with tenant_work(request) as work:
            item_id = await items.create_item(work, given)
    except TrainingRefusal as refusal:
        return await _add_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _add_page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(f"{HOME}/items/{item_id}", done="item-added")


async def _add_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    fields = [
        Field("choice", "kind", "Kind", options=list(OWN_KINDS.items())),
        Field("text", "title", "Title"),
        Field("long", "details", "Details (optional)"),
        Field("text", "owner", "Owner", "The person who sees to it."),
        Field("text", "owner_role", "Owner’s role (optional)"),
        Field("choice", "owner_organisation", "Organisation that owns it", options=await organisations(request)),
        Field("date", "review_on", "Review on"),
        Field("date", "due_on", "Due on", "An action of a forum needs a day; for others it is optional."),
        Field(
            "choice", "session", "Forum that asked for it", "For an action of a forum.", await _forums(request), "None"
        ),
    ]
    return report(
        request,
        "Put something under governance",
        status=status,
        problems=problems,
        values=values,
        back=BACK,
        intro=["If the organisation is not in the list, add it to the partners first."],
        forms=[ShortForm(f"{HOME}/items/add", "Save", fields)],
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
    fields = [
        Field("choice", "status", "State", options=list(ITEM_STATES.items()), any="As it is"),
        Field("text", "owner", "Owner"),
        Field("choice", "owner_organisation", "Organisation", options=await organisations(request), any="As it is"),
        Field("date", "review_on", "Review on"),
        Field("date", "due_on", "Due on (optional)"),
    ]
    now: dict[str, Any] = {
        "status": row.status,
        "owner": row.owner,
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
        back=BACK,
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
            owner=form.text("owner"),
            owner_organisation_id=key(form, "owner_organisation"),
            review_on=day(form, "review_on"),
            due_on=day(form, "due_on"),
            status=form.text("status") or None,
        )
        async with tenant_work(request) as work:
            await items.change_item(work, request.path_params["item_id"], change, version=version_of(form))
    except TrainingRefusal as refusal:
        return await _item_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    except Invalid as invalid:
        return await _item_page(request, 422, [invalid.problem], typed(form, FIELDS))
    return redirect(f"{HOME}/items/{request.path_params['item_id']}", done="item-changed")


async def partners(request: Request) -> Response:
    """Partner organisations, and a new one."""
    return await _partners_page(request, 200, [], {})


async def _partners(request: Request) -> Table:
    counted = (
        select(PartnerOrganisation.name, PartnerOrganisation.kind, func.count(GovernanceItem.id))
        .outerjoin(
            GovernanceItem,
            and_(
                GovernanceItem.tenant_id == PartnerOrganisation.tenant_id,
                GovernanceItem.owner_organisation_id == PartnerOrganisation.id,
            ),
        )
        .group_by(PartnerOrganisation.id, PartnerOrganisation.name, PartnerOrganisation.kind)
        .order_by(PartnerOrganisation.name)
    )
    async with tenant_reads(request) as session:
        rows = [(name, PARTNER_KINDS[kind], count) for name, kind, count in await session.execute(counted)]
    return Table("Partners", ("Organisation", "Kind", "Items owned"), rows, f"{HOME}/partners/all.csv", (2,))


async def _partners_page(request: Request, status: int, problems: list[Problem], values: dict[str, Any]) -> Response:
    fields = [
        Field("text", "name", "Name"),
        Field("choice", "kind", "Kind", options=list(PARTNER_KINDS.items())),
    ]
    add = ShortForm(f"{HOME}/partners/add", "Add", fields, "Add a partner")
    return report(
        request,
        "Partners",
        status=status,
        problems=problems,
        values=values,
        back=BACK,
        tables=[await _partners(request)],
        forms=[add] if may_govern(request) else [],
    )


async def partners_file(request: Request) -> Response:
    """Partners as a CSV."""
    return csv_of("partners.csv", await _partners(request))


async def partner_add(request: Request) -> Response:
    """Add a partner."""
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            await items.save_partner(work, form.text("name"), form.text("kind"))
    except TrainingRefusal as refusal:
        return await _partners_page(request, 422, [problem(refusal, FIELDS)], typed(form, FIELDS))
    return redirect(f"{HOME}/partners", done="partner-added")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE

ROUTES = [
    page("/governance", governance, needs=_READ),
    page("/governance/items/add", item_add, needs=_WRITE, methods=("GET", "POST")),
    page("/governance/items/{item_id:uuid}", item, needs=_READ),
    page("/governance/items/{item_id:uuid}/history.csv", item_history_file, needs=_READ),
    page("/governance/items/{item_id:uuid}/change", item_change, needs=_WRITE, methods=("POST",)),
    page("/governance/partners", partners, needs=_READ),
    page("/governance/partners/all.csv", partners_file, needs=_READ),
    page("/governance/partners/add", partner_add, needs=_WRITE, methods=("POST",)),
    page("/governance/{table}.csv", governance_file, needs=_READ),
]
