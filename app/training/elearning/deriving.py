"""From kept statements to progress and completions: by a worker, some accounts at a time, the same however often."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, cast, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.directory.models import LearnerRegister
from app.directory.placement import lock_register
from app.training.completions import NewCompletion, is_short, record_each, take_back
from app.training.elearning.meaning import Activity, Finished, Told, Understood, told, understand
from app.training.elearning.models import (
    LearningAccount,
    LearningActivity,
    LearningSystem,
    StatementCompletion,
    XapiStatement,
)
from app.training.elearning.people import place
from app.training.elearning.receiving import is_voided
from app.training.elearning.statements import person_of
from app.training.models import Completion, Course, Tier
from app.training.requirements import standing
from app.training.requirements.models import CourseProgress
from app.training.requirements.progress import ProgressTold, correct_progress, record_progress
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

AT_ONCE = 200
"""Statements whose meaning is taken in by one transaction, with all others of the same accounts."""
FEW = 50
"""Up to so many learners have their standing computed one by one; beyond, the whole tenant's is."""

WHILE, LATE = timedelta(minutes=10), timedelta(minutes=1)
"""Systems that send each statement by itself have figures counted this often; later, so that nothing is just missed."""

Known = tuple[UUID, str]
"""Learning system and key of an account."""


@dataclass(slots=True)
class _Step:
    """What one transaction knows and changes."""

    systems: Mapping[UUID, LearningSystem]
    activities: Mapping[str, Activity]
    minimum: Mapping[UUID, int | None]
    learners: set[UUID] = field(default_factory=set)


class Busy(Exception):
    """Somebody else places learners of this tenant now."""


async def derive_some(work: UnitOfWork) -> int:
    """Take in the meaning of statements that are open; how many were. 0: there are no more. Raises Busy."""
    free = select(LearnerRegister.id).with_for_update(skip_locked=True)
    if (await work.session.scalars(free)).first() is None:
        if (await work.session.scalars(select(LearnerRegister.id))).first() is not None:
            raise Busy
        await lock_register(work)
    rows = (
        await work.session.execute(
            select(
                XapiStatement.id, XapiStatement.learning_system_id, XapiStatement.account_key, XapiStatement.voids_id,
                XapiStatement.body, XapiStatement.occurred_at,
            )
            .where(XapiStatement.derived_at.is_(None))
            .order_by(XapiStatement.learning_system_id, XapiStatement.id)
            .limit(AT_ONCE)
        )
    ).all()  # fmt: skip
    if not rows:
        return 0
    step = await _open_step(work)
    accounts = await _accounts(work, step, [row for row in rows if row.account_key is not None])
    voided = await _accounts_of(work, {row.voids_id for row in rows if row.voids_id is not None})
    await _derive(work, step, [*accounts, *(one for one in voided if one not in accounts)])
    await work.session.execute(
        update(XapiStatement)
        .where(among(XapiStatement.id, [row.id for row in rows]))
        .values(derived_at=work.now)
        .execution_options(synchronize_session=False)
    )
    _spread(work, step, rows[0].id)
    return len(rows)


