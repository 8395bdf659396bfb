"""The standing bench: 12,000 learners × 40 requirements, against a plain scan of the same rows in the same run."""

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from app.reference import load_reference_data
from app.training.operations import create_programme
from app.training.requirements import standing
from infra.embedded import start_postgres
from migrations import runner
from tenants.clock import SettableClock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine, plain_url
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database
from tenants.registry import create_tenant
from tenants.session import Database

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
PER_EMPLOYER = 40
COMPLETED = 0.6


def run(learners: int, requirements: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
        folder.chmod(0o711)
        postgres = stack.enter_context(start_postgres(folder / "server"))
        passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
        urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
        runner.upgrade(urls.owner)
        asyncio.run(load_reference_data(urls.owner))
        uvloop.run(_measure(urls, postgres.superuser_url.rpartition("/")[0] + "/bench", learners, requirements))


async def _measure(urls: DatabaseUrls, superuser_url: str, learners: int, requirements: int) -> None:
    clock = SettableClock(NOW)
    owner = Database(create_engine(urls.owner), clock)
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    async with owner.unit_of_work(context) as work:
        await create_tenant(work, "bench", "Bench", "icb")
        programme_id = await create_programme(work, "Medicines training")
    await owner.dispose()
    console = Console()
    console.print(f"Making {learners:,} learners and {requirements} requirements …")
    await _fill(superuser_url, context.tenant_id, programme_id, learners, requirements)
    database = Database(create_engine(urls.app), clock)
    try:
        seconds = {}
        for name, ahead in (("first, every row written", 0), ("again, nothing changed", 0), ("400 days on", 400)):
            clock.move(timedelta(days=ahead))
            started = time.perf_counter()
            async with database.unit_of_work(context) as work:
                changes = await standing.compute(work)
            seconds[name] = (time.perf_counter() - started, sum(changes.states.values()))
    finally:
        await database.dispose()
    scan, rows = await _scan(urls.app, context.tenant_id)
    table = Table("What", "Seconds", "Rows", "Rows/s", "Against the scan")
    for name, (took, changed) in seconds.items():
        table.add_row(
            f"{name} ({changed:,} written)", f"{took:.2f}", f"{rows:,}", f"{rows / took:,.0f}", f"{scan / took:.3f}"
        )
    table.add_row("plain scan of the same rows", f"{scan:.2f}", f"{rows:,}", f"{rows / scan:,.0f}", "1")
    console.print(table)


async def _fill(url: str, tenant: UUID, programme: UUID, learners: int, requirements: int) -> None:
    """Learners at employers, a course for each requirement, and completions of six in ten of them."""
    chance = random.Random(7)
    connection = await asyncpg.connect(url)
    people = [new_id() for _ in range(learners)]
    employers = [new_id() for _ in range(max(learners // PER_EMPLOYER, 1))]
    provider, courses = new_id(), [new_id() for _ in range(requirements)]

    async def copy(name: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
        names = ["tenant_id", *columns.split()]
        await connection.copy_records_to_table(
            name, schema_name="medstead", columns=names, records=[(tenant, *r) for r in rows]
        )

    try:
        await connection.execute("UPDATE medstead.programme SET status = 'published'")
        await connection.execute("UPDATE medstead.tier SET validity_months = 12")
        tier = await connection.fetchval("SELECT id FROM medstead.tier WHERE position = 1")
        await copy(
            "learner",
            "id display_name name_key created_at",
            [(one, f"Learner {n}", f"learner {n}", NOW) for n, one in enumerate(people)],
        )
        await copy(
            "employer",
            "id name kind created_at",
            [(one, f"Home {n}", "care_provider", NOW) for n, one in enumerate(employers)],
        )
        since = (NOW - timedelta(days=600)).date()
        posts = [
            (new_id(), one, employers[n // PER_EMPLOYER % len(employers)], 8, since, NOW)
            for n, one in enumerate(people)
        ]
        await copy("employment", "id learner_id employer_id job_role_code started_on created_at", posts)
        await copy("training_provider", "id name key", [(provider, "Provider", "provider")])
        named = [(one, provider, f"Course {n}", f"course {n}", "1", tier, NOW) for n, one in enumerate(courses)]
        await copy("course", "id training_provider_id title title_key version tier_id created_at", named)
        await copy(
            "course_topic", "id course_id topic_code", [(new_id(), one, f"T{n:02}") for n, one in enumerate(courses)]
        )
        needs = [(new_id(), programme, f"T{n:02}", NOW) for n in range(requirements)]
        await copy("requirement", "id programme_id topic_code created_at", needs)
        done = [
            (new_id(), one, course, NOW - timedelta(days=chance.randrange(1, 500)), "bench", False, NOW)
            for one in people
            for course in courses
            if chance.random() < COMPLETED
        ]
        columns = "id learner_id course_id completed_at source short_duration created_at"
        await copy("completion", columns, done)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def _scan(url: str, tenant: UUID) -> tuple[float, int]:
    """Seconds to read every stored row, and how many there are; the better of three."""
    connection = await asyncpg.connect(plain_url(url))
    times, rows = [], 0
    try:
        for _ in range(3):
            async with connection.transaction():
                await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
                started = time.perf_counter()
                found = await connection.fetch(
                    "SELECT learner_id, employer_id, requirement_id, state, valid_until, evidence_kind, evidence_id "
                    "FROM medstead.learner_standing WHERE tenant_id = $1", tenant,
                )  # fmt: skip
                times.append(time.perf_counter() - started)
                rows = len(found)
    finally:
        await connection.close()
    return min(times), rows
