"""Applies attendance reports: the session, the people, and their lines as evidence."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

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
    learners = await place_people(work, context, people, outcome)
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
