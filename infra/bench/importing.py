"""The import bench: a file of completions through the whole pipeline, and the same rows by COPY."""

import asyncio
import random
import resource
import secrets
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from app.cli.imports import pieces_of
from app.imports.applying import apply_import
from app.imports.models import ImportRun
from app.imports.receiving import Incoming, receive
from app.imports.staging import stage_import
from app.reference import load_reference_data
from app.training.operations import create_programme
from infra.embedded import start_postgres
from migrations import runner
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database
from tenants.registry import create_tenant
from tenants.session import Database, UnitOfWork

LEARNERS_PER_ROW = 10
LEARNERS_PER_EMPLOYER = 25
AIM = 0.3
AIM_GROWTH = 150


def run(rows: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
        folder.chmod(0o711)
        file = write_file(folder / "completions.csv", rows)
        postgres = stack.enter_context(start_postgres(folder / "server"))
        passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
        urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
        runner.upgrade(urls.owner)
        asyncio.run(load_reference_data(urls.owner))
        uvloop.run(_measure(urls, postgres.superuser_url.rpartition("/")[0] + "/bench", file, folder, rows))


def write_file(path: Path, rows: int, title: str = "Invented course") -> Path:
    """Invented completions: each learner at an employer with a CQC id, each completion told once."""
    chance = random.Random(7)
    learners = max(rows // LEARNERS_PER_ROW, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(
            "Course name,Username,First name,Surname,Email address,Organisation,CQC location ID,Job role,Started,"
            "Completed,Status,Time spent,Grade,Training provider,Course version,Certificate number\r\n"
        )
        for number in range(rows):
            learner = chance.randrange(learners)
            employer = learner // LEARNERS_PER_EMPLOYER
            day, month, minute = 1 + number % 28, 1 + number // 28 % 9, number % 1440
            clock = f"{minute // 60:02}:{minute % 60:02}:{number // 10_080 % 60:02}"
            file.write(
                f"{title} {number % 6},u{learner},Given{_letters(learner)},Family{_letters(learner * 7)},"
                f"u{learner}@post.example,Invented Home {employer},1-{800_000_000 + employer},Care worker,"
                f"{day:02}/{month:02}/2025 09:00,{day:02}/{month:02}/2026 {clock},"
                f"Completed,3h {number % 60}m,{75 + number % 25}.00,PrescQIPP,1,C-{number}\r\n"
            )
    return path


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


async def _measure(urls: DatabaseUrls, superuser_url: str, file: Path, folder: Path, rows: int) -> None:
    owner = Database(create_engine(urls.owner), system_clock)
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    async with owner.unit_of_work(context) as work:
        await create_tenant(work, "bench", "Bench", "icb")
        await create_programme(work, "Medicines training")
    await owner.dispose()
    database = Database(create_engine(urls.app), system_clock)
    await _import(database, context, write_file(folder / "warm.csv", 500, "Warm-up"), folder)
    before = _peak()
    console = Console()
    console.print(f"Importing {rows:,} completions …")
    seconds = await _import(database, context, file, folder)
    growth = _peak() - before
    await database.dispose()
    console.print("The same rows by COPY …")
    copied = await _copy(superuser_url, folder, context.tenant_id)
    table = Table("What", "Figure", "Aim")
    total = sum(seconds.values())
    for name, value in seconds.items():
        table.add_row(f"{name}, s", f"{value:.1f}", "")
    table.add_row("import, rows/s", f"{rows / total:,.0f}", "")
    table.add_row("COPY into the same indexed table, rows/s", f"{rows / copied:,.0f}", "")
    table.add_row("ratio", f"{copied / total:.2f}", f"≥ {AIM}")
    table.add_row("peak memory growth, MB", f"{growth:.0f}", f"≤ {AIM_GROWTH}")
    console.print(table)


def _peak() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _import(database: Database, context: TenantContext, file: Path, folder: Path) -> dict[str, float]:
    async def nobody_else(_: UnitOfWork) -> None:
        """There is one worker here."""

    times = [time.perf_counter()]
    said = Incoming(file.name, "completions", {"tier": 1}, auto_apply=True)
    received = await receive(database, context, pieces_of(file), said, folder / "uploads")
    times.append(time.perf_counter())
    await stage_import(database, context, received.import_id, folder / "uploads", nobody_else)
    times.append(time.perf_counter())
    await apply_import(database, context, received.import_id, nobody_else)
    times.append(time.perf_counter())
    async with database.session(context) as session:
        run = await session.get_one(ImportRun, (context.tenant_id, received.import_id))
    result = run.counts["result"]
    if run.state != "finished" or result["applied"] != run.rows_total:
        raise RuntimeError(f"The import came to {run.state} with {result}; every row should have been applied.")
    names = ("receive", "stage", "apply")
    return {name: end - start for name, start, end in zip(names, times, times[1:], strict=False)}


async def _copy(superuser_url: str, folder: Path, tenant_id: UUID) -> float:
    """Seconds for COPY of the imported rows into the emptied table, with its indexes and foreign keys."""
    connection = await asyncpg.connect(superuser_url)
    try:
        rows = folder / "rows.binary"
        query = f"SELECT * FROM medstead.completion WHERE tenant_id = '{tenant_id}' ORDER BY id"
        await connection.copy_from_query(query, output=rows, format="binary")
        await connection.execute("TRUNCATE medstead.completion")
        await connection.execute("CHECKPOINT")
        started = time.perf_counter()
        await connection.copy_to_table("completion", schema_name="medstead", source=rows, format="binary")
        return time.perf_counter() - started
    finally:
        await connection.close()
