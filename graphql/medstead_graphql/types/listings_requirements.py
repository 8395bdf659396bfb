"""Which rows of the programme's rules can be listed, filtered by what, ordered by what."""

from app.training import models as training
from app.training.requirements import models
from medstead_graphql.compiler.listing import listing

PROGRAMME = listing(
    "Programme",
    training.Programme,
    filters=("name", "scope", "status", "provider_group_id", "cqc_provider_id"),
    orders=("name",),
    default_order=("name",),
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
