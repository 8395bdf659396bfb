"""The API as a process of its own, as `medstead serve` starts it, with tokens for its partners."""

import asyncio
import base64
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from app.identity.api_clients import ApiClients, create_client
from app.identity.permissions import SCOPES
from app.identity.secrets import Vault
from app.identity.tokens import TokenKeys
from infra.bench.reads.servers import environment, free_port, running, serve_command
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.provision import DatabaseUrls
from tenants.session import Database

UNLIMITED = 1_000_000_000
"""Points of a bucket: it is asked as ever, and never found empty."""


@dataclass(frozen=True, slots=True)
class Api:
    """A running API."""

    port: int
    pid: int
    urls: DatabaseUrls
    key: bytes

    @classmethod
    def start(cls, stack: ExitStack, folder: Path, urls: DatabaseUrls, redis_url: str) -> "Api":
        """Start it; it ends with the stack."""
        port, key = free_port(), secrets.token_bytes(32)
        settings = environment(
            MEDSTEAD_ENVIRONMENT="development",
            DATABASE_URL=urls.app,
            REDIS_URL=redis_url,
            MEDSTEAD_SECRET_KEY=base64.urlsafe_b64encode(key).decode(),
            MEDSTEAD_BASE_URL=f"http://127.0.0.1:{port}",
            MEDSTEAD_DATA_DIR=str(folder / "data"),
            MEDSTEAD_LOG_LEVEL="warning",
            MEDSTEAD_GRAPHQL_BUCKET=str(UNLIMITED),
            MEDSTEAD_GRAPHQL_RESTORED_PER_SECOND=str(UNLIMITED),
        )
        pid = stack.enter_context(running(serve_command(port), settings, port, folder / "api.log"))
        return cls(port, pid, urls, key)

    def token(self, tenant: UUID) -> str:
        """An access token of a new partner application of the tenant."""

        async def make() -> str:
            database = Database(create_engine(self.urls.app), system_clock)
            vault = Vault(self.key)
            try:
                async with database.unit_of_work(TenantContext(tenant, ActorKind.COMMAND_LINE)) as work:
                    client = await create_client(work, vault, "Bench", SCOPES)
                keys = TokenKeys(database, vault, f"http://127.0.0.1:{self.port}")
                granted = await ApiClients(database, vault, keys).grant(client.client_id, client.secret, None)
            finally:
                await database.dispose()
            return str(granted["access_token"])

        return asyncio.run(make())
