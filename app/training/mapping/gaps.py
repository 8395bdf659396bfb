"""Gaps that the mapping has shown: opened with an owner and a day, closed by evidence."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, one_of, optional_words, same_version, told, words
from app.training.mapping.models import MappingExercise, MappingGap, Topic
from app.training.models import Course, TrainingSession
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

GAP_KINDS = ("content", "delivery", "accessibility")


@dataclass(frozen=True, slots=True)
class NewGap:
    """A gap as somebody gives it."""

    kind: str
    title: str
    owner: str
    due_on: date
    topic_id: UUID | None = None
    course_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What closes a gap: at least one of a course, a session and a decision."""

    course_id: UUID | None = None
    session_id: UUID | None = None
    decision: str | None = None


async def open_gap(work: UnitOfWork, exercise_id: UUID, gap: NewGap) -> UUID:
    """Write a gap down. Raises TrainingRefusal `NO_SUCH_MAPPING_EXERCISE`, `NO_SUCH_TOPIC`, `NO_SUCH_COURSE`,
    `UNKNOWN_CHOICE` or `TEXT_MISSING`."""
    await found(work, MappingExercise, exercise_id, "mapping exercise", "exercise")
    kind = one_of(gap.kind, GAP_KINDS, "kind")
    if kind is None:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(GAP_KINDS)}.", "kind")
    if gap.topic_id is not None:
        await found(work, Topic, gap.topic_id, "topic", "topic")
    if gap.course_id is not None:
        await found(work, Course, gap.course_id, "course", "course")
    row = MappingGap(
        tenant_id=work.tenant_id,
        id=new_id(),
        exercise_id=exercise_id,
        kind=kind,
        title=words(gap.title, "title", "what is missing", 500),
        topic_id=gap.topic_id,
        course_id=gap.course_id,
        owner=words(gap.owner, "owner", "who owns the gap", 200),
        due_on=gap.due_on,
        status="open",
        version=1,
        created_at=work.now,
    )
    work.add(row)
    work.record(Action.GAP_OPENED, "mapping_gap", row.id, after=told(row, "kind", "exercise_id", "topic_id", "due_on"))
    return row.id


async def change_gap(
    work: UnitOfWork, gap_id: UUID, *, version: int, owner: str | None = None, due_on: date | None = None
) -> None:
    """Give an open gap another owner or day.

    Raises TrainingRefusal `NO_SUCH_GAP`, `CHANGED_MEANWHILE`, `CLOSED_ALREADY` or `TEXT_MISSING`.
    """
    gap = await _open(work, gap_id, version)
    before = told(gap, "due_on")
    if owner is not None:
        gap.owner = words(owner, "owner", "who owns the gap", 200)
    if due_on is not None:
        gap.due_on = due_on
    gap.version += 1
    work.record(Action.GAP_CHANGED, "mapping_gap", gap_id, before=before, after=told(gap, "due_on"))


async def close_gap(work: UnitOfWork, gap_id: UUID, *, version: int, evidence: Evidence) -> None:
    """Close a gap by what shows that it is none any more.

    Raises TrainingRefusal `EVIDENCE_MISSING`, `NO_SUCH_GAP`, `NO_SUCH_COURSE`, `NO_SUCH_SESSION`, `CLOSED_ALREADY` or
    `CHANGED_MEANWHILE`.
    """
    gap = await _open(work, gap_id, version)
    decision = optional_words(evidence.decision, "decision", "the decision")
    if evidence.course_id is None and evidence.session_id is None and decision is None:
        message = "Name the course or session that fills the gap, or the decision that was taken."
        raise TrainingRefusal("EVIDENCE_MISSING", message, "decision")
    if evidence.course_id is not None:
        await found(work, Course, evidence.course_id, "course", "course")
    if evidence.session_id is not None:
        await found(work, TrainingSession, evidence.session_id, "session", "session")
    gap.closing_course_id, gap.closing_session_id = evidence.course_id, evidence.session_id
    gap.closing_decision, gap.status, gap.closed_at = decision, "closed", work.now
    gap.version += 1
    after = told(gap, "closing_course_id", "closing_session_id") | {"decision": decision is not None}
    work.record(Action.GAP_CLOSED, "mapping_gap", gap_id, after=after)


async def _open(work: UnitOfWork, gap_id: UUID, version: int) -> MappingGap:
    gap = await found(work, MappingGap, gap_id, "gap", lock=True)
    if gap.status != "open":
        raise TrainingRefusal("CLOSED_ALREADY", "The gap was closed already. Open another one if it is there again.")
    same_version(gap.version, version, "gap")
    return gap
