"""Fixtures of the messages' tests: a mail server, and an installation that sends there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import servers
from tests.messaging.mailbox import Mailbox, receiving
from tests.support import BYPASS_LOGIN, Installation, open_installation


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server of the test's own."""
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def installation(
    login: str, database_name: str, redis_url: str, data_dir: Path, mailbox: Mailbox
) -> AsyncIterator[Installation]:
    """The application on its own database, with tenants `north` and `south`, and the mail server."""
    urls = servers.running().urls(database_name, bypass=login == BYPASS_LOGIN)
    async with open_installation(
        urls, redis_url, data_dir, servers.running().tenants, smtp_port=mailbox.port
    ) as opened:
        yield opened
