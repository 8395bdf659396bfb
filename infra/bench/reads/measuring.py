"""`./bench reads`: requests a second and latencies of three servers, turn by turn, and how flat a page's cost is."""

import asyncio
import secrets
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from app.reference import load_reference_data
from infra.bench.reads import documents
from infra.bench.reads.api import Api
from infra.bench.reads.data import COURSES, fill, row_id, tenant_id
from infra.bench.reads.load import Load, request_of, send
from infra.bench.reads.servers import (
    ServerFailed,
    environment,
    free_port,
    handwritten_command,
    post,
    postgraphile_command,
    running,
)
from infra.embedded import start_postgres, start_valkey
from migrations import runner
from tenants.provision import DatabaseUrls, RolePasswords, prepare_database

CLIENTS = 8
SECONDS = 3.0
FLAT = 1.3
MOMENT = "2023-03-01T00:00:00+00:00"
"""Half of the completions are before it."""

console = Console()


@dataclass(frozen=True, slots=True)
class Target:
    """A server with the request that it is measured by."""

    name: str
    port: int
    request: bytes


@dataclass(slots=True)
class Measured:
    """What a server did over all rounds."""

    loads: list[Load] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of the rounds' rates."""
        return statistics.median(load.rate for load in self.loads)

    def quantile(self, share: float) -> float:
        """The median of the rounds' quantiles, in milliseconds."""
        return statistics.median(load.quantile(share) for load in self.loads)


def run(rows: int, large: int, rounds: int) -> None:
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
        superuser = postgres.superuser_url.rpartition("/")[0] + "/bench"
        bench = _Bench(stack, folder, urls, superuser, valkey.url, rounds)
        console.print(f"Writing {rows:,} completions …")
        asyncio.run(fill(superuser, 1, 1, rows))
        bench.compare(rows)
        if large:
            bench.flatness(large)


