"""Fixtures of the chaos tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.support import Post, open_post
from tests.support import Installation


@pytest.fixture
async def post(installation: Installation, redis_url: str, tmp_path: Path) -> AsyncIterator[Post]:
    """Messages and worker processes on the installation's database."""
    async with open_post(installation.urls, redis_url, tmp_path) as opened:
        yield opened
