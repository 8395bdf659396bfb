"""The demonstration: tenants, invented staff, and files that go in as a user's would; and the contract for tools."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select

from app.cli.demo_booking import add_sessions
from app.cli.demo_certificates import add_certificates
from app.cli.demo_elearning import add_elearning
from app.cli.demo_files import DemoFile, write_demo_files
from app.cli.demo_governance import add_governance, load_postcodes
from app.cli.demo_mapping import load_mapping
from app.cli.demo_messages import add_messages
from app.cli.demo_partners import add_partners
from app.cli.demo_requirements import add_requirements
from app.cli.imports import ENDS, pieces_of
from app.cli.machine import Machine
from app.directory.models import CqcLocation, ProviderGroup, TenantLocation
from app.directory.operations import create_provider_group
from app.identity.api_clients import ApiClients, create_client
from app.identity.errors import IdentityRefusal
from app.identity.models import Login, StaffMember
from app.identity.permissions import SCOPES, Role
from app.identity.secrets import Vault
from app.identity.staff import add_staff, create_login
from app.identity.tokens import DEMO_LIFETIME, TokenKeys
from app.imports.models import ImportRun
from app.imports.receiving import Incoming, receive
from app.training.operations import create_programme
from app.training.settings import change_settings
from infra.embedded.process import write_private
from tenants.base import among
from tenants.clock import system_clock
from tenants.context import ActorKind, PlatformContext, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.models import Tenant, TenantSettings
from tenants.organisations import organisation_id
from tenants.registry import change_status, create_tenant
from tenants.session import Database

FILE = "demo.json"
SEED = 7
LONGEST_IMPORT = timedelta(minutes=10)

Contract = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """A tenant of the demonstration; `code` finds its organisation in the reference data."""

    slug: str
    name: str
    kind: str
    code: str


TENANTS = (
    DemoTenant(
        "bedfordshire-luton-milton-keynes", "Bedfordshire, Luton and Milton Keynes (demonstration)", "icb", "QHG"
    ),
    DemoTenant("greater-manchester", "Greater Manchester (demonstration)", "icb", "QOP"),
    DemoTenant("central-bedfordshire-council", "Central Bedfordshire Council (demonstration)", "council", "E06000056"),
    DemoTenant("bedford-borough-council", "Bedford Borough Council (demonstration)", "council", "E06000055"),
)
STAFF = {
    Role.TENANT_ADMINISTRATOR: "Ada Administrator",
    Role.PROGRAMME_LEAD: "Pip Programme-Lead",
    Role.FACILITATOR: "Fay Facilitator",
    Role.REVIEWER: "Rex Reviewer",
    Role.ANALYST: "Ana Analyst",
    Role.COMMUNICATIONS: "Cody Communications",
    Role.INFORMATION_GOVERNANCE: "Iggy Information-Governance",
    Role.PROVIDER_MANAGER: "Max Provider-Manager",
}
COUNCILS_PERSON = "Cas Council-Partner"
GROUP = "Invented Care Group"
PUBLISHER = TENANTS[0].slug
"""Whose programme the others can build from."""


async def load(machine: Machine, tell: Tell) -> Contract:
    """Make what is missing, import what is not imported, write the contract file and give its content."""
    owner = Database(create_engine(machine.database.owner), system_clock)
    database = Database(create_engine(machine.database.app, pool_size=10), system_clock)
    try:
        loader = _Loader(machine, owner, database, tell)
        return await loader.load()
    finally:
        await owner.dispose()
        await database.dispose()


class _Loader:
    def __init__(self, machine: Machine, owner: Database, database: Database, tell: Tell) -> None:
        self.machine, self.owner, self.database, self.tell = machine, owner, database, tell
        self.key = base64.urlsafe_b64decode(machine.secret_key)
        self.vault = Vault(self.key)
        self.clients = ApiClients(database, self.vault, TokenKeys(database, self.vault, machine.base_url))
        self.file = machine.data_dir / FILE
        try:
            before = orjson.loads(self.file.read_bytes())
            self.before = {tenant["slug"]: tenant for tenant in before["tenants"]}
        except (OSError, ValueError, KeyError, TypeError):
            self.before = {}

    def password(self, email: str) -> str:
        """The same at every start of this installation, and of this one only."""
        digest = hmac.new(self.key, f"demonstration:{email}".encode(), hashlib.sha256).digest()
        return base64.b32encode(digest)[:20].decode().lower()

    async def load(self) -> Contract:
        platform = {
            "operator": await self._person("operator@medstead.example", "Ola Operator", Role.PLATFORM_OPERATOR),
            "national": await self._person("national@medstead.example", "Nat National-Lead", Role.NATIONAL_LEAD),
        }
        tenants = [(tenant, await self._tenant(tenant)) for tenant in TENANTS]
        await load_postcodes(self.machine.database.owner, self.database)
        loads = [self._import_files(tenant, tenant_id) for tenant, tenant_id in tenants]
        await asyncio.gather(*loads)
        contract: Contract = {
            "base_url": self.machine.base_url,
            "graphql_url": f"{self.machine.base_url}/graphql",
            "token_url": f"{self.machine.base_url}/oauth/token",
            "console_url": f"{self.machine.base_url}/console",
            "console": platform,
            "tenants": [await self._described(tenant, tenant_id) for tenant, tenant_id in tenants],
            "database": {
                "app_url": self.machine.database.app,
                "owner_url": self.machine.database.owner,
                "benchmark_url": self.machine.database.benchmark,
            },
            "redis_url": self.machine.redis_url,
            "mail": {"smtp_port": self.machine.smtp_port, "mailbox_url": self.machine.mailbox_url},
        }
        write_private(self.file, orjson.dumps(contract, option=orjson.OPT_INDENT_2).decode() + "\n")
        return contract

    async def _person(self, email: str, name: str, platform_role: Role | None = None) -> dict[str, str]:
        await self._login(email, name, platform_role)
        return {"email": email, "password": self.password(email)}

    async def _login(self, email: str, name: str, platform_role: Role | None = None) -> UUID:
        context = PlatformContext("demonstration", ActorKind.COMMAND_LINE)
        async with self.database.unit_of_work(context) as work:
            found = (await work.session.scalars(select(Login.id).where(Login.email == email))).first()
            return found or await create_login(
                work,
                email=email,
                display_name=name,
                password=self.password(email),
                platform_role=platform_role,
            )

    async def _tenant(self, tenant: DemoTenant) -> UUID:
        async with self.owner.session(PlatformContext("demonstration", read_only=True)) as session:
            found = (await session.scalars(select(Tenant.id).where(Tenant.slug == tenant.slug))).first()
        if found is not None:
            return found
        tenant_id = new_id()
        context = TenantContext(tenant_id, ActorKind.COMMAND_LINE)
        async with self.owner.unit_of_work(context) as work:
            await create_tenant(work, tenant.slug, tenant.name, tenant.kind, organisation_id(tenant.kind, tenant.code))
            await create_programme(work, "Medicines training")
            await change_status(work, "live")
        async with self.database.unit_of_work(context) as work:
            version = (await work.session.execute(select(TenantSettings.version))).scalar_one()
            await change_settings(work, version=version, count_unknown_durations=True)
        return tenant_id

    async def _import_files(self, tenant: DemoTenant, tenant_id: UUID) -> None:
        """All files of a kind together, one kind after the other, as the tenant's team would."""
        folder = self.machine.data_dir / "demo" / "files" / tenant.slug
        made = await asyncio.to_thread(write_demo_files, folder, tenant.slug, seed=SEED)
        context = TenantContext(tenant_id, ActorKind.COMMAND_LINE)
        done = 0
        for _, group in groupby(made.files, key=lambda file: file.format_code):
            files = list(group)
            runs = [await self._receive(context, file) for file in files]
            await self._finish(context, runs)
            done += len(files)
            self.tell(f"{tenant.slug}: {done} of {len(made.files)} files are in")
        await load_mapping(self.database, context, publish=tenant.slug == PUBLISHER)
        await self._staff(tenant, context)
        await add_requirements(self.database, context)
        await add_sessions(self.database, context)
        await add_certificates(self.database, context, self.vault, tenant.name)
        await add_elearning(self.database, context, self.vault)
        await add_governance(self.database, context)
        await self._councils(tenant, context)
        await add_messages(self.database, context, tenant.name, tenant.slug)

    async def _receive(self, context: TenantContext, file: DemoFile) -> UUID:
        said = Incoming(file.path.name, file.format_code, file.options, auto_apply=True)
        folder = self.machine.data_dir / "uploads"
        return (await receive(self.database, context, pieces_of(file.path), said, folder)).import_id

    async def _finish(self, context: TenantContext, runs: Sequence[UUID]) -> None:
        async with asyncio.timeout(LONGEST_IMPORT.total_seconds()):
            while True:
                async with self.database.session(context) as session:
                    rows = await session.execute(
                        select(ImportRun.state, ImportRun.filename).where(among(ImportRun.id, runs))
                    )
                    states = [(state, filename) for state, filename in rows]
                failed = [filename for state, filename in states if state in ("failed", "cancelled")]
                if failed:
                    raise RuntimeError(f"The demonstration's files {', '.join(failed)} could not be imported.")
                if all(state in ENDS for state, _ in states):
                    return
                await asyncio.sleep(0.1)

    async def _staff(self, tenant: DemoTenant, context: TenantContext) -> None:
        async with self.database.unit_of_work(context) as work:
            group = (await work.session.scalars(select(ProviderGroup.id).where(ProviderGroup.name == GROUP))).first()
            if group is None:
                largest = (
                    select(CqcLocation.provider_id)
                    .join(TenantLocation, TenantLocation.location_id == CqcLocation.id)
                    .group_by(CqcLocation.provider_id)
                    .order_by(func.count().desc(), CqcLocation.provider_id)
                    .limit(1)
                )
                locations = (
                    select(TenantLocation.id)
                    .join(CqcLocation, TenantLocation.location_id == CqcLocation.id)
                    .where(CqcLocation.provider_id == largest.scalar_subquery())
                )
                group = await create_provider_group(work, GROUP, list(await work.session.scalars(locations)))
        for role, name in STAFF.items():
            login_id = await self._login(_email(role, tenant), name)
            async with self.database.unit_of_work(context) as work:
                known = select(StaffMember.id).where(StaffMember.login_id == login_id, StaffMember.ended_at.is_(None))
                if (await work.session.scalars(known)).first() is None:
                    manages = group if role is Role.PROVIDER_MANAGER else None
                    await add_staff(work, login_id=login_id, display_name=name, role=role, provider_group_id=manages)

    async def _councils(self, tenant: DemoTenant, context: TenantContext) -> None:
        """A board's councils, and somebody of the first, whose agreement lets names be shared."""
        if tenant.kind != "icb":
            return
        async with self.database.unit_of_work(context) as work:
            council = await add_partners(work)
        if council is not None:
            login_id = await self._login(_email(Role.COUNCIL_PARTNER, tenant), COUNCILS_PERSON)
            async with self.database.unit_of_work(context) as work:
                await add_staff(
                    work,
                    login_id=login_id,
                    display_name=COUNCILS_PERSON,
                    role=Role.COUNCIL_PARTNER,
                    partner_organisation_id=council,
                )

    async def _described(self, tenant: DemoTenant, tenant_id: UUID) -> Contract:
        before = self.before.get(tenant.slug, {})
        client_id, secret = str(before.get("client_id", "")), str(before.get("client_secret", ""))
        try:
            granted = await self.clients.grant(client_id, secret, None, lifetime=DEMO_LIFETIME)
        except IdentityRefusal:
            context = TenantContext(tenant_id, ActorKind.COMMAND_LINE)
            async with self.database.unit_of_work(context) as work:
                client = await create_client(work, self.vault, "Demonstration partner", SCOPES)
            client_id, secret = client.client_id, client.secret
            granted = await self.clients.grant(client_id, secret, None, lifetime=DEMO_LIFETIME)
        emails = {role: _email(role, tenant) for role in STAFF}
        if tenant.kind == "icb":
            emails[Role.COUNCIL_PARTNER] = _email(Role.COUNCIL_PARTNER, tenant)
        return {
            "id": str(tenant_id),
            "slug": tenant.slug,
            "name": tenant.name,
            "kind": tenant.kind,
            "client_id": client_id,
            "client_secret": secret,
            "token": granted["access_token"],
            "staff": [
                {"role": str(role), "email": email, "password": self.password(email)} for role, email in emails.items()
            ],
        }


def _email(role: Role, tenant: DemoTenant) -> str:
    return f"{role.replace('_', '-')}@{tenant.slug}.example"
