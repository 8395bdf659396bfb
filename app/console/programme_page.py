"""One programme: begun, named, opened to more providers, retired; its tiers put in order, added and removed."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.pages import Form, Problem, form_of, page, redirect, render, tenant_look, tenant_reads
from app.console.programme_pages import TIER_HEADINGS, tier_row, tiers_of
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link
from app.console.training_forms import Invalid, form_about, may_write, needed_key, tried, typed, version_of
from app.directory.models import CqcLocation, CqcProvider, ProviderGroup, TenantLocation
from app.identity.permissions import Permission
from app.training.models import Programme, Tier
from app.training.requirements import programmes
from tenants.session import UnitOfWork

HOME = "/console/programme"
FIELDS = ("name", "scope", "provider_group_id", "cqc_provider_id", "tier_name")


async def programme_start(request: Request) -> Response:
    """Begin a programme: a draft with three tiers."""
    if request.method == "GET":
        return await _start_page(request, [], {})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        return await programmes.start_programme(work, form.text("name"), _scope(form))

    done = await tried(request, FIELDS, change)
    if isinstance(done, Problem):
        return await _start_page(request, [done], typed(form, FIELDS))
    return redirect(f"{HOME}/{done}", done="programme-started")


async def _start_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    async with tenant_reads(request) as session:
        fields = [Field("text", "name", "Name"), await _scope_field(session, 0)]
    return report(
        request,
        "Start a programme",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=Link("Back to the programme", HOME),
        intro=[
            "It begins as a draft with three tiers: Foundation, Step up and Medication Champions. "
            "Change them as you like before you publish it."
        ],
        forms=[ShortForm(f"{HOME}/start", "Start the programme", fields)],
    )


def _scope(form: Form) -> programmes.Scope:
    """Whom the form says that the programme is for. Raises Invalid."""
    scope = form.text("scope")
    if scope == "provider_group":
        return programmes.Scope(scope, provider_group_id=needed_key(form, "provider_group_id", "the group"))
    if scope == "single_provider":
        if not form.text("cqc_provider_id"):
            raise Invalid("cqc_provider_id", "Choose the provider.")
        return programmes.Scope(scope, cqc_provider_id=form.text("cqc_provider_id"))
    if scope != "system":
        raise Invalid("scope", "Choose whom the programme is for.")
    return programmes.Scope()


async def _scope_field(session: AsyncSession, width: int) -> Field:
    """The choice among scopes that are wider, with the groups and providers that there are here."""
    groups = await session.execute(select(ProviderGroup.id, ProviderGroup.name).order_by(ProviderGroup.name))
    providers = await session.execute(
        select(CqcProvider.id, CqcProvider.name)
        .distinct()
        .join(CqcLocation, CqcLocation.provider_id == CqcProvider.id)
        .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
        .order_by(CqcProvider.name, CqcProvider.id)
    )
    reveals = {
        "provider_group": Field(
            "choice", "provider_group_id", "Which group", options=[(row.id, row.name) for row in groups]
        ),
        "single_provider": Field(
            "choice",
            "cqc_provider_id",
            "Which provider",
            "Providers with a location of yours. If one is missing, bring in the CQC directory.",
            [(row.id, f"{row.name} ({row.id})") for row in providers],
        ),
    }
    wider = [(kind, text) for kind, text in words.SCOPES.items() if programmes.WIDTH[kind] > width]
    return Field("one", "scope", "Whom it is for", options=wider, reveals=reveals)


async def programme(request: Request) -> Response:
    """One programme with its tiers, and what can be done with it."""
    return await _page(request, [], {})


async def programme_rename(request: Request) -> Response:
    """Give it another name."""
    form = await form_about(request, Programme, _id(request))

    async def change(work: UnitOfWork) -> None:
        await programmes.rename_programme(work, _id(request), version_of(form), form.text("name"))

    return await _changed(request, form, await tried(request, FIELDS, change), "programme-changed")


async def programme_widen(request: Request) -> Response:
    """Open it to more providers."""
    form = await form_about(request, Programme, _id(request))

    async def change(work: UnitOfWork) -> None:
        await programmes.widen_programme(work, _id(request), version_of(form), _scope(form))

    return await _changed(request, form, await tried(request, FIELDS, change), "programme-widened")


async def programme_retire(request: Request) -> Response:
    """Its requirements count no longer."""
    form = await form_about(request, Programme, _id(request))

    async def change(work: UnitOfWork) -> None:
        await programmes.retire_programme(work, _id(request), version_of(form))

    return await _changed(request, form, await tried(request, FIELDS, change), "programme-retired")


async def programme_tiers(request: Request) -> Response:
    """Move a tier up or down, remove it, or add one at the end."""
    form = await form_about(request, Programme, _id(request))

    async def change(work: UnitOfWork) -> None:
        tiers = await work.session.scalars(
            select(Tier.id).where(Tier.programme_id == _id(request)).order_by(Tier.position)
        )
        order = _order(form, [programmes.TierPlace(tier_id) for tier_id in tiers])
        await programmes.arrange_tiers(work, _id(request), version_of(form), order)

    return await _changed(request, form, await tried(request, FIELDS, change), "tiers-arranged")


def _order(form: Form, order: list[programmes.TierPlace]) -> list[programmes.TierPlace]:
    """The order with what the pressed button asks for: `up`, `down` or `remove` with a tier's id, or `add`."""
    what, _, which = form.text("do").partition(":")
    if what == "add":
        if not form.text("tier_name").strip():
            raise Invalid("tier_name", "Give the new tier a name.")
        return [*order, programmes.TierPlace(name=form.text("tier_name"))]
    at = next((index for index, place in enumerate(order) if str(place.tier_id) == which), None)
    if at is None:
        raise Invalid("", "That tier is not there any more. Look at the list again.")
    moved = order.pop(at)
    if what in ("up", "down"):
        order.insert(max(at - 1, 0) if what == "up" else at + 1, moved)
    elif what != "remove":
        raise HTTPException(400)
    return order


