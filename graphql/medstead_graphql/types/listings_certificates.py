"""Which rows of certificates and of progression can be listed, filtered by what, ordered by what."""

from app.training.certificates import models
from app.training.champion_register import models as register
from medstead_graphql.compiler.listing import listing
from medstead_graphql.types.common import PEOPLE

TEMPLATE = listing(
    "CertificateTemplate",
    models.CertificateTemplate,
    filters=("version",),
    orders=("version",),
    default_order=("-version",),
)
RUN = listing(
    "CertificateRun",
    models.CertificateRun,
    filters=("session_id", "course_id", "state", "requested_at"),
    orders=("requested_at",),
    default_order=("-requested_at",),
    links={"session": "Session", "course": "Course", "template": "CertificateTemplate"},
    lists={"certificates": "Certificate"},
)
CERTIFICATE = listing(
    "Certificate",
    models.Certificate,
    filters=(
        "learner_id",
        "session_id",
        "course_id",
        "run_id",
        "state",
        "number",
        "verification_code",
        "title",
        "achieved_on",
        "valid_until",
        "issued_at",
    ),
    orders=("achieved_on", "issued_at", "valid_until"),
    default_order=("-issued_at",),
    links={"learner": "Learner", "session": "Session", "course": "Course", "run": "CertificateRun"},
    scopes=dict.fromkeys(("number", "verification_code"), PEOPLE),
)
PATHWAY_STEP = listing(
    "PathwayStep",
    register.PathwayStep,
    filters=("role_category", "position"),
    orders=("position",),
    default_order=("position",),
    lists={"learners": "LearnerStep"},
)
LEARNER_STEP = listing(
    "LearnerStep",
    register.LearnerStep,
    filters=("learner_id", "step_id", "reached_on"),
    orders=("reached_on",),
    default_order=("-reached_on",),
    links={"learner": "Learner", "step": "PathwayStep"},
)
