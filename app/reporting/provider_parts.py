"""Parts of the evidence pack: what a provider can show of its staff, and what it did about medicines.

Learning is shown from the time in which somebody works for the provider, as an employer may see it; standing is told
as last computed for the post.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    and_,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from app.directory.models import CqcLocation, Employer, Employment, JobRole, Learner, TenantLocation
from app.governance.models import ActionPlan, PlanAction
from app.reporting.content import Cell, Column, Figure, NewTable, Section, day, percent
from app.reporting.impact_parts import recognitions
from app.reporting.reading import Reading
from app.reporting.words import ITEM_STATES, OUTCOMES, SETTINGS
from app.training.certificates.models import Certificate
from app.training.models import Attendance, Completion, Course, MedicationChampion, Tier, TrainingSession
from app.training.requirements.models import CompetenceAssessment, EmploymentTask, LearnerStanding, Requirement
from app.training.requirements.oversight import GIVES_MEDICINES, TRAINED
from app.training.requirements.standing import employed
from tenants.base import among, table_of
from tenants.clock import LONDON

Clause = ColumnElement[Any]
UNNAMED = "Names are left out: the report was asked for without them."


def _posts(reading: Reading) -> FromClause:
    """Each current post with the provider once: learner_id, name, employer_id, employer, role, setting, since.

    `number` orders people by name, or stands for them where nobody is named.
    """
    post, learner, employer, role, location, cqc = (
        table_of(table).alias() for table in (Employment, Learner, Employer, JobRole, TenantLocation, CqcLocation)
    )
    same = reading.tenant
    once = (
        select(
            post.c.learner_id,
            learner.c.display_name.label("name"),
            learner.c.name_key,
            post.c.employer_id,
            employer.c.name.label("employer"),
            func.coalesce(role.c.label, post.c.job_title).label("role"),
            func.coalesce(post.c.setting, cqc.c.primary_setting).label("setting"),
            post.c.started_on.label("since"),
        )
        .join(learner, and_(learner.c.tenant_id == same, learner.c.id == post.c.learner_id))
        .join(employer, and_(employer.c.tenant_id == same, employer.c.id == post.c.employer_id))
        .outerjoin(role, role.c.code == post.c.job_role_code)
        .outerjoin(location, and_(location.c.tenant_id == same, location.c.id == employer.c.tenant_location_id))
        .outerjoin(cqc, cqc.c.id == location.c.location_id)
        .where(
            post.c.tenant_id == same,
            among(post.c.employer_id, reading.employers or ()),
            employed(post, reading.day),
            learner.c.merged_into_id.is_(None),
        )
        .ext(distinct_on(post.c.learner_id, post.c.employer_id))
        .order_by(post.c.learner_id, post.c.employer_id, post.c.started_on.desc(), post.c.id)
        .subquery()
    )
    order = (once.c.name_key, once.c.learner_id) if reading.named else (once.c.learner_id,)
    number = func.dense_rank().over(order_by=order)
    return select(once, number.label("number")).cte("posts")


def _who(reading: Reading, posts: FromClause) -> Clause:
    """The cell that says who it is: a name, or a number that stands for somebody in this report."""
    return posts.c.name if reading.named else literal("Person ") + cast(posts.c.number, JobRole.label.type)


def _order(posts: FromClause) -> Sequence[Clause]:
    return posts.c.number, posts.c.employer, posts.c.employer_id


def _needs(reading: Reading) -> FromClause:
    """By post: how much is needed, how much is met, and what is still to be learned."""
    standing, requirement, tier = (table_of(table).alias() for table in (LearnerStanding, Requirement, Tier))
    trained = or_(*(standing.c.state == state for state in TRAINED))
    name = func.coalesce(tier.c.name, literal("Topic ") + requirement.c.topic_code)
    return (
        select(
            standing.c.learner_id,
            standing.c.employer_id,
            func.count().label("needed"),
            func.count().filter(trained).label("met"),
            func.string_agg(name, aggregate_order_by(literal(", "), tier.c.position.nulls_last(), name))
            .filter(~trained)
            .label("missing"),
        )
        .join(
            requirement, and_(requirement.c.tenant_id == reading.tenant, requirement.c.id == standing.c.requirement_id)
        )
        .outerjoin(tier, and_(tier.c.tenant_id == reading.tenant, tier.c.id == requirement.c.tier_id))
        .where(standing.c.tenant_id == reading.tenant, among(standing.c.employer_id, reading.employers or ()))
        .group_by(standing.c.learner_id, standing.c.employer_id)
        .subquery()
    )


def _latest_assessment(reading: Reading) -> FromClause:
    assessment = table_of(CompetenceAssessment).alias()
    return (
        select(assessment.c.learner_id, assessment.c.outcome, assessment.c.review_due_on)
        .where(assessment.c.tenant_id == reading.tenant, assessment.c.assessed_on <= reading.day)
        .ext(distinct_on(assessment.c.learner_id))
        .order_by(assessment.c.learner_id, assessment.c.assessed_on.desc(), assessment.c.created_at.desc())
        .subquery()
    )


async def staff(reading: Reading) -> Section:
    """Who works for the provider now, and where each stands."""
    posts, needs, latest, task = _posts(reading), _needs(reading), _latest_assessment(reading), table_of(EmploymentTask)
    gives = exists().where(
        task.c.tenant_id == reading.tenant,
        task.c.learner_id == posts.c.learner_id,
        task.c.employer_id == posts.c.employer_id,
        task.c.task == GIVES_MEDICINES,
    )
    listed = (
        select(
            posts.c.learner_id, _who(reading, posts), posts.c.employer, posts.c.role, posts.c.setting, posts.c.since,
            func.coalesce(needs.c.needed, 0), func.coalesce(needs.c.met, 0), needs.c.missing, gives, latest.c.outcome,
            latest.c.review_due_on,
        )
        .select_from(
            posts.outerjoin(
                needs, and_(needs.c.learner_id == posts.c.learner_id, needs.c.employer_id == posts.c.employer_id)
            ).outerjoin(latest, latest.c.learner_id == posts.c.learner_id)
        )
        .order_by(*_order(posts))
    )  # fmt: skip
    rows: list[Sequence[Cell]] = []
    people, givers, assessed = set(), set(), set()
    needed = met = 0
    for row in await reading.session.execute(listed):
        learner_id, who, employer, role, setting, since, needs_count, met_count, missing, does_give, outcome, due = row
        current = outcome == "competent" and due is not None and due >= reading.today
        people.add(learner_id)
        if does_give:
            givers.add(learner_id)
            assessed |= {learner_id} if current else set()
        needed, met = needed + needs_count, met + met_count
        rows.append(
            (
                who, employer, role, SETTINGS.get(setting or "", "Not known"), day(since), needs_count, met_count,
                missing, "Yes" if does_give else "No", None if outcome is None else OUTCOMES[outcome], day(due),
            )
        )  # fmt: skip
    figures = [
        _count("people", "Staff in post", len(people), "people", "People with a current post there."),
        _share(
            "met", "Requirements met", met, needed, "requirements of posts",
            "What the matrix of requirements asks of each post, and how much of it is met, as last computed.",
        ),
        _share(
            "assessed", "Found competent, review not overdue", len(assessed), len(givers), "people who give medicines",
            "People who give medicines in a post here; those whose latest assessment found them competent and is not "
            "past its review day. A completed course is not competence.",
        ),
    ]  # fmt: skip
    columns = (
        Column("Who"), Column("Employer"), Column("Job role"), Column("Setting"), Column("Since", "day"),
        Column("Needs", "number"), Column("Met", "number"), Column("Still to learn"), Column("Gives medicines"),
        Column("Competence"), Column("Review due", "day"),
    )  # fmt: skip
    table = NewTable("staff", "Staff and where they stand", columns, rows, "Nobody works there now.")
    return Section("staff", "Staff", [] if reading.named else [UNNAMED], figures, [], [table])


def _count(key: str, label: str, value: int, unit: str, method: str) -> Figure:
    return Figure(key, label, "count", value, unit, value, None, "", "now", method)


def _share(key: str, label: str, part: int, whole: int, of: str, method: str) -> Figure:
    return Figure(key, label, "share", percent(part, whole), f"% of {of}", part, whole, of, "now", method)


def _of(reading: Reading, people: FromClause, table: FromClause) -> Clause:
    """Rows of a table that are about somebody of the staff."""
    return and_(table.c.tenant_id == reading.tenant, table.c.learner_id == people.c.learner_id)


def _while_employed(reading: Reading, learner: Clause, on: Clause) -> Clause:
    """Whether a day of a learner lay in a time in which they worked for the provider."""
    spell = table_of(Employment).alias()
    return exists().where(
        spell.c.tenant_id == reading.tenant,
        spell.c.learner_id == learner,
        among(spell.c.employer_id, reading.employers or ()),
        spell.c.started_on <= on,
        or_(spell.c.ended_on.is_(None), spell.c.ended_on >= on),
    )


def _people(reading: Reading) -> FromClause:
    """Each of the staff once, with what to call them."""
    posts = _posts(reading)
    who = _who(reading, posts).label("who")
    return select(posts.c.learner_id, posts.c.number, who).distinct().subquery()


async def training(reading: Reading) -> Section:
    """Everything that the staff completed and attended while they worked there."""
    people = _people(reading)
    completion, course, attendance, session = (
        table_of(table).alias() for table in (Completion, Course, Attendance, TrainingSession)
    )
    completed, attended = _london_day(completion.c.completed_at), _london_day(session.c.starts_at)
    courses: Select[Any] = (
        select(
            people.c.number, people.c.who, completed.label("on"), course.c.title, literal("Course").label("kind"),
            completion.c.minutes, completion.c.id,
        )
        .join(completion, _of(reading, people, completion))
        .join(course, and_(course.c.tenant_id == reading.tenant, course.c.id == completion.c.course_id))
        .where(_while_employed(reading, people.c.learner_id, completed))
    )  # fmt: skip
    sessions: Select[Any] = (
        select(
            people.c.number, people.c.who, attended, session.c.title, literal("Session"),
            func.coalesce(cast(func.round(attendance.c.seconds / 60.0), Integer), null()), attendance.c.id,
        )
        .join(attendance, _of(reading, people, attendance))
        .join(session, and_(session.c.tenant_id == reading.tenant, session.c.id == attendance.c.session_id))
        .where(attendance.c.qualifies, _while_employed(reading, people.c.learner_id, attended))
    )  # fmt: skip
    every = union_all(courses, sessions).subquery()
    listed = select(every).order_by(every.c.number, every.c.on.desc(), every.c.title, every.c.id)
    rows = [(row.who, day(row.on), row.title, row.kind, row.minutes) for row in await reading.session.execute(listed)]
    columns = (Column("Who"), Column("Day", "day"), Column("What"), Column("Kind"), Column("Minutes", "number"))
    figure = _count(
        "learned", "Courses completed and sessions attended", len(rows), "records",
        "Completions and qualifying attendances of the staff of today, while they worked here. Records, not people.",
    )  # fmt: skip
    table = NewTable("training", "Training of the staff", columns, rows, "Nothing is on record.")
    return Section("training", "Training", [], [figure], [], [table])


async def certificates(reading: Reading) -> Section:
    """Certificates of the staff that count, won while they worked there."""
    people, certificate = _people(reading), table_of(Certificate).alias()
    listed = (
        select(
            people.c.who, certificate.c.number, certificate.c.title, certificate.c.achieved_on,
            certificate.c.valid_until,
        )
        .join(
            certificate, _of(reading, people, certificate)
        )
        .where(
            certificate.c.state == "issued",
            _while_employed(reading, people.c.learner_id, certificate.c.achieved_on),
        )
        .order_by(people.c.number, certificate.c.achieved_on.desc(), certificate.c.serial)
    )  # fmt: skip
    rows = [
        (
            who, number, title, day(on), day(until),
            "Expired" if until is not None and until < reading.today else "Counts",
        )
        for who, number, title, on, until in await reading.session.execute(listed)
    ]  # fmt: skip
    columns = (
        Column("Who"), Column("Number"), Column("For"), Column("On", "day"), Column("Valid until", "day"),
        Column("State"),
    )  # fmt: skip
    nothing = "No certificate has been issued."
    return Section(
        "certificates", "Certificates", tables=[NewTable("certificates", "Certificates", columns, rows, nothing)]
    )


async def competence(reading: Reading) -> Section:
    """Assessments of competence of the staff, with their assessors, while they worked there."""
    people, assessment = _people(reading), table_of(CompetenceAssessment).alias()
    listed = (
        select(
            people.c.who, assessment.c.assessed_on, assessment.c.outcome, assessment.c.skills,
            assessment.c.assessor_name, assessment.c.assessor_profession, assessment.c.review_due_on,
        )
        .join(assessment, _of(reading, people, assessment))
        .where(_while_employed(reading, people.c.learner_id, assessment.c.assessed_on))
        .order_by(people.c.number, assessment.c.assessed_on.desc(), assessment.c.id)
    )  # fmt: skip
    rows = []
    for who, on, outcome, skills, assessor, profession, due in await reading.session.execute(listed):
        by = [assessor] if reading.named else []
        rows.append((who, day(on), OUTCOMES[outcome], ", ".join(skills), *by, profession, day(due)))
    named = [Column("Assessor")] if reading.named else []
    columns = (
        Column("Who"), Column("Assessed on", "day"), Column("Outcome"), Column("Of"), *named,
        Column("Assessor’s profession"), Column("Review due", "day"),
    )  # fmt: skip
    table = NewTable("competence", "Assessments of competence", columns, rows, "Nobody has been assessed.")
    return Section("competence", "Competence", tables=[table])


async def champions(reading: Reading) -> Section:
    """Champions at the locations, and which locations have none."""
    champion, learner, location, cqc = (
        table_of(table).alias() for table in (MedicationChampion, Learner, TenantLocation, CqcLocation)
    )
    of_place = and_(
        champion.c.tenant_id == reading.tenant,
        champion.c.tenant_location_id == location.c.id,
        champion.c.state == "active",
    )
    listed = (
        select(
            cqc.c.name,
            champion.c.id,
            learner.c.display_name,
            champion.c.trained_on,
            champion.c.started_on,
            champion.c.deputy,
        )
        .select_from(
            location.join(cqc, cqc.c.id == location.c.location_id)
            .outerjoin(champion, of_place)
            .outerjoin(learner, and_(learner.c.tenant_id == reading.tenant, learner.c.id == champion.c.learner_id))
        )
        .where(location.c.tenant_id == reading.tenant, among(location.c.id, reading.locations or ()))
        .order_by(cqc.c.name, cqc.c.id, champion.c.deputy, learner.c.name_key, champion.c.id)
    )
    rows: list[Sequence[Cell]] = []
    places, covered = set(), set()
    for place, role, name, trained, since, deputy in await reading.session.execute(listed):
        places.add(place)
        if role is None:
            rows.append((place, "Nobody", None, None, None))
            continue
        covered.add(place)
        who = name if reading.named else "A champion"
        rows.append((place, who, "Yes" if deputy else "No", day(trained), day(since)))
    columns = (
        Column("Location"),
        Column("Champion"),
        Column("Deputy"),
        Column("Trained", "day"),
        Column("Since", "day"),
    )
    figure = _share(
        "covered", "Locations with a champion", len(covered), len(places), "locations",
        "Locations of this report with somebody whose role is active.",
    )  # fmt: skip
    table = NewTable("champions", "Medication Champions", columns, rows, "There is no location.")
    return Section("champions", "Medication Champions", [], [figure], [], [table])


async def plans(reading: Reading) -> Section:
    """Action plans of the provider and its locations whose actions cite courses or sessions."""
    ours = [among(ActionPlan.tenant_location_id, reading.locations or ())]
    if reading.provider_id is not None:
        ours.append(ActionPlan.cqc_provider_id == reading.provider_id)
    listed = (
        select(ActionPlan.title, PlanAction, Course.title.label("course"), TrainingSession.title.label("session"))
        .join(ActionPlan, _is(PlanAction, PlanAction.plan_id, ActionPlan))
        .outerjoin(Course, _is(PlanAction, PlanAction.course_id, Course))
        .outerjoin(TrainingSession, _is(PlanAction, PlanAction.session_id, TrainingSession))
        .where(
            or_(*ours),
            ActionPlan.status != "withdrawn",
            or_(PlanAction.course_id.is_not(None), PlanAction.session_id.is_not(None)),
        )
        .order_by(ActionPlan.due_on, ActionPlan.id, PlanAction.due_on, PlanAction.id)
    )
    rows = [
        (plan, action.title, course or session, day(action.due_on), ITEM_STATES[action.status], action.evidence)
        for plan, action, course, session in await reading.session.execute(listed)
    ]
    columns = (
        Column("Plan"), Column("Action"), Column("Cites"), Column("Due", "day"), Column("State"), Column("Evidence"),
    )  # fmt: skip
    table = NewTable("plans", "Action plans that cite training", columns, rows, "No action plan cites training.")
    return Section("plans", "Action plans", tables=[table])


async def awards(reading: Reading) -> Section:
    """Recognitions of the programme that trained the staff."""
    return Section("recognitions", "Recognitions of the programme", tables=[await recognitions(reading)])


def _london_day(moment: Clause) -> Clause:
    return cast(func.timezone(LONDON.key, moment), Date)


def _is(source: Any, key: Any, target: Any) -> Clause:
    return and_(target.tenant_id == source.tenant_id, target.id == key)
