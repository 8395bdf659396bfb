"""A cache of limited weight that forgets what was not used for longest."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

LONGEST_SHARE = 20
"""What takes more than this part of a cache's room is not kept, so that one caller cannot empty it."""


class Bounded(Generic[Key, Value]):
    """A least-recently-used cache of a certain weight. Safe in one event loop: no step of it awaits."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._weight = 0
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def get(self, key: Key) -> Value | None:
        """The value, moved to the fresh end."""
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 1) -> None:
        """Keep a value, unless it is too heavy; the stalest go when there is no room."""
        if weight * LONGEST_SHARE > self._room:
            return
        replaced = self._held.pop(key, None)
        self._weight += weight - (replaced[1] if replaced else 0)
        self._held[key] = value, weight
        while self._weight > self._room:
            self._weight -= self._held.popitem(last=False)[1][1]
