"""Applies attendance reports: the session, the people, and their lines as evidence."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.directory.models import Learner
from app.imports.appliers.base import ApplyContext, Outcome, ParsedRow, place_people, sound_rows
from app.imports.formats.base import AttendanceRecord, RawRow
from app.imports.people import person_of
from app.training.attendance import NewEvidence, SessionInFile, place_session, record_evidence
from app.training.courses import text_key, tier_at
from tenants.clock import london_date
from tenants.session import UnitOfWork

_REMARKS = {
    "CLOCK_CHANGE": "A time falls into the hour that the clocks leave out; it was moved on by an hour. Check it.",
    "BAD_DURATION": "The time in the session cannot be read; joining and leaving were used. Check it.",
    "TIMES_CONTRADICT": "The person left before joining; only the duration was used. Check it.",
}


async def apply(work: UnitOfWork, context: ApplyContext, rows: Sequence[ParsedRow]) -> Outcome:
    """As `Applier`."""
    outcome = Outcome()
    session_id = await _session(work, context)
    people = []
    records: list[tuple[RawRow, AttendanceRecord]] = []
    for raw, record in sound_rows(rows, outcome):
        assert isinstance(record, AttendanceRecord)
        person = person_of(record, context.options)
        if person is None:
            outcome.counts["hosts"] += 1
            continue
        records.append((raw, record))
        people.append((raw, person))
    told = await _learners(work, {record.learner_id for _, record in records if record.learner_id})
    named = [told.get(record.learner_id) if record.learner_id else None for _, record in records]
    outcome.counts["matched"] += sum(learner_id is not None for learner_id in named)
    unnamed = [person for person, learner_id in zip(people, named, strict=True) if learner_id is None]
    placed = iter(await place_people(work, context, unnamed, outcome))
    learners = [next(placed) if learner_id is None else learner_id for learner_id in named]
    evidence = []
    for (raw, record), learner_id in zip(records, learners, strict=True):
        if learner_id is None:
            continue
        evidence.append(
            NewEvidence(learner_id, raw.number, record.role, record.joined_at, record.left_at, record.seconds)
        )
        for code in record.remarks:
            outcome.remark(raw, code, _REMARKS[code])
    await record_evidence(work, session_id, context.import_id, evidence)
    outcome.counts["applied"] += len(evidence)
    return outcome


async def _learners(work: UnitOfWork, told: set[UUID]) -> dict[UUID, UUID]:
    """The learners that registrations have told, each with the one that it was merged into, if it was."""
    found: dict[UUID, UUID] = {}
    for learner_id in told:
        learner = await work.session.get(Learner, (work.tenant_id, learner_id))
        while learner is not None and learner.merged_into_id is not None:
            learner = await work.session.get(Learner, (work.tenant_id, learner.merged_into_id))
        if learner is not None:
            found[learner_id] = learner.id
    return found


async def _session(work: UnitOfWork, context: ApplyContext) -> UUID:
    options, facts = context.options, context.reading.facts
    title = options.get("session_title") or facts.get("title") or Path(context.filename).stem
    starts_at = datetime.fromisoformat(options.get("starts_at") or facts["started_at"])
    ends_at = datetime.fromisoformat(options.get("ends_at") or facts["ended_at"])
    tier = await tier_at(work, options["tier"]) if "tier" in options else None
    return await place_session(
        work,
        SessionInFile(
            key=options.get("session_key") or f"{text_key(title)}|{london_date(starts_at)}",
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            online_mode=options.get("online_mode") or "webinar",
            tier_id=tier.id if tier else None,
        ),
    )
