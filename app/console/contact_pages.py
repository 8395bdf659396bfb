"""Contacts of providers: who is written to at which location, adding one or a file of them, and ending one."""

import csv
import io
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.campaign_words import CONTACT_ROLES
from app.console.pages import Problem, form_of, page, principal_here, redirect, render, tenant_look, tenant_reads
from app.console.reports import Field, ShortForm, report
from app.console.tables import Link, Table, csv_of
from app.console.training_forms import Invalid, asked_word, tried, typed
from app.directory.models import CqcLocation, Employer, TenantLocation
from app.identity.permissions import Permission
from app.messaging import contacts
from app.messaging.arrivals import workplaces
from app.messaging.models import ProviderContact
from tenants.session import UnitOfWork

HOME = "/console/contacts"
BACK = Link("Back to contacts", HOME)
SHOWN, EVERYTHING, MOST_FOUND = 200, 100_000, 50
FIELDS = ("role", "name", "address", "place")
LARGEST_FILE = 1024**2
COLUMNS = ("location_id", "role", "name", "address")


def _listed() -> Select[ProviderContact, str, str | None]:
    location = func.coalesce(ProviderContact.tenant_location_id, Employer.tenant_location_id)
    return (
        select(
            ProviderContact, func.coalesce(CqcLocation.name, Employer.name).label("place"), CqcLocation.local_authority
        )
        .outerjoin(
            Employer, and_(Employer.tenant_id == ProviderContact.tenant_id, Employer.id == ProviderContact.employer_id)
        )
        .outerjoin(
            TenantLocation, and_(TenantLocation.tenant_id == ProviderContact.tenant_id, TenantLocation.id == location)
        )
        .outerjoin(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(ProviderContact.ended_on.is_not(None), "place", ProviderContact.id)
    )


def _sees(request: Request) -> bool:
    return principal_here(request).may(Permission.PEOPLE_READ)


def _writes(request: Request) -> bool:
    return principal_here(request).may(Permission.MESSAGES_WRITE)


def _state(row: ProviderContact) -> str:
    if row.ended_on is not None:
        return "Ended"
    return "Mail comes back" if row.undeliverable_since is not None else "In use"


async def contact_list(request: Request) -> Response:
    """Contacts, by place."""
    return render(
        request,
        "contacts.jinja",
        table=await _contacts(request, SHOWN),
        roles=CONTACT_ROLES,
        role=asked_word(request, "role", CONTACT_ROLES),
        values={"place": request.query_params.get("place", "")},
        writes=_writes(request),
        shown=SHOWN,
    )


async def contact_list_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("contacts.csv", await _contacts(request, EVERYTHING))


async def _contacts(request: Request, most: int) -> Table:
    sees = _sees(request)
    role, place = asked_word(request, "role", CONTACT_ROLES), " ".join(request.query_params.get("place", "").split())
    listed = _listed().limit(most)
    if role is not None:
        listed = listed.where(ProviderContact.role == role)
    if place:
        names = (CqcLocation.name, Employer.name, CqcLocation.local_authority)
        listed = listed.where(or_(*(name.icontains(place, autoescape=True) for name in names)))
    async with tenant_reads(request) as session:
        rows = (await session.execute(listed)).all()
    return Table(
        "Contacts",
        ("Place", "Role", "Local authority", *(("Name", "Address") if sees else ()), "State"),
        [
            (
                Link(where, f"{HOME}/{row.id}"),
                CONTACT_ROLES[row.role],
                authority,
                *((row.name, row.address) if sees else ()),
                _state(row),
            )
            for row, where, authority in rows
        ],
        f"{HOME}/all.csv",
        nothing="There are none such. Add one, or bring in a file of them.",
    )


async def contact(request: Request) -> Response:
    """One contact."""
    return await _page(request)


async def _one(request: Request) -> tuple[ProviderContact, str]:
    async with tenant_reads(request) as session:
        wanted = _listed().where(ProviderContact.id == request.path_params["contact_id"])
        found = (await session.execute(wanted)).first()
    if found is None:
        raise HTTPException(404)
    return found[0], found[1]


async def _page(request: Request, problem: Problem | None = None) -> Response:
    row, place = await _one(request)
    facts: list[tuple[str, Any]] = [("Role", CONTACT_ROLES[row.role]), ("State", _state(row))]
    if _sees(request):
        facts += [("Name", row.name), ("Address", row.address)]
    facts += [("Mail comes back since", row.undeliverable_since)] if row.undeliverable_since else []
    facts += [("Ended", row.ended_on)] if row.ended_on else []
    end = ShortForm(f"{HOME}/{row.id}/end", "End it", (), "Write there no more")
    return report(
        request,
        place,
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        caption="Contact",
        back=BACK,
        facts=facts,
        forms=[end] if _writes(request) and row.ended_on is None else [],
    )


async def contact_end(request: Request) -> Response:
    """End a contact."""
    row, _ = await _one(request)

    async def change(work: UnitOfWork) -> None:
        await contacts.end_contact(work, row.id)

    problem = await tried(request, (), change)
    return await _page(request, problem) if problem is not None else redirect(HOME, done="contact-ended")


async def contact_add(request: Request) -> Response:
    """Look for the place, then say who is written to there."""
    if request.method == "GET":
        return await _add_page(request, request.query_params.get("search", ""), {})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> UUID:
        kind, _, identifier = form.text("place").partition(":")
        try:
            place = UUID(identifier)
        except ValueError as error:
            raise Invalid("place", "Choose the location or employer.") from error
        text = (form.text("role"), form.text("address"), form.text("name"))
        given = contacts.ContactGiven(
            *text, place if kind == "location" else None, place if kind == "employer" else None
        )
        return await contacts.save_contact(work, given)

    made = await tried(request, FIELDS, change)
    if isinstance(made, Problem):
        return await _add_page(request, form.text("search"), typed(form, FIELDS), made)
    return redirect(HOME, done="contact-added")


async def _add_page(request: Request, search: str, values: dict[str, Any], problem: Problem | None = None) -> Response:
    text = " ".join(search.split())
    async with tenant_look(request) as work:
        found = await workplaces(work, search=text, most=MOST_FOUND)
        without = select(Employer.id, Employer.name).where(
            Employer.tenant_location_id.is_(None), Employer.name.icontains(text, autoescape=True)
        )
        others = (await work.session.execute(without.order_by(Employer.name).limit(MOST_FOUND))).all() if text else []
    options = [(f"location:{one.id}", f"{one.name}, {one.postcode}" if one.postcode else one.name) for one in found]
    options += [(f"employer:{one.id}", f"{one.name} (employer)") for one in others]
    return render(
        request,
        "contact_add.jinja",
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        values=values | {"search": search},
        search=text,
        form=ShortForm(
            f"{HOME}/add",
            "Add",
            (
                Field("one", "place", "Which one", options=options),
                Field("choice", "role", "Role", options=list(CONTACT_ROLES.items())),
                Field("email", "address", "E-mail address", "A role’s mailbox stays when people change."),
                Field("text", "name", "Name (optional)", "Whom the message greets."),
            ),
        )
        if options
        else None,
    )


async def contact_file(request: Request) -> Response:
    """Bring in a file of contacts, all of it or nothing."""
    if request.method == "GET":
        return _file_page(request)
    upload = (await form_of(request)).file("file")
    data = b"" if upload is None else await upload.read()

    async def change(work: UnitOfWork) -> int:
        return await contacts.save_many(work, _rows(data))

    made = await tried(request, ("file",), change)
    return _file_page(request, made) if isinstance(made, Problem) else redirect(HOME, done="contacts-brought")


def _rows(data: bytes) -> list[tuple[str, str, str, str]]:
    """The lines of a file. Raises Invalid."""
    try:
        lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid("file", "The file is not a CSV in UTF-8. Save it as “CSV UTF-8”.") from error
    if not lines or not set(COLUMNS) <= set(lines[0]):
        raise Invalid(
            "file", f"The first line must name the columns {', '.join(COLUMNS)}, with a contact in each line below."
        )
    if any("\0" in (line[name] or "") for line in lines for name in COLUMNS):
        raise Invalid("file", "The file holds a character that no text has. Save it once more.")
    place, role, name, address = COLUMNS
    return [(line[place] or "", line[role] or "", line[name] or "", line[address] or "") for line in lines]


def _file_page(request: Request, problem: Problem | None = None) -> Response:
    return render(
        request,
        "contact_file.jinja",
        status=422 if problem else 200,
        problems=[] if problem is None else [problem],
        columns=COLUMNS,
        roles=", ".join(CONTACT_ROLES.values()),
    )


_READ, _WRITE = Permission.MESSAGES_READ, Permission.MESSAGES_WRITE
_BOTH = ("GET", "POST")

ROUTES = [
    page("/contacts", contact_list, needs=_READ),
    page("/contacts/all.csv", contact_list_file, needs=_READ),
    page("/contacts/add", contact_add, needs=_WRITE, methods=_BOTH),
    page("/contacts/file", contact_file, needs=_WRITE, methods=_BOTH, files=1, largest_body=LARGEST_FILE),
    page("/contacts/{contact_id:uuid}", contact, needs=_READ),
    page("/contacts/{contact_id:uuid}/end", contact_end, needs=_WRITE, methods=("POST",)),
]
