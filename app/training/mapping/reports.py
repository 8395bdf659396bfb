"""Reports of the mapping as SQL, each of one tenant: courses in use, who can reach what, evidence for a regulation.

A mapping that reports rest on is the latest locked exercise, or the latest draft while none is locked.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    ScalarSelect,
    Select,
    Text,
    and_,
    case,
    cast,
    distinct,
    func,
    or_,
    select,
)

from app.directory.models import CqcLocation, Employer, Employment, Learner, TenantLocation
from app.training.mapping.models import (
    CourseAccess,
    GuidanceClause,
    GuidanceDocument,
    MappingCell,
    MappingExercise,
    Topic,
    TopicReference,
)
from app.training.models import Completion, Course, Tier, TrainingProvider
from tenants.base import among, table_of

Clause = ColumnElement[Any]

COVERING = ("full", "partial")
MOST_EMPLOYERS = 5000
"""Rows of the list of access at most."""


def _tables(*models: Any) -> list[Any]:
    return [table_of(model).alias() for model in models]


def basis(tenant: Clause) -> ScalarSelect[Any]:
    """The exercise that reports rest on."""
    (exercise,) = _tables(MappingExercise)
    return (
        select(exercise.c.id)
        .where(exercise.c.tenant_id == tenant)
        .order_by((exercise.c.status == "locked").desc(), exercise.c.exercised_on.desc(), exercise.c.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )


def _day_of(moment: Clause) -> Clause:
    return cast(func.timezone("Europe/London", moment), Date())


def _employed_on(employment: Any, day: Clause) -> ColumnElement[bool]:
    return and_(employment.c.started_on <= day, or_(employment.c.ended_on.is_(None), employment.c.ended_on >= day))


def today() -> Clause:
    """The day in England by the database's clock."""
    return _day_of(func.now())


def courses_in_use(tenant: Clause) -> Select[Any]:
    """Courses with completions, the most used first: what they are, their topics, learners and the employers relying.

    An employer relies on a course that somebody completed while employed there.
    """
    course, provider, tier, completion, employment, cell = _tables(
        Course, TrainingProvider, Tier, Completion, Employment, MappingCell
    )
    topics = (
        select(func.count(distinct(cell.c.topic_id)))
        .where(
            cell.c.tenant_id == tenant,
            cell.c.exercise_id == basis(tenant),
            cell.c.course_id == course.c.id,
            among(cell.c.coverage, COVERING),
        )
        .scalar_subquery()
    )
    employers = func.count(distinct(employment.c.employer_id))
    return (
        select(
            course.c.id.label("course_id"),
            course.c.title,
            course.c.version.label("course_version"),
            provider.c.name.label("training_provider"),
            course.c.scope,
            cast(tier.c.position, Integer()).label("tier"),
            topics.label("topics"),
            func.count(distinct(completion.c.learner_id)).label("learners"),
            employers.label("employers"),
        )
        .select_from(course)
        .join(completion, and_(completion.c.tenant_id == tenant, completion.c.course_id == course.c.id))
        .join(provider, and_(provider.c.tenant_id == tenant, provider.c.id == course.c.training_provider_id))
        .outerjoin(tier, and_(tier.c.tenant_id == tenant, tier.c.id == course.c.tier_id))
        .outerjoin(
            employment,
            and_(
                employment.c.tenant_id == tenant,
                employment.c.learner_id == completion.c.learner_id,
                _employed_on(employment, _day_of(completion.c.completed_at)),
            ),
        )
        .where(course.c.tenant_id == tenant)
        .group_by(course.c.id, course.c.title, course.c.version, provider.c.name, course.c.scope, tier.c.position)
        .order_by(employers.desc(), course.c.title, course.c.id)
    )


