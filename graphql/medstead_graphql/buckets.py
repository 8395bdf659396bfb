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
"""Clients of whom this process remembers points; of buckets of its own the stalest goes first."""

SHARE_IN_HAND = 100
"""A process takes up to this part of a bucket more than it needs now, so that few requests wait for Valkey."""

# The time is the server's, so that processes need not agree about it. A bucket that would be full again is forgotten.
_TAKE = """
local size, rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spare, back = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left, at = tonumber(held[1]) or size, tonumber(held[2]) or now
left = math.min(size, left + math.max(0, now - at) * rate + back)
local taken = -1
if left >= wanted then
  taken = math.min(left, wanted + spare)
  left = left - taken
end
redis.call('HSET', KEYS[1], 'left', string.format('%.3f', left), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((size - left) / rate * 1000) + 1000)
return {string.format('%.3f', taken), string.format('%.3f', left)}
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether points were granted, and how many are left. `here` is true of the bucket in this process."""

    granted: bool
    left: float
    here: bool


@dataclass(slots=True)
class _Hand:
    """Points of a client that this process took and did not use; what the bucket held when it was asked, if ever."""

    points: float = 0.0
    left: float | None = None


class Buckets:
    """Takes points from clients' buckets and gives back what was not used.

    What a process has in hand for a client, refunds among it, goes back with the next question or with `flush`.
    """

    def __init__(self, url: str, size: int, restored: int, smallest: int) -> None:
        """`restored` is in points a second; `smallest` is the size of a bucket in this process."""
        self.size, self.restored, self._smallest = size, restored, smallest
        self._spare = size // SHARE_IN_HAND
        self._valkey = redis.Redis.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        self._script = self._valkey.register_script(_TAKE)
        self._hands: dict[UUID, _Hand] = {}
        self._here: Bounded[UUID, tuple[float, float]] = Bounded(CLIENTS)
        self._away_until = 0.0

    async def take(self, client: UUID, points: int) -> Taken:
        """Take points if there are enough. Never fails: without Valkey this process decides."""
        hand = self._hands.get(client)
        if hand is not None and hand.left is not None and hand.points >= points:
            hand.points -= points
            return Taken(True, hand.left + hand.points, here=False)
        if time.monotonic() >= self._away_until:
            try:
                taken = await self._ask(client, points)
                if not taken.granted and client in self._hands and self._hands[client].points > 0:
                    taken = await self._ask(client, points)  # others of this process have points in hand by now
                return taken
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_SECONDS
                log.warning("buckets are kept in this process: Valkey does not answer", error=type(error).__name__)
        return self._take_here(client, points)

    async def _ask(self, client: UUID, points: int) -> Taken:
        hand = self._hands.pop(client, None)
        back = 0.0 if hand is None else hand.points
        arguments: tuple[Any, ...] = (self.size, self.restored, points, self._spare, back)
        taken, left = await self._script(keys=[f"medstead:bucket:{client}"], args=arguments)
        if float(taken) < 0:
            return Taken(False, float(left), here=False)
        now = self._hands.setdefault(client, _Hand())
        now.points += float(taken) - points
        now.left = float(left)
        return Taken(True, float(left) + now.points, here=False)

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
        elif client in self._hands or len(self._hands) < CLIENTS:
            self._hands.setdefault(client, _Hand()).points += points

    def seconds_until(self, points: int, left: float) -> int:
        """Whole seconds until so many points are there."""
        return max(1, math.ceil((points - left) / self.restored))

    async def flush(self) -> None:
        """Send back what is in hand. What Valkey does not take is let go: the buckets fill up by themselves."""
        waiting, self._hands = self._hands, {}
        try:
            for client, hand in waiting.items():
                arguments: tuple[Any, ...] = (self.size, self.restored, 0, 0, hand.points)
                await self._script(keys=[f"medstead:bucket:{client}"], args=arguments)
        except (RedisError, OSError):
            self._away_until = time.monotonic() + PAUSE_SECONDS

    async def close(self) -> None:
        """Send back what is in hand and close the connections."""
        await self.flush()
        await self._valkey.aclose()
