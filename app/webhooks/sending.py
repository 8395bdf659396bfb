"""Sends one request to an address that somebody else chose: to public addresses only, in bounded time, read in part.

The host's name is resolved here, every address is checked, and the connection goes to an address that was checked, so
that an answer of the name server given a moment later counts for nothing. TLS is checked against the host's name.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address

import httpcore2
import httpx2

from app.webhooks.rules import BODY_KEPT, Address, is_public

CONNECT_SECONDS = 5.0
SEND_SECONDS = 15.0
"""From the first look at the name to the status of the answer."""
BODY_SECONDS = 2.0
"""For the body of an answer whose status is known: it decides nothing."""
SENDS_AT_ONCE = 3
"""Requests of one worker process on their way at once: fewer than it has places, so that other work goes on."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, as texts. Raises OSError if there are none."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to be sent by POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: a status, or a code of why there is none; both for a redirect, which is not followed."""

    status: int | None
    error: str | None
    body: bytes
    retry_after: str | None
    duration_ms: int


class Unreachable(Exception):
    """The host leads nowhere that we would connect to: `DNS_FAILED` or `PRIVATE_ADDRESS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def system_resolver(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _PinnedConnections(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were checked, instead of to a name that would be looked up once more."""

    def __init__(self, resolve: Resolve, *, allow_loopback: bool) -> None:
        self._resolve, self._allow_loopback = resolve, allow_loopback
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers. Raises Unreachable, or what the library raises."""
        failed: Exception | None = None
        for address in await self._checked(host, port):
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed or Unreachable("DNS_FAILED")

    async def _checked(self, host: str, port: int) -> list[Address]:
        """All addresses of a host. One that is not public spoils the others: no honest name leads to both."""
        try:
            addresses = [ip_address(text) for text in await self._resolve(host, port)]
        except (OSError, ValueError) as error:
            raise Unreachable("DNS_FAILED") from error
        if not all(self._allowed(address) for address in addresses):
            raise Unreachable("PRIVATE_ADDRESS")
        return addresses

    def _allowed(self, address: Address) -> bool:
        return is_public(address) or (self._allow_loopback and address.is_loopback)


class Sender:
    """Sends requests of one process. No proxy, no redirect, no cookie, no compression; one connection for each."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolve: Resolve = system_resolver,
        tls: ssl.SSLContext | None = None,
        seconds: float = SEND_SECONDS,
    ) -> None:
        self._allow_loopback, self._seconds, self._under_way = allow_loopback, seconds, 0
        self._tls, self._network = tls, _PinnedConnections(resolve, allow_loopback=allow_loopback)
        self._made: httpcore2.AsyncConnectionPool | None = None

    @property
    def _pool(self) -> httpcore2.AsyncConnectionPool:
        """Made when it is first needed: reading the machine's authorities takes longer than all else at a start."""
        if self._made is None:
            self._made = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls or httpx2.create_ssl_context(trust_env=False),
                max_connections=None,
                max_keepalive_connections=0,
                network_backend=self._network,
            )
        return self._made

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take one of the process's places for the time of the block; False if all are taken."""
        free = self._under_way < SENDS_AT_ONCE
        self._under_way += free
        try:
            yield free
        finally:
            self._under_way -= free

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send, and wait for the answer no longer than allowed. Raises nothing about the receiver."""
        started = time.monotonic()
        status, retry_later, body, code = None, None, bytearray(), None
        url = httpx2.URL(outgoing.url)
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host.rstrip(b"."), port=url.port, target=url.raw_path
        )
        try:
            if url.scheme != "https" and not self._allow_loopback:
                raise Unreachable("NOT_HTTPS")
            end = asyncio.get_running_loop().time() + self._seconds
            async with asyncio.timeout_at(end) as deadline:
                headers = [*outgoing.headers.items(), ("accept-encoding", "identity"), ("connection", "close")]
                async with self._pool.stream(
                    "POST",
                    target,
                    headers=headers,
                    content=outgoing.body,
                    extensions={"timeout": {"connect": CONNECT_SECONDS}},
                ) as response:
                    status = response.status
                    retry_later = dict(response.headers).get(b"retry-after", b"").decode("latin-1") or None
                    deadline.reschedule(min(end, asyncio.get_running_loop().time() + BODY_SECONDS))
                    async for part in response.aiter_stream():
                        body += part[:BODY_KEPT]
                        if len(body) >= BODY_KEPT:
                            break
        except (
            Unreachable,
            OSError,
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ) as error:
            # Once the status is known it decides, whatever became of the rest.
            code = _code(error) if status is None else None
        if status is not None and 300 <= status < 400:
            code = "REDIRECTED"
        return Answer(status, code, bytes(body), retry_later, round((time.monotonic() - started) * 1000))

    async def close(self) -> None:
        """Close what is open."""
        if self._made is not None:
            await self._made.aclose()


def _code(error: BaseException) -> str:
    if isinstance(error, Unreachable):
        return error.code
    if isinstance(error, TimeoutError | httpcore2.TimeoutException):
        return "TIMEOUT"
    if isinstance(error, ssl.SSLError):
        return "TLS_FAILED"
    if isinstance(error, httpcore2.ConnectError):
        causes = list(_causes(error))
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return "TLS_FAILED"
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        return "CONNECTION_REFUSED" if refused else "CONNECTION_FAILED"
    if isinstance(error, httpcore2.NetworkError) or str(error).startswith("Server disconnected"):
        return "CONNECTION_CLOSED"
    return "INVALID_ANSWER"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
