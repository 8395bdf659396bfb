"""The fairness bench: one message of a small tenant while a large one sends very many through the same worker."""

import asyncio
import time
from contextlib import ExitStack
from statistics import median
from uuid import UUID

import asyncpg
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import select

from app.directory.models import Learner
from app.messaging.ledger import Asked, ask
from app.messaging.rules import Occasion
from app.messaging.templates import template_for
from infra.bench import reminding
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine, plain_url
from tenants.identifiers import new_id
from tenants.session import Database

ROUNDS = 20
PAUSE_SECONDS = 1.0
BEGUN = 1_000
"""Messages after which the large tenant is well under way."""
LONGEST_SECONDS = 120.0


def run(reminders: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        here = reminding.place(stack)
        small = asyncio.run(reminding.fill(here.urls, 1, "small"))
        alone = asyncio.run(_delays(here, small, None, ROUNDS // 4))
        large = asyncio.run(reminding.fill(here.urls, reminders, "large"))
        beside = asyncio.run(_delays(here, small, large, ROUNDS))
    table = Table(title=f"One message of a tenant, from being asked for to being sent; the other sends {reminders:,}")
    for heading in ("", "rounds", "median", "longest"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, delays in (("alone", alone), ("beside the other", beside)):
        table.add_row(name, str(len(delays)), f"{median(delays):.2f} s", f"{max(delays):.2f} s")
    Console().print(table)


async def _delays(here: reminding.Place, small: UUID, large: UUID | None, rounds: int) -> list[float]:
    """Seconds of each round; where there is a large tenant, only while it still sends."""
    database = Database(create_engine(here.urls.app), system_clock)
    connection = await asyncpg.connect(plain_url(here.urls.app))
    found: list[float] = []
    if large is None:
        here.worker.start()
    else:
        for _ in range(600):
            if here.sink.counts()[0] > BEGUN:
                break
            await asyncio.sleep(0.2)
    with Progress(transient=True) as progress:
        task = progress.add_task("asking", total=rounds)
        for _ in range(rounds):
            found.append(await _delay(database, connection, small))
            progress.advance(task)
            if large is not None and not await _waiting(connection, large):
                break
            await asyncio.sleep(PAUSE_SECONDS)
    await connection.close()
    await database.dispose()
    return found


async def _delay(database: Database, connection: asyncpg.Connection, tenant: UUID) -> float:
    key = f"bench:{new_id()}"
    async with database.unit_of_work(TenantContext(tenant, ActorKind.COMMAND_LINE)) as work:
        learner = (await work.session.scalars(select(Learner.id).limit(1))).one()
        template = await template_for(work, Occasion.NUDGE_DORMANT)
        assert template is not None
        asked = Asked(key, Occasion.NUDGE_DORMANT, "programme", template.id, learner_id=learner)
        await ask(work, [asked], work.now)
    started = time.monotonic()
    await connection.execute(f"SET app.tenant_id = '{tenant}'")
    state = "SELECT state FROM medstead.message WHERE tenant_id = $1 AND send_key = $2"
    while await connection.fetchval(state, tenant, key) != "sent":
        if time.monotonic() - started > LONGEST_SECONDS:
            raise TimeoutError("The message did not go out.")
        await asyncio.sleep(0.01)
    return time.monotonic() - started


async def _waiting(connection: asyncpg.Connection, tenant: UUID) -> bool:
    await connection.execute(f"SET app.tenant_id = '{tenant}'")
    left = "SELECT EXISTS (SELECT FROM medstead.message WHERE tenant_id = $1 AND state = 'queued')"
    return bool(await connection.fetchval(left, tenant))