class _Bench:
    def __init__(
        self, stack: ExitStack, folder: Path, urls: DatabaseUrls, superuser: str, redis_url: str, rounds: int
    ) -> None:
        self._stack, self._folder, self._urls, self._superuser = stack, folder, urls, superuser
        self._rounds = rounds
        self._api = Api.start(stack, folder, urls, redis_url)

    def _start(self, name: str, command: list[str], settings: dict[str, str], port: int) -> None:
        self._stack.enter_context(running(command, settings, port, self._folder / f"{name}.log"))

    def ours(self, tenant: UUID) -> Callable[[str, dict[str, Any]], Target]:
        """Makes targets of the API as a partner of the tenant."""
        headers = {"authorization": f"Bearer {self._api.token(tenant)}"}

        def target(query: str, variables: dict[str, Any]) -> Target:
            body = orjson.dumps({"query": query, "variables": variables})
            told = orjson.loads(post(self._api.port, "/graphql", body, headers))
            if "errors" in told:
                raise ServerFailed(str(told["errors"]))
            return Target("Medstead", self._api.port, request_of(self._api.port, "/graphql", body, headers))

        return target

    def compare(self, rows: int) -> None:
        """The three documents on all servers."""
        tenant = tenant_id(1)
        by_hand = free_port()
        settings = environment(BENCH_URL=self._superuser, BENCH_TENANT=str(tenant), PYTHONPATH=str(Path.cwd()))
        self._start("by-hand", handwritten_command(by_hand), settings, by_hand)
        theirs: int | None = None
        command = postgraphile_command()
        if command is None:
            console.print("PostGraphile cannot be had here: install npm and let it reach its registry.")
        else:
            theirs = free_port()
            settings = environment(BENCH_URL=self._superuser, BENCH_PORT=str(theirs), NODE_ENV="production")
            self._start("postgraphile", command, settings, theirs)
        ours = self.ours(tenant)
        for title, sizes, aims in (
            ("nested, 20 × 10 × 4", (20, 10, 4), (0.8, 2.5)),
            ("small, 5 × 2 × 4", (5, 2, 4), (0.7, 1.5)),
        ):
            variables = dict(zip(("employers", "people", "completions"), sizes, strict=True))
            body = orjson.dumps({"variables": variables})
            targets = [
                ours(documents.NESTED, variables),
                Target("by hand", by_hand, request_of(by_hand, "/nested", body, {})),
            ]
            self._same(targets[0], by_hand, "/nested", body)
            if theirs is not None:
                targets.append(_postgraphile(theirs, documents.THEIR_NESTED, {"tenant": tenant, **variables}))
            _tell(title, _turn_by_turn(targets, self._rounds), aims)
        self._page(rows, tenant, ours, by_hand, theirs)

    def _page(
        self,
        rows: int,
        tenant: UUID,
        ours: Callable[[str, dict[str, Any]], Target],
        by_hand: int,
        theirs: int | None,
    ) -> None:
        """A page of one course's completions, half-way into the list."""
        course = row_id(tenant, "course", 3)
        with_ends = documents.PAGE.replace("PAGE_INFO", documents.PAGE_INFO)
        first = ours(with_ends, {"course": f"Course:{course}", "first": 1, "before": MOMENT})
        found = _data(first)["completions"]
        row, after = found["nodes"][0], found["pageInfo"]["endCursor"]
        variables = {"course": f"Course:{course}", "first": 50, "after": after}
        given = {"course": course, "moment": row["completedAt"], "row": row["id"].partition(":")[2], "first": 50}
        body = orjson.dumps({"variables": given})
        plain = ours(documents.PAGE.replace("PAGE_INFO", ""), variables)
        self._same(plain, by_hand, "/page", body)
        targets = [plain, Target("by hand", by_hand, request_of(by_hand, "/page", body, {}))]
        if theirs is not None:
            their_page = documents.THEIR_PAGE.replace("PAGE_INFO", documents.PAGE_INFO)
            start = {"tenant": tenant, "course": course, "first": 1, "offset": rows // COURSES // 2}
            cursor = _data(_postgraphile(theirs, their_page, start))["completions"]["pageInfo"]["endCursor"]
            query = documents.THEIR_PAGE.replace("PAGE_INFO", "")
            targets.append(
                _postgraphile(theirs, query, {"tenant": tenant, "course": course, "first": 50, "after": cursor})
            )
        _tell(f"page of 50, deep in {rows:,} rows", _turn_by_turn(targets, self._rounds), None)

    def _same(self, ours: Target, port: int, path: str, body: bytes) -> None:
        """Both must say the same, or there is nothing to compare."""
        theirs = orjson.loads(post(port, path, body, {}))["data"]
        if _data(ours) != theirs:
            raise ServerFailed("The hand-written statement and the API give different answers.")

    def flatness(self, large: int) -> None:
        """The same page of few and many rows, beside few and many tenants; each state is measured against the first."""
        small = 10_000
        query = documents.PAGE.replace("PAGE_INFO", documents.PAGE_INFO)
        table = Table("The same page of 50", "p50, ms", "against the first", "at most")
        first: float | None = None
        for title, number, tenants, rows in (
            (f"{small:,} rows, few tenants", 2, (2, 2), small),
            (f"{small:,} rows, 200 tenants more", 2, (3, 201), small),
            (f"{large:,} rows, beside all these", 202, (202, 202), large),
        ):
            console.print(f"Writing {rows * (tenants[1] - tenants[0] + 1):,} completions …")
            asyncio.run(fill(self._superuser, *tenants, rows))
            target = self.ours(tenant_id(number))
            course = {"course": f"Course:{row_id(tenant_id(number), 'course', 3)}"}
            found = _data(target(query, {**course, "first": 1, "before": MOMENT}))["completions"]
            page = target(query, {**course, "first": 50, "after": found["pageInfo"]["endCursor"]})
            measured = _turn_by_turn([page], self._rounds, clients=1)[page.name]
            middle = measured.quantile(0.5)
            first = first or middle
            table.add_row(title, f"{middle:.2f}", f"{middle / first:.2f}", f"{FLAT}")
        console.print(table)


def _postgraphile(port: int, query: str, variables: dict[str, Any]) -> Target:
    body = orjson.dumps({"query": query, "variables": variables})
    told = orjson.loads(post(port, "/graphql", body, {}))
    if "errors" in told:
        raise ServerFailed(str(told["errors"]))
    return Target("PostGraphile", port, request_of(port, "/graphql", body, {}))


def _data(target: Target) -> Any:
    head, _, body = target.request.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    headers = {name: value for name, value in lines if name in ("authorization",)}
    return orjson.loads(post(target.port, head.split()[1].decode(), body, headers))["data"]


def _turn_by_turn(targets: list[Target], count: int, *, clients: int = CLIENTS) -> dict[str, Measured]:
    """Rounds in which each server has its turn, after one that only warms up."""
    measured = {target.name: Measured() for target in targets}

    async def rounds() -> None:
        for number in range(count + 1):
            for target in targets:
                load = await send(target.port, target.request, clients=clients, seconds=SECONDS)
                if number:
                    measured[target.name].loads.append(load)

    uvloop.run(rounds())
    return measured


def _tell(title: str, measured: dict[str, Measured], aims: tuple[float, float] | None) -> None:
    table = Table(title, "requests/s", "p50, ms", "p99, ms", "Medstead is", "aim")
    ours = measured["Medstead"].rate
    for name, one in measured.items():
        aim = {"by hand": f"≥ {aims[0]} ×", "PostGraphile": f"≥ {aims[1]} ×"}.get(name, "") if aims else ""
        ratio = "" if name == "Medstead" else f"{ours / one.rate:.2f} ×"
        table.add_row(name, f"{one.rate:,.0f}", f"{one.quantile(0.5):.1f}", f"{one.quantile(0.99):.1f}", ratio, aim)
    console.print(table)
