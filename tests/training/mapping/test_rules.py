"""The search for the smallest set against trying all sets, and what an exercise says of topics and courses."""

import itertools
from datetime import date
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.directory.models import SETTINGS
from app.training.mapping import base
from app.training.mapping.covering import smallest_cover
from app.training.mapping.rules import Assessed, analyse, mandatory_topics, seal_of


def made(number: int) -> UUID:
    """An id."""
    return UUID(int=number)


A, B, C = made(1), made(2), made(3)
T1, T2, T3 = made(11), made(12), made(13)
X, Y, Z = made(21), made(22), made(23)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 2**9 - 1), max_size=8), st.integers(0, 2**9 - 1))
def test_the_smallest_set_is_the_smallest(sets: list[int], universe: int) -> None:
    found = smallest_cover(sets, universe)
    coverable = reduce(int.__or__, sets, 0) & universe
    sizes = (
        size
        for size in range(len(sets) + 1)
        for chosen in itertools.combinations(sets, size)
        if reduce(int.__or__, chosen, 0) & coverable == coverable
    )
    assert len(found.chosen) == next(sizes)
    assert reduce(int.__or__, (sets[at] for at in found.chosen), 0) & coverable == coverable
    assert (found.proven, found.uncovered) == (True, universe & ~coverable)


def test_a_search_that_is_cut_off_says_so_and_still_covers() -> None:
    # Pairs of ten elements: five suffice, and neither dominance nor counting shows it at once.
    sets = [1 << a | 1 << b for a, b in itertools.combinations(range(11), 2)]
    cut, whole = smallest_cover(sets, 2**11 - 1, steps=1), smallest_cover(sets, 2**11 - 1)
    assert (len(whole.chosen), whole.proven) == (6, True)
    assert reduce(int.__or__, (sets[at] for at in cut.chosen)) == 2**11 - 1
    hard = [0b000011, 0b000101, 0b011000, 0b101000, 0b110000, 0b000110, 0b100001, 0b010100, 0b001010]
    assert smallest_cover(hard, 0b111111, steps=0).proven is False


@pytest.mark.row("A14")
def test_no_course_covers_all_and_two_together_do() -> None:
    mandatory = {T1: [X], T2: [X, Y], T3: [Z]}
    cells = {
        (A, T1, X): "full",
        (A, T2, X): "full",
        (A, T2, Y): "partial",
        (B, T2, X): "full",
        (B, T2, Y): "full",
        (B, T3, Z): "full",
        (C, T3, Z): "full",
    }
    found = analyse(mandatory, [A, B, C], cells)
    assert [(share.covered, share.percent) for share in found.courses] == [(1, 33.3), (2, 66.7), (1, 33.3)]
    assert (found.covers_all, set(found.smallest), found.proven, found.uncovered) == ((), {A, B}, True, ())
    assert analyse(mandatory, [C, A], cells).uncovered == (T2,), "half a topic is no topic"


def test_what_asks_for_nothing_and_what_cannot_be_covered() -> None:
    cells = {(A, T1, X): "full", (A, T2, Y): "not_applicable", (B, T2, Y): "not_applicable"}
    found = analyse({T1: [X], T2: [Y]}, [A, B], cells)
    assert (found.mandatory_topics, found.covers_all, found.uncovered) == (1, (A,), ())
    cells[B, T2, Y] = "none"
    assert analyse({T1: [X], T2: [Y]}, [A, B], cells).uncovered == (T2,), "somebody was asked for it"
    fault = analyse({T1: [X], T3: []}, [A], cells)
    assert (fault.mandatory_topics, fault.covers_all, fault.uncovered, fault.faults) == (2, (), (T3,), (T3,))
    assert analyse({}, [A], cells).covers_all == ()
    topics = [(T1, ["domiciliary"]), (T2, [])]
    assert list(mandatory_topics(topics, {T1: [X]}, None)) == [T1]
    assert list(mandatory_topics(topics, {T1: [X]}, "shared_lives")) == []


def test_a_seal_tells_every_change() -> None:
    day = date(2026, 11, 24)
    cells = {(A, T1, X): Assessed("full", "Sam", day, None), (B, T1, X): Assessed("none", "Sam", day, "no slide")}
    seals = {seal_of(cells), seal_of(dict(reversed(cells.items())))}
    assert len(seals) == 1
    for changed in (
        {(A, T1, X): Assessed("partial", "Sam", day, None)},
        {(A, T1, X): Assessed("full", "Sa", day, "m")},
        {(C, T1, X): Assessed("full", "Sam", day, None)},
    ):
        seals.add(seal_of(cells | changed))
    assert len(seals) == 4


@pytest.mark.row("A13")
def test_the_base_taxonomy_refers_to_what_is_there() -> None:
    clauses = {(document, number) for document, number, _ in base.clauses()}
    codes = {document.code for document in base.documents()}
    topics = base.topics()
    assert [topic.code for topic in topics] == [f"T{number:02}" for number in range(1, 41)]
    assert {code for code, _ in clauses} == codes
    assert {reference for topic in topics for reference in topic.references} <= clauses
    assert [topic.code for topic in topics if not topic.references] == ["T40"], "a tenant adds its own guidance"
    assert {setting for topic in topics for setting in topic.mandatory_in} <= set(SETTINGS)
    assert {"REG12", "REG17", "REG18"} <= {code for topic in topics for code, _ in topic.references}