def _id(request: Request) -> UUID:
    programme_id: UUID = request.path_params["programme_id"]
    return programme_id


async def _changed(request: Request, form: Form, problem: Problem | None, done: str) -> Response:
    if problem is not None:
        return await _page(request, [problem], {name: form.text(name) for name in FIELDS if name in form.fields})
    return redirect(f"{HOME}/{_id(request)}", done=done)


async def _page(request: Request, problems: list[Problem], sent: dict[str, Any]) -> Response:
    writes = may_write(request)
    async with tenant_look(request) as work:
        session = work.session
        found = await session.get(Programme, (work.tenant_id, _id(request)))
        if found is None:
            raise HTTPException(404)
        whom = await _whom(session, found)
        tiers = (await tiers_of(session, work.tenant_id)).get(found.id, [])
        history = await programmes.has_history(work, found.id)
        path = f"{HOME}/{found.id}"
        forms = [ShortForm(f"{path}/rename", "Save", [Field("text", "name", "Name")], "Rename it", found.version)]
        if found.scope != "system":
            wider = await _scope_field(session, programmes.WIDTH[found.scope])
            heading = "Open it to more providers"
            forms.append(ShortForm(f"{path}/widen", "Open it", [wider], heading, found.version, second=True))
    return render(
        request,
        "programme_page.jinja",
        status=422 if problems else 200,
        problems=problems,
        values={"name": found.name} | sent,
        programme=found,
        whom=whom,
        tiers=[(tier, tier_row(tier, asked, write=writes)) for tier, asked in tiers],
        headings=TIER_HEADINGS,
        history=history,
        forms=forms if writes else [],
        state=words.PROGRAMMES[found.status],
        may_write=writes,
    )


async def _whom(session: AsyncSession, found: Programme) -> str:
    """Whom a programme is for, by name."""
    group = select(ProviderGroup.name).where(ProviderGroup.id == found.provider_group_id)
    provider = select(CqcProvider.name).where(CqcProvider.id == found.cqc_provider_id)
    name = (await session.scalars(group)).first() or (await session.scalars(provider)).first()
    return f"{words.SCOPES[found.scope]}: {name}" if name else words.SCOPES[found.scope]


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/programme/start", programme_start, needs=_WRITE, methods=("GET", "POST")),
    page("/programme/{programme_id:uuid}", programme, needs=_READ),
    page("/programme/{programme_id:uuid}/rename", programme_rename, needs=_WRITE, methods=("POST",)),
    page("/programme/{programme_id:uuid}/widen", programme_widen, needs=_WRITE, methods=("POST",)),
    page("/programme/{programme_id:uuid}/retire", programme_retire, needs=_WRITE, methods=("POST",)),
    page("/programme/{programme_id:uuid}/tiers", programme_tiers, needs=_WRITE, methods=("POST",)),
]
