"""Root fields for reading."""

import strawberry

from app.directory import models as directory
from app.imports import models as imports
from app.training import models as training
from app.webhooks import models as webhooks
from medstead_graphql.compiler.declare import Connection, by_id, inline, many, node_by_id, one
from medstead_graphql.types import listings
from medstead_graphql.types.common import Node
from medstead_graphql.types.directory import Employer, Learner, LearnerMerge, Location, Tenant
from medstead_graphql.types.evidence import FigurePoint, ImpactSummary, MetricDefinition, PeriodInput, impact_source
from medstead_graphql.types.imports import Import, ImportRow
from medstead_graphql.types.registry import Organisation
from medstead_graphql.types.training import (
    Attendance,
    Completion,
    Course,
    FeedbackForm,
    MedicationChampion,
    Session,
)
from medstead_graphql.types.webhooks import WebhookDelivery, WebhookEndpoint
from tenants import models as registry


@strawberry.type(description="Reads. Everything is seen within the tenant that the caller's token is for.")
class Query:
    """Reads."""

    tenant: Tenant = one(registry.Tenant, join=lambda _, tenant, compilation: tenant.c.id == compilation.tenant)
    organisations: Connection[Organisation] = many(
        listings.ORGANISATION, description="Boards and councils, current and historic: shared reference data."
    )
    node: Node | None = node_by_id(description="Any row by its id; null if this tenant has none such.")
    impact_summary: ImpactSummary = inline(
        impact_source,
        arguments={"period": PeriodInput},
        scope="evidence:read",
        description="The programme's impact figures of a period, each counted from rows and explained.",
    )
    metric_definitions: Connection[MetricDefinition] = many(listings.METRIC_DEFINITION)
    figure_points: Connection[FigurePoint] = many(
        listings.FIGURE_POINT, scope="evidence:read", description="Monthly series of the figures, as last refreshed."
    )
    location: Location | None = by_id(directory.TenantLocation, scope="directory:read")
    locations: Connection[Location] = many(listings.LOCATION, scope="directory:read")
    employers: Connection[Employer] = many(listings.EMPLOYER, scope="directory:read")
    learner: Learner | None = by_id(directory.Learner, scope="directory:read")
    learners: Connection[Learner] = many(listings.LEARNER, scope="directory:read")
    learner_merges: Connection[LearnerMerge] = many(listings.LEARNER_MERGE, scope="directory:read")
    courses: Connection[Course] = many(listings.COURSE, scope="training:read")
    completions: Connection[Completion] = many(listings.COMPLETION, scope="training:read")
    session: Session | None = by_id(training.TrainingSession, scope="training:read")
    sessions: Connection[Session] = many(listings.SESSION, scope="training:read")
    attendances: Connection[Attendance] = many(listings.ATTENDANCE, scope="training:read")
    champions: Connection[MedicationChampion] = many(listings.CHAMPION, scope="training:read")
    feedback_forms: Connection[FeedbackForm] = many(listings.FEEDBACK_FORM, scope="training:read")
    import_: Import | None = by_id(imports.ImportRun, scope="imports:read", name="import")
    imports: Connection[Import] = many(listings.IMPORT, scope="imports:read")
    import_rows: Connection[ImportRow] = many(listings.IMPORT_ROW, scope="imports:read")
    webhook_endpoint: WebhookEndpoint | None = by_id(webhooks.WebhookEndpoint, scope="webhooks:write")
    webhook_endpoints: Connection[WebhookEndpoint] = many(listings.WEBHOOK_ENDPOINT, scope="webhooks:write")
    webhook_delivery: WebhookDelivery | None = by_id(webhooks.WebhookDelivery, scope="webhooks:write")
    webhook_deliveries: Connection[WebhookDelivery] = many(
        listings.WEBHOOK_DELIVERY, scope="webhooks:write", description="What was sent, or is to be sent: 30 days of it."
    )
