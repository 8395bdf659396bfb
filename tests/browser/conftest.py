"""A real browser, and the application served on loopback in the test's own process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, async_playwright

from tests import servers
from tests.browser.finding import find_browser
from tests.browser.journey import Journey
from tests.support import Installation, open_installation

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the run."""
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        yield opened
        await opened.close()


@pytest.fixture
def listening() -> socket.socket:
    """A socket of loopback whose port is known before the application is put together."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def address(listening: socket.socket) -> str:
    """Where the application is served."""
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def served_settings() -> dict[str, Any]:
    """Further settings of the application; a module may say others."""
    return {}


@pytest.fixture
async def served(
    database_name: str,
    redis_url: str,
    data_dir: Path,
    listening: socket.socket,
    address: str,
    served_settings: dict[str, Any],
) -> AsyncIterator[Installation]:
    """The application on its own database, answering on loopback."""
    urls = servers.running().urls(database_name)
    settings: dict[str, Any] = {"base_url": address, "webhook_allow_loopback": True} | served_settings
    async with open_installation(urls, redis_url, data_dir, **settings) as opened:
        server = uvicorn.Server(uvicorn.Config(opened.app, lifespan="off", log_level="error", ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield opened
        server.should_exit = True
        await serving


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where pictures of pages go, if --pictures asks for them: the test's own folder."""
    return tmp_path if request.config.getoption("--pictures") else None


@pytest.fixture
async def journey(
    browser: Browser, served: Installation, address: str, pictures: Path | None
) -> AsyncIterator[Journey]:
    """A fresh window of the browser on the application."""
    context = await browser.new_context(base_url=address, viewport={"width": 1100, "height": 900})
    context.set_default_timeout(10_000)
    yield Journey(await context.new_page(), pictures)
    await context.close()
