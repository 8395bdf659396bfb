"""The reminders bench: many due reminders to a local mail server by a worker, against a bare loop of aiosmtplib."""

import asyncio
import base64
import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from aiosmtplib import SMTP
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.directory.models import Learner, LearnerIdentifier
from app.messaging.letters import Identity, Letter, as_bytes
from app.messaging.reminders import RuleGiven, save_rule
from app.messaging.settings import SettingsGiven, save_settings
from app.messaging.smtp import CONNECTIONS
from app.messaging.writing import Written
from app.reference import load_reference_data
from app.training.booking.models import Booking
from app.training.models import TrainingSession
from app.training.operations import create_programme
from infra.bench.sink import Sink
from infra.embedded import start_postgres, start_valkey
from migrations import runner
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine, plain_url
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database
from tenants.registry import create_tenant
from tenants.session import Database

A_SESSION = 400
LEARNERS = 12_000
KILLS = 5
LEASE_SECONDS = 2
LONGEST_SECONDS = 3600.0


def run(reminders: int) -> None:
    """Measure and print."""
    table = Table(title=f"{reminders:,} reminders, {CONNECTIONS} connections")
    for heading in ("", "seconds", "messages/s", "ratio", "distinct", "handed over"):
        table.add_column(heading, justify="left" if not heading else "right")
    bare = _row(table, "bare aiosmtplib", reminders, None, *_bare(reminders))
    _row(table, "worker", reminders, bare, *_whole(reminders, 0))
    _row(table, f"worker, killed {KILLS} times", reminders, bare, *_whole(reminders, KILLS))
    Console().print(table)


def _row(table: Table, name: str, count: int, bare: float | None, seconds: float, sink: tuple[int, int]) -> float:
    rate = count / seconds
    ratio = "1" if bare is None else f"{rate / bare:.2f}"
    table.add_row(name, f"{seconds:.1f}", f"{rate:,.0f}", ratio, f"{sink[0]:,}", f"{sink[1]:,}")
    if sink[0] != count:
        sys.exit(f"{name}: {sink[0]:,} distinct messages arrived, not {count:,}")
    return rate


def _bare(count: int) -> tuple[float, tuple[int, int]]:
    """The same number of letters of the same size, made beforehand, over as many connections."""
    with Sink() as sink:
        started = time.perf_counter()
        uvloop.run(_loop(count, sink.port))
        return time.perf_counter() - started, sink.counts()


async def _loop(count: int, port: int) -> None:
    numbers = iter(range(count))
    identity = Identity("Bench", "Training", "training@bench.example", None, "Training", "#005eb8", "Town hall")
    text = "Dear Learner,\n\nwe look forward to seeing you.\n\n" * 3
    letter = Letter(
        new_id(), "PLACE", "learner@bench.example", Written("Reminder", text, text), identity, system_clock()
    )
    head, _, tail = as_bytes(letter).partition(b"PLACE")

    async def line() -> None:
        client = SMTP(hostname="127.0.0.1", port=port)
        await client.connect()
        for number in numbers:
            body = head + f"bare-{number}".encode() + tail
            await client.sendmail("training@bench.example", [f"learner{number}@bench.example"], body)
        await client.quit()

    await asyncio.gather(*[line() for _ in range(CONNECTIONS)])


@dataclass(frozen=True, slots=True)
class Place:
    """Servers with a migrated database, a mail server, and a worker that is not yet started."""

    urls: DatabaseUrls
    sink: Sink
    worker: "Worker"


