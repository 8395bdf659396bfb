"""Feedback that leads to changes: what a theme cites, what a form asked about, and what was changed because of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.governance.models import ChangeTheme, ContentChange, FeedbackSubject, GovernanceItem, ThemeResponse
from app.governance.rules import exactly_one
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, words
from app.training.models import Course, FeedbackForm, FeedbackResponse, TrainingSession
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork


async def cite(work: UnitOfWork, theme_id: UUID, response_ids: Sequence[UUID]) -> int:
    """Say which responses speak of a theme; how many are new.

    Raises TrainingRefusal `NO_SUCH_THEME`, `NO_THEME`, `NO_SUCH_RESPONSE` or `NOTHING_CITED`.
    """
    await _theme(work, theme_id, lock=True)
    asked = list(dict.fromkeys(response_ids))
    if not asked:
        raise TrainingRefusal("NOTHING_CITED", "Choose at least one response to cite.", "responses")
    there = set(await work.session.scalars(select(FeedbackResponse.id).where(FeedbackResponse.id.in_(asked))))
    if there != set(asked):
        raise TrainingRefusal("NO_SUCH_RESPONSE", "There is no such response. Choose from the form's.", "responses")
    known = set(await work.session.scalars(select(ThemeResponse.response_id).where(ThemeResponse.theme_id == theme_id)))
    new = [response_id for response_id in asked if response_id not in known]
    for response_id in new:
        work.add(
            ThemeResponse(
                tenant_id=work.tenant_id, id=new_id(), theme_id=theme_id, response_id=response_id, cited_at=work.now
            )
        )
    if new:
        work.record(Action.FEEDBACK_CITED, "governance_item", theme_id, after={"cited": len(new)})
    return len(new)


async def tell_subject(
    work: UnitOfWork, form_id: UUID, *, course_id: UUID | None = None, session_id: UUID | None = None
) -> UUID:
    """Say which course or session a form asked about; told again, the later one holds. The form's id.

    Raises TrainingRefusal `NO_SUCH_FEEDBACK_FORM`, `NAME_ONE`, `NO_SUCH_COURSE` or `NO_SUCH_SESSION`.
    """
    await found(work, FeedbackForm, form_id, "feedback form", "form", lock=True)
    await _subject(work, course_id, session_id)
    kept = select(FeedbackSubject).where(FeedbackSubject.form_id == form_id)
    subject = (await work.session.scalars(kept)).first()
    if subject is None:
        subject = FeedbackSubject(tenant_id=work.tenant_id, id=new_id(), form_id=form_id)
        work.add(subject)
    subject.course_id, subject.session_id = course_id, session_id
    after = {"course_id": course_id and str(course_id), "session_id": session_id and str(session_id)}
    work.record(Action.FEEDBACK_SUBJECT_TOLD, "feedback_form", form_id, after=after)
    return form_id


async def change_content(
    work: UnitOfWork,
    description: str,
    changed_on: date,
    theme_ids: Sequence[UUID],
    *,
    course_id: UUID | None = None,
    session_id: UUID | None = None,
) -> UUID:
    """Log what was changed in a course or session, and the themes of feedback that led to it.

    Raises TrainingRefusal `TEXT_MISSING`, `NAME_ONE`, `NO_SUCH_…`, `THEME_MISSING` or `NO_THEME`.
    """
    await _subject(work, course_id, session_id)
    themes = list(dict.fromkeys(theme_ids))
    if not themes:
        raise TrainingRefusal("THEME_MISSING", "Name at least one theme of feedback that led to the change.", "themes")
    for theme_id in themes:
        await _theme(work, theme_id, "themes")
    change = ContentChange(
        tenant_id=work.tenant_id,
        id=new_id(),
        course_id=course_id,
        session_id=session_id,
        description=words(description, "description", "what was changed", 2000),
        changed_on=changed_on,
        created_at=work.now,
    )
    work.add(change)
    await work.session.flush()
    for theme_id in themes:
        work.add(ChangeTheme(tenant_id=work.tenant_id, id=new_id(), change_id=change.id, theme_id=theme_id))
    after = {"themes": [str(theme_id) for theme_id in themes], "changed_on": changed_on.isoformat()}
    work.record(Action.CONTENT_CHANGED, "content_change", change.id, after=after)
    return change.id


async def _subject(work: UnitOfWork, course_id: UUID | None, session_id: UUID | None) -> None:
    exactly_one({"course": course_id, "session": session_id}, "Name one course or session.")
    if course_id is not None:
        await found(work, Course, course_id, "course", "course")
    if session_id is not None:
        await found(work, TrainingSession, session_id, "session", "session")


async def _theme(work: UnitOfWork, theme_id: UUID, field: str = "theme", *, lock: bool = False) -> None:
    item = await found(work, GovernanceItem, theme_id, "theme", field, lock=lock)
    if item.kind != "feedback_theme":
        raise TrainingRefusal("NO_THEME", "Choose an item that is a theme of feedback.", field)
