"""The smallest choice of sets that covers what can be covered: exact branch and bound over bitsets. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

STEPS = 20_000
"""Nodes of the search after which the best found so far is given as not proven."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Positions of the chosen sets in order; whether no smaller choice exists; the elements that no set holds."""

    chosen: tuple[int, ...]
    proven: bool
    steps: int
    uncovered: int


def smallest_cover(sets: Sequence[int], universe: int, steps: int = STEPS) -> Cover:
    """The fewest of `sets` that together hold every element of `universe` that any of them holds.

    Sets and universe are bitsets. Among equals the result is the same for the same input.
    """
    coverable = 0
    for members in sets:
        coverable |= members & universe
    fixed, kept, left = _reduced({at: members & coverable for at, members in enumerate(sets)}, coverable)
    search = _Search(kept, steps)
    best = _greedy(kept, left)
    proven = True
    if len(best) > 1:
        search.best = best
        proven = search.run([], left)
        best = search.best
    return Cover(tuple(sorted((*fixed, *best))), proven, search.taken, universe & ~coverable)


def _reduced(sets: dict[int, int], left: int) -> tuple[list[int], dict[int, int], int]:
    """What must be chosen, the sets that are left to choose from, and the elements that these must hold."""
    fixed: list[int] = []
    while left:
        before = (left, len(sets))
        holders = _holders(sets, left)
        # An element is covered anyway if all who hold some other element hold it too.
        for element in sorted(holders, key=lambda bit: -holders[bit].bit_count()):
            mask = holders[element]
            if any(other != element and other_mask & ~mask == 0 for other, other_mask in holders.items()):
                left &= ~element
                del holders[element]
        for mask in holders.values():
            if mask.bit_count() == 1:
                only = mask.bit_length() - 1
                if only in sets:
                    fixed.append(only)
                    left &= ~sets.pop(only)
        sets = _undominated({at: members & left for at, members in sets.items()})
        if (left, len(sets)) == before:
            break
    return fixed, sets, left


def _holders(sets: dict[int, int], left: int) -> dict[int, int]:
    """For each element, as a bit, the sets that hold it, as bits of their positions."""
    holders: dict[int, int] = {}
    for at, members in sets.items():
        rest = members & left
        while rest:
            bit = rest & -rest
            holders[bit] = holders.get(bit, 0) | 1 << at
            rest ^= bit
    return holders


def _undominated(sets: dict[int, int]) -> dict[int, int]:
    kept: dict[int, int] = {}
    for at, members in sorted(sets.items(), key=lambda pair: (-pair[1].bit_count(), pair[0])):
        if members and not any(members & ~other == 0 for other in kept.values()):
            kept[at] = members
    return kept


def _greedy(sets: dict[int, int], left: int) -> list[int]:
    chosen = []
    while left:
        at = max(sets, key=lambda at: ((sets[at] & left).bit_count(), -at))
        chosen.append(at)
        left &= ~sets[at]
    return chosen


class _Search:
    """Depth first: the element with the fewest holders must be covered by one of them."""

    def __init__(self, sets: dict[int, int], steps: int) -> None:
        self.sets, self.steps, self.taken = sets, steps, 0
        self.best: list[int] = []

    def run(self, chosen: list[int], left: int) -> bool:
        """Look below this choice; False if the steps ran out."""
        self.taken += 1
        if self.taken > self.steps:
            return False
        if not left:
            if len(chosen) < len(self.best):
                self.best = list(chosen)
            return True
        holders = _holders(self.sets, left)
        if len(chosen) + self._at_least(holders, left) >= len(self.best):
            return True
        mask = min(holders.items(), key=lambda pair: (pair[1].bit_count(), pair[0]))[1]
        candidates = [at for at in self.sets if mask >> at & 1]
        for at in sorted(candidates, key=lambda at: (-(self.sets[at] & left).bit_count(), at)):
            if not self.run([*chosen, at], left & ~self.sets[at]):
                return False
        return True

    def _at_least(self, holders: dict[int, int], left: int) -> int:
        """How many sets are needed at least: elements that share no holder need one each; and by size."""
        used = apart = 0
        for mask in sorted(holders.values(), key=lambda mask: mask.bit_count()):
            if not mask & used:
                used |= mask
                apart += 1
        largest = max((members & left).bit_count() for members in self.sets.values())
        return max(apart, -(-left.bit_count() // largest))
