"""Root fields for reading."""

import strawberry

from app.directory import models as directory
from app.imports import models as imports
from app.messaging import models as messages
from app.reporting import models as reporting
from app.training import models as training
from app.training.booking import models as booking_models
from app.training.certificates import models as certificate_models
from app.training.mapping import models as mapping
from app.training.mapping import reports as mapping_reports
from app.training.requirements import models as requirements
from app.webhooks import models as webhooks
from medstead_graphql.compiler.declare import Connection, Node, by_id, inline, many, node_by_id, nodes_by_ids, one
from medstead_graphql.mutations.booking import BookingQuestions
from medstead_graphql.types import (
    listings,
    listings_booking,
    listings_certificates,
    listings_mapping,
    listings_messages,
    listings_reporting,
    listings_requirements,
)
from medstead_graphql.types.booking import Booking, SessionSeries, TeamMember, Venue
from medstead_graphql.types.campaigns import CampaignQuestions
from medstead_graphql.types.certificates import Certificate, CertificateRun, CertificateTemplate
from medstead_graphql.types.champions import (
    CHAMPION_SUMMARY,
    RETENTION,
    ChampionSummary,
    LearnerStep,
    PathwayStep,
    RetentionRow,
)
from medstead_graphql.types.courses import CourseMerge
from medstead_graphql.types.directory import Employer, Learner, LearnerMerge, Location, Tenant
from medstead_graphql.types.elearning import ELearningQuestions
from medstead_graphql.types.evidence import FigurePoint, ImpactSummary, MetricDefinition, PeriodInput, impact_source
from medstead_graphql.types.funding import FundingQuestions
from medstead_graphql.types.governance import GovernanceQuestions
from medstead_graphql.types.imports import Import, ImportRow
from medstead_graphql.types.learner_records import (
    CONFIDENCE_CHANGES,
    COVERAGE,
    OPEN_PROGRAMMES,
    OVERSIGHT,
    AssessorRule,
    CompetenceAssessment,
    CompetenceCoverage,
    ConfidenceChange,
    ConfidenceRating,
    CourseProgress,
    OpenProgramme,
    OversightRow,
)
from medstead_graphql.types.mapping import (
    CourseInUse,
    CourseReach,
    GuidanceDocument,
    MappingExercise,
    MappingGap,
    ProgrammeOrigin,
    ProgrammeTemplate,
    Topic,
    TopicInUse,
    in_use,
    reach_in,
)
from medstead_graphql.types.messages import (
    Message,
    MessageObjection,
    MessageTemplate,
    NudgeRule,
    Reminder,
    ReminderRule,
)
from medstead_graphql.types.registry import Organisation
from medstead_graphql.types.reporting import ReportSnapshot
from medstead_graphql.types.requirements import (
    ChampionNomination,
    EmploymentTask,
    LearnerStanding,
    PrerequisiteOverride,
    PrerequisiteRule,
    Programme,
    ProviderGroup,
    Requirement,
)
from medstead_graphql.types.training import (
    Attendance,
    Completion,
    Course,
    FeedbackForm,
    MedicationChampion,
    Session,
    Tier,
    TrainingProvider,
)
from medstead_graphql.types.webhooks import WebhookDelivery, WebhookEndpoint
from tenants import models as registry


