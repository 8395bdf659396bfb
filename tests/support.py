"""What tests share: the application opened on a database, callers with tokens, and a way to send it requests."""

import base64
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from starlette.applications import Starlette

from app.identity.api_clients import NewClient, create_client
from app.identity.permissions import SCOPES, Permission
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.training.operations import create_programme
from tenants import organisations
from tenants.clock import SettableClock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls
from tenants.registry import create_tenant
from tenants.session import Database

RUNTIME_LOGIN = "runtime login"
BYPASS_LOGIN = "login that bypasses row-level security"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@dataclass
class Installation:
    """The application with its tenants and the clock that it reads."""

    app: Starlette
    services: Services
    urls: DatabaseUrls
    clock: SettableClock
    http: httpx2.AsyncClient
    north: UUID
    south: UUID
    clients: dict[tuple[UUID, frozenset[Permission]], NewClient] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """The runtime role's database."""
        return self.services.database

    def context(self, tenant_id: UUID) -> TenantContext:
        """The context of somebody at work in a tenant."""
        return TenantContext(tenant_id, ActorKind.COMMAND_LINE)

    async def token(self, tenant_id: UUID, scopes: Iterable[Permission] = SCOPES) -> str:
        """An access token of a partner application with these scopes."""
        key = (tenant_id, frozenset(scopes))
        if key not in self.clients:
            async with self.database.unit_of_work(self.context(tenant_id)) as work:
                self.clients[key] = await create_client(work, self.services.vault, "Test partner", key[1])
        client = self.clients[key]
        granted = await self.services.clients.grant(client.client_id, client.secret, None)
        return str(granted["access_token"])

    async def graphql(
        self,
        tenant_id: UUID,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        scopes: Iterable[Permission] = SCOPES,
    ) -> dict[str, Any]:
        """The answer to a document sent over HTTP by a partner application of the tenant."""
        token = await self.token(tenant_id, scopes)
        answer = await self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        del body["extensions"]  # the client's account, which differs from answer to answer
        return body

    async def data(self, tenant_id: UUID, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The data of a document that must not give errors."""
        body = await self.graphql(tenant_id, query, variables)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data


def settings_for(urls: DatabaseUrls, redis_url: str, data_dir: Path, **others: Any) -> Settings:
    """Settings of a test."""
    values: dict[str, Any] = {
        "environment": "test",
        "database_url": urls.app,
        "database_owner_url": urls.owner,
        "database_benchmark_url": urls.benchmark,
        "redis_url": redis_url,
        "secret_key": KEY,
        "data_dir": data_dir,
        "base_url": "http://testserver",
        "allow_bypass_for_tests": "medstead_bypass" in urls.app,
    }
    return Settings.model_validate(values | others)


async def make_tenants(urls: DatabaseUrls, clock: SettableClock) -> tuple[UUID, UUID]:
    """Two tenants with a programme each; both have the same names inside."""
    owner = Database(create_engine(urls.owner), clock)
    made = []
    try:
        for slug, kind, code in (("north", "icb", "QHG"), ("south", "council", "E06000056")):
            tenant_id = new_id()
            async with owner.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
                await create_tenant(work, slug, f"Tenant {slug}", kind, organisations.organisation_id(kind, code))
                await create_programme(work, "Medicines training")
            made.append(tenant_id)
    finally:
        await owner.dispose()
    return made[0], made[1]


@asynccontextmanager
async def open_installation(
    urls: DatabaseUrls, redis_url: str, data_dir: Path, tenants: tuple[UUID, UUID] | None = None, **settings: Any
) -> AsyncIterator[Installation]:
    """Open the application on a migrated database, with other settings if given; makes its tenants if it has none."""
    clock = SettableClock(NOW)
    north, south = tenants or await make_tenants(urls, clock)
    app = create_app(settings_for(urls, redis_url, data_dir, **settings), clock)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as http:
            yield Installation(app, app.state.services, urls, clock, http, north, south)
