"""Attendance: evidence as reports tell it, and the decision drawn from all evidence of a person at a session."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from app.training.booking.models import AttendanceMark
from app.training.models import Attendance, AttendanceEvidence, TrainingSession
from app.training.rules import DECIDED_BY_REPORT, Mark, Stay, attended_seconds, decide, decide_with_marks
from tenants.audit import Action
from tenants.base import among
from tenants.clock import LONDON, london_date
from tenants.identifiers import new_id
from tenants.models import TenantSettings
from tenants.session import UnitOfWork


@dataclass(frozen=True, slots=True)
class SessionInFile:
    """A session as an import names it. `key` is the same for all reports of one session."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime
    online_mode: str
    tier_id: UUID | None


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """One line of one report about a known learner."""

    learner_id: UUID
    row_number: int
    role: str
    joined_at: datetime | None
    left_at: datetime | None
    seconds: int | None


async def place_session(work: UnitOfWork, wanted: SessionInFile) -> UUID:
    """Find the session by its key, or the one that was planned under this title for that day, or make it."""
    if wanted.key.startswith("session:"):  # one that was planned here, by its own key
        own = select(TrainingSession.id).where(TrainingSession.external_key == wanted.key)
        if (known := (await work.session.scalars(own)).first()) is not None:
            return known
    planned = await _planned(work, wanted)
    if planned is not None:
        return planned
    statement = insert(TrainingSession).values(
        tenant_id=work.tenant_id,
        id=new_id(),
        title=wanted.title,
        tier_id=wanted.tier_id,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        online_mode=wanted.online_mode,
        external_key=wanted.key,
        created_at=work.now,
    )
    await work.session.execute(statement.on_conflict_do_nothing())
    found = select(TrainingSession.id).where(TrainingSession.external_key == wanted.key)
    return (await work.session.execute(found)).scalar_one()


async def _planned(work: UnitOfWork, wanted: SessionInFile) -> UUID | None:
    """The only session that was planned here under the title on the day in England; two of them would be a guess."""
    begins = datetime.combine(london_date(wanted.starts_at), time(), LONDON)
    rows = await work.session.execute(
        select(TrainingSession.id, TrainingSession.title, TrainingSession.external_key).where(
            TrainingSession.state == "published",
            TrainingSession.starts_at >= begins,
            TrainingSession.starts_at < begins + timedelta(days=1),
        )
    )
    same = [row.id for row in rows if row.external_key == f"session:{row.id}" and _key(row.title) == _key(wanted.title)]
    return same[0] if len(same) == 1 else None


def _key(title: str) -> str:
    return " ".join(title.casefold().split())


