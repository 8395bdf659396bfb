"""Reads the review queue for people: one entry for each person that rows name, and what is known of the suggested."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.directory.models import Employer, Employment, Learner
from app.directory.names import name_key
from app.imports.appliers.base import ApplyContext
from app.imports.formats import FORMATS
from app.imports.formats.base import RawRow, Record
from app.imports.models import ImportRow, ImportRun
from app.imports.people import person_of
from app.training.models import Completion
from tenants.base import among

PAGE = 20
FOUND = 20
"""Learners that a search shows at most."""


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A learner as the queue shows one. `score` from 0 to 1 where the person was suggested; names of employers."""

    id: UUID
    name: str
    employers: Sequence[str]
    last_completion: datetime | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Waiting rows of one import that name the same person in the same way. `id` is that of the first row.

    `name` is the person's as the file gives it, or the address or account where it gives none.
    """

    id: UUID
    name: str
    run: ImportRun
    rows: Sequence[ImportRow]
    suggestions: Sequence[KnownPerson]

    @property
    def first(self) -> ImportRow:
        """The row that is shown."""
        return self.rows[0]


async def entries(
    session: AsyncSession, import_id: UUID | None = None, after: UUID | None = None, size: int = PAGE
) -> list[Entry]:
    """Up to `size` entries behind `after`, oldest first; of one import or of all."""
    statement = _firsts().order_by(ImportRow.id).limit(size)
    if import_id is not None:
        statement = statement.where(ImportRow.import_id == import_id)
    if after is not None:
        statement = statement.where(ImportRow.id > after)
    return await _entries(session, (await session.scalars(statement)).all())


async def entry(session: AsyncSession, row_id: UUID) -> Entry | None:
    """The entry that the waiting row belongs to."""
    waiting = select(ImportRow).where(ImportRow.id == row_id, ImportRow.kind == "review", ImportRow.state == "open")
    found = await _entries(session, (await session.scalars(waiting)).all())
    return found[0] if found else None


def _firsts() -> Select[ImportRow]:
    """Waiting rows before which no other waiting row of the same person stands."""
    earlier = aliased(ImportRow)
    before = select(earlier.id).where(
        earlier.import_id == ImportRow.import_id,
        earlier.person_key == ImportRow.person_key,
        earlier.kind == "review",
        earlier.state == "open",
        earlier.id < ImportRow.id,
    )
    return select(ImportRow).where(ImportRow.kind == "review", ImportRow.state == "open", ~before.exists())


async def _entries(session: AsyncSession, firsts: Sequence[ImportRow]) -> list[Entry]:
    if not firsts:
        return []
    people = {(row.import_id, row.person_key) for row in firsts}
    rows = await session.scalars(
        select(ImportRow)
        .where(
            tuple_(ImportRow.import_id, ImportRow.person_key).in_(people),
            ImportRow.kind == "review",
            ImportRow.state == "open",
        )
        .order_by(ImportRow.id)
    )
    together: dict[tuple[UUID, str | None], list[ImportRow]] = defaultdict(list)
    for row in rows:
        together[row.import_id, row.person_key].append(row)
    runs = await session.scalars(select(ImportRun).where(among(ImportRun.id, {row.import_id for row in firsts})))
    run_of = {run.id: run for run in runs}
    scores = {row.id: _scores(row.candidates) for row in firsts}
    known = await _known(session, {learner for suggested in scores.values() for learner in suggested})
    return [
        Entry(
            row.id,
            _name(run_of[row.import_id], row),
            run_of[row.import_id],
            together[row.import_id, row.person_key],
            [_scored(known[learner], score) for learner, score in scores[row.id].items() if learner in known],
        )
        for row in firsts
    ]


def _name(run: ImportRun, row: ImportRow) -> str:
    raw = RawRow(row.row_number, row.section, row.cells)
    parsed = FORMATS[run.format_code].parse(raw, ApplyContext.of(run).reading)
    person = person_of(parsed, run.options) if isinstance(parsed, Record) else None
    return "" if person is None else person.shown


def _scores(candidates: Iterable[dict[str, Any]]) -> dict[UUID, float]:
    return {UUID(one["learner_id"]): float(one["score"]) for one in candidates if "learner_id" in one}


async def known_people(session: AsyncSession, ids: Sequence[UUID]) -> list[KnownPerson]:
    """What is known of learners, in the order given."""
    known = await _known(session, ids)
    return [known[learner_id] for learner_id in ids if learner_id in known]


def _scored(person: KnownPerson, score: float) -> KnownPerson:
    return KnownPerson(person.id, person.name, person.employers, person.last_completion, score)


async def search_learners(session: AsyncSession, words: str) -> list[KnownPerson]:
    """Learners whose name holds every one of the words, by name; none for no word."""
    keys = name_key(words).split()
    if not keys:
        return []
    holds = [Learner.name_key.contains(key, autoescape=True) for key in keys]
    found = await session.scalars(
        select(Learner.id)
        .where(Learner.merged_into_id.is_(None), *holds)
        .order_by(Learner.name_key, Learner.id)
        .limit(FOUND)
    )
    ids = list(found)
    known = await _known(session, ids)
    return [known[learner_id] for learner_id in ids]


async def _known(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, KnownPerson]:
    """What is known of learners; those that were merged into another are left out."""
    wanted = set(ids)
    learners = await session.execute(
        select(Learner.id, Learner.display_name).where(among(Learner.id, wanted), Learner.merged_into_id.is_(None))
    )
    names = dict(learners.all())
    employers: dict[UUID, list[str]] = defaultdict(list)
    at_work = (
        select(Employment.learner_id, Employer.name)
        .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
        .where(among(Employment.learner_id, wanted))
        .order_by(Employment.started_on.desc(), Employer.name)
    )
    for learner_id, name in await session.execute(at_work):
        if name not in employers[learner_id]:
            employers[learner_id].append(name)
    last = await session.execute(
        select(Completion.learner_id, func.max(Completion.completed_at))
        .where(among(Completion.learner_id, wanted))
        .group_by(Completion.learner_id)
    )
    completed = dict(last.all())
    return {
        learner_id: KnownPerson(learner_id, name, employers[learner_id], completed.get(learner_id))
        for learner_id, name in names.items()
    }
