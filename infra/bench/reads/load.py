"""A load generator that costs little itself: keep-alive connections that each send one request after another."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

import httptools

PATIENCE_SECONDS = 60.0
"""For the last answers."""


@dataclass(slots=True)
class Load:
    """What came back: seconds of each answer, in the order of their coming, and how long it all took."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0
    body: bytes = b""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, load: Load, until: float, done: asyncio.Future[None]) -> None:
        self._request, self._load, self._until, self._done = request, load, until, done
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._send()

    def _send(self) -> None:
        self._body.clear()
        self._sent = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._load.seconds.append(now - self._sent)
        if self._parser.get_status_code() != 200:
            self._finish(RuntimeError(b"".join(self._body)[:500].decode(errors="replace")))
        elif now >= self._until:
            self._load.body = b"".join(self._body)
            self._finish(None)
        else:
            self._parser = httptools.HttpResponseParser(self)
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionError("the server closed the connection"))

    def _finish(self, error: Exception | None) -> None:
        if not self._done.done():
            self._transport.close()
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)


def request_of(port: int, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST request as bytes."""
    lines = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{port}", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, f"content-length: {len(body)}"]) + "\r\n\r\n").encode() + body


async def send(port: int, request: bytes, *, clients: int, seconds: float) -> Load:
    """Send the request again and again. Raises RuntimeError with the answer if one is not 200."""
    loop = asyncio.get_running_loop()
    load = Load()
    started = time.perf_counter()
    waiting = []
    for _ in range(clients):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(
            lambda done=done: _Connection(request, load, started + seconds, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*waiting)
    load.elapsed = time.perf_counter() - started
    return load
