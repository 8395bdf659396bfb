"""The booking bench: thousands of learners rush to few places through GraphQL, against the same transaction by hand."""

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.reference import load_reference_data
from app.training.sessions.details import Places, SessionDetails
from app.training.sessions.operations import create_session, publish_session
from app.training.sessions.team import Member, save_member
from infra.bench.reads.api import Api
from infra.bench.reads.data import COMPLETIONS_PER_LEARNER, fill, tenant_id
from infra.embedded import start_postgres, start_valkey
from migrations import runner
from tenants.clock import system_clock
from tenants.context import ActorKind, TenantContext
from tenants.engine import create_engine, plain_url
from tenants.identifiers import new_id
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database
from tenants.session import Database

AT_ONCE = 200
"""Requests on their way at any time."""
CONNECTIONS = 10
"""Of the hand-written transaction: as many as the API's process may open."""
BOOK = """mutation ($input: BookPlacesInput!) { result: bookPlaces(input: $input) {
  ... on BookingsMade { bookings { id state number } } ... on UserError { code } } }"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a rush came to: seconds, each request's seconds, and how many heard what."""

    seconds: float
    each: list[float]
    answers: Counter[str]

    @property
    def rate(self) -> float:
        """Bookings a second."""
        return len(self.each) / self.seconds


def run(learners: int, places: int, sessions: int) -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="medstead-bench-")))
        folder.chmod(0o711)
        postgres = stack.enter_context(start_postgres(folder, durable=False))
        valkey = stack.enter_context(start_valkey(folder, durable=False))
        passwords = RolePasswords(*(secrets.token_urlsafe(16) for _ in range(3)))
        urls = asyncio.run(prepare_database(postgres.superuser_url, "bench", passwords))
        runner.upgrade(urls.owner)
        asyncio.run(load_reference_data(urls.owner))
        rows = learners * COMPLETIONS_PER_LEARNER
        asyncio.run(fill(postgres.superuser_url.rpartition("/")[0] + "/bench", 1, 1, rows))
        api = Api.start(stack, folder, urls, valkey.url)
        uvloop.run(_measure(api, urls, learners, places, sessions))


async def _measure(api: Api, urls: DatabaseUrls, learners: int, places: int, sessions: int) -> None:
    tenant = tenant_id(1)
    token = await asyncio.to_thread(api.token, tenant)
    people = await _people(urls.app, tenant, learners)
    made = await _sessions(urls.app, tenant, places, sessions + 2)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    table = Table(title=f"{learners:,} learners, {places} places each session")
    for heading in ("", "bookings/s", "ratio", "median", "p99", "confirmed", "waiting", "else"):
        table.add_column(heading, justify="left" if not heading else "right")
    limits = httpx2.Limits(max_connections=AT_ONCE)
    async with (
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{api.port}", headers=headers, timeout=120, limits=limits
        ) as http,
        asyncpg.create_pool(plain_url(urls.app), min_size=CONNECTIONS, max_size=CONNECTIONS) as pool,
    ):

        async def by_api(session_id: UUID, learner: UUID) -> str:
            given = {"sessionId": f"Session:{session_id}", "learnerIds": [f"Learner:{learner}"], "bookedBy": "LEARNER"}
            answer = await http.post("/graphql", content=orjson.dumps({"query": BOOK, "variables": {"input": given}}))
            if answer.status_code != 200:
                return str(answer.status_code)
            result: dict[str, Any] = answer.json()["data"]["result"]
            return str(result["bookings"][0]["state"]).lower() if "bookings" in result else str(result["code"])

        async def by_hand(session_id: UUID, learner: UUID) -> str:
            async with pool.acquire() as connection:
                return await _by_hand(connection, tenant, session_id, learner)

        for warm in people[:20]:
            await by_api(made[0], warm)
        bare = await _rush(by_hand, [(made[1], learner) for learner in people], "by hand, one session")
        one = await _rush(by_api, [(made[2], learner) for learner in people], "GraphQL, one session")
        spread = [(made[3 + number % (sessions - 1)], learner) for number, learner in enumerate(people)]
        many = await _rush(by_api, spread, f"GraphQL, {sessions - 1} sessions")
    for name, told in (("by hand", bare), ("GraphQL", one), (f"GraphQL, {sessions - 1} sessions", many)):
        p99 = quantiles(told.each, n=100)
        others = sum(count for state, count in told.answers.items() if state not in ("confirmed", "waiting"))
        table.add_row(
            name, f"{told.rate:.0f}", f"{told.rate / bare.rate:.2f}", f"{p99[49] * 1000:.0f} ms",
            f"{p99[98] * 1000:.0f} ms", f"{told.answers['confirmed']:,}", f"{told.answers['waiting']:,}", str(others),
        )  # fmt: skip
    Console().print(table)
    await _hold_promises(urls.app, tenant, made[2], places, learners)


