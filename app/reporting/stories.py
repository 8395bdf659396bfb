"""Success stories: written, consented to, approved by a second person; and the one query by which reports tell them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.directory.models import Learner
from app.reporting.content import Story
from app.reporting.models import SuccessStory
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, same_version, words
from tenants.audit import Action
from tenants.base import among
from tenants.clock import london_date
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

LONGEST_TEXT = 5_000


@dataclass(frozen=True, slots=True)
class Consent:
    """Who agreed to the telling, on which day, and where that is written."""

    given_by: str
    given_on: date
    document: str


async def tellable(session: AsyncSession, ids: Iterable[UUID] | None = None) -> list[Story]:
    """Stories that may leave the tenant now: approved, with a consent that was recorded and not withdrawn.

    The only query by which any report, in any form, gets at the words of a story.
    """
    listed = select(SuccessStory).where(
        SuccessStory.state == "approved",
        SuccessStory.approved_at.is_not(None),
        SuccessStory.consent_recorded_at.is_not(None),
        SuccessStory.consent_withdrawn_at.is_(None),
    )
    if ids is not None:
        listed = listed.where(among(SuccessStory.id, ids))
    rows = await session.scalars(listed.order_by(SuccessStory.created_at, SuccessStory.id))
    return [Story(row.id, row.title, row.text) for row in rows]


async def write_story(work: UnitOfWork, title: str, text: str, learner_id: UUID | None) -> UUID:
    """Write a story down. Raises TrainingRefusal `TEXT_MISSING`, `TEXT_TOO_LONG` or `NO_SUCH_LEARNER`."""
    author = _person(work)
    given = await _checked(work, title, text, learner_id)
    row = SuccessStory(
        tenant_id=work.tenant_id,
        id=new_id(),
        title=given[0],
        text=given[1],
        learner_id=learner_id,
        state="draft",
        written_by=author,
        version=1,
        created_at=work.now,
    )
    work.add(row)
    await work.session.flush()
    work.record(Action.STORY_WRITTEN, "success_story", row.id)
    return row.id


async def change_story(work: UnitOfWork, story_id: UUID, version: int, title: str, text: str) -> None:
    """Change a draft; a consent to the former words does not count for the new ones.

    Raises TrainingRefusal as `write_story`, `NO_SUCH_STORY`, `CHANGED_MEANWHILE` or `NO_DRAFT`.
    """
    row = await _story(work, story_id, version)
    if row.state != "draft":
        raise TrainingRefusal("NO_DRAFT", "Only a draft can be changed. Write a new story.", "text")
    row.title, row.text = await _checked(work, title, text, row.learner_id)
    row.consent_given_by = row.consent_given_on = row.consent_document = None
    row.consent_recorded_by = row.consent_recorded_at = None
    row.written_by = _person(work)
    _changed(work, row, Action.STORY_CHANGED)


async def record_consent(work: UnitOfWork, story_id: UUID, version: int, consent: Consent) -> None:
    """Record that somebody agreed. Raises TrainingRefusal `NO_SUCH_STORY`, `CHANGED_MEANWHILE`, `TEXT_MISSING`,
    `DAY_TO_COME` or `STORY_WITHDRAWN`."""
    row = await _story(work, story_id, version)
    if row.state == "withdrawn":
        raise TrainingRefusal("STORY_WITHDRAWN", "The consent was withdrawn. Write a new story to ask again.")
    if consent.given_on > london_date(work.now):
        raise TrainingRefusal("DAY_TO_COME", "Enter the day on which consent was given, not a day to come.", "givenOn")
    row.consent_given_by = words(consent.given_by, "givenBy", "who gave consent")
    row.consent_document = words(consent.document, "document", "where the consent is written")
    row.consent_given_on = consent.given_on
    row.consent_recorded_by, row.consent_recorded_at = _person(work), work.now
    _changed(work, row, Action.STORY_CONSENT_RECORDED)


async def approve_story(work: UnitOfWork, story_id: UUID, version: int) -> None:
    """Let reports tell it. Raises TrainingRefusal `NO_SUCH_STORY`, `CHANGED_MEANWHILE`, `NO_DRAFT`, `CONSENT_MISSING`
    or `SECOND_PERSON_NEEDED`."""
    row, person = await _story(work, story_id, version), _person(work)
    if row.state != "draft":
        raise TrainingRefusal("NO_DRAFT", "Only a draft can be approved.")
    if row.consent_recorded_at is None:
        raise TrainingRefusal("CONSENT_MISSING", "Record the consent of whom the story is about first.", "givenBy")
    if row.written_by == person:
        raise TrainingRefusal("SECOND_PERSON_NEEDED", "You wrote it. Ask a colleague to read and approve it.")
    row.state, row.approved_by, row.approved_at = "approved", person, work.now
    _changed(work, row, Action.STORY_APPROVED)


async def withdraw_consent(work: UnitOfWork, story_id: UUID, version: int) -> None:
    """From now on nothing tells it, not even reports made before. Raises TrainingRefusal `NO_SUCH_STORY` or
    `CHANGED_MEANWHILE`."""
    row = await _story(work, story_id, version)
    row.state, row.consent_withdrawn_at = "withdrawn", work.now
    _changed(work, row, Action.STORY_CONSENT_WITHDRAWN)


def _changed(work: UnitOfWork, row: SuccessStory, action: Action) -> None:
    row.version += 1
    work.record(action, "success_story", row.id)


async def _story(work: UnitOfWork, story_id: UUID, version: int) -> SuccessStory:
    row = await found(work, SuccessStory, story_id, "story", lock=True)
    same_version(row.version, version, "story")
    return row


def _person(work: UnitOfWork) -> UUID:
    if work.context.actor_id is None:
        raise TrainingRefusal("NOBODY_THERE", "A story is written and approved by a person.")
    return work.context.actor_id


async def _checked(work: UnitOfWork, title: str, text: str, learner_id: UUID | None) -> tuple[str, str]:
    if learner_id is not None:
        await found(work, Learner, learner_id, "learner", "learner")
    plain = text.strip()
    if not plain:
        raise TrainingRefusal("TEXT_MISSING", "Enter what there is to tell.", "text")
    if len(plain) > LONGEST_TEXT:
        raise TrainingRefusal("TEXT_TOO_LONG", f"Use at most {LONGEST_TEXT:,} characters.", "text")
    return words(title, "title", "a title", 200), plain
