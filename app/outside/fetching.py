"""Asks outside systems for JSON: in bounded time and size, without redirects, with refusals as codes.

Where a system is comes from the settings, never from what it answers. Nothing of an exchange is logged.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import orjson

from app.outside.errors import OutsideRefused, OutsideUnavailable
from tenants.clock import Clock

SECONDS = 20.0
"""From the request to the end of its answer."""
LARGEST_ANSWER = 16 * 1024 * 1024
WAIT_SECONDS = 60.0
"""Before the next try, where the system does not say how long."""
LONGEST_WAIT = 24 * 3600.0
USER_AGENT = "Medstead"

Params = Mapping[str, str]


class Fetching:
    """The client of one process, shared by all adapters."""

    def __init__(self, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._made: httpx2.AsyncClient | None = None
        self.tokens: dict[str, tuple[str, float]] = {}
        """Access tokens of adapters that fetch theirs, with the moment (monotonic) until which they are used."""

    @property
    def _client(self) -> httpx2.AsyncClient:
        """Made when it is first needed: reading the machine's authorities takes longer than all else at a start."""
        if self._made is None:
            self._made = httpx2.AsyncClient(timeout=self._seconds, follow_redirects=False)
        return self._made

    async def get(
        self, url: str, params: Params | None = None, *, token: str | None = None, headers: Params | None = None
    ) -> Any | None:
        """The JSON at an address; None if there is nothing. Raises OutsideUnavailable and OutsideRefused.

        `headers`: beside those of every request, such as a key.
        """
        query = {"params": dict(params)} if params else {}  # none at all, or the address would lose its own
        return await self._json("GET", url, token, headers, **query)

    async def post_form(self, url: str, fields: Mapping[str, str]) -> Any | None:
        """The JSON that a form is answered with. Raises as `get`."""
        return await self._json("POST", url, None, None, data=dict(fields))

    async def _json(self, method: str, url: str, token: str | None, more: Params | None, **request: Any) -> Any | None:
        headers = {"accept": "application/json", "user-agent": USER_AGENT, **(more or {})}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(method, url, headers=headers, **request) as answer,
            ):
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise OutsideRefused("ANSWER_TOO_LARGE")
        except (TimeoutError, httpx2.TimeoutException):
            raise OutsideUnavailable("TIMEOUT", WAIT_SECONDS) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            raise OutsideUnavailable("NO_CONNECTION", WAIT_SECONDS) from None
        return _read(answer, bytes(body), self._clock())

    async def close(self) -> None:
        """Close the connections."""
        if self._made is not None:
            await self._made.aclose()


def _read(answer: httpx2.Response, body: bytes, now: datetime) -> Any | None:
    status = answer.status_code
    if status == 429 or status >= 500:
        waiting = retry_after(answer.headers.get("retry-after"), now)
        raise OutsideUnavailable(f"STATUS_{status}", waiting or WAIT_SECONDS)
    if status == 404:
        return None
    if status >= 300:
        raise OutsideRefused("REDIRECTED" if status < 400 else f"STATUS_{status}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise OutsideUnavailable("BAD_ANSWER", WAIT_SECONDS) from None


def retry_after(text: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None for anything else."""
    if not text:
        return None
    if text.strip().isascii() and text.strip().isdigit() and len(text) < 10:
        return min(max(float(text), 1.0), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 1.0), LONGEST_WAIT)
