"""Which rows of e-learning and refunds can be listed, filtered by what, ordered by what."""

from app.training.elearning import models as elearning
from app.training.refunds import models as refunds
from medstead_graphql.compiler.listing import listing

SYSTEM = listing(
    "LearningSystem",
    elearning.LearningSystem,
    filters=("name", "source", "active", "created_at"),
    orders=("name", "created_at"),
    default_order=("name",),
)
ACTIVITY = listing(
    "LearningActivity",
    elearning.LearningActivity,
    filters=("iri", "kind", "title", "course_id", "finishes", "move_on", "created_at"),
    orders=("title", "created_at"),
    default_order=("title",),
    links={"course": "Course"},
)
CLAIM = listing(
    "LdssClaim",
    refunds.LdssClaim,
    filters=("state", "due_on", "completed_on", "employer_id", "learner_id", "course_id", "changed_at"),
    orders=("due_on",),
    default_order=("due_on",),
    links={"learner": "Learner", "employer": "Employer", "course": "Course"},
)
