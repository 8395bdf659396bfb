"""Mutations of courses: what they are, who vouches for them, who reaches them, and which are one."""

from datetime import date
from typing import Annotated, Any

import strawberry

from app.training.mapping import course_merging, inventory
from medstead_graphql.caller import Caller
from medstead_graphql.compiler.listing import snake
from medstead_graphql.mutations.mapping_payload import WRITE, MappingRefused, key, optional_key, typed, word
from medstead_graphql.mutations.payload import Payload, command, success
from medstead_graphql.types.courses import CourseAccess, CourseAccreditation, CourseMerge
from medstead_graphql.types.mapping_words import AccessKind, CourseDeliveryMode, CourseScope, CourseStatus
from medstead_graphql.types.training import Course
from tenants.session import UnitOfWork


@strawberry.type(description="The course is as asked.")
class CourseChanged:
    """Success of createCourse, updateCourse and removeCourseAccess."""

    course: Course


@strawberry.type(description="The accreditation is known.")
class CourseAccredited:
    """Success of accreditCourse."""

    accreditation: CourseAccreditation


@strawberry.type(description="The way to the course is known.")
class CourseAccessAdded:
    """Success of addCourseAccess."""

    access: CourseAccess


@strawberry.type(description="Completions and all else stand with the kept course now.")
class CoursesMerged:
    """Success of mergeCourses."""

    course: Course
    merge: CourseMerge


@strawberry.type(description="What changed hands was given back.")
class CourseMergeUndone:
    """Success of undoCourseMerge."""

    merge: CourseMerge


CourseResult = Annotated[CourseChanged | MappingRefused, strawberry.union("CourseResult")]
AccreditCourseResult = Annotated[CourseAccredited | MappingRefused, strawberry.union("AccreditCourseResult")]
AddCourseAccessResult = Annotated[CourseAccessAdded | MappingRefused, strawberry.union("AddCourseAccessResult")]
MergeCoursesResult = Annotated[CoursesMerged | MappingRefused, strawberry.union("MergeCoursesResult")]
UndoCourseMergeResult = Annotated[CourseMergeUndone | MappingRefused, strawberry.union("UndoCourseMergeResult")]


@strawberry.input(description="A course is its training provider, title and version.")
class NewCourseInput:
    """A course to be made."""

    training_provider: str
    title: str
    course_version: str | None = None


@strawberry.input(description="What is left out stays; null empties. `version` is the `revision` that you read.")
class CourseChange:
    """A course to be changed."""

    id: strawberry.ID
    version: int
    tier: strawberry.ID | None = strawberry.UNSET
    scope: CourseScope | None = strawberry.UNSET
    delivery_mode: CourseDeliveryMode | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    expected_minutes_min: int | None = strawberry.UNSET
    expected_minutes_max: int | None = strawberry.UNSET
    assessment: str | None = strawberry.UNSET
    certificate_required: bool | None = strawberry.UNSET
    author_profession: str | None = strawberry.UNSET
    languages: list[str] | None = strawberry.UNSET
    access_kind: AccessKind | None = strawberry.UNSET
    accessibility_notes: str | None = strawberry.UNSET
    url: str | None = strawberry.UNSET
    review_on: date | None = strawberry.UNSET
    status: CourseStatus | None = strawberry.UNSET


@strawberry.input(description="Who vouches for a course, from the first to the last day.")
class AccreditationInput:
    """An accreditation to be added."""

    course: strawberry.ID
    awarding_body: str
    reference: str
    level: str | None = None
    valid_from: date
    valid_to: date | None = None


@strawberry.input(description="A way to a course. What is left out does not limit it.")
class CourseAccessInput:
    """A way to be added."""

    course: strawberry.ID
    kind: AccessKind
    employer: strawberry.ID | None = None
    local_authority: str | None = None
    language: str | None = None


async def _create(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    version = given.get("courseVersion") or ""
    return success(
        "CourseChanged",
        {"course": await inventory.create_course(work, given["trainingProvider"], given["title"], version)},
    )


async def _update(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    course_id = key(given, "id", "Course")
    changes = {snake(name): word(value) for name, value in given.items() if name not in ("id", "version", "tier")}
    if "tier" in given:
        changes["tier_id"] = optional_key(given, "tier", "Tier")
    await inventory.change_course(work, course_id, version=given["version"], given=changes)
    return success("CourseChanged", {"course": course_id})


async def _accredit(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    accreditation_id = await inventory.accredit_course(
        work,
        key(given, "course", "Course"),
        awarding_body=given["awardingBody"],
        reference=given["reference"],
        level=given.get("level"),
        valid_from=given["validFrom"],
        valid_to=given.get("validTo"),
    )
    return success("CourseAccredited", {"accreditation": accreditation_id})


async def _add_access(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    given = arguments["input"]
    access = inventory.Access(
        word(given["kind"]),
        optional_key(given, "employer", "Employer"),
        given.get("localAuthority"),
        given.get("language"),
    )
    return success(
        "CourseAccessAdded", {"access": await inventory.add_access(work, key(given, "course", "Course"), access)}
    )


async def _remove_access(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    course_id = await inventory.remove_access(work, key(arguments, "id", "CourseAccess"))
    return success("CourseChanged", {"course": course_id})


async def _merge(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    kept, merged = key(arguments, "keep", "Course"), key(arguments, "merge", "Course")
    merge_id = await course_merging.merge_courses(work, kept, merged, arguments["reason"])
    return success("CoursesMerged", {"course": kept, "merge": merge_id})


async def _undo(work: UnitOfWork, _: Caller, arguments: dict[str, Any]) -> Payload:
    merge_id = key(arguments, "id", "CourseMerge")
    await course_merging.undo_course_merge(work, merge_id)
    return success("CourseMergeUndone", {"merge": merge_id})


@strawberry.type
class CourseMutations:
    """Mutations of courses."""

    create_course: CourseResult | None = command(
        typed(_create), WRITE, {"input": NewCourseInput}, description="Add a course that no file has named yet."
    )
    update_course: CourseResult | None = command(
        typed(_update), WRITE, {"input": CourseChange}, description="Change what is told of a course."
    )
    accredit_course: AccreditCourseResult | None = command(
        typed(_accredit), WRITE, {"input": AccreditationInput}, description="Say who vouches for a course."
    )
    add_course_access: AddCourseAccessResult | None = command(
        typed(_add_access), WRITE, {"input": CourseAccessInput}, description="Say who can reach a course."
    )
    remove_course_access: CourseResult | None = command(
        typed(_remove_access), WRITE, {"id": strawberry.ID}, description="Take a way to a course away."
    )
    merge_courses: MergeCoursesResult | None = command(
        typed(_merge),
        WRITE,
        {"keep": strawberry.ID, "merge": strawberry.ID, "reason": str},
        description="Two entries are one course: give everything of `merge` to `keep`. It can be undone.",
    )
    undo_course_merge: UndoCourseMergeResult | None = command(
        typed(_undo), WRITE, {"id": strawberry.ID}, description="Two entries were two courses after all."
    )
