"""Rules of refreshes: what differs, and when that is so much that a person must look twice. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGE_PERCENT = 2
LARGE_COUNT = 1_000
"""CQC's register changes by about 450 homes a year; so much at once is a fault of the source more often than not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one record would change: its kind, and the fields that differ."""

    kind: str
    before: dict[str, Any]
    after: dict[str, Any]


def difference(known: Mapping[str, Any] | None, told: Mapping[str, Any], ends: str) -> Difference | None:
    """How what is told differs from what is known; None where nothing does.

    A record that is not known is `new`; one whose day in the field `ends` is told and not known yet is `closed`. What
    is not told (None) stays as it is, so it does not differ.
    """
    if known is None:
        return Difference("new", {}, {name: value for name, value in told.items() if value not in (None, [], "")})
    after = {
        name: value for name, value in told.items() if value is not None and plain(known.get(name)) != plain(value)
    }
    if not after:
        return None
    kind = "closed" if ends in after and known.get(ends) is None else "changed"
    before = {name: plain(known.get(name)) for name in after}
    return Difference(kind, before, {name: plain(value) for name, value in after.items()})


def plain(value: Any) -> Any:
    """A value as JSON keeps it, comparable: days and decimals as text, lists in order."""
    if isinstance(value, list | tuple):
        return sorted(str(item) for item in value)
    if value is None or isinstance(value, str | bool | int):
        return value
    return str(value)


def is_large(counts: Mapping[str, int], known: int) -> bool:
    """Whether a refresh would change so much that whoever approves it has to say so: of `known` records."""
    moved = counts.get("new", 0) + counts.get("closed", 0)
    changed = moved + counts.get("changed", 0)
    return moved > LARGE_COUNT or (known > 0 and 100 * changed > LARGE_PERCENT * known)
