"""Fixtures of the webhook tests: an installation that may send to loopback."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import servers
from tests.support import BYPASS_LOGIN, Installation, open_installation
from workers import webhooks


@pytest.fixture
async def installation(login: str, database_name: str, redis_url: str, data_dir: Path) -> AsyncIterator[Installation]:
    """The application on its own database, with tenants `north` and `south`, and handlers for webhooks."""
    webhooks.register_handlers()
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    async with open_installation(
        urls, redis_url, data_dir, servers.running().tenants, webhook_allow_loopback=True
    ) as opened:
        yield opened
