"""Provider groups: locations under one manager or brand, for programmes, places and managers' own pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Problem, form_of, page, principal_here, redirect, tenant_reads, tenant_work
from app.console.reports import Field, Search, ShortForm, report
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import Invalid, keys, typed
from app.directory.errors import DirectoryRefusal
from app.directory.models import CqcLocation, CqcProvider, ProviderGroup, ProviderGroupLocation, TenantLocation
from app.directory.operations import add_group_locations, create_provider_group, remove_group_location
from app.identity.permissions import Permission

HOME = "/console/provider-groups"
FOUND = 30


def _may_write(request: Request) -> bool:
    return principal_here(request).may(Permission.DIRECTORY_WRITE)


async def provider_groups(request: Request) -> Response:
    """All groups, and a form for another."""
    return await _groups(request, [], {})


async def _table(request: Request) -> Table:
    counted = (
        select(ProviderGroup.id, ProviderGroup.name, func.count(ProviderGroupLocation.id))
        .outerjoin(
            ProviderGroupLocation,
            and_(
                ProviderGroupLocation.tenant_id == ProviderGroup.tenant_id,
                ProviderGroupLocation.provider_group_id == ProviderGroup.id,
            ),
        )
        .group_by(ProviderGroup.id, ProviderGroup.name)
        .order_by(ProviderGroup.name)
    )
    async with tenant_reads(request) as session:
        rows = [(Link(name, f"{HOME}/{key}"), count) for key, name, count in await session.execute(counted)]
    return Table("Groups", ("Group", "Locations"), rows, f"{HOME}/all.csv", (1,), "There is no group yet.")


async def provider_groups_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("provider-groups.csv", await _table(request))


async def _groups(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    form = ShortForm(f"{HOME}/add", "Add the group", [Field("text", "name", "Name")], "Add a group")
    return report(
        request,
        "Provider groups",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=Link("Back to the directory", "/console/directory"),
        intro=[
            "Locations of one manager or brand. A programme can be for one group, places can be kept for it, and its "
            "manager sees its locations alone."
        ],
        tables=[await _table(request)],
        forms=[form] if _may_write(request) else [],
    )


async def provider_group_add(request: Request) -> Response:
    """Add a group."""
    form = await form_of(request)
    try:
        async with tenant_work(request) as work:
            group_id = await create_provider_group(work, form.text("name"))
    except DirectoryRefusal as refusal:
        return await _groups(request, [Problem("name", refusal.message)], typed(form, ("name",)))
    return redirect(f"{HOME}/{group_id}", done="group-added")


async def _group(request: Request) -> ProviderGroup:
    async with tenant_reads(request) as session:
        found = await session.get(ProviderGroup, (principal_here(request).tenant_id, request.path_params["group_id"]))
    if found is None:
        raise HTTPException(404)
    return found


async def provider_group(request: Request) -> Response:
    """One group with its locations, and a search for more."""
    return await _page(request, [])


async def _members(request: Request, group: ProviderGroup) -> Table:
    listed = (
        select(TenantLocation.id, CqcLocation.name, CqcLocation.id.label("cqc"), CqcLocation.local_authority)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .join(
            ProviderGroupLocation,
            and_(
                ProviderGroupLocation.tenant_id == TenantLocation.tenant_id,
                ProviderGroupLocation.tenant_location_id == TenantLocation.id,
            ),
        )
        .where(ProviderGroupLocation.provider_group_id == group.id)
        .order_by(CqcLocation.name, TenantLocation.id)
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    writes = _may_write(request)
    path = f"{HOME}/{group.id}"
    return Table(
        "Its locations",
        ("Location", "CQC id", "Local authority"),
        [(row.name, row.cqc, row.local_authority) for row in rows],
        f"{path}/locations.csv",
        nothing="It has no location yet. Find some below.",
        does="Take it out" if writes else "",
        buttons=[Button(f"{path}/{row.id}/remove", row.name) if writes else None for row in rows],
    )


async def provider_group_file(request: Request) -> Response:
    """Its locations as a CSV."""
    return csv_of("locations.csv", await _members(request, await _group(request)))


async def _page(request: Request, problems: list[Problem]) -> Response:
    group = await _group(request)
    path, words = f"{HOME}/{group.id}", " ".join(request.query_params.get("name", "").split())
    found = await _found(request, group, words) if words else []
    form = ShortForm(f"{path}/locations", "Put them in", [Field("many", "locations", "Locations", options=found)])
    nothing = "Nothing is found by that. Try a part of the name." if words and not found else ""
    search = Search(path, "name", "Name of a location or its provider", words, nothing)
    writes = _may_write(request)
    return report(
        request,
        group.name,
        status=422 if problems else 200,
        problems=problems,
        caption="Provider group",
        back=Link("Back to the groups", HOME),
        search=search if writes else None,
        tables=[await _members(request, group)],
        forms=[form] if found and writes else [],
    )


async def _found(request: Request, group: ProviderGroup, words: str) -> list[tuple[UUID, str]]:
    """Locations of the tenant by a part of their name or their provider's, those of the group left out."""
    there = select(ProviderGroupLocation.tenant_location_id).where(ProviderGroupLocation.provider_group_id == group.id)
    listed = (
        select(TenantLocation.id, CqcLocation.name, CqcProvider.name.label("provider"))
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .outerjoin(CqcProvider, CqcProvider.id == CqcLocation.provider_id)
        .where(
            CqcLocation.name.icontains(words, autoescape=True) | CqcProvider.name.icontains(words, autoescape=True),
            TenantLocation.id.not_in(there),
        )
        .order_by(CqcLocation.name, TenantLocation.id)
        .limit(FOUND)
    )
    async with tenant_reads(request) as session:
        rows = await session.execute(listed)
        return [(row.id, f"{row.name}, {row.provider}" if row.provider else row.name) for row in rows]


async def provider_group_extend(request: Request) -> Response:
    """Put locations in."""
    group = await _group(request)
    form = await form_of(request)
    try:
        chosen = keys(form, "locations")
        if not chosen:
            raise Invalid("locations", "Tick at least one location.")
        async with tenant_work(request) as work:
            await add_group_locations(work, group.id, chosen)
    except Invalid as invalid:
        return await _page(request, [invalid.problem])
    except DirectoryRefusal as refusal:
        return await _page(request, [Problem("", refusal.message)])
    return redirect(f"{HOME}/{group.id}", done="group-changed")


async def provider_group_reduce(request: Request) -> Response:
    """Take a location out."""
    group = await _group(request)
    try:
        async with tenant_work(request) as work:
            await remove_group_location(work, group.id, request.path_params["location_id"])
    except DirectoryRefusal as refusal:
        raise HTTPException(404) from refusal
    return redirect(f"{HOME}/{group.id}", done="group-changed")


_READ, _WRITE = Permission.DIRECTORY_READ, Permission.DIRECTORY_WRITE
_ID = "/provider-groups/{group_id:uuid}"

ROUTES = [
    page("/provider-groups", provider_groups, needs=_READ),
    page("/provider-groups/all.csv", provider_groups_file, needs=_READ),
    page("/provider-groups/add", provider_group_add, needs=_WRITE, methods=("POST",)),
    page(_ID, provider_group, needs=_READ),
    page(f"{_ID}/locations.csv", provider_group_file, needs=_READ),
    page(f"{_ID}/locations", provider_group_extend, needs=_WRITE, methods=("POST",)),
    page(f"{_ID}/{{location_id:uuid}}/remove", provider_group_reduce, needs=_WRITE, methods=("POST",)),
]
