"""Which reports can be listed, filtered by what, ordered by what."""

from app.reporting import models
from medstead_graphql.compiler.listing import listing

SNAPSHOT = listing(
    "ReportSnapshot",
    models.ReportSnapshot,
    filters=("kind", "state", "first_day", "last_day", "requested_at"),
    orders=("requested_at",),
    default_order=("-requested_at",),
    links={"provider": "CqcProvider", "providerGroup": "ProviderGroup"},
)
