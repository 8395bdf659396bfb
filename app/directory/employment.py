"""Employment as files bear witness to it: somebody was at work for an employer on a day."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employment, JobRole
from tenants.base import among, table_of
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class AtWork:
    """A learner was employed on a day, under a job title where it was told."""

    learner_id: UUID
    employer_id: UUID
    day: date
    job_title: str | None = None


@dataclass(slots=True)
class _Spell:
    id: UUID
    started_on: date
    ended_on: date | None
    new: bool = False
    moved: bool = False
    job_title: str | None = None


async def job_role_codes(work: UnitOfWork) -> dict[str, int]:
    """ASC-WDS code of each job role's label in lower case."""
    rows = await work.session.execute(select(JobRole.label, JobRole.code))
    return {label.casefold(): code for label, code in rows}


async def bear_witness(work: UnitOfWork, evidence: Iterable[AtWork], codes: dict[str, int]) -> None:
    """Begin employments that are not known, and let open ones begin earlier where a file proves it.

    An employment that ended is left alone: evidence after its end begins another one. Two employers at once are
    possible, so nothing ends because something else begins.
    """
    said = list(evidence)
    if not said:
        return
    spells = await _spells(work, {item.learner_id for item in said})
    for item in sorted(said, key=lambda item: item.day):
        own = spells[item.learner_id, item.employer_id]
        if any(spell.started_on <= item.day and (spell.ended_on or date.max) >= item.day for spell in own):
            continue
        later = [spell for spell in own if spell.ended_on is None]
        if later:
            later[0].started_on, later[0].moved = item.day, True
        else:
            own.append(_Spell(new_id(), item.day, None, new=True, job_title=item.job_title))
    pairs = [(pair, spell) for pair, own in spells.items() for spell in own]
    await work.insert_rows(
        Employment,
        ("id", "learner_id", "employer_id", "job_role_code", "job_title", "started_on", "created_at"),
        (
            (
                spell.id,
                *pair,
                _code(codes, spell.job_title),
                spell.job_title,
                spell.started_on,
                work.now,
            )
            for pair, spell in pairs
            if spell.new
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )
    table = table_of(Employment)
    await work.run_rows(
        f"UPDATE {table.schema}.{table.name} SET started_on = $3 WHERE tenant_id = $1 AND id = $2",
        ((spell.id, spell.started_on) for _, spell in pairs if spell.moved and not spell.new),
    )


def _code(codes: dict[str, int], job_title: str | None) -> int | None:
    return codes.get((job_title or "").casefold())


async def _spells(work: UnitOfWork, learners: set[UUID]) -> dict[tuple[UUID, UUID], list[_Spell]]:
    found: dict[tuple[UUID, UUID], list[_Spell]] = defaultdict(list)
    rows = await work.session.execute(
        select(
            Employment.learner_id, Employment.employer_id, Employment.id, Employment.started_on, Employment.ended_on
        ).where(among(Employment.learner_id, learners))
    )
    for learner_id, employer_id, identifier, started_on, ended_on in rows:
        found[learner_id, employer_id].append(_Spell(identifier, started_on, ended_on))
    return found
