"""Governance: what is owned, due and overdue; partners."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_words import ITEM_KINDS, ITEM_STATES, PARTNER_KINDS
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
from app.console.training_forms import Invalid, asked_word, chosen_word, problem_of, typed
from app.governance import items, reports
from app.governance.models import (
    GovernanceItem,
    PartnerOrganisation,
)
from app.governance.rules import overdue
from app.identity.permissions import Permission
from app.training.errors import TrainingRefusal
from tenants.clock import london_date

HOME = "/console/governance"
BACK = Link("Back to governance", HOME)
OWN_KINDS = {kind: name for kind, name in ITEM_KINDS.items() if kind != "plan_action"}
FIELDS = ("name", "kind")


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
        Link("Forums: minutes and actions", f"{HOME}/forums"),
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
            Link(row.title, page_of(row.kind, row.id, row.belongs_to)),
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
            Link(item.title, page_of(item.kind, item.id)),
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


def page_of(kind: str, item_id: UUID, plan_id: UUID | None = None) -> str:
    """The page of an item, or of the plan of an action."""
    if kind == "plan_action":
        return f"{HOME}/plans/{plan_id}"
    return f"{HOME}/{'feedback' if kind == 'feedback_theme' else 'items'}/{item_id}"


async def organisations(request: Request) -> list[tuple[Any, str]]:
    """Partners to choose from."""
    async with tenant_reads(request) as session:
        rows = await session.execute(
            select(PartnerOrganisation.id, PartnerOrganisation.name).order_by(PartnerOrganisation.name)
        )
        return [(row[0], row[1]) for row in rows]


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
    return Table(
        "Partners",
        ("Organisation", "Kind", "Items owned"),
        rows,
        f"{HOME}/partners/all.csv",
        (2,),
        "There are no partners yet. Add the organisations that own something.",
    )


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
        links=[Link("Councils and when they joined", f"{HOME}/partners/timeline")],
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
            kind = chosen_word(form, "kind", PARTNER_KINDS, "what kind of organisation it is")
            await items.save_partner(work, form.text("name"), kind)
    except (TrainingRefusal, Invalid) as error:
        return await _partners_page(request, 422, [problem_of(error, FIELDS)], typed(form, FIELDS))
    return redirect(f"{HOME}/partners", done="partner-added")


_READ, _WRITE = Permission.GOVERNANCE_READ, Permission.GOVERNANCE_WRITE

ROUTES = [
    page("/governance", governance, needs=_READ),
    page("/governance/partners", partners, needs=_READ),
    page("/governance/partners/all.csv", partners_file, needs=_READ),
    page("/governance/partners/add", partner_add, needs=_WRITE, methods=("POST",)),
    page("/governance/{table}.csv", governance_file, needs=_READ),
]
