"""What every request and job needs, opened once per process."""

from dataclasses import dataclass

from app.identity.api_clients import ApiClients
from app.identity.openid import OpenId
from app.identity.secrets import Vault
from app.identity.tokens import TokenKeys
from app.messaging.smtp import Server, Smtp
from app.outside.fetching import SECONDS, Fetching
from app.settings import Settings
from app.webhooks.sending import SEND_SECONDS, Sender
from tenants.clock import Clock
from tenants.engine import create_engine, refuse_unsafe_role
from tenants.reads import Reader
from tenants.session import Database


@dataclass(frozen=True)
class Services:
    """Connections and keys of one process."""

    settings: Settings
    clock: Clock
    database: Database
    reader: Reader
    vault: Vault
    keys: TokenKeys
    clients: ApiClients
    openid: OpenId
    webhooks: Sender
    mail: Smtp
    outside: Fetching

    @classmethod
    async def open(cls, settings: Settings, clock: Clock) -> "Services":
        """Connect. Raises UnsafeRole if the login could walk through the wall."""
        engine = create_engine(settings.database_url, behind_pgbouncer=settings.behind_pgbouncer)
        try:
            await refuse_unsafe_role(engine, allow_bypass=settings.allow_bypass_for_tests)
        except BaseException:
            await engine.dispose()
            raise
        database = Database(engine, clock)
        reader = await Reader.open(settings.database_url, behind_pgbouncer=settings.behind_pgbouncer)
        vault = Vault(settings.key)
        keys = TokenKeys(database, vault, settings.base_url)
        clients, openid = ApiClients(database, vault, keys), OpenId(database, vault, settings.base_url)
        # Whoever waits for an answer must still hold the message when it comes.
        seconds = min(SEND_SECONDS, settings.lease_seconds / 2)
        sender = Sender(allow_loopback=settings.webhook_allow_loopback, seconds=seconds)
        mail, outside = Smtp(_server(settings)), Fetching(clock, seconds=min(SECONDS, settings.lease_seconds / 2))
        return cls(settings, clock, database, reader, vault, keys, clients, openid, sender, mail, outside)

    async def close(self) -> None:
        """Close all connections."""
        await self.outside.close()
        await self.mail.close()
        await self.webhooks.close()
        await self.openid.close()
        await self.reader.close()
        await self.database.dispose()


def _server(settings: Settings) -> Server:
    return Server(
        settings.smtp_host, settings.smtp_port, settings.smtp_username, settings.smtp_password, settings.smtp_start_tls
    )
