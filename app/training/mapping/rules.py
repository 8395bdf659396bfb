"""Rules of the mapping: what an exercise says of courses and topics, and its seal. Pure functions."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from app.training.mapping.covering import STEPS, smallest_cover

Place = tuple[UUID, UUID, UUID]
"""Course, topic and clause: a cell of the matrix."""


class Coverage(StrEnum):
    """How far a course covers a clause of a topic."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Assessed:
    """The content of a cell."""

    coverage: str
    assessor: str
    assessed_on: date
    evidence_note: str | None


def seal_of(cells: Mapping[Place, Assessed]) -> str:
    """SHA-256 of all cells, in hex: any change of a locked exercise gives another."""
    digest = hashlib.sha256()
    for place, cell in sorted(cells.items()):
        parts = (*map(str, place), cell.coverage, cell.assessor, cell.assessed_on.isoformat(), cell.evidence_note or "")
        digest.update("".join(f"{len(part)}:{part}" for part in parts).encode())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class CourseShare:
    """How many of the mandatory topics a course covers by itself."""

    course_id: UUID
    covered: int
    percent: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an exercise says for a setting and a scope.

    `uncovered`: mandatory topics that all courses together leave open; `faults`: those among them without a reference.
    """

    mandatory_topics: int
    courses: tuple[CourseShare, ...]
    covers_all: tuple[UUID, ...]
    smallest: tuple[UUID, ...]
    proven: bool
    steps: int
    uncovered: tuple[UUID, ...]
    faults: tuple[UUID, ...]


def analyse(
    mandatory: Mapping[UUID, Collection[UUID]],
    courses: Sequence[UUID],
    cells: Mapping[Place, str],
    steps: int = STEPS,
) -> Analysis:
    """Weigh the courses. `mandatory`: clauses by topic.

    A topic is covered by courses that together cover each of its clauses in full. A clause that was called not
    applicable to every course that was assessed on it asks for nothing.
    """
    pairs = {
        (topic, clause)
        for topic, clauses in mandatory.items()
        for clause in clauses
        if {cells.get((course, topic, clause)) for course in courses} - {None} != {Coverage.NOT_APPLICABLE}
    }
    order = sorted(pairs)
    of_topic: dict[UUID, int] = dict.fromkeys(mandatory, 0)
    for at, (topic, _) in enumerate(order):
        of_topic[topic] |= 1 << at
    sets = [
        sum(1 << at for at, pair in enumerate(order) if cells.get((course, *pair)) == Coverage.FULL)
        for course in courses
    ]
    # A topic all of whose clauses were set aside asks for nothing; one that never had any cannot be covered.
    faults = [topic for topic, clauses in mandatory.items() if not clauses]
    asked = [topic for topic, bits in of_topic.items() if bits]
    total = len(asked) + len(faults)
    shares = [
        CourseShare(course, covered, round(100 * covered / total, 1) if total else 0.0)
        for course, members in zip(courses, sets, strict=True)
        for covered in [sum(of_topic[topic] & ~members == 0 for topic in asked)]
    ]
    cover = smallest_cover(sets, (1 << len(order)) - 1, steps)
    uncovered = [topic for topic in mandatory if of_topic[topic] & cover.uncovered or topic in faults]
    return Analysis(
        total,
        tuple(shares),
        tuple(share.course_id for share in shares if asked and not faults and share.covered == len(asked)),
        tuple(courses[at] for at in cover.chosen),
        cover.proven,
        cover.steps,
        tuple(uncovered),
        tuple(faults),
    )


def covered_alone(cells: Mapping[Place, Assessed]) -> dict[UUID, list[UUID]]:
    """Topics that each course covers by itself: every clause it was assessed on is covered in full, at least one.

    Clauses that are not applicable to the course ask for nothing of it.
    """
    found: dict[UUID, dict[UUID, set[str]]] = {}
    for (course_id, topic_id, _), cell in cells.items():
        found.setdefault(course_id, {}).setdefault(topic_id, set()).add(cell.coverage)
    return {
        course_id: sorted(
            topic_id
            for topic_id, coverages in topics.items()
            if coverages - {Coverage.NOT_APPLICABLE} == {Coverage.FULL}
        )
        for course_id, topics in found.items()
    }


def mandatory_topics(
    topics: Iterable[tuple[UUID, Collection[str]]], clauses: Mapping[UUID, Collection[UUID]], setting: str | None
) -> dict[UUID, Collection[UUID]]:
    """Clauses of the topics that are mandatory in a setting; in any setting if none is named."""
    return {
        topic: clauses.get(topic, ()) for topic, settings in topics if (setting in settings if setting else settings)
    }