async def record_evidence(work: UnitOfWork, session_id: UUID, import_id: UUID, lines: Sequence[NewEvidence]) -> None:
    """Store the lines, each once, and decide anew on the people in them."""
    await work.insert_rows(
        AttendanceEvidence,
        ("id", "session_id", "learner_id", "import_id", "row_number", "role", "joined_at", "left_at", "seconds"),
        (
            (
                new_id(), session_id, line.learner_id, import_id, line.row_number, line.role, line.joined_at,
                line.left_at, line.seconds,
            )
            for line in lines
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    await decide_attendance(work, session_id, {line.learner_id for line in lines})


async def decide_attendance(work: UnitOfWork, session_id: UUID, learners: Iterable[UUID]) -> None:
    """Draw the decision on each of `learners` from all reports and marks there are; nothing told, no attendance."""
    asked = set(learners)
    session = (await work.session.execute(select(TrainingSession).where(TrainingSession.id == session_id))).scalar_one()
    settings = (await work.session.execute(select(TenantSettings))).scalar_one()
    stays: dict[UUID, list[Stay]] = defaultdict(list)
    rows = await work.session.execute(
        select(
            AttendanceEvidence.learner_id,
            AttendanceEvidence.joined_at,
            AttendanceEvidence.left_at,
            AttendanceEvidence.seconds,
        ).where(AttendanceEvidence.session_id == session_id, among(AttendanceEvidence.learner_id, asked))
    )
    for learner_id, joined_at, left_at, seconds in rows:
        stays[learner_id].append((joined_at, left_at, seconds))
    marks = await _marks(work, session_id, asked)
    scheduled = round((session.ends_at - session.starts_at).total_seconds())
    decided = []
    for learner_id in sorted(asked):
        attended = attended_seconds(stays[learner_id]) if learner_id in stays else None
        from_reports = None
        if learner_id in stays:
            from_reports = decide(
                attended,
                scheduled,
                settings.attendance_threshold_percent,
                count_unknown=settings.count_unknown_durations,
            )
        verdict, *halves = decide_with_marks(session.parts, marks[learner_id], attended, from_reports)
        if verdict is not None:
            row = (new_id(), session_id, learner_id, attended, verdict.qualifies, verdict.because, *halves, work.now)
            decided.append(row)
    await work.insert_rows(
        Attendance,
        (
            "id", "session_id", "learner_id", "seconds", "qualifies", "decided_because", "first_half", "second_half",
            "updated_at",
        ),
        decided,
        on_conflict=(
            "ON CONFLICT (tenant_id, session_id, learner_id) DO UPDATE SET seconds = excluded.seconds, "
            "qualifies = excluded.qualifies, decided_because = excluded.decided_because, "
            "first_half = excluded.first_half, second_half = excluded.second_half, updated_at = excluded.updated_at"
        ),
    )  # fmt: skip
    gone = asked - {row[2] for row in decided}
    if gone:
        emptied = select(Attendance).where(Attendance.session_id == session_id, among(Attendance.learner_id, gone))
        for attendance in await work.session.scalars(emptied):
            await work.session.delete(attendance)


async def _marks(work: UnitOfWork, session_id: UUID, learners: set[UUID]) -> dict[UUID, list[Mark]]:
    found: dict[UUID, list[Mark]] = defaultdict(list)
    rows = await work.session.execute(
        select(AttendanceMark.learner_id, AttendanceMark.part, AttendanceMark.present, AttendanceMark.method)
        .where(AttendanceMark.session_id == session_id, among(AttendanceMark.learner_id, learners))
        .order_by(AttendanceMark.marked_at, AttendanceMark.id)
    )
    for learner_id, part, present, method in rows:
        found[learner_id].append(Mark(part, present, method))
    return found


async def decide_all_anew(work: UnitOfWork, threshold_percent: int, *, count_unknown: bool) -> int:
    """Apply a changed threshold to every attendance of the tenant in one statement; how many now count differently."""
    scheduled = cast(
        func.extract("epoch", TrainingSession.ends_at) - func.extract("epoch", TrainingSession.starts_at), Integer
    )
    known: ColumnElement[bool] = Attendance.seconds.is_not(None)
    enough = Attendance.seconds * 100 >= scheduled * threshold_percent
    qualifies = or_(and_(known, enough), and_(~known, literal(count_unknown)))
    because = case(
        (and_(known, enough), "reaches_threshold"),
        (known, "below_threshold"),
        else_="unknown_counted" if count_unknown else "unknown_not_counted",
    )
    changed = await work.session.execute(
        update(Attendance)
        .where(
            TrainingSession.tenant_id == work.tenant_id,
            TrainingSession.id == Attendance.session_id,
            Attendance.decided_because.in_(DECIDED_BY_REPORT),
            Attendance.decided_because != because,
        )
        .values(qualifies=qualifies, decided_because=because, updated_at=work.now)
        .returning(Attendance.id)
        .execution_options(synchronize_session=False)
    )
    count = len(changed.all())
    work.record(
        Action.ATTENDANCE_RECOMPUTED,
        "attendance",
        None,
        after={"threshold_percent": threshold_percent, "count_unknown": count_unknown, "changed": count},
    )
    return count
