"""Progress in completions files: of learners and courses that are known; an enrolment alone makes neither."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, select

from app.directory.models import LearnerIdentifier
from app.directory.rules import candidate
from app.imports.appliers.base import ApplyContext
from app.imports.formats.base import NotCompleted
from app.imports.people import source_of
from app.training.courses import text_key
from app.training.models import Course, TrainingProvider
from app.training.requirements.progress import ProgressTold, followed, record_progress
from tenants.base import among
from tenants.session import UnitOfWork


async def record_unfinished(work: UnitOfWork, context: ApplyContext, rows: Sequence[NotCompleted]) -> int:
    """Keep how far known learners have come with known courses; how many states changed."""
    told = [row for row in rows if row.course_title and row.training_provider and (row.account or row.email)]
    if not told:
        return 0
    source = source_of(context.options)
    people = [candidate(source=source, account=row.account, email=row.email) for row in told]
    learners = await _learners(work, {value for who in people for value in (who.account, who.email) if value})
    courses = await _courses(work, {text_key(row.course_title or "") for row in told})
    found = []
    for row, who in zip(told, people, strict=True):
        learner_id = learners.get(who.account or "") or learners.get(who.email or "")
        key = (text_key(row.training_provider or ""), text_key(row.course_title or ""), row.course_version)
        if learner_id is not None and key in courses:
            found.append(ProgressTold(learner_id, courses[key], row.state, work.now, source))
    return await record_progress(work, found) if found else 0


async def record_finished(work: UnitOfWork, pairs: Sequence[tuple[UUID, UUID]], source: str) -> int:
    """Bring kept progress up to a completion; where none is kept, the completion tells enough."""
    kept = await followed(work, pairs)
    told = [
        ProgressTold(learner_id, course_id, "completed", work.now, source) for learner_id, course_id in sorted(kept)
    ]
    return await record_progress(work, told) if told else 0


async def _learners(work: UnitOfWork, values: set[str]) -> dict[str, UUID]:
    """Whom an account or an address points to, where it points to one person."""
    held: dict[str, set[UUID]] = defaultdict(set)
    rows = await work.session.execute(
        select(LearnerIdentifier.value, LearnerIdentifier.learner_id).where(
            among(LearnerIdentifier.value, values), LearnerIdentifier.shared.is_(False)
        )
    )
    for value, learner_id in rows:
        held[value].add(learner_id)
    return {value: next(iter(ids)) for value, ids in held.items() if len(ids) == 1}


async def _courses(work: UnitOfWork, titles: set[str]) -> dict[tuple[str, str, str], UUID]:
    rows = await work.session.execute(
        select(TrainingProvider.key, Course.title_key, Course.version, Course.id)
        .join(
            TrainingProvider,
            and_(TrainingProvider.tenant_id == Course.tenant_id, TrainingProvider.id == Course.training_provider_id),
        )
        .where(among(Course.title_key, titles))
    )
    return {(provider, title, version): course_id for provider, title, version, course_id in rows}