def topics_in_use(tenant: Clause) -> Select[Any]:
    """For each active topic: how many distinct courses in use cover some of it, and how many employers rely on them."""
    topic, cell, completion, employment = _tables(Topic, MappingCell, Completion, Employment)
    # Who relies on which course is counted first, for each course stands in many cells.
    used = (
        select(completion.c.course_id, employment.c.employer_id)
        .distinct()
        .select_from(completion)
        .outerjoin(
            employment,
            and_(
                employment.c.tenant_id == tenant,
                employment.c.learner_id == completion.c.learner_id,
                _employed_on(employment, _day_of(completion.c.completed_at)),
            ),
        )
        .where(completion.c.tenant_id == tenant)
        .subquery()
    )
    covering = and_(
        cell.c.tenant_id == tenant,
        cell.c.topic_id == topic.c.id,
        cell.c.exercise_id == basis(tenant),
        among(cell.c.coverage, COVERING),
    )
    return (
        select(
            topic.c.code,
            topic.c.title,
            topic.c.theme,
            func.count(distinct(used.c.course_id)).label("courses"),
            func.count(distinct(used.c.employer_id)).label("employers"),
        )
        .select_from(topic)
        .outerjoin(cell, covering)
        .outerjoin(used, used.c.course_id == cell.c.course_id)
        .where(topic.c.tenant_id == tenant, topic.c.status == "active")
        .group_by(topic.c.code, topic.c.title, topic.c.theme)
        .order_by(topic.c.code)
    )


def relying_employers(tenant: Clause, course_id: Clause) -> Select[Any]:
    """Employers whose people completed a course while employed there, with how many did."""
    employer, employment, completion = _tables(Employer, Employment, Completion)
    learners = func.count(distinct(completion.c.learner_id))
    return (
        select(employer.c.name, learners.label("learners"))
        .select_from(completion)
        .join(
            employment,
            and_(
                employment.c.tenant_id == tenant,
                employment.c.learner_id == completion.c.learner_id,
                _employed_on(employment, _day_of(completion.c.completed_at)),
            ),
        )
        .join(employer, and_(employer.c.tenant_id == tenant, employer.c.id == employment.c.employer_id))
        .where(completion.c.tenant_id == tenant, completion.c.course_id == course_id)
        .group_by(employer.c.id, employer.c.name)
        .order_by(learners.desc(), employer.c.name, employer.c.id)
    )


def reach(tenant: Clause, language: Clause | None = None) -> Select[Any]:
    """For each employer, how many courses of each tier its people can reach; those with the fewest of tier 1 first.

    A course counts if it is active, stands in a tier and is not shorter than the tier's minimum, and some way to it
    fits the employer, its local authority and the language. One called free without any way told is free for all.
    """
    employer, place, location, way, course, tier = _tables(
        Employer, TenantLocation, CqcLocation, CourseAccess, Course, Tier
    )
    eligible = (
        select(course.c.id.label("course_id"), tier.c.position, course.c.access_kind, course.c.languages)
        .select_from(course)
        .join(tier, and_(tier.c.tenant_id == tenant, tier.c.id == course.c.tier_id))
        .where(
            course.c.tenant_id == tenant,
            course.c.status == "active",
            or_(
                course.c.duration_minutes.is_(None),
                tier.c.minimum_minutes.is_(None),
                course.c.duration_minutes >= tier.c.minimum_minutes,
            ),
        )
        .subquery()
    )
    (any_way,) = _tables(CourseAccess)
    no_way = ~(
        select(any_way.c.id).where(any_way.c.tenant_id == tenant, any_way.c.course_id == eligible.c.course_id).exists()
    )
    fits = and_(
        or_(way.c.employer_id.is_(None), way.c.employer_id == employer.c.id),
        or_(
            way.c.local_authority.is_(None),
            func.lower(way.c.local_authority) == func.lower(location.c.local_authority),
        ),
    )
    spoken: Clause | None = None
    if language is not None:
        wanted = func.lower(language)
        fits = and_(fits, or_(way.c.language.is_(None), func.lower(way.c.language) == wanted))
        spoken = or_(
            func.jsonb_array_length(eligible.c.languages) == 0,
            func.lower(cast(eligible.c.languages, Text())).contains(func.concat('"', wanted, '"')),
        )
    given = (
        select(way.c.id)
        .where(way.c.tenant_id == tenant, way.c.course_id == eligible.c.course_id, fits)
        .correlate(eligible, employer, location)
        .exists()
    )
    free = and_(eligible.c.access_kind == "free", no_way)
    can = or_(given, free if spoken is None else and_(free, spoken))

    def of_tier(position: int) -> Clause:
        return func.count(distinct(case((eligible.c.position == position, eligible.c.course_id))))

    return (
        select(
            employer.c.id.label("employer_id"),
            employer.c.name,
            location.c.local_authority,
            of_tier(1).label("tier1"),
            of_tier(2).label("tier2"),
            of_tier(3).label("tier3"),
        )
        .select_from(employer)
        .outerjoin(place, and_(place.c.tenant_id == tenant, place.c.id == employer.c.tenant_location_id))
        .outerjoin(location, location.c.id == place.c.location_id)
        .outerjoin(eligible, can)
        .where(employer.c.tenant_id == tenant)
        .group_by(employer.c.id, employer.c.name, location.c.local_authority)
        .order_by(of_tier(1), employer.c.name, employer.c.id)
        .limit(MOST_EMPLOYERS)
    )


