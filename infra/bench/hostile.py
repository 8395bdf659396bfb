"""The hostile bench: what the API's process holds before and after many requests that mean it ill."""

import asyncio
import itertools
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import orjson
import uvloop
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.reference import load_reference_data
from infra.bench.reads.api import Api
from infra.bench.reads.data import fill, tenant_id
from infra.embedded import start_postgres, start_valkey
from migrations import runner
from tenants.provision import RolePasswords, prepare_database
from tests.graphql_api.test_hostile import BODIES, DOCUMENTS

AT_ONCE = 4
ROUND = 500
GOOD = orjson.dumps({"query": "{ tenant { slug } learners(first: 20) { nodes { id displayName } } }"})


def run(requests: int) -> None:
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
        asyncio.run(fill(postgres.superuser_url.rpartition("/")[0] + "/bench", 1, 1, 10_000))
        api = Api.start(stack, folder, urls, valkey.url)
        uvloop.run(_measure(api, requests))


async def _measure(api: Api, requests: int) -> None:
    console = Console()
    token = await asyncio.to_thread(api.token, tenant_id(1))
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    statuses: Counter[str] = Counter()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", headers=headers, timeout=60) as http:
        for _ in range(500):
            assert (await http.post("/graphql", content=GOOD)).status_code == 200
        before, quick = _held(api.pid), await _middle(http)
        bodies = _bodies()
        started = time.monotonic()

        async def send(count: int) -> None:
            for body in itertools.islice(bodies, count):
                try:
                    statuses[str((await http.post("/graphql", content=body)).status_code)] += 1
                except httpx2.TransportError:  # a body that is too large is not waited for
                    statuses["cut off"] += 1

        for _ in track(range(0, requests, ROUND * AT_ONCE), "Sending …", console=console):
            await asyncio.gather(*[send(ROUND) for _ in range(AT_ONCE)])
        seconds = time.monotonic() - started
        after, still = _held(api.pid), await _middle(http)
    sent = sum(statuses.values())
    table = Table(f"{sent:,} hostile requests in {seconds:.0f} s", "before", "after")
    table.add_row("memory of the process, MB", f"{before[0]:.0f}", f"{after[0]:.0f}")
    table.add_row("most memory so far, MB", f"{before[1]:.0f}", f"{after[1]:.0f}")
    table.add_row("a small read, p50, ms", f"{quick:.2f}", f"{still:.2f}")
    console.print(table)
    console.print(", ".join(f"{count:,} × {status}" for status, count in sorted(statuses.items())))


def _bodies() -> Iterator[bytes]:
    """Every hostile body and document in turn, each told apart by a comment, so that none is known already."""
    for number in itertools.count():
        for body, _, _ in BODIES.values():
            yield body
        for query, variables, _ in DOCUMENTS.values():
            yield orjson.dumps({"query": f"{query} # {number}", "variables": variables})


def _held(pid: int) -> tuple[float, float]:
    """Memory of a process now, and the most it has held, in MB."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


async def _middle(http: httpx2.AsyncClient) -> float:
    """Median milliseconds of a good request."""
    times = []
    for _ in range(300):
        started = time.perf_counter()
        answer = await http.post("/graphql", content=GOOD)
        times.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.text
    return sorted(times)[len(times) // 2] * 1000
