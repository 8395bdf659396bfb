"""What is said of workplaces, workers and training for the ASC-WDS: by hand, or by the provider's own file."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employer, Employment
from app.training.asc_wds.models import (
    AscWdsCourse,
    AscWdsSettings,
    AscWdsTopic,
    AscWdsTrainingProvider,
    AscWdsWorker,
    AscWdsWorkplace,
    TrainingCategory,
)
from app.training.asc_wds.rules import E_LEARNING, EXTERNAL, FACE_TO_FACE, IN_HOUSE, OTHER_PROVIDER, faults_of_id
from app.training.asc_wds.worker_file import WorkerLine
from app.training.errors import TrainingRefusal
from app.training.models import Course, TrainingProvider
from app.training.requirements.finding import row_of, standing_learner
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

MOST_CODE = 9999


@dataclass(slots=True)
class Taken:
    """What became of the lines of a worker file, by count; `elsewhere`: workplaces of the file that are not known."""

    counts: Counter[str] = field(default_factory=Counter)
    elsewhere: list[str] = field(default_factory=list)


async def name_workplace(work: UnitOfWork, employer_id: UUID, local_id: str) -> None:
    """Say the LOCALESTID of an employer. Raises TrainingRefusal `NO_SUCH_EMPLOYER` or `INVALID_ID`."""
    plain = _sound(local_id, "local_id")
    await row_of(work, Employer, employer_id, "NO_SUCH_EMPLOYER", "employer")
    found = await work.session.scalars(select(AscWdsWorkplace).where(AscWdsWorkplace.employer_id == employer_id))
    row = found.one_or_none() or AscWdsWorkplace(tenant_id=work.tenant_id, id=new_id(), employer_id=employer_id)
    row.local_id, row.updated_at = plain, work.now
    work.add(row)
    _changed(work, "asc_wds_workplace", row.id, {"employer": str(employer_id)})


async def name_worker(work: UnitOfWork, employer_id: UUID, learner_id: UUID, unique_id: str) -> None:
    """Say the UNIQUEWORKERID of somebody who works for an employer.

    Raises TrainingRefusal `INVALID_ID`, `NO_SUCH_LEARNER`, `NOT_EMPLOYED` or `ID_TAKEN`.
    """
    plain = _sound(unique_id, "unique_id")
    learner_id = await _employed(work, employer_id, learner_id)
    rows = (
        await work.session.scalars(
            select(AscWdsWorker).where(AscWdsWorker.employer_id == employer_id).with_for_update()
        )
    ).all()
    holder = next((row for row in rows if row.unique_id == plain), None)
    own = next((row for row in rows if row.learner_id == learner_id), None)
    if holder is not None and holder.learner_id not in (None, learner_id):
        raise TrainingRefusal("ID_TAKEN", "Another worker of this workplace has this id. Check both.", "unique_id")
    if holder is not None and own is not None and holder is not own:
        await work.session.delete(own)
        await work.session.flush()
        own = None
    row = holder or own or AscWdsWorker(tenant_id=work.tenant_id, id=new_id(), employer_id=employer_id)
    row.unique_id, row.learner_id, row.display_id, row.updated_at = plain, learner_id, None, work.now
    work.add(row)
    await work.session.flush()
    _changed(work, "asc_wds_worker", row.id, {"learner": str(learner_id), "employer": str(employer_id)})


async def say_workers(work: UnitOfWork, chosen: Mapping[UUID, UUID], employers: Collection[UUID]) -> int:
    """Say who workers of a file are: learner by worker's row. How many were said.

    Raises TrainingRefusal `NO_SUCH_WORKER`, and as `name_worker`.
    """
    for worker_id, learner_id in sorted(chosen.items()):
        row = await row_of(work, AscWdsWorker, worker_id, "NO_SUCH_WORKER", "worker")
        if row.employer_id not in employers:
            raise TrainingRefusal("NO_SUCH_WORKER", "There is no such worker. Look at the list again.")
        await name_worker(work, row.employer_id, learner_id, row.unique_id)
    return len(chosen)


async def take_workers(work: UnitOfWork, employers: Collection[UUID], lines: Sequence[WorkerLine]) -> Taken:
    """Take the ids of a worker file in, for the workplaces of these employers.

    A changed id is followed by CHGUNIQUEWRKID, a record that moves by TRANSFERSTAFFRECORD, and one that is deleted
    goes. Who a new worker is, somebody has to say.
    """
    places = {
        row.local_id: row.employer_id
        for row in await work.session.scalars(
            select(AscWdsWorkplace).where(among(AscWdsWorkplace.employer_id, employers))
        )
    }
    rows = {
        (row.employer_id, row.unique_id): row
        for row in await work.session.scalars(
            select(AscWdsWorker).where(among(AscWdsWorker.employer_id, employers)).with_for_update()
        )
    }
    taken, seen = Taken(), set()
    for line in lines:
        employer_id = places.get(line.local_id)
        if employer_id is None:
            if line.local_id not in taken.elsewhere:
                taken.elsewhere.append(line.local_id)
            taken.counts["elsewhere"] += 1
        elif (employer_id, line.unique_id) in seen or faults_of_id(line.unique_id):
            taken.counts["faulty"] += 1
        else:
            seen.add((employer_id, line.unique_id))
            taken.counts[await _take(work, rows, places, employer_id, line)] += 1
    await work.session.flush()
    work.record(Action.ASC_WDS_WORKERS_READ, "asc_wds_worker", None, after=dict(taken.counts))
    return taken


_Rows = dict[tuple[UUID, str], AscWdsWorker]


async def _take(work: UnitOfWork, rows: _Rows, places: Mapping[str, UUID], employer_id: UUID, line: WorkerLine) -> str:
    """What became of a line, as a word to count by."""
    here = (employer_id, line.unique_id)
    target = (places.get(line.moves_to, employer_id), line.new_id or line.unique_id)
    if line.status == "DELETE" or (line.moves_to and line.moves_to not in places):
        # A record that goes to a workplace elsewhere is none of this provider's here any more.
        gone = rows.pop(here, None)
        if gone is not None:
            await work.session.delete(gone)
            await work.session.flush()
        return "removed"
    row = rows.get(here) or rows.get(target)
    if row is None:
        row = rows[target] = AscWdsWorker(
            tenant_id=work.tenant_id, id=new_id(), employer_id=target[0], unique_id=target[1], learner_id=None,
            display_id=line.display_id or None, updated_at=work.now,
        )  # fmt: skip
        work.add(row)
        await work.session.flush()
        return "new"
    if target != (row.employer_id, row.unique_id):
        if faults_of_id(target[1]) or target in rows or await _stands_there(work, row, target[0]):
            return "faulty"
        del rows[here]
        row.employer_id, row.unique_id, row.updated_at = *target, work.now
        rows[target] = row
        await work.session.flush()
        return "moved" if line.moves_to else "renamed"
    if row.learner_id is None:
        row.display_id = line.display_id or None
    return "known"


async def _stands_there(work: UnitOfWork, row: AscWdsWorker, employer_id: UUID) -> bool:
    """Whether the learner has another id at the workplace that the record would go to."""
    if row.learner_id is None or employer_id == row.employer_id:
        return False
    other = select(AscWdsWorker.id).where(
        AscWdsWorker.employer_id == employer_id, AscWdsWorker.learner_id == row.learner_id
    )
    return (await work.session.scalars(other)).first() is not None


async def say_category(work: UnitOfWork, code: int | None, *, course_id: UUID | None = None, topic: str = "") -> None:
    """Say the category of a course or of a topic; None: no other than it would have.

    Raises TrainingRefusal `UNKNOWN_CATEGORY`, `NO_SUCH_COURSE` or `NOTHING_NAMED`.
    """
    if code is not None and await work.session.get(TrainingCategory, code) is None:
        raise TrainingRefusal("UNKNOWN_CATEGORY", "Choose a category from the list.", "category")
    row: AscWdsCourse | AscWdsTopic | None
    if course_id is not None:
        await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "course")
        row = (await work.session.scalars(select(AscWdsCourse).where(AscWdsCourse.course_id == course_id))).first()
        row = row or AscWdsCourse(tenant_id=work.tenant_id, id=new_id(), course_id=course_id)
    elif topic:
        row = (await work.session.scalars(select(AscWdsTopic).where(AscWdsTopic.topic_code == topic))).first()
        row = row or AscWdsTopic(tenant_id=work.tenant_id, id=new_id(), topic_code=topic)
    else:
        raise TrainingRefusal("NOTHING_NAMED", "Choose a course or a topic.", "course")
    if code is not None:
        row.category_code = code
        work.add(row)
    elif row in work.session:
        await work.session.delete(row)
    await work.session.flush()
    _changed(work, "asc_wds_category", row.id, {"course": str(course_id or ""), "topic": topic, "category": code})


async def say_training_provider(work: UnitOfWork, training_provider_id: UUID, who: int, code: int | None) -> None:
    """Say who a training provider is to the ASC-WDS. Raises TrainingRefusal `NO_SUCH_PROVIDER` or `INVALID_CODE`."""
    await row_of(work, TrainingProvider, training_provider_id, "NO_SUCH_PROVIDER", "training provider", "provider")
    if who not in (IN_HOUSE, EXTERNAL):
        raise TrainingRefusal("INVALID_CODE", "Choose who delivers it.", "who")
    number = _code(code, "code")
    found = await work.session.scalars(
        select(AscWdsTrainingProvider).where(AscWdsTrainingProvider.training_provider_id == training_provider_id)
    )
    row = found.one_or_none() or AscWdsTrainingProvider(
        tenant_id=work.tenant_id, id=new_id(), training_provider_id=training_provider_id
    )
    row.who_delivered, row.provider_code = who, number
    work.add(row)
    after = {"training_provider": str(training_provider_id), "who": who, "code": number}
    _changed(work, "asc_wds_training_provider", row.id, after)


async def settings_here(work: UnitOfWork) -> AscWdsSettings:
    """The tenant's choices; as they are to begin with, where none were made."""
    row = await work.session.get(AscWdsSettings, (work.tenant_id, work.tenant_id))
    return row or AscWdsSettings(
        tenant_id=work.tenant_id, id=work.tenant_id, webinar_how=E_LEARNING, session_code=OTHER_PROVIDER
    )


