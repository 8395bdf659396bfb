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
LOCATION = listing(
    "Location",
    directory.TenantLocation,
    filters=("location_id", "relationship", "since", "until"),
    orders=("location_id", "since"),
    default_order=("location_id",),
)
EMPLOYER = listing(
    "Employer",
    directory.Employer,
    filters=("name", "kind", "tenant_location_id"),
    orders=("name", "created_at"),
    default_order=("name",),
)
LEARNER = listing(
    "Learner",
    directory.Learner,
    filters=("display_name", "family_name", "created_at", "merged_into_id"),
    orders=("name_key", "created_at"),
    default_order=("name_key",),
    scopes=dict.fromkeys(("display_name", "family_name", "name_key"), PEOPLE),
)
EMPLOYMENT = listing(
    "Employment",
    directory.Employment,
    filters=("learner_id", "employer_id", "job_role_code", "setting", "started_on", "ended_on"),
    orders=("started_on", "ended_on"),
    default_order=("-started_on",),
)
LEARNER_MERGE = listing(
    "LearnerMerge",
    directory.LearnerMerge,
    filters=("kept_learner_id", "merged_learner_id", "merged_at", "undone_at"),
    orders=("merged_at",),
    default_order=("-merged_at",),
)
COURSE = listing(
    "Course",
    training.Course,
    filters=("title", "version", "training_provider_id", "tier_id"),
    orders=("title_key", "created_at"),
    default_order=("title_key",),
)
COMPLETION = listing(
    "Completion",
    training.Completion,
    filters=("learner_id", "course_id", "completed_at", "minutes", "short_duration", "import_id"),
    orders=("completed_at", "minutes", "created_at"),
    default_order=("-completed_at",),
)
SESSION = listing(
    "Session",
    training.TrainingSession,
    filters=("title", "tier_id", "starts_at", "online_mode"),
    orders=("starts_at", "title"),
    default_order=("-starts_at",),
)
ATTENDANCE = listing(
    "Attendance",
    training.Attendance,
    filters=("session_id", "learner_id", "qualifies", "seconds"),
    orders=("seconds", "updated_at"),
    default_order=(),
)
CHAMPION = listing(
    "MedicationChampion",
    training.MedicationChampion,
    filters=("learner_id", "tenant_location_id", "trained_on", "started_on", "ended_on", "deputy"),
    orders=("trained_on", "started_on", "ended_on"),
    default_order=("-trained_on",),
)
FEEDBACK_FORM = listing(
    "FeedbackForm",
    training.FeedbackForm,
    filters=("title", "tier_id"),
    orders=("title", "created_at"),
    default_order=("title",),
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
)
FEEDBACK_ANSWER = listing(
    "FeedbackAnswer",
    training.FeedbackAnswer,
    filters=("question_id", "option_number"),
    orders=("option_number",),
    default_order=(),
)
IMPORT = listing(
    "Import",
    imports.ImportRun,
    filters=("format_code", "state", "created_at", "filename"),
    orders=("created_at",),
    default_order=("-created_at",),
)
IMPORT_ROW = listing(
    "ImportRow",
    imports.ImportRow,
    filters=("import_id", "kind", "state", "reason_code", "row_number"),
    orders=("row_number", "created_at"),
    default_order=("row_number",),
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
)
WEBHOOK_DELIVERY = listing(
    "WebhookDelivery",
    webhooks.WebhookDelivery,
    filters=("endpoint_id", "event_id", "state", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
)
WEBHOOK_ATTEMPT = listing(
    "WebhookAttempt",
    webhooks.WebhookAttempt,
    filters=("status_code", "error_code"),
    orders=("number",),
    default_order=("number",),
)
