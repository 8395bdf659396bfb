"""A bucket of points for each client, in Valkey for all processes; a small one in this process while Valkey is away."""

import math
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from medstead_graphql.bounded import Bounded

ANSWER_SECONDS = 0.25
"""How long Valkey may take before the bucket in this process is used instead."""
PAUSE_SECONDS = 1.0
"""How long Valkey is left alone after it did not answer, so that not every request waits for it."""
CLIENTS = 10_000
"""Clients whose buckets and refunds this process remembers; the stalest goes first."""

# The time is the server's, so that processes need not agree about it. A bucket that would be full again is forgotten.
_TAKE = """
local size, rate, wanted, back = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(held[1]) or size, tonumber(held[2]) or now
left = math.min(size, left + math.max(0, now - at) * rate + back)
local granted = 0
if left >= wanted then
  left = left - wanted
  granted = 1
end
redis.call('HSET', KEYS[1], 'left', string.format('%.3f', left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((size - left) / rate * 1000) + 1000)
return {granted, string.format('%.3f', left)}
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether points were granted, and how many are left. `here` is true of the bucket in this process."""

    granted: bool
    left: float
    here: bool


class Buckets:
    """Takes points from clients' buckets and gives back what was not used.

    Refunds travel with the client's next request, or with `flush`, so that an answer waits for one round trip only.
    """

    def __init__(self, url: str, size: int, restored: int, smallest: int) -> None:
        """`restored` is in points a second; `smallest` is the size of a bucket in this process."""
        self.size, self.restored, self._smallest = size, restored, smallest
        self._valkey = redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        self._script = self._valkey.register_script(_TAKE)
        self._refunds: dict[UUID, float] = {}
        self._here: Bounded[UUID, tuple[float, float]] = Bounded(CLIENTS)
        self._away_until = 0.0

    async def take(self, client: UUID, points: int) -> Taken:
        """Take points if there are enough. Never fails: without Valkey this process decides."""
        if time.monotonic() >= self._away_until:
            try:
                return await self._ask(client, points)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("buckets are kept in this process: Valkey does not answer", error=type(error).__name__)
        return self._take_here(client, points)

    async def _ask(self, client: UUID, points: int) -> Taken:
        back = self._refunds.pop(client, 0.0)
        arguments: tuple[Any, ...] = (self.size, self.restored, points, back)
        granted, left = await self._script(keys=[f"medstead:bucket:{client}"], args=arguments)
        return Taken(bool(granted), float(left), here=False)

    def _take_here(self, client: UUID, points: int) -> Taken:
        now = time.monotonic()
        left, at = self._here.get(client) or (float(self._smallest), now)
        left = min(self._smallest, left + (now - at) * self.restored)
        granted = left >= points
        if granted:
            left -= points
        self._here.put(client, (left, now))
        return Taken(granted, left, here=True)

    def give_back(self, client: UUID, points: float, *, here: bool) -> None:
        """Return points to the bucket that they were taken from; a number below 0 takes more, whatever it holds."""
        if here:
            left, at = self._here.get(client) or (float(self._smallest), time.monotonic())
            self._here.put(client, (left + points, at))
        elif client in self._refunds or len(self._refunds) < CLIENTS:
            self._refunds[client] = self._refunds.get(client, 0.0) + points

    def seconds_until(self, points: int, left: float) -> int:
        """Whole seconds until so many points are there."""
        return max(1, math.ceil((points - left) / self.restored))

    async def flush(self) -> None:
        """Send the refunds. Those that Valkey does not take are let go: the buckets fill up by themselves."""
        waiting, self._refunds = self._refunds, {}
        try:
            for client, back in waiting.items():
                arguments: tuple[Any, ...] = (self.size, self.restored, 0, back)
                await self._script(keys=[f"medstead:bucket:{client}"], args=arguments)
        except (RedisError, OSError):
            self._away_until = time.monotonic() + PAUSE_SECONDS

    async def close(self) -> None:
        """Send the refunds and close the connections."""
        await self.flush()
        await self._valkey.aclose()
