"""Every table of the application, imported in one place for migrations and checks."""

from app.directory import models as directory
from app.evidence import models as evidence
from app.governance import models as governance
from app.identity import models as identity
from app.imports import models as imports
from app.messaging import models as messaging
from app.outside import models as outside
from app.refreshing import models as refreshing
from app.reporting import models as reporting
from app.training import models as training
from app.training.asc_wds import models as asc_wds
from app.training.booking import models as booking
from app.training.certificates import models as certificates
from app.training.champion_register import models as champion_register
from app.training.elearning import models as elearning
from app.training.funding import models as funding
from app.training.mapping import models as mapping
from app.training.refunds import models as refunds
from app.training.requirements import models as requirements
from app.training.sessions import models as sessions
from app.webhooks import models as webhooks
from tenants import audit, bookkeeping, outbox
from tenants import models as registry
from tenants.base import metadata

__all__ = [
    "asc_wds",
    "audit",
    "booking",
    "bookkeeping",
    "certificates",
    "champion_register",
    "directory",
    "elearning",
    "evidence",
    "funding",
    "governance",
    "identity",
    "imports",
    "mapping",
    "messaging",
    "metadata",
    "outbox",
    "outside",
    "refreshing",
    "refunds",
    "registry",
    "reporting",
    "requirements",
    "sessions",
    "training",
    "webhooks",
]
