"""The certificates bench: all who attended one webinar, issued by the worker's own steps, then every PDF drawn."""

import asyncio
import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from app.directory.models import Learner
from app.identity.secrets import Vault
from app.reference import load_reference_data
from app.training.certificates import issuing, pdf
from app.training.certificates.models import Certificate, CertificateTemplate
from app.training.certificates.rules import TemplateText
from app.training.certificates.templates import save_template
from app.training.models import Attendance, TrainingSession
from app.training.operations import create_programme
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
BASE, SLUG = "https://medstead.example", "bench"


def run(people: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
        folder.chmod(0o711)
        postgres = stack.enter_context(start_postgres(folder / "server"))
        passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
        urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
        runner.upgrade(urls.owner)
        asyncio.run(load_reference_data(urls.owner))
        uvloop.run(_measure(urls, people))


async def _measure(urls: DatabaseUrls, people: int) -> None:
    clock = SettableClock(NOW)
    owner = Database(create_engine(urls.owner), clock)
    context = TenantContext(new_id(), ActorKind.COMMAND_LINE)
    async with owner.unit_of_work(context) as work:
        await create_tenant(work, SLUG, "Bench", "icb")
        await create_programme(work, "Medicines training")
    await owner.dispose()
    database, vault = Database(create_engine(urls.app), clock), Vault(secrets.token_bytes(32))
    try:
        run_id = await _fill(database, context, people)
        started, steps, more = time.perf_counter(), 0, True
        while more:
            async with database.unit_of_work(context) as work:
                more = await issuing.issue_chunk(work, run_id, vault)
            steps += 1
        issued = time.perf_counter() - started
        async with database.session(context) as session:
            certificates = (await session.scalars(select(Certificate).order_by(Certificate.serial))).all()
            template = (await session.scalars(select(CertificateTemplate))).one()
    finally:
        await database.dispose()
    started = time.perf_counter()
    sizes = [len(pdf.draw(certificate, template, BASE, SLUG)) for certificate in certificates]
    alone = time.perf_counter() - started
    started = time.perf_counter()
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        pieces = [certificates[at::2] for at in range(2)]
        waiting = [pool.submit(_draw, piece, template) for piece in pieces]
        both = sum(one.result() for one in waiting)
    together = time.perf_counter() - started
    assert both == len(certificates) == people
    rows = (
        ("issued", issued, f"{steps} transactions, with audit and events"),
        ("PDFs, one thread", alone, f"{sum(sizes) // people:,} bytes each"),
        ("PDFs, two threads", together, ""),
        ("issued and drawn", issued + together, "aim: under a minute for 400"),
    )
    table = Table("What", "Seconds", "A second", "")
    for what, seconds, remark in rows:
        table.add_row(what, f"{seconds:.2f}", f"{people / seconds:,.0f}", remark)
    Console().print(table)


def _draw(certificates: Sequence[Certificate], template: CertificateTemplate) -> int:
    return sum(bool(pdf.draw(certificate, template, BASE, SLUG)) for certificate in certificates)


async def _fill(database: Database, context: TenantContext, people: int) -> UUID:
    async with database.unit_of_work(context) as work:
        webinar = TrainingSession(
            tenant_id=work.tenant_id,
            id=new_id(),
            title="Safe handling of medicines: webinar",
            tier_id=None,
            starts_at=NOW - timedelta(hours=3),
            ends_at=NOW - timedelta(hours=2),
            online_mode="webinar",
            external_key="bench",
            created_at=NOW,
        )
        work.add(webinar)
        await work.session.flush()
        ids = [new_id() for _ in range(people)]
        names = [f"Learner Example-{n:04}" for n in range(people)]
        learners = [(one, name, name.casefold(), NOW) for one, name in zip(ids, names, strict=True)]
        await work.insert_rows(Learner, ("id", "display_name", "name_key", "created_at"), learners)
        columns = ("id", "session_id", "learner_id", "seconds", "qualifies", "decided_because", "updated_at")
        present = [(new_id(), webinar.id, one, 3600, True, "reaches_threshold", NOW) for one in ids]
        await work.insert_rows(Attendance, columns, present)
        text = TemplateText("Invented ICB", "Sam Signatory", "Programme lead", "Guidance only.", "never")
        await save_template(work, 0, text)
        return await issuing.request_certificates(work, issuing.Wanted(session_id=webinar.id))