async def _rush(book: Callable[[UUID, UUID], Awaitable[str]], wanted: list[tuple[UUID, UUID]], name: str) -> Told:
    turn, each, answers = asyncio.Semaphore(AT_ONCE), [], Counter[str]()
    with Progress(transient=True) as progress:
        task = progress.add_task(name, total=len(wanted))

        async def one(session_id: UUID, learner: UUID) -> None:
            async with turn:
                began = time.monotonic()
                answers[await book(session_id, learner)] += 1
                each.append(time.monotonic() - began)
                progress.advance(task)

        started = time.monotonic()
        await asyncio.gather(*[one(*pair) for pair in wanted])
    return Told(time.monotonic() - started, each, answers)


async def _people(url: str, tenant: UUID, learners: int) -> list[UUID]:
    connection = await asyncpg.connect(plain_url(url))
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
        rows = await connection.fetch(
            "SELECT id FROM medstead.learner WHERE tenant_id = $1 ORDER BY created_at, id LIMIT $2", tenant, learners
        )
    await connection.close()
    return [row["id"] for row in rows]


async def _sessions(url: str, tenant: UUID, places: int, count: int) -> list[UUID]:
    database = Database(create_engine(url), system_clock)
    starts = datetime.now(UTC) + timedelta(days=7)
    made = []
    async with database.unit_of_work(TenantContext(tenant, ActorKind.COMMAND_LINE)) as work:
        member, _ = await save_member(work, Member("Invented Leader", "other", ("facilitator",)))
        details = SessionDetails(
            "Rushed webinar",
            starts,
            starts + timedelta(hours=2),
            places=Places(places),
            facilitator_ids=(member,),
        )
        for _ in range(count):
            made.append(await create_session(work, details))
            await publish_session(work, made[-1], 1)
    await database.dispose()
    return made


async def _hold_promises(url: str, tenant: UUID, session_id: UUID, places: int, learners: int) -> None:
    """Exactly as many as there are places are confirmed, all others wait, and the order is that of their numbers."""
    connection = await asyncpg.connect(plain_url(url))
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'")
        rows = await connection.fetch(
            "SELECT state, number FROM medstead.booking WHERE tenant_id = $1 AND session_id = $2 ORDER BY number",
            tenant,
            session_id,
        )
    await connection.close()
    expected = ["confirmed"] * min(places, learners) + ["waiting"] * max(0, learners - places)
    assert [row["state"] for row in rows] == expected, Counter(row["state"] for row in rows)
    assert [row["number"] for row in rows] == list(range(1, learners + 1))
    Console().print(f"The first {min(places, learners)} of {learners:,} are confirmed, the others wait in order.")


