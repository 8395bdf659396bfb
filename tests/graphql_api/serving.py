"""The application behind a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from tests.support import Installation


@asynccontextmanager
async def serving(installation: Installation) -> AsyncIterator[int]:
    """The installation's application behind uvicorn; gives the port."""
    server = uvicorn.Server(uvicorn.Config(installation.app, port=0, lifespan="off", log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it by nothing else
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running