def access_gaps(tenant: Clause, language: Clause | None = None) -> Select[Any]:
    """The employers whose people can reach no course of tier 1."""
    found = reach(tenant, language).subquery()
    return select(found).where(found.c.tier1 == 0).order_by(found.c.name, found.c.employer_id)


def regulation_topics(tenant: Clause, document_id: Clause, day: Clause) -> Select[Any]:
    """Topics that refer to a document, with the courses that cover them in full and the people who learned it.

    `employed`: people at work somewhere on the day; `learners`: those of them who completed a course that covers the
    topic's part of the document in full.
    """
    topic, reference, clause, cell, completion, learner, employment = _tables(
        Topic, TopicReference, GuidanceClause, MappingCell, Completion, Learner, Employment
    )
    covering = and_(
        cell.c.tenant_id == tenant,
        cell.c.exercise_id == basis(tenant),
        cell.c.topic_id == topic.c.id,
        cell.c.clause_id == clause.c.id,
        cell.c.coverage == "full",
    )
    return (
        select(
            topic.c.code,
            topic.c.title,
            func.count(distinct(cell.c.course_id)).label("courses"),
            func.count(distinct(employment.c.learner_id)).label("learners"),
            _at_work(tenant, day).label("employed"),
        )
        .select_from(clause)
        .join(reference, and_(reference.c.tenant_id == tenant, reference.c.clause_id == clause.c.id))
        .join(topic, and_(topic.c.tenant_id == tenant, topic.c.id == reference.c.topic_id))
        .outerjoin(cell, covering)
        .outerjoin(completion, and_(completion.c.tenant_id == tenant, completion.c.course_id == cell.c.course_id))
        .outerjoin(
            learner,
            and_(
                learner.c.tenant_id == tenant,
                learner.c.id == completion.c.learner_id,
                learner.c.merged_into_id.is_(None),
            ),
        )
        .outerjoin(
            employment,
            and_(
                employment.c.tenant_id == tenant,
                employment.c.learner_id == learner.c.id,
                _employed_on(employment, day),
            ),
        )
        .where(clause.c.tenant_id == tenant, clause.c.document_id == document_id, topic.c.status == "active")
        .group_by(topic.c.code, topic.c.title)
        .order_by(topic.c.code)
    )


def _at_work(tenant: Clause, day: Clause) -> ScalarSelect[Any]:
    employment, learner = _tables(Employment, Learner)
    return (
        select(func.count(distinct(employment.c.learner_id)))
        .select_from(employment)
        .join(learner, and_(learner.c.tenant_id == tenant, learner.c.id == employment.c.learner_id))
        .where(employment.c.tenant_id == tenant, _employed_on(employment, day), learner.c.merged_into_id.is_(None))
        .scalar_subquery()
    )


