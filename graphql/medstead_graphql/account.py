"""What one request takes from its client's bucket: reserved before, settled by what the work really was."""

import math
from uuid import UUID

from medstead_graphql.buckets import Buckets
from medstead_graphql.requests import Refused

BYTES_OF_A_POINT = 50
"""A row of an answer is at least so long."""
POINTS_OF_A_SECOND = 20_000
"""Points of a second of statement time: full pages stay far below it, long searches do not come cheap."""
REFUSED_COST = 10
"""Points of a document that is refused, though it was looked at before."""


def preparation(text: str) -> int:
    """Points for parsing and validating a document that this process has not prepared yet."""
    return REFUSED_COST + len(text) // 100


class Account:
    """Points of one request. What is reserved and not settled stays taken: so it is when a caller goes away."""

    def __init__(self, buckets: Buckets, client: UUID) -> None:
        self._buckets, self._client = buckets, client
        self.requested = self.actual = 0
        self.seconds = 0.0
        self._left = 0.0
        self._here = False

    async def take(self, points: int) -> None:
        """Reserve points. Raises Refused `THROTTLED`."""
        taken = await self._buckets.take(self._client, points)
        self._left, self._here = taken.left, taken.here
        if not taken.granted:
            wait = self._buckets.seconds_until(points, taken.left)
            message = f"Your application has asked for much in a short time. Send this again in {wait} s."
            refused = Refused(429, "THROTTLED", message, {"retry-after": str(wait)}, retryAfterSeconds=wait)
            refused.body |= {"extensions": {"cost": self.told() | {"requested": self.requested + points}}}
            raise refused
        self.requested += points
        self.actual += points

    def spent(self, seconds: float) -> None:
        """Note the time of a statement."""
        self.seconds += seconds

    def settle(self, price: int, length: int, least: int = 1) -> None:
        """Charge a read for what it was, instead of its price.

        Its length in bytes counts up to the price. Its time counts if that is more, beyond the price too, up to a whole
        bucket: a bucket may come to hold less than nothing, and then its client waits.
        """
        by_length = min(price, math.ceil(length / BYTES_OF_A_POINT))
        by_time = min(self._buckets.size, math.ceil(self.seconds * POINTS_OF_A_SECOND))
        self._give_back(price - max(least, by_length, by_time))

    def forgive(self, price: int) -> None:
        """Give back the price of an operation that failed by our fault."""
        self._give_back(price)

    def _give_back(self, points: int) -> None:
        if points:
            self._buckets.give_back(self._client, points, here=self._here)
            self.actual -= points
            self._left = min(self._left + points, self._buckets.size)

    def told(self) -> dict[str, int]:
        """The member `cost` of an answer's extensions."""
        return {
            "requested": self.requested,
            "actual": self.actual,
            "limit": self._buckets.size,
            "left": int(self._left),
            "restoresPerSecond": self._buckets.restored,
        }
