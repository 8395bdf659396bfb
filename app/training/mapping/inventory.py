"""The inventory of courses: what each is, who vouches for it, and who can reach it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from app.directory.models import Employer
from app.training.courses import CourseInFile, place_courses
from app.training.errors import TrainingRefusal
from app.training.mapping.finding import found, one_of, optional_words, same_version, told, words
from app.training.mapping.models import CourseAccess, CourseAccreditation
from app.training.models import Course, Tier
from tenants.audit import Action
from tenants.identifiers import new_id
from tenants.session import UnitOfWork

SCOPES = ("national", "local", "provider_internal")
DELIVERY_MODES = ("e_learning", "webinar", "face_to_face", "practical", "blended")
ACCESS_KINDS = ("free", "licensed", "local_venue")
LONGEST_MINUTES = 100 * 60

TEXTS = {
    "assessment": "how it is assessed",
    "author_profession": "the author's profession",
    "accessibility_notes": "the notes on accessibility",
}
CHOICES = {"scope": SCOPES, "delivery_mode": DELIVERY_MODES, "access_kind": ACCESS_KINDS}
MINUTES = ("duration_minutes", "expected_minutes_min", "expected_minutes_max")
TOLD = (*CHOICES, *MINUTES, "certificate_required", "languages", "url", "review_on", "status", "tier_id")


@dataclass(frozen=True, slots=True)
class Access:
    """A way to a course; None: any employer, any local authority, any language."""

    kind: str
    employer_id: UUID | None = None
    local_authority: str | None = None
    language: str | None = None


async def create_course(work: UnitOfWork, training_provider: str, title: str, version: str) -> UUID:
    """A course that no file has named yet. Raises TrainingRefusal `COURSE_EXISTS` or `TEXT_MISSING`."""
    item = CourseInFile(
        words(training_provider, "trainingProvider", "the training provider's name"),
        words(title, "title", "the course's title"),
        optional_words(version, "courseVersion", "the version", 100) or "",
    )
    course_id = (await place_courses(work, [item], None))[item].id
    course = await found(work, Course, course_id, "course")
    if course.created_at != work.now:
        raise TrainingRefusal(
            "COURSE_EXISTS", "This provider has a course of that title and version already. Change that one.", "title"
        )
    work.record(Action.COURSE_CREATED, "course", course_id, after={"title": item.title, "version": item.version})
    return course_id


async def change_course(work: UnitOfWork, course_id: UUID, *, version: int, given: Mapping[str, Any]) -> None:
    """Change the columns that are `given`; the others stay. `version` is the revision that was read.

    Raises TrainingRefusal `NO_SUCH_COURSE`, `CHANGED_MEANWHILE`, `COURSE_MERGED`, `UNKNOWN_CHOICE`, `INVALID_MINUTES`,
    `INVALID_URL`, `NO_SUCH_TIER` or `TEXT_TOO_LONG`.
    """
    course = await found(work, Course, course_id, "course", lock=True)
    same_version(course.revision, version, "course")
    if course.status == "merged":
        raise TrainingRefusal(
            "COURSE_MERGED", "This course was merged into another. Change that one, or undo the merge."
        )
    before = told(course, *TOLD)
    for name, value in given.items():
        setattr(course, name, await _checked(work, name, value))
    low, high = course.expected_minutes_min, course.expected_minutes_max
    if low is not None and high is not None and high < low:
        raise TrainingRefusal("INVALID_MINUTES", "The longest time is below the shortest.", "expectedMinutesMax")
    course.revision += 1
    work.record(Action.COURSE_CHANGED, "course", course_id, before=before, after=told(course, *TOLD))


async def _checked(work: UnitOfWork, name: str, value: Any) -> Any:
    field = "".join(word if at == 0 else word.capitalize() for at, word in enumerate(name.split("_")))
    if name in CHOICES:
        return one_of(value, CHOICES[name], field)
    if name == "status":
        return one_of(value, ("active", "retired"), field) or "active"
    if name in MINUTES:
        if value is not None and not 0 < value <= LONGEST_MINUTES:
            raise TrainingRefusal("INVALID_MINUTES", f"Enter minutes from 1 to {LONGEST_MINUTES}.", field)
        return value
    if name in TEXTS:
        return optional_words(value, field, TEXTS[name])
    if name == "languages":
        return sorted({words(language, field, "a language", 60) for language in value or ()})
    if name == "url":
        return _address(value)
    if name == "tier_id" and value is not None:
        return (await found(work, Tier, value, "tier", field)).id
    return value


def _address(value: str | None) -> str | None:
    if not value or not value.strip():
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or len(value) > 1000:
        raise TrainingRefusal("INVALID_URL", "Enter a web address that begins with https://", "url")
    return value.strip()


async def accredit_course(
    work: UnitOfWork,
    course_id: UUID,
    *,
    awarding_body: str,
    reference: str,
    level: str | None,
    valid_from: date,
    valid_to: date | None,
) -> UUID:
    """Say who vouches for the course, from the first to the last day.

    Raises TrainingRefusal `NO_SUCH_COURSE`, `INVALID_DATES`, `TEXT_MISSING` or `ACCREDITED_ALREADY`.
    """
    await found(work, Course, course_id, "course", "course", lock=True)
    if valid_to is not None and valid_to < valid_from:
        raise TrainingRefusal("INVALID_DATES", "The last day is before the first.", "validTo")
    row = CourseAccreditation(
        tenant_id=work.tenant_id,
        id=new_id(),
        course_id=course_id,
        awarding_body=words(awarding_body, "awardingBody", "the awarding body"),
        reference=words(reference, "reference", "the reference of the accreditation"),
        level=optional_words(level, "level", "the level", 100),
        valid_from=valid_from,
        valid_to=valid_to,
    )
    same = select(CourseAccreditation.id).where(
        CourseAccreditation.course_id == course_id,
        CourseAccreditation.awarding_body == row.awarding_body,
        CourseAccreditation.reference == row.reference,
        CourseAccreditation.valid_from == valid_from,
    )
    if (await work.session.scalars(same)).first() is not None:
        raise TrainingRefusal("ACCREDITED_ALREADY", "That accreditation is known already. Nothing was added.")
    work.add(row)
    columns = ("awarding_body", "reference", "level", "valid_from", "valid_to")
    work.record(Action.COURSE_ACCREDITED, "course", course_id, after=told(row, *columns))
    return row.id


async def add_access(work: UnitOfWork, course_id: UUID, access: Access) -> UUID:
    """Say who can reach the course. Raises TrainingRefusal `NO_SUCH_COURSE`, `NO_SUCH_EMPLOYER`, `UNKNOWN_CHOICE`,
    `EMPLOYER_MISSING`, `AUTHORITY_MISSING` or `ACCESS_KNOWN`."""
    await found(work, Course, course_id, "course", "course", lock=True)
    kind = one_of(access.kind, ACCESS_KINDS, "kind")
    if kind is None:
        raise TrainingRefusal("UNKNOWN_CHOICE", f"Choose one of {', '.join(ACCESS_KINDS)}.", "kind")
    if access.employer_id is not None:
        await found(work, Employer, access.employer_id, "employer", "employer")
    authority = optional_words(access.local_authority, "localAuthority", "the local authority", 200)
    if kind == "licensed" and access.employer_id is None and authority is None:
        raise TrainingRefusal("EMPLOYER_MISSING", "Say which employer or area holds the licence.", "employer")
    if kind == "local_venue" and authority is None:
        raise TrainingRefusal("AUTHORITY_MISSING", "Say in which local authority the venue is.", "localAuthority")
    row = CourseAccess(
        tenant_id=work.tenant_id,
        id=new_id(),
        course_id=course_id,
        kind=kind,
        employer_id=access.employer_id,
        local_authority=authority,
        language=optional_words(access.language, "language", "the language", 60),
    )
    known = select(CourseAccess).where(CourseAccess.course_id == course_id)
    columns = ("kind", "employer_id", "local_authority", "language")
    if any(told(other, *columns) == told(row, *columns) for other in await work.session.scalars(known)):
        raise TrainingRefusal("ACCESS_KNOWN", "That is known already. Nothing was added.")
    work.add(row)
    work.record(Action.COURSE_ACCESS_ADDED, "course", course_id, after=told(row, *columns))
    return row.id


async def remove_access(work: UnitOfWork, access_id: UUID) -> UUID:
    """Take a way to a course away; gives the course. Raises TrainingRefusal `NO_SUCH_COURSE_ACCESS`."""
    row = await found(work, CourseAccess, access_id, "course access", lock=True)
    before = told(row, "kind", "employer_id", "local_authority", "language")
    await work.session.delete(row)
    work.record(Action.COURSE_ACCESS_REMOVED, "course", row.course_id, before=before)
    return row.course_id
