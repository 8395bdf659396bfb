"""Which rows of campaigns and contacts can be listed, filtered by what, ordered by what."""

from app.messaging import models
from medstead_graphql.compiler.listing import listing
from medstead_graphql.types.common import PEOPLE

CONTACT = listing(
    "ProviderContact",
    models.ProviderContact,
    filters=(
        *("role", "address", "tenant_location_id", "employer_id", "undeliverable_since", "ended_on", "created_at"),
    ),
    orders=("created_at",),
    default_order=("created_at",),
    links={"location": "Location", "employer": "Employer"},
    scopes={"address": PEOPLE},
)
CAMPAIGN = listing(
    "Campaign",
    models.Campaign,
    filters=("name", "message_class", "state", "starts_at", "finished_at", "created_at"),
    orders=("created_at",),
    default_order=("-created_at",),
)
