"""Fixtures: real servers for the run, a database of its own for each test, two tenants with the same business keys."""

import gc
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, settings
from sqlalchemy import Dialect, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from app.identity import passwords
from tenants import engine
from tests import servers
from tests.browser.finding import HOW_TO_GET_ONE, find_browser
from tests.graphql_api.npm import AUDITS, CLIENTS, HOW_TO_GET_NODE, have_node
from tests.support import BYPASS_LOGIN, RUNTIME_LOGIN, Installation, open_installation

_stack = ExitStack()
_not_run: list[str] = []
"""Tests that were not run because there is no browser, or no package of npm, and how to get what they need."""


STATEMENTS = 5_000
"""How many compiled statements a process of the run remembers: all of them."""
ORACLE_PROFILE = "oracle"
"""Hypothesis settings of the documents that are compared with the oracle."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many documents are compared with the oracle: by default always the same ones, else new ones. And pictures."""
    parser.addoption("--pictures", action="store_true", help="keep a picture of each page, wide and at 320 pixels")
    parser.addoption("--write-golden", action="store_true", help="accept statements and plans as they are now")
    parser.addoption("--documents", type=int, default=None, help="compare so many new documents with the oracle")


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process starts the servers; worker processes find them in the environment."""
    hash_quickly()
    remember_statements()
    documents: int | None = config.getoption("--documents")
    settings.register_profile(
        ORACLE_PROFILE,
        max_examples=(documents or 1_200) // 2,  # under each of the two logins
        derandomize=documents is None,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    if not hasattr(config, "workerinput") and not config.option.collectonly and not config.option.help:
        for packages in (AUDITS, CLIENTS):
            packages.find()
        servers.start(_stack)


def hash_quickly() -> None:
    """Hash passwords of tests by as little work as argon2 allows: thousands of sign-ins would cost minutes."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.NOBODY = passwords._hasher.hash("nobody")


def remember_statements() -> None:
    """Let all engines of a process share what statements were compiled to, as the requests of a running one do."""
    shared: dict[bool, tuple[Dialect, Any]] = {}

    def create(url: str, **options: Any) -> AsyncEngine:
        made = create_async_engine(url, **options)
        kind = "statement_cache_size" in options["connect_args"]
        if kind in shared:
            made.sync_engine.dialect, made.sync_engine._compiled_cache = shared[kind]
        else:
            made.sync_engine._compiled_cache = LRUCache(STATEMENTS)

        @event.listens_for(made.sync_engine, "connect", once=True)
        def knows_its_server(*_: object) -> None:
            shared.setdefault(kind, (made.sync_engine.dialect, made.sync_engine._compiled_cache))

        return made

    vars(engine)["create_async_engine"] = create


def pytest_collection_finish() -> None:
    """What was imported and collected stays for the life of the process: it need not be looked through for garbage."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    _stack.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs a browser or packages of npm is deselected without them, and told at the end of the run."""
    npm = [(packages.marker, packages.there, packages.how_to_get_them) for packages in (AUDITS, CLIENTS)]
    others = (("browser", find_browser, HOW_TO_GET_ONE), ("node", have_node, HOW_TO_GET_NODE))
    for marker, have, how in (*others, *npm):
        needing = [item for item in items if item.get_closest_marker(marker) is not None]
        if needing and not have():
            items[:] = [item for item in items if item not in needing]
            config.hook.pytest_deselected(items=needing)
            _not_run.extend(f"{item.nodeid}: {how}" for item in needing)
    begin_with_the_longest(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def begin_with_the_longest(items: list[pytest.Item], processes: int) -> None:
    """Put a share of the long tests before each process's share of the others, as xdist hands equal parts out.

    What is left at the end is short then, and goes to whoever has nothing to do.
    """
    long = [item for item in items if item.get_closest_marker("long") is not None]
    others = iter([item for item in items if item.get_closest_marker("long") is None])
    left, ordered = len(items), list[pytest.Item]()
    for number in range(processes):
        share = long[number::processes]
        size = left // (processes - number)
        ordered += [*share, *itertools.islice(others, max(0, size - len(share)))]
        left -= size
    items[:] = [*ordered, *others]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process tells the controlling one what it did not run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["not_run"] = _not_run


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controlling process hears it; every worker has collected the same tests."""
    _not_run[:] = sorted({*_not_run, *getattr(node, "workeroutput", {}).get("not_run", [])})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were not run, and say how to get what they need."""
    if _not_run:
        terminalreporter.section("tests that were not run")
        for name in _not_run:
            terminalreporter.write_line(f"  {name}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that reach the database run under both logins, so that equal results prove both walls."""
    if "login" in metafunc.fixturenames:
        one = metafunc.definition.get_closest_marker("one_login") is not None
        metafunc.parametrize("login", [RUNTIME_LOGIN] if one else [RUNTIME_LOGIN, BYPASS_LOGIN], scope="function")


@pytest.fixture
async def database_name(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A migrated database of this test's own; it has tenants already if the test opens an installation on it."""
    template = servers.PEOPLED if "installation" in request.fixturenames else servers.TEMPLATE
    async with servers.fresh_database(template) as name:
        yield name


@pytest.fixture
async def redis_url() -> str:
    """An empty numbered database of Valkey that no other process of the run uses."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) + 1
    url = f"{servers.running().redis_url.rpartition('/')[0]}/{number}"
    client = redis.Redis.from_url(url)
    await client.flushdb()
    await client.aclose()
    return url


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for what the application keeps in files."""
    return tmp_path / "data"


@pytest.fixture
async def installation(login: str, database_name: str, redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application on its own database, with tenants `north` and `south`."""
    running = servers.running()
    urls = running.urls(database_name, bypass=login == BYPASS_LOGIN)
    async with open_installation(urls, redis_url, data_dir, running.tenants) as opened:
        yield opened