async def change_settings(work: UnitOfWork, webinar_how: int, session_code: int | None) -> None:
    """Say what webinars are, and which code the tenant's own sessions have. Raises TrainingRefusal `INVALID_CODE`."""
    if webinar_how not in (FACE_TO_FACE, E_LEARNING):
        raise TrainingRefusal("INVALID_CODE", "Choose what webinars are.", "webinar_how")
    row = await settings_here(work)
    row.webinar_how, row.session_code = webinar_how, _code(session_code, "session_code")
    work.add(row)
    _changed(work, "asc_wds_settings", row.id, {"webinar_how": row.webinar_how, "session_code": row.session_code})


def note_export(work: UnitOfWork, employers: Collection[UUID], rows: int) -> None:
    """Have the trail tell that a file was made."""
    after = {"employers": sorted(map(str, employers)), "rows": rows}
    work.record(Action.ASC_WDS_EXPORTED, "employer", None, after=after)


def _code(code: int | None, name: str) -> int:
    if code is None:
        return OTHER_PROVIDER
    if not 1 <= code <= MOST_CODE:
        raise TrainingRefusal("INVALID_CODE", "Enter the code of the ASC-WDS’s list, such as 999 for other.", name)
    return code


def _sound(text: str, name: str) -> str:
    plain = text.strip()
    fault = faults_of_id(plain)
    if fault is not None:
        raise TrainingRefusal("INVALID_ID", fault, name)
    return plain


async def _employed(work: UnitOfWork, employer_id: UUID, learner_id: UUID) -> UUID:
    learner_id = await standing_learner(work, learner_id, "learner")
    spell = select(Employment.id).where(Employment.employer_id == employer_id, Employment.learner_id == learner_id)
    if (await work.session.scalars(spell)).first() is None:
        raise TrainingRefusal("NOT_EMPLOYED", "Choose somebody who works for this employer.", "learner")
    return learner_id


def _changed(work: UnitOfWork, subject: str, subject_id: UUID, after: dict[str, object]) -> None:
    work.record(Action.ASC_WDS_CHANGED, subject, subject_id, after=after)
