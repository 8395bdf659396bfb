"""Commands about people who may sign in."""

import asyncio
import secrets
from typing import Annotated

import typer
from sqlalchemy import select

from app.cli.console_output import fail, say
from app.cli.opened import at_the_command_line, runtime_database, tenant_named
from app.identity.errors import IdentityRefusal
from app.identity.models import Login
from app.identity.permissions import PLATFORM_ROLES, Role
from app.identity.rules import normalise_email
from app.identity.secrets import Vault
from app.identity.staff import add_staff, create_login, invite_staff, reset_login
from app.settings import load_settings
from tenants.context import ActorKind, PlatformContext

staff = typer.Typer(no_args_is_help=True)


@staff.command("add")
def add(
    email: Annotated[str, typer.Argument(help="E-mail address to sign in with.")],
    name: Annotated[str, typer.Argument(help="Name as others see it.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    tenant: Annotated[str | None, typer.Option(help="Slug of the tenant; none for the two platform roles.")] = None,
) -> None:
    """Let a person sign in. A new one gets a password, one with a login an invitation code; either is shown once."""
    if (tenant is None) != (role in PLATFORM_ROLES):
        fail("Name a tenant for a tenant's role, and none for platform_operator and national_lead.")
    try:
        asyncio.run(_add(email, name, role, tenant))
    except IdentityRefusal as refusal:
        fail(refusal.message)


async def _add(email: str, name: str, role: Role, slug: str | None) -> None:
    settings = load_settings()
    password = secrets.token_urlsafe(15)
    async with runtime_database(settings) as database:
        tenant = None if slug is None else await tenant_named(database, slug)
        context = PlatformContext("add a person at the command line", ActorKind.COMMAND_LINE)
        async with database.session(context) as session:
            known = (await session.scalars(select(Login.id).where(Login.email == normalise_email(email)))).first()
        if known is not None and tenant is not None:
            # Who chose the password of a login that is there already cannot be told from here.
            async with database.unit_of_work(at_the_command_line(tenant)) as work:
                vault = Vault(settings.key)
                invited = await invite_staff(work, vault, email=email, display_name=name, role=role)
            say(f"{email} has a login already and joins as {role} with this code, shown this once: {invited.code}")
            return
        async with database.unit_of_work(context) as work:
            platform_role = role if tenant is None else None
            login_id = await create_login(
                work, email=email, display_name=name, password=password, platform_role=platform_role
            )
        if tenant is not None:
            async with database.unit_of_work(at_the_command_line(tenant)) as work:
                await add_staff(work, login_id=login_id, display_name=name, role=role)
    say(f"{email} may sign in as {role}. Password, shown this once: {password}")


@staff.command("reset")
def reset(email: Annotated[str, typer.Argument(help="E-mail address that the person signs in with.")]) -> None:
    """Give a new password, shown once, and take the authenticator app away. Make sure who is asking first."""
    asyncio.run(_reset(email))


async def _reset(email: str) -> None:
    password = secrets.token_urlsafe(15)
    async with runtime_database(load_settings()) as database:
        context = PlatformContext("reset a login at the command line", ActorKind.COMMAND_LINE)
        async with database.unit_of_work(context) as work:
            found = select(Login.id).where(Login.email == email.strip().lower())
            login_id = (await work.session.scalars(found)).first()
            if login_id is None:
                fail(f"Nobody signs in as {email!r}. Check the address.")
            await reset_login(work, login_id, password=password)
    say(f"{email} has been signed out everywhere. New password, shown this once: {password}")
