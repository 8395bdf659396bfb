"""A real receiver on loopback that answers as a test tells it, and a signature check written from the specification.

Nothing here is shared with the product: https://github.com/standard-webhooks/standard-webhooks, "Signature scheme".
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = orjson.loads(self.body)
        return parsed


Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What the receiver does with a connection once it has read the request."""


def status(code: int, body: bytes = b"", **headers: str) -> Reply:
    """A whole answer."""

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {code} Said", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return reply


def raw(*pieces: bytes, pause: float = 0.0) -> Reply:
    """Exactly these bytes, with a pause between the pieces."""

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, piece in enumerate(pieces):
            await asyncio.sleep(pause if number else 0)
            writer.write(piece)
            await writer.drain()

    return reply


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """No answer, until the sender goes away."""
    await reader.read()


OK = status(200)


@dataclass
class Receiver:
    """Answers with `replies` one after another, then with `otherwise`."""

    port: int = 0
    replies: list[Reply] = field(default_factory=list)
    otherwise: Reply = OK
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hooks?key=of-the-partner"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request and reply."""
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.received.append(Received(line, headers, body))
            reply = self.replies.pop(0) if self.replies else self.otherwise
            await reply(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


@asynccontextmanager
async def receiving(
    *replies: Reply, otherwise: Reply = OK, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver that listens for the time of the block."""
    receiver = Receiver(replies=list(replies), otherwise=otherwise)
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the block is over; whoever hangs here is not awaited
        finally:
            running.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def is_signed(received: Received, secret: str, now: float) -> bool:
    """Whether one of the signatures is right and the time is within five minutes."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    timestamp = received.headers["webhook-timestamp"]
    if abs(now - int(timestamp)) > 300:
        return False
    content = b".".join([received.headers["webhook-id"].encode(), timestamp.encode(), received.body])
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    given = [part.split(",", 1) for part in received.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(text, expected) for version, text in given)
