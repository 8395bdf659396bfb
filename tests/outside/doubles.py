"""What both doubles share: a real server on loopback, faults that were ordered, and a count of what was asked."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute


@dataclass
class Fault:
    """How one request is answered instead: status, headers, body, and seconds of silence before."""

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    seconds: float = 0.0


@dataclass
class Faulty:
    """Faults for the next requests whose path holds a text, and the paths that were asked for."""

    url: str = ""
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    async def fault_of(self, request: Request) -> Response | None:
        """The fault that was ordered for this request."""
        self.asked.append(request.url.path)
        self.agents.add(request.headers.get("user-agent", ""))
        for position, (text, fault) in enumerate(self.faults):
            if text in request.url.path:
                del self.faults[position]
                await asyncio.sleep(fault.seconds)
                return Response(fault.body, fault.status, fault.headers, "application/json")
        return None

    def count(self, text: str) -> int:
        """How many requests had this in their path."""
        return sum(text in path for path in self.asked)


@asynccontextmanager
async def serving(routes: Sequence[BaseRoute]) -> AsyncIterator[str]:
    """The address of a server with these routes, for the time of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off"))
    running = asyncio.ensure_future(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
