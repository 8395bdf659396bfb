"""Which rows can be listed, filtered by what, ordered by what."""

from app.directory import models as directory
from app.evidence import models as evidence
from app.imports import models as imports
from app.training import models as training
from app.webhooks import models as webhooks
from medstead_graphql.compiler.listing import listing
from medstead_graphql.types.common import PEOPLE
from tenants import models as registry

ORGANISATION = listing(
    "Organisation",
    registry.Organisation,
    filters=("kind", "name", "established_on", "abolished_on"),
    orders=("name", "established_on"),
    default_order=("name",),
)
CQC_LOCATION = listing(
    "CqcLocation",
    directory.CqcLocation,
    filters=(
        "name",
        "care_home",
        "dormant",
        "primary_setting",
        "latest_rating",
        "deregistered_on",
        "local_authority",
        "icb_code",
        "postcode",
    ),
    links={"provider": "CqcProvider"},
)
CQC_PROVIDER = listing("CqcProvider", directory.CqcProvider, filters=("name",))
LOCATION = listing(
    "Location",
    directory.TenantLocation,
    filters=("location_id", "relationship", "since", "until"),
    orders=("location_id", "since"),
    default_order=("location_id",),
    links={"cqc": "CqcLocation"},
    lists={"employers": "Employer", "champions": "MedicationChampion"},
)
EMPLOYER = listing(
    "Employer",
    directory.Employer,
    filters=("name", "kind", "tenant_location_id"),
    orders=("name",),
    default_order=("name",),
    links={"location": "Location"},
    lists={"employments": "Employment"},
)
LEARNER = listing(
    "Learner",
    directory.Learner,
    filters=("display_name", "family_name", "created_at", "merged_into_id"),
    orders=("name_key", "created_at"),
    default_order=("name_key",),
    links={"mergedInto": "Learner"},
    lists={
        "employments": "Employment",
        "completions": "Completion",
        "attendances": "Attendance",
        "championRoles": "MedicationChampion",
        "bookings": "Booking",
        "tasks": "EmploymentTask",
        "standing": "LearnerStanding",
        "progress": "CourseProgress",
        "competenceAssessments": "CompetenceAssessment",
        "nominations": "ChampionNomination",
        "certificates": "Certificate",
        "pathwaySteps": "LearnerStep",
    },
    scopes=dict.fromkeys(("display_name", "family_name", "name_key"), PEOPLE),
)
EMPLOYMENT = listing(
    "Employment",
    directory.Employment,
    filters=("learner_id", "employer_id", "job_role_code", "setting", "started_on", "ended_on"),
    orders=("started_on", "ended_on"),
    default_order=("-started_on",),
    links={"learner": "Learner", "employer": "Employer"},
)
LEARNER_MERGE = listing(
    "LearnerMerge",
    directory.LearnerMerge,
    filters=("kept_learner_id", "merged_learner_id", "merged_at", "undone_at"),
    orders=("merged_at",),
    default_order=("-merged_at",),
    links={"kept": "Learner", "merged": "Learner"},
)
TIER = listing(
    "Tier",
    training.Tier,
    filters=("position", "name", "programme_id"),
    orders=("position",),
    default_order=("position",),
    links={"programme": "Programme"},
    lists={"courses": "Course", "prerequisites": "PrerequisiteRule"},
)
TRAINING_PROVIDER = listing(
    "TrainingProvider", training.TrainingProvider, filters=("name",), orders=("key",), default_order=("key",)
)
COURSE = listing(
    "Course",
    training.Course,
    filters=(
        "title",
        "version",
        "training_provider_id",
        "tier_id",
        "scope",
        "delivery_mode",
        "access_kind",
        "duration_minutes",
        "review_on",
        "status",
    ),
    orders=("title_key", "created_at"),
    default_order=("title_key",),
    links={"trainingProvider": "TrainingProvider", "tier": "Tier"},
    lists={"completions": "Completion", "accreditations": "CourseAccreditation", "access": "CourseAccess"},
)
COMPLETION = listing(
    "Completion",
    training.Completion,
    filters=("learner_id", "course_id", "completed_at", "minutes", "short_duration", "import_id"),
    orders=("completed_at", "created_at"),
    default_order=("-completed_at",),
    links={"learner": "Learner", "course": "Course"},
)
SESSION = listing(
    "Session",
    training.TrainingSession,
    filters=("title", "kind", "state", "tier_id", "venue_id", "series_id", "starts_at", "online_mode"),
    orders=("starts_at", "title"),
    default_order=("-starts_at",),
    links={"tier": "Tier", "venue": "Venue", "series": "SessionSeries"},
    lists={"attendances": "Attendance", "bookings": "Booking"},
)
ATTENDANCE = listing(
    "Attendance",
    training.Attendance,
    filters=("session_id", "learner_id", "qualifies", "seconds"),
    orders=("updated_at",),
    default_order=(),
    links={"learner": "Learner", "session": "Session"},
)
CHAMPION = listing(
    "MedicationChampion",
    training.MedicationChampion,
    filters=("learner_id", "tenant_location_id", "trained_on", "started_on", "ended_on", "deputy", "state"),
    orders=("trained_on",),
    default_order=("-trained_on",),
    links={"learner": "Learner", "location": "Location"},
)
FEEDBACK_FORM = listing(
    "FeedbackForm",
    training.FeedbackForm,
    filters=("title", "tier_id"),
    orders=("title", "created_at"),
    default_order=("title",),
    links={"tier": "Tier"},
    lists={"questions": "FeedbackQuestion", "responses": "FeedbackResponse"},
)
FEEDBACK_QUESTION = listing(
    "FeedbackQuestion", training.FeedbackQuestion, filters=("scale",), orders=("position",), default_order=("position",)
)
FEEDBACK_RESPONSE = listing(
    "FeedbackResponse",
    training.FeedbackResponse,
    filters=("form_id", "submitted_at"),
    orders=("submitted_at",),
    default_order=("-submitted_at",),
    links={"form": "FeedbackForm"},
    lists={"answers": "FeedbackAnswer"},
)
FEEDBACK_ANSWER = listing(
    "FeedbackAnswer",
    training.FeedbackAnswer,
    filters=("question_id", "option_number"),
    orders=("option_number",),
    default_order=(),
    links={"question": "FeedbackQuestion"},
)
IMPORT = listing(
    "Import",
    imports.ImportRun,
    filters=("format_code", "state", "created_at", "filename"),
    orders=("created_at",),
    default_order=("-created_at",),
    lists={"rows": "ImportRow"},
)
IMPORT_ROW = listing(
    "ImportRow",
    imports.ImportRow,
    filters=("import_id", "kind", "state", "reason_code", "row_number"),
    orders=("row_number", "created_at"),
    default_order=("row_number",),
    links={"learner": "Learner", "inImport": "Import"},
)
METRIC_DEFINITION = listing(
    "MetricDefinition",
    evidence.MetricDefinition,
    filters=("code", "version", "effective_to"),
    orders=("code", "version"),
    default_order=("code", "version"),
)
FIGURE_POINT = listing(
    "FigurePoint",
    evidence.TenantMetric,
    filters=("metric_code", "period_start", "period_end"),
    orders=("period_start", "metric_code"),
    default_order=("metric_code", "period_start"),
)
WEBHOOK_ENDPOINT = listing(
    "WebhookEndpoint",
    webhooks.WebhookEndpoint,
    filters=("state", "created_at"),
    orders=("created_at",),
    default_order=("created_at",),
    lists={"deliveries": "WebhookDelivery"},
)
WEBHOOK_EVENT = listing("WebhookEvent", webhooks.WebhookEvent, filters=("type", "subject", "occurred_at"))
WEBHOOK_DELIVERY = listing(
    "WebhookDelivery",
    webhooks.WebhookDelivery,
    filters=("endpoint_id", "event_id", "state", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
    links={"endpoint": "WebhookEndpoint", "event": "WebhookEvent", "replayOf": "WebhookDelivery"},
    lists={"attempts": "WebhookAttempt"},
)
WEBHOOK_ATTEMPT = listing(
    "WebhookAttempt",
    webhooks.WebhookAttempt,
    filters=("status_code", "error_code"),
    orders=("number",),
    default_order=("number",),
    links={"delivery": "WebhookDelivery"},
)
