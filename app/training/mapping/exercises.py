"""Mapping exercises: drafts that are filled cell by cell, locked for ever, copied into a next version, compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.training.errors import TrainingRefusal
from app.training.mapping.finding import draft, found, one_of, optional_words, same_version, words
from app.training.mapping.models import COVERAGES, MappingCell, MappingExercise, Topic, TopicReference
from app.training.mapping.rules import Assessed, Place, covered_alone, seal_of
from app.training.models import Course
from app.training.requirements.matrix import set_course_topics
from app.webhooks.events import EventType, announce
from tenants.audit import Action
from tenants.base import among, table_of
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

CELLS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class CellGiven:
    """What somebody says of a cell; no coverage: not assessed."""

    course_id: UUID
    topic_id: UUID
    clause_id: UUID
    coverage: str | None
    evidence_note: str | None = None

    @property
    def place(self) -> Place:
        """Where it stands in the matrix."""
        return self.course_id, self.topic_id, self.clause_id


async def start_exercise(work: UnitOfWork, name: str, exercised_on: date | None = None) -> UUID:
    """An empty draft, in the first version of its name. Raises TrainingRefusal `NAME_TAKEN` or `TEXT_MISSING`."""
    plain = words(name, "name", "a name for the exercise", 200)
    if await _latest_edition(work, plain):
        raise TrainingRefusal(
            "NAME_TAKEN", "There is an exercise of that name. Choose another, or its next version.", "name"
        )
    exercise = _exercise(work, plain, 1, exercised_on or london_date(work.now), None)
    work.record(Action.MAPPING_STARTED, "mapping_exercise", exercise.id, after={"name": plain, "edition": 1})
    return exercise.id


async def next_edition(work: UnitOfWork, exercise_id: UUID) -> UUID:
    """A draft that begins as a copy of a locked exercise.

    Raises TrainingRefusal `NO_SUCH_MAPPING_EXERCISE`, `NOT_LOCKED` or `DRAFT_EXISTS`.
    """
    locked = await found(work, MappingExercise, exercise_id, "mapping exercise", lock=True)
    if locked.status != "locked":
        raise TrainingRefusal("NOT_LOCKED", "This exercise is a draft. Change it, or lock it first.")
    drafts = select(MappingExercise.id).where(MappingExercise.name == locked.name, MappingExercise.status == "draft")
    if (await work.session.scalars(drafts)).first() is not None:
        raise TrainingRefusal("DRAFT_EXISTS", "There is a draft of the next version already. Work on that one.")
    edition = await _latest_edition(work, locked.name) + 1
    exercise = _exercise(work, locked.name, edition, london_date(work.now), locked.id)
    await work.session.flush()
    await _insert(work, exercise.id, await cells_of(work.session, locked.id))
    after = {"name": locked.name, "edition": edition, "previous": str(locked.id)}
    work.record(Action.MAPPING_STARTED, "mapping_exercise", exercise.id, after=after)
    return exercise.id


async def _latest_edition(work: UnitOfWork, name: str) -> int:
    latest = select(func.max(MappingExercise.edition)).where(MappingExercise.name == name)
    return (await work.session.scalars(latest)).one() or 0


def _exercise(work: UnitOfWork, name: str, edition: int, day: date, previous_id: UUID | None) -> MappingExercise:
    exercise = MappingExercise(
        tenant_id=work.tenant_id,
        id=new_id(),
        name=name,
        edition=edition,
        exercised_on=day,
        status="draft",
        previous_id=previous_id,
        revision=1,
        created_at=work.now,
    )
    work.add(exercise)
    return exercise


async def set_cells(
    work: UnitOfWork, exercise_id: UUID, *, version: int, assessor: str, cells: Sequence[CellGiven]
) -> int:
    """Fill cells of a draft; gives its new revision. `version` is the revision that was read.

    Raises TrainingRefusal `NO_SUCH_MAPPING_EXERCISE`, `LOCKED`, `CHANGED_MEANWHILE`, `TOO_MANY_CELLS`,
    `UNKNOWN_CHOICE`, `NO_SUCH_COURSE`, `NOT_A_REFERENCE` or `TEXT_MISSING`.
    """
    exercise = await draft(work, exercise_id)
    same_version(exercise.revision, version, "exercise")
    if not 0 < len(cells) <= CELLS_AT_ONCE:
        raise TrainingRefusal("TOO_MANY_CELLS", f"Send from 1 to {CELLS_AT_ONCE} cells at a time.", "cells")
    who = words(assessor, "assessor", "who assessed it", 200)
    given = {cell.place: cell for cell in cells}
    for cell in given.values():
        one_of(cell.coverage, COVERAGES, "coverage")
    await _check_places(work, given)
    today = london_date(work.now)
    before = await cells_of(work.session, exercise_id, [place[0] for place in given])
    filled = {
        place: Assessed(cell.coverage, who, today, optional_words(cell.evidence_note, "evidenceNote", "the note"))
        for place, cell in given.items()
        if cell.coverage
    }
    table = table_of(MappingCell)
    await work.run_rows(
        f"DELETE FROM {table.schema}.{table.name} WHERE tenant_id = $1 AND exercise_id = $2 AND course_id = $3 "
        "AND topic_id = $4 AND clause_id = $5",
        ((exercise_id, *place) for place in sorted(given.keys() & before.keys())),
    )
    await _insert(work, exercise_id, filled)
    exercise.revision += 1
    work.record(
        Action.MAPPING_CELLS_SET,
        "mapping_exercise",
        exercise_id,
        before={_words(place): before[place].coverage for place in sorted(given.keys() & before.keys())},
        after={_words(place): cell.coverage for place, cell in sorted(filled.items())},
    )
    return exercise.revision


def _words(place: Place) -> str:
    return ":".join(map(str, place))


async def _check_places(work: UnitOfWork, given: dict[Place, CellGiven]) -> None:
    courses = {place[0] for place in given}
    known = select(Course.id).where(among(Course.id, courses), Course.status != "merged")
    if set(await work.session.scalars(known)) != courses:
        raise TrainingRefusal(
            "NO_SUCH_COURSE", "One of the courses is not in the inventory. Look at the list.", "course"
        )
    references = select(TopicReference.topic_id, TopicReference.clause_id).where(
        among(TopicReference.topic_id, {place[1] for place in given})
    )
    referred = {(topic_id, clause_id) for topic_id, clause_id in await work.session.execute(references)}
    if not {place[1:] for place in given} <= referred:
        message = "A topic does not refer to that part of the guidance. Add the reference to the topic first."
        raise TrainingRefusal("NOT_A_REFERENCE", message, "clause")


async def _insert(work: UnitOfWork, exercise_id: UUID, cells: dict[Place, Assessed]) -> None:
    await work.insert_rows(
        MappingCell,
        (
            "id", "exercise_id", "course_id", "topic_id", "clause_id", "coverage", "assessor", "assessed_on",
            "evidence_note",
        ),
        (
            (new_id(), exercise_id, *place, cell.coverage, cell.assessor, cell.assessed_on, cell.evidence_note)
            for place, cell in sorted(cells.items())
        ),
    )  # fmt: skip


async def lock_exercise(work: UnitOfWork, exercise_id: UUID, *, version: int) -> None:
    """Lock a draft for ever; from now on a course meets the requirements of the topics that it covers alone.

    Raises TrainingRefusal `NO_SUCH_MAPPING_EXERCISE`, `LOCKED`, `CHANGED_MEANWHILE` or
    `NOTHING_MAPPED`."""
    exercise = await draft(work, exercise_id)
    same_version(exercise.revision, version, "exercise")
    cells = await cells_of(work.session, exercise_id)
    if not cells:
        raise TrainingRefusal("NOTHING_MAPPED", "No cell is filled yet. Say what a course covers, then lock it.")
    exercise.status, exercise.locked_at, exercise.seal = "locked", work.now, seal_of(cells)
    exercise.revision += 1
    after = {"name": exercise.name, "edition": exercise.edition, "cells": len(cells), "seal": exercise.seal}
    work.record(Action.MAPPING_LOCKED, "mapping_exercise", exercise_id, after=after)
    codes = {row.id: row.code for row in await work.session.scalars(select(Topic))}
    for course_id, topics in covered_alone(cells).items():
        await set_course_topics(work, course_id, [codes[topic_id] for topic_id in topics])
    announce(work, EventType.MAPPING_LOCKED, f"MappingExercise:{exercise_id}")


async def cells_of(
    session: AsyncSession, exercise_id: UUID, courses: Sequence[UUID] | None = None
) -> dict[Place, Assessed]:
    """The filled cells of an exercise, of some courses or of all."""
    rows = select(
        MappingCell.course_id,
        MappingCell.topic_id,
        MappingCell.clause_id,
        MappingCell.coverage,
        MappingCell.assessor,
        MappingCell.assessed_on,
        MappingCell.evidence_note,
    ).where(MappingCell.exercise_id == exercise_id)
    if courses is not None:
        rows = rows.where(among(MappingCell.course_id, courses))
    return {(row[0], row[1], row[2]): Assessed(*row[3:]) for row in await session.execute(rows)}


async def is_intact(session: AsyncSession, exercise: MappingExercise) -> bool:
    """Whether a locked exercise still holds what was sealed; a draft has nothing to break."""
    return exercise.seal is None or seal_of(await cells_of(session, exercise.id)) == exercise.seal
