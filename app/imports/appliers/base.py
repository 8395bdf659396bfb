"""What applying a format needs and gives: the run's context, and an outcome in counts and rows kept for people."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.directory.placement import PersonInFile, Placed, place_learners
from app.directory.rules import MatchDecision
from app.imports.formats import FORMATS
from app.imports.formats.base import Context, Ignored, NotCompleted, Parsed, RawRow, Record, Rejected
from app.imports.kept_rows import KeptRow, rejected_row
from app.imports.models import ImportRun
from app.imports.people import review_row
from tenants.clock import london_date
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class ApplyContext:
    """The run whose rows are applied. `decided`: the learner that a person said the rows are about."""

    import_id: UUID
    format_code: str
    filename: str
    reading: Context
    decided: UUID | None = None

    @classmethod
    def of(cls, run: ImportRun, decided: UUID | None = None) -> "ApplyContext":
        """The context of a run."""
        reading = Context(london_date(run.created_at), run.options, run.facts)
        return cls(run.id, run.format_code, run.filename, reading, decided)

    @property
    def options(self) -> Mapping[str, Any]:
        """What was said about the file."""
        return self.reading.options


@dataclass(slots=True)
class Outcome:
    """What became of rows: counts by outcome, and the rows that people should see."""

    counts: Counter[str] = field(default_factory=Counter)
    kept: list[KeptRow] = field(default_factory=list)

    def remark(self, raw: RawRow, code: str, sentence: str, candidates: Sequence[dict[str, Any]] = ()) -> None:
        """Take a row with a remark."""
        self.counts["remarks"] += 1
        self.kept.append(KeptRow("remark", raw.number, raw.section, raw.cells, code, sentence, candidates=candidates))


ParsedRow = tuple[RawRow, Parsed]

Applier = Callable[[UnitOfWork, ApplyContext, Sequence[ParsedRow]], Awaitable[Outcome]]


def parsed_rows(context: ApplyContext, rows: Sequence[RawRow]) -> list[ParsedRow]:
    """Rows with what they say."""
    parse = FORMATS[context.format_code].parse
    return [(raw, parse(raw, context.reading)) for raw in rows]


def sound_rows(rows: Sequence[ParsedRow], outcome: Outcome) -> list[tuple[RawRow, Record]]:
    """The records of sound rows; the others are counted, and rejected ones kept for the person who mends the file."""
    records: list[tuple[RawRow, Record]] = []
    for raw, parsed in rows:
        if isinstance(parsed, Rejected):
            outcome.counts["rejected"] += 1
            outcome.kept.append(rejected_row(raw, parsed))
        elif isinstance(parsed, NotCompleted):
            outcome.counts["not_completed"] += 1
        elif isinstance(parsed, Ignored):
            outcome.counts["ignored"] += 1
        else:
            records.append((raw, parsed))
    return records


async def place_people(
    work: UnitOfWork, context: ApplyContext, rows: Sequence[tuple[RawRow, PersonInFile]], outcome: Outcome
) -> list[UUID | None]:
    """The learner of each row; None for rows that now wait in the review queue."""
    if context.decided is not None:
        return [context.decided] * len(rows)
    placed: list[Placed] = await place_learners(work, [person for _, person in rows])
    for (raw, person), place in zip(rows, placed, strict=True):
        _count(outcome, place.decision)
        if place.learner_id is None:
            outcome.kept.append(review_row(raw, person, place))
    return [place.learner_id for place in placed]


def _count(outcome: Outcome, decision: MatchDecision) -> None:
    outcome.counts[{"matched": "matched", "new": "new_people", "review": "review"}[decision.kind]] += 1
