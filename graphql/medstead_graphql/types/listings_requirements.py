"""Which rows of the programme's rules can be listed, filtered by what, ordered by what."""

from app.directory import models as directory
from app.training import models as training
from app.training.requirements import models
from medstead_graphql.compiler.listing import listing

PROVIDER_GROUP = listing(
    "ProviderGroup", directory.ProviderGroup, filters=("name",), orders=("name",), default_order=("name",)
)
PROGRAMME = listing(
    "Programme",
    training.Programme,
    filters=("name", "scope", "status", "provider_group_id", "cqc_provider_id"),
    orders=("name",),
    default_order=("name",),
    links={"providerGroup": "ProviderGroup"},
    lists={"tiers": "Tier"},
)
PREREQUISITE_RULE = listing(
    "PrerequisiteRule",
    models.PrerequisiteRule,
    filters=("tier_id", "kind", "alternatives"),
    orders=("alternatives",),
    default_order=("alternatives",),
    links={"tier": "Tier", "needsTier": "Tier", "needsCourse": "Course"},
)
PREREQUISITE_OVERRIDE = listing(
    "PrerequisiteOverride",
    models.PrerequisiteOverride,
    filters=("learner_id", "tier_id", "rule_id", "until", "ended_at"),
    orders=("granted_at",),
    default_order=("-granted_at",),
    links={"learner": "Learner", "tier": "Tier", "rule": "PrerequisiteRule"},
)
NOMINATION = listing(
    "ChampionNomination",
    models.ChampionNomination,
    filters=("learner_id", "tenant_location_id", "status", "nominated_at", "decided_at"),
    orders=("nominated_at",),
    default_order=("-nominated_at",),
    links={"learner": "Learner", "location": "Location"},
)
REQUIREMENT = listing(
    "Requirement",
    models.Requirement,
    filters=("programme_id", "job_role_code", "setting", "task", "topic_code", "tier_id"),
    orders=("created_at",),
    default_order=("created_at",),
    links={"programme": "Programme", "tier": "Tier"},
    lists={"standing": "LearnerStanding"},
)
TASK = listing(
    "EmploymentTask",
    models.EmploymentTask,
    filters=("learner_id", "employer_id", "task"),
    orders=("task",),
    default_order=("task",),
    links={"learner": "Learner", "employer": "Employer"},
)
STANDING = listing(
    "LearnerStanding",
    models.LearnerStanding,
    filters=("learner_id", "employer_id", "requirement_id", "state", "since", "valid_until"),
    orders=("since",),
    default_order=("-since",),
    links={"learner": "Learner", "employer": "Employer", "requirement": "Requirement"},
)
PROGRESS = listing(
    "CourseProgress",
    models.CourseProgress,
    filters=("learner_id", "course_id", "state", "told_at"),
    orders=("told_at",),
    default_order=("-told_at",),
    links={"learner": "Learner", "course": "Course"},
)
ASSESSOR_RULE = listing(
    "AssessorRule",
    models.AssessorRule,
    filters=("job_role_code", "profession"),
    orders=("created_at",),
    default_order=("created_at",),
)
ASSESSMENT = listing(
    "CompetenceAssessment",
    models.CompetenceAssessment,
    filters=("learner_id", "assessor_learner_id", "outcome", "assessed_on", "review_due_on"),
    orders=("assessed_on", "review_due_on"),
    default_order=("-assessed_on",),
    links={"learner": "Learner", "assessor": "Learner"},
)
CONFIDENCE = listing(
    "ConfidenceRating",
    models.ConfidenceRating,
    filters=("learner_id", "tier_id", "topic_code", "moment", "rated_on"),
    orders=("rated_on",),
    default_order=("-rated_on",),
    links={"learner": "Learner", "tier": "Tier"},
)
