"""Which activities are which course: said by a person, or read from a course structure of cmi5."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.directory.placement import lock_register
from app.training.elearning.checks import iri as check_iri
from app.training.elearning.errors import Malformed
from app.training.elearning.models import LearningActivity
from app.training.elearning.reopening import reopen_about
from app.training.elearning.structure import LONGEST_TITLE, MOVE_ON, Part
from app.training.errors import TrainingRefusal
from app.training.models import Course
from app.training.requirements.finding import row_of
from tenants.audit import Action
from tenants.base import among
from tenants.identifiers import new_id
from tenants.outbox import Topic
from tenants.session import UnitOfWork

KINDS = ("course", "block", "au", "activity")
FINISHES = ("satisfied", "move_on", "never")


@dataclass(frozen=True, slots=True)
class Link:
    """An activity as a course or a part of it; fields as in `LearningActivity`."""

    iri: str
    course_id: UUID
    kind: str = "activity"
    title: str = ""
    finishes: str = "move_on"
    move_on: str = "CompletedOrPassed"


async def link_activity(work: UnitOfWork, link: Link) -> UUID:
    """Say which course an activity is; what was kept about it counts accordingly.

    Raises TrainingRefusal `INVALID_IRI`, `UNKNOWN_CHOICE`, `NO_SUCH_COURSE` or `COURSE_MERGED`.
    """
    try:
        check_iri(link.iri, "iri")
    except Malformed as error:
        message = "Enter the activity's IRI as the statements name it, such as https://lms.example/courses/1."
        raise TrainingRefusal("INVALID_IRI", message, "iri") from error
    for value, allowed, name in (
        (link.kind, KINDS, "kind"), (link.finishes, FINISHES, "finishes"), (link.move_on, MOVE_ON, "move_on"),
    ):  # fmt: skip
        if value not in allowed:
            raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(allowed)}.", name)
    await _course(work, link.course_id)
    (made,) = await _write(work, [link])
    return made


async def take_structure(work: UnitOfWork, course_id: UUID, parts: list[Part]) -> int:
    """Make the activities of a course structure; how many. The course is finished when it is said to be satisfied.

    Raises TrainingRefusal `NO_SUCH_COURSE`, `COURSE_MERGED` or `OTHER_COURSE`.
    """
    await _course(work, course_id)
    elsewhere = select(LearningActivity.iri).where(
        among(LearningActivity.iri, [part.iri for part in parts]), LearningActivity.course_id != course_id
    )
    other = (await work.session.scalars(elsewhere)).first()
    if other is not None:
        message = f"{other[:200]} belongs to another course already. Link it to this one first, if it is the same."
        raise TrainingRefusal("OTHER_COURSE", message, "file")
    links = [
        Link(
            part.iri, course_id, part.kind, part.title, "satisfied" if part.kind == "course" else "never", part.move_on
        )
        for part in parts
    ]
    return len(await _write(work, links))


async def unlink_activity(work: UnitOfWork, activity_id: UUID) -> None:
    """The activity is of no course here. Completions that rest on it alone are taken back by a worker.

    Raises TrainingRefusal `NO_SUCH_ACTIVITY`.
    """
    await lock_register(work)
    row = await row_of(work, LearningActivity, activity_id, "NO_SUCH_ACTIVITY", "activity")
    await work.session.delete(row)
    await work.session.flush()
    await reopen_about(work, [row.iri])
    work.record(Action.LEARNING_ACTIVITY_UNLINKED, "learning_activity", row.id, before={"course": str(row.course_id)})
    work.emit(Topic.STATEMENTS_DERIVE, f"unlinked:{row.id}")


async def _course(work: UnitOfWork, course_id: UUID) -> None:
    course = await row_of(work, Course, course_id, "NO_SUCH_COURSE", "course", "course")
    if course.status == "merged":
        message = "This course was merged into another. Choose the course that was kept."
        raise TrainingRefusal("COURSE_MERGED", message, "course")


async def _write(work: UnitOfWork, links: list[Link]) -> list[UUID]:
    # Whoever takes in the meaning of statements holds this too: what they read without the links is opened again.
    await lock_register(work)
    present = {
        row.iri: row
        for row in await work.session.scalars(
            select(LearningActivity).where(among(LearningActivity.iri, [link.iri for link in links])).with_for_update()
        )
    }
    made = []
    for link in links:
        row = present.get(link.iri)
        before = None if row is None else {"course": str(row.course_id), "finishes": row.finishes}
        if row is None:
            row = LearningActivity(tenant_id=work.tenant_id, id=new_id(), iri=link.iri, created_at=work.now)
            work.add(row)
        title = " ".join(link.title.split())[:LONGEST_TITLE] or row.title or link.iri[:LONGEST_TITLE]
        row.kind, row.title, row.course_id = link.kind, title, link.course_id
        row.finishes, row.move_on = link.finishes, link.move_on
        after = {"course": str(link.course_id), "finishes": link.finishes, "move_on": link.move_on}
        work.record(Action.LEARNING_ACTIVITY_LINKED, "learning_activity", row.id, before=before, after=after)
        made.append(row.id)
    await work.session.flush()
    await reopen_about(work, [link.iri for link in links])
    work.emit(Topic.STATEMENTS_DERIVE, f"linked:{work.context.request_id}")
    return made
