"""Which rows of governance and money can be listed, filtered by what, ordered by what."""

from app.governance import models
from app.training.funding import models as funding
from medstead_graphql.compiler.listing import listing
from medstead_graphql.types.common import PEOPLE

PARTNER = listing(
    "PartnerOrganisation",
    models.PartnerOrganisation,
    filters=("name", "kind"),
    orders=("name",),
    default_order=("name",),
)
ITEM = listing(
    "GovernanceItem",
    models.GovernanceItem,
    filters=(
        *("kind", "title", "status", "owner", "owner_organisation_id", "review_on", "due_on", "session_id"),
        *("created_at", "closed_at"),
    ),
    orders=("review_on", "due_on", "created_at"),
    default_order=("review_on",),
    links={"ownerOrganisation": "PartnerOrganisation", "session": "Session"},
    lists={"citations": "ThemeResponse", "changes": "ChangeTheme"},
    scopes={"owner": PEOPLE},
)
THEME_RESPONSE = listing(
    "ThemeResponse",
    models.ThemeResponse,
    filters=("theme_id", "response_id", "cited_at"),
    orders=("cited_at",),
    default_order=("-cited_at",),
    links={"theme": "GovernanceItem", "response": "FeedbackResponse"},
)
CONTENT_CHANGE = listing(
    "ContentChange",
    models.ContentChange,
    filters=("course_id", "session_id", "changed_on"),
    orders=("changed_on",),
    default_order=("-changed_on",),
    links={"course": "Course", "session": "Session"},
    lists={"themes": "ChangeTheme"},
)
CHANGE_THEME = listing(
    "ChangeTheme",
    models.ChangeTheme,
    filters=("change_id", "theme_id"),
    links={"change": "ContentChange", "theme": "GovernanceItem"},
)
PLAN = listing(
    "ActionPlan",
    models.ActionPlan,
    filters=("kind", "title", "status", "tenant_location_id", "due_on", "created_at"),
    orders=("due_on", "created_at"),
    default_order=("due_on",),
    links={"location": "Location", "provider": "CqcProvider", "ownerOrganisation": "PartnerOrganisation"},
    lists={"actions": "PlanAction"},
)
PLAN_ACTION = listing(
    "PlanAction",
    models.PlanAction,
    filters=("plan_id", "course_id", "session_id", "status", "due_on"),
    orders=("due_on",),
    default_order=("due_on",),
    links={"plan": "ActionPlan", "course": "Course", "session": "Session"},
)
OBJECTIVE = listing(
    "StrategicObjective",
    models.StrategicObjective,
    filters=("title", "status"),
    orders=("title",),
    default_order=("title",),
    lists={"tags": "ObjectiveTag"},
)
OBJECTIVE_TAG = listing(
    "ObjectiveTag",
    models.ObjectiveTag,
    filters=("objective_id", "programme_id", "course_id", "plan_id"),
    links={"objective": "StrategicObjective", "programme": "Programme", "course": "Course", "plan": "ActionPlan"},
)
RECOGNITION = listing(
    "Recognition",
    models.Recognition,
    filters=("award", "body", "awarded_on"),
    orders=("awarded_on",),
    default_order=("-awarded_on",),
)
INCIDENT_CATEGORY = listing(
    "IncidentCategory",
    models.IncidentCategory,
    filters=("name", "topic_id"),
    orders=("name",),
    default_order=("name",),
    links={"topic": "Topic"},
)
INCIDENT = listing(
    "MedicineIncident",
    models.MedicineIncident,
    filters=("category_id", "stage", "harm", "tenant_location_id", "occurred_on", "safeguarding_raised"),
    orders=("occurred_on",),
    default_order=("-occurred_on",),
    links={"category": "IncidentCategory", "location": "Location"},
    lists={"learningNeeds": "LearningNeed"},
)
LEARNING_NEED = listing(
    "LearningNeed",
    models.LearningNeed,
    filters=("incident_id", "topic_id", "tenant_location_id", "status", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
    links={"incident": "MedicineIncident", "topic": "Topic", "location": "Location"},
)
STREAM = listing(
    "FundingStream",
    funding.FundingStream,
    filters=("name", "funder", "amount", "starts_on", "ends_on"),
    orders=("starts_on",),
    default_order=("-starts_on",),
    lists={"courses": "FundedCourse", "pools": "LicencePool"},
)
FUNDED_COURSE = listing(
    "FundedCourse",
    funding.FundedCourse,
    filters=("stream_id", "course_id"),
    links={"stream": "FundingStream", "course": "Course"},
)
POOL = listing(
    "LicencePool",
    funding.LicencePool,
    filters=("name", "course_id", "stream_id", "seats", "beyond", "starts_on", "ends_on"),
    orders=("starts_on",),
    default_order=("-starts_on",),
    links={"course": "Course", "stream": "FundingStream"},
    lists={"enrolments": "LicenceEnrolment"},
)
ENROLMENT = listing(
    "LicenceEnrolment",
    funding.LicenceEnrolment,
    filters=("pool_id", "learner_id", "state", "enrolled_at", "charged_at", "released_at"),
    orders=("enrolled_at",),
    default_order=("-enrolled_at",),
    links={"pool": "LicencePool", "learner": "Learner"},
)
RATE = listing(
    "StaffRate",
    funding.StaffRate,
    filters=("profession", "valid_from"),
    orders=("valid_from",),
    default_order=("-valid_from",),
)
TIME_LOG = listing(
    "TimeLog",
    funding.TimeLog,
    filters=("session_id", "team_member_id", "activity", "logged_at"),
    orders=("logged_at",),
    default_order=("-logged_at",),
    links={"session": "Session", "teamMember": "TeamMember"},
)
