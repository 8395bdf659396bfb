"""Staff of the tenant: the list, inviting, a person's role, ending access."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, redirect, render, services_of, tenant_reads, tenant_work
from app.directory.models import ProviderGroup
from app.governance.models import PartnerOrganisation
from app.identity.errors import IdentityRefusal
from app.identity.models import Login, LoginTenant, StaffMember
from app.identity.permissions import PLATFORM_ROLES, Permission, Role
from app.identity.rules import check_name, normalise_email
from app.identity.staff import change_role, end_staff, invite_again, invite_staff

TENANT_ROLES = [role for role in Role if role not in PLATFORM_ROLES]

FIELDS = {
    "INVALID_EMAIL": "email",
    "PLATFORM_LOGIN": "email",
    "ALREADY_STAFF": "email",
    "NAME_MISSING": "display_name",
    "ROLE_MISSING": "role",
    "LAST_ADMINISTRATOR": "role",
    "PROVIDER_GROUP_NEEDED": "provider_group_id",
    "PARTNER_NEEDED": "partner_organisation_id",
}
"""The field that each refusal is about."""
INVITATION = ("email", "display_name", "role", "provider_group_id", "partner_organisation_id")


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the staff list. `joined` tells whether the own password opens the tenant."""

    id: UUID
    name: str
    email: str
    role: Role
    since: datetime
    joined: bool


async def staff_list(request: Request) -> Response:
    """Everybody who works in the tenant, by name."""
    async with tenant_reads(request) as session:
        staff = (
            await session.scalars(
                select(StaffMember)
                .where(StaffMember.ended_at.is_(None))
                .order_by(StaffMember.display_name, StaffMember.id)
            )
        ).all()
        ids = [member.login_id for member in staff]
        emails = await session.execute(select(Login.id, Login.email).where(Login.id.in_(ids)))
        logins = {row.id: row.email for row in emails}
        places = select(LoginTenant.staff_member_id).where(
            LoginTenant.login_id.in_(ids), LoginTenant.staff_member_id.in_([member.id for member in staff])
        )
        joined = set(await session.scalars(places))
    people = [
        Listed(
            member.id,
            member.display_name,
            logins[member.login_id],
            Role(member.role),
            member.created_at,
            member.id in joined,
        )
        for member in staff
    ]
    return render(request, "staff_list.jinja", people=people)


async def staff_invite(request: Request) -> Response:
    """The form for a new member of staff; the invitation code is shown once."""
    if request.method == "GET":
        return await _invite_form(request, 200, {}, [])
    form = await form_of(request)
    values = {name: form.text(name) for name in INVITATION}
    problems = [
        _problem(refusal)
        for check in (
            lambda: check_name(values["display_name"]),
            lambda: normalise_email(values["email"]),
            lambda: _role(form),
        )
        if (refusal := _refusal(check)) is not None
    ]
    if problems:
        return await _invite_form(request, 422, values, problems)
    try:
        belongs = await _belongs(request, form)
        async with tenant_work(request) as work:
            invited = await invite_staff(
                work,
                services_of(request).vault,
                email=values["email"],
                display_name=values["display_name"],
                role=_role(form),
                **belongs,
            )
    except IdentityRefusal as refusal:
        return await _invite_form(request, 422, values, [_problem(refusal)])
    return render(
        request,
        "staff_invited.jinja",
        name=check_name(values["display_name"]),
        email=normalise_email(values["email"]),
        code=invited.code,
    )


async def staff_member(request: Request) -> Response:
    """One person: change of role, new invitation, end."""
    if request.method == "GET":
        return await _member_page(request, 200, [])
    form = await form_of(request)
    staff_member_id = request.path_params["staff_member_id"]
    try:
        belongs = await _belongs(request, form)
        async with tenant_work(request) as work:
            await change_role(work, staff_member_id, _role(form), **belongs)
    except IdentityRefusal as refusal:
        return await _member_page(request, 422, [_problem(refusal)])
    return redirect("/console/staff", done="role-changed")


async def staff_invite_again(request: Request) -> Response:
    """A new invitation code for somebody who has lost theirs."""
    try:
        async with tenant_work(request) as work:
            code = await invite_again(work, services_of(request).vault, request.path_params["staff_member_id"])
            member, email = await _member(work.session, request.path_params["staff_member_id"])
    except IdentityRefusal as refusal:
        raise HTTPException(404) from refusal
    return render(request, "staff_invited.jinja", name=member.display_name, email=email, code=code)


