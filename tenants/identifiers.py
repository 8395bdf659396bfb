"""Identifiers: UUID version 7, made by the application so that retries and Citus need no database default."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0
_random = b""
"""Random bytes read ahead: asking the system for eight at a time costs more than all the rest."""

_AHEAD = 512


def _forget_random() -> None:
    global _random
    _random = b""


os.register_at_fork(after_in_child=_forget_random)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): Unix milliseconds, then a counter that keeps the ids of one process in order.

    The 12 bits of `rand_a` count within a millisecond; on overflow the clock part is moved on by one.
    """
    global _last, _random
    with _lock:
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = stamp
        if not _random:
            _random = os.urandom(_AHEAD)
        piece, _random = _random[:8], _random[8:]
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    tail = int.from_bytes(piece, "big") & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail)
