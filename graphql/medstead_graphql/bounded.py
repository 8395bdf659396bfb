"""A small cache that forgets what was not used for longest."""

from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(Generic[Key, Value]):
    """A small least-recently-used cache. Safe in one event loop: no step of it awaits."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def get(self, key: Key) -> Value | None:
        """The value, moved to the fresh end."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; the stalest goes when there are too many."""
        self._held[key] = value
        if len(self._held) > self._size:
            self._held.popitem(last=False)