async def staff_end(request: Request) -> Response:
    """End a person's access."""
    try:
        async with tenant_work(request) as work:
            await end_staff(work, request.path_params["staff_member_id"])
    except IdentityRefusal as refusal:
        return await _member_page(request, 422, [_problem(refusal)])
    return redirect("/console/staff", done="staff-ended")


async def _invite_form(request: Request, status: int, values: dict[str, str], problems: list[Problem]) -> Response:
    return render(
        request,
        "staff_invite.jinja",
        status=status,
        values=values,
        problems=problems,
        roles=TENANT_ROLES,
        groups=await _groups(request),
        councils=await _councils(request),
    )


async def _member_page(request: Request, status: int, problems: list[Problem]) -> Response:
    async with tenant_reads(request) as session:
        member, email = await _member(session, request.path_params["staff_member_id"])
    return render(
        request,
        "staff_member.jinja",
        status=status,
        problems=problems,
        member=member,
        email=email,
        roles=TENANT_ROLES,
        groups=await _groups(request),
        councils=await _councils(request),
    )


async def _member(session: AsyncSession, staff_member_id: UUID) -> tuple[StaffMember, str]:
    """A present member of staff with the login's address; the page is not there for others."""
    member = (
        await session.scalars(
            select(StaffMember).where(StaffMember.id == staff_member_id, StaffMember.ended_at.is_(None))
        )
    ).one_or_none()
    if member is None:
        raise HTTPException(404)
    return member, (await session.get_one(Login, member.login_id)).email


async def _groups(request: Request) -> list[tuple[UUID, str]]:
    async with tenant_reads(request) as session:
        rows = await session.execute(select(ProviderGroup.id, ProviderGroup.name).order_by(ProviderGroup.name))
        return [(id_, name) for id_, name in rows]


async def _councils(request: Request) -> list[tuple[UUID, str]]:
    wanted = select(PartnerOrganisation.id, PartnerOrganisation.name).where(PartnerOrganisation.kind == "council")
    async with tenant_reads(request) as session:
        return [(id_, name) for id_, name in await session.execute(wanted.order_by(PartnerOrganisation.name))]


def _role(form: Form) -> Role:
    try:
        return Role(form.text("role"))
    except ValueError as error:
        raise IdentityRefusal("ROLE_MISSING", "Choose a role from the list.") from error


async def _belongs(request: Request, form: Form) -> dict[str, UUID | None]:
    """The provider group or the council that the form names."""
    group = _chosen(form, "provider_group_id", await _groups(request), "PROVIDER_GROUP_NEEDED", "a provider group")
    council = _chosen(form, "partner_organisation_id", await _councils(request), "PARTNER_NEEDED", "a council")
    return {"provider_group_id": group, "partner_organisation_id": council}


def _chosen(form: Form, name: str, offered: list[tuple[UUID, str]], code: str, what: str) -> UUID | None:
    text = form.text(name)
    chosen = [id_ for id_, _ in offered if str(id_) == text]
    if text and not chosen:
        raise IdentityRefusal(code, f"Choose {what} from the list.")
    return chosen[0] if chosen else None


def _refusal(check: Callable[[], object]) -> IdentityRefusal | None:
    try:
        check()
    except IdentityRefusal as refusal:
        return refusal
    return None


def _problem(refusal: IdentityRefusal) -> Problem:
    return Problem(FIELDS.get(refusal.code, ""), refusal.message)


ROUTES = [
    page("/staff", staff_list, needs=Permission.STAFF_WRITE),
    page("/staff/invite", staff_invite, needs=Permission.STAFF_WRITE, methods=("GET", "POST")),
    page("/staff/{staff_member_id:uuid}", staff_member, needs=Permission.STAFF_WRITE, methods=("GET", "POST")),
    page("/staff/{staff_member_id:uuid}/invite", staff_invite_again, needs=Permission.STAFF_WRITE, methods=("POST",)),
    page("/staff/{staff_member_id:uuid}/end", staff_end, needs=Permission.STAFF_WRITE, methods=("POST",)),
]
