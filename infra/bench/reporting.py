"""The reports bench: the largest tenant of one system; each report is built and told in a process of its own."""

import asyncio
import multiprocessing
import os
import random
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from app.evidence.figures import Period
from app.reference import load_reference_data
from app.reporting import pdf
from app.reporting.building import build
from app.reporting.content import Table as Told
from app.reporting.keeping import lots_of, open_report
from app.reporting.models import ReportSnapshot
from app.reporting.operations import Wanted, request_report
from app.reporting.spreadsheet import spreadsheet
from app.training.operations import create_programme
from app.training.requirements import standing
from infra.embedded import start_postgres
from migrations import runner
from tenants.clock import SettableClock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database
from tenants.registry import create_tenant
from tenants.session import Database

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
YEAR = Period(date(2025, 11, 1), date(2026, 10, 31))
SESSIONS, ATTENDANCES, PROVIDERS = 60, 12_000, 100
BIGGEST = "1-PBIG"
"""A provider of all locations, for an evidence list of everybody."""
REPORTS = ("impact", "board", "coverage", "actions", "evidence_pack", "stories")
FORMS = ("pdf", "xlsx", "csv")
AIM_SECONDS, AIM_MEGABYTES = 10, 200


@dataclass(frozen=True, slots=True)
class Job:
    """What a child process does: build a report, or tell one in a form."""

    url: str
    tenant_id: UUID
    snapshot_id: UUID
    form: str | None


def run(staff: int, locations: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
        folder.chmod(0o711)
        postgres = stack.enter_context(start_postgres(folder / "server"))
        passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
        urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
        runner.upgrade(urls.owner)
        asyncio.run(load_reference_data(urls.owner))
        tenant_id = uvloop.run(_fill(urls, postgres.superuser_url.rpartition("/")[0] + "/bench", staff, locations))
        table = Table("Report", "Step", "Seconds", "Peak MB more", "Kept or written", "Aim met")
        for kind in REPORTS:
            snapshot_id = uvloop.run(_ask(urls, tenant_id, kind))
            for form in (None, *FORMS):
                seconds, megabytes, size = _in_a_process(Job(urls.app, tenant_id, snapshot_id, form))
                met = seconds < AIM_SECONDS and megabytes < AIM_MEGABYTES
                told = f"{size / 1024:,.0f} kB"
                table.add_row(kind, form or "build", f"{seconds:.2f}", f"{megabytes:.0f}", told, "yes" if met else "NO")
        Console().print(table)


def _in_a_process(job: Job) -> tuple[float, float, int]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_do, (job,))


def _do(job: Job) -> tuple[float, float, int]:
    """Seconds, megabytes beyond what the process took before, and bytes that came of it."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, started = _peak(), time.perf_counter()
    size = uvloop.run(_work(job))
    return time.perf_counter() - started, _peak() - before, size


def _peak() -> float:
    """The most memory that this process has held, in megabytes; what getrusage says begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


async def _work(job: Job) -> int:
    database = Database(create_engine(job.url), SettableClock(NOW))
    context = TenantContext(job.tenant_id, ActorKind.WORKER)
    try:
        if job.form is None:
            await build(database, context, job.snapshot_id, _renew, 14)
        async with database.session(context) as session:
            snapshot = await session.get_one(ReportSnapshot, (job.tenant_id, job.snapshot_id))
            opened = await open_report(session, snapshot)
            assert opened is not None
            if job.form == "pdf":
                return len(pdf.draw_pdf(await pdf.page_data(session, opened), 0))
            if job.form == "xlsx":
                with await spreadsheet(session, opened) as file:
                    return file.seek(0, os.SEEK_END)
            size = 0
            for section in opened.report.sections:
                for told in section.tables:
                    assert isinstance(told, Told)
                    async for rows in lots_of(session, opened, told):
                        size += sum(len(str(cell)) for row in rows for cell in row)
            return size
    finally:
        await database.dispose()


async def _renew(_: object) -> None:
    """No lease is held here."""


async def _ask(urls: DatabaseUrls, tenant_id: UUID, kind: str) -> UUID:
    database = Database(create_engine(urls.app), SettableClock(NOW))
    try:
        async with database.unit_of_work(TenantContext(tenant_id, ActorKind.COMMAND_LINE)) as work:
            provider = BIGGEST if kind == "evidence_pack" else None
            return await request_report(work, Wanted(kind, YEAR, named=True, cqc_provider_id=provider))
    finally:
        await database.dispose()


async def _fill(urls: DatabaseUrls, superuser_url: str, staff: int, locations: int) -> UUID:
    """Everybody in post at locations of one provider, with courses, webinars, champions and feedback."""
    Console().print(f"Making {staff:,} staff at {locations} locations …")
    owner = Database(create_engine(urls.owner), SettableClock(NOW))
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    async with owner.unit_of_work(context) as work:
        await create_tenant(work, "bench", "Bench", "icb")
        programme = await create_programme(work, "Medicines training")
    await owner.dispose()
    connection = await asyncpg.connect(superuser_url)
    try:
        await _rows(connection, context.tenant_id, programme, staff, locations)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    database = Database(create_engine(urls.app), SettableClock(NOW))
    async with database.unit_of_work(context) as work:
        await standing.compute(work)
    await database.dispose()
    return context.tenant_id