async def _by_hand(connection: Any, tenant: UUID, session_id: UUID, learner: UUID) -> str:
    """What one booking through the API reads and writes, in as few statements, without anything around it."""
    now, booking_id, event_id = datetime.now(UTC), new_id(), new_id()
    async with connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant}'; SET LOCAL lock_timeout = '3s'")
        await connection.fetchrow(
            "SELECT s.*, p.* FROM medstead.training_session s JOIN medstead.session_places p"
            " ON p.tenant_id = s.tenant_id AND p.session_id = s.id WHERE s.tenant_id = $1 AND s.id = $2",
            tenant, session_id,
        )  # fmt: skip
        employers = await connection.fetch(
            "SELECT l.id, e.employer_id FROM medstead.learner l LEFT JOIN medstead.employment e"
            " ON e.tenant_id = l.tenant_id AND e.learner_id = l.id AND e.started_on <= $3"
            " AND (e.ended_on IS NULL OR e.ended_on >= $3)"
            " WHERE l.tenant_id = $1 AND l.id = $2 AND l.merged_into_id IS NULL",
            tenant, learner, now.date(),
        )  # fmt: skip
        places = await connection.fetchrow(
            "SELECT * FROM medstead.session_places WHERE tenant_id = $1 AND session_id = $2 FOR NO KEY UPDATE",
            tenant, session_id,
        )  # fmt: skip
        await connection.fetch(
            "SELECT id FROM medstead.booking WHERE tenant_id = $1 AND session_id = $2 AND learner_id = $3"
            " AND state IN ('confirmed', 'waiting', 'offered')",
            tenant, session_id, learner,
        )  # fmt: skip
        taken = await connection.fetchval(
            "SELECT count(*) FROM medstead.booking WHERE tenant_id = $1 AND session_id = $2"
            " AND state IN ('confirmed', 'offered')",
            tenant, session_id,
        )  # fmt: skip
        state = "confirmed" if taken < places["capacity"] else "waiting"
        await connection.execute(
            "UPDATE medstead.session_places SET next_number = next_number + 1 WHERE tenant_id = $1 AND id = $2",
            tenant, places["id"],
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO medstead.booking (tenant_id, id, session_id, learner_id, employer_id, state, number, reserves,"
            " reference, booked_by, booked_at, confirmed_at, late)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, '[]', $8, 'learner', $9, $10, false)",
            tenant, booking_id, session_id, learner, employers[0]["employer_id"], state, places["next_number"],
            secrets.token_hex(8), now, now if state == "confirmed" else None,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO medstead.webhook_event (tenant_id, id, type, subject, occurred_at, request_id)"
            " VALUES ($1, $2, 'booking.made', $3, $4, $2)",
            tenant, event_id, f"Booking:{booking_id}", now,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO medstead.outbox (tenant_id, id, topic, dedupe_key, refs, request_id, created_at, available_at,"
            " attempts, failures) VALUES ($1, $2, 'webhooks.fan_out', $3, $4, $2, $5, $5, 0, 0)"
            " ON CONFLICT DO NOTHING",
            tenant, new_id(), f"webhooks.fan_out:{event_id}", orjson.dumps({"event_id": str(event_id)}).decode(), now,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO medstead.tenant_work (tenant_id, due_at) VALUES ($1, $2) ON CONFLICT (tenant_id)"
            " DO UPDATE SET due_at = least(tenant_work.due_at, excluded.due_at)",
            tenant, now,
        )  # fmt: skip
        head = await connection.fetchrow(
            "SELECT sequence, hash FROM medstead.audit_head WHERE tenant_id = $1 FOR UPDATE", tenant
        )
        digest = hashlib.sha256(head["hash"] + booking_id.bytes).digest()
        await connection.execute(
            "INSERT INTO medstead.audit_event (tenant_id, id, sequence, at, actor_kind, request_id, action,"
            " subject_type, subject_id, after, previous_hash, hash)"
            " VALUES ($1, $2, $3, $4, 'client', $2, 'made', 'booking', $5, $6, $7, $8)",
            tenant, new_id(), head["sequence"] + 1, now, booking_id, orjson.dumps({"state": state}).decode(),
            head["hash"], digest,
        )  # fmt: skip
        await connection.execute(
            "UPDATE medstead.audit_head SET sequence = $2, hash = $3 WHERE tenant_id = $1",
            tenant, head["sequence"] + 1, digest,
        )  # fmt: skip
        await connection.fetchval(
            "SELECT json_build_object('id', id, 'state', state, 'number', number)::text FROM medstead.booking"
            " WHERE tenant_id = $1 AND id = $2",
            tenant, booking_id,
        )  # fmt: skip
    return state
