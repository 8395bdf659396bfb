"""Refunds: which courses count, which claims follow from completions, and what became of each claim."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, or_, select

from app.directory.models import Employment
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import words
from app.training.models import Completion, Course
from app.training.refunds.models import STATES, LdssClaim, LdssCourse
from app.training.refunds.rules import Eligibility, deadline, eligible
from app.training.requirements.evidence import london_day
from app.training.requirements.finding import row_of, same_version
from tenants.audit import Action
from tenants.base import among, table_of
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

MOST_POUNDS = Decimal(100_000)


@dataclass(frozen=True, slots=True)
class CourseGiven:
    """A course that can be claimed for: as `LdssCourse`."""

    course_id: UUID
    learning_code: str
    amount: Decimal
    eligible_from: date
    eligible_until: date | None = None


async def save_course(work: UnitOfWork, given: CourseGiven) -> UUID:
    """Say that a course can be claimed for in a period; said again of the same first day, it is corrected.

    Claims that were found before keep their amount. Raises TrainingRefusal `NO_SUCH_COURSE`, `TEXT_MISSING`,
    `TEXT_TOO_LONG`, `INVALID_AMOUNT`, `INVALID_DAYS` or `DAYS_OVERLAP`.
    """
    code = words(given.learning_code, "learning_code", "the learning code of the scheme", 60)
    if not 0 < given.amount < MOST_POUNDS:
        raise TrainingRefusal("INVALID_AMOUNT", "Enter the amount in pounds for each learner.", "amount")
    last = given.eligible_until or date.max
    if last < given.eligible_from:
        message = "The last day lies before the first. Correct one of them."
        raise TrainingRefusal("INVALID_DAYS", message, "eligible_until")
    await row_of(work, Course, given.course_id, "NO_SUCH_COURSE", "course", "course")
    rows = (
        await work.session.scalars(select(LdssCourse).where(LdssCourse.course_id == given.course_id).with_for_update())
    ).all()
    same = next((row for row in rows if row.eligible_from == given.eligible_from), None)
    others = (row for row in rows if row is not same)
    if any(one.eligible_from <= last and (one.eligible_until or date.max) >= given.eligible_from for one in others):
        message = "The days overlap with another period of this course. End that one first, or choose other days."
        raise TrainingRefusal("DAYS_OVERLAP", message, "eligible_from")
    row = same or LdssCourse(
        tenant_id=work.tenant_id,
        id=new_id(),
        course_id=given.course_id,
        eligible_from=given.eligible_from,
        created_at=work.now,
    )
    row.learning_code, row.amount, row.eligible_until = code, given.amount, given.eligible_until
    work.add(row)
    await work.session.flush()
    after = {
        "course": str(given.course_id),
        "learning_code": code,
        "amount": str(given.amount),
        "from": given.eligible_from.isoformat(),
        "until": given.eligible_until.isoformat() if given.eligible_until else None,
    }
    work.record(Action.LDSS_COURSE_SAVED, "ldss_course", row.id, after=after)
    work.emit(Topic.LDSS_CLAIMS, f"course:{row.id}:{work.context.request_id}")
    return row.id


async def find_claims(work: UnitOfWork) -> tuple[int, int]:
    """Write down what can be claimed for and is not yet, and drop what nobody has claimed and no completion bears.

    A claim is the employer's for whom the learner worked on the day. Gives how many were added and dropped.
    """
    periods = [
        Eligibility(row.course_id, row.learning_code, row.amount, row.eligible_from, row.eligible_until)
        for row in await work.session.scalars(select(LdssCourse))
    ]
    wanted = await _wanted(work, periods)
    claims = (await work.session.scalars(select(LdssClaim).with_for_update())).all()
    present = {(row.learner_id, row.employer_id, row.course_id, row.completed_on): row for row in claims}
    dropped = [row for key, row in present.items() if key not in wanted and row.state == "to_claim"]
    for row in dropped:
        await work.session.delete(row)
    added = [(key, wanted[key]) for key in sorted(wanted.keys() - present.keys(), key=str)]
    await work.insert_rows(
        LdssClaim,
        (
            "id", "learner_id", "employer_id", "course_id", "completed_on", "due_on", "learning_code", "amount",
            "state", "version", "created_at", "changed_at",
        ),
        (
            (new_id(), *key, deadline(key[3]), one.learning_code, one.amount, "to_claim", 1, work.now, work.now)
            for key, one in added
        ),
        on_conflict="ON CONFLICT DO NOTHING",
    )  # fmt: skip
    if added or dropped:
        after = {"added": len(added), "dropped": len(dropped)}
        work.record(Action.LDSS_CLAIMS_FOUND, "ldss_claim", None, after=after)
    return len(added), len(dropped)


Key = tuple[UUID, UUID, UUID, date]


async def _wanted(work: UnitOfWork, periods: Collection[Eligibility]) -> dict[Key, Eligibility]:
    """Learner, employer, course and day of each completion that can be claimed for."""
    day = london_day(table_of(Completion).c.completed_at)
    if not periods:
        return {}
    rows = await work.session.execute(
        select(Completion.learner_id, Employment.employer_id, Completion.course_id, day)
        .join(
            Employment,
            and_(
                Employment.tenant_id == Completion.tenant_id,
                Employment.learner_id == Completion.learner_id,
                Employment.started_on <= day,
                or_(Employment.ended_on.is_(None), Employment.ended_on >= day),
            ),
        )
        .where(among(Completion.course_id, {one.course_id for one in periods}))
        .distinct()
    )
    found: dict[Key, Eligibility] = {}
    for learner_id, employer_id, course_id, on in rows:
        one = eligible(periods, course_id, on)
        if one is not None:
            found[learner_id, employer_id, course_id, on] = one
    return found


async def change_claim(
    work: UnitOfWork, claim_id: UUID, version: int, state: str, employers: Collection[UUID] | None = None
) -> None:
    """Say what became of a claim. `employers`: whose claims may be changed; None: everybody's.

    Raises TrainingRefusal `NO_SUCH_CLAIM`, `CHANGED_MEANWHILE` or `UNKNOWN_CHOICE`.
    """
    row = await row_of(work, LdssClaim, claim_id, "NO_SUCH_CLAIM", "claim")
    if employers is not None and row.employer_id not in employers:
        raise TrainingRefusal("NO_SUCH_CLAIM", "There is no such claim. Choose one from the list.")
    same_version(version, row.version, "claim")
    if state not in STATES:
        raise TrainingRefusal("UNKNOWN_CHOICE", "Choose what became of the claim.", "state")
    before = {"state": row.state}
    row.state, row.changed_at = state, work.now
    row.version += 1
    work.record(Action.LDSS_CLAIM_CHANGED, "ldss_claim", row.id, before=before, after={"state": state})
