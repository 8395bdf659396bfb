"""Commands about identity providers that a tenant's staff sign in by."""

import asyncio
from typing import Annotated

import typer

from app.cli.console_output import fail, say
from app.cli.opened import at_the_command_line, runtime_database, tenant_named
from app.identity.errors import IdentityRefusal
from app.identity.openid import RETURN_PATH
from app.identity.providers import trust_provider
from app.identity.secrets import Vault
from app.settings import load_settings

provider = typer.Typer(no_args_is_help=True)


@provider.callback()
def family() -> None:
    """Keep `trust` a command of its own although it is the only one."""


@provider.command("trust")
def trust(
    slug: Annotated[str, typer.Argument(help="Slug of the tenant.")],
    name: Annotated[str, typer.Argument(help="Name of the sign-in as people know it.")],
    issuer: Annotated[str, typer.Argument(help="The provider's issuer, an https:// address.")],
    client_id: Annotated[str, typer.Argument(help="Medstead's client id at the provider.")],
    client_secret: Annotated[
        str, typer.Option(envvar="MEDSTEAD_PROVIDER_SECRET", prompt=True, hide_input=True, help="Its secret there.")
    ],
) -> None:
    """Let a tenant's staff sign in by an OpenID Connect provider; again to change its name or credentials."""
    try:
        asyncio.run(_trust(slug, name, issuer, client_id, client_secret))
    except IdentityRefusal as refusal:
        fail(refusal.message)


async def _trust(slug: str, name: str, issuer: str, client_id: str, client_secret: str) -> None:
    settings = load_settings()
    async with runtime_database(settings) as database:
        tenant = await tenant_named(database, slug)
        async with database.unit_of_work(at_the_command_line(tenant)) as work:
            await trust_provider(
                work,
                Vault(settings.key),
                name=name,
                issuer=issuer,
                client_id=client_id,
                client_secret=client_secret,
            )
    say(f"Staff of {slug} may sign in by {name}. Register this return address there: {settings.base_url}{RETURN_PATH}")