@strawberry.type(description="Reads. Everything is seen within the tenant that the caller's token is for.")
class Query(BookingQuestions, CampaignQuestions, ELearningQuestions, FundingQuestions, GovernanceQuestions):
    """Reads."""

    tenant: Tenant = one(registry.Tenant, join=lambda _, tenant, compilation: tenant.c.id == compilation.tenant)
    organisations: Connection[Organisation] = many(
        listings.ORGANISATION, description="Boards and councils, current and historic: shared reference data."
    )
    node: Node | None = node_by_id(description="Any row by its id; null if this tenant has none such.")
    nodes: list[Node | None] = nodes_by_ids(
        description="Rows by their ids, at most 100, in the order of the ids; null for each that this tenant has not."
    )
    impact_summary: ImpactSummary = inline(
        impact_source,
        arguments={"period": PeriodInput},
        scope="evidence:read",
        description="The programme's impact figures of a period, each counted from rows and explained.",
    )
    metric_definitions: Connection[MetricDefinition] = many(listings.METRIC_DEFINITION)
    figure_points: Connection[FigurePoint] = many(
        listings.FIGURE_POINT, description="Monthly series of the figures, as last refreshed."
    )
    report: ReportSnapshot | None = by_id(reporting.ReportSnapshot)
    reports: Connection[ReportSnapshot] = many(listings_reporting.SNAPSHOT, description="Reports, newest first.")
    location: Location | None = by_id(directory.TenantLocation)
    locations: Connection[Location] = many(listings.LOCATION)
    employers: Connection[Employer] = many(listings.EMPLOYER)
    learner: Learner | None = by_id(directory.Learner)
    learners: Connection[Learner] = many(listings.LEARNER)
    learner_merges: Connection[LearnerMerge] = many(listings.LEARNER_MERGE)
    provider_groups: Connection[ProviderGroup] = many(listings_requirements.PROVIDER_GROUP)
    programme: Programme | None = by_id(training.Programme)
    programmes: Connection[Programme] = many(listings_requirements.PROGRAMME)
    tiers: Connection[Tier] = many(listings.TIER)
    prerequisites: Connection[PrerequisiteRule] = many(listings_requirements.PREREQUISITE_RULE)
    prerequisite_overrides: Connection[PrerequisiteOverride] = many(listings_requirements.PREREQUISITE_OVERRIDE)
    nomination: ChampionNomination | None = by_id(requirements.ChampionNomination)
    nominations: Connection[ChampionNomination] = many(listings_requirements.NOMINATION)
    open_programmes: list[OpenProgramme] = OPEN_PROGRAMMES
    requirements: Connection[Requirement] = many(listings_requirements.REQUIREMENT)
    employment_tasks: Connection[EmploymentTask] = many(listings_requirements.TASK)
    standings: Connection[LearnerStanding] = many(listings_requirements.STANDING)
    course_progress: Connection[CourseProgress] = many(listings_requirements.PROGRESS)
    assessor_rules: Connection[AssessorRule] = many(listings_requirements.ASSESSOR_RULE)
    competence_assessments: Connection[CompetenceAssessment] = many(listings_requirements.ASSESSMENT)
    competence_coverage: CompetenceCoverage = COVERAGE
    confidence_ratings: Connection[ConfidenceRating] = many(listings_requirements.CONFIDENCE)
    confidence_changes: list[ConfidenceChange] = CONFIDENCE_CHANGES
    oversight: list[OversightRow] = OVERSIGHT
    training_providers: Connection[TrainingProvider] = many(listings.TRAINING_PROVIDER)
    course: Course | None = by_id(training.Course)
    courses: Connection[Course] = many(listings.COURSE)
    course_merges: Connection[CourseMerge] = many(listings_mapping.COURSE_MERGE)
    courses_in_use: list[CourseInUse] = inline(
        in_use(mapping_reports.courses_in_use),
        scope="training:read",
        description="Courses that people have completed, those that most employers rely on first.",
    )
    topics_in_use: list[TopicInUse] = inline(
        in_use(mapping_reports.topics_in_use),
        scope="training:read",
        description="Each topic with its distinct courses in use, by the latest locked mapping exercise.",
    )
    course_reach: list[CourseReach] = inline(
        reach_in(mapping_reports.reach),
        arguments={"language": str | None},
        scope="directory:read",
        description="Each employer with the courses that it can reach, at most 5,000.",
    )
    access_gaps: list[CourseReach] = inline(
        reach_in(mapping_reports.access_gaps),
        arguments={"language": str | None},
        scope="directory:read",
        description="Employers that can reach no course of tier 1.",
    )
    topic: Topic | None = by_id(mapping.Topic)
    topics: Connection[Topic] = many(listings_mapping.TOPIC)
    guidance_document: GuidanceDocument | None = by_id(mapping.GuidanceDocument)
    guidance_documents: Connection[GuidanceDocument] = many(listings_mapping.GUIDANCE_DOCUMENT)
    mapping_exercise: MappingExercise | None = by_id(mapping.MappingExercise)
    mapping_exercises: Connection[MappingExercise] = many(listings_mapping.EXERCISE)
    mapping_gaps: Connection[MappingGap] = many(listings_mapping.GAP)
    programme_templates: Connection[ProgrammeTemplate] = many(
        listings_mapping.TEMPLATE, description="Programmes that tenants gave to all others."
    )
    programme_origins: Connection[ProgrammeOrigin] = many(listings_mapping.ORIGIN)
    completions: Connection[Completion] = many(listings.COMPLETION)
    session: Session | None = by_id(training.TrainingSession)
    sessions: Connection[Session] = many(listings.SESSION)
    attendances: Connection[Attendance] = many(listings.ATTENDANCE)
    session_series: Connection[SessionSeries] = many(listings_booking.SESSION_SERIES)
    venues: Connection[Venue] = many(listings_booking.VENUE)
    team_members: Connection[TeamMember] = many(listings_booking.TEAM_MEMBER)
    booking: Booking | None = by_id(booking_models.Booking)
    bookings: Connection[Booking] = many(listings_booking.BOOKING)
    champions: Connection[MedicationChampion] = many(listings.CHAMPION)
    champion_summary: ChampionSummary = CHAMPION_SUMMARY
    retention: list[RetentionRow] = RETENTION
    pathway_steps: Connection[PathwayStep] = many(listings_certificates.PATHWAY_STEP)
    learner_steps: Connection[LearnerStep] = many(listings_certificates.LEARNER_STEP)
    certificate_templates: Connection[CertificateTemplate] = many(listings_certificates.TEMPLATE)
    certificate_run: CertificateRun | None = by_id(certificate_models.CertificateRun)
    certificate_runs: Connection[CertificateRun] = many(listings_certificates.RUN)
    certificate: Certificate | None = by_id(certificate_models.Certificate)
    certificates: Connection[Certificate] = many(listings_certificates.CERTIFICATE)
    feedback_forms: Connection[FeedbackForm] = many(listings.FEEDBACK_FORM)
    import_: Import | None = by_id(imports.ImportRun, name="import")
    imports: Connection[Import] = many(listings.IMPORT)
    import_rows: Connection[ImportRow] = many(listings.IMPORT_ROW)
    message: Message | None = by_id(messages.Message)
    messages: Connection[Message] = many(listings_messages.MESSAGE)
    message_templates: Connection[MessageTemplate] = many(listings_messages.TEMPLATE)
    message_objections: Connection[MessageObjection] = many(listings_messages.OBJECTION)
    reminder_rules: Connection[ReminderRule] = many(listings_messages.REMINDER_RULE)
    reminders: Connection[Reminder] = many(listings_messages.REMINDER)
    nudge_rules: Connection[NudgeRule] = many(listings_messages.NUDGE_RULE)
    webhook_endpoint: WebhookEndpoint | None = by_id(webhooks.WebhookEndpoint)
    webhook_endpoints: Connection[WebhookEndpoint] = many(listings.WEBHOOK_ENDPOINT)
    webhook_delivery: WebhookDelivery | None = by_id(webhooks.WebhookDelivery)
    webhook_deliveries: Connection[WebhookDelivery] = many(
        listings.WEBHOOK_DELIVERY, description="What was sent, or is to be sent: 30 days of it."
    )