def place(stack: ExitStack, lease_seconds: float = 60) -> Place:
    """Start the servers; they end with the stack, and the worker too."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
    folder.chmod(0o711)
    postgres = stack.enter_context(start_postgres(folder, durable=False))
    valkey = stack.enter_context(start_valkey(folder, durable=False))
    passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
    urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
    runner.upgrade(urls.owner)
    asyncio.run(load_reference_data(urls.owner))
    sink = stack.enter_context(Sink())
    environment = {
        "MEDSTEAD_ENVIRONMENT": "test",
        "DATABASE_URL": urls.app,
        "REDIS_URL": valkey.url,
        "MEDSTEAD_SECRET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "MEDSTEAD_DATA_DIR": str(folder / "data"),
        "MEDSTEAD_SMTP_PORT": str(sink.port),
        "MEDSTEAD_LEASE_SECONDS": str(lease_seconds),
        "MEDSTEAD_LOG_LEVEL": "error",
    }
    worker = Worker(environment)
    stack.callback(worker.kill)
    return Place(urls, sink, worker)


def _whole(count: int, kills: int) -> tuple[float, tuple[int, int]]:
    """From the moment at which all are due until the last is noted as sent."""
    with ExitStack() as stack:
        here = place(stack, LEASE_SECONDS if kills else 60)
        urls, sink, worker = here.urls, here.sink, here.worker
        tenant = asyncio.run(fill(urls, count, "bench"))
        started = time.perf_counter()
        worker.start()
        with Progress(transient=True) as progress:
            task = progress.add_task("sending", total=count)
            left = [count * (number + 1) // (kills + 1) for number in range(kills)]

            def arrived(distinct: int) -> None:
                progress.update(task, completed=distinct)
                if left and distinct >= left[0]:
                    left.pop(0)
                    worker.kill()
                    worker.start()

            asyncio.run(_until_sent(urls.app, tenant, count, sink, arrived))
        return time.perf_counter() - started, sink.counts()


class Worker:
    """A worker process that can be killed and started again."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: Any = None

    def start(self) -> None:
        """Start one."""
        self._process = multiprocessing.get_context("spawn").Process(target=_work, args=(self._environment,))
        self._process.start()

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()


def _work(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    from app.settings import load_settings
    from workers import main

    uvloop.run(main.run(load_settings()))


async def _until_sent(url: str, tenant: Any, count: int, sink: Sink, arrived: Callable[[int], None]) -> None:
    connection = await asyncpg.connect(plain_url(url))
    await connection.execute(f"SET app.tenant_id = '{tenant}'")
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        distinct, _ = await asyncio.to_thread(sink.counts)
        await asyncio.to_thread(arrived, distinct)
        if distinct >= count:
            sent = "SELECT count(*) FROM medstead.message WHERE tenant_id = $1 AND state = 'sent'"
            if await connection.fetchval(sent, tenant) == count:
                break
        await asyncio.sleep(0.2)
    await connection.close()


async def fill(urls: DatabaseUrls, count: int, slug: str) -> UUID:
    """A tenant with sessions that begin within the hour, each fully booked, and a rule whose reminders are due."""
    owner, database = Database(create_engine(urls.owner), system_clock), Database(create_engine(urls.app), system_clock)
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    async with owner.unit_of_work(context) as work:
        await create_tenant(work, slug, f"Bench {slug}", "icb")
        await create_programme(work, "Medicines training")
    await owner.dispose()
    async with database.unit_of_work(context) as work:
        now, begins = work.now, work.now + timedelta(minutes=50)
        people = [new_id() for _ in range(min(LEARNERS, max(count, A_SESSION)))]
        named = ("id", "display_name", "given_name", "name_key", "created_at")
        rows = ((one, f"Learner Example-{at}", "Learner", f"learner {at}", now) for at, one in enumerate(people))
        await work.insert_rows(Learner, named, rows)
        pointing = ("id", "learner_id", "kind", "value", "shared", "created_at")
        addresses = (
            (new_id(), one, "email", f"learner{at}@bench.example", False, now) for at, one in enumerate(people)
        )
        await work.insert_rows(LearnerIdentifier, pointing, addresses)
        sessions = [new_id() for _ in range(-(-count // A_SESSION))]
        for at, one in enumerate(sessions):
            work.add(
                TrainingSession(
                    tenant_id=work.tenant_id, id=one, title=f"Webinar {at}", starts_at=begins,
                    ends_at=begins + timedelta(hours=2), online_mode="webinar", external_key=f"bench:{at}",
                    created_at=now, state="published", join_url="https://bench.example/join",
                )
            )  # fmt: skip
        await work.session.flush()
        names = (
            "id", "session_id", "learner_id", "state", "number", "reserves", "reference", "booked_by", "booked_at",
            "confirmed_at", "late",
        )  # fmt: skip
        before = now - timedelta(days=1)
        booked = (
            (
                new_id(), sessions[at // A_SESSION], people[at % len(people)], "confirmed", at % A_SESSION + 1, "[]",
                f"R{at:07}", "team", before, before, False,
            )
            for at in range(count)
        )  # fmt: skip
        await work.insert_rows(Booking, names, booked)
    async with database.unit_of_work(context) as work:
        given = SettingsGiven(
            "Training", "training@bench.example", per_minute=1_000_000, quiet_from=None, quiet_until=None
        )
        await save_settings(work, given)
        await save_rule(work, RuleGiven("before_start", "booked", "reminder", minutes=60))
    await database.dispose()
    return context.tenant_id