def regulation_courses(tenant: Clause, document_id: Clause, day: Clause) -> Select[Any]:
    """Courses that were mapped to a document: topic, part, coverage, and people at work on the day who completed it."""
    topic, clause, cell, course, completion, employment, learner = _tables(
        Topic, GuidanceClause, MappingCell, Course, Completion, Employment, Learner
    )
    people = (
        select(func.count(distinct(completion.c.learner_id)))
        .select_from(completion)
        .join(
            employment,
            and_(
                employment.c.tenant_id == tenant,
                employment.c.learner_id == completion.c.learner_id,
                _employed_on(employment, day),
            ),
        )
        .join(learner, and_(learner.c.tenant_id == tenant, learner.c.id == completion.c.learner_id))
        .where(
            completion.c.tenant_id == tenant,
            completion.c.course_id == course.c.id,
            learner.c.merged_into_id.is_(None),
        )
        .correlate(course)
        .scalar_subquery()
    )
    return (
        select(
            topic.c.code,
            topic.c.title.label("topic"),
            clause.c.number,
            course.c.id.label("course_id"),
            course.c.title.label("course"),
            cell.c.coverage,
            people.label("learners"),
        )
        .select_from(clause)
        .join(cell, and_(cell.c.tenant_id == tenant, cell.c.clause_id == clause.c.id))
        .join(topic, and_(topic.c.tenant_id == tenant, topic.c.id == cell.c.topic_id))
        .join(course, and_(course.c.tenant_id == tenant, course.c.id == cell.c.course_id))
        .where(
            clause.c.tenant_id == tenant,
            clause.c.document_id == document_id,
            cell.c.exercise_id == basis(tenant),
            among(cell.c.coverage, COVERING),
        )
        .order_by(topic.c.code, clause.c.number, course.c.title, course.c.id)
    )


def topics_without_reference(tenant: Clause) -> Select[Any]:
    """Active topics without any reference: faults of the data, for nothing can be mapped to them."""
    topic, reference = _tables(Topic, TopicReference)
    refers = select(reference.c.id).where(reference.c.tenant_id == tenant, reference.c.topic_id == topic.c.id)
    return (
        select(topic.c.id, topic.c.code, topic.c.title)
        .where(topic.c.tenant_id == tenant, topic.c.status == "active", ~refers.exists())
        .order_by(topic.c.code)
    )


def late_guidance(tenant: Clause, day: Clause) -> Select[Any]:
    """Documents in use whose review date has passed, the longest ago first."""
    (document,) = _tables(GuidanceDocument)
    return (
        select(document.c.code, document.c.title, document.c.review_on)
        .where(document.c.tenant_id == tenant, document.c.status == "current", document.c.review_on < day)
        .order_by(document.c.review_on, document.c.code)
    )


def differences(tenant: Clause, before_id: Clause, after_id: Clause) -> Select[Any]:
    """Cells that were added, removed or changed between two exercises, in the order of topics, clauses and courses.

    A side without the cell is null. A cell has changed if its coverage or its note has; another assessor or day alone
    is no change.
    """
    cell, course, topic, clause, document = _tables(MappingCell, Course, Topic, GuidanceClause, GuidanceDocument)

    def of(exercise_id: Clause, column: Clause) -> Clause:
        return func.max(case((cell.c.exercise_id == exercise_id, column)))

    before, after = of(before_id, cell.c.coverage), of(after_id, cell.c.coverage)
    note_before, note_after = of(before_id, cell.c.evidence_note), of(after_id, cell.c.evidence_note)
    return (
        select(
            case((before.is_(None), "added"), (after.is_(None), "removed"), else_="changed").label("change"),
            topic.c.code,
            topic.c.title.label("topic"),
            func.concat(document.c.code, " ", clause.c.number).label("clause"),
            course.c.title.label("course"),
            before.label("before"),
            after.label("after"),
            note_before.label("note_before"),
            note_after.label("note_after"),
        )
        .select_from(cell)
        .join(course, and_(course.c.tenant_id == tenant, course.c.id == cell.c.course_id))
        .join(topic, and_(topic.c.tenant_id == tenant, topic.c.id == cell.c.topic_id))
        .join(clause, and_(clause.c.tenant_id == tenant, clause.c.id == cell.c.clause_id))
        .join(document, and_(document.c.tenant_id == tenant, document.c.id == clause.c.document_id))
        .where(cell.c.tenant_id == tenant, or_(cell.c.exercise_id == before_id, cell.c.exercise_id == after_id))
        .group_by(
            course.c.id, course.c.title, topic.c.code, topic.c.title, clause.c.id, clause.c.number, document.c.code
        )
        .having(
            or_(
                before.is_distinct_from(after),
                func.coalesce(note_before, "") != func.coalesce(note_after, ""),
            )
        )
        .order_by(topic.c.code, document.c.code, clause.c.number, course.c.title, course.c.id)
    )
