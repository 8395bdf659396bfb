"""Types of certificates: templates, runs with their progress, certificates."""

import enum
from datetime import date, datetime

import strawberry

from app.directory import models as directory
from app.training import models as training
from app.training.certificates import models
from medstead_graphql.compiler.declare import Connection, Node, column, many, node, one
from medstead_graphql.types import listings_certificates
from medstead_graphql.types.common import JSON, PEOPLE
from medstead_graphql.types.directory import Learner
from medstead_graphql.types.training import Course, Session


@strawberry.enum(description="How long certificates are valid.")
class ExpiryRule(enum.Enum):
    """Expiry rules."""

    TIER = "tier"
    MONTHS = "months"
    NEVER = "never"


@strawberry.enum(description="How far the issuing of certificates has come.")
class CertificateRunState(enum.Enum):
    """States of a run."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


@strawberry.enum(description="Whether a certificate stands. One that was issued counts up to its last day.")
class CertificateState(enum.Enum):
    """States of a certificate."""

    ISSUED = "issued"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@node(
    models.CertificateTemplate,
    scope="training:read",
    description="What certificates say of their issuer. The highest version counts for new ones; none is ever changed.",
)
class CertificateTemplate(Node):
    """A template."""

    version: int = column(description="Send this back when you save the next version.")
    issuer_name: str = column()
    signatory_name: str | None = column(scope=PEOPLE)
    signatory_role: str = column()
    disclaimer: str = column(description="It stands on guidance too.")
    expiry_rule: ExpiryRule = column()
    validity_months: int | None = column()
    colour: str = column()
    logo_text: str = column()
    created_at: datetime = column()


@node(
    models.CertificateRun,
    scope="training:read",
    description="Certificates for everybody who attended a session or completed a course, with its progress.",
)
class CertificateRun(Node):
    """A run."""

    state: CertificateRunState = column()
    wanted: int = column(description="How many it is to issue.")
    done: int = column()
    failed: int = column()
    failures: JSON = column(description="Learner and code of each that failed, such as NAME_MISSING.")
    completed_from: date | None = column()
    completed_until: date | None = column()
    requested_at: datetime = column()
    finished_at: datetime | None = column()
    session: Session | None = one(training.TrainingSession, key="session_id")
    course: Course | None = one(training.Course, key="course_id")
    template: CertificateTemplate = one(models.CertificateTemplate, key="template_id")
    certificates: Connection["Certificate"] = many(listings_certificates.CERTIFICATE, on="run_id")


@node(
    models.Certificate,
    scope="training:read",
    description="What was certified, as it was on the day of issue. Only its state changes.",
)
class Certificate(Node):
    """A certificate."""

    state: CertificateState = column()
    number: str | None = column(scope=PEOPLE)
    verification_code: str | None = column(
        scope=PEOPLE, description="Shows name and course to whoever has it, at /verify/{tenant}/{code}."
    )
    learner_name: str | None = column(scope=PEOPLE)
    title: str = column(description="Of the session or course, as it was.")
    tier_name: str | None = column()
    minutes: int | None = column()
    achieved_on: date = column()
    valid_until: date | None = column(description="The last day on which it counts; null: it does not end.")
    issuer_name: str = column()
    disclaimer: str = column()
    accreditation: JSON = column(description="Accreditations of the course that applied on the day of completion.")
    issued_at: datetime = column()
    reissued_because: str | None = column(scope=PEOPLE, description="Free text may name people.")
    revoked_at: datetime | None = column()
    revoked_because: str | None = column(scope=PEOPLE, description="Free text may name people.")
    learner: Learner = one(directory.Learner, key="learner_id")
    session: Session | None = one(training.TrainingSession, key="session_id")
    course: Course | None = one(training.Course, key="course_id")
    run: CertificateRun | None = one(models.CertificateRun, key="run_id")
    template: CertificateTemplate = one(models.CertificateTemplate, key="template_id")
    follows: "Certificate | None" = one(
        models.Certificate, key="follows_id", description="The certificate that it was issued anew for."
    )