def _spread(work: UnitOfWork, step: _Step, first: UUID) -> None:
    """Have everything follow that rests on completions: standing soon, what counts a whole tenant once in a while."""
    if not step.learners:
        return
    key = f"statements:{first}:{work.context.request_id}:{work.now.isoformat()}"
    if len(step.learners) > FEW:
        standing.request_all(work, key)
    else:
        for learner_id in sorted(step.learners):
            standing.request(work, learner_id, key)
    begun = datetime.fromtimestamp(work.now.timestamp() // WHILE.total_seconds() * WHILE.total_seconds(), UTC)
    for topic in (Topic.FIGURES_REFRESH, Topic.LDSS_CLAIMS):
        work.emit(topic, f"statements:{begun.isoformat()}", at=begun + WHILE + LATE)


async def _open_step(work: UnitOfWork) -> _Step:
    systems = {row.id: row for row in await work.session.scalars(select(LearningSystem))}
    linked = await work.session.scalars(select(LearningActivity))
    activities = {row.iri: Activity(row.iri, row.kind, row.course_id, row.finishes, row.move_on) for row in linked}
    minimums = await work.session.execute(
        select(Course.id, Course.expected_minutes_min, Tier.minimum_minutes)
        .outerjoin(Tier, and_(Tier.tenant_id == Course.tenant_id, Tier.id == Course.tier_id))
        .where(among(Course.id, {one.course_id for one in activities.values()}))
    )
    return _Step(systems, activities, {course_id: own or tier for course_id, own, tier in minimums})


def _concerns(step: _Step, row: Any) -> bool:
    """Whether a statement is about a linked activity: of others nobody needs to be known."""
    said = told(row.body, row.id)
    return said is not None and not step.activities.keys().isdisjoint((said.iri, *said.related))


async def _accounts(work: UnitOfWork, step: _Step, rows: Sequence[Any]) -> list[LearningAccount]:
    """The accounts that statements are about, made where they are new, with who they are as far as that is clear."""
    keys: dict[Known, list[Any]] = {}
    for row in rows:
        keys.setdefault((row.learning_system_id, row.account_key), []).append(row)
    present = {
        (row.learning_system_id, row.key): row
        for row in await work.session.scalars(
            select(LearningAccount).where(among(LearningAccount.key, {key for _, key in keys})).with_for_update()
        )
    }
    for (system_id, key), told_of in sorted(keys.items(), key=lambda pair: (str(pair[0][0]), pair[0][1])):
        latest = max(told_of, key=lambda row: (row.occurred_at, str(row.id)))
        person = person_of(latest.body["actor"])
        assert person is not None
        account = present.get((system_id, key))
        if account is None and not any(_concerns(step, row) for row in told_of):
            continue
        if account is None:
            account = LearningAccount(
                tenant_id=work.tenant_id, id=new_id(), learning_system_id=system_id, key=key, name=person.name,
                account=person.account, home_page=person.home_page, email=person.email, learner_id=None,
                state="waiting", reason="NO_NAME", suggestions=[], first_heard_at=work.now, last_heard_at=work.now,
            )  # fmt: skip
            present[system_id, key] = account
            work.add(account)
        account.name = person.name or account.name
        account.last_heard_at = work.now
    found = [present[pair] for pair in keys if pair in present]
    for system in step.systems.values():
        await place(
            work, system, [one for one in found if one.state == "waiting" and one.learning_system_id == system.id]
        )
    await work.session.flush()
    return found


async def _accounts_of(work: UnitOfWork, voided: Collection[UUID]) -> list[LearningAccount]:
    """The accounts whose statements were voided, also those whose statements are kept no longer."""
    if not voided:
        return []
    listed = cast([str(one) for one in voided], ARRAY(String))
    resting: Any = StatementCompletion.rests_on
    found = await work.session.scalars(
        select(LearningAccount)
        .outerjoin(
            XapiStatement,
            and_(
                XapiStatement.tenant_id == LearningAccount.tenant_id,
                XapiStatement.learning_system_id == LearningAccount.learning_system_id,
                XapiStatement.account_key == LearningAccount.key,
                among(XapiStatement.id, voided),
            ),
        )
        .outerjoin(
            StatementCompletion,
            and_(
                StatementCompletion.tenant_id == LearningAccount.tenant_id,
                StatementCompletion.account_id == LearningAccount.id,
                resting.has_any(listed),
            ),
        )
        .where(or_(XapiStatement.id.is_not(None), StatementCompletion.id.is_not(None)))
    )
    return list({row.id: row for row in found}.values())


async def _derive(work: UnitOfWork, step: _Step, accounts: Sequence[LearningAccount]) -> None:
    """Bring progress and completions of accounts in line with what their statements say."""
    said = await _told(work, [account for account in accounts if account.learner_id is not None])
    present: dict[UUID, list[StatementCompletion]] = defaultdict(list)
    for row in await work.session.scalars(
        select(StatementCompletion).where(among(StatementCompletion.account_id, [account.id for account in accounts]))
    ):
        present[row.account_id].append(row)
    kept = await _completions(work, [row.completion_id for rows in present.values() for row in rows])
    new: list[tuple[LearningAccount, Finished]] = []
    progress: list[ProgressTold] = []
    for account in accounts:
        understood = understand(said[account.learning_system_id, account.key], step.activities)
        wanted = {(one.course_id, one.occasion): one for one in understood.finished}
        for row in present[account.id]:
            completion, key = kept.get(row.completion_id), (row.course_id, row.occasion)
            if completion is not None and completion.learner_id != account.learner_id:
                await _undo(work, step, row, completion, "answered_otherwise")
            elif key not in wanted:
                reason = await _why_gone(work, row)
                if reason is not None:
                    await _undo(work, step, row, completion, reason)
            else:
                await _bring_up(work, step, row, completion, wanted.pop(key))
        new += [(account, one) for one in wanted.values()]
        progress += _progress(work, step, account, understood)
    await _record(work, step, new)
    if progress:
        await record_progress(work, progress)


def _progress(
    work: UnitOfWork, step: _Step, account: LearningAccount, understood: Understood
) -> Iterator[ProgressTold]:
    if account.learner_id is None:
        return
    source = step.systems[account.learning_system_id].source
    finished = {one.course_id for one in understood.finished}
    for course_id, at in understood.begun.items():
        done = course_id in finished
        state, told_at = ("completed", work.now) if done else ("in_progress", at)
        yield ProgressTold(account.learner_id, course_id, state, told_at, source)


async def _told(work: UnitOfWork, accounts: Sequence[LearningAccount]) -> dict[Known, list[Told]]:
    """What statements that stand say, by account."""
    rows = await work.session.execute(
        select(XapiStatement.id, XapiStatement.learning_system_id, XapiStatement.account_key, XapiStatement.body).where(
            among(XapiStatement.account_key, {account.key for account in accounts}),
            among(XapiStatement.learning_system_id, {account.learning_system_id for account in accounts}),
            XapiStatement.voids_id.is_(None),
            ~is_voided(),
        )
    )
    found: dict[Known, list[Told]] = defaultdict(list)
    for statement_id, system_id, key, body in rows:
        said = told(body, statement_id)
        if said is not None:
            found[system_id, key].append(said)
    return found


async def _completions(work: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, Completion]:
    found = await work.session.scalars(select(Completion).where(among(Completion.id, ids)))
    return {row.id: row for row in found}


async def _why_gone(work: UnitOfWork, row: StatementCompletion) -> str | None:
    """Why a completion does not stand any more; None where its statements were deleted for their age alone."""
    rests_on = [UUID(one) for one in row.rests_on]
    voiding = select(XapiStatement.id).where(among(XapiStatement.voids_id, rests_on))
    if (await work.session.scalars(voiding)).first() is not None:
        return "voided"
    kept = select(XapiStatement.id).where(among(XapiStatement.id, rests_on))
    return "linked_otherwise" if set(await work.session.scalars(kept)) == set(rests_on) else None


async def _undo(
    work: UnitOfWork, step: _Step, row: StatementCompletion, completion: Completion | None, reason: str
) -> None:
    """Take a completion back, and progress with it where nothing else tells of one."""
    await work.session.delete(row)
    await work.session.flush()
    if completion is None:
        return
    learner_id, course_id = completion.learner_id, completion.course_id
    await take_back(work, completion, reason, {"statements": row.rests_on})
    step.learners.add(learner_id)
    others = select(Completion.id).where(Completion.learner_id == learner_id, Completion.course_id == course_id)
    progress = select(CourseProgress.state).where(
        CourseProgress.learner_id == learner_id, CourseProgress.course_id == course_id
    )
    if (await work.session.scalars(others)).first() is None and (await work.session.scalars(progress)).first():
        words = "The completion was taken back: what the learning system told of it no longer stands."
        await correct_progress(work, learner_id, course_id, "in_progress", words)


async def _bring_up(
    work: UnitOfWork, step: _Step, row: StatementCompletion, completion: Completion | None, one: Finished
) -> None:
    """Correct a completion by what came later about the same occasion."""
    row.rests_on = [str(statement_id) for statement_id in one.rests_on]
    if completion is None:
        return
    if completion.completed_at != one.at:
        taken = select(Completion.id).where(
            Completion.learner_id == completion.learner_id,
            Completion.course_id == completion.course_id,
            Completion.source == completion.source,
            Completion.completed_at == one.at,
        )
        if (await work.session.scalars(taken)).first() is None:
            completion.completed_at = one.at
            step.learners.add(completion.learner_id)
    completion.minutes, completion.score = one.minutes, one.score
    completion.short_duration = is_short(one.minutes, step.minimum.get(one.course_id))
    await work.session.flush()


async def _record(work: UnitOfWork, step: _Step, new: Sequence[tuple[LearningAccount, Finished]]) -> None:
    """Make completions, and remember on which statements each rests."""
    made = []
    for account, one in new:
        assert account.learner_id is not None
        source = step.systems[account.learning_system_id].source
        short = is_short(one.minutes, step.minimum.get(one.course_id))
        made.append(
            NewCompletion(
                account.learner_id, one.course_id, one.at, source, one.minutes, one.score, None, short, None, None
            )
        )
    for (account, one), item, completion_id in zip(new, made, await record_each(work, made), strict=True):
        if completion_id is None:
            continue
        rests_on = [str(statement_id) for statement_id in one.rests_on]
        work.add(
            StatementCompletion(
                tenant_id=work.tenant_id, id=new_id(), account_id=account.id, course_id=one.course_id,
                occasion=one.occasion, completion_id=completion_id, rests_on=rests_on, created_at=work.now,
            )
        )  # fmt: skip
        after = {"learner": str(item.learner_id), "course": str(one.course_id), "statements": rests_on}
        work.record(Action.COMPLETION_TOLD, "completion", completion_id, after=after)
        step.learners.add(item.learner_id)
    await work.session.flush()
