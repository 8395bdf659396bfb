"""Types of training: courses, completions, sessions, attendance, champions, feedback."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy import Date, Select, cast, func, or_, select

from app.governance import reports
from app.governance.models import FeedbackSubject as SubjectRow
from app.governance.models import ForumMinutes as MinutesRow
from app.training import models
from app.training.booking import models as booking
from app.training.mapping.models import CourseAccreditation as AccreditationRow
from app.training.sessions import models as sessions
from medstead_graphql.compiler.declare import Connection, Node, column, expression, inline, many, node, one
from medstead_graphql.types import listings, listings_booking, listings_governance, listings_mapping
from medstead_graphql.types import listings_requirements as requirements
from medstead_graphql.types.booking import (
    BOOKINGS,
    AgendaItem,
    Booking,
    PlaceReserve,
    SessionFacilitator,
    SessionGuidance,
    SessionPlaces,
    SessionSeries,
    SessionTopic,
    Venue,
)
from medstead_graphql.types.common import JSON, PEOPLE, ChampionState, OnlineMode, SessionKind, SessionState
from medstead_graphql.types.directory import Learner, Location
from medstead_graphql.types.mapping_words import AccessKind, CourseDeliveryMode, CourseScope, CourseStatus
from tenants.base import table_of

if TYPE_CHECKING:
    from medstead_graphql.types.governance import (
        ContentChange,
        FeedbackSubject,
        ForumMinutes,
        GovernanceItem,
        PlanAction,
        ThemeResponse,
    )

if TYPE_CHECKING:
    from medstead_graphql.types.courses import CourseAccess, CourseAccreditation

if TYPE_CHECKING:
    from medstead_graphql.types.requirements import PrerequisiteRule, Programme


_GOVERNANCE = strawberry.lazy("medstead_graphql.types.governance")


@strawberry.type(description="How a course is taken up and received. `invited` is null where nobody told it.")
class CourseKpis:
    """KPIs of a course."""

    begun: int = column(description="Learners who completed it or are told to have begun it.")
    completed: int = column(description="Learners who completed it.")
    completions: int = column()
    completed_percent: float | None = column()
    responses: int = column(description="Responses to forms about it.")
    invited: int | None = column()
    answers: int = column(description="Answers on scales in them.")
    top_box: int = column(description="Those that chose the topmost option.")
    top_box_percent: float | None = column()


@strawberry.type(description="How a session was attended and received.")
class SessionKpis:
    """KPIs of a session."""

    booked: int = column(description="Places that were held at the end.")
    attended: int = column(description="People whose attendance counts, booked or not.")
    attended_percent: float | None = column(description="Of those who were booked.")
    responses: int = column()
    invited: int | None = column()
    answers: int = column()
    top_box: int = column()
    top_box_percent: float | None = column()


def _course_kpis(compilation: Any, row: Any, _: Any) -> Select[Any]:
    return reports.course_kpis(compilation.tenant, row)


def _session_kpis(compilation: Any, row: Any, _: Any) -> Select[Any]:
    return reports.session_kpis(compilation.tenant, row)


@node(models.Tier, scope="training:read", description="A level of a programme, from 1 (foundation).")
class Tier(Node):
    """A tier."""

    position: int = column()
    name: str = column()
    minimum_minutes: int | None = column(description="A shorter course meets the tier only if somebody lets it.")
    accepted_modes: list[str] = column(description="Modes of delivery that meet the tier; empty: any.")
    validity_months: int | None = column(description="Months for which it is valid once met; null: for ever.")
    renewal_lead_days: int = column(description="Days before its end from which it is told as expiring.")
    programme: Annotated["Programme", strawberry.lazy("medstead_graphql.types.requirements")] = one(
        models.Programme, key="programme_id"
    )
    prerequisites: Connection[Annotated["PrerequisiteRule", strawberry.lazy("medstead_graphql.types.requirements")]] = (
        many(requirements.PREREQUISITE_RULE, on="tier_id")
    )
    courses: Connection["Course"] = many(listings.COURSE, on="tier_id")


@node(models.TrainingProvider, scope="training:read", description="Who makes or gives a course.")
class TrainingProvider(Node):
    """A training provider."""

    name: str = column()


def _below_minimum(row: Any, compilation: Any) -> Any:
    tier = table_of(models.Tier).alias()
    minimum = select(tier.c.minimum_minutes).where(tier.c.tenant_id == compilation.tenant, tier.c.id == row.c.tier_id)
    return func.coalesce(row.c.duration_minutes < minimum.correlate(row).scalar_subquery(), False)


@node(
    models.Course,
    scope="training:read",
    description="A course is its training provider, title and version: the same title twice is two courses.",
)
class Course(Node):
    """A course."""

    title: str = column()
    version: str = column()
    training_provider: TrainingProvider = one(models.TrainingProvider, key="training_provider_id")
    tier: Tier | None = one(models.Tier, key="tier_id")
    scope: CourseScope | None = column()
    delivery_mode: CourseDeliveryMode | None = column()
    duration_minutes: int | None = column()
    expected_minutes_min: int | None = column(description="Completions that took less are flagged.")
    expected_minutes_max: int | None = column()
    below_tier_minimum: bool = expression(
        _below_minimum, description="It is shorter than its tier asks for, so it does not satisfy the tier."
    )
    assessment: str | None = column()
    certificate_required: bool | None = column()
    author_profession: str | None = column()
    languages: list[str] = column()
    access_kind: AccessKind | None = column()
    accessibility_notes: str | None = column()
    url: str | None = column()
    review_on: date | None = column()
    status: CourseStatus = column()
    revision: int = column(description="Send this back as `version` when you change the course.")
    merged_into: "Course | None" = one(
        models.Course, key="merged_into_id", description="Set when this was found to be another course."
    )
    accreditations: Connection[Annotated["CourseAccreditation", strawberry.lazy("medstead_graphql.types.courses")]] = (
        many(listings_mapping.ACCREDITATION, on="course_id")
    )
    access: Connection[Annotated["CourseAccess", strawberry.lazy("medstead_graphql.types.courses")]] = many(
        listings_mapping.COURSE_ACCESS, on="course_id"
    )
    completions: Connection["Completion"] = many(listings.COMPLETION, on="course_id")
    kpis: CourseKpis = inline(_course_kpis)
    citing_plans: int = expression(
        lambda row, compilation: reports.citing_plans(compilation.tenant, row),
        scope="governance:read",
        description="How many action plans cite it.",
    )
    plan_actions: Connection[Annotated["PlanAction", _GOVERNANCE]] = many(
        listings_governance.PLAN_ACTION, on="course_id", description="Actions of plans that cite it."
    )
    content_changes: Connection[Annotated["ContentChange", _GOVERNANCE]] = many(
        listings_governance.CONTENT_CHANGE, on="course_id"
    )


@strawberry.type(description="An accreditation of a course as it stood on the day of a completion.")
class AppliedAccreditation:
    """An accreditation that applied."""

    awarding_body: str = column()
    reference: str = column()
    level: str | None = column()


def _applied(compilation: Any, row: Any, _: Any) -> Select[Any]:
    accreditation = table_of(AccreditationRow).alias()
    day = cast(func.timezone("Europe/London", row.c.completed_at), Date())
    return (
        select(accreditation.c.awarding_body, accreditation.c.reference, accreditation.c.level)
        .where(
            accreditation.c.tenant_id == compilation.tenant,
            accreditation.c.course_id == row.c.course_id,
            accreditation.c.valid_from <= day,
            or_(accreditation.c.valid_to.is_(None), accreditation.c.valid_to >= day),
        )
        .order_by(accreditation.c.awarding_body, accreditation.c.reference, accreditation.c.id)
    )


@node(
    models.Completion,
    scope="training:read",
    description="A learner finished a course. Not competence: that is assessed apart.",
)
class Completion(Node):
    """A completion."""

    completed_at: datetime = column()
    source: str = column()
    minutes: int | None = column(description="Minutes spent, where the source told it.")
    score: Decimal | None = column()
    certificate_number: str | None = column()
    short_duration: bool = column(description="The recorded time is below the tier's minimum: a person should look.")
    import_row_number: int | None = column(description="The row of the file that it came from.")
    created_at: datetime = column()
    learner: Learner = one(listings.LEARNER.table, key="learner_id")
    course: Course = one(models.Course, key="course_id")
    accredited_by: list[AppliedAccreditation] = inline(
        _applied, description="Accreditations of the course that applied on the day of the completion."
    )


@node(models.TrainingSession, scope="training:read", description="A dated event such as a webinar or a champions' day.")
class Session(Node):
    """A session."""

    title: str = column()
    kind: SessionKind = column()
    state: SessionState = column()
    starts_at: datetime = column()
    ends_at: datetime = column()
    online_mode: OnlineMode = column()
    join_url: str | None = column(description="Where people join online.")
    description: str | None = column()
    parts: int = column(description="2 for a day whose halves are attended apart, else 1.")
    second_part_at: datetime | None = column()
    people_per_facilitator: int | None = column(description="How many people one facilitator can lead.")
    check_in_code: str | None = column(scope=BOOKINGS, description="What the poster in the room leads to.")
    version: int = column()
    tier: Tier | None = one(models.Tier, key="tier_id")
    venue: Venue | None = one(sessions.Venue, key="venue_id")
    series: SessionSeries | None = one(sessions.SessionSeries, key="series_id")
    places: SessionPlaces | None = one(
        booking.SessionPlaces,
        join=lambda session, places, _: places.c.session_id == session.c.id,
        description="Null for a session that is not booked here.",
    )
    reserves: Connection[PlaceReserve] = many(listings_booking.PLACE_RESERVE, on="session_id")
    facilitators: Connection[SessionFacilitator] = many(listings_booking.SESSION_FACILITATOR, on="session_id")
    topics: Connection[SessionTopic] = many(listings_booking.SESSION_TOPIC, on="session_id")
    guidance: Connection[SessionGuidance] = many(listings_booking.SESSION_GUIDANCE, on="session_id")
    agenda: Connection[AgendaItem] = many(listings_booking.AGENDA_ITEM, on="session_id")
    bookings: Connection[Booking] = many(listings_booking.BOOKING, on="session_id")
    attendances: Connection["Attendance"] = many(listings.ATTENDANCE, on="session_id")
    kpis: SessionKpis = inline(_session_kpis)
    minutes: Annotated["ForumMinutes", _GOVERNANCE] | None = one(
        MinutesRow, join=lambda session, kept, _: kept.c.session_id == session.c.id, description="Of a forum."
    )
    forum_actions: Connection[Annotated["GovernanceItem", _GOVERNANCE]] = many(
        listings_governance.ITEM, on="session_id", description="What a forum asked for."
    )
    plan_actions: Connection[Annotated["PlanAction", _GOVERNANCE]] = many(
        listings_governance.PLAN_ACTION, on="session_id", description="Actions of plans that cite it."
    )
    content_changes: Connection[Annotated["ContentChange", _GOVERNANCE]] = many(
        listings_governance.CONTENT_CHANGE, on="session_id"
    )


@node(
    models.Attendance,
    scope="training:read",
    description="A learner's attendance at a session, folded from all evidence.",
)
class Attendance(Node):
    """An attendance."""

    seconds: int | None = column(description="Seconds present over all reports; null where no source told it.")
    qualifies: bool = column(description="Whether it counts under the tenant's threshold.")
    decided_because: str = column(description="Why it does or does not count.")
    first_half: bool | None = column(description="Whether the first half was attended; null while nobody marked it.")
    second_half: bool | None = column()
    updated_at: datetime = column()
    learner: Learner = one(listings.LEARNER.table, key="learner_id")
    session: Session = one(models.TrainingSession, key="session_id")


LearningRecord = Annotated[
    Completion | Attendance,
    strawberry.union("LearningRecord", description="What a learner's record is made of."),
]


@node(
    models.MedicationChampion,
    scope="training:read",
    description="A learner's role as Medication Champion at a location.",
)
class MedicationChampion(Node):
    """A champion role."""

    trained_on: date | None = column(description="Day of the completed tier 3 training.")
    started_on: date | None = column()
    ended_on: date | None = column(description="The first day without the role.")
    state: ChampionState = column()
    deputy: bool = column(description="Stands in for the location's other champions.")
    contact_route: str | None = column(scope=PEOPLE, description="How the champion is reached.")
    ended_because: str | None = column(scope=PEOPLE, description="Free text may name people.")
    version: int = column(description="Send this back when you change the role; it guards against lost updates.")
    learner: Learner = one(listings.LEARNER.table, key="learner_id")
    location: Location | None = one(listings.LOCATION.table, key="tenant_location_id")


@node(models.FeedbackForm, scope="training:read", description="A questionnaire given after training.")
class FeedbackForm(Node):
    """A feedback form."""

    title: str = column()
    tier: Tier | None = one(models.Tier, key="tier_id")
    invited: int | None = column(description="How many people were asked, where known.")
    questions: Connection["FeedbackQuestion"] = many(listings.FEEDBACK_QUESTION, on="form_id")
    responses: Connection["FeedbackResponse"] = many(listings.FEEDBACK_RESPONSE, on="form_id")
    subject: Annotated["FeedbackSubject", _GOVERNANCE] | None = one(
        SubjectRow, join=lambda form, told, _: told.c.form_id == form.c.id, description="What it asked about."
    )


@node(models.FeedbackQuestion, scope="training:read", description="A question of a feedback form.")
class FeedbackQuestion(Node):
    """A question."""

    position: int = column()
    text: str = column()
    scale: str | None = column(description="The Likert scale, from the least to the most; null for free text.")
    options: JSON = column()


@node(
    models.FeedbackResponse,
    scope="training:read",
    description="One person's answers to one form; it does not say whose.",
)
class FeedbackResponse(Node):
    """A response."""

    submitted_at: datetime = column()
    form: FeedbackForm = one(models.FeedbackForm, key="form_id")
    answers: Connection["FeedbackAnswer"] = many(listings.FEEDBACK_ANSWER, on="response_id")
    themes: Connection[Annotated["ThemeResponse", _GOVERNANCE]] = many(
        listings_governance.THEME_RESPONSE, on="response_id", description="Themes that cite it."
    )


@node(
    models.FeedbackAnswer,
    scope="training:read",
    description="An answer; both option and text are null when the question was left open.",
)
class FeedbackAnswer(Node):
    """An answer."""

    option_number: int | None = column(description="1 is the least of the scale.")
    text: str | None = column(scope=PEOPLE, description="Free text may name people.")
    question: FeedbackQuestion = one(models.FeedbackQuestion, key="question_id")