async def _rows(connection: Any, tenant: UUID, programme: UUID, staff: int, locations: int) -> None:
    chance = random.Random(7)

    async def copy(name: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
        names = ["tenant_id", *columns.split()]
        owned = [(tenant, *row) for row in rows]
        await connection.copy_records_to_table(name, schema_name="medstead", columns=names, records=owned)

    await connection.execute("UPDATE medstead.programme SET status = 'published'")
    await connection.execute("UPDATE medstead.tier SET validity_months = 12")
    tiers = [row["id"] for row in await connection.fetch("SELECT id FROM medstead.tier ORDER BY position")]
    await connection.execute("INSERT INTO medstead.cqc_provider VALUES ($1, 'Invented Care', now())", BIGGEST)
    await connection.execute(
        "INSERT INTO medstead.cqc_location (id, original_id, name, provider_id, primary_setting, service_types,"
        " user_bands, regulated_activities, updated_at) SELECT '1-L' || n, '1-L' || n, 'Invented House ' || n, $1,"
        " (ARRAY['care_home_with_nursing', 'care_home_without_nursing', 'domiciliary'])[n % 3 + 1], '[]', '[]', '[]',"
        " now() FROM generate_series(1, $2::int) n", BIGGEST, locations,
    )  # fmt: skip
    places = [new_id() for _ in range(locations)]
    here = [(one, f"1-L{n}", "in_area", date(2020, 1, 1), NOW) for n, one in enumerate(places, 1)]
    await copy("tenant_location", "id location_id relationship since created_at", here)
    homes = [new_id() for _ in range(locations)]
    named = [(one, f"Invented House {n}", "care_provider", places[n], NOW) for n, one in enumerate(homes)]
    await copy("employer", "id name kind tenant_location_id created_at", named)
    people = [new_id() for _ in range(staff)]
    names = [(one, f"Given{n} Family{n}", f"given{n} family{n}", NOW) for n, one in enumerate(people)]
    await copy("learner", "id display_name name_key created_at", names)
    since = NOW.date() - timedelta(days=700)
    posts = [(new_id(), one, homes[n % locations], 8, since, NOW) for n, one in enumerate(people)]
    await copy("employment", "id learner_id employer_id job_role_code started_on created_at", posts)
    gives = [(new_id(), one, homes[n % locations], "administers", NOW) for n, one in enumerate(people) if n % 2]
    await copy("employment_task", "id learner_id employer_id task created_at", gives)
    provider, courses = new_id(), [new_id() for _ in range(4)]
    await copy("training_provider", "id name key", [(provider, "Provider", "provider")])
    titled = [(one, provider, f"Course {n}", f"course {n}", "1", tiers[0], NOW) for n, one in enumerate(courses)]
    await copy("course", "id training_provider_id title title_key version tier_id created_at", titled)
    needs = [(new_id(), programme, tier, NOW) for tier in tiers]
    await copy("requirement", "id programme_id tier_id created_at", needs)
    done = [
        (new_id(), one, chance.choice(courses), NOW - timedelta(days=chance.randrange(1, 500)), "bench", False, NOW)
        for one in people
        if chance.random() < 0.8
    ]
    await copy("completion", "id learner_id course_id completed_at source short_duration created_at", done)
    webinars = [new_id() for _ in range(SESSIONS)]
    held = [
        (one, f"Webinar {n}", tiers[1], at, at + timedelta(hours=1), "webinar", f"bench {n}", NOW)
        for n, one in enumerate(webinars)
        for at in (NOW - timedelta(days=6 * n + 1),)
    ]
    await copy("training_session", "id title tier_id starts_at ends_at online_mode external_key created_at", held)
    came = [
        (new_id(), webinars[n % SESSIONS], people[n // SESSIONS * 7 % staff], 3600, True, "reaches_threshold", NOW)
        for n in range(ATTENDANCES)
    ]
    await copy("attendance", "id session_id learner_id seconds qualifies decided_because updated_at", came)
    roles = [
        (new_id(), people[n], places[n % locations], f"role {n}", date(2026, 5, 1), date(2026, 5, 2), False, NOW)
        for n in range(min(staff, locations))
    ]
    columns = "id learner_id tenant_location_id location_key trained_on started_on deputy created_at"
    await copy("medication_champion", columns, roles)
    assessed = [
        (new_id(), one, "Assessor", "competent", "[]", date(2026, 3, 1), date(2027, 3, 1), NOW)
        for one in people[: staff // 3]
    ]
    columns = "id learner_id assessor_name outcome skills assessed_on review_due_on created_at"
    await copy("competence_assessment", columns, assessed)
